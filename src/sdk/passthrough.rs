//! The AT server's passthrough: what the host sends comes to this library instead of being read as commands.

use super::bindings;
use core::ffi::{c_int, c_void};

/// Who takes what the host sends.
pub trait Taker {
    /// Takes bytes from the front of `bytes`: how many. Those after them belong to the next command line.
    fn take(bytes: &[u8]) -> usize;
    /// The server has ended it, for whatever reason.
    fn ended();
}

/// From now on `T` takes what the host sends, until it sends nothing for `idle_ms` milliseconds. `false` when the server
/// refuses.
pub fn enter<T: Taker>(idle_ms: u32) -> bool {
    // SAFETY: both are static functions that take any private pointer.
    let status = unsafe {
        bindings::wm_atcmd_enter_passthrough(Some(take::<T>), Some(ended::<T>), core::ptr::null_mut(), idle_ms)
    };
    status == 0
}

/// What the host sends is read as commands again, for all that was wanted has come.
pub fn exit() {
    // SAFETY: no requirements; outside of a passthrough it does nothing.
    unsafe { bindings::wm_atcmd_exit_passthrough(bindings::WM_ATCMD_EXIT_REASON_USER_ACTIVE) };
}

extern "C" fn take<T: Taker>(bytes: *mut c_void, size: c_int, _: *mut c_void) -> c_int {
    let Ok(length) = usize::try_from(size) else { return 0 };
    if bytes.is_null() {
        return 0;
    }
    // SAFETY: the server hands `size` bytes that stay valid during the call.
    let bytes = unsafe { core::slice::from_raw_parts(bytes.cast::<u8>().cast_const(), length) };
    c_int::try_from(T::take(bytes)).unwrap_or(size)
}

extern "C" fn ended<T: Taker>(_: bindings::wm_atcmd_exit_passthrough_reason_e, _: *mut c_void) -> c_int {
    T::ended();
    0
}
