//! Name lookup and TCP connect on lwIP, each with a deadline and each to be given up at once when asked.

use super::{Failure, Stage};
use crate::sdk::clock::left_ms;
use crate::sdk::dns::{Answer, LONGEST_NAME, Lookup};
use crate::sdk::socket::{Address, Broken, Interest, Socket};
use crate::time::Instant;
use core::ffi::CStr;
use heapless::Vec;

/// How often a connect looks whether it is to be given up, in milliseconds. lwIP offers nothing that wakes a task
/// which waits for a TCP handshake: a connecting socket can be neither shut down nor closed from another task.
const GIVE_UP_CHECK_MS: u32 = 200;

/// What a connection attempt needs besides its target.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// When it must be over.
    pub deadline: Instant,
    /// Where to look names up; its semaphore also wakes for giving up.
    pub lookup: &'static Lookup,
    /// Whether it is to be given up.
    pub given_up: &'a dyn Fn() -> bool,
}

/// Connects to `host` (name or address) at `port`.
///
/// # Errors
/// [`Failure`] at [`Stage::Dns`] or [`Stage::Tcp`]; nothing is left open.
pub fn connect(host: &[u8], port: u16, attempt: &Attempt<'_>) -> Result<Socket, Failure> {
    let mut name = Vec::<u8, { LONGEST_NAME + 1 }>::new();
    name.extend_from_slice(host).map_err(|_| Failure::at(Stage::Dns))?;
    name.push(0).map_err(|_| Failure::at(Stage::Dns))?;
    let peer = match address(&name, port) {
        Some(address) => address,
        None => resolve(host, port, attempt)?,
    };
    let socket = Socket::connect(&peer).map_err(tcp_failure)?;
    loop {
        let left = left_ms(attempt.deadline);
        if left == 0 || (attempt.given_up)() {
            return Err(Failure::at(Stage::Tcp));
        }
        if socket.wait(Interest::Writable, left.min(GIVE_UP_CHECK_MS)) {
            return socket.connected().map(|()| socket).map_err(tcp_failure);
        }
    }
}

fn resolve(host: &[u8], port: u16, attempt: &Attempt<'_>) -> Result<Address, Failure> {
    let failure = Failure::at(Stage::Dns);
    if !attempt.lookup.start(host) {
        return Err(failure);
    }
    loop {
        match attempt.lookup.answer() {
            Answer::Found(digits) => return address(&digits, port).ok_or(failure),
            Answer::Failed => return Err(failure),
            Answer::Waiting => {}
        }
        if (attempt.given_up)() || !attempt.lookup.wake.acquire(left_ms(attempt.deadline)) {
            attempt.lookup.give_up();
            return Err(failure);
        }
    }
}

fn address(text: &[u8], port: u16) -> Option<Address> {
    Address::parse(CStr::from_bytes_with_nul(text).ok()?, port)
}

const fn tcp_failure(broken: Broken) -> Failure {
    Failure { stage: Stage::Tcp, detail: broken.0 }
}
