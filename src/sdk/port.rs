//! The AT port: bytes out, and the data phase (the server's passthrough) in.

use super::bindings;
use core::ffi::{c_int, c_void};

/// Prints `bytes` on the port the AT server serves.
pub fn print(bytes: &[u8]) {
    super::sync::no_lock_held();
    if let Ok(length) = c_int::try_from(bytes.len()) {
        // SAFETY: the pointer is valid for `length` bytes during the call, which copies or sends them.
        unsafe { bindings::wm_atcmd_print_raw_data(bytes.as_ptr().cast(), length) };
    }
}

/// Why a data phase ended before its length was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// This library ended it.
    ByUs,
    /// The host sent the exit code, stalled, or the server ran out of memory.
    Early,
}

/// Who takes the bytes of a data phase.
pub trait DataPhase {
    /// Takes bytes from the front of `bytes`; returns how many. Bytes behind them belong to the next command line.
    fn data(bytes: &[u8]) -> usize;
    /// The server has ended the phase.
    fn ended(reason: Ended);
}

/// Switches the port to a data phase for `D`. `false` when the server refuses.
///
/// The server's own time-out is unknown in kind (idle or total), so the longest is asked for; whoever uses this keeps
/// an idle timer.
pub fn begin_data_phase<D: DataPhase>() -> bool {
    // SAFETY: both callbacks are static functions that take any private pointer.
    let status = unsafe {
        bindings::wm_atcmd_enter_passthrough(Some(data::<D>), Some(ended::<D>), core::ptr::null_mut(), u32::MAX)
    };
    status == 0
}

/// Switches the port back to command lines because the data is complete.
pub fn complete_data_phase() {
    // SAFETY: no requirements; outside a data phase it does nothing.
    unsafe { bindings::wm_atcmd_exit_passthrough(bindings::WM_ATCMD_EXIT_REASON_USER_ACTIVE) };
}

/// Switches the port back to command lines because the host has stalled.
pub fn abandon_data_phase() {
    // SAFETY: no requirements; outside a data phase it does nothing.
    unsafe { bindings::wm_atcmd_exit_passthrough(bindings::WM_ATCMD_EXIT_REASON_TIMEOUT) };
}

extern "C" fn data<D: DataPhase>(bytes: *mut c_void, size: c_int, _: *mut c_void) -> c_int {
    let Ok(length) = usize::try_from(size) else { return 0 };
    if bytes.is_null() || length == 0 {
        return 0;
    }
    // SAFETY: the server hands `size` bytes that stay valid during the call.
    let bytes = unsafe { core::slice::from_raw_parts(bytes.cast::<u8>().cast_const(), length) };
    c_int::try_from(D::data(bytes)).unwrap_or(size)
}

extern "C" fn ended<D: DataPhase>(reason: bindings::wm_atcmd_exit_passthrough_reason_e, _: *mut c_void) -> c_int {
    let ours = reason == bindings::WM_ATCMD_EXIT_REASON_USER_ACTIVE;
    D::ended(if ours { Ended::ByUs } else { Ended::Early });
    0
}
