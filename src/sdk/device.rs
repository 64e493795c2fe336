//! The device that carries the AT server's line. Two functions that a firmware registers with the server
//! (`wm_atcmd_dev_register`), between which and the server this library stands (AT contract §8); where it does not, what it
//! prints goes the server's way.

use super::bindings;
use super::sync::no_lock_held;
use core::ffi::c_int;
#[cfg(argv_line)]
pub use registered::{Functions, Received, is_set, receive, set};

/// Sends all of `bytes`. Without a device of its own it goes the server's way.
pub fn send(bytes: &[u8]) {
    no_lock_held();
    let Ok(length) = c_int::try_from(bytes.len()) else { return };
    #[cfg(argv_line)]
    if registered::send(bytes, length) {
        return;
    }
    // SAFETY: the pointer is valid for `length` bytes during the call, which copies or sends them.
    unsafe { bindings::wm_atcmd_print_raw_data(bytes.as_ptr().cast(), length) }
}

#[cfg(argv_line)]
mod registered {
    use super::{bindings, no_lock_held};
    use crate::sdk::sync::Critical;
    use core::cell::UnsafeCell;
    use core::ffi::{c_int, c_void};

    /// The device's functions, as the firmware registers them.
    pub type Functions = bindings::wm_dev_ops_t;

    struct Place(UnsafeCell<Functions>);

    // SAFETY: each function is written and read by one instruction.
    unsafe impl Sync for Place {}

    static FUNCTIONS: Place = Place(UnsafeCell::new(Functions { atcmd_send: None, atcmd_recv: None }));

    /// What the device brings.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Received {
        /// So many bytes; 0 when the time is over.
        Bytes(usize),
        /// Nothing will ever come any more. (The value is the device's own.)
        Ended(c_int),
    }

    /// Remembers what a firmware registers, before the server uses it.
    pub fn set(functions: Functions) {
        static SETTING: Critical<()> = Critical::new(());
        // SAFETY: the place is valid, and nobody else runs meanwhile.
        SETTING.with(|()| unsafe { FUNCTIONS.0.get().write_volatile(functions) });
    }

    /// Whether a firmware has registered a device through this library.
    pub fn is_set() -> bool {
        // SAFETY: the place is valid, and what is in it is replaced by one instruction.
        unsafe { (&raw const (*FUNCTIONS.0.get()).atcmd_send).read_volatile() }.is_some()
    }

    /// Sends `bytes` by the device; `false` where none is registered.
    pub(super) fn send(bytes: &[u8], length: c_int) -> bool {
        // SAFETY: the place is valid, and what is in it is replaced by one instruction.
        let function = unsafe { (&raw const (*FUNCTIONS.0.get()).atcmd_send).read_volatile() };
        let Some(send) = function else { return false };
        // SAFETY: the firmware registered this function for such calls; the bytes are valid during this one.
        unsafe { send(bytes.as_ptr().cast(), length) };
        true
    }

    /// Receives into `to`, waiting `milliseconds` at most, for ever where that is negative.
    pub fn receive(to: &mut [u8], milliseconds: c_int) -> Received {
        no_lock_held();
        // SAFETY: as in `send`.
        let function = unsafe { (&raw const (*FUNCTIONS.0.get()).atcmd_recv).read_volatile() };
        let Some(receive) = function else { return Received::Ended(-1) };
        let mut size = c_int::try_from(to.len()).unwrap_or(c_int::MAX);
        // SAFETY: the firmware registered this function for such calls; `to` has room for `size` bytes.
        let got = unsafe { receive(to.as_mut_ptr().cast::<c_void>(), &raw mut size, milliseconds) };
        match usize::try_from(got) {
            Ok(got) => Received::Bytes(got.min(to.len())),
            Err(_) => Received::Ended(got),
        }
    }
}
