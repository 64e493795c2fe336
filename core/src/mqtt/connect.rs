//! The CONNECT packet (MQTT 3.1.1 §3.1). `mqttrs` encodes it: its flags are the delicate part.

use super::QoS;
use super::wire::NotMade;
use crate::bytes::Buffer;
use mqttrs::{Connect, LastWill, Packet, Protocol};

/// What a CONNECT says (§3.1). All texts are UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct ConnectOptions<'a> {
    /// Client identifier; empty asks the broker for one.
    pub client_id: &'a str,
    /// Whether the broker shall forget what it knows of this client.
    pub clean_session: bool,
    /// Keep alive in seconds; 0 switches it off.
    pub keep_alive_s: u16,
    /// User name, if any.
    pub username: Option<&'a str>,
    /// Password, if any; needs a user name (§3.1.2.9).
    pub password: Option<&'a [u8]>,
    /// The will, if any.
    pub will: Option<Will<'a>>,
}

/// The message that the broker publishes when this client vanishes (§3.1.2.5).
#[derive(Debug, Clone, Copy)]
pub struct Will<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Payload.
    pub message: &'a [u8],
    /// QoS level.
    pub qos: QoS,
    /// Whether the broker retains it.
    pub retain: bool,
}

/// The fixed bytes of a CONNECT: 5 of header, 10 of variable header (§3.1).
const CONNECT_OVERHEAD: usize = 15;

/// Encodes CONNECT: the packet's memory and its length.
pub(super) fn encode<B: Buffer>(options: &ConnectOptions<'_>) -> Result<(B, usize), NotMade> {
    let will = options.will.map(|will| LastWill {
        topic: will.topic,
        message: will.message,
        qos: will.qos,
        retain: will.retain,
    });
    let fields = [
        Some(options.client_id.len()),
        options.username.map(str::len),
        options.password.map(<[u8]>::len),
        options.will.map(|will| will.topic.len()),
        options.will.map(|will| will.message.len()),
    ];
    let mut size = CONNECT_OVERHEAD;
    for length in fields.into_iter().flatten() {
        if length > usize::from(u16::MAX) {
            return Err(NotMade::TooLong);
        }
        size = size.saturating_add(length).saturating_add(2);
    }
    let mut packet = B::allocate(size).ok_or(NotMade::NoMemory)?;
    let connect = Packet::Connect(Connect {
        protocol: Protocol::MQTT311,
        keep_alive: options.keep_alive_s,
        client_id: options.client_id,
        clean_session: options.clean_session,
        last_will: will,
        username: options.username,
        password: options.password,
    });
    let length = mqttrs::encode_slice(&connect, packet.as_mut()).ok().ok_or(NotMade::TooLong)?;
    Ok((packet, length))
}
