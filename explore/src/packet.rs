//! MQTT 3.1.1 as the broker reads and writes it: whole packets out of a stream, and what is in them.

/// A packet's first byte and what follows the remaining length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Type and flags.
    pub head: u8,
    /// The rest.
    pub body: Vec<u8>,
}

/// Types, in the upper half of the first byte.
pub const CONNECT: u8 = 1;
/// As above.
pub const PUBLISH: u8 = 3;
/// As above.
pub const PUBACK: u8 = 4;
/// As above.
pub const PUBREC: u8 = 5;
/// As above.
pub const PUBREL: u8 = 6;
/// As above.
pub const PUBCOMP: u8 = 7;
/// As above.
pub const SUBSCRIBE: u8 = 8;
/// As above.
pub const UNSUBSCRIBE: u8 = 10;
/// As above.
pub const PINGREQ: u8 = 12;
/// As above.
pub const DISCONNECT: u8 = 14;

/// The flags that each type must have; a publication may have any.
const FLAGS: [Option<u8>; 16] = [
    None,
    Some(0),
    None,
    Some(0),
    Some(0),
    Some(0),
    Some(2),
    Some(0),
    Some(2),
    None,
    Some(2),
    None,
    Some(0),
    None,
    Some(0),
    None,
];

/// Takes a whole packet from the front of a stream; nothing where it is not there yet.
pub fn take(stream: &mut Vec<u8>) -> Result<Option<Packet>, String> {
    let Some((head, rest)) = stream.split_first() else { return Ok(None) };
    let kind = head >> 4;
    match FLAGS.get(usize::from(kind)).copied().flatten() {
        _ if kind == PUBLISH => {}
        Some(flags) if flags == head & 0xf => {}
        _ => return Err(format!("the broker gets a packet that begins with {head:#04x}")),
    }
    let (mut length, mut bytes) = (0_usize, 0_usize);
    loop {
        let Some(byte) = rest.get(bytes) else { return Ok(None) };
        length |= usize::from(byte & 0x7f).wrapping_shl(u32::try_from(bytes).unwrap_or(0).wrapping_mul(7));
        bytes = bytes.saturating_add(1);
        if byte & 0x80 == 0 {
            break;
        }
        if bytes == 4 {
            return Err("the broker gets a remaining length of more than four bytes".to_owned());
        }
    }
    let Some(body) = rest.get(bytes..bytes.saturating_add(length)) else { return Ok(None) };
    let packet = Packet { head: *head, body: body.to_vec() };
    stream.drain(..bytes.saturating_add(length).saturating_add(1));
    Ok(Some(packet))
}

/// A packet as bytes; none is longer than 16 KiB.
pub fn packet(head: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let low = u8::try_from(length & 0x7f).unwrap_or(0);
    let mut bytes = match u8::try_from(length >> 7) {
        Ok(0) => vec![head, low],
        high => vec![head, low | 0x80, high.unwrap_or(0)],
    };
    bytes.extend(body);
    bytes
}

/// What confirms something: a type with the packet identifier.
pub fn reply(kind: u8, identifier: u16) -> Vec<u8> {
    let flags = if kind == PUBREL { 2 } else { 0 };
    packet(kind << 4 | flags, &identifier.to_be_bytes())
}

impl Packet {
    /// Its type.
    pub fn kind(&self) -> u8 {
        self.head >> 4
    }

    /// The number at a place.
    pub fn number(&self, at: usize) -> Option<u16> {
        self.body.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    /// The bytes of a text at a place, and the place behind it.
    pub fn text(&self, at: usize) -> Option<(&[u8], usize)> {
        let begin = at.saturating_add(2);
        let end = begin.saturating_add(usize::from(self.number(at)?));
        Some((self.body.get(begin..end)?, end))
    }
}

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// 0 to 2.
    pub qos: u8,
    /// Sent before.
    pub again: bool,
    /// None at QoS 0.
    pub identifier: Option<u16>,
    /// Where.
    pub topic: Vec<u8>,
    /// What.
    pub payload: Vec<u8>,
}

impl Publication {
    /// What a packet publishes.
    pub fn read(packet: &Packet) -> Option<Self> {
        let (topic, end) = packet.text(0)?;
        let qos = packet.head >> 1 & 3;
        let identifier = if qos > 0 { Some(packet.number(end)?) } else { None };
        let begin = end.saturating_add(if qos > 0 { 2 } else { 0 });
        let payload = packet.body.get(begin..)?.to_vec();
        let again = packet.head & 8 != 0;
        (qos < 3 && identifier != Some(0)).then(|| Self { qos, again, identifier, topic: topic.to_vec(), payload })
    }

    /// Its packet.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.topic.len()).unwrap_or(u16::MAX);
        let mut body = length.to_be_bytes().to_vec();
        body.extend(&self.topic);
        body.extend(self.identifier.map(u16::to_be_bytes).into_iter().flatten());
        body.extend(&self.payload);
        packet(PUBLISH << 4 | u8::from(self.again) << 3 | self.qos << 1, &body)
    }
}
