//! WebSocket on a channel: its opening handshake (RFC 6455 §4), and the frames that are sent (§5).

use super::Attempt;
use super::channel::{Channel, Open};
use crate::sdk::digest::sha1;
use crate::sdk::socket::{Broken, Interest, Socket};
use heapless::Vec;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::report::{Failure, Stage};
use w800_mqtt_core::time::Instant;
use w800_mqtt_core::ws::frame::{self, Decoder, Mask, Violation};
use w800_mqtt_core::ws::handshake::{self, Refusal, Resource, Response};

/// Bytes of a frame that are masked and sent at once.
const PIECE_BYTES: usize = 512;

/// What a server did, in words.
pub const fn text(violation: Violation) -> &'static str {
    match violation {
        Violation::Reserved => "reserved bit or opcode of a frame",
        Violation::Masked => "masked frame",
        Violation::Control => "control frame",
        Violation::Order => "frame out of turn",
        Violation::Text => "text frame",
        Violation::Length => "length of a frame",
        Violation::Close => "close frame",
    }
}

/// Asks the server for a WebSocket. `buffer` holds [`handshake::LONGEST_REQUEST`] bytes at least; the bytes after the
/// server's response are at its front afterwards: how many is returned, with what takes them apart.
///
/// # Errors
/// [`Failure`] at [`Stage::WebSocket`] with the HTTP status where there is one.
pub fn open(
    channel: &Channel,
    open: Open,
    socket: &Socket,
    resource: &Resource<'_>,
    buffer: &mut [u8],
    attempt: &Attempt<'_>,
) -> Result<(usize, Decoder), Failure> {
    let failure = Failure::at(Stage::WebSocket);
    let mut random = [0; 16];
    channel.random(&mut random).ok_or(failure)?;
    let key = handshake::key(&random);
    let length = handshake::request(buffer, resource, &key).ok_or(failure)?;
    let request = buffer.get(..length).unwrap_or_default();
    channel.send_raw(open, request, attempt.deadline).map_err(|_| closed())?;
    let digest = sha1(&handshake::accept_source(&key)).ok_or(failure)?;
    let mut response = Response::new(handshake::accept(&digest));
    while !attempt.is_over() {
        let (got, more) = channel.receive(open, buffer).map_err(|_| closed())?;
        let mut input = buffer.get(..got).unwrap_or_default();
        if response.receive(&mut input).map_err(refused)? {
            let left = input.len();
            buffer.copy_within(got.saturating_sub(left)..got, 0);
            return Ok((left, Decoder::new()));
        }
        if !more {
            attempt.wait(socket, Interest::Readable);
        }
    }
    Err(failure)
}

/// A masking key (RFC 6455 §5.3).
fn key(channel: &Channel) -> Result<[u8; 4], Broken> {
    let mut key = [0; 4];
    channel.random(&mut key).ok_or(Broken::Failed(0))?;
    Ok(key)
}

/// Sends all of `payload` as one frame, until `deadline`.
///
/// # Errors
/// [`Broken`] as in [`Channel::send_raw`].
#[inline(never)]
pub fn send(channel: &Channel, open: Open, payload: &[u8], deadline: Instant) -> Result<(), Broken> {
    let key = key(channel)?;
    let mut mask = Mask::new(key);
    let mut piece = Vec::<u8, PIECE_BYTES>::new();
    let _ = piece.extend_from_slice(&frame::header(payload.len(), key));
    let mut rest = payload;
    loop {
        let start = piece.len();
        let room = piece.capacity().saturating_sub(start);
        let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
        let _ = piece.extend_from_slice(now);
        mask.apply(piece.get_mut(start..).unwrap_or_default());
        channel.send_raw(open, &piece, deadline)?;
        if later.is_empty() {
            return Ok(());
        }
        piece.clear();
        rest = later;
    }
}

/// Sends the control frame that `frames` owes the server, if any.
///
/// # Errors
/// [`Broken`] as in [`Channel::send_raw`].
pub fn send_reply(channel: &Channel, open: Open, frames: &mut Decoder, deadline: Instant) -> Result<(), Broken> {
    match frames.reply(key(channel)?) {
        Some(reply) => channel.send_raw(open, reply, deadline),
        None => Ok(()),
    }
}

/// Sends the frame that ends a WebSocket.
///
/// # Errors
/// [`Broken`] as in [`Channel::send_raw`].
pub fn send_close(channel: &Channel, open: Open, deadline: Instant) -> Result<(), Broken> {
    channel.send_raw(open, &frame::close(frame::NORMAL, key(channel)?), deadline)
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
