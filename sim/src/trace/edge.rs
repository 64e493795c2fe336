//! The library's edge to the network: lwIP's sockets and Mbed TLS's connections, watched on their way through.
//!
//! The linker gives the names `lwip_send` and so on to the functions below and the SDK's to `__real_lwip_send`
//! (`--wrap` in `build.rs`). So one place sees the library natively and on the simulated processor, with TLS and
//! without: what Mbed TLS sends is recognised by being sent inside one of its functions, in the same thread.
#![expect(unsafe_code, reason = "the board is C")]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use super::event::{Event, Lane, Tone, Way};
use super::timeline::{now, with};

const WANT_READ: c_int = -0x6900;
const WANT_WRITE: c_int = -0x6880;
const PEER_CLOSE_NOTIFY: c_int = -0x7880;

thread_local! {
    /// The connection of Mbed TLS that this thread is in.
    static INSIDE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What TLS 1.2 makes its keys of (`mbedtls_ssl_key_export_type`).
const MASTER_SECRET: c_uint = 0;
const CLIENT_RANDOM_BYTES: usize = 32;

type Secrets = fn(client_random: &[u8], master_secret: &[u8]);
type Export = unsafe extern "C" fn(*mut c_void, c_uint, *const u8, usize, *const u8, *const u8, c_uint);

/// Who is told each connection's secrets.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// Tells `listener` the secrets of all connections from now on. The first who asks is the one.
pub fn on_secrets(listener: Secrets) {
    let _ = SECRETS.set(listener);
}

unsafe extern "C" {
    fn mbedtls_ssl_set_export_keys_cb(ssl: *mut c_void, export: Export, context: *mut c_void);
    fn __real_lwip_send(socket: c_int, bytes: *const c_void, size: usize, flags: c_int) -> isize;
    fn __real_lwip_recv(socket: c_int, to: *mut c_void, size: usize, flags: c_int) -> isize;
    fn __real_lwip_close(socket: c_int) -> c_int;
    fn __real_mbedtls_ssl_handshake(ssl: *mut c_void) -> c_int;
    fn __real_mbedtls_ssl_read(ssl: *mut c_void, to: *mut u8, size: usize) -> c_int;
    fn __real_mbedtls_ssl_write(ssl: *mut c_void, bytes: *const u8, size: usize) -> c_int;
    fn __real_mbedtls_ssl_close_notify(ssl: *mut c_void) -> c_int;
    fn mbedtls_ssl_get_ciphersuite_name(number: c_int) -> *const c_char;
    fn mbedtls_high_level_strerr(error: c_int) -> *const c_char;
    fn mbedtls_low_level_strerr(error: c_int) -> *const c_char;
}

/// Runs a function of Mbed TLS for the connection at `ssl`.
fn inside(ssl: *mut c_void, run: impl FnOnce() -> c_int) -> c_int {
    let before = INSIDE.replace(Some(ssl.addr()));
    let result = run();
    INSIDE.set(before);
    result
}

/// # Safety
/// `bytes` is valid for as many bytes as `count` says, if any.
unsafe fn moved(at: u64, socket: c_int, way: Way, bytes: *const c_void, count: isize) {
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else { return };
    // SAFETY: as the caller says.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast(), count) };
    let inside = INSIDE.get();
    with(|trace| match inside {
        Some(ssl) => trace.records(at, socket, ssl, way, bytes),
        None => trace.plain(at, socket, way, bytes),
    });
}

/// # Safety
/// As `lwip_send`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_lwip_send(socket: c_int, bytes: *const c_void, size: usize, flags: c_int) -> isize {
    let at = now();
    // SAFETY: as the caller says.
    unsafe {
        let sent = __real_lwip_send(socket, bytes, size, flags);
        moved(at, socket, Way::Out, bytes, sent);
        sent
    }
}

/// # Safety
/// As `lwip_recv`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_lwip_recv(socket: c_int, to: *mut c_void, size: usize, flags: c_int) -> isize {
    // SAFETY: as the caller says; what was received is in the buffer.
    unsafe {
        let got = __real_lwip_recv(socket, to, size, flags);
        moved(now(), socket, Way::In, to, got);
        got
    }
}

/// # Safety
/// As `lwip_close`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_lwip_close(socket: c_int) -> c_int {
    with(|trace| trace.closed(socket));
    // SAFETY: as the caller says.
    unsafe { __real_lwip_close(socket) }
}

/// # Safety
/// As `mbedtls_ssl_handshake`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_mbedtls_ssl_handshake(ssl: *mut c_void) -> c_int {
    if SECRETS.get().is_some() {
        // SAFETY: as the caller says; the library asks for no export of its own.
        unsafe { mbedtls_ssl_set_export_keys_cb(ssl, export, std::ptr::null_mut()) };
    }
    // SAFETY: as the caller says.
    let result = inside(ssl, || unsafe { __real_mbedtls_ssl_handshake(ssl) });
    let at = now();
    if result == 0 {
        with(|trace| trace.handshake_done(at, ssl.addr(), suite_name));
    } else {
        tell_failure(at, "handshake", result);
    }
    result
}

/// # Safety
/// As `mbedtls_ssl_export_keys_t`: `length` bytes of a secret, 32 of a random number.
unsafe extern "C" fn export(
    _context: *mut c_void,
    kind: c_uint,
    secret: *const u8,
    length: usize,
    client_random: *const u8,
    _server_random: *const u8,
    _derivation: c_uint,
) {
    let Some(tell) = SECRETS.get().filter(|_| kind == MASTER_SECRET) else { return };
    // SAFETY: as the caller says.
    let (secret, random) = unsafe {
        (std::slice::from_raw_parts(secret, length), std::slice::from_raw_parts(client_random, CLIENT_RANDOM_BYTES))
    };
    tell(random, secret);
}

/// # Safety
/// As `mbedtls_ssl_read`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_mbedtls_ssl_read(ssl: *mut c_void, to: *mut u8, size: usize) -> c_int {
    // SAFETY: as the caller says.
    let got = inside(ssl, || unsafe { __real_mbedtls_ssl_read(ssl, to, size) });
    // SAFETY: so much was put there.
    unsafe { decrypted(now(), ssl, Way::In, to, got) };
    got
}

/// # Safety
/// As `mbedtls_ssl_write`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_mbedtls_ssl_write(ssl: *mut c_void, bytes: *const u8, size: usize) -> c_int {
    let at = now();
    // SAFETY: as the caller says.
    let sent = inside(ssl, || unsafe { __real_mbedtls_ssl_write(ssl, bytes, size) });
    // SAFETY: it is no more than `size`.
    unsafe { decrypted(at, ssl, Way::Out, bytes, sent) };
    sent
}

/// # Safety
/// `bytes` is valid for as many bytes as `result` says, if any.
unsafe fn decrypted(at: u64, ssl: *mut c_void, way: Way, bytes: *const u8, result: c_int) {
    match usize::try_from(result) {
        Ok(0) => {}
        Ok(count) => {
            // SAFETY: as the caller says.
            let bytes = unsafe { std::slice::from_raw_parts(bytes, count) };
            with(|trace| trace.decrypted(at, ssl.addr(), way, bytes));
        }
        Err(_) => tell_failure(at, if way == Way::In { "read" } else { "write" }, result),
    }
}

/// # Safety
/// As `mbedtls_ssl_close_notify`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_mbedtls_ssl_close_notify(ssl: *mut c_void) -> c_int {
    let at = now();
    // SAFETY: as the caller says.
    let result = inside(ssl, || unsafe { __real_mbedtls_ssl_close_notify(ssl) });
    if result == 0 {
        with(|trace| trace.tell(Event::new(at, Lane::Tls, Way::Out, Tone::Plain, "Alert close_notify")));
    }
    result
}

fn tell_failure(at: u64, what: &str, result: c_int) {
    let event = match result {
        WANT_READ | WANT_WRITE => return,
        PEER_CLOSE_NOTIFY => Event::new(at, Lane::Tls, Way::In, Tone::Notable, "Alert close_notify"),
        _ => Event::new(at, Lane::Tls, Way::In, Tone::Bad, format!("{what} failed: {}", error_name(result)))
            .fact("Mbed TLS", format!("-0x{:04x}", result.unsigned_abs())),
    };
    with(|trace| trace.tell(event));
}

fn suite_name(number: u16) -> String {
    // SAFETY: any number is one; the name is a constant.
    unsafe { text(mbedtls_ssl_get_ciphersuite_name(c_int::from(number))) }.unwrap_or_else(|| format!("0x{number:04x}"))
}

fn error_name(error: c_int) -> String {
    // SAFETY: any number is one; the names are constants or NULL.
    unsafe { text(mbedtls_high_level_strerr(error)).or_else(|| text(mbedtls_low_level_strerr(error))) }
        .unwrap_or_else(|| format!("-0x{:04x}", error.unsigned_abs()))
}

/// # Safety
/// It is NULL or a constant text.
unsafe fn text(at: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned())
}
