//! A product's own code that listens to the unsolicited lines (`include/w800_mqtt_at.h`).

use core::cell::UnsafeCell;
use core::ffi::c_void;

/// `w800_mqtt_at_line_hook`
pub type Hook = unsafe extern "C" fn(context: *mut c_void, link: u8, bytes: *const c_void, length: usize);

#[derive(Clone, Copy)]
struct Listener {
    hook: Hook,
    context: *mut c_void,
}

struct Place(UnsafeCell<Option<Listener>>);

// SAFETY: what is in it is touched in critical sections only. The context is the product's, which takes it in any task
// (`w800_mqtt_at_set_line_hook` says so).
unsafe impl Sync for Place {}

static LISTENER: Place = Place(UnsafeCell::new(None));

/// The next bytes of an unsolicited line ; the caller holds the port.
pub fn line(link: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        tell(link, bytes);
    }
}

/// The line is whole.
pub fn line_ends(link: u8) {
    tell(link, &[]);
}

fn tell(link: u8, bytes: &[u8]) {
    // SAFETY: nothing else runs meanwhile.
    let listener = critical_section::with(|_| unsafe { *LISTENER.0.get() });
    if let Some(Listener { hook, context }) = listener {
        // SAFETY: the product gave this function for such calls; the bytes are valid during this one.
        unsafe { hook(context, link, bytes.as_ptr().cast(), bytes.len()) };
    }
}

/// Sets who listens. The caller holds the port: no line is open, and nobody is being told.
///
/// # Safety
/// `hook` takes `context` in any task, until another call has returned.
pub unsafe fn set(hook: Option<Hook>, context: *mut c_void) {
    let listener = hook.map(|hook| Listener { hook, context });
    // SAFETY: nothing else runs meanwhile.
    critical_section::with(|_| unsafe { *LISTENER.0.get() = listener });
}
