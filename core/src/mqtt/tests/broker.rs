//! A broker that knows MQTT 3.1.1 §4.3 and §4.4 and nothing of the code under test.
//!
//! A message is one byte, its number. The broker reads what it is sent, owes acknowledgements, sends messages of its
//! own, and keeps its half of the session over a lost connection.

use super::*;

/// When a receiver at QoS 2 hands a message on (§4.3.3, figure 4.3: methods A and B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    AtPubrel,
    AtPublish,
}

/// How far a message from the broker has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Published,
    Released,
}

#[derive(Debug, Clone)]
struct Outgoing {
    message: u8,
    qos: u8,
    identifier: u16,
    stage: Stage,
    /// Not sent on this connection yet.
    due: bool,
    before: bool,
}

#[derive(Debug, Clone)]
pub struct Broker {
    release: Release,
    input: Vec<u8>,
    unreleased: Vec<(u16, u8)>,
    outgoing: Vec<Outgoing>,
    /// Acknowledgements and PUBRELs that it has not sent yet.
    pub owed: Vec<Vec<u8>>,
    /// The messages that it has handed on, in order.
    pub received: Vec<u8>,
}

impl Broker {
    /// A broker that has a message for the client at each of these QoS levels; they are numbered from 100 on.
    pub fn new(release: Release, outgoing: &[u8]) -> Self {
        let message = |(n, qos): (usize, &u8)| Outgoing {
            message: 100 + n as u8,
            qos: *qos,
            identifier: 0,
            stage: Stage::Waiting,
            due: true,
            before: false,
        };
        let outgoing = outgoing.iter().enumerate().map(message).collect();
        Self { release, input: vec![], unreleased: vec![], outgoing, owed: vec![], received: vec![] }
    }

    /// Reads `bytes`; a packet that is not complete waits for the rest.
    pub fn read(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while self.input.len() >= 2 && self.input.len() >= 2 + usize::from(self.input[1]) {
            assert!(self.input[1] < 128, "this broker's packets are short");
            let packet: Vec<u8> = self.input.drain(..2 + usize::from(self.input[1])).collect();
            self.packet(&packet);
        }
    }

    fn packet(&mut self, packet: &[u8]) {
        let [.., high, low] = packet else { panic!("{packet:x?} is too short") };
        let identifier = u16::from_be_bytes([*high, *low]);
        match packet[0] {
            0x40 => self.forget(identifier, 1, Stage::Published),
            0x50 => self.pubrec(identifier),
            0x62 => self.pubrel(identifier),
            0x70 => self.forget(identifier, 2, Stage::Released),
            first if first >> 4 == 3 => self.publish(packet),
            _ => panic!("a client does not send {packet:x?}"),
        }
    }

    /// Only `t` is published to, with a payload of one byte.
    fn publish(&mut self, packet: &[u8]) {
        let [first, 6, 0, 1, b't', high, low, message] = *packet else { panic!("no PUBLISH: {packet:x?}") };
        let identifier = u16::from_be_bytes([high, low]);
        if (first >> 1) & 3 == 1 {
            self.received.push(message);
            return self.owed.push(acknowledgement(0x40, identifier));
        }
        match self.unreleased.iter().find(|(known, _)| *known == identifier) {
            Some((_, known)) => assert_eq!(*known, message, "identifier {identifier} stands for two messages"),
            None => {
                self.unreleased.push((identifier, message));
                if self.release == Release::AtPublish {
                    self.received.push(message);
                }
            }
        }
        self.owed.push(acknowledgement(0x50, identifier));
    }

    fn pubrel(&mut self, identifier: u16) {
        if let Some(at) = self.unreleased.iter().position(|(known, _)| *known == identifier) {
            let (_, message) = self.unreleased.remove(at);
            if self.release == Release::AtPubrel {
                self.received.push(message);
            }
        }
        self.owed.push(acknowledgement(0x70, identifier));
    }

    fn pubrec(&mut self, identifier: u16) {
        let known = self.outgoing.iter_mut().find(|out| out.identifier == identifier && out.qos == 2);
        let known = known.expect("PUBREC of something that was sent");
        assert_ne!(known.stage, Stage::Waiting);
        known.stage = Stage::Released;
        known.due = false;
        self.owed.push(acknowledgement(0x62, identifier));
    }

    fn forget(&mut self, identifier: u16, qos: u8, stage: Stage) {
        let wanted = |out: &Outgoing| out.identifier == identifier && out.qos == qos && out.stage == stage;
        // A second PUBCOMP follows a second PUBREL; nothing else may come unasked.
        let known = self.outgoing.iter().position(wanted);
        assert!(known.is_some() || qos == 2, "PUBACK of {identifier}, which was not sent");
        if let Some(at) = known {
            self.outgoing.remove(at);
        }
    }

    /// Whether it has something of its own to send.
    pub fn wants_to_send(&self) -> bool {
        self.outgoing.iter().any(|out| out.due)
    }

    /// The next PUBLISH or, after a reconnection, PUBREL.
    pub fn send(&mut self) -> Vec<u8> {
        let at = self.outgoing.iter().position(|out| out.due).expect("wants_to_send said so");
        if self.outgoing[at].identifier == 0 {
            // The smallest that is free, so that identifiers are soon used again.
            let used = |identifier| self.outgoing.iter().any(|out| out.identifier == identifier);
            self.outgoing[at].identifier = (1..).find(|identifier| !used(*identifier)).unwrap();
        }
        let out = &mut self.outgoing[at];
        out.due = false;
        if out.stage == Stage::Released {
            return acknowledgement(0x62, out.identifier);
        }
        out.stage = Stage::Published;
        let dup = if core::mem::replace(&mut out.before, true) { 8 } else { 0 };
        incoming("t", out.qos, dup, out.identifier, &[out.message])
    }

    /// The connection is gone. `late`: what it owed is sent on the next one, which no standard foresees.
    pub fn lose(&mut self, late: bool) {
        self.input.clear();
        if !late {
            self.owed.clear();
        }
    }

    /// The client is back, and the session is `present` or forgotten.
    pub fn accept(&mut self, present: bool) {
        if !present {
            self.unreleased.clear();
            self.owed.clear();
            self.outgoing.retain(|out| out.stage == Stage::Waiting);
        }
        for out in &mut self.outgoing {
            out.due = true;
        }
    }

    pub fn is_done(&self) -> bool {
        self.unreleased.is_empty() && self.outgoing.is_empty() && self.owed.is_empty() && self.input.is_empty()
    }
}
