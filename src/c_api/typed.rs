//! A command whose parameters are read as they were typed, for the line passes through this library (AT contract §8). What
//! the server's `argv` tells of them is a stand-in.

use super::result::result;
use crate::client::actions::{self, Form};
use crate::client::answer::{self, ServerResult};
use crate::client::output::Output;
use crate::client::port;
use crate::sdk::{device, log};
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
    let set = form == Form::Execute && argc > 0;
    if !device::is_set() {
        return run_unwrapped(row, form, set);
    }
    let mut running = port::Command::begin();
    let parameters = running.parameters(row.name.to_bytes());
    let (closing, output) = if set && parameters.is_none() {
        // The server took it out of data that it had prompted for.
        refuse()
    } else {
        actions::execute(row, form, parameters.map(|line| split(row, line)))
    };
    if closing == ServerResult::Nothing {
        // The server's `OK`, which the port keeps from the host, says that the server takes the next line.
        running.ended(output);
        return result(ServerResult::Ok);
    }
    running.answered(output);
    result(closing)
}

/// The line does not pass through this library: there are no parameters to read, and the right to print ends here.
#[cold]
fn run_unwrapped(row: &'static Command, form: Form, set: bool) -> c_int {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if set && !TOLD.swap(true, Ordering::Relaxed) {
        log::error(&["link with --wrap=wm_atcmd_dev_register, or build for the server's argv"]);
    }
    let (closing, _output) = if set { refuse() } else { actions::execute(row, form, None) };
    result(closing)
}

fn refuse() -> (ServerResult, Output) {
    (ServerResult::Error, answer::refuse(Code::ParamPrepareError))
}
