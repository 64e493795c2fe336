//! One life of a session: a client, a broker, and the bytes between them, until everything is said.

use super::broker::{Broker, Reaction};
use super::bytes::Bytes;
use super::random::Random;
use super::rules::{Breach, Rule, hold};
use std::collections::VecDeque;
use w800_mqtt_core::mqtt::QoS;
use w800_mqtt_core::mqtt::decoder::{Delivery, Head};
use w800_mqtt_core::mqtt::identifier::PacketIdentifier;
use w800_mqtt_core::mqtt::in_flight::MOST_IN_FLIGHT;
use w800_mqtt_core::mqtt::publication::Publication;
use w800_mqtt_core::mqtt::session::{Begun, ConnectOptions, Event, LONGEST_CONTROL, Loss, Resend, Session};
use w800_mqtt_core::time::Instant;

/// A mistake put between the session and the world, to see that the rules notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The session believes that the broker has kept its half: it goes on with PUBREL where it must begin again.
    TrustsLostSession,
    /// The session believes that the broker has lost its half: it forgets what it was handed.
    ForgetsReceived,
    /// `OK` is said at PUBREC.
    OkAtPubrec,
    /// What must be sent again is not.
    NothingAgain,
    /// The first two that are sent again change places.
    Swapped,
    /// Every message has the identifier 1 or 2.
    FewIdentifiers,
    /// A lost network is taken for a close by the peer.
    BlamesNetwork,
}

/// What happened in a life.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events {
    pub steps: usize,
    pub losses: usize,
    pub sessions_lost: usize,
    pub sent_again: usize,
    pub confirmed: usize,
    pub received: usize,
    pub duplicates: usize,
    pub waited: usize,
    pub dropped: usize,
}

impl Events {
    pub fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.losses += other.losses;
        self.sessions_lost += other.sessions_lost;
        self.sent_again += other.sent_again;
        self.confirmed += other.confirmed;
        self.received += other.received;
        self.duplicates += other.duplicates;
        self.waited += other.waited;
        self.dropped += other.dropped;
    }
}

/// One of the client's messages.
#[derive(Debug, Clone, Copy)]
struct Message {
    qos: u8,
    identifier: u16,
    sent_before: bool,
    over: bool,
}

/// One of the broker's messages.
#[derive(Debug, Clone, Copy)]
struct Received {
    qos: u8,
    times: usize,
    /// The session in which it came last; 0 is none.
    session: u32,
}

/// What may happen next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    Subscribe,
    GiveBack,
    Transmit,
    Resend,
    BrokerReads,
    BrokerAnswers,
    BrokerSends,
    ClientReads,
    Lose,
    Connect,
}

/// A life that goes on for longer than this never ends.
const MOST_STEPS: usize = 20_000;

/// The peer closes so often at most where nothing is refused: too seldom for anything to be dropped.
const MOST_CLOSES: usize = 6;

pub struct Life {
    random: Random,
    fault: Fault,
    /// QoS of the client's messages that are not published yet.
    plan: VecDeque<u8>,
    refused: Option<u8>,
    losses_left: usize,
    closes_left: usize,
    keep_percent: usize,
    clean: bool,
    /// Whether identifiers begin again long before 65,535 were used. Then no acknowledgement may be said twice, and no
    /// request be unanswered: it would be taken for that of the next exchange.
    reuses_identifiers: bool,
    duplicate_percent: usize,
    subscribes_left: usize,
    now: Instant,
    session: Session<Bytes>,
    broker: Broker,
    up: bool,
    /// The client's task is sending again and does not read.
    resending: bool,
    sending: Option<(PacketIdentifier, Publication<Bytes>)>,
    to_broker: Vec<u8>,
    to_client: Vec<u8>,
    /// A packet that [`Fault::Swapped`] holds back.
    held: Option<Vec<u8>>,
    messages: Vec<Message>,
    /// Identifiers whose PUBREC was read in this session of the broker, in order.
    pubrecs: Vec<u16>,
    /// Identifiers whose PUBREL was sent on this connection.
    pubrels_here: Vec<u16>,
    /// What the client has read of a packet that is not complete.
    partial: Vec<u8>,
    /// The number of the message that is coming in.
    coming: Option<u8>,
    /// Of each of the broker's messages: what the host got.
    port: Vec<Received>,
    pub events: Events,
}

fn draw_qos(random: &mut Random, most: usize, choices: &[u8]) -> Vec<u8> {
    (0..random.below(most)).map(|_| random.one_of(choices)).collect()
}

impl Life {
    pub fn new(seed: u64, fault: Fault) -> Self {
        Self::of(Random::new(seed), fault)
    }

    pub fn of(mut random: Random, fault: Fault) -> Self {
        let plan = draw_qos(&mut random, 12, &[0, 1, 1, 1, 2, 2, 2, 2]);
        let incoming = draw_qos(&mut random, 6, &[1, 2]);
        let refused = if random.percent(10) && !plan.is_empty() { Some(random.below(plan.len()) as u8) } else { None };
        let early = random.percent(50);
        let losses_left = random.one_of(&[0, 1, 2, 3, 5, 12]);
        let reuses_identifiers = random.percent(25);
        let broker = Broker::new(early, plan.len(), refused, &incoming);
        Self {
            losses_left,
            closes_left: if refused.is_some() { 0 } else { MOST_CLOSES },
            keep_percent: random.one_of(&[0, 50, 100]),
            clean: random.percent(25),
            reuses_identifiers,
            duplicate_percent: if reuses_identifiers { 0 } else { random.one_of(&[0, 0, 30]) },
            subscribes_left: if reuses_identifiers { 0 } else { random.below(3) },
            now: Instant::from_millis(1_000_000),
            session: Session::new(),
            up: false,
            resending: false,
            sending: None,
            to_broker: vec![],
            to_client: vec![],
            held: None,
            messages: vec![],
            pubrecs: vec![],
            pubrels_here: vec![],
            partial: vec![],
            coming: None,
            port: incoming.iter().map(|qos| Received { qos: *qos, times: 0, session: 0 }).collect(),
            events: Events::default(),
            plan: plan.into(),
            refused,
            fault,
            broker,
            random,
        }
    }

    /// Lives until nothing more can happen.
    pub fn run(&mut self) -> Result<(), Breach> {
        let mut steps = Vec::with_capacity(16);
        for _ in 0..MOST_STEPS {
            steps.clear();
            self.possible(&mut steps);
            // When nothing but a loss is possible, everything is said.
            if steps.iter().all(|step| matches!(step, Step::Lose)) {
                return self.check_the_end();
            }
            self.now = self.now.after(self.random.below(4) as u64);
            self.events.steps += 1;
            let step = self.random.one_of(&steps);
            self.step(step)?;
        }
        Err(Breach(Rule::BoundedTime, "it goes on for ever"))
    }

    fn possible(&self, steps: &mut Vec<Step>) {
        let mut may = |condition: bool, step: Step| {
            if condition {
                steps.push(step);
            }
        };
        let free = self.sending.is_none();
        may(!free, Step::GiveBack);
        if !self.up {
            return may(free, Step::Connect);
        }
        let again = self.resending || self.session.has_resend(self.now);
        may(free && again, Step::Resend);
        may(free && !again && self.session.has_replies(), Step::Transmit);
        may(free && !again && !self.plan.is_empty() && self.session.in_flight() < MOST_IN_FLIGHT, Step::Publish);
        may(free && !again && self.subscribes_left > 0, Step::Subscribe);
        may(!self.to_broker.is_empty(), Step::BrokerReads);
        may(self.broker.owes(), Step::BrokerAnswers);
        may(self.broker.wants_to_send(), Step::BrokerSends);
        may(!again && !self.to_client.is_empty(), Step::ClientReads);
        may(self.losses_left > 0, Step::Lose);
    }

    fn step(&mut self, step: Step) -> Result<(), Breach> {
        match step {
            Step::Publish => self.publish(),
            Step::Subscribe => self.subscribe(),
            Step::GiveBack => {
                self.give_back();
                Ok(())
            }
            Step::Transmit => self.transmit(),
            Step::Resend => self.resend(),
            Step::BrokerReads => self.broker_reads(),
            Step::BrokerAnswers => {
                let packet = self.broker.answer(&mut self.random);
                let twice = matches!(packet[0], 0x40 | 0x50 | 0x70) && self.random.percent(self.duplicate_percent);
                self.events.duplicates += usize::from(twice);
                self.to_client.extend(packet.repeat(1 + usize::from(twice)));
                Ok(())
            }
            Step::BrokerSends => {
                let packet = self.broker.send();
                self.to_client.extend(packet);
                Ok(())
            }
            Step::ClientReads => {
                let bytes = self.portion(self.to_client.len());
                self.client_reads(bytes)
            }
            Step::Lose => {
                self.losses_left -= 1;
                self.lose()
            }
            Step::Connect => self.connect(),
        }
    }

    /// How many of so many bytes come through at once.
    fn portion(&mut self, available: usize) -> usize {
        if self.random.percent(50) { available } else { 1 + self.random.below(available) }
    }

    fn publish(&mut self) -> Result<(), Breach> {
        let qos = self.plan.pop_front().expect("there is one");
        let number = self.messages.len() as u8;
        let level = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(qos)];
        let mut publication = Publication::<Bytes>::new(b"t", 1, level, false).expect("there is memory");
        publication.payload_mut().copy_from_slice(&[number]);
        if self.reuses_identifiers && self.random.percent(20) {
            self.session.begin_identifiers_behind(0);
        }
        let begun = self.session.publish(&mut publication, self.now).expect("there is room");
        let mut message = Message { qos, identifier: 0, sent_before: false, over: qos == 0 };
        if let Begun::Send(identifier) | Begun::Wait(identifier) = begun {
            message.identifier = self.fresh(identifier)?;
        }
        self.messages.push(message);
        match begun {
            Begun::Unconfirmed => {
                self.to_broker.extend(publication.packet());
                Ok(())
            }
            Begun::Send(identifier) => self.send_publication(identifier, publication),
            Begun::Wait(identifier) => {
                self.events.waited += 1;
                self.session.sent(identifier, publication, false, self.now);
                Ok(())
            }
        }
    }

    /// An identifier that was given out stands for nothing else.
    fn fresh(&self, identifier: PacketIdentifier) -> Result<u16, Breach> {
        let used = |message: &Message| !message.over && message.identifier == identifier.get();
        hold(!self.messages.iter().any(used), Rule::Identifier, "given out while it is in flight")?;
        Ok(identifier.get())
    }

    fn subscribe(&mut self) -> Result<(), Breach> {
        self.subscribes_left -= 1;
        let mut packet = [0; LONGEST_CONTROL];
        let made = self.session.subscribe("f", QoS::AtMostOnce, &mut packet, self.now);
        let (identifier, length) = made.expect("it fits");
        self.fresh(identifier)?;
        self.to_broker.extend(&packet[..length]);
        Ok(())
    }

    /// Puts a PUBLISH on the wire; its sender gives it back later.
    fn send_publication(
        &mut self,
        identifier: PacketIdentifier,
        publication: Publication<Bytes>,
    ) -> Result<(), Breach> {
        let mut packet = publication.packet().to_vec();
        let message = &mut self.messages[usize::from(packet[7])];
        let dup = if message.sent_before { 8 } else { 0 };
        hold(packet[0] == 0x30 | dup | (message.qos << 1), Rule::Packet, "flags of PUBLISH")?;
        hold(identifier.get() == message.identifier, Rule::Packet, "identifier of PUBLISH")?;
        hold(!message.over, Rule::Packet, "PUBLISH of what is confirmed")?;
        let again = std::mem::replace(&mut message.sent_before, true);
        self.sending = Some((identifier, publication));
        if self.fault == Fault::FewIdentifiers {
            packet[6] = 1 + packet[6] % 2;
        }
        if self.fault == Fault::NothingAgain && again {
            return Ok(());
        }
        if self.fault == Fault::Swapped && again && self.held.is_none() {
            self.held = Some(packet);
            return Ok(());
        }
        self.to_broker.extend(packet);
        self.to_broker.extend(self.held.take().unwrap_or_default());
        Ok(())
    }

    fn give_back(&mut self) {
        if let Some((identifier, publication)) = self.sending.take() {
            self.session.sent(identifier, publication, self.up, self.now);
        }
    }

    fn transmit(&mut self) -> Result<(), Breach> {
        let mut packet = [0; LONGEST_CONTROL];
        let length = self.session.transmit(&mut packet, self.now).expect("has_replies said so");
        hold(length == 4, Rule::Packet, "no keep alive is set")?;
        if packet[0] == 0x62 {
            let identifier = u16::from_be_bytes([packet[2], packet[3]]);
            self.check_pubrel(identifier)?;
            if self.fault == Fault::OkAtPubrec {
                self.published(identifier)?;
            }
        }
        self.to_broker.extend(&packet[..length]);
        Ok(())
    }

    /// The first PUBRELs of a connection are in the order of the PUBRECs.
    fn check_pubrel(&mut self, identifier: u16) -> Result<(), Breach> {
        let waits = self.messages.iter().any(|message| message.identifier == identifier && !message.over);
        if !waits || self.pubrels_here.contains(&identifier) {
            return Ok(());
        }
        let place = |wanted: u16| self.pubrecs.iter().position(|known| *known == wanted);
        let later = self.pubrels_here.iter().any(|before| place(*before) > place(identifier));
        self.pubrels_here.push(identifier);
        hold(!later, Rule::Order, "PUBRELs out of order")
    }

    fn resend(&mut self) -> Result<(), Breach> {
        match self.session.resend(self.now) {
            Resend::Nothing => {
                self.resending = false;
                self.to_broker.extend(self.held.take().unwrap_or_default());
                Ok(())
            }
            Resend::Replies => self.transmit(),
            Resend::Publish(identifier, publication) => {
                self.events.sent_again += 1;
                self.send_publication(identifier, publication)
            }
        }
    }

    fn broker_reads(&mut self) -> Result<(), Breach> {
        let bytes = self.portion(self.to_broker.len());
        let portion: Vec<u8> = self.to_broker.drain(..bytes).collect();
        if self.broker.read(&portion)? == Reaction::Closes {
            return self.end(Loss::PeerClosed);
        }
        Ok(())
    }

    fn client_reads(&mut self, bytes: usize) -> Result<(), Breach> {
        let portion: Vec<u8> = self.to_client.drain(..bytes).collect();
        self.note_pubrecs(&portion);
        let mut input = &portion[..];
        loop {
            let event = self.session.receive(&mut input, self.now);
            match event.map_err(|_| Breach(Rule::Packet, "a violation where there is none"))? {
                None if input.is_empty() => return Ok(()),
                None => self.transmit()?,
                Some(Event::Published(identifier)) => self.published(identifier.get())?,
                Some(Event::Message(head)) => self.message_begins(&head)?,
                Some(Event::Payload(payload)) => self.coming = payload.first().copied(),
                Some(Event::MessageEnd) => self.message_ends()?,
                Some(Event::Subscribed(..)) => {}
                Some(_) => return Err(Breach(Rule::Packet, "an event that cannot be")),
            }
        }
    }

    /// Remembers the order in which the first PUBREC of each exchange was read.
    fn note_pubrecs(&mut self, portion: &[u8]) {
        self.partial.extend(portion);
        while self.partial.len() >= 2 && self.partial.len() >= 2 + usize::from(self.partial[1]) {
            let packet: Vec<u8> = self.partial.drain(..2 + usize::from(self.partial[1])).collect();
            if let [0x50, 2, high, low] = packet[..] {
                let identifier = u16::from_be_bytes([high, low]);
                if !self.pubrecs.contains(&identifier) {
                    self.pubrecs.push(identifier);
                }
            }
        }
    }

    fn published(&mut self, identifier: u16) -> Result<(), Breach> {
        let waits = |message: &Message| message.identifier == identifier && !message.over;
        let Some(number) = self.messages.iter().position(waits) else {
            return hold(self.fault == Fault::OkAtPubrec, Rule::Packet, "OK for what does not wait");
        };
        self.messages[number].over = true;
        self.pubrecs.retain(|known| *known != identifier);
        self.pubrels_here.retain(|known| *known != identifier);
        self.events.confirmed += 1;
        hold(self.broker.delivered[number].times > 0, Rule::OkMeansDelivered, "OK, and nobody has it")
    }

    fn message_begins(&mut self, head: &Head<Bytes>) -> Result<(), Breach> {
        let known = head.topic.as_ref() == b"t" && head.payload_length == 1;
        hold(known && head.delivery != Delivery::AtMostOnce, Rule::Packet, "a message that was not sent")
    }

    fn message_ends(&mut self) -> Result<(), Breach> {
        let number = self.coming.take().ok_or(Breach(Rule::Packet, "a message without its payload"))?;
        let session = self.broker.session();
        let received = &mut self.port[usize::from(number)];
        let twice = received.qos == 2 && received.session == session;
        hold(!twice, Rule::ExactlyOnce, "the host has it twice")?;
        *received = Received { qos: received.qos, times: received.times + 1, session };
        self.events.received += 1;
        Ok(())
    }

    /// The connection is cut: anywhere in what is on its way, in both directions.
    fn lose(&mut self) -> Result<(), Breach> {
        let (to_broker, to_client) = (self.to_broker.len(), self.to_client.len());
        let arrives = self.random.below(to_broker + 1);
        let portion: Vec<u8> = self.to_broker.drain(..arrives).collect();
        let refused = self.broker.read(&portion)? == Reaction::Closes;
        if !self.resending {
            let arrives = self.random.below(to_client + 1);
            self.client_reads(arrives)?;
        }
        let closed = self.closes_left > 0 && self.random.percent(50);
        self.closes_left -= usize::from(closed);
        let by_peer = refused || closed || self.fault == Fault::BlamesNetwork;
        self.end(if by_peer { Loss::PeerClosed } else { Loss::Other })
    }

    fn end(&mut self, loss: Loss) -> Result<(), Breach> {
        self.events.losses += 1;
        self.up = false;
        self.resending = false;
        self.broker.lose();
        for bytes in [&mut self.to_broker, &mut self.to_client, &mut self.partial] {
            bytes.clear();
        }
        self.held = None;
        self.pubrels_here.clear();
        self.coming = None;
        let Some(dropped) = self.session.connection_lost(loss, self.now) else { return Ok(()) };
        self.events.dropped += 1;
        let waits = |message: &Message| message.identifier == dropped.get() && !message.over;
        let number = self.messages.iter().position(waits).ok_or(Breach(Rule::Packet, "dropped twice"))?;
        self.messages[number].over = true;
        self.pubrecs.retain(|known| *known != dropped.get());
        hold(self.refused == Some(number as u8), Rule::NothingElseDropped, "dropped, and nobody has refused it")
    }

    fn connect(&mut self) -> Result<(), Breach> {
        // The pause before an attempt is for the back-off to say; that the time goes on is enough here.
        self.now = self.now.after(1_000);
        let keep = !self.clean && self.random.percent(self.keep_percent);
        let known = self.broker.session();
        let present = self.broker.accept(keep);
        if !present {
            self.pubrecs.clear();
            self.events.sessions_lost += usize::from(known > 0);
        }
        let options = ConnectOptions {
            client_id: "c",
            clean_session: self.clean,
            keep_alive_s: 0,
            username: None,
            password: None,
            will: None,
        };
        self.session.connect(&options, self.now).expect("there is memory");
        let said = match self.fault {
            Fault::TrustsLostSession => known > 0,
            Fault::ForgetsReceived => false,
            _ => present,
        };
        let connack = [0x20, 2, u8::from(said && !self.clean), 0];
        let event = self.session.receive(&mut &connack[..], self.now);
        hold(matches!(event, Ok(Some(Event::Connected { .. }))), Rule::Packet, "CONNACK is not understood")?;
        self.up = true;
        self.resending = true;
        Ok(())
    }

    /// Nothing more can happen: nobody may wait for anything.
    fn check_the_end(&self) -> Result<(), Breach> {
        let said = self.up && self.session.in_flight() == 0 && !self.session.has_replies();
        hold(said, Rule::BoundedTime, "something is owed and never sent")?;
        hold(self.messages.iter().all(|message| message.over), Rule::BoundedTime, "neither OK nor dropped")?;
        hold(self.broker.is_done(), Rule::BoundedTime, "the broker waits for ever")?;
        let lacks = |number: &u8| self.port[usize::from(*number)].times == 0;
        let lost = self.broker.acknowledged.iter().any(lacks);
        hold(!lost, Rule::OkMeansDelivered, "acknowledged, and the host never got it")?;
        let kept = !self.clean && self.keep_percent == 100;
        let missing = self.port.iter().any(|received| received.times == 0);
        hold(!kept || !missing, Rule::BoundedTime, "the host never got a message")
    }
}
