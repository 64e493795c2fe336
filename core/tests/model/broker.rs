//! A broker with one subscriber, by MQTT 3.1.1 §4.3, §4.4 and §4.6; it knows nothing of the code under test.
//!
//! A message is one byte, its number. The broker judges what it reads, and what its subscriber is handed.

use super::random::Random;
use super::rules::{Breach, Rule, hold};
use std::collections::VecDeque;

/// What the subscriber was handed of one message of the client's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivered {
    pub times: usize,
    /// The session in which it was handed on last; 0 is none.
    session: u32,
}

/// A message for the client that was sent.
struct Outgoing {
    number: u8,
    qos: u8,
    identifier: u16,
    released: bool,
    /// Not sent on this connection yet.
    due: bool,
    before: bool,
}

/// What the broker does after it has read a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    GoesOn,
    /// It has read a message that it refuses.
    Closes,
}

pub struct Broker {
    /// §4.3.3: hands a message of QoS 2 on at PUBLISH and not at PUBREL.
    early: bool,
    refused: Option<u8>,
    session: u32,
    input: Vec<u8>,
    /// Messages of QoS 2 between PUBLISH and PUBREL.
    unreleased: Vec<(u16, u8)>,
    pub delivered: Vec<Delivered>,
    /// The last message that was published on this connection.
    last_here: Option<u8>,
    /// Messages for the client that were not sent yet: number and QoS.
    waiting: VecDeque<(u8, u8)>,
    outgoing: Vec<Outgoing>,
    /// Its own messages that the client has acknowledged.
    pub acknowledged: Vec<u8>,
    pubacks: VecDeque<u16>,
    pubrecs: VecDeque<u16>,
    pubrels: VecDeque<u16>,
    /// PUBCOMPs and SUBACKs: in any order.
    unordered: Vec<Vec<u8>>,
    /// The acknowledgements of its own messages that must come, in this order.
    expected_pubacks: VecDeque<u16>,
    expected_pubrecs: VecDeque<u16>,
}

pub fn acknowledgement(first: u8, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    vec![first, 2, high, low]
}

impl Broker {
    /// A broker that will see so many messages, refuses one of them perhaps, and has these (their QoS) for the client.
    pub fn new(early: bool, messages: usize, refused: Option<u8>, waiting: &[u8]) -> Self {
        Self {
            early,
            refused,
            session: 0,
            input: vec![],
            unreleased: vec![],
            delivered: vec![Delivered::default(); messages],
            last_here: None,
            waiting: waiting.iter().enumerate().map(|(number, qos)| (number as u8, *qos)).collect(),
            outgoing: vec![],
            acknowledged: vec![],
            pubacks: VecDeque::new(),
            pubrecs: VecDeque::new(),
            pubrels: VecDeque::new(),
            unordered: vec![],
            expected_pubacks: VecDeque::new(),
            expected_pubrecs: VecDeque::new(),
        }
    }

    /// A connection begins; the session is kept from before, or a new one begins. Returns whether there is an old one.
    pub fn accept(&mut self, keep: bool) -> bool {
        let present = keep && self.session > 0;
        if !present {
            self.session += 1;
            self.unreleased.clear();
            self.outgoing.clear();
        }
        for out in &mut self.outgoing {
            out.due = true;
        }
        present
    }

    /// The connection is gone: half a packet and what was owed on it go with it.
    pub fn lose(&mut self) {
        self.input.clear();
        self.last_here = None;
        for queue in [&mut self.pubacks, &mut self.pubrecs, &mut self.pubrels] {
            queue.clear();
        }
        self.unordered.clear();
        self.expected_pubacks.clear();
        self.expected_pubrecs.clear();
    }

    /// Reads bytes; a packet that is not complete waits for the rest.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Reaction, Breach> {
        self.input.extend_from_slice(bytes);
        while self.input.len() >= 2 && self.input.len() >= 2 + usize::from(self.input[1]) {
            let packet: Vec<u8> = self.input.drain(..2 + usize::from(self.input[1])).collect();
            if self.packet(&packet)? == Reaction::Closes {
                return Ok(Reaction::Closes);
            }
        }
        Ok(Reaction::GoesOn)
    }

    fn packet(&mut self, packet: &[u8]) -> Result<Reaction, Breach> {
        match *packet {
            [0x40, 2, high, low] => self.puback(u16::from_be_bytes([high, low]))?,
            [0x50, 2, high, low] => self.pubrec(u16::from_be_bytes([high, low]))?,
            [0x62, 2, high, low] => self.pubrel(u16::from_be_bytes([high, low]))?,
            [0x70, 2, high, low] => self.pubcomp(u16::from_be_bytes([high, low])),
            [0x82, 6, high, low, 0, 1, b'f', qos] => self.unordered.push(vec![0x90, 3, high, low, qos]),
            [0x30, 4, 0, 1, b't', number] if self.refused == Some(number) => return Ok(Reaction::Closes),
            [0x30, 4, 0, 1, b't', _] | [0xC0, 0] => {}
            [first, 6, 0, 1, b't', high, low, number] if first >> 4 == 3 => {
                return self.publish(first & 6, u16::from_be_bytes([high, low]), number);
            }
            _ => return Err(Breach(Rule::Packet, "no packet of this client's")),
        }
        Ok(Reaction::GoesOn)
    }

    fn publish(&mut self, qos_bits: u8, identifier: u16, number: u8) -> Result<Reaction, Breach> {
        let ascending = self.last_here.is_none_or(|last| last < number);
        hold(ascending, Rule::Order, "PUBLISH out of the order of publishing")?;
        self.last_here = Some(number);
        if self.refused == Some(number) {
            return Ok(Reaction::Closes);
        }
        if qos_bits == 2 {
            self.delivered[usize::from(number)].times += 1;
            self.pubacks.push_back(identifier);
            return Ok(Reaction::GoesOn);
        }
        match self.unreleased.iter().find(|(known, _)| *known == identifier) {
            Some((_, known)) => hold(*known == number, Rule::Identifier, "one identifier, two messages")?,
            None => {
                self.unreleased.push((identifier, number));
                if self.early {
                    self.deliver_once(number)?;
                }
            }
        }
        self.pubrecs.push_back(identifier);
        Ok(Reaction::GoesOn)
    }

    fn pubrel(&mut self, identifier: u16) -> Result<(), Breach> {
        if let Some(at) = self.unreleased.iter().position(|(known, _)| *known == identifier) {
            let (_, number) = self.unreleased.remove(at);
            if !self.early {
                self.deliver_once(number)?;
            }
        }
        self.unordered.push(acknowledgement(0x70, identifier));
        Ok(())
    }

    fn deliver_once(&mut self, number: u8) -> Result<(), Breach> {
        let delivered = &mut self.delivered[usize::from(number)];
        hold(delivered.session != self.session, Rule::ExactlyOnce, "the subscriber has it twice")?;
        *delivered = Delivered { times: delivered.times + 1, session: self.session };
        Ok(())
    }

    fn puback(&mut self, identifier: u16) -> Result<(), Breach> {
        hold(self.expected_pubacks.pop_front() == Some(identifier), Rule::Order, "PUBACKs out of order")?;
        if let Some(at) = self.outgoing.iter().position(|out| out.identifier == identifier && out.qos == 1) {
            self.acknowledged.push(self.outgoing.remove(at).number);
        }
        Ok(())
    }

    fn pubrec(&mut self, identifier: u16) -> Result<(), Breach> {
        hold(self.expected_pubrecs.pop_front() == Some(identifier), Rule::Order, "PUBRECs out of order")?;
        if let Some(out) = self.outgoing.iter_mut().find(|out| out.identifier == identifier && out.qos == 2) {
            out.released = true;
            self.acknowledged.push(out.number);
            self.pubrels.push_back(identifier);
        }
        Ok(())
    }

    fn pubcomp(&mut self, identifier: u16) {
        self.outgoing.retain(|out| !(out.identifier == identifier && out.released));
    }

    /// Whether it has an acknowledgement to send.
    pub fn owes(&self) -> bool {
        !(self.pubacks.is_empty() && self.pubrecs.is_empty() && self.pubrels.is_empty() && self.unordered.is_empty())
    }

    /// One of the acknowledgements that it owes: in order where §4.6 asks for it, and any otherwise.
    pub fn answer(&mut self, random: &mut Random) -> Vec<u8> {
        loop {
            let ordered = match random.below(4) {
                0 => self.pubacks.pop_front().map(|identifier| (0x40, identifier)),
                1 => self.pubrecs.pop_front().map(|identifier| (0x50, identifier)),
                2 => self.pubrels.pop_front().map(|identifier| (0x62, identifier)),
                _ if self.unordered.is_empty() => None,
                _ => return self.unordered.swap_remove(random.below(self.unordered.len())),
            };
            if let Some((first, identifier)) = ordered {
                return acknowledgement(first, identifier);
            }
        }
    }

    /// Whether it has something of its own to send.
    pub fn wants_to_send(&self) -> bool {
        !self.waiting.is_empty() || self.outgoing.iter().any(|out| out.due)
    }

    /// The next of its own: what was sent before first, in its order, PUBRELs in the place of their messages.
    pub fn send(&mut self) -> Vec<u8> {
        if !self.outgoing.iter().any(|out| out.due) {
            let (number, qos) = self.waiting.pop_front().expect("wants_to_send said so");
            // The smallest that is free, so that identifiers are soon used again.
            let used = |identifier| self.outgoing.iter().any(|out| out.identifier == identifier);
            let identifier = (1..).find(|identifier| !used(*identifier)).expect("a few are in use");
            self.outgoing.push(Outgoing { number, qos, identifier, released: false, due: true, before: false });
        }
        let out = self.outgoing.iter_mut().find(|out| out.due).expect("one is due");
        out.due = false;
        if out.released {
            return acknowledgement(0x62, out.identifier);
        }
        if out.qos == 1 {
            self.expected_pubacks.push_back(out.identifier);
        } else {
            self.expected_pubrecs.push_back(out.identifier);
        }
        let dup = if std::mem::replace(&mut out.before, true) { 8 } else { 0 };
        let [high, low] = out.identifier.to_be_bytes();
        vec![0x30 | dup | (out.qos << 1), 6, 0, 1, b't', high, low, out.number]
    }

    /// The session that it holds now.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Whether everything that was begun is over.
    pub fn is_done(&self) -> bool {
        self.unreleased.is_empty() && self.outgoing.is_empty() && self.input.is_empty()
    }
}
