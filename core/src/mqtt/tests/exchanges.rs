//! Session and broker through every interleaving of acknowledgement, loss and reconnection.
//!
//! [`explore`] walks all states that a [`Plan`] can lead to: whatever may happen next is tried, at every point. What is
//! checked at every step is in [`World`] and [`Broker`]; what must hold when nothing more can happen, in
//! [`World::check_the_end`].

use super::super::session::Resend;
use super::broker::{Broker, Release};
use super::*;
use core::fmt::{self, Write};
use core::hash::Hasher;
use std::collections::{HashSet, VecDeque};
use std::hash::DefaultHasher;

#[derive(Debug, Clone, Copy)]
struct Plan {
    /// QoS of each message that the client publishes, in order.
    outgoing: &'static [u8],
    /// QoS of each message that the broker publishes, in order.
    incoming: &'static [u8],
    /// How often the connection is lost at most.
    losses: usize,
    /// What the broker may say of the session on a reconnection.
    sessions: &'static [bool],
    release: Release,
    /// Whether acknowledgements overtake each other.
    reorder: bool,
    /// Whether acknowledgements of a lost connection come on the next one.
    late: bool,
    /// Whether the client reads before it has sent everything again.
    read_while_resuming: bool,
}

const PLAN: Plan = Plan {
    outgoing: &[],
    incoming: &[],
    losses: 2,
    sessions: &[true],
    release: Release::AtPubrel,
    reorder: false,
    late: false,
    read_while_resuming: false,
};

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The client publishes its next message.
    Publish,
    /// The publication that was sent is given back.
    GiveBack,
    /// The client sends one small packet.
    Transmit,
    /// One step of sending again.
    Resume,
    /// The broker reads one packet.
    BrokerReads,
    /// The broker sends the acknowledgement of this place.
    BrokerAnswers(usize),
    /// The broker sends a message, or PUBREL again.
    BrokerSends,
    /// The client reads this many bytes.
    ClientReads(usize),
    /// The connection breaks: the broker still gets so many packets and so many bytes of the next one.
    Lose { packets: usize, bytes: usize },
    /// The connection is made again; the session is present or not.
    Reconnect(bool),
}

#[derive(Debug)]
struct Outgoing {
    identifier: u16,
    qos: u8,
    /// Connections on which it was sent.
    attempts: usize,
    sent_here: bool,
    pubrec_read: bool,
    confirmed: bool,
}

#[derive(Debug)]
struct World {
    plan: Plan,
    client: Client,
    broker: Broker,
    up: bool,
    losses: usize,
    resuming: bool,
    sending: Option<(PacketIdentifier, Publication<Vec<u8>>)>,
    to_broker: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    /// What of the first packet to the client it has read.
    read: usize,
    outgoing: Vec<Outgoing>,
    /// Identifiers in the order in which their first PUBREC was read.
    pubrecs: Vec<u16>,
    /// Identifiers in the order in which their PUBREL was first sent on this connection.
    pubrels: Vec<u16>,
    /// The replies that must come next, in order.
    expected: VecDeque<Vec<u8>>,
    /// The message that is coming in, and those that came in completely.
    coming: Option<u8>,
    port: Vec<u8>,
}

impl World {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            client: connected(0),
            broker: Broker::new(plan.release, plan.incoming),
            up: true,
            losses: 0,
            resuming: false,
            sending: None,
            to_broker: VecDeque::new(),
            to_client: VecDeque::new(),
            read: 0,
            outgoing: vec![],
            pubrecs: vec![],
            pubrels: vec![],
            expected: VecDeque::new(),
            coming: None,
            port: vec![],
        }
    }

    /// Tells states apart.
    fn fingerprint(&self) -> u64 {
        let mut hashed = Hashed(DefaultHasher::new());
        write!(hashed, "{self:?}").unwrap();
        hashed.0.finish()
    }

    /// Everything that may happen now.
    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![];
        if self.sending.is_some() {
            steps.push(Step::GiveBack);
        }
        if !self.up {
            if self.sending.is_none() {
                steps.extend(self.plan.sessions.iter().map(|present| Step::Reconnect(*present)));
            }
            return steps;
        }
        if self.sending.is_none() {
            if self.client.has_replies() {
                steps.push(Step::Transmit);
            }
            if self.resuming {
                steps.push(Step::Resume);
            } else if self.outgoing.len() < self.plan.outgoing.len() {
                steps.push(Step::Publish);
            }
        }
        if !self.to_broker.is_empty() {
            steps.push(Step::BrokerReads);
        }
        let owed = if self.plan.reorder { self.broker.owed.len() } else { self.broker.owed.len().min(1) };
        steps.extend((0..owed).map(Step::BrokerAnswers));
        if self.broker.wants_to_send() {
            steps.push(Step::BrokerSends);
        }
        if let Some(packet) = self.to_client.front()
            && (!self.resuming || self.plan.read_while_resuming)
        {
            let left = packet.len() - self.read;
            steps.push(Step::ClientReads(left));
            // Any first part of the packet; what follows it then is the rest.
            if self.read == 0 {
                steps.extend((1..left).map(Step::ClientReads));
            }
        }
        if self.losses < self.plan.losses {
            for packets in 0..=self.to_broker.len() {
                steps.push(Step::Lose { packets, bytes: 0 });
                if packets < self.to_broker.len() {
                    steps.push(Step::Lose { packets, bytes: 3 });
                }
            }
        }
        steps
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish => self.publish(),
            Step::GiveBack => {
                let (identifier, publication) = self.sending.take().unwrap();
                self.client.sent(identifier, publication, true, START);
            }
            Step::Transmit => self.transmit(),
            Step::Resume => self.resume(),
            Step::BrokerReads => {
                let packet = self.to_broker.pop_front().unwrap();
                self.broker.read(&packet);
            }
            Step::BrokerAnswers(at) => self.to_client.push_back(self.broker.owed.remove(at)),
            Step::BrokerSends => self.to_client.push_back(self.broker.send()),
            Step::ClientReads(bytes) => self.client_reads(bytes),
            Step::Lose { packets, bytes } => self.lose(packets, bytes),
            Step::Reconnect(present) => {
                self.up = true;
                self.resuming = true;
                reconnect(&mut self.client, 0, present, START);
                self.broker.accept(present);
                if !present {
                    // What was acknowledged to a session that is gone must be said again.
                    self.pubrecs.clear();
                    for message in &mut self.outgoing {
                        message.pubrec_read = false;
                    }
                }
            }
        }
    }

    fn publish(&mut self) {
        let qos = self.plan.outgoing[self.outgoing.len()];
        let level = LEVELS[usize::from(qos)];
        let mut publication = publication(level, &[self.outgoing.len() as u8]);
        let identifier = begin(&mut self.client, &mut publication, START);
        let number = identifier.get();
        let taken = self.outgoing.iter().any(|other| other.identifier == number && !other.confirmed);
        assert!(!taken, "identifier {number} is in flight");
        self.outgoing.push(Outgoing {
            identifier: number,
            qos,
            attempts: 0,
            sent_here: false,
            pubrec_read: false,
            confirmed: false,
        });
        self.send_publication(identifier, publication);
    }

    /// Judges a PUBLISH before it goes out.
    fn send_publication(&mut self, identifier: PacketIdentifier, publication: Publication<Vec<u8>>) {
        let packet = publication.packet().to_vec();
        let number = usize::from(*packet.last().unwrap());
        assert!(self.outgoing.iter().skip(number + 1).all(|later| !later.sent_here), "order of messages");
        let message = &mut self.outgoing[number];
        let dup = if message.attempts > 0 { 8 } else { 0 };
        assert_eq!(packet, incoming("t", message.qos, dup, message.identifier, &[number as u8]));
        assert_eq!(identifier.get(), message.identifier);
        assert!(!message.sent_here, "sent twice on one connection");
        assert!(!message.confirmed && !message.pubrec_read, "sent again after the broker has confirmed it");
        message.sent_here = true;
        message.attempts += 1;
        self.to_broker.push_back(packet);
        self.sending = Some((identifier, publication));
    }

    fn transmit(&mut self) {
        let mut packet = [0; LONGEST_CONTROL];
        let length = self.client.transmit(&mut packet, START).unwrap();
        let packet = packet[..length].to_vec();
        assert_eq!(Some(&packet), self.expected.pop_front().as_ref());
        if packet[0] == 0x62 {
            let identifier = u16::from_be_bytes([packet[2], packet[3]]);
            if !self.pubrels.contains(&identifier) {
                self.pubrels.push(identifier);
            }
            // §4.6: the PUBRELs go out in the order of the PUBRECs.
            let rank = |identifier: &u16| self.pubrecs.iter().position(|known| known == identifier);
            assert!(self.plan.read_while_resuming || self.pubrels.is_sorted_by_key(rank), "order of PUBRELs");
        }
        self.to_broker.push_back(packet);
    }

    fn resume(&mut self) {
        match self.client.resend(START) {
            Resend::Nothing => {
                self.resuming = false;
                let missed = self
                    .outgoing
                    .iter()
                    .find(|message| !message.confirmed && !message.pubrec_read && !message.sent_here);
                assert!(missed.is_none(), "not sent again: {missed:?}");
            }
            Resend::Publish(identifier, publication) => self.send_publication(identifier, publication),
            Resend::Replies => {
                assert!(self.client.has_replies());
                let due = |message: &&Outgoing| {
                    message.pubrec_read && !message.confirmed && !self.pubrels.contains(&message.identifier)
                };
                if self.expected.is_empty() {
                    let rank = |message: &&Outgoing| self.pubrecs.iter().position(|known| *known == message.identifier);
                    let next = self.outgoing.iter().filter(due).min_by_key(rank).expect("a PUBREL to send again");
                    self.expected.push_back(acknowledgement(0x62, next.identifier));
                }
            }
        }
    }

    fn client_reads(&mut self, bytes: usize) {
        let packet = self.to_client.front().unwrap().clone();
        let piece = &packet[self.read..self.read + bytes];
        self.read += bytes;
        let complete = self.read == packet.len();
        let seen = feed(&mut self.client, piece, START, &mut vec![]).expect("no violation");
        let publishes = packet[0] >> 4 == 3;
        if complete && !publishes {
            let confirmed = self.acknowledgement_read(&packet);
            assert_eq!(seen, confirmed.map(Happened::Published).into_iter().collect::<Vec<_>>());
        } else {
            self.delivered(seen);
        }
        if complete {
            self.to_client.pop_front();
            self.read = 0;
            if publishes {
                let reply = if (packet[0] >> 1) & 3 == 1 { 0x40 } else { 0x50 };
                self.expected.push_back(acknowledgement(reply, u16::from_be_bytes([packet[5], packet[6]])));
                assert_eq!(self.coming, None);
            }
        }
    }

    /// The packet identifier that this acknowledgement must confirm.
    fn acknowledgement_read(&mut self, packet: &[u8]) -> Option<u16> {
        let identifier = u16::from_be_bytes([packet[2], packet[3]]);
        let at = self.outgoing.iter().position(|message| message.identifier == identifier && !message.confirmed);
        let qos = match packet[0] {
            0x40 => 1,
            0x70 => 2,
            0x50 => {
                if let Some(at) = at
                    && !core::mem::replace(&mut self.outgoing[at].pubrec_read, true)
                {
                    self.pubrecs.push(identifier);
                }
                self.expected.push_back(acknowledgement(0x62, identifier));
                return None;
            }
            _ => {
                self.expected.push_back(acknowledgement(0x70, identifier));
                return None;
            }
        };
        let message = &mut self.outgoing[at?];
        assert_eq!(message.qos, qos);
        message.confirmed = true;
        let times = self.broker.received.iter().filter(|number| usize::from(**number) == at.unwrap()).count();
        assert!(times > 0, "confirmed, and no subscriber has it");
        Some(identifier)
    }

    fn delivered(&mut self, seen: Vec<Happened>) {
        for event in seen {
            match event {
                Happened::Message(topic, _, identifier, length) => {
                    assert_eq!((&topic[..], length, self.coming), ("t", 1, None));
                    assert_ne!(identifier, 0);
                    self.coming = Some(0);
                }
                Happened::Payload(payload) => {
                    assert_eq!(self.coming, Some(0));
                    self.coming = Some(payload[0]);
                }
                Happened::End => self.port.push(self.coming.take().filter(|number| *number > 0).unwrap()),
                other => panic!("{other:?} is no part of a message"),
            }
        }
    }

    fn lose(&mut self, packets: usize, bytes: usize) {
        for packet in self.to_broker.drain(..packets).collect::<Vec<_>>() {
            self.broker.read(&packet);
        }
        if let Some(packet) = self.to_broker.front() {
            self.broker.read(&packet[..bytes]);
        }
        self.broker.lose(self.plan.late);
        lose(&mut self.client);
        self.losses += 1;
        self.up = false;
        self.resuming = false;
        self.to_broker.clear();
        self.to_client.clear();
        self.read = 0;
        self.expected.clear();
        self.pubrels.clear();
        self.coming = None;
        for message in &mut self.outgoing {
            message.sent_here = false;
        }
    }

    /// Everything is said: nobody may still wait for anything.
    fn check_the_end(&self) {
        let persistent = !self.plan.sessions.contains(&false);
        assert!(self.outgoing.iter().all(|message| message.confirmed), "unconfirmed");
        assert_eq!(self.outgoing.len(), self.plan.outgoing.len());
        assert_eq!(self.client.in_flight(), 0);
        assert!(!self.client.has_replies() && self.expected.is_empty());
        assert!(self.broker.is_done());
        if persistent {
            let in_order = !self.plan.reorder && !self.plan.read_while_resuming;
            check_received(&self.broker.received, self.plan.outgoing, 0, in_order);
            check_received(&self.port, self.plan.incoming, 100, true);
        }
        for number in 0..self.outgoing.len() {
            assert!(self.broker.received.contains(&(number as u8)), "message {number} was lost");
        }
    }
}

/// What is written is hashed.
struct Hashed(DefaultHasher);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// At least once at QoS 1, exactly once at QoS 2; the first copies of each level `in_order`.
fn check_received(received: &[u8], sent: &[u8], first: u8, in_order: bool) {
    for level in [1, 2] {
        let numbers: Vec<u8> =
            (first..).zip(sent).filter(|(_, qos)| **qos == level).map(|(number, _)| number).collect();
        let mut copies: Vec<u8> = received.iter().copied().filter(|number| numbers.contains(number)).collect();
        if level == 1 {
            let mut known = HashSet::new();
            copies.retain(|number| known.insert(*number));
        }
        if !in_order {
            copies.sort_unstable();
        }
        assert_eq!(copies, numbers, "QoS {level} of {received:?}");
    }
}

/// Says how a failed world came about.
struct Story(Vec<Step>);

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::eprintln!("after {:?}", self.0);
        }
    }
}

/// Each message and each loss multiplies the states.
const MESSAGES_AND_LOSSES_IF_SHORT: usize = if cfg!(miri) { 2 } else { 3 };

/// Walks through all states of `plan`; how many there were.
fn explore(plan: Plan) -> usize {
    let messages = plan.outgoing.len().saturating_add(plan.incoming.len());
    let most = if short() { MESSAGES_AND_LOSSES_IF_SHORT.saturating_sub(messages) } else { plan.losses };
    let plan = Plan { losses: plan.losses.min(most), ..plan };
    let mut known = HashSet::new();
    let mut open = vec![vec![]];
    let mut ends = 0;
    while let Some(path) = open.pop() {
        let mut story = Story(path);
        let mut world = World::new(plan);
        for step in &story.0 {
            world.step(*step);
        }
        // One step is taken at once, the others when their turn comes, all the way from the begin.
        while known.insert(world.fingerprint()) {
            let steps = world.steps();
            if world.up && steps.iter().all(|step| matches!(step, Step::Lose { .. })) {
                world.check_the_end();
                ends += 1;
            }
            let Some((next, others)) = steps.split_last() else { break };
            open.extend(others.iter().map(|step| [&story.0[..], &[*step]].concat()));
            story.0.push(*next);
            world.step(*next);
        }
    }
    assert!(ends > 0);
    std::println!("{plan:?}: {} states, {ends} ends", known.len());
    known.len()
}

#[test]
fn one_message_out_and_four_losses() {
    for outgoing in [&[1][..], &[2]] {
        for release in [Release::AtPublish, Release::AtPubrel] {
            explore(Plan { outgoing, losses: 4, release, ..PLAN });
        }
    }
}

#[test]
fn two_messages_out() {
    for outgoing in [&[1, 1][..], &[1, 2], &[2, 1], &[2, 2]] {
        explore(Plan { outgoing, losses: 3, ..PLAN });
    }
    explore(Plan { outgoing: &[2, 2], release: Release::AtPublish, ..PLAN });
}

#[test]
fn three_messages_out() {
    explore(Plan { outgoing: &[2, 1, 2], losses: 2, ..PLAN });
    explore(Plan { outgoing: &[2, 2, 2], losses: 1, ..PLAN });
}

#[test]
fn acknowledgements_that_overtake_each_other() {
    explore(Plan { outgoing: &[2, 2], reorder: true, ..PLAN });
    explore(Plan { outgoing: &[1, 2, 2], losses: 1, reorder: true, ..PLAN });
}

#[test]
fn reading_before_all_is_sent_again() {
    let plan = Plan { read_while_resuming: true, ..PLAN };
    explore(Plan { outgoing: &[2, 1], reorder: true, ..plan });
    explore(Plan { outgoing: &[1, 1], late: true, ..plan });
    explore(Plan { outgoing: &[2, 2], losses: 1, late: true, ..plan });
    explore(Plan { outgoing: &[2], incoming: &[2], losses: 1, ..plan });
}

#[test]
fn a_broker_that_forgets_the_session() {
    let plan = Plan { sessions: &[false, true], ..PLAN };
    explore(Plan { outgoing: &[1, 2], ..plan });
    explore(Plan { outgoing: &[1], losses: 4, ..plan });
    explore(Plan { incoming: &[2, 1], ..plan });
    explore(Plan { outgoing: &[2], incoming: &[2], losses: 1, ..plan });
    for release in [Release::AtPublish, Release::AtPubrel] {
        explore(Plan { outgoing: &[2], losses: 4, release, ..plan });
        explore(Plan { outgoing: &[2, 2], release, ..plan });
    }
    explore(Plan { outgoing: &[2, 1, 2], losses: 1, reorder: true, ..plan });
}

#[test]
fn messages_in() {
    for incoming in [&[1, 1][..], &[1, 2], &[2, 1], &[2, 2]] {
        explore(Plan { incoming, losses: 3, ..PLAN });
    }
    explore(Plan { incoming: &[2, 2, 2], losses: 1, ..PLAN });
    explore(Plan { incoming: &[2], losses: 5, ..PLAN });
}

#[test]
fn messages_both_ways() {
    for (outgoing, incoming) in [(&[2][..], &[2][..]), (&[1], &[2]), (&[2], &[1]), (&[1], &[1])] {
        explore(Plan { outgoing, incoming, ..PLAN });
    }
}
