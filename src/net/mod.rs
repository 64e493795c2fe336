//! A byte stream to the broker, made and unmade within bounds of time.
//!
//! * [`tcp`] is name lookup and TCP on the SDK's lwIP.
//! * `tls` is TLS on the SDK's Mbed TLS, with what `credentials` finds.
//! * `websocket` is WebSocket on a channel.
//! * [`security`] is what lies directly on TCP, [`framing`] how MQTT's bytes stand on that: which of the two a build has.
//! * [`channel`] is what both of a link's tasks use of a connection.
//!
//! Never here: MQTT, the link's state, the serial port.
#![forbid(unsafe_code)]

pub mod channel;
#[cfg(tls)]
pub mod credentials;
pub mod framing;
pub mod security;
pub mod tcp;
#[cfg(tls)]
mod tls;
#[cfg(websocket)]
mod websocket;

use crate::sdk::clock::left_ms;
use crate::sdk::dns::Lookup;
use crate::sdk::socket::{Interest, Socket};
use w800_mqtt_core::time::Instant;

/// How often an attempt looks whether it is to be given up, in milliseconds. Nothing but the task itself can end a
/// connection that does not stand yet: lwIP offers no way to wake a task that waits for a TCP handshake.
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

impl Attempt<'_> {
    /// Whether its time is over, or it is to be given up.
    pub fn is_over(&self) -> bool {
        left_ms(self.deadline) == 0 || (self.given_up)()
    }

    /// Waits for `socket`, for a moment at most: `false` when nothing has happened.
    pub fn wait(&self, socket: &Socket, interest: Interest) -> bool {
        socket.wait(interest, left_ms(self.deadline).min(GIVE_UP_CHECK_MS))
    }
}
