//! A byte stream to the broker, made and unmade within bounds of time.
//!
//! [`tcp`] is name lookup and TCP on the SDK's lwIP.
//!
//! Never here: MQTT, the link's state, the serial port.
#![forbid(unsafe_code)]

pub mod tcp;

/// How far a connection came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The host's name has no address.
    Dns,
    /// TCP did not connect.
    Tcp,
    /// MQTT's CONNECT was not answered, or refused.
    Mqtt,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// lwIP's error number at [`Stage::Tcp`], CONNACK's return code at [`Stage::Mqtt`]; 0 for none, as in a time-out.
    pub detail: i32,
}

impl Failure {
    /// A failure at `stage` for which nothing gives a number.
    pub const fn at(stage: Stage) -> Self {
        Self { stage, detail: 0 }
    }
}
