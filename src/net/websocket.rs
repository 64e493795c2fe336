//! WebSocket's opening handshake on a channel (RFC 6455 §4).

use super::channel::Channel;
use super::ws::handshake::{self, Refusal, Response, Target};
use super::{Attempt, Failure, Stage};
use crate::at::code::Code;
use crate::sdk::digest::sha1;
use crate::sdk::socket::{Interest, Socket};

/// Asks the server for a WebSocket. `buffer` holds [`handshake::LONGEST_REQUEST`] bytes at least; the bytes behind the
/// server's response are at its front afterwards: how many is returned.
///
/// # Errors
/// [`Failure`] at [`Stage::WebSocket`] with the HTTP status where there is one.
pub fn open(
    channel: &Channel,
    socket: &Socket,
    target: &Target<'_>,
    buffer: &mut [u8],
    attempt: &Attempt<'_>,
) -> Result<usize, Failure> {
    let failure = Failure::at(Stage::WebSocket);
    let mut random = [0; 16];
    channel.random(&mut random).ok_or(failure)?;
    let key = handshake::key(&random);
    let length = handshake::request(buffer, target, &key).ok_or(failure)?;
    let request = buffer.get(..length).unwrap_or_default();
    channel.send_raw(request, attempt.deadline).map_err(|_| closed())?;
    let digest = sha1(&handshake::accept_source(&key)).ok_or(failure)?;
    let mut response = Response::new(handshake::accept(&digest));
    while !attempt.is_over() {
        let (got, more) = channel.receive(buffer).map_err(|_| closed())?;
        let mut input = buffer.get(..got).unwrap_or_default();
        if response.receive(&mut input).map_err(refused)? {
            let left = input.len();
            buffer.copy_within(got.saturating_sub(left)..got, 0);
            channel.frame();
            return Ok(left);
        }
        if !more {
            attempt.wait(socket, Interest::Readable);
        }
    }
    Err(failure)
}

const fn closed() -> Failure {
    because(0, "closed by the server")
}

const fn because(status: u16, text: &'static str) -> Failure {
    Failure::because(Stage::WebSocket, Code::ClientStartFailed, status as i32, text)
}

const fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Status(status) => because(status, "refused by the server"),
        Refusal::Malformed => because(0, "not an HTTP response"),
        Refusal::Protocol => because(0, "server does not speak mqtt"),
        Refusal::Upgrade | Refusal::Connection | Refusal::Accept | Refusal::Extension => {
            because(0, "not a WebSocket server")
        }
    }
}
