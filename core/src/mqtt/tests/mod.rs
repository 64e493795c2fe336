//! The session against everything a broker and a network may do.
//!
//! * [`encoding`]: what the session writes, byte for byte.
//! * [`broker`]: a broker with a memory of its own, which judges what it is sent.
//! * [`exchanges`]: session and broker through every interleaving of acknowledgement, loss and reconnection.
//! * [`odd`]: brokers that answer twice, early, late, or what was not asked.
//! * [`keep_alive`]: the same session with a clock.
//! * [`properties`]: any bytes, cut anywhere.
//! * [`refusals`]: a broker that refuses a message by closing.

mod broker;
mod encoding;
mod exchanges;
mod keep_alive;
mod odd;
mod properties;
mod refusals;

use super::QoS;
use super::decoder::{Delivery, Violation};
use super::identifier::PacketIdentifier;
use super::publication::Publication;
use super::qos_value;
use super::session::{Begun, ConnectOptions, Event, LONGEST_CONTROL, Loss, Session};
use crate::time::Instant;
use proptest::prelude::ProptestConfig;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

type Client = Session<Vec<u8>>;

const START: Instant = Instant::from_millis(1_000_000);

const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// Whether fewer cases are to do: the simulated chip, and the host that is compared with it, show only that the code for
/// the chip computes the same, and miri looks at each instruction. What holds in all cases the host's full run shows.
fn short() -> bool {
    cfg!(miri) || std::env::var_os("W800_SHORT_TESTS").is_some()
}

/// For a property that is tried in `all` cases: a tenth of them where fewer are to do.
fn config(all: u32) -> ProptestConfig {
    let cases = if short() { all / 10 } else { all };
    ProptestConfig {
        cases: cases.min(crate::share_under_miri(all)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// An event that outlives its input.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Happened {
    Connected(bool),
    Refused(u8),
    /// Topic, QoS and packet identifier of a message, and the payload length that its head announces.
    Message(String, u8, u16, u32),
    Payload(Vec<u8>),
    End,
    Withheld,
    Published(u16),
    Subscribed(u16, Option<u8>),
    Unsubscribed(u16),
}

fn happened(event: Event<'_, Vec<u8>>) -> Happened {
    match event {
        Event::Connected { session_present } => Happened::Connected(session_present),
        Event::Refused(code) => Happened::Refused(code),
        Event::Message(head) => {
            assert!(!head.has_control_characters);
            let (qos, identifier) = match head.delivery {
                Delivery::AtMostOnce => (0, 0),
                Delivery::AtLeastOnce(identifier) => (1, identifier.get()),
                Delivery::ExactlyOnce(identifier) => (2, identifier.get()),
            };
            let topic = core::str::from_utf8(head.topic.as_ref()).unwrap().to_string();
            Happened::Message(topic, qos, identifier, head.payload_length)
        }
        Event::Payload(piece) => Happened::Payload(piece.to_vec()),
        Event::MessageEnd => Happened::End,
        Event::Withheld => Happened::Withheld,
        Event::Published(identifier) => Happened::Published(identifier.get()),
        Event::Subscribed(identifier, granted) => Happened::Subscribed(identifier.get(), granted.map(qos_value)),
        Event::Unsubscribed(identifier) => Happened::Unsubscribed(identifier.get()),
    }
}

/// Feeds all of `bytes`; what happened. `sent` gets what the session must send before it reads on.
fn feed(client: &mut Client, bytes: &[u8], now: Instant, sent: &mut Vec<u8>) -> Result<Vec<Happened>, Violation> {
    let mut input = bytes;
    let mut seen: Vec<Happened> = vec![];
    loop {
        match client.receive(&mut input, now)? {
            Some(event) => match (happened(event), seen.last_mut()) {
                (Happened::Payload(more), Some(Happened::Payload(payload))) => payload.extend_from_slice(&more),
                (event, _) => seen.push(event),
            },
            None if input.is_empty() => return Ok(seen),
            None => {
                assert!(client.has_replies(), "the session neither reads on nor has anything to send");
                sent.extend(transmitted(client, now));
            }
        }
    }
}

/// Everything that the session has to send.
fn transmitted(client: &mut Client, now: Instant) -> Vec<u8> {
    let mut bytes = vec![];
    let mut packet = [0; LONGEST_CONTROL];
    while client.has_replies() {
        let length = client.transmit(&mut packet, now).expect("has_replies said so");
        bytes.extend_from_slice(&packet[..length]);
    }
    assert_eq!(client.transmit(&mut packet, now), None);
    bytes
}

fn options(keep_alive_s: u16, clean_session: bool) -> ConnectOptions<'static> {
    ConnectOptions { client_id: "c", clean_session, keep_alive_s, username: None, password: None, will: None }
}

/// A session whose first connection the broker has just accepted.
fn connected(keep_alive_s: u16) -> Client {
    let mut client = Client::new();
    reconnect(&mut client, keep_alive_s, false, START);
    client
}

fn reconnect(client: &mut Client, keep_alive_s: u16, session_present: bool, now: Instant) {
    client.connect(&options(keep_alive_s, false), now).unwrap();
    let seen = feed(client, &[0x20, 2, u8::from(session_present), 0], now, &mut vec![]);
    assert_eq!(seen, Ok(vec![Happened::Connected(session_present)]));
}

fn publication(qos: QoS, payload: &[u8]) -> Publication<Vec<u8>> {
    let mut publication = Publication::new(b"t", payload.len(), qos, false).unwrap();
    publication.payload_mut().copy_from_slice(payload);
    publication
}

/// Publishes above QoS 0, where nothing must be waited for: the identifier.
fn begin(client: &mut Client, publication: &mut Publication<Vec<u8>>, now: Instant) -> PacketIdentifier {
    match client.publish(publication, now).unwrap() {
        Begun::Send(identifier) => identifier,
        other => panic!("{other:?}"),
    }
}

/// Publishes and gives the publication back as sent: its identifier, 0 at QoS 0, and its packet.
fn publish(client: &mut Client, qos: QoS, payload: &[u8], now: Instant) -> (u16, Vec<u8>) {
    let mut publication = publication(qos, payload);
    if qos == QoS::AtMostOnce {
        assert_eq!(client.publish(&mut publication, now), Ok(Begun::Unconfirmed));
        return (0, publication.packet().to_vec());
    }
    let identifier = begin(client, &mut publication, now);
    let packet = publication.packet().to_vec();
    client.sent(identifier, publication, true, now);
    (identifier.get(), packet)
}

/// The connection is lost, and not because the peer has closed it.
fn lose(client: &mut Client) {
    assert_eq!(client.connection_lost(Loss::Other, START), None);
}

/// A packet of two bytes after the length: an acknowledgement.
fn acknowledgement(first: u8, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    vec![first, 2, high, low]
}

/// A PUBLISH as a broker encodes it; independent of the code under test.
fn incoming(topic: &str, qos: u8, flags: u8, identifier: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    if qos > 0 {
        body.extend_from_slice(&identifier.to_be_bytes());
    }
    body.extend_from_slice(payload);
    framed(0x30 | (qos << 1) | flags, &body)
}

fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    loop {
        let low = (left % 128) as u8;
        left /= 128;
        packet.push(if left > 0 { low + 128 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let mut field = (bytes.len() as u16).to_be_bytes().to_vec();
    field.extend_from_slice(bytes);
    field
}
