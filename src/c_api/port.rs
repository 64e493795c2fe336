//! Where the AT server's line passes through this library (AT contract §8): the linker puts `__wrap_wm_atcmd_dev_register`
//! in the place of the SDK's function (`--wrap=wm_atcmd_dev_register`), or the firmware calls
//! `w800_mqtt_at_dev_register` itself.

use crate::client::port;
use crate::sdk::bindings::{wm_atcmd_dev_type_e, wm_dev_ops_t};
use crate::sdk::{device, log};
use core::ffi::{c_int, c_void};

unsafe extern "C" {
    /// The SDK's, where the linker wraps it.
    fn __real_wm_atcmd_dev_register(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int;
    /// The SDK's, where it does not; this library's, where it does.
    fn wm_atcmd_dev_register(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int;
}

/// What the server is given in the place of the device's functions.
const fn ours() -> wm_dev_ops_t {
    wm_dev_ops_t { atcmd_send: Some(send), atcmd_recv: Some(receive) }
}

fn is_ours(functions: &wm_dev_ops_t) -> bool {
    functions.atcmd_recv.is_some_and(|function| function as usize == receive as *const () as usize)
}

/// In the place of the SDK's `wm_atcmd_dev_register`.
///
/// # Safety
/// The functions are as the SDK's wants them, for as long as the firmware runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __wrap_wm_atcmd_dev_register(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int {
    let functions = if is_ours(&functions) { functions } else { stand_between(functions) };
    // SAFETY: these are functions as the SDK's wants them.
    unsafe { __real_wm_atcmd_dev_register(kind, functions) }
}

/// Puts this library between the server and the device: what the server is given. Without memory for that the server gets
/// the device itself, and commands with parameters are refused.
fn stand_between(functions: wm_dev_ops_t) -> wm_dev_ops_t {
    if port::create().is_err() {
        log::error(&["no memory for the serial port"]);
        return functions;
    }
    device::set(functions);
    ours()
}

/// Registers a firmware's own device with the AT server; see `include/w800_mqtt_at.h`.
///
/// # Safety
/// As for [`__wrap_wm_atcmd_dev_register`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn w800_mqtt_at_dev_register(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int {
    // SAFETY: these are functions as the SDK's wants them.
    unsafe { wm_atcmd_dev_register(kind, stand_between(functions)) }
}

/// The server's `atcmd_send`: returns `size`.
unsafe extern "C" fn send(bytes: *const c_void, size: c_int) -> c_int {
    if let Ok(length) = usize::try_from(size)
        && !bytes.is_null()
    {
        // SAFETY: the server hands `size` bytes that are valid during the call.
        port::server_prints(unsafe { core::slice::from_raw_parts(bytes.cast::<u8>(), length) });
    }
    size
}

/// The server's `atcmd_recv`: how many bytes, which it writes to `size` too.
unsafe extern "C" fn receive(to: *mut c_void, size: *mut c_int, timeout: c_int) -> c_int {
    if to.is_null() || size.is_null() {
        return 0;
    }
    // SAFETY: the server gives a place for the size.
    let Ok(room) = usize::try_from(unsafe { size.read() }) else { return 0 };
    // SAFETY: the server gives room for `size` bytes during the call.
    let got = port::receive(unsafe { core::slice::from_raw_parts_mut(to.cast::<u8>(), room) }, timeout);
    // SAFETY: as above.
    unsafe { size.write(got.max(0)) };
    got
}
