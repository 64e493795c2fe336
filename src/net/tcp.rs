//! Name lookup and TCP connect on lwIP, each with a deadline and each to be given up at once when asked.

use super::Attempt;
use crate::sdk::clock::left_ms;
use crate::sdk::dns::{LONGEST_NAME, Resolution};
use crate::sdk::socket::{Address, Broken, Interest, Socket};
use core::ffi::CStr;
use heapless::Vec;
use w800_mqtt_core::report::{Failure, Stage};

/// The address that `host` spells in digits; `None` when it is a name.
pub fn literal(host: &[u8], port: u16) -> Option<Address> {
    let mut name = Vec::<u8, { LONGEST_NAME + 1 }>::from_slice(host).ok()?;
    name.push(0).ok()?;
    address(&name, port)
}

/// Connects to `host` (name or address) at `port`.
///
/// # Errors
/// [`Failure`] at [`Stage::Dns`] or [`Stage::Tcp`]; nothing is left open.
pub fn connect(host: &[u8], port: u16, attempt: &Attempt<'_>) -> Result<Socket, Failure> {
    let peer = match literal(host, port) {
        Some(address) => address,
        None => resolve(host, port, attempt)?,
    };
    let socket = Socket::connect(&peer).map_err(tcp_failure)?;
    while !attempt.is_over() {
        if attempt.wait(&socket, Interest::Writable) {
            return socket.connected().map(|()| socket).map_err(tcp_failure);
        }
    }
    Err(Failure::at(Stage::Tcp))
}

fn resolve(host: &[u8], port: u16, attempt: &Attempt<'_>) -> Result<Address, Failure> {
    let failure = Failure::at(Stage::Dns);
    if !attempt.lookup.start(host) {
        return Err(failure);
    }
    loop {
        match attempt.lookup.resolution() {
            Resolution::Found(digits) => return address(&digits, port).ok_or(failure),
            Resolution::Failed => return Err(failure),
            Resolution::Waiting => {}
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
    Failure::of(Stage::Tcp, broken.number())
}
