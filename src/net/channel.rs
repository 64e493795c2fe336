//! What both tasks of a link use of a connection: one sends, the other receives, through all layers.
//!
//! The link's task opens it, the one with the socket; it closes it before it gives the socket back. Mbed TLS wants one
//! task at a time: each uses it for a step that does not wait, and waits for the socket without it.

use super::tls::{Kept, Layer};
use super::websocket;
#[cfg(websocket)]
use crate::sdk::random::Random;
use crate::sdk::socket::{Broken, Stream};
use crate::sdk::sync::{Lock, NoSemaphore, Shared};
use w800_mqtt_core::time::Instant;

/// What lies on TCP.
#[derive(Debug)]
pub enum Security {
    /// Nothing; the generator masks WebSocket's frames.
    #[cfg(websocket)]
    Plain(Random),
    /// TLS, whose handshake is over.
    Tls(Layer),
}

impl Security {
    #[cfg(websocket)]
    const fn random(&mut self) -> &mut Random {
        match self {
            Self::Plain(random) => random,
            Self::Tls(tls) => tls.random(),
        }
    }
}

/// A connection as far as it needs no lock.
#[derive(Debug, Clone, Copy)]
struct Open {
    stream: Stream,
    tls: bool,
    framed: bool,
    /// MQTT may be spoken: CONNACK has come.
    ready: bool,
}

/// A link's connection, or none.
#[derive(Debug)]
pub struct Channel {
    open: Lock<Option<Open>>,
    security: Shared<Security>,
}

impl Channel {
    /// No connection.
    pub const fn new() -> Self {
        Self { open: Lock::new(None), security: Shared::new() }
    }

    /// Creates what it needs of the SDK.
    ///
    /// # Errors
    /// [`NoSemaphore`] when the SDK has no memory for it.
    pub fn create(&self) -> Result<(), NoSemaphore> {
        self.security.create()
    }

    /// A connection begins: what it has below WebSocket.
    pub fn begin(&self, stream: Stream, security: Option<Security>) {
        let tls = matches!(security, Some(Security::Tls(_)));
        *self.security.claim() = security;
        *self.open.lock() = Some(Open { stream, tls, framed: false, ready: false });
    }

    /// What is sent from now on stands in WebSocket frames.
    pub fn frame(&self) {
        if let Some(open) = self.open.lock().as_mut() {
            open.framed = true;
        }
    }

    /// The MQTT connection stands: commands may send.
    pub fn set_ready(&self) {
        if let Some(open) = self.open.lock().as_mut() {
            open.ready = true;
        }
    }

    /// Whether commands may send.
    pub fn is_ready(&self) -> bool {
        self.open.lock().is_some_and(|open| open.ready)
    }

    /// The connection is over: gives everything back. The socket may go now.
    pub fn end(&self) {
        *self.open.lock() = None;
        *self.security.claim() = None;
    }

    /// The TLS session, for the next connection.
    pub fn session(&self) -> Option<Kept> {
        match &*self.security.claim() {
            Some(Security::Tls(tls)) => tls.session(),
            _ => None,
        }
    }

    fn open(&self) -> Result<Open, Broken> {
        (*self.open.lock()).ok_or(Broken(0))
    }

    /// Fills `bytes` with random numbers; `None` where there are none.
    #[cfg(websocket)]
    pub fn random(&self, bytes: &mut [u8]) -> Option<()> {
        self.security.claim().as_mut()?.random().fill(bytes)
    }

    /// Sends all of `bytes`, one MQTT packet, until `deadline`.
    ///
    /// # Errors
    /// [`Broken`] when the peer is gone or takes nothing until then: part of `bytes` may be on its way, so that the
    /// stream is of no use any more.
    pub fn send(&self, bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        let open = self.open()?;
        if open.framed { websocket::send(self, bytes, deadline) } else { self.send_bytes(open, bytes, deadline) }
    }

    /// Sends `bytes` below WebSocket.
    ///
    /// # Errors
    /// [`Broken`] as in [`Channel::send`].
    pub fn send_raw(&self, bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        self.send_bytes(self.open()?, bytes, deadline)
    }

    fn send_bytes(&self, open: Open, mut bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        let mut in_vain = false;
        while !bytes.is_empty() {
            let sent = if open.tls { self.with_tls(|tls| tls.send(bytes))? } else { open.stream.send(bytes)? };
            bytes = bytes.get(sent..).unwrap_or_default();
            if sent == 0 {
                open.stream.wait_for_room(deadline, in_vain)?;
            }
            in_vain = sent == 0;
        }
        Ok(())
    }

    /// Takes a step of TLS.
    fn with_tls<T>(&self, step: impl FnOnce(&mut Layer) -> Result<T, Broken>) -> Result<T, Broken> {
        match self.security.claim().as_mut() {
            Some(Security::Tls(tls)) => step(tls),
            _ => Err(Broken(0)),
        }
    }

    /// Receives what is there, below WebSocket: how many bytes, 0 when it is nothing yet; and whether there may be more
    /// that the socket does not show.
    ///
    /// # Errors
    /// [`Broken`] at the end of the stream or on an error.
    pub fn receive(&self, into: &mut [u8]) -> Result<(usize, bool), Broken> {
        let open = self.open()?;
        if open.tls {
            self.with_tls(|tls| tls.receive(into))
        } else {
            open.stream.receive(into).map(|got| (got, false))
        }
    }

    /// Ends the connection as each layer wants it, after the last packet.
    pub fn farewell(&self, deadline: Instant) {
        let Ok(open) = self.open() else { return };
        if open.framed {
            let _ = websocket::send_close(self, deadline);
        }
        self.close();
    }

    /// Ends TLS, where there is some, and the connection in both directions; a task that waits for it wakes.
    pub fn close(&self) {
        if let Some(Security::Tls(tls)) = self.security.claim().as_mut() {
            tls.close_notify();
        }
        if let Some(open) = *self.open.lock() {
            open.stream.shutdown();
        }
    }

    /// Ends the connection and throws away what the peer has not taken yet; a task that waits for it wakes.
    pub fn abort(&self) {
        if let Some(open) = *self.open.lock() {
            open.stream.abort();
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}
