//! A product's own code that listens to the unsolicited lines (`include/w800_mqtt_at.h`).

use crate::client::output::Output;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};

/// `w800_mqtt_at_line_hook`
type Hook = unsafe extern "C" fn(context: *mut c_void, link: u8, bytes: *const c_void, length: usize);

#[derive(Clone, Copy)]
struct Listener {
    hook: Hook,
    context: *mut c_void,
}

struct Place(UnsafeCell<Option<Listener>>);

// SAFETY: what is in it is touched in critical sections only. The context is the product's, which takes it in any task
// (`w800_mqtt_at_set_line_hook` says so).
unsafe impl Sync for Place {}

/// How long [`w800_mqtt_at_set_line_hook`] waits for the port, in milliseconds.
const PORT_MS: u32 = 10_000;

static LISTENER: Place = Place(UnsafeCell::new(None));

/// The next bytes of an unsolicited line on the port that the caller holds.
pub fn line(port: &Output, link: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        tell(port, link, bytes);
    }
}

/// The line is whole.
pub fn line_ends(port: &Output, link: u8) {
    tell(port, link, &[]);
}

fn tell(_: &Output, link: u8, bytes: &[u8]) {
    // SAFETY: nothing else runs meanwhile.
    let listener = critical_section::with(|_| unsafe { *LISTENER.0.get() });
    if let Some(Listener { hook, context }) = listener {
        // SAFETY: the product gave this function for such calls; the bytes are valid during this one.
        unsafe { hook(context, link, bytes.as_ptr().cast(), bytes.len()) };
    }
}

/// Sets who listens; see `include/w800_mqtt_at.h`.
///
/// # Safety
/// `hook` is null or takes `context` in any task, until another call has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn w800_mqtt_at_set_line_hook(hook: Option<Hook>, context: *mut c_void) -> c_int {
    // While this is held no line is open, and nobody is being told.
    let Some(_port) = Output::claim_within(PORT_MS) else { return -1 };
    let listener = hook.map(|hook| Listener { hook, context });
    // SAFETY: nothing else runs meanwhile.
    critical_section::with(|_| unsafe { *LISTENER.0.get() = listener });
    0
}
