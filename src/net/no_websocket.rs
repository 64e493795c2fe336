//! Stands in for `websocket` in a build without it. USERCFG refuses the schemes that need it, so that there is never a
//! frame: the types have no values, and nothing of this stays in the program.

use super::channel::{Channel, Security};
use super::{Attempt, Failure, Stage};
use crate::sdk::socket::{Broken, Socket};
use w800_mqtt_core::time::Instant;

/// The server's frames.
#[derive(Debug)]
pub enum Frames {}

/// What a server did that is forbidden. Never made; with no value at all the compiler would end a `match` over the ways in
/// which a connection ends by a call of `abort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation;

impl Frames {
    /// What frames carry.
    ///
    /// # Errors
    /// None: there are no frames.
    pub const fn unframe(&mut self, _: &mut [u8]) -> Result<usize, Violation> {
        match *self {}
    }

    /// Whether a control frame is owed.
    pub const fn owes_reply(&self) -> bool {
        match *self {}
    }

    /// How the server has closed it.
    pub const fn closed(&self) -> Option<u16> {
        match *self {}
    }
}

/// What a server did, in words.
pub const fn text(_: Violation) -> &'static str {
    ""
}

/// What a connection without TLS needs.
///
/// # Errors
/// [`Failure`], always.
pub const fn without_tls() -> Result<Option<Security>, Failure> {
    Err(Failure::at(Stage::WebSocket))
}

/// Whom to ask for a WebSocket.
#[derive(Debug)]
pub struct Target<'a> {
    /// As it was typed.
    pub host: &'a [u8],
    /// TCP port.
    pub port: u16,
    /// The resource.
    pub path: &'a [u8],
    /// Over TLS.
    pub secure: bool,
}

/// Asks the server for a WebSocket.
///
/// # Errors
/// [`Failure`], always.
pub const fn open(
    _: &Channel,
    _: &Socket,
    _: &Target<'_>,
    _: &mut [u8],
    _: &Attempt<'_>,
) -> Result<(usize, Frames), Failure> {
    Err(Failure::at(Stage::WebSocket))
}

/// Sends a frame.
///
/// # Errors
/// [`Broken`], always.
pub const fn send(_: &Channel, _: &[u8], _: Instant) -> Result<(), Broken> {
    Err(Broken(0))
}

/// Sends a control frame that is owed.
///
/// # Errors
/// None: there are no frames.
pub const fn send_reply(_: &Channel, frames: &mut Frames, _: Instant) -> Result<(), Broken> {
    match *frames {}
}

/// Sends the frame that ends a WebSocket.
///
/// # Errors
/// [`Broken`], always.
pub const fn send_close(_: &Channel, _: Instant) -> Result<(), Broken> {
    Err(Broken(0))
}
