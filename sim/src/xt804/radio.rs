//! The network of a whole image: its lwIP on the board's radio, for the board's own commands too. The interface of both
//! sides is in `wm_sdk/chip/board.h` and `wm_sdk/host/net/interface.h`.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use super::call::{Outcome, Trouble, Words, status};
use super::guest::{call_int, core, or_fail};
use super::memory;

/// As `wm_sdk/host/net/frame_ring.h` has it.
const FRAME_CAPACITY: usize = 1522;

#[repr(C)]
struct Frame {
    length: usize,
    bytes: [u8; FRAME_CAPACITY],
}

unsafe extern "C" {
    safe fn radio_received() -> *const Frame;
    safe fn radio_release();
    safe fn radio_transmit_slot() -> *mut Frame;
    safe fn radio_transmit();
    safe fn radio_set_link(up: bool);
    safe fn interface_wait_for_frames();
    fn mbedtls_hardware_poll(context: *mut c_void, to: *mut u8, size: usize, got: *mut usize) -> c_int;
}

/* From the image to the radio */

pub fn frame_length(_: Words) -> Outcome {
    // SAFETY: NULL, or a frame that stays until it is released, which the one task does that asks here.
    Ok(unsafe { radio_received().as_ref() }.map_or(0, |frame| frame.length as u64))
}

pub fn frame_take([to, size, ..]: Words) -> Outcome {
    // SAFETY: as above.
    let frame = unsafe { radio_received().as_ref() };
    let bytes = frame.and_then(|frame| frame.bytes.get(..size as usize));
    memory::write(to, bytes.ok_or_else(|| Trouble::Misuse(format!("there is no frame of {size} bytes")))?)?;
    radio_release();
    Ok(0)
}

pub fn frame_send([from, size, ..]: Words) -> Outcome {
    let bytes = memory::read(from, size)?;
    // SAFETY: NULL, or a place that is this task's until the frame is sent.
    let Some(frame) = (unsafe { radio_transmit_slot().as_mut() }) else { return status(-1) };
    let room = frame.bytes.get_mut(..bytes.len());
    room.ok_or_else(|| Trouble::Misuse(format!("a frame of {size} bytes")))?.copy_from_slice(&bytes);
    frame.length = bytes.len();
    radio_transmit();
    status(0)
}

pub fn frame_wait(_: Words) -> Outcome {
    interface_wait_for_frames();
    Ok(0)
}

pub fn set_link([up, ..]: Words) -> Outcome {
    radio_set_link(up != 0);
    Ok(0)
}

pub fn random([to, size, ..]: Words) -> Outcome {
    let mut bytes = memory::buffer(to, size)?;
    for part in bytes.chunks_mut(usize::from(u8::MAX)) {
        let mut got = 0;
        // SAFETY: the part is valid for its length.
        if unsafe { mbedtls_hardware_poll(std::ptr::null_mut(), part.as_mut_ptr(), part.len(), &raw mut got) } != 0 {
            return Err(Trouble::Misuse("the board has no random numbers".to_owned()));
        }
    }
    memory::write(to, &bytes)?;
    Ok(0)
}

pub fn network_time([seconds, microseconds, ..]: Words) -> Outcome {
    if let Some(listener) = LISTENER.get() {
        listener(seconds, microseconds);
    }
    Ok(0)
}

/* From the board to the image */

type Listener = extern "C" fn(u32, u32);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// `struct net_stack`.
#[repr(C)]
#[derive(Debug)]
pub struct Stack {
    start: extern "C" fn() -> c_int,
    link_up: extern "C" fn(u32) -> c_int,
    link_down: extern "C" fn(),
    address: unsafe extern "C" fn(*mut c_char, usize) -> *mut c_char,
    sntp_start: unsafe extern "C" fn(*const *const c_char, usize, Listener) -> c_int,
    sntp_stop: extern "C" fn(),
}

/// The image's.
pub static STACK: Stack = Stack { start, link_up, link_down, address, sntp_start, sntp_stop };

/// As `wm_sdk/chip/board.h` has it.
const TIME_SERVER_BYTES: u32 = 128;

fn run(name: &str, arguments: &[u32]) -> c_int {
    call_int(symbol(name), arguments)
}

fn symbol(name: &str) -> u32 {
    let address = core().machine().symbols().address(name);
    or_fail(address.ok_or_else(|| Trouble::Misuse(format!("the image has no {name}"))))
}

extern "C" fn start() -> c_int {
    run("interface_start", &[])
}

extern "C" fn link_up(timeout_ms: u32) -> c_int {
    run("interface_link_up", &[timeout_ms])
}

extern "C" fn link_down() {
    run("interface_link_down", &[]);
}

unsafe extern "C" fn address(buffer: *mut c_char, length: usize) -> *mut c_char {
    // SAFETY: the caller has `length` bytes there.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    or_fail(memory::lend(bytes, |at| run("interface_address", &[at, length as u32])));
    buffer
}

unsafe extern "C" fn sntp_start(servers: *const *const c_char, count: usize, listener: Listener) -> c_int {
    let _ = LISTENER.set(listener);
    let first = symbol("chip_time_servers");
    for (index, at) in (0..count).zip((first..).step_by(TIME_SERVER_BYTES as usize)) {
        // SAFETY: the caller has `count` names there, texts that end in NUL.
        let name = unsafe { CStr::from_ptr(servers.add(index).read()) }.to_bytes_with_nul();
        if name.len() > TIME_SERVER_BYTES as usize {
            return -1;
        }
        or_fail(memory::write(at, name));
    }
    run("chip_sntp_start", &[count as u32])
}

extern "C" fn sntp_stop() {
    run("interface_sntp_stop", &[]);
}
