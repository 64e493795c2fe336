//! A command whose parameters are the server's `argv`, in a build for an image whose line does not pass through this
//! library (AT contract §8).

use super::result::result;
use crate::client::actions::{self, Form};
use crate::client::passthrough;
use crate::sdk::log;
use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicBool, Ordering};
use heapless::Vec;
use w800_mqtt_core::at::argv::{self, ArgStyle, Scratch};
use w800_mqtt_core::at::command::Command;

/// As the build was told that the server hands arguments over.
const STYLE: ArgStyle = if cfg!(argv_raw) { ArgStyle::Raw } else { ArgStyle::Decoded };

/// The server hands over no more (`MAX_ARGC`).
const MOST_ARGUMENTS: usize = 20;

/// Runs the command of `row`: what its handler returns.
///
/// # Safety
/// `argv` points to `argc` pointers, each NULL or a NUL-terminated text, valid during the call.
#[inline(never)]
pub unsafe fn dispatch(row: &'static Command, form: Form, argc: c_int, argv: *mut *mut c_char) -> c_int {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        log::warn(&["the line does not pass through this library: the AT server's limits apply"]);
    }
    // SAFETY: the caller vouches for them.
    let args = unsafe { arguments(argc, argv) };
    let mut scratch = Scratch::new();
    let parameters = (argc > 0).then(|| argv::split(row, &args, STYLE, &mut scratch));
    let (closing, output) = actions::execute(row, form, parameters);
    passthrough::handler_returns(output);
    result(closing)
}

/// # Safety
/// As for [`dispatch`]; the texts stay valid for as long as they are used.
unsafe fn arguments<'a>(argc: c_int, argv: *mut *mut c_char) -> Vec<&'a [u8], MOST_ARGUMENTS> {
    let mut args = Vec::new();
    for index in 0..usize::try_from(argc).unwrap_or(0).min(MOST_ARGUMENTS) {
        // SAFETY: the caller vouches for the first `argc` pointers.
        let text = unsafe { argv.add(index).read() };
        let text = if text.is_null() {
            &[][..]
        } else {
            // SAFETY: the caller vouches for what they point to.
            unsafe { CStr::from_ptr(text) }.to_bytes()
        };
        // There is room for as many as are taken.
        let _ = args.push(text);
    }
    args
}
