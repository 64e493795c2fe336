//! How MQTT's bytes stand in the stream: as they are, or in WebSocket's frames, if this build has them.

use super::Attempt;
use super::channel::{Channel, Open};
#[cfg(websocket)]
use super::websocket;
use crate::sdk::socket::{Broken, Socket};
use w800_mqtt_core::report::Failure;
#[cfg(not(websocket))]
use w800_mqtt_core::report::Stage;
use w800_mqtt_core::time::Instant;
#[cfg(websocket)]
use w800_mqtt_core::ws::frame::Decoder;
use w800_mqtt_core::ws::handshake::Resource;

/// How MQTT's bytes come in.
#[derive(Debug)]
pub enum Framing {
    /// As they are.
    Bare,
    /// In the server's frames.
    #[cfg(websocket)]
    WebSocket(Decoder),
}

impl Framing {
    /// Asks the server for a WebSocket. The bytes after its response are at the front of `buffer` afterwards: how many is
    /// returned.
    ///
    /// # Errors
    /// [`Failure`] at `Stage::WebSocket` with the HTTP status where there is one.
    pub fn open(
        channel: &Channel,
        open: Open,
        socket: &Socket,
        resource: &Resource<'_>,
        buffer: &mut [u8],
        attempt: &Attempt<'_>,
    ) -> Result<(usize, Self), Failure> {
        #[cfg(websocket)]
        let opened = websocket::open(channel, open, socket, resource, buffer, attempt)
            .map(|(left, frames)| (left, Self::WebSocket(frames)));
        #[cfg(not(websocket))]
        let opened = {
            let _ = (channel, open, socket, resource, buffer, attempt);
            Err(Failure::at(Stage::WebSocket))
        };
        opened
    }

    /// Moves what frames carry to the front of `bytes`: how much it is.
    ///
    /// # Errors
    /// What the server did that is forbidden, in words.
    pub fn unframe(&mut self, bytes: &mut [u8]) -> Result<usize, &'static str> {
        match self {
            Self::Bare => Ok(bytes.len()),
            #[cfg(websocket)]
            Self::WebSocket(frames) => frames.unframe(bytes).map_err(websocket::text),
        }
    }

    /// Whether a control frame is owed to the server.
    pub const fn owes_reply(&self) -> bool {
        match self {
            Self::Bare => false,
            #[cfg(websocket)]
            Self::WebSocket(frames) => frames.owes_reply(),
        }
    }

    /// Sends the control frame that is owed.
    ///
    /// # Errors
    /// [`Broken`] as in [`send`].
    pub fn send_reply(&mut self, channel: &Channel, open: Open, deadline: Instant) -> Result<(), Broken> {
        let _ = (channel, open, deadline);
        match self {
            Self::Bare => Ok(()),
            #[cfg(websocket)]
            Self::WebSocket(frames) => websocket::send_reply(channel, open, frames, deadline),
        }
    }

    /// Whether the server has closed the WebSocket.
    pub const fn is_closed(&self) -> bool {
        match self {
            Self::Bare => false,
            #[cfg(websocket)]
            Self::WebSocket(frames) => frames.closed().is_some(),
        }
    }
}

/// Sends all of `bytes`, one MQTT packet, until `deadline`.
///
/// # Errors
/// [`Broken`] when the peer is gone or takes nothing until then: part of `bytes` may be on its way, so that the
/// stream is of no use any more.
pub fn send(channel: &Channel, open: Open, bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
    #[cfg(websocket)]
    if open.is_framed() {
        return websocket::send(channel, open, bytes, deadline);
    }
    channel.send_raw(open, bytes, deadline)
}

/// Ends the connection as each layer wants it, after the last packet. For who has the right to send.
pub fn farewell(channel: &Channel, open: Open, deadline: Instant) {
    #[cfg(websocket)]
    if open.is_framed() {
        let _ = websocket::send_close(channel, open, deadline);
    }
    #[cfg(not(websocket))]
    let _ = (open, deadline);
    channel.close();
}
