//! Name lookup and TCP connect on lwIP, each with a deadline and each to be given up at once when asked.

use super::Attempt;
use crate::sdk::clock::left_ms;
use crate::sdk::dns::{LONGEST_NAME, Resolution};
use crate::sdk::heap;
use crate::sdk::socket::{Address, Broken, Interest, Socket};
use core::ffi::CStr;
use heapless::Vec;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::report::{Failure, Stage};

/// What lwIP needs at most to ask for a name, or for a socket with its first segments and what is received on it, in bytes.
const CONNECT_BYTES: usize = 4096;

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
    let known = literal(host, port);
    let stage = if known.is_some() { Stage::Tcp } else { Stage::Dns };
    let found = resolve(host, port, attempt).map_err(|failure| Failure { stage, ..failure })?;
    let peer = known.unwrap_or(found);
    // lwIP would say nothing of it: its SYN would never go out.
    if !heap::has_room_for(CONNECT_BYTES) {
        return Err(Failure::no_memory(Stage::Tcp));
    }
    let socket = Socket::open(&peer).ok_or(Failure::no_memory(Stage::Tcp))?;
    while !attempt.is_over() {
        socket.connect(&peer).map_err(tcp_failure)?;
        if attempt.wait(&socket, Interest::Writable) {
            return socket.connected().map(|()| socket).map_err(tcp_failure);
        }
    }
    Err(Failure::at(Stage::Tcp))
}

/// The address of `host`. An address in digits is looked up as well: lwIP's task knows whether there is a network.
fn resolve(host: &[u8], port: u16, attempt: &Attempt<'_>) -> Result<Address, Failure> {
    let failure = Failure::at(Stage::Dns);
    let silence = because("name server does not answer");
    if !heap::has_room_for(CONNECT_BYTES) || !attempt.lookup.start(host) {
        return Err(Failure::no_memory(Stage::Dns));
    }
    loop {
        match attempt.lookup.resolution() {
            // Digits can always be read, where there is memory for it.
            Resolution::Found(digits) => return address(&digits, port).ok_or(Failure::no_memory(Stage::Dns)),
            Resolution::Failed => return Err(failure),
            Resolution::Silence => return Err(silence),
            Resolution::NoNetwork => return Err(because("no network")),
            Resolution::NoMemory => return Err(Failure::no_memory(Stage::Dns)),
            Resolution::Waiting => {}
        }
        if (attempt.given_up)() || !attempt.lookup.wake.acquire(left_ms(attempt.deadline)) {
            attempt.lookup.give_up();
            return Err(silence);
        }
    }
}

const fn because(text: &'static str) -> Failure {
    Failure::because(Stage::Dns, Code::ClientStartFailed, 0, text)
}

fn address(text: &[u8], port: u16) -> Option<Address> {
    Address::parse(CStr::from_bytes_with_nul(text).ok()?, port)
}

const fn tcp_failure(broken: Broken) -> Failure {
    Failure::of(Stage::Tcp, broken.number())
}
