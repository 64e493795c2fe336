//! Why a connection ended, and how that is said.

use crate::sdk::socket::Broken;
use w800_mqtt_core::mqtt::decoder::Violation;
use w800_mqtt_core::mqtt::session::Lost;

/// Why a connection ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// CLEAN asked for it.
    Stopped,
    /// The peer or the network ended it.
    Closed(Broken),
    /// Nothing could be sent any more.
    Blocked,
    /// The server has closed the WebSocket.
    WebSocketClosed,
    /// The server's frames break WebSocket's rules, in these words.
    Framing(&'static str),
    /// The broker's packets break MQTT's rules.
    Violation(Violation),
    /// The broker owes something.
    Silence(Lost),
}

impl End {
    /// In words.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Stopped => "ended by CLEAN",
            Self::Closed(_) => "closed by the peer or the network",
            Self::Blocked => "the peer takes nothing",
            Self::WebSocketClosed => "WebSocket closed by the server",
            Self::Framing(text) => text,
            Self::Violation(violation) => violation_text(violation),
            Self::Silence(Lost::NoPingResponse) => "no PINGRESP",
            Self::Silence(Lost::StalledPacket) => "a packet stalled",
        }
    }
}

/// What a broker did, in words.
const fn violation_text(violation: Violation) -> &'static str {
    match violation {
        Violation::Header => "packet type or flags",
        Violation::Length => "remaining length",
        Violation::Unexpected => "packet out of turn",
        Violation::Topic => "topic name",
        Violation::Value => "packet identifier or return code",
        Violation::TooManyUnreleased => "too many unreleased QoS 2 messages",
        Violation::NoMemory => "no memory for a topic name",
    }
}
