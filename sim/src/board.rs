//! The board in C behind a safe interface.
//!
//! Mirrors `board.h`, `neighbours.h`, `uart.h`, `credentials.h` and `heap.h` of `wm_sdk/host` and `product.c`: a field
//! added there has to be added here, and the board refuses options of another size.

use std::error::Error;
use std::ffi::{CString, NulError, c_char, c_int, c_void};
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::ptr;

#[cfg(tls)]
use w800_mqtt_at::c_api::credentials::w800_mqtt_at_set_credential;

use w800_mqtt_at::sdk::bindings::{wm_atcmd_dev_type_e, wm_dev_ops_t};

use crate::{statistics, xt804};

/// As on a W800 whose AT firmware is up.
pub const DEFAULT_HEAP_BYTES: usize = 100 * 1024;

/// What the board is started with.
#[derive(Debug)]
pub struct Settings {
    /// Standard input and output instead of a pseudo-terminal.
    pub stdio: bool,
    /// A symbolic link to the pseudo-terminal.
    pub pty_link: Option<PathBuf>,
    /// Bits per second, 0 for no pacing.
    pub baud: u32,
    /// What comes while the port is behind is lost.
    pub overrun: bool,
    /// What kind of AT server it has.
    pub argv: ArgvStyle,
    /// Joined at boot.
    pub wifi: bool,
    /// How long an address takes after `AT+CWJAP`.
    pub dhcp_delay_ms: u32,
    /// The network leads beyond this machine's loopback.
    pub net_open: bool,
    /// `name=address` entries.
    pub hosts: Vec<String>,
    /// `name=value` entries, by the names and values of `impair.h`.
    pub faults: Vec<String>,
    /// Where a time server listens on the host's loopback; without it the host's clock answers.
    pub time_server_port: Option<u16>,
    /// The heap's limit; without it [`DEFAULT_HEAP_BYTES`], or what a whole image leaves of the chip's RAM.
    pub heap_bytes: Option<usize>,
    /// Which allocations fail from the start.
    pub heap_failing: HeapFailing,
    /// The clock at boot, seconds since 1970.
    pub rtc: Option<i64>,
    /// Where the millisecond counter starts.
    pub uptime_ms: u32,
    /// The seed of pauses and switches where tasks unlock; 0 for none.
    pub preempt_seed: u32,
    /// What the log shows.
    pub log: LogLevel,
    /// The non-volatile storage's file.
    pub nvs: Option<PathBuf>,
    /// Trusted certificates, PEM.
    pub ca: Option<PathBuf>,
    /// The firmware's own certificate, PEM.
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// What the product's C code sets: CA, certificate, key; PEM or DER.
    pub set: [Option<PathBuf>; 3],
    /// What the simulated processor runs; without it the library runs natively.
    pub program: Option<xt804::Program>,
}

/// `enum at_argv_style`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[repr(C)]
pub enum ArgvStyle {
    /// Without quotes and escapes
    Decoded,
    /// As typed
    Raw,
    /// Without quotes, from short lines of few plain parameters; what comes while a command runs is lost in silence
    Strict,
}

/// `struct heap_failing`: the n-th allocation fails, and so many in all; 0 for none.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct HeapFailing {
    /// Counted from 1.
    pub nth: usize,
    /// In all.
    pub count: usize,
}

/// `wm_log_level_t`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum LogLevel {
    /// Nothing.
    None,
    /// What failed.
    Error,
    /// What may be wrong.
    Warn,
    /// What goes on.
    Info,
    /// What a developer asks for.
    Debug,
}

#[repr(C)]
struct UartOptions {
    stdio: bool,
    baud: u32,
    overrun: bool,
    link: *const c_char,
}

#[repr(C)]
struct CredentialFiles {
    ca: *const c_char,
    cert: *const c_char,
    key: *const c_char,
}

#[repr(C)]
struct BoardOptions {
    uart: UartOptions,
    argv_style: ArgvStyle,
    log_level: LogLevel,
    heap_limit: usize,
    heap_failing: HeapFailing,
    uptime_ms: u32,
    preempt_seed: u32,
    rtc: i64,
    wifi_off: bool,
    dhcp_delay_ms: u32,
    net_open: bool,
    hosts: *const *const c_char,
    hosts_count: usize,
    faults: *const *const c_char,
    faults_count: usize,
    time_server_port: u16,
    nvs: *const c_char,
    credentials: CredentialFiles,
    product: extern "C" fn(),
    stack: *const xt804::Stack,
    register_device: Option<RegisterDevice>,
    sources: Sources,
}

type RegisterDevice = extern "C" fn(wm_atcmd_dev_type_e, wm_dev_ops_t) -> c_int;

/// Whom the board's own commands ask.
#[repr(C)]
struct Sources {
    cpu_figures: Option<extern "C" fn(bool) -> *const c_char>,
    statistics: extern "C" fn() -> *const c_char,
}

/// For as long as the program runs; NULL for none.
fn leak(path: Option<PathBuf>) -> Result<*const c_char, NulError> {
    let path = path.map(|path| CString::new(path.into_os_string().into_vec())).transpose()?;
    Ok(path.map_or(ptr::null(), |path| path.into_raw().cast_const()))
}

/// The same for a list of texts.
fn leak_all(texts: Vec<String>) -> Result<&'static [*const c_char], NulError> {
    let texts: Vec<CString> = texts.into_iter().map(CString::new).collect::<Result<_, _>>()?;
    Ok(texts.into_iter().map(|text| text.into_raw().cast_const()).collect::<Vec<_>>().leak())
}

/// The heap at the end, in bytes as the chip would count them.
#[derive(Debug)]
#[repr(C)]
pub struct HeapFigures {
    limit: usize,
    used: usize,
    peak: usize,
    blocks: usize,
    refused: usize,
}

#[expect(unsafe_code, reason = "the board is C")]
unsafe extern "C" {
    fn board_start(options: *const BoardOptions, size: usize) -> c_int;
    fn board_wait() -> c_int;
    fn board_stop();
    fn heap_get_figures() -> HeapFigures;
    fn product_load(kind: c_int, path: *const c_char) -> c_int;
    fn product_start(set: SetCredential);
}

type SetCredential = unsafe extern "C" fn(u8, c_int, *const c_void, usize) -> c_int;

/// A library without TLS has no credentials to set.
#[cfg(not(tls))]
extern "C" fn start_product() {}

#[cfg(tls)]
extern "C" fn start_product() {
    // SAFETY: it is the function of that name, and what it is given stays.
    #[expect(unsafe_code, reason = "the product is C")]
    unsafe {
        product_start(w800_mqtt_at_set_credential);
    }
}

/// As above, where the simulated processor runs the library.
extern "C" fn start_guest_product() {
    xt804::load_credentials();
    // SAFETY: as above.
    #[expect(unsafe_code, reason = "the product is C")]
    unsafe {
        product_start(xt804::set_credential);
    }
}

/// Reads the files of what the product's C code sets.
fn load_product(files: [Option<PathBuf>; 3]) -> Result<(), Box<dyn Error>> {
    for (kind, file) in (0..).zip(files) {
        let path = leak(file)?;
        // SAFETY: the path is NULL or ends in NUL.
        #[expect(unsafe_code, reason = "the product is C")]
        let status = unsafe { product_load(kind, path) };
        if status != 0 {
            return Err("the product has not what it is to set".into());
        }
    }
    Ok(())
}

/// The running board; there can be one per process.
#[derive(Debug)]
pub struct Board(());

impl Board {
    /// Boots it. Call it before this program starts any thread, and once.
    pub fn start(settings: Settings) -> Result<Self, Box<dyn Error>> {
        load_product(settings.set)?;
        let loaded = settings.program.as_ref().map(xt804::load).transpose()?;
        let whole = loaded.as_ref();
        let (hosts, faults) = (leak_all(settings.hosts)?, leak_all(settings.faults)?);
        let options = BoardOptions {
            uart: UartOptions {
                stdio: settings.stdio,
                baud: settings.baud,
                overrun: settings.overrun,
                link: leak(settings.pty_link)?,
            },
            argv_style: settings.argv,
            log_level: settings.log,
            heap_limit: settings
                .heap_bytes
                .or(whole.and_then(|loaded| loaded.free_bytes))
                .unwrap_or(DEFAULT_HEAP_BYTES),
            heap_failing: settings.heap_failing,
            uptime_ms: settings.uptime_ms,
            preempt_seed: settings.preempt_seed,
            rtc: settings.rtc.unwrap_or(-1),
            wifi_off: !settings.wifi,
            dhcp_delay_ms: settings.dhcp_delay_ms,
            net_open: settings.net_open,
            hosts: hosts.as_ptr(),
            hosts_count: hosts.len(),
            faults: faults.as_ptr(),
            faults_count: faults.len(),
            time_server_port: settings.time_server_port.unwrap_or(0),
            nvs: leak(settings.nvs)?,
            credentials: CredentialFiles {
                ca: leak(settings.ca)?,
                cert: leak(settings.cert)?,
                key: leak(settings.key)?,
            },
            product: if settings.program.is_some() { start_guest_product } else { start_product },
            stack: whole.and_then(|loaded| loaded.stack).map_or(ptr::null(), ptr::from_ref),
            register_device: settings.program.is_some().then_some(xt804::register_uart),
            sources: Sources {
                cpu_figures: settings.program.is_some().then_some(xt804::figures),
                statistics: if settings.program.is_some() { statistics::guest } else { statistics::native },
            },
        };
        // SAFETY: the board copies the options; the strings they point to are never freed.
        #[expect(unsafe_code, reason = "the board is C")]
        let status = unsafe { board_start(&raw const options, size_of::<BoardOptions>()) };
        if status == 0 { Ok(Self(())) } else { Err("the board did not start".into()) }
    }

    /// Returns when the board has been told to stop or its input has ended.
    pub fn wait(&self) -> ExitCode {
        // SAFETY: a `Board` exists only once it is started, and it is the first thread that has it.
        #[expect(unsafe_code, reason = "the board is C")]
        let status = unsafe { board_wait() };
        ExitCode::from(u8::try_from(status).unwrap_or(1))
    }

    /// Disconnects it from the outside and reads its heap.
    pub fn stop(self) -> HeapFigures {
        // SAFETY: as in `wait`; it consumes the board, so it comes last.
        #[expect(unsafe_code, reason = "the board is C")]
        unsafe {
            board_stop();
            heap_get_figures()
        }
    }
}

impl fmt::Display for HeapFigures {
    /// One line of JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, used, peak, blocks, refused } = self;
        write!(f, r#"{{"limit":{limit},"used":{used},"peak":{peak},"blocks":{blocks},"refused":{refused}}}"#)
    }
}
