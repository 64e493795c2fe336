//! The broker's byte stream, taken apart in constant memory (MQTT 3.1.1 §2 and §3).
//!
//! Control packets are gathered (the longest that a client may be sent is 5 bytes) and decoded by `mqttrs`; a PUBLISH
//! is handed on as it comes: its topic whole, its payload in the pieces in which it arrived. What the standard
//! forbids is a [`Violation`], found as early as its bytes allow, so that a packet that lies is never acted upon.

use super::{QoS, qos_from};
use crate::bytes::Buffer;
use heapless::Vec;
use mqttrs::{ConnectReturnCode, Packet, SubscribeReturnCodes};

/// What a broker did that MQTT 3.1.1 forbids, or that this client cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A packet type that no server sends, or reserved flags (§2.2.1, §2.2.2).
    Header,
    /// A remaining length of more than four bytes, or one that does not fit the packet type (§2.2.3).
    Length,
    /// A packet that may not come now, such as anything before CONNACK or a second CONNACK (§3.2).
    Unexpected,
    /// A topic name that is empty, has a wildcard, a NUL or is not UTF-8 (§1.5.3, §3.3.2.1).
    Topic,
    /// A packet identifier of 0, or a CONNACK or SUBACK code that does not exist (§2.3.1, §3.2.2.3, §3.9.3).
    Value,
    /// More QoS 2 messages unreleased than this client remembers.
    TooManyUnreleased,
    /// No memory to hold a topic name.
    NoMemory,
}

/// The head of an incoming PUBLISH.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<B> {
    /// The topic name, checked UTF-8.
    pub topic: B,
    /// QoS level of this delivery.
    pub qos: QoS,
    /// The packet identifier; 0 at QoS 0.
    pub identifier: u16,
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
        /// Return code, 0 to 5 (§3.2.2.3).
        code: u8,
    },
    /// PUBACK of this packet identifier.
    Puback(u16),
    /// PUBREC of this packet identifier.
    Pubrec(u16),
    /// PUBREL of this packet identifier.
    Pubrel(u16),
    /// PUBCOMP of this packet identifier.
    Pubcomp(u16),
    /// SUBACK of this packet identifier; `None` is the broker's refusal 0x80.
    Suback(u16, Option<QoS>),
    /// UNSUBACK of this packet identifier.
    Unsuback(u16),
    /// PINGRESP.
    Pingresp,
    /// A PUBLISH begins.
    Publish(Head<B>),
    /// The next bytes of its payload.
    Payload(&'a [u8]),
    /// Its payload is complete.
    PublishEnd,
}

#[derive(Debug, Clone, Copy)]
struct Flags {
    qos: QoS,
}

#[derive(Debug)]
enum State<B> {
    First,
    Length { first: u8, value: u32, bytes: u8 },
    Control { packet: Vec<u8, 5>, missing: u8 },
    TopicLength { flags: Flags, remaining: u32, high: Option<u8> },
    Topic { flags: Flags, remaining: u32, topic: B, have: usize },
    Identifier { flags: Flags, remaining: u32, topic: B, high: Option<u8> },
    Payload { left: u32 },
}

/// The decoder. After a [`Violation`] it must be reset.
#[derive(Debug)]
pub struct Decoder<B> {
    state: State<B>,
    connected: bool,
}

impl<B: Buffer> Default for Decoder<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Buffer> Decoder<B> {
    /// A decoder at the start of a connection: the first packet must be a CONNACK.
    pub const fn new() -> Self {
        Self { state: State::First, connected: false }
    }

    /// Whether a packet has begun and is not complete.
    pub const fn inside_packet(&self) -> bool {
        !matches!(self.state, State::First)
    }

    /// Takes bytes from the front of `input` until something is complete; `None` when more input is needed.
    ///
    /// # Errors
    /// The [`Violation`] that the bytes show.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Item<'a, B>>, Violation> {
        loop {
            match core::mem::replace(&mut self.state, State::First) {
                State::Payload { left } => return Ok(self.payload(input, left)),
                State::Topic { flags, remaining, topic, have } if have == topic.as_ref().len() => {
                    if let Some(item) = self.topic_complete(flags, remaining, topic)? {
                        return Ok(Some(item));
                    }
                }
                State::Topic { flags, remaining, mut topic, have } => {
                    let have = fill(topic.as_mut(), have, input);
                    let starved = have < topic.as_ref().len();
                    self.state = State::Topic { flags, remaining, topic, have };
                    if starved {
                        return Ok(None);
                    }
                }
                state => {
                    let Some((byte, rest)) = input.split_first() else {
                        self.state = state;
                        return Ok(None);
                    };
                    *input = rest;
                    if let Some(item) = self.byte(state, *byte)? {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn byte<'a>(&mut self, state: State<B>, byte: u8) -> Result<Option<Item<'a, B>>, Violation> {
        match state {
            State::First => {
                check_first(byte, self.connected)?;
                self.state = State::Length { first: byte, value: 0, bytes: 0 };
                Ok(None)
            }
            State::Length { first, value, bytes } => self.length(first, value, bytes, byte),
            State::Control { mut packet, missing } => {
                packet.push(byte).map_err(|_| Violation::Length)?;
                self.control(packet, missing.saturating_sub(1))
            }
            State::TopicLength { flags, remaining, high: None } => {
                self.state = State::TopicLength { flags, remaining, high: Some(byte) };
                Ok(None)
            }
            State::TopicLength { flags, remaining, high: Some(high) } => {
                self.topic_begins(flags, remaining, u16::from_be_bytes([high, byte]))
            }
            State::Identifier { flags, remaining, topic, high: None } => {
                self.state = State::Identifier { flags, remaining, topic, high: Some(byte) };
                Ok(None)
            }
            State::Identifier { flags, remaining, topic, high: Some(high) } => {
                let identifier = u16::from_be_bytes([high, byte]);
                if identifier == 0 {
                    return Err(Violation::Value);
                }
                Ok(Some(self.publish(flags, remaining, topic, identifier)))
            }
            State::Topic { .. } | State::Payload { .. } => Err(Violation::Unexpected),
        }
    }

    fn length<'a>(&mut self, first: u8, value: u32, bytes: u8, byte: u8) -> Result<Option<Item<'a, B>>, Violation> {
        let value = value | (u32::from(byte & 0x7F) << u32::from(bytes).saturating_mul(7));
        let bytes = bytes.saturating_add(1);
        if byte & 0x80 != 0 {
            if bytes == 4 {
                return Err(Violation::Length);
            }
            self.state = State::Length { first, value, bytes };
            return Ok(None);
        }
        let Some(wanted) = control_length(first) else {
            let qos = qos_from(u32::from(first >> 1) & 3).ok_or(Violation::Header)?;
            let least = if qos == QoS::AtMostOnce { 3 } else { 5 };
            if value < least {
                return Err(Violation::Length);
            }
            self.state = State::TopicLength { flags: Flags { qos }, remaining: value, high: None };
            return Ok(None);
        };
        if value != u32::from(wanted) {
            return Err(Violation::Length);
        }
        let packet = Vec::from_slice(&[first, wanted]).map_err(|_| Violation::Length)?;
        self.control(packet, wanted)
    }

    fn control<'a>(&mut self, packet: Vec<u8, 5>, missing: u8) -> Result<Option<Item<'a, B>>, Violation> {
        if missing > 0 {
            self.state = State::Control { packet, missing };
            return Ok(None);
        }
        if packet.first().is_some_and(|first| *first == CONNACK) && packet.get(2).is_some_and(|flags| *flags > 1) {
            return Err(Violation::Header);
        }
        let item = control_item(&packet)?;
        self.connected = true;
        Ok(Some(item))
    }

    fn topic_begins<'a>(
        &mut self,
        flags: Flags,
        remaining: u32,
        length: u16,
    ) -> Result<Option<Item<'a, B>>, Violation> {
        let identifier = if flags.qos == QoS::AtMostOnce { 0 } else { 2 };
        let head = u32::from(length).saturating_add(2).saturating_add(identifier);
        let remaining = remaining.checked_sub(head).ok_or(Violation::Length)?;
        if length == 0 {
            return Err(Violation::Topic);
        }
        let topic = B::allocate(usize::from(length)).ok_or(Violation::NoMemory)?;
        self.state = State::Topic { flags, remaining, topic, have: 0 };
        Ok(None)
    }

    fn topic_complete<'a>(&mut self, flags: Flags, remaining: u32, topic: B) -> Result<Option<Item<'a, B>>, Violation> {
        let name = core::str::from_utf8(topic.as_ref()).map_err(|_| Violation::Topic)?;
        if name.contains(['\0', '+', '#']) {
            return Err(Violation::Topic);
        }
        if flags.qos == QoS::AtMostOnce {
            return Ok(Some(self.publish(flags, remaining, topic, 0)));
        }
        self.state = State::Identifier { flags, remaining, topic, high: None };
        Ok(None)
    }

    fn publish<'a>(&mut self, flags: Flags, remaining: u32, topic: B, identifier: u16) -> Item<'a, B> {
        self.state = State::Payload { left: remaining };
        Item::Publish(Head { topic, qos: flags.qos, identifier, payload_length: remaining })
    }

    fn payload<'a>(&mut self, input: &mut &'a [u8], left: u32) -> Option<Item<'a, B>> {
        if left == 0 {
            return Some(Item::PublishEnd);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (piece, rest) = input.split_at_checked(most)?;
        *input = rest;
        self.state = State::Payload { left: left.saturating_sub(u32::try_from(most).unwrap_or(left)) };
        if piece.is_empty() { None } else { Some(Item::Payload(piece)) }
    }
}

const CONNACK: u8 = 0x20;

/// Refuses what no server may send, or not now (§2.2.1, §2.2.2, §3.2).
fn check_first(first: u8, connected: bool) -> Result<(), Violation> {
    match first {
        CONNACK if connected => Err(Violation::Unexpected),
        CONNACK => Ok(()),
        0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 if connected => Ok(()),
        0x36..=0x37 | 0x3E..=0x3F | 0x38..=0x39 => Err(Violation::Header),
        0x30..=0x3F if connected => Ok(()),
        0x30..=0x3F | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 => Err(Violation::Unexpected),
        _ => Err(Violation::Header),
    }
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
    Ok(match mqttrs::decode_slice(packet) {
        Ok(Some(Packet::Connack(connack))) => {
            Item::Connack { session_present: connack.session_present, code: return_code(connack.code) }
        }
        Ok(Some(Packet::Puback(identifier))) => Item::Puback(identifier.get()),
        Ok(Some(Packet::Pubrec(identifier))) => Item::Pubrec(identifier.get()),
        Ok(Some(Packet::Pubrel(identifier))) => Item::Pubrel(identifier.get()),
        Ok(Some(Packet::Pubcomp(identifier))) => Item::Pubcomp(identifier.get()),
        Ok(Some(Packet::Unsuback(identifier))) => Item::Unsuback(identifier.get()),
        Ok(Some(Packet::Pingresp)) => Item::Pingresp,
        Ok(Some(Packet::Suback(suback))) => match suback.return_codes.first() {
            Some(SubscribeReturnCodes::Success(qos)) => Item::Suback(suback.pid.get(), Some(*qos)),
            Some(SubscribeReturnCodes::Failure) => Item::Suback(suback.pid.get(), None),
            None => return Err(Violation::Length),
        },
        _ => return Err(Violation::Value),
    })
}

const fn return_code(code: ConnectReturnCode) -> u8 {
    match code {
        ConnectReturnCode::Accepted => 0,
        ConnectReturnCode::RefusedProtocolVersion => 1,
        ConnectReturnCode::RefusedIdentifierRejected => 2,
        ConnectReturnCode::ServerUnavailable => 3,
        ConnectReturnCode::BadUsernamePassword => 4,
        ConnectReturnCode::NotAuthorized => 5,
    }
}

/// Moves bytes from `input` into `target` behind the first `have`; returns how many it has now.
fn fill(target: &mut [u8], have: usize, input: &mut &[u8]) -> usize {
    let Some(room) = target.get_mut(have..) else { return have };
    let most = room.len().min(input.len());
    if let (Some(to), Some((from, rest))) = (room.get_mut(..most), input.split_at_checked(most)) {
        to.copy_from_slice(from);
        *input = rest;
    }
    have.saturating_add(most)
}
