//! The client's state machine: what the broker's packets mean and what must be sent (MQTT 3.1.1 §3, §4).
//!
//! A [`Session`] outlives its connections. Whoever owns the stream
//! 1. sends what [`Session::connect`] gives, feeds what arrives to [`Session::receive`] and acts on the [`Event`]s,
//! 2. sends what [`Session::transmit`] gives whenever there is something,
//! 3. calls [`Session::tick`] at [`Session::deadline`] when nothing has arrived until then,
//! 4. after [`Event::Connected`], and whenever [`Session::has_resend`] says so, sends what [`Session::resend`] gives,
//! 5. says [`Session::connection_lost`] when the stream is gone.

pub use super::connect::{ConnectOptions, Will};
use super::decoder::{Decoder, Delivery, Head, Item, Violation};
use super::identifier::PacketIdentifier;
use super::in_flight::{Again, InFlight, Outcome};
use super::keep_alive::KeepAlive;
pub use super::keep_alive::SILENCE_MS;
use super::publication::Publication;
use super::received::Received;
pub use super::refusal::Loss;
use super::refusal::Refusals;
pub use super::wire::NotMade;
use super::wire::{self, remaining_length};
use super::{QoS, connect, qos_value};
use crate::bytes::Buffer;
use crate::time::Instant;
use heapless::Deque;

/// The longest packet that [`Session::transmit`], [`Session::subscribe`] and [`Session::unsubscribe`] write, in bytes.
pub const LONGEST_CONTROL: usize = 160;

const SUBSCRIBE: u8 = 0x82;
const UNSUBSCRIBE: u8 = 0xA2;
const PINGREQ: [u8; 2] = [0xC0, 0x00];

/// Acknowledgements that may wait to be sent before reading must pause.
const MOST_PENDING: usize = 16;

/// Something that happened, in the order in which it happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a, B> {
    /// CONNACK accepted the connection.
    Connected {
        /// The broker still has this client's subscriptions and messages.
        session_present: bool,
    },
    /// CONNACK refused it with this code (§3.2.2.3).
    Refused(u8),
    /// A message to deliver begins.
    Message(Head<'a, B>),
    /// The next bytes of its payload.
    Payload(&'a [u8]),
    /// It is complete.
    MessageEnd,
    /// A message has come in completely and is acknowledged that must not be printed: its topic name has control
    /// characters. Nothing else is said of it.
    Withheld,
    /// The broker has confirmed this publication for good.
    Published(PacketIdentifier),
    /// The broker has answered this subscription; `None` is a refusal.
    Subscribed(PacketIdentifier, Option<QoS>),
    /// The broker has dropped this subscription.
    Unsubscribed(PacketIdentifier),
}

/// Why a connection must be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// No PINGRESP within [`SILENCE_MS`].
    NoPingResponse,
    /// A packet began and did not go on within [`SILENCE_MS`].
    StalledPacket,
}

/// What to do with a publication that [`Session::publish`] has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// QoS 0: send its packet. Nothing is kept.
    Unconfirmed,
    /// Send its packet, then call [`Session::sent`].
    Send(PacketIdentifier),
    /// Others must be sent before it: call [`Session::sent`] now. [`Session::resend`] gives it out in its turn.
    Wait(PacketIdentifier),
}

/// A packet of four bytes that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Puback(PacketIdentifier),
    Pubrec(PacketIdentifier),
    Pubrel(PacketIdentifier),
    Pubcomp(PacketIdentifier),
}

/// What to do at the end of the message that is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    None,
    /// Being delivered; how it is acknowledged.
    Delivering(Delivery),
    /// It must not be printed; how it is acknowledged.
    Withholding(Delivery),
    /// A QoS 2 message that was delivered before: only acknowledged again.
    Duplicate(PacketIdentifier),
}

/// One client's protocol state, through all its connections.
#[derive(Debug)]
pub struct Session<B> {
    decoder: Decoder<B>,
    in_flight: InFlight<B>,
    received: Received,
    replies: Deque<Reply, MOST_PENDING>,
    incoming: Incoming,
    refusals: Refusals,
    keep_alive: KeepAlive,
    next_identifier: PacketIdentifier,
    clean: bool,
}

impl<B: Buffer> Default for Session<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Buffer> Session<B> {
    /// A session that has never been connected.
    pub const fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            in_flight: InFlight::new(),
            received: Received::new(),
            replies: Deque::new(),
            incoming: Incoming::None,
            refusals: Refusals::new(),
            keep_alive: KeepAlive::OFF,
            next_identifier: PacketIdentifier::FIRST,
            clean: false,
        }
    }

    /// As a session that has never been connected. In place: a new one would stand on the stack first.
    pub fn reset(&mut self) {
        self.connection_lost(Loss::Other, Instant::default());
        self.in_flight.clear();
        self.received.clear();
        self.refusals = Refusals::new();
        self.next_identifier = PacketIdentifier::FIRST;
        self.clean = false;
    }

    /// Packet identifiers go on after `last`. A broker that keeps the session across a reset of this client may still
    /// hold identifiers of before: begin somewhere else each time.
    pub fn begin_identifiers_behind(&mut self, last: u16) {
        self.next_identifier = PacketIdentifier::new(last).map_or(PacketIdentifier::FIRST, PacketIdentifier::next);
    }

    /// Begins a connection: encodes CONNECT, which must be the first thing sent. The second value is its length.
    ///
    /// # Errors
    /// [`NotMade`]; the session is as it was.
    pub fn connect(&mut self, options: &ConnectOptions<'_>, now: Instant) -> Result<(B, usize), NotMade> {
        let packet = connect::encode(options)?;
        self.connection_lost(Loss::Other, now);
        self.keep_alive = KeepAlive::begin(options.keep_alive_s, now);
        self.clean = options.clean_session;
        Ok(packet)
    }

    /// Takes bytes from the front of `input` until something has happened.
    ///
    /// `None` with bytes left in `input` means that replies must be sent first ([`Session::transmit`]); `None` with
    /// `input` empty, that all is done.
    ///
    /// # Errors
    /// A [`Violation`]: the connection must be closed.
    pub fn receive<'a>(&mut self, input: &mut &'a [u8], now: Instant) -> Result<Option<Event<'a, B>>, Violation> {
        if !input.is_empty() {
            self.keep_alive.received(now);
        }
        while !self.replies.is_full() {
            let Some(item) = self.decoder.next(input)? else { return Ok(None) };
            if let Some(event) = self.item(item)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn item<'a>(&mut self, item: Item<'a, B>) -> Result<Option<Event<'a, B>>, Violation> {
        match item {
            Item::Connack { session_present, code } => return Ok(Some(self.connack(session_present, code))),
            Item::Publish(head) => return self.publish_begins(head),
            Item::Payload(piece) => {
                return Ok(matches!(self.incoming, Incoming::Delivering(_)).then_some(Event::Payload(piece)));
            }
            Item::PublishEnd => return self.publish_ends(),
            Item::Puback(identifier) => return self.confirmed(InFlight::acknowledged, identifier),
            Item::Pubcomp(identifier) => return self.confirmed(InFlight::completed, identifier),
            Item::Pubrec(identifier) => {
                if self.in_flight.received(identifier) == Outcome::Wrong {
                    return Err(Violation::Unexpected);
                }
                self.reply(Reply::Pubrel(identifier));
            }
            Item::Pubrel(identifier) => {
                self.received.release(identifier);
                self.reply(Reply::Pubcomp(identifier));
            }
            Item::Suback(identifier, _) | Item::Unsuback(identifier) if self.in_flight.uses(identifier) => {
                return Err(Violation::Unexpected);
            }
            Item::Suback(identifier, granted) => {
                self.refusals.answered();
                return Ok(Some(Event::Subscribed(identifier, granted)));
            }
            Item::Unsuback(identifier) => {
                self.refusals.answered();
                return Ok(Some(Event::Unsubscribed(identifier)));
            }
            Item::Pingresp => self.keep_alive.answered(),
        }
        Ok(None)
    }

    fn connack<'a>(&mut self, session_present: bool, code: u8) -> Event<'a, B> {
        if code != 0 {
            return Event::Refused(code);
        }
        // A broker that says it has kept what it was told to forget (§3.2.2.2) is not believed.
        let session_present = session_present && !self.clean;
        if !session_present {
            self.received.clear();
            self.in_flight.session_lost();
        }
        Event::Connected { session_present }
    }

    /// An acknowledgement that ends an exchange, if it is right.
    fn confirmed<'a>(
        &mut self,
        acknowledge: impl FnOnce(&mut InFlight<B>, PacketIdentifier) -> Outcome,
        identifier: PacketIdentifier,
    ) -> Result<Option<Event<'a, B>>, Violation> {
        match acknowledge(&mut self.in_flight, identifier) {
            Outcome::Confirmed => {
                self.acquit_when_empty();
                Ok(Some(Event::Published(identifier)))
            }
            Outcome::Wrong => Err(Violation::Unexpected),
            Outcome::Unknown | Outcome::Released => Ok(None),
        }
    }

    fn publish_begins<'a>(&mut self, head: Head<'a, B>) -> Result<Option<Event<'a, B>>, Violation> {
        if let Delivery::ExactlyOnce(identifier) = head.delivery {
            if self.received.contains(identifier) {
                self.incoming = Incoming::Duplicate(identifier);
                return Ok(None);
            }
            if self.received.is_full() {
                // A message is only sent again on a later connection (§4.4), and with a clean session there is no later
                // one that knows it: the oldest needs not be remembered.
                if !self.clean {
                    return Err(Violation::TooManyUnreleased);
                }
                self.received.forget_oldest();
            }
        }
        if head.has_control_characters {
            self.incoming = Incoming::Withholding(head.delivery);
            return Ok(None);
        }
        self.incoming = Incoming::Delivering(head.delivery);
        Ok(Some(Event::Message(head)))
    }

    fn publish_ends<'a>(&mut self) -> Result<Option<Event<'a, B>>, Violation> {
        let (delivery, event) = match core::mem::replace(&mut self.incoming, Incoming::None) {
            Incoming::None => return Ok(None),
            Incoming::Duplicate(identifier) => {
                self.reply(Reply::Pubrec(identifier));
                return Ok(None);
            }
            Incoming::Delivering(delivery) => (delivery, Event::MessageEnd),
            Incoming::Withholding(delivery) => (delivery, Event::Withheld),
        };
        match delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(identifier) => self.reply(Reply::Puback(identifier)),
            Delivery::ExactlyOnce(identifier) => {
                if !self.received.remember(identifier) {
                    return Err(Violation::TooManyUnreleased);
                }
                self.reply(Reply::Pubrec(identifier));
            }
        }
        Ok(Some(event))
    }

    /// `receive` stops while the queue is full, and each item adds one reply at most.
    fn reply(&mut self, reply: Reply) {
        let _ = self.replies.push_back(reply);
    }

    /// The next small packet to send: its length in `packet`; `None` when there is none.
    pub fn transmit(&mut self, packet: &mut [u8; LONGEST_CONTROL], now: Instant) -> Option<usize> {
        if self.keep_alive.take_ping(now) {
            return wire::write(packet, &[&PINGREQ]);
        }
        let (first, identifier) = match self.replies.pop_front()? {
            Reply::Puback(identifier) => (0x40, identifier),
            Reply::Pubrec(identifier) => (0x50, identifier),
            Reply::Pubrel(identifier) => (0x62, identifier),
            Reply::Pubcomp(identifier) => (0x70, identifier),
        };
        self.keep_alive.sent(now);
        wire::write(packet, &[&[first, 2], &identifier.to_be_bytes()])
    }

    /// Whether [`Session::transmit`] has something to give.
    pub fn has_replies(&self) -> bool {
        self.keep_alive.owes_ping() || !self.replies.is_empty()
    }

    /// Enters `publication` under a packet identifier of its own; [`Begun`] says what to do with it.
    ///
    /// # Errors
    /// [`NotMade::Full`] when as much is in flight as there may be; nothing has changed then.
    pub fn publish(&mut self, publication: &mut Publication<B>, now: Instant) -> Result<Begun, NotMade> {
        let qos = publication.qos();
        if qos == QoS::AtMostOnce {
            self.sent_unconfirmed(now);
            return Ok(Begun::Unconfirmed);
        }
        if self.in_flight.is_full() {
            return Err(NotMade::Full);
        }
        let waits = self.in_flight.must_wait(self.refusals.one_at_a_time());
        let identifier = self.take_identifier();
        self.in_flight.begin(identifier, qos, waits);
        publication.set_packet_identifier(identifier);
        if waits {
            return Ok(Begun::Wait(identifier));
        }
        self.keep_alive.sent(now);
        Ok(Begun::Send(identifier))
    }

    /// Bytes of a publication at QoS 0 were sent that the session has not seen: its header, or a piece of its payload.
    pub fn sent_unconfirmed(&mut self, now: Instant) {
        self.keep_alive.sent(now);
        self.refusals.sent_unconfirmed(now);
    }

    /// Takes a publication back after its packet was sent (`sent`), or when it was not or not completely.
    pub fn sent(&mut self, identifier: PacketIdentifier, publication: Publication<B>, sent: bool, now: Instant) {
        if sent {
            self.keep_alive.sent(now);
        }
        if self.in_flight.is_resent(identifier) {
            self.refusals.resent(now);
        }
        self.in_flight.sent(identifier, publication);
    }

    /// The next step of sending, on this connection, what the last one left unconfirmed. What is received between
    /// two steps is not lost, but its PUBRELs overtake those that are sent again.
    pub fn resend(&mut self, now: Instant) -> Resend<B> {
        if self.has_replies() {
            return Resend::Replies;
        }
        if self.is_held(now) {
            return Resend::Nothing;
        }
        match self.in_flight.again(self.refusals.one_at_a_time()) {
            None => Resend::Nothing,
            Some(Again::Pubrel(identifier)) => {
                self.refusals.resent(now);
                self.reply(Reply::Pubrel(identifier));
                Resend::Replies
            }
            Some(Again::Publish(identifier, publication)) => {
                self.keep_alive.sent(now);
                if self.in_flight.is_resent(identifier) {
                    self.refusals.resent(now);
                }
                Resend::Publish(identifier, publication)
            }
        }
    }

    /// Whether [`Session::resend`] has something to send. It may become so when an acknowledgement is received, and
    /// when time passes ([`Session::deadline`] says when).
    pub fn has_resend(&self, now: Instant) -> bool {
        self.decoder.is_accepted() && !self.is_held(now) && self.in_flight.has_due(self.refusals.one_at_a_time())
    }

    fn is_held(&self, now: Instant) -> bool {
        self.refusals.held_until().is_some_and(|until| now < until)
    }

    /// Encodes a SUBSCRIBE for one filter: its packet identifier and length.
    ///
    /// # Errors
    /// [`NotMade::TooLong`] when it does not fit `packet`.
    pub fn subscribe(
        &mut self,
        filter: &str,
        qos: QoS,
        packet: &mut [u8; LONGEST_CONTROL],
        now: Instant,
    ) -> Result<(PacketIdentifier, usize), NotMade> {
        self.request(SUBSCRIBE, filter, &[qos_value(qos)], packet, now)
    }

    /// Encodes an UNSUBSCRIBE for one filter: its packet identifier and length.
    ///
    /// # Errors
    /// [`NotMade::TooLong`] when it does not fit `packet`.
    pub fn unsubscribe(
        &mut self,
        filter: &str,
        packet: &mut [u8; LONGEST_CONTROL],
        now: Instant,
    ) -> Result<(PacketIdentifier, usize), NotMade> {
        self.request(UNSUBSCRIBE, filter, &[], packet, now)
    }

    fn request(
        &mut self,
        first: u8,
        filter: &str,
        options: &[u8],
        packet: &mut [u8; LONGEST_CONTROL],
        now: Instant,
    ) -> Result<(PacketIdentifier, usize), NotMade> {
        let identifier = self.take_identifier();
        let filter_length = u16::try_from(filter.len()).map_err(|_| NotMade::TooLong)?;
        let (field, bytes) = remaining_length(filter.len().saturating_add(options.len()).saturating_add(4));
        let parts: [&[u8]; 6] = [
            &[first],
            field.get(..bytes).unwrap_or_default(),
            &identifier.to_be_bytes(),
            &filter_length.to_be_bytes(),
            filter.as_bytes(),
            options,
        ];
        let length = wire::write(packet, &parts).ok_or(NotMade::TooLong)?;
        self.keep_alive.sent(now);
        self.refusals.requested(now);
        Ok((identifier, length))
    }

    /// When [`Session::tick`] must be called next, unless something arrives before.
    pub fn deadline(&self) -> Option<Instant> {
        let ping = self.keep_alive.ping_due().filter(|_| self.decoder.is_accepted());
        let stall = self.decoder.inside_packet().then(|| self.keep_alive.stalled_at());
        let held = self.refusals.held_until().filter(|_| self.in_flight.has_due(true));
        [ping, self.keep_alive.lost_at(), stall, held].into_iter().flatten().min()
    }

    /// Lets time pass: makes [`Session::transmit`] give out PINGREQ when it is due (always), and judges the broker's
    /// silence (only when `idle`: when the stream was looked at just now and had nothing).
    ///
    /// # Errors
    /// [`Lost`]: the connection must be closed.
    pub fn tick(&mut self, now: Instant, idle: bool) -> Result<(), Lost> {
        if idle {
            if self.decoder.inside_packet() && self.keep_alive.stalled_at() <= now {
                return Err(Lost::StalledPacket);
            }
            if self.keep_alive.lost_at().is_some_and(|at| at <= now) {
                return Err(Lost::NoPingResponse);
            }
        }
        if self.decoder.is_accepted() {
            self.keep_alive.tick(now);
        }
        self.refusals.tick(now);
        Ok(())
    }

    /// The stream is gone, in this way: what belonged to the connection is dropped, what belongs to the session is
    /// kept. The result is a publication that was dropped, because the broker has refused it by closing too often.
    pub fn connection_lost(&mut self, loss: Loss, now: Instant) -> Option<PacketIdentifier> {
        let unconfirmed = self.in_flight.has_resent();
        let refused = self.decoder.is_accepted() && self.refusals.connection_ended(loss, unconfirmed, now);
        let dropped = if refused { self.in_flight.refused() } else { None };
        self.acquit_when_empty();
        self.decoder = Decoder::new();
        self.replies.clear();
        self.incoming = Incoming::None;
        self.keep_alive = KeepAlive::OFF;
        self.in_flight.connection_lost();
        dropped
    }

    fn acquit_when_empty(&mut self) {
        if self.in_flight.is_empty() {
            self.refusals.acquit();
        }
    }

    /// Publications that the broker has not confirmed yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn take_identifier(&mut self) -> PacketIdentifier {
        loop {
            let identifier = self.next_identifier;
            self.next_identifier = identifier.next();
            if !self.in_flight.uses(identifier) {
                return identifier;
            }
        }
    }
}

/// The next step of a resumption.
#[derive(Debug)]
pub enum Resend<B> {
    /// Nothing now; [`Session::has_resend`] says when there is more.
    Nothing,
    /// [`Session::transmit`] has something to give: send it before going on, so that the order is kept.
    Replies,
    /// Send this packet, then call [`Session::sent`] with the identifier.
    Publish(PacketIdentifier, Publication<B>),
}

/// The two bytes of a DISCONNECT (§3.14).
pub const DISCONNECT: [u8; 2] = [0xE0, 0x00];
