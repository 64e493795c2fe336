//! A byte stream to the broker, made and unmade within bounds of time.
//!
//! * [`tcp`] is name lookup and TCP on the SDK's lwIP.
//! * [`tls`] is TLS on the SDK's Mbed TLS, with what `credentials` finds.
//! * [`websocket`] is WebSocket on a channel.
//! * [`channel`] is what both of a link's tasks use of a connection: it sends through all layers.
//!
//! A build without TLS or WebSocket has `no_tls.rs` or `no_websocket.rs` in the place of those.
//!
//! Never here: MQTT, the link's state, the serial port.
#![forbid(unsafe_code)]

pub mod channel;
#[cfg(tls)]
pub mod credentials;
pub mod tcp;
#[cfg_attr(not(tls), path = "no_tls.rs")]
pub mod tls;
#[cfg_attr(not(websocket), path = "no_websocket.rs")]
pub mod websocket;

use crate::sdk::clock::left_ms;
use crate::sdk::dns::Lookup;
use crate::sdk::socket::{Interest, Socket};
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::time::Instant;

/// How far a connection came before it failed. The values are those of `AT+MQTTERR?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// The host's name has no address.
    Dns = 1,
    /// TCP did not connect.
    Tcp = 2,
    /// TLS had not what it needs, or its handshake failed.
    Tls = 3,
    /// The server did not open a WebSocket.
    WebSocket = 4,
    /// MQTT's CONNECT was not answered, or refused.
    Connack = 5,
    /// The connection stood, and was lost or closed for what the broker did.
    Session = 6,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// What CONN answers.
    pub code: Code,
    /// lwIP's error number at [`Stage::Tcp`], Mbed TLS's or its verification flags at [`Stage::Tls`], the HTTP status at
    /// [`Stage::WebSocket`], CONNACK's return code at [`Stage::Connack`]; 0 for none, as in a time-out.
    pub detail: i32,
    /// In words.
    pub text: &'static str,
}

impl Failure {
    /// A failure at `stage` for which nothing gives a number.
    pub const fn at(stage: Stage) -> Self {
        Self::of(stage, 0)
    }

    /// A failure at `stage` with a number that says why, 0 for none.
    pub const fn of(stage: Stage, detail: i32) -> Self {
        let text = match (stage, detail) {
            (Stage::Dns, _) => "name not found",
            (Stage::Session, _) => "connection lost",
            (_, 0) => "no answer",
            (Stage::Tcp, _) => "not connected",
            (Stage::Tls, _) => "TLS failed",
            (Stage::WebSocket, _) => "refused by the server",
            (Stage::Connack, _) => "refused by the broker",
        };
        Self { stage, code: Code::ClientStartFailed, detail, text }
    }

    /// A failure at `stage` that CONN answers with a code of its own.
    pub const fn because(stage: Stage, code: Code, detail: i32, text: &'static str) -> Self {
        Self { stage, code, detail, text }
    }
}

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
