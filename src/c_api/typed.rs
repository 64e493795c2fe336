//! A command whose parameters are read as they were typed, for the line passes through this library (AT contract §8). What
//! the server's `argv` tells of them is a stand-in.

use super::table;
use crate::client::actions::{self, Form, ServerResult};
use crate::client::port;
use crate::sdk::log;
use core::ffi::{c_char, c_int};
use core::sync::atomic::{AtomicBool, Ordering};
use w800_mqtt_core::at::Code;
use w800_mqtt_core::at::command::Command;
use w800_mqtt_core::at::parse::split;

/// Runs the command of `row`: what its handler returns.
///
/// # Safety
/// None is needed, for `argv` is not looked at: it has the signature of a build that does.
#[inline(never)]
pub unsafe fn dispatch(row: &'static Command, form: Form, argc: c_int, _: *mut *mut c_char) -> c_int {
    let mut running = port::Command::begin();
    let parameters = running.parameters(row.name.to_bytes());
    if argc > 0 && form == Form::Execute && parameters.is_none() {
        return refuse_unwrapped(running);
    }
    let parameters = parameters.map(|line| split(row, line));
    let (closing, output) = actions::execute(row, form, parameters);
    if closing == ServerResult::Nothing {
        // The server's `OK`, which the port keeps from the host, says that the server takes the next line.
        running.ended(output);
        return table::result(ServerResult::Ok);
    }
    running.answered(output);
    table::result(closing)
}

/// The line did not pass through this library.
#[cold]
fn refuse_unwrapped(running: port::Command) -> c_int {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        log::error(&["link with --wrap=wm_atcmd_dev_register, or build for the server's argv"]);
    }
    running.answered(actions::refuse(Code::ParamPrepareError));
    table::result(ServerResult::Error)
}
