//! Where the C side comes in: one row of `.wm_at_table` per command, and the handlers that the rows name.

use super::bindings;
use crate::at::COMMANDS;
use crate::client::actions::{self, Closing, Form};
use core::ffi::{CStr, c_char, c_int};
use heapless::Vec;

/// Arguments the server hands over at most (`MAX_ARGC`).
const MOST_ARGUMENTS: usize = 20;

/// Rows as the server reads them.
#[repr(transparent)]
pub struct Table([bindings::wm_atcmd_item; COMMANDS.len()]);

// SAFETY: the rows point to static texts and functions and are never written.
unsafe impl Sync for Table {}

/// The server walks its section from `wm_at_table_start` to `wm_at_table_end`.
#[used]
#[unsafe(export_name = "w800_mqtt_at_table")]
#[unsafe(link_section = ".wm_at_table")]
pub static WM_AT_TABLE: Table = Table(rows());

const fn rows() -> [bindings::wm_atcmd_item; COMMANDS.len()] {
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
        #[cfg(additions)]
        row::<16>(),
        #[cfg(certificate_command)]
        row::<17>(),
    ]
}

/// `cmd_usg` stays NULL, where the SDK's header has it at all (by its documentation an option leaves it out): the handler
/// prints the usage text, since the server would print it without asking whether a line is open.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn row<const ROW: usize>() -> bindings::wm_atcmd_item {
    // SAFETY: pointers and an optional function, all of which may be NULL.
    let mut row: bindings::wm_atcmd_item = unsafe { core::mem::zeroed() };
    row.cmd_name = COMMANDS[ROW].name.as_ptr().cast_mut();
    row.cmd_handle = Some(handle::<ROW>);
    row
}

/// The handler of row `ROW`: the server tells a handler everything but its command's name.
unsafe extern "C" fn handle<const ROW: usize>(
    form: bindings::wm_at_type_e,
    argc: c_int,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: the server hands `argc` pointers at `argv`, each NULL or a NUL-terminated text that stays valid during
    // the call.
    unsafe { dispatch(ROW, form, argc, argv) }
}

/// # Safety
/// `argv` points to `argc` pointers, each NULL or a NUL-terminated text, valid during the call.
#[inline(never)]
unsafe fn dispatch(row: usize, form: bindings::wm_at_type_e, argc: c_int, argv: *mut *mut c_char) -> c_int {
    let form = match form {
        bindings::AT_TYPE_QUERY => Form::Query,
        bindings::AT_TYPE_TEST => Form::Test,
        _ => Form::Execute,
    };
    let mut args = Vec::<&[u8], MOST_ARGUMENTS>::new();
    for index in 0..usize::try_from(argc).unwrap_or(0).min(MOST_ARGUMENTS) {
        // SAFETY: the caller vouches for the first `argc` pointers and what they point to.
        let text = unsafe {
            let text = argv.add(index).read();
            if text.is_null() { &[][..] } else { CStr::from_ptr(text).to_bytes() }
        };
        let _ = args.push(text);
    }
    let closing = COMMANDS.get(row).map_or(Closing::Error, |row| actions::execute(row, form, &args));
    match closing {
        Closing::Ok => bindings::WM_AT_RESULT_OK as c_int,
        Closing::Error => bindings::WM_AT_RESULT_FAIL as c_int,
        Closing::Nothing => bindings::WM_AT_RESULT_NULL as c_int,
    }
}
