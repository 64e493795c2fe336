//! What both tasks of a link use of a connection: one sends, the other receives, below WebSocket's frames.
//!
//! The link's task opens it, the one with the socket; it closes it before it gives the socket back. Who sends or receives
//! shows the value of the [`Open`] connection. Mbed TLS wants one task at a time: each uses it for a step that does not
//! wait, and waits for the socket without it.

use super::security::{Resumption, Security};
use crate::sdk::socket::{Broken, SocketHandle};
use crate::sdk::sync::{Mutex, NoMemory};
use w800_mqtt_core::time::Instant;

/// A connection that is open. It stays so as long as its owner lets it: the link's task, which closes it, and whoever has
/// the right to send, without which it does not close it.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    socket: SocketHandle,
    encrypted: bool,
    framed: bool,
}

impl Open {
    /// Whether a few small packets can be sent without waiting, or can so within `milliseconds`.
    pub fn has_room(self, milliseconds: u32) -> bool {
        self.socket.has_room(milliseconds)
    }

    /// Whether what is sent stands in WebSocket frames.
    pub const fn is_framed(self) -> bool {
        self.framed
    }
}

/// A link's connection, or none.
#[derive(Debug)]
pub struct Channel {
    parts: Mutex<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// Who ends the connection from another task holds the mutex until lwIP has heard of it: a socket that is closed
    /// meanwhile would be another one's.
    open: Option<Open>,
    security: Security,
    ended_by: Option<Party>,
}

/// Who ended a connection: the first to do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    /// The peer, by FIN, RST or what TLS has for it.
    Peer,
    /// The sending side: nothing went out in its time.
    Blocked,
    /// This side, or the network.
    Other,
}

impl Parts {
    const NONE: Self = Self { open: None, security: Security::Plain, ended_by: None };
}

impl Channel {
    /// No connection.
    pub const fn new() -> Self {
        Self { parts: Mutex::new(Parts::NONE) }
    }

    /// Creates what it needs of the SDK.
    ///
    /// # Errors
    /// [`NoMemory`] when the SDK has none for it.
    pub fn create(&self) -> Result<(), NoMemory> {
        self.parts.create()
    }

    /// A connection begins: what it has below WebSocket.
    pub fn begin(&self, socket: SocketHandle, security: Security) -> Open {
        let open = Open { socket, encrypted: security.encrypts(), framed: false };
        *self.parts.lock() = Parts { open: Some(open), security, ended_by: None };
        open
    }

    /// What is sent from now on stands in WebSocket frames.
    pub fn frame(&self, open: Open) -> Open {
        let framed = Open { framed: true, ..open };
        self.parts.lock().open = Some(framed);
        framed
    }

    /// The connection, for who has the right to send; `None` where there is none.
    pub fn open(&self) -> Option<Open> {
        self.parts.lock().open
    }

    /// The connection is over: gives everything back. The socket may go now.
    pub fn end(&self) {
        *self.parts.lock() = Parts::NONE;
    }

    /// Whether it was the peer that has ended the connection.
    pub fn is_ended_by_peer(&self) -> bool {
        self.parts.lock().ended_by == Some(Party::Peer)
    }

    /// Whether it has ended because nothing could be sent any more.
    pub fn is_ended_by_blocking(&self) -> bool {
        self.parts.lock().ended_by == Some(Party::Blocked)
    }

    /// Remembers who has ended the connection, if nobody has before; `unnamed` where the error has no number.
    fn note(&self, broken: Broken, unnamed: Party) -> Broken {
        let party = match broken {
            _ if broken.is_by_peer() => Party::Peer,
            Broken::Failed(0) => unnamed,
            _ => Party::Other,
        };
        self.parts.lock().ended_by.get_or_insert(party);
        broken
    }

    /// What the next connection may resume of this one.
    pub fn resumption(&self) -> Resumption {
        self.parts.lock().security.resumption()
    }

    /// Fills `bytes` with random numbers; `None` where there are none.
    #[cfg(websocket)]
    pub fn random(&self, bytes: &mut [u8]) -> Option<()> {
        self.parts.lock().security.random()?.fill(bytes)
    }

    /// Sends `bytes` below WebSocket.
    ///
    /// # Errors
    /// [`Broken`] as in [`Channel::send`].
    pub fn send_raw(&self, open: Open, bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        self.send_all(open, bytes, deadline).map_err(|broken| self.note(broken, Party::Blocked))
    }

    fn send_all(&self, open: Open, mut bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        let mut in_vain = false;
        while !bytes.is_empty() {
            let sent =
                if open.encrypted { self.parts.lock().security.send(bytes)? } else { open.socket.send(bytes)? };
            bytes = bytes.get(sent..).unwrap_or_default();
            if sent == 0 {
                open.socket.wait_for_room(deadline, in_vain)?;
            }
            in_vain = sent == 0;
        }
        Ok(())
    }

    /// Receives what is there, below WebSocket: how many bytes, 0 when it is nothing yet; and whether there may be more
    /// that the socket does not show.
    ///
    /// # Errors
    /// [`Broken`] at the end of the stream or on an error.
    pub fn receive(&self, open: Open, into: &mut [u8]) -> Result<(usize, bool), Broken> {
        let received = if open.encrypted {
            self.parts.lock().security.receive(into)
        } else {
            open.socket.receive(into).map(|got| (got, false))
        };
        received.map_err(|broken| self.note(broken, Party::Other))
    }

    /// Ends TLS, where there is some, and the connection in both directions; a task that waits for it wakes.
    pub fn close(&self) {
        let mut parts = self.parts.lock();
        parts.ended_by.get_or_insert(Party::Other);
        parts.security.close_notify();
        if let Some(open) = &parts.open {
            open.socket.shutdown();
        }
    }

    /// Ends the connection and throws away what the peer has not taken yet; a task that waits for it wakes.
    pub fn abort(&self) {
        let mut parts = self.parts.lock();
        parts.ended_by.get_or_insert(Party::Other);
        if let Some(open) = &parts.open {
            open.socket.abort();
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}
