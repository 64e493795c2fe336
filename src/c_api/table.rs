//! Where the C side comes in: one row of `.wm_at_table` per command, and the handlers that the rows name.

#[cfg(not(argv_line))]
use super::argv::dispatch;
#[cfg(argv_line)]
use super::typed::dispatch;
use crate::client::actions::Form;
use crate::options::ADDITIONS;
use crate::sdk::bindings;
use core::ffi::{c_char, c_int};
use w800_mqtt_core::at::command::{COMMANDS, Command};

/// How many commands this build has.
const COUNT: usize = 16 + 2 * ADDITIONS as usize + cfg!(certificate_command) as usize;

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
        #[cfg(additions)]
        row::<18>(),
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

/// The handler of row `ROW`: the server tells a handler everything but its command's name.
unsafe extern "C" fn handle<const ROW: usize>(
    form: bindings::wm_at_type_e,
    argc: c_int,
    argv: *mut *mut c_char,
) -> c_int {
    let form = match form {
        bindings::AT_TYPE_QUERY => Form::Query,
        bindings::AT_TYPE_TEST => Form::Test,
        _ => Form::Execute,
    };
    // SAFETY: the server hands `argc` pointers at `argv`, each NULL or a NUL-terminated text, valid during the call.
    unsafe { dispatch(command::<ROW>(), form, argc, argv) }
}
