//! The client's state machine: what the broker's packets mean and what must be sent (MQTT 3.1.1 §3, §4).
//!
//! A [`Session`] outlives its connections. Whoever owns the stream
//! 1. sends what [`Session::connect`] gives, feeds what arrives to [`Session::receive`] and acts on the [`Event`]s,
//! 2. sends what [`Session::transmit`] gives whenever there is something,
//! 3. calls [`Session::tick`] at [`Session::deadline`] when nothing has arrived until then,
//! 4. after [`Event::Connected`] sends what [`Session::resend`] gives,
//! 5. says [`Session::connection_lost`] when the stream is gone.

use super::decoder::{Decoder, Head, Item, Violation};
use super::in_flight::{Again, InFlight, Outcome};
use super::publication::Publication;
use super::received::Received;
use super::wire::{self, remaining_length};
use super::{QoS, qos_value};
use crate::bytes::Buffer;
use crate::time::Instant;
use heapless::Deque;
use mqttrs::{Connect, LastWill, Packet, Protocol};

/// A broker that owes an answer and is silent this long is lost, in milliseconds (AT contract §5).
pub const SILENCE_MS: u64 = 10_000;

/// The longest packet that [`Session::transmit`], [`Session::subscribe`] and [`Session::unsubscribe`] write, in bytes.
pub const LONGEST_CONTROL: usize = 160;

const SUBSCRIBE: u8 = 0x82;
const UNSUBSCRIBE: u8 = 0xA2;
const PINGREQ: [u8; 2] = [0xC0, 0x00];

/// Acknowledgements that may wait to be sent before reading must pause.
const MOST_PENDING: usize = 16;

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
    Message(Head<B>),
    /// The next bytes of its payload.
    Payload(&'a [u8]),
    /// It is complete.
    MessageEnd,
    /// The broker has confirmed this publication for good.
    Published(u16),
    /// The broker has answered this subscription; `None` is a refusal.
    Subscribed(u16, Option<QoS>),
    /// The broker has dropped this subscription.
    Unsubscribed(u16),
}

/// Why a connection must be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// No PINGRESP within [`SILENCE_MS`].
    NoPingResponse,
    /// A packet began and did not go on within [`SILENCE_MS`].
    StalledPacket,
}

/// Why a packet could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// No memory for it.
    NoMemory,
    /// It does not fit its packet type.
    TooLong,
    /// As much is in flight as there may be.
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Puback(u16),
    Pubrec(u16),
    Pubrel(u16),
    Pubcomp(u16),
}

/// What to do at the end of the message that is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    None,
    /// Being delivered at this QoS under this packet identifier.
    Delivering(QoS, u16),
    /// A QoS 2 message that was delivered before: only acknowledged again.
    Duplicate(u16),
}

/// One client's protocol state, through all its connections.
#[derive(Debug)]
pub struct Session<B> {
    decoder: Decoder<B>,
    in_flight: InFlight<B>,
    received: Received,
    replies: Deque<Reply, MOST_PENDING>,
    incoming: Incoming,
    last_identifier: u16,
    keep_alive_ms: u64,
    clean: bool,
    connected: bool,
    last_sent: Instant,
    last_received: Instant,
    /// When a PINGREQ became due that [`Session::transmit`] has not given out yet.
    ping_owed: Option<Instant>,
    /// When the oldest PINGREQ since the last PINGRESP was sent.
    ping_sent: Option<Instant>,
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
            last_identifier: 0,
            keep_alive_ms: 0,
            clean: false,
            connected: false,
            last_sent: Instant::from_millis(0),
            last_received: Instant::from_millis(0),
            ping_owed: None,
            ping_sent: None,
        }
    }

    /// Packet identifiers go on behind `last`. A broker that keeps the session across a reset of this client may still
    /// hold identifiers of before: begin somewhere else each time.
    pub fn begin_identifiers_behind(&mut self, last: u16) {
        self.last_identifier = last;
    }

    /// Begins a connection: encodes CONNECT, which must be the first thing sent. The second value is its length.
    ///
    /// # Errors
    /// [`NotMade`]; the session is as it was.
    pub fn connect(&mut self, options: &ConnectOptions<'_>, now: Instant) -> Result<(B, usize), NotMade> {
        let packet = encode_connect(options)?;
        self.connection_lost();
        self.keep_alive_ms = u64::from(options.keep_alive_s).saturating_mul(1000);
        self.clean = options.clean_session;
        self.last_sent = now;
        self.last_received = now;
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
            self.last_received = now;
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
                return Ok(matches!(self.incoming, Incoming::Delivering(..)).then_some(Event::Payload(piece)));
            }
            Item::PublishEnd => return self.publish_ends(),
            Item::Puback(identifier) => return confirmed(self.in_flight.acknowledged(identifier), identifier),
            Item::Pubcomp(identifier) => return confirmed(self.in_flight.completed(identifier), identifier),
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
            Item::Suback(identifier, granted) => return Ok(Some(Event::Subscribed(identifier, granted))),
            Item::Unsuback(identifier) => return Ok(Some(Event::Unsubscribed(identifier))),
            Item::Pingresp => self.ping_sent = None,
        }
        Ok(None)
    }

    fn connack<'a>(&mut self, session_present: bool, code: u8) -> Event<'a, B> {
        if code != 0 {
            return Event::Refused(code);
        }
        self.connected = true;
        // A broker that says it has kept what it was told to forget (§3.2.2.2) is not believed.
        let session_present = session_present && !self.clean;
        if !session_present {
            self.received.clear();
        }
        Event::Connected { session_present }
    }

    fn publish_begins<'a>(&mut self, head: Head<B>) -> Result<Option<Event<'a, B>>, Violation> {
        if head.qos == QoS::ExactlyOnce {
            if self.received.contains(head.identifier) {
                self.incoming = Incoming::Duplicate(head.identifier);
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
        self.incoming = Incoming::Delivering(head.qos, head.identifier);
        Ok(Some(Event::Message(head)))
    }

    fn publish_ends<'a>(&mut self) -> Result<Option<Event<'a, B>>, Violation> {
        match core::mem::replace(&mut self.incoming, Incoming::None) {
            Incoming::Duplicate(identifier) => {
                self.reply(Reply::Pubrec(identifier));
                return Ok(None);
            }
            Incoming::Delivering(QoS::AtLeastOnce, identifier) => self.reply(Reply::Puback(identifier)),
            Incoming::Delivering(QoS::ExactlyOnce, identifier) => {
                if !self.received.remember(identifier) {
                    return Err(Violation::TooManyUnreleased);
                }
                self.reply(Reply::Pubrec(identifier));
            }
            Incoming::Delivering(QoS::AtMostOnce, _) | Incoming::None => {}
        }
        Ok(Some(Event::MessageEnd))
    }

    /// `receive` stops while the queue is full, and each item adds one reply at most.
    fn reply(&mut self, reply: Reply) {
        let _ = self.replies.push_back(reply);
    }

    /// The next small packet to send: its length in `packet`; `None` when there is none.
    pub fn transmit(&mut self, packet: &mut [u8; LONGEST_CONTROL], now: Instant) -> Option<usize> {
        if self.ping_owed.take().is_some() {
            self.last_sent = now;
            self.ping_sent.get_or_insert(now);
            return wire::write(packet, &[&PINGREQ]);
        }
        let (first, identifier) = match self.replies.pop_front()? {
            Reply::Puback(identifier) => (0x40, identifier),
            Reply::Pubrec(identifier) => (0x50, identifier),
            Reply::Pubrel(identifier) => (0x62, identifier),
            Reply::Pubcomp(identifier) => (0x70, identifier),
        };
        self.last_sent = now;
        wire::write(packet, &[&[first, 2], &identifier.to_be_bytes()])
    }

    /// Whether [`Session::transmit`] has something to give.
    pub fn has_replies(&self) -> bool {
        self.ping_owed.is_some() || !self.replies.is_empty()
    }

    /// Enters `publication` under a packet identifier of its own; send its packet, then call [`Session::sent`].
    /// At QoS 0 there is nothing to keep and the identifier is 0.
    ///
    /// # Errors
    /// [`NotMade::Full`] when as much is in flight as there may be; nothing has changed then.
    pub fn publish(&mut self, publication: &mut Publication<B>, now: Instant) -> Result<u16, NotMade> {
        let identifier = match publication.qos() {
            QoS::AtMostOnce => 0,
            qos => {
                if self.in_flight.is_full() {
                    return Err(NotMade::Full);
                }
                let identifier = self.next_identifier();
                self.in_flight.begin(identifier, qos);
                identifier
            }
        };
        publication.set_packet_identifier(identifier);
        self.last_sent = now;
        Ok(identifier)
    }

    /// Takes a publication back after its packet was sent (`sent`) or sending it failed.
    pub fn sent(&mut self, identifier: u16, publication: Publication<B>, sent: bool, now: Instant) {
        if sent {
            self.last_sent = now;
        }
        self.in_flight.sent(identifier, publication);
    }

    /// The next step of sending again, on this connection, what the last one left unconfirmed. What is received between
    /// two steps is not lost, but its PUBRELs overtake those that are sent again.
    pub fn resend(&mut self, now: Instant) -> Resend<B> {
        if self.has_replies() {
            return Resend::Replies;
        }
        match self.in_flight.again() {
            None => Resend::Nothing,
            Some(Again::Pubrel(identifier)) => {
                self.reply(Reply::Pubrel(identifier));
                Resend::Replies
            }
            Some(Again::Publish(identifier, publication)) => {
                self.last_sent = now;
                Resend::Publish(identifier, publication)
            }
        }
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
    ) -> Result<(u16, usize), NotMade> {
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
    ) -> Result<(u16, usize), NotMade> {
        self.request(UNSUBSCRIBE, filter, &[], packet, now)
    }

    fn request(
        &mut self,
        first: u8,
        filter: &str,
        options: &[u8],
        packet: &mut [u8; LONGEST_CONTROL],
        now: Instant,
    ) -> Result<(u16, usize), NotMade> {
        let identifier = self.next_identifier();
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
        self.last_sent = now;
        Ok((identifier, length))
    }

    /// When [`Session::tick`] must be called next, unless something arrives before.
    pub fn deadline(&self) -> Option<Instant> {
        let stall = self.decoder.inside_packet().then(|| self.last_received.after(SILENCE_MS));
        let response = self.ping_sent.map(|sent| sent.max(self.last_received).after(SILENCE_MS));
        [self.ping_due(), response, stall].into_iter().flatten().min()
    }

    /// Lets time pass: makes [`Session::transmit`] give out PINGREQ when it is due (always), and judges the broker's
    /// silence (only when `idle`: when the stream was looked at just now and had nothing).
    ///
    /// # Errors
    /// [`Lost`]: the connection must be closed.
    pub fn tick(&mut self, now: Instant, idle: bool) -> Result<(), Lost> {
        if idle {
            if self.decoder.inside_packet() && self.last_received.until(now) >= SILENCE_MS {
                return Err(Lost::StalledPacket);
            }
            if self.ping_sent.is_some_and(|sent| sent.max(self.last_received).until(now) >= SILENCE_MS) {
                return Err(Lost::NoPingResponse);
            }
        }
        if self.ping_due().is_some_and(|due| due <= now) {
            self.ping_owed = Some(now);
        }
        Ok(())
    }

    /// Three quarters of the keep alive: the broker never sees the whole of it in silence (§3.1.2.10), not even while
    /// PINGRESP waits behind a long message. A PINGREQ that another task may have sent meanwhile is looked at again.
    fn ping_due(&self) -> Option<Instant> {
        let after = self.keep_alive_ms.saturating_sub(self.keep_alive_ms >> 2);
        (self.connected && after > 0).then(|| match self.ping_owed {
            None => self.last_sent.after(after),
            Some(owed) => owed.after(after.min(SILENCE_MS)),
        })
    }

    /// The stream is gone: what belonged to the connection is dropped, what belongs to the session is kept.
    pub fn connection_lost(&mut self) {
        self.decoder = Decoder::new();
        self.replies.clear();
        self.incoming = Incoming::None;
        self.connected = false;
        self.ping_owed = None;
        self.ping_sent = None;
        self.in_flight.connection_lost();
    }

    /// Publications that the broker has not confirmed yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn next_identifier(&mut self) -> u16 {
        loop {
            self.last_identifier = self.last_identifier.checked_add(1).unwrap_or(1);
            if !self.in_flight.uses(self.last_identifier) {
                return self.last_identifier;
            }
        }
    }
}

/// The next step of a resumption.
#[derive(Debug)]
pub enum Resend<B> {
    /// Everything has been sent again.
    Nothing,
    /// [`Session::transmit`] has something to give: send it before going on, so that the order is kept.
    Replies,
    /// Send this packet with its DUP flag, then call [`Session::sent`] with the identifier.
    Publish(u16, Publication<B>),
}

fn confirmed<'a, B>(outcome: Outcome, identifier: u16) -> Result<Option<Event<'a, B>>, Violation> {
    match outcome {
        Outcome::Confirmed => Ok(Some(Event::Published(identifier))),
        Outcome::Wrong => Err(Violation::Unexpected),
        Outcome::Unknown | Outcome::Released => Ok(None),
    }
}

/// The fixed bytes of a CONNECT: 5 of header, 10 of variable header (§3.1).
const CONNECT_OVERHEAD: usize = 15;

fn encode_connect<B: Buffer>(options: &ConnectOptions<'_>) -> Result<(B, usize), NotMade> {
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

/// The two bytes of a DISCONNECT (§3.14).
pub const DISCONNECT: [u8; 2] = [0xE0, 0x00];
