//! The broker's byte stream, taken apart in constant memory (MQTT 3.1.1 §2 and §3).
//!
//! Control packets are gathered (the longest that a client may be sent is 5 bytes; `mqttrs` would index them unchecked
//! and bring the decoders of what only servers are sent); a PUBLISH
//! is handed on as it comes: its topic whole, its payload in the pieces in which it arrived. What the standard
//! forbids is a [`Violation`], found as early as its bytes allow, so that a packet that lies is never acted upon.

use super::identifier::PacketIdentifier;
use super::{QoS, qos_from};
use crate::bytes::Buffer;
use heapless::Vec;

/// What a broker did that MQTT 3.1.1 forbids, or that this client cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A packet type that no server sends, or reserved flags (§2.2.1, §2.2.2).
    Header,
    /// A remaining length of more than four bytes, or one that does not fit the packet type (§2.2.3).
    Length,
    /// A packet that may not come now, such as anything before CONNACK or a second CONNACK (§3.2).
    Unexpected,
    /// A topic name that is empty, has a wildcard or U+0000, or is not UTF-8 (§1.5.3, §3.3.2.1).
    Topic,
    /// A packet identifier of 0, or a SUBACK code that does not exist (§2.3.1, §3.9.3).
    Value,
    /// More QoS 2 messages unreleased than this client remembers.
    TooManyUnreleased,
    /// No memory to hold a topic name.
    NoMemory,
}

/// The QoS level of an incoming PUBLISH, with the packet identifier that it must be acknowledged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// QoS 0: there is no acknowledgement.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce(PacketIdentifier),
    /// QoS 2.
    ExactlyOnce(PacketIdentifier),
}

/// A topic name: where it was received, or put together of pieces.
#[derive(Debug, PartialEq, Eq)]
pub enum Topic<'a, B> {
    /// It was all there.
    Received(&'a [u8]),
    /// It came in pieces.
    Kept(B),
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Topic<'_, B> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Received(name) => name,
            Self::Kept(name) => name.as_ref(),
        }
    }
}

/// The head of an incoming PUBLISH.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<'a, B> {
    /// The topic name, checked UTF-8.
    pub topic: Topic<'a, B>,
    /// Whether it has control characters, U+0001 to U+001F or U+007F to U+009F, which a topic name should not have
    /// (§1.5.3). A line end in it would forge an answer on the serial port.
    pub has_control_characters: bool,
    /// How it is delivered.
    pub delivery: Delivery,
    /// Payload bytes that follow.
    pub payload_length: u32,
}

/// What came, in the order in which it came.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a, B> {
    /// CONNACK: whether the broker kept the session, and its return code (0 is accepted).
    Connack {
        /// The broker has this client's session from before.
        session_present: bool,
        /// Return code; the standard knows 0 to 5 (§3.2.2.3).
        code: u8,
    },
    /// PUBACK of this packet identifier.
    Puback(PacketIdentifier),
    /// PUBREC of this packet identifier.
    Pubrec(PacketIdentifier),
    /// PUBREL of this packet identifier.
    Pubrel(PacketIdentifier),
    /// PUBCOMP of this packet identifier.
    Pubcomp(PacketIdentifier),
    /// SUBACK of this packet identifier; `None` is the broker's refusal 0x80.
    Suback(PacketIdentifier, Option<QoS>),
    /// UNSUBACK of this packet identifier.
    Unsuback(PacketIdentifier),
    /// PINGRESP.
    Pingresp,
    /// A PUBLISH begins.
    Publish(Head<'a, B>),
    /// The next bytes of its payload.
    Payload(&'a [u8]),
    /// Its payload is complete.
    PublishEnd,
}

/// What a server may send (§3.2): CONNACK alone comes first, and nothing follows one that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Connack,
    Packets,
    Nothing,
}

/// The part of a packet whose next byte is awaited, with what is known of the packet.
#[derive(Debug)]
enum PacketPart<B> {
    First,
    Length { first: u8, value: u32, bytes: u8 },
    Control { packet: Vec<u8, 5>, missing: u8 },
    TopicLength { qos: QoS, remaining: u32, high: Option<u8> },
    Topic { qos: QoS, remaining: u32, topic: B, have: usize },
    Identifier { qos: QoS, remaining: u32, topic: B, high: Option<u8> },
    Payload { left: u32 },
}

/// The decoder. After a [`Violation`] it must be reset.
#[derive(Debug)]
pub struct Decoder<B> {
    part: PacketPart<B>,
    expected: Expected,
}

impl<B: Buffer> Default for Decoder<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Buffer> Decoder<B> {
    /// A decoder at the start of a connection: the first packet must be a CONNACK.
    pub const fn new() -> Self {
        Self { part: PacketPart::First, expected: Expected::Connack }
    }

    /// Whether CONNACK has come and has accepted the connection.
    pub const fn is_accepted(&self) -> bool {
        matches!(self.expected, Expected::Packets)
    }

    /// Whether a packet has begun and is not complete.
    pub const fn inside_packet(&self) -> bool {
        !matches!(self.part, PacketPart::First)
    }

    /// Takes bytes from the front of `input` until something is complete; `None` when more input is needed.
    ///
    /// # Errors
    /// The [`Violation`] that the bytes show.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Item<'a, B>>, Violation> {
        match self.part {
            PacketPart::Payload { left } => return Ok(self.payload(input, left)),
            PacketPart::First if input.is_empty() => return Ok(None),
            PacketPart::First => {
                if let Some((head, rest)) = self.head_at_once(input) {
                    *input = rest;
                    self.part = PacketPart::Payload { left: head.payload_length };
                    return Ok(Some(Item::Publish(head)));
                }
            }
            _ => {}
        }
        self.next_by_bytes(input)
    }

    /// The head of a PUBLISH that is all in `input`, and what is after it. `None` leaves it to be taken byte by byte, as it
    /// does whatever is wrong with it.
    #[inline(never)]
    fn head_at_once<'a>(&self, input: &'a [u8]) -> Option<(Head<'a, B>, &'a [u8])> {
        let (first, rest) = input.split_first()?;
        if control_length(*first).is_some() || check_first(*first, self.expected).is_err() {
            return None;
        }
        let (remaining, rest) = length_at_once(rest)?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (topic, mut rest) = rest.split_at_checked(length)?;
        let mut head = length.saturating_add(2);
        let qos = qos_from(u32::from(first >> 1) & 3)?;
        let mut delivery = Delivery::AtMostOnce;
        if qos != QoS::AtMostOnce {
            let (identifier, behind) = rest.split_first_chunk()?;
            delivery = acknowledged(qos, u16::from_be_bytes(*identifier)).ok()?;
            head = head.saturating_add(2);
            rest = behind;
        }
        let payload_length = remaining.checked_sub(u32::try_from(head).ok()?)?;
        let has_control_characters = examine(topic).ok().filter(|_| length > 0)?;
        Some((Head { topic: Topic::Received(topic), has_control_characters, delivery, payload_length }, rest))
    }

    /// Out of line: its stack is not for what is there at once.
    #[inline(never)]
    fn next_by_bytes<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Item<'a, B>>, Violation> {
        loop {
            match core::mem::replace(&mut self.part, PacketPart::First) {
                PacketPart::Payload { left } => {
                    self.part = PacketPart::Payload { left };
                    return Ok(self.payload(input, left));
                }
                PacketPart::Topic { qos, remaining, topic, have } if have == topic.as_ref().len() => {
                    if let Some(item) = self.topic_complete(qos, remaining, topic)? {
                        return Ok(Some(item));
                    }
                }
                PacketPart::Topic { qos, remaining, mut topic, have } => {
                    let have = fill(topic.as_mut(), have, input);
                    let starved = have < topic.as_ref().len();
                    self.part = PacketPart::Topic { qos, remaining, topic, have };
                    if starved {
                        return Ok(None);
                    }
                }
                part => {
                    let Some((byte, rest)) = input.split_first() else {
                        self.part = part;
                        return Ok(None);
                    };
                    *input = rest;
                    if let Some(item) = self.byte(part, *byte)? {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn byte<'a>(&mut self, part: PacketPart<B>, byte: u8) -> Result<Option<Item<'a, B>>, Violation> {
        match part {
            PacketPart::First => {
                check_first(byte, self.expected)?;
                self.part = PacketPart::Length { first: byte, value: 0, bytes: 0 };
                Ok(None)
            }
            PacketPart::Length { first, value, bytes } => self.length(first, value, bytes, byte),
            PacketPart::Control { mut packet, missing } => {
                packet.push(byte).map_err(|_| Violation::Length)?;
                self.control(packet, missing.saturating_sub(1))
            }
            PacketPart::TopicLength { qos, remaining, high: None } => {
                self.part = PacketPart::TopicLength { qos, remaining, high: Some(byte) };
                Ok(None)
            }
            PacketPart::TopicLength { qos, remaining, high: Some(high) } => {
                self.topic_begins(qos, remaining, u16::from_be_bytes([high, byte]))
            }
            PacketPart::Identifier { qos, remaining, topic, high: None } => {
                self.part = PacketPart::Identifier { qos, remaining, topic, high: Some(byte) };
                Ok(None)
            }
            PacketPart::Identifier { qos, remaining, topic, high: Some(high) } => {
                let delivery = acknowledged(qos, u16::from_be_bytes([high, byte]))?;
                self.publish(delivery, remaining, topic).map(Some)
            }
            PacketPart::Topic { .. } | PacketPart::Payload { .. } => Err(Violation::Unexpected),
        }
    }

    fn length<'a>(&mut self, first: u8, value: u32, bytes: u8, byte: u8) -> Result<Option<Item<'a, B>>, Violation> {
        let value = value | (u32::from(byte & 0x7F) << u32::from(bytes).saturating_mul(7));
        let bytes = bytes.saturating_add(1);
        if byte & 0x80 != 0 {
            if bytes == 4 {
                return Err(Violation::Length);
            }
            self.part = PacketPart::Length { first, value, bytes };
            return Ok(None);
        }
        let Some(wanted) = control_length(first) else {
            let qos = qos_from(u32::from(first >> 1) & 3).ok_or(Violation::Header)?;
            let least = if qos == QoS::AtMostOnce { 3 } else { 5 };
            if value < least {
                return Err(Violation::Length);
            }
            self.part = PacketPart::TopicLength { qos, remaining: value, high: None };
            return Ok(None);
        };
        if value != u32::from(wanted) {
            return Err(Violation::Length);
        }
        let packet = Vec::from_slice(&[first, wanted]).map_err(|_| Violation::Length)?;
        self.control(packet, wanted)
    }

    fn control<'a>(&mut self, packet: Vec<u8, 5>, missing: u8) -> Result<Option<Item<'a, B>>, Violation> {
        if packet.first().is_some_and(|first| *first == CONNACK) && packet.get(2).is_some_and(|flags| *flags > 1) {
            return Err(Violation::Header);
        }
        if missing > 0 {
            self.part = PacketPart::Control { packet, missing };
            return Ok(None);
        }
        let item = control_item(&packet)?;
        if let Item::Connack { code, .. } = item {
            self.expected = if code == 0 { Expected::Packets } else { Expected::Nothing };
        }
        Ok(Some(item))
    }

    fn topic_begins<'a>(&mut self, qos: QoS, remaining: u32, length: u16) -> Result<Option<Item<'a, B>>, Violation> {
        let identifier = if qos == QoS::AtMostOnce { 0 } else { 2 };
        let head = u32::from(length).saturating_add(2).saturating_add(identifier);
        let remaining = remaining.checked_sub(head).ok_or(Violation::Length)?;
        if length == 0 {
            return Err(Violation::Topic);
        }
        let topic = B::allocate(usize::from(length)).ok_or(Violation::NoMemory)?;
        self.part = PacketPart::Topic { qos, remaining, topic, have: 0 };
        Ok(None)
    }

    fn topic_complete<'a>(&mut self, qos: QoS, remaining: u32, topic: B) -> Result<Option<Item<'a, B>>, Violation> {
        examine(topic.as_ref())?;
        if qos == QoS::AtMostOnce {
            return self.publish(Delivery::AtMostOnce, remaining, topic).map(Some);
        }
        self.part = PacketPart::Identifier { qos, remaining, topic, high: None };
        Ok(None)
    }

    fn publish<'a>(&mut self, delivery: Delivery, remaining: u32, topic: B) -> Result<Item<'a, B>, Violation> {
        self.part = PacketPart::Payload { left: remaining };
        let has_control_characters = examine(topic.as_ref())?;
        let topic = Topic::Kept(topic);
        Ok(Item::Publish(Head { topic, has_control_characters, delivery, payload_length: remaining }))
    }

    /// The payload goes on, of which `left` bytes are still to come.
    fn payload<'a>(&mut self, input: &mut &'a [u8], left: u32) -> Option<Item<'a, B>> {
        if left == 0 {
            self.part = PacketPart::First;
            return Some(Item::PublishEnd);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (piece, rest) = input.split_at_checked(most)?;
        *input = rest;
        self.part = PacketPart::Payload { left: left.saturating_sub(u32::try_from(most).unwrap_or(left)) };
        if piece.is_empty() { None } else { Some(Item::Payload(piece)) }
    }
}

/// How a message at `qos`, which is not 0, is acknowledged.
fn acknowledged(qos: QoS, identifier: u16) -> Result<Delivery, Violation> {
    let identifier = PacketIdentifier::new(identifier).ok_or(Violation::Value)?;
    Ok(match qos {
        QoS::ExactlyOnce => Delivery::ExactlyOnce(identifier),
        _ => Delivery::AtLeastOnce(identifier),
    })
}

/// The remaining length at the front of `input`, if all of it is there, and what is after it.
fn length_at_once(input: &[u8]) -> Option<(u32, &[u8])> {
    let (mut value, mut shift) = (0_u32, 0_u32);
    for (position, byte) in input.iter().enumerate().take(4) {
        value |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some((value, input.get(position.saturating_add(1)..)?));
        }
        shift = shift.saturating_add(7);
    }
    None
}

/// Whether a topic name has control characters.
///
/// # Errors
/// [`Violation::Topic`] for what is no topic name.
fn examine(topic: &[u8]) -> Result<bool, Violation> {
    // Most are so.
    if topic.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'+' | b'#')) {
        return Ok(false);
    }
    if core::str::from_utf8(topic).is_err() || topic.iter().any(|byte| matches!(byte, b'+' | b'#' | 0)) {
        return Err(Violation::Topic);
    }
    Ok(has_control_characters(topic))
}

const CONNACK: u8 = 0x20;

/// Refuses what no server may send, or not now (§2.2.1, §2.2.2, §3.2).
fn check_first(first: u8, expected: Expected) -> Result<(), Violation> {
    let found = match first {
        CONNACK => Expected::Connack,
        0x36..=0x37 | 0x3E..=0x3F | 0x38..=0x39 => return Err(Violation::Header),
        0x30..=0x3F | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 => Expected::Packets,
        _ => return Err(Violation::Header),
    };
    if found == expected { Ok(()) } else { Err(Violation::Unexpected) }
}

/// The remaining length of a control packet; `None` for PUBLISH. This client asks for one filter a SUBSCRIBE, so a
/// SUBACK has one code.
const fn control_length(first: u8) -> Option<u8> {
    match first {
        0x30..=0x3F => None,
        0x90 => Some(3),
        0xD0 => Some(0),
        _ => Some(2),
    }
}

fn control_item<'a, B>(packet: &[u8]) -> Result<Item<'a, B>, Violation> {
    match *packet {
        [CONNACK, _, flags, code] => return Ok(Item::Connack { session_present: flags == 1, code }),
        [0xD0, _] => return Ok(Item::Pingresp),
        _ => {}
    }
    let [first, _, high, low, rest @ ..] = packet else { return Err(Violation::Value) };
    let identifier = PacketIdentifier::new(u16::from_be_bytes([*high, *low])).ok_or(Violation::Value)?;
    match (first, rest) {
        (0x40, _) => Ok(Item::Puback(identifier)),
        (0x50, _) => Ok(Item::Pubrec(identifier)),
        (0x62, _) => Ok(Item::Pubrel(identifier)),
        (0x70, _) => Ok(Item::Pubcomp(identifier)),
        (0xB0, _) => Ok(Item::Unsuback(identifier)),
        (0x90, [0x80]) => Ok(Item::Suback(identifier, None)),
        (0x90, [code]) => {
            qos_from(u32::from(*code)).map(|qos| Item::Suback(identifier, Some(qos))).ok_or(Violation::Value)
        }
        _ => Err(Violation::Value),
    }
}

/// Whether UTF-8 has control characters. U+0080 to U+009F are the two bytes C2 80 to C2 9F.
fn has_control_characters(text: &[u8]) -> bool {
    let mut before = 0;
    text.iter().any(|byte| {
        let before = core::mem::replace(&mut before, *byte);
        *byte < b' ' || *byte == 0x7F || (before == 0xC2 && *byte < 0xA0)
    })
}

/// Moves bytes from `input` into `target` after the first `have`; returns how many it has now.
fn fill(target: &mut [u8], have: usize, input: &mut &[u8]) -> usize {
    let Some(room) = target.get_mut(have..) else { return have };
    let most = room.len().min(input.len());
    if let (Some(to), Some((from, rest))) = (room.get_mut(..most), input.split_at_checked(most)) {
        to.copy_from_slice(from);
        *input = rest;
    }
    have.saturating_add(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    /// An [`Item`] that outlives its input. Neighbouring payload pieces are joined: where the input was cut is not seen.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Seen {
        Connack(bool, u8),
        Puback(u16),
        Pubrec(u16),
        Pubrel(u16),
        Pubcomp(u16),
        Suback(u16, Option<u8>),
        Unsuback(u16),
        Pingresp,
        Publish(String, u8, u16, u32),
        Payload(Vec<u8>),
        End,
    }

    /// What `pieces` decode to, and the violation that ended it with the number of bytes taken until then.
    fn decode<'a, B: Buffer>(
        decoder: &mut Decoder<B>,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Seen>, Option<(Violation, usize)>) {
        let mut seen = vec![];
        let mut taken = 0;
        for piece in pieces {
            let mut input = piece;
            loop {
                let item = match decoder.next(&mut input) {
                    Ok(Some(item)) => item,
                    Ok(None) => break,
                    Err(violation) => return (seen, Some((violation, taken + piece.len() - input.len()))),
                };
                match (item, seen.last_mut()) {
                    (Item::Payload(more), Some(Seen::Payload(payload))) => payload.extend_from_slice(more),
                    (item, _) => seen.push(owned(item)),
                }
            }
            assert!(input.is_empty(), "the decoder asks for more and leaves {input:?}");
            taken += piece.len();
        }
        (seen, None)
    }

    fn owned<B: Buffer>(item: Item<'_, B>) -> Seen {
        match item {
            Item::Connack { session_present, code } => Seen::Connack(session_present, code),
            Item::Puback(identifier) => Seen::Puback(identifier.get()),
            Item::Pubrec(identifier) => Seen::Pubrec(identifier.get()),
            Item::Pubrel(identifier) => Seen::Pubrel(identifier.get()),
            Item::Pubcomp(identifier) => Seen::Pubcomp(identifier.get()),
            Item::Suback(identifier, granted) => Seen::Suback(identifier.get(), granted.map(crate::mqtt::qos_value)),
            Item::Unsuback(identifier) => Seen::Unsuback(identifier.get()),
            Item::Pingresp => Seen::Pingresp,
            Item::Publish(head) => {
                let name = core::str::from_utf8(head.topic.as_ref()).unwrap();
                assert_eq!(head.has_control_characters, name.contains(char::is_control), "{name:?}");
                let (qos, identifier) = match head.delivery {
                    Delivery::AtMostOnce => (0, 0),
                    Delivery::AtLeastOnce(identifier) => (1, identifier.get()),
                    Delivery::ExactlyOnce(identifier) => (2, identifier.get()),
                };
                topic(name, qos, identifier, head.payload_length)
            }
            Item::Payload(piece) => Seen::Payload(piece.to_vec()),
            Item::PublishEnd => Seen::End,
        }
    }

    fn connected() -> Decoder<Vec<u8>> {
        let mut decoder = Decoder::new();
        assert_eq!(decode(&mut decoder, [&b"\x20\x02\x00\x00"[..]]), (vec![Seen::Connack(false, 0)], None));
        decoder
    }

    fn topic(name: &str, qos: u8, identifier: u16, length: u32) -> Seen {
        Seen::Publish(name.to_string(), qos, identifier, length)
    }

    fn packets() -> Vec<(&'static [u8], Vec<Seen>)> {
        let hi = || Seen::Payload(b"hi".to_vec());
        vec![
            (b"\x40\x02\x00\x01", vec![Seen::Puback(1)]),
            (b"\x40\x02\xff\xff", vec![Seen::Puback(0xFFFF)]),
            (b"\x50\x02\x12\x34", vec![Seen::Pubrec(0x1234)]),
            (b"\x62\x02\x00\x80", vec![Seen::Pubrel(0x80)]),
            (b"\x70\x02\x01\x00", vec![Seen::Pubcomp(0x100)]),
            (b"\x90\x03\x00\x02\x00", vec![Seen::Suback(2, Some(0))]),
            (b"\x90\x03\x00\x02\x01", vec![Seen::Suback(2, Some(1))]),
            (b"\x90\x03\x00\x02\x02", vec![Seen::Suback(2, Some(2))]),
            (b"\x90\x03\x00\x02\x80", vec![Seen::Suback(2, None)]),
            (b"\xb0\x02\x00\x03", vec![Seen::Unsuback(3)]),
            (b"\xd0\x00", vec![Seen::Pingresp]),
            (b"\x30\x05\x00\x01thi", vec![topic("t", 0, 0, 2), hi(), Seen::End]),
            (b"\x31\x05\x00\x01thi", vec![topic("t", 0, 0, 2), hi(), Seen::End]),
            (b"\x32\x07\x00\x01t\x00\x09hi", vec![topic("t", 1, 9, 2), hi(), Seen::End]),
            (b"\x3a\x07\x00\x01t\x00\x09hi", vec![topic("t", 1, 9, 2), hi(), Seen::End]),
            (b"\x34\x07\x00\x01t\x00\x09hi", vec![topic("t", 2, 9, 2), hi(), Seen::End]),
            (b"\x3d\x07\x00\x01t\x00\x09hi", vec![topic("t", 2, 9, 2), hi(), Seen::End]),
            (b"\x30\x03\x00\x01t", vec![topic("t", 0, 0, 0), Seen::End]),
            (b"\x33\x06\x00\x02a/\x12\x34", vec![topic("a/", 1, 0x1234, 0), Seen::End]),
            (b"\x30\x08\x00\x06\xc3\xa4\xe2\x82\xac/", vec![topic("ä€/", 0, 0, 0), Seen::End]),
            // A length field longer than it must be is a length all the same (§2.2.3).
            (b"\x40\x82\x00\x00\x01", vec![Seen::Puback(1)]),
            (b"\xd0\x80\x80\x80\x00", vec![Seen::Pingresp]),
            (b"\x30\x83\x80\x80\x00\x00\x01t", vec![topic("t", 0, 0, 0), Seen::End]),
        ]
    }

    #[test]
    fn every_packet_at_every_cut() {
        for (bytes, expected) in packets() {
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    let mut decoder = connected();
                    assert_eq!(decode(&mut decoder, pieces), (expected.clone(), None), "{bytes:x?} {first} {second}");
                    assert!(!decoder.inside_packet());
                }
            }
            assert_eq!(decode(&mut connected(), bytes.chunks(1)), (expected, None));
        }
    }

    #[test]
    fn every_connack() {
        for (flags, code) in [(0, 0), (1, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 5)] {
            let bytes = [0x20, 2, flags, code];
            for cut in 0..=4 {
                let (head, tail) = bytes.split_at(cut);
                let seen = decode(&mut Decoder::<Vec<u8>>::new(), [head, tail]);
                assert_eq!(seen, (vec![Seen::Connack(flags == 1, code)], None));
            }
        }
    }

    #[test]
    fn packets_one_behind_the_other() {
        let all: Vec<u8> = packets().iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        let expected: Vec<Seen> = packets().into_iter().flat_map(|(_, seen)| seen).collect();
        for size in 1..=all.len() {
            assert_eq!(decode(&mut connected(), all.chunks(size)), (expected.clone(), None), "in pieces of {size}");
        }
    }

    #[test]
    fn a_packet_has_begun_from_its_first_byte_to_its_last() {
        for (bytes, _) in packets() {
            let mut decoder = connected();
            for cut in 0..bytes.len() {
                assert_eq!(decoder.inside_packet(), cut > 0, "{bytes:x?} at {cut}");
                assert_eq!(decode(&mut decoder, [&bytes[cut..=cut]]).1, None);
            }
            assert!(!decoder.inside_packet());
        }
    }

    /// §2.2.1 and §2.2.2, for all 256 values of a packet's first byte.
    #[test]
    fn first_bytes() {
        for first in 0..=255_u8 {
            let allowed = match first >> 4 {
                2 | 4 | 5 | 7 | 9 | 11 | 13 => first & 15 == 0,
                6 => first & 15 == 2,
                // QoS 3 does not exist, and DUP means nothing at QoS 0.
                3 => matches!(first & 15, 0 | 1 | 2 | 3 | 4 | 5 | 10 | 11 | 12 | 13),
                _ => false,
            };
            let wrong = |violation| Some((violation, 1));
            let unexpected = wrong(Violation::Unexpected);
            let header = wrong(Violation::Header);
            let (before, after) = match (allowed, first) {
                (false, _) => (header, header),
                (true, 0x20) => (None, unexpected),
                (true, _) => (unexpected, None),
            };
            assert_eq!(decode(&mut Decoder::<Vec<u8>>::new(), [&[first][..]]).1, before, "{first:#x} at first");
            assert_eq!(decode(&mut connected(), [&[first][..]]).1, after, "{first:#x} after CONNACK");
        }
    }

    /// The last byte of each row is the one that must be refused, and none before it.
    #[test]
    fn violations_at_their_first_byte() {
        use Violation::{Header, Length, Topic, Unexpected, Value};
        let before_connack: [(&[u8], Violation); 6] = [
            (b"\x20\x00", Length),
            (b"\x20\x01", Length),
            (b"\x20\x03", Length),
            (b"\x20\x82\x01", Length),
            (b"\x20\x80\x80\x80\x80", Length),
            (b"\x20\x02\x02", Header),
        ];
        for (bytes, violation) in before_connack {
            refused_at_the_end(Decoder::new, bytes, violation);
        }
        for first in [0x40, 0x50, 0x62, 0x70, 0xB0] {
            for wrong in [0, 1, 3, 4, 0x7F] {
                refused_at_the_end(connected, &[first, wrong], Length);
            }
            refused_at_the_end(connected, &[first, 0x82, 1], Length);
            refused_at_the_end(connected, &[first, 2, 0, 0], Value);
        }
        let after: [(&[u8], Violation); 36] = [
            (b"\x20", Unexpected),
            (b"\x90\x02", Length),
            (b"\x90\x04", Length),
            (b"\x90\x03\x00\x00\x00", Value),
            (b"\x90\x03\x00\x01\x03", Value),
            (b"\x90\x03\x00\x01\x7f", Value),
            (b"\x90\x03\x00\x01\x81", Value),
            (b"\x90\x03\x00\x01\xff", Value),
            (b"\xd0\x01", Length),
            (b"\xd0\x80\x80\x80\x80", Length),
            (b"\x30\xff\xff\xff\xff", Length),
            (b"\x30\x00", Length),
            (b"\x30\x01", Length),
            (b"\x30\x02", Length),
            (b"\x30\x82\x00", Length),
            (b"\x32\x04", Length),
            (b"\x34\x04", Length),
            (b"\x30\x03\x00\x00", Topic),
            (b"\x32\x05\x00\x00", Topic),
            (b"\x30\x03\x00\x02", Length),
            (b"\x30\x03\xff\xff", Length),
            (b"\x32\x05\x00\x02", Length),
            (b"\x34\x06\x00\x03", Length),
            (b"\x30\x03\x00\x01#", Topic),
            (b"\x30\x03\x00\x01+", Topic),
            (b"\x30\x03\x00\x01\x00", Topic),
            (b"\x30\x09\x00\x03a/+", Topic),
            (b"\x30\x09\x00\x03a#b", Topic),
            (b"\x30\x03\x00\x01\xff", Topic),
            (b"\x30\x03\x00\x01\xc3", Topic),
            (b"\x30\x04\x00\x02\xc0\x80", Topic),
            (b"\x30\x05\x00\x03\xed\xa0\x80", Topic),
            (b"\x30\x06\x00\x04\xf4\x90\x80\x80", Topic),
            (b"\x32\x05\x00\x01t\x00\x00", Value),
            (b"\x3c\x09\x00\x01t\x00\x00", Value),
            (b"\x36", Header),
        ];
        for (bytes, violation) in after {
            refused_at_the_end(connected, bytes, violation);
        }
    }

    fn refused_at_the_end(decoder: fn() -> Decoder<Vec<u8>>, bytes: &[u8], violation: Violation) {
        let expected = Some((violation, bytes.len()));
        let mut longer = bytes.to_vec();
        longer.extend_from_slice(&[0x55; 9]);
        let (seen, wrong) = decode(&mut decoder(), bytes.chunks(1));
        assert_eq!((seen, wrong), (vec![], expected), "{bytes:x?} byte by byte");
        assert_eq!(decode(&mut decoder(), [&longer[..]]), (vec![], expected), "{bytes:x?} in one piece");
    }

    #[test]
    fn the_longest_topic() {
        let name = "é".repeat(32_767) + "t";
        let mut bytes = vec![0x32, 0x84, 0x80, 0x04, 0xFF, 0xFF];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&[0, 7, b'!']);
        let expected = vec![topic(&name, 1, 7, 1), Seen::Payload(b"!".to_vec()), Seen::End];
        // 65,535 of topic, 2 + 2 of its length and the identifier, 1 of payload: 65,540.
        assert_eq!(bytes.len() - 4, 65_540);
        for size in [1, 7, 1460, 65_536, usize::MAX] {
            assert_eq!(decode(&mut connected(), bytes.chunks(size)), (expected.clone(), None), "in pieces of {size}");
        }
    }

    #[test]
    fn payload_lengths_where_the_length_field_grows() {
        for (field, remaining) in [
            (&b"\x7f"[..], 127_u32),
            (b"\x80\x01", 128),
            (b"\xff\x7f", 16_383),
            (b"\x80\x80\x01", 16_384),
            (b"\xff\xff\x7f", 2_097_151),
            (b"\x80\x80\x80\x01", 2_097_152),
            (b"\xff\xff\xff\x7f", 268_435_455),
        ] {
            let mut decoder = connected();
            let (seen, wrong) = decode(&mut decoder, [&b"\x30"[..], field, b"\x00\x01t"]);
            assert_eq!((seen, wrong), (vec![topic("t", 0, 0, remaining - 3)], None));
            let mut left = remaining as usize - 3;
            let chunk = [0x20; 65_536];
            while left > 0 {
                assert!(decoder.inside_packet());
                let mut input = &chunk[..left.min(chunk.len())];
                let offered = input.len();
                assert_eq!(decoder.next(&mut input), Ok(Some(Item::Payload(&chunk[..offered]))));
                left -= offered;
            }
            assert_eq!(decode(&mut decoder, [&b"\xd0\x00"[..]]), (vec![Seen::End, Seen::Pingresp], None));
        }
    }

    /// Every character is asked for its kind by [`owned`], which has the standard library's word for it.
    #[test]
    fn control_characters_in_a_topic() {
        for code in (1..0x300).chain([0x2028, 0xC280, 0xFFFD, 0x1_F680]) {
            let Some(character) = char::from_u32(code).filter(|character| !"#+".contains(*character)) else { continue };
            for name in [format!("{character}"), format!("a/{character}"), format!("Â{character}b")] {
                let mut bytes = vec![0x30, name.len() as u8 + 3, 0, name.len() as u8];
                bytes.extend_from_slice(name.as_bytes());
                bytes.push(b'!');
                let expected = vec![topic(&name, 0, 0, 1), Seen::Payload(b"!".to_vec()), Seen::End];
                assert_eq!(decode(&mut connected(), [&bytes[..]]), (expected, None));
            }
        }
    }

    #[derive(Debug)]
    struct Scarce(Vec<u8>);

    impl AsRef<[u8]> for Scarce {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl AsMut<[u8]> for Scarce {
        fn as_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }
    }

    impl Buffer for Scarce {
        fn allocate(length: usize) -> Option<Self> {
            (length <= 4).then(|| Self(vec![0; length]))
        }
    }

    #[test]
    fn no_memory_for_a_topic() {
        let mut decoder = Decoder::<Scarce>::new();
        let input = b"\x20\x02\x00\x00\x30\x06\x00\x04four\x30\x07\x00\x05five!\x30\x07\x00\x05five!";
        // What is all there needs none.
        let (seen, wrong) = decode(&mut decoder, [&input[..26], &input[26..]]);
        assert_eq!(
            seen,
            [Seen::Connack(false, 0), topic("four", 0, 0, 0), Seen::End, topic("five!", 0, 0, 0), Seen::End]
        );
        assert_eq!(wrong, Some((Violation::NoMemory, 25)));
    }
}
