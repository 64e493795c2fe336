//! The MQTT decoder against a second reading of the standard, which has the whole stream before it.

use w800_mqtt_core::mqtt::decoder::{Decoder, Delivery, Item};

use crate::bytes::cut;
use crate::session::Bytes;

/// Pieces of inputs.
pub const WORDS: &[&[u8]] = &[
    b"\x20\x02\0\0",
    b"\x40\x02\0\x01",
    b"\x62\x02",
    b"\x90\x03\0\x01\x80",
    b"\xd0\0",
    b"\x30\x06\0\x01t",
    b"\x32\x08\0\x01t\0\x07",
    b"\x35",
    b"\x80\x01",
];

/// What a stream says. Pieces of a payload are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Connack(bool, u8),
    /// First byte, identifier, and SUBACK's code.
    Reply(u8, u16, Option<u8>),
    Pingresp,
    /// Topic, QoS, identifier, length.
    Publish(Vec<u8>, u8, u16, u32),
    Payload(Vec<u8>),
    End,
}

/// What stops a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The stream ends.
    Starved,
    /// No server may send this.
    Wrong,
}

struct Reading<'a> {
    rest: &'a [u8],
    seen: Vec<Seen>,
    /// CONNACK has come, with this code.
    accepted: Option<u8>,
}

impl<'a> Reading<'a> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let (first, rest) = self.rest.split_first().ok_or(Stop::Starved)?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u16, Stop> {
        Ok(u16::from(self.byte()?) << 8 | u16::from(self.byte()?))
    }

    fn identifier(&mut self) -> Result<u16, Stop> {
        self.number().and_then(|number| if number == 0 { Err(Stop::Wrong) } else { Ok(number) })
    }

    fn remaining_length(&mut self) -> Result<u32, Stop> {
        let mut length = 0;
        for place in 0..4 {
            let byte = self.byte()?;
            length += u32::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Ok(length);
            }
        }
        Err(Stop::Wrong)
    }

    fn packet(&mut self) -> Result<(), Stop> {
        let first = self.byte()?;
        let known = matches!(first, 0x20 | 0x30..=0x35 | 0x3a..=0x3d | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xb0 | 0xd0);
        let in_turn = if first == 0x20 { self.accepted.is_none() } else { self.accepted == Some(0) };
        if !known || !in_turn {
            return Err(Stop::Wrong);
        }
        let length = self.remaining_length()?;
        match (first, length) {
            (0x30..=0x3f, _) => return self.publish(first >> 1 & 3, length),
            (0x20, 2) => {
                let flags = self.byte()?;
                if flags > 1 {
                    return Err(Stop::Wrong);
                }
                let code = self.byte()?;
                self.accepted = Some(code);
                self.seen.push(Seen::Connack(flags == 1, code));
            }
            (0xd0, 0) => self.seen.push(Seen::Pingresp),
            (0x90, 3) => {
                let (identifier, code) = (self.number()?, self.byte()?);
                if identifier == 0 || !matches!(code, 0..=2 | 0x80) {
                    return Err(Stop::Wrong);
                }
                self.seen.push(Seen::Reply(first, identifier, Some(code)));
            }
            (0x40 | 0x50 | 0x62 | 0x70 | 0xb0, 2) => {
                let identifier = self.identifier()?;
                self.seen.push(Seen::Reply(first, identifier, None));
            }
            _ => return Err(Stop::Wrong),
        }
        Ok(())
    }

    fn publish(&mut self, qos: u8, length: u32) -> Result<(), Stop> {
        let identifier_bytes = if qos == 0 { 0 } else { 2 };
        if length < 3 + identifier_bytes {
            return Err(Stop::Wrong);
        }
        let topic_length = self.number()?;
        let head = u32::from(topic_length) + 2 + identifier_bytes;
        if topic_length == 0 || head > length {
            return Err(Stop::Wrong);
        }
        let (topic, rest) = self.rest.split_at_checked(usize::from(topic_length)).ok_or(Stop::Starved)?;
        self.rest = rest;
        let name = std::str::from_utf8(topic).map_err(|_| Stop::Wrong)?;
        if name.chars().any(|character| matches!(character, '+' | '#' | '\0')) {
            return Err(Stop::Wrong);
        }
        let identifier = if qos == 0 { 0 } else { self.identifier()? };
        self.seen.push(Seen::Publish(topic.to_vec(), qos, identifier, length - head));
        let wanted = (length - head) as usize;
        let (payload, rest) = self.rest.split_at(wanted.min(self.rest.len()));
        self.rest = rest;
        if !payload.is_empty() {
            self.seen.push(Seen::Payload(payload.to_vec()));
        }
        if payload.len() < wanted {
            return Err(Stop::Starved);
        }
        self.seen.push(Seen::End);
        Ok(())
    }
}

fn second_reading(stream: &[u8]) -> (Vec<Seen>, Stop) {
    let mut reading = Reading { rest: stream, seen: Vec::new(), accepted: None };
    loop {
        if let Err(stop) = reading.packet() {
            return (reading.seen, stop);
        }
    }
}

fn owned(item: Item<'_, Bytes>) -> Seen {
    match item {
        Item::Connack { session_present, code } => Seen::Connack(session_present, code),
        Item::Puback(identifier) => Seen::Reply(0x40, identifier.get(), None),
        Item::Pubrec(identifier) => Seen::Reply(0x50, identifier.get(), None),
        Item::Pubrel(identifier) => Seen::Reply(0x62, identifier.get(), None),
        Item::Pubcomp(identifier) => Seen::Reply(0x70, identifier.get(), None),
        Item::Unsuback(identifier) => Seen::Reply(0xb0, identifier.get(), None),
        Item::Suback(identifier, qos) => Seen::Reply(0x90, identifier.get(), Some(qos.map_or(0x80, |qos| qos as u8))),
        Item::Pingresp => Seen::Pingresp,
        Item::Payload(bytes) => Seen::Payload(bytes.to_vec()),
        Item::PublishEnd => Seen::End,
        Item::Publish(head) => {
            let (qos, identifier) = match head.delivery {
                Delivery::AtMostOnce => (0, 0),
                Delivery::AtLeastOnce(identifier) => (1, identifier.get()),
                Delivery::ExactlyOnce(identifier) => (2, identifier.get()),
            };
            let control = String::from_utf8_lossy(head.topic.as_ref()).chars().any(char::is_control);
            assert_eq!(head.has_control_characters, control);
            Seen::Publish(head.topic.as_ref().to_vec(), qos, identifier, head.payload_length)
        }
    }
}

fn decode(stream: &[u8], size: usize) -> (Vec<Seen>, Stop) {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for piece in stream.chunks(size) {
        let mut input = piece;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(item)) => match (owned(item), seen.last_mut()) {
                    (Seen::Payload(more), Some(Seen::Payload(payload))) => payload.extend(more),
                    (item, _) => seen.push(item),
                },
                Ok(None) => break,
                Err(_) => return (seen, Stop::Wrong),
            }
        }
        assert!(input.is_empty(), "what is not needed is left");
    }
    (seen, Stop::Starved)
}

/// The first byte says how the stream is cut.
///
/// # Panics
/// The two readings differ.
pub fn run(input: &[u8]) {
    let (size, stream) = cut(input);
    assert_eq!(decode(stream, size), second_reading(stream));
}
