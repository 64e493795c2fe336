//! The serial line of the AT server, between which and the server the guest's library stands: the board registers its
//! UART with the guest, and the guest registers functions of its own with the server.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use w800_mqtt_at::sdk::bindings::{wm_atcmd_dev_type_e, wm_dev_ops_t};

use super::call::{Outcome, Trouble, Words, status};
use super::guest::{call_int, core, or_fail};
use super::memory::{self, lend};

unsafe extern "C" {
    /// The board's own, whose name the linker has given to the native library's.
    fn __real_wm_atcmd_dev_register(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int;
}

/// What the board registers.
static UART: OnceLock<wm_dev_ops_t> = OnceLock::new();
/// What the guest registers with the server: its functions that send and receive.
static GUESTS: OnceLock<[u32; 2]> = OnceLock::new();

/* From the board to the guest */

/// In the place of the board's `wm_atcmd_dev_register`: as a firmware that is linked with `--wrap` calls it. An image
/// without a library that wraps it leaves the line to the server.
pub extern "C" fn register_uart(kind: wm_atcmd_dev_type_e, functions: wm_dev_ops_t) -> c_int {
    let Ok(wrapped) = address("__wrap_wm_atcmd_dev_register") else {
        // SAFETY: the functions are the board's own.
        return unsafe { __real_wm_atcmd_dev_register(kind, functions) };
    };
    let _ = UART.set(functions);
    let [send, receive] = ["uart_send", "uart_recv"].map(|name| or_fail(address(name)));
    // A structure of two words goes in two registers.
    call_int(wrapped, &[kind, send, receive])
}

fn address(name: &str) -> Result<u32, Trouble> {
    core().machine().symbols().address(name).ok_or_else(|| Trouble::Misuse(format!("the image has no {name}")))
}

fn uart() -> Result<&'static wm_dev_ops_t, Trouble> {
    UART.get().ok_or_else(|| Trouble::Misuse("the board has not registered its serial line".to_owned()))
}

pub fn uart_send([bytes, size, ..]: Words) -> Outcome {
    let send = uart()?.atcmd_send.ok_or_else(one_way)?;
    let bytes = memory::read(bytes, size)?;
    // SAFETY: the bytes are valid for their length.
    status(unsafe { send(bytes.as_ptr().cast(), size.cast_signed()) })
}

pub fn uart_recv([to, size, timeout, ..]: Words) -> Outcome {
    let receive = uart()?.atcmd_recv.ok_or_else(one_way)?;
    let room = memory::word(size)?;
    let mut bytes = memory::buffer(to, room)?;
    let mut count = room.cast_signed();
    // SAFETY: the buffer has room for `count` bytes.
    let got = unsafe { receive(bytes.as_mut_ptr().cast(), &raw mut count, timeout.cast_signed()) };
    memory::fill(to, &bytes, got)?;
    memory::set_word(size, count.cast_unsigned())?;
    status(got)
}

fn one_way() -> Trouble {
    Trouble::Misuse("the board's serial line goes one way".to_owned())
}

/* From the server to the guest */

/// The guest calls `wm_atcmd_dev_register`.
pub fn register([kind, send, receive, ..]: Words) -> Outcome {
    GUESTS.set([send, receive]).map_err(|_| Trouble::Misuse("a device is registered already".to_owned()))?;
    let functions = wm_dev_ops_t { atcmd_send: Some(guest_sends), atcmd_recv: Some(guest_receives) };
    // SAFETY: the functions are those that a server wants.
    status(unsafe { __real_wm_atcmd_dev_register(kind, functions) })
}

fn guests() -> [u32; 2] {
    or_fail(GUESTS.get().copied().ok_or_else(|| Trouble::Misuse("the guest has no device".to_owned())))
}

unsafe extern "C" fn guest_sends(bytes: *const c_void, size: c_int) -> c_int {
    let [send, _] = guests();
    // SAFETY: the server has `size` bytes there.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(size).unwrap_or(0)) };
    or_fail(lend(&mut bytes.to_vec(), |at| call_int(send, &[at, size.cast_unsigned()])))
}

unsafe extern "C" fn guest_receives(to: *mut c_void, size: *mut c_int, timeout: c_int) -> c_int {
    let [_, receive] = guests();
    // SAFETY: the server has room for `size` bytes there.
    let (bytes, size) =
        unsafe { (std::slice::from_raw_parts_mut(to.cast::<u8>(), usize::try_from(*size).unwrap_or(0)), &mut *size) };
    let mut count = size.to_le_bytes();
    let got = lend(bytes, |to| lend(&mut count, |size| call_int(receive, &[to, size, timeout.cast_unsigned()])));
    *size = i32::from_le_bytes(count);
    or_fail(got.flatten())
}
