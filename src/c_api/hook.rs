//! A product's own code that listens to the unsolicited lines (`include/w800_mqtt_at.h`).

use crate::client::output::Output;
use crate::sdk::hook::{self, Hook};
use core::ffi::{c_int, c_void};

/// How long [`w800_mqtt_at_set_line_hook`] waits for the port, in milliseconds.
const PORT_MS: u32 = 10_000;

/// Sets who listens; see `include/w800_mqtt_at.h`.
///
/// # Safety
/// `hook` is null or takes `context` in any task, until another call has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn w800_mqtt_at_set_line_hook(hook: Option<Hook>, context: *mut c_void) -> c_int {
    // While this is held no line is open, and nobody is being told.
    let Some(_port) = Output::claim_within(PORT_MS) else { return -1 };
    // SAFETY: the caller vouches for the function and its context.
    unsafe { hook::set(hook, context) };
    0
}
