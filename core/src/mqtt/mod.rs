//! MQTT 3.1.1 as a client, sans I/O: bytes and times in; bytes, events and deadlines out.
//!
//! * [`connect`] is the first packet of a connection (§3.1).
//! * [`decoder`] takes the broker's byte stream apart in constant memory, however it was cut (§2, §3).
//! * [`publication`] holds one outgoing PUBLISH, encoded once and kept until the broker has confirmed it (§3.3).
//! * [`in_flight`] keeps the publications that await their acknowledgement, in order (§4.3, §4.4).
//! * [`received`] remembers the packet identifiers of incoming QoS 2 messages until PUBREL (§4.3.3).
//! * `keep_alive` says when a PINGREQ is due and when a silent broker is lost (§3.1.2.10).
//! * [`refusal`] finds the message that the broker refuses by closing (AT contract §5).
//! * [`identifier`] is what joins a packet with its acknowledgements (§2.3.1).
//! * [`session`] is the state machine over them: acknowledgements, resumption (§3, §4).
//! * [`backoff`] says how long to wait before the next connection (AT contract §5).
//!
//! Never here: a clock, a socket, a lock, the serial port.

pub mod backoff;
pub mod connect;
pub mod decoder;
pub mod identifier;
pub mod in_flight;
mod keep_alive;
pub mod publication;
pub mod received;
pub mod refusal;
pub mod session;
mod wire;

pub use mqttrs::QoS;

/// The wire value of a QoS level (§4.3).
pub const fn qos_value(qos: QoS) -> u8 {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce => 1,
        QoS::ExactlyOnce => 2,
    }
}

/// The QoS level of a wire value; `None` for 3 and above (§3.3.1.2).
pub const fn qos_from(value: u32) -> Option<QoS> {
    match value {
        0 => Some(QoS::AtMostOnce),
        1 => Some(QoS::AtLeastOnce),
        2 => Some(QoS::ExactlyOnce),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
