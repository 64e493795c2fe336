//! A byte stream to the broker, made and unmade within bounds of time.
//!
//! [`tcp`] is name lookup and TCP on the SDK's lwIP.
//!
//! Never here: MQTT, the link's state, the serial port.
#![forbid(unsafe_code)]

pub mod tcp;

/// How far a connection came before it failed. The values are those of `AT+MQTTERR?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// The host's name has no address.
    Dns = 1,
    /// TCP did not connect.
    Tcp = 2,
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
    /// lwIP's error number at [`Stage::Tcp`], CONNACK's return code at [`Stage::Connack`]; 0 for none, as in a time-out.
    pub detail: i32,
}

impl Failure {
    /// A failure at `stage` for which nothing gives a number.
    pub const fn at(stage: Stage) -> Self {
        Self { stage, detail: 0 }
    }
}
