//! Where the C side comes in: one row of `.wm_at_table` per command, and the handlers that the rows name.

use crate::client::actions::{self, Form, ServerResult};
use crate::client::port;
use crate::options::ADDITIONS;
use crate::sdk::bindings;
use crate::sdk::log;
use core::ffi::{c_char, c_int};
use core::sync::atomic::{AtomicBool, Ordering};
use w800_mqtt_core::at::Code;
use w800_mqtt_core::at::command::{COMMANDS, Command};
use w800_mqtt_core::at::parse::split;

/// How many commands this build has.
const COUNT: usize = 16 + ADDITIONS as usize + cfg!(certificate_command) as usize;

/// Rows as the server reads them.
#[repr(transparent)]
pub struct Table([bindings::wm_atcmd_item; COUNT]);

// SAFETY: the rows point to static texts and functions and are never written.
unsafe impl Sync for Table {}

/// The server walks its section from `wm_at_table_start` to `wm_at_table_end`.
#[used]
#[unsafe(export_name = "w800_mqtt_at_table")]
#[unsafe(link_section = ".wm_at_table")]
pub static WM_AT_TABLE: Table = Table(rows());

const fn rows() -> [bindings::wm_atcmd_item; COUNT] {
    [
        row::<0>(),
        row::<1>(),
        row::<2>(),
        row::<3>(),
        row::<4>(),
        row::<5>(),
        row::<6>(),
        row::<7>(),
        row::<8>(),
        row::<9>(),
        row::<10>(),
        row::<11>(),
        row::<12>(),
        row::<13>(),
        row::<14>(),
        row::<15>(),
        #[cfg(certificate_command)]
        row::<16>(),
        #[cfg(additions)]
        row::<17>(),
    ]
}

/// `cmd_usg` stays NULL, where the SDK's header has it at all (by its documentation an option leaves it out): the handler
/// prints the usage text, since the server would print it without asking whether a line is open.
const fn row<const ROW: usize>() -> bindings::wm_atcmd_item {
    // SAFETY: pointers and an optional function, all of which may be NULL.
    let mut row: bindings::wm_atcmd_item = unsafe { core::mem::zeroed() };
    row.cmd_name = command::<ROW>().name.as_ptr().cast_mut();
    row.cmd_handle = Some(handle::<ROW>);
    row
}

/// The command of row `ROW`: what no row of the server's table refers to does not stay in the firmware.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn command<const ROW: usize>() -> &'static Command {
    const { &Command { usage: if cfg!(usage_texts) { COMMANDS[ROW].usage } else { c"" }, ..COMMANDS[ROW] } }
}

/// The handler of row `ROW`: the server tells a handler everything but its command's name. What it tells of parameters is
/// a stand-in: they are read as they were typed.
extern "C" fn handle<const ROW: usize>(form: bindings::wm_at_type_e, argc: c_int, _: *mut *mut c_char) -> c_int {
    dispatch(command::<ROW>(), form, argc)
}

#[inline(never)]
fn dispatch(row: &'static Command, form: bindings::wm_at_type_e, argc: c_int) -> c_int {
    let form = match form {
        bindings::AT_TYPE_QUERY => Form::Query,
        bindings::AT_TYPE_TEST => Form::Test,
        _ => Form::Execute,
    };
    let mut running = port::Command::begin();
    let parameters = running.parameters(row.name.to_bytes());
    if argc > 0 && form == Form::Execute && parameters.is_none() {
        return refuse_unwrapped(running);
    }
    let parameters = parameters.map(|line| split(row, line));
    let (closing, output) = actions::execute(row, form, parameters);
    let result = match closing {
        ServerResult::Ok => bindings::WM_AT_RESULT_OK,
        ServerResult::Error => bindings::WM_AT_RESULT_FAIL,
        ServerResult::Nothing => {
            running.ended(output);
            return bindings::WM_AT_RESULT_OK as c_int;
        }
    };
    running.answered(output);
    result as c_int
}

/// The line did not pass through this library.
#[cold]
fn refuse_unwrapped(running: port::Command) -> c_int {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        log::error(&["link with --wrap=wm_atcmd_dev_register, or build for the server's argv"]);
    }
    running.answered(actions::refuse(Code::ParamPrepareError));
    bindings::WM_AT_RESULT_FAIL as c_int
}
