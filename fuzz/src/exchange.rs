//! The session without a model: any bytes of a broker's, any calls in any order. No panic, no packet that is none, no wait
//! in the past.

use w800_mqtt_core::mqtt::QoS;
use w800_mqtt_core::mqtt::connect::Will;
use w800_mqtt_core::mqtt::identifier::PacketIdentifier;
use w800_mqtt_core::mqtt::in_flight::MOST_IN_FLIGHT;
use w800_mqtt_core::mqtt::publication::{Publication, publish_header};
use w800_mqtt_core::mqtt::session::{Begun, ConnectOptions, LONGEST_CONTROL, Loss, Resend, Session};
use w800_mqtt_core::time::Instant;

use crate::session::Bytes;

/// Pieces of inputs: what happens, and what a broker sends (behind its length).
pub const WORDS: &[&[u8]] = &[
    b"C\x07\x04\x20\x02\0\0",
    b"C\x00\x04\x20\x02\x01\0",
    b"P\x01",
    b"P\x02",
    b"S",
    b"U",
    b"T\xff",
    b"L\0",
    b"L\x01",
    b"\x04\x40\x02\0\x01",
    b"\x04\x50\x02\0\x01",
    b"\x08\x34\x06\0\x01t\0\x01x",
    b"\x02\xd0\0",
];

struct Bench {
    session: Session<Bytes>,
    now: u64,
    up: bool,
    sending: Option<(PacketIdentifier, Publication<Bytes>)>,
}

/// A packet that a client may send: a type, and the length that it says.
fn check(packet: &[u8]) {
    let kind = packet[0] >> 4;
    assert!(matches!(kind, 1 | 3..=8 | 10 | 12), "{packet:?}");
    let (mut length, mut at) = (0, 1);
    loop {
        length |= usize::from(packet[at] & 127) << (7 * (at - 1));
        at += 1;
        if packet[at - 1] < 128 {
            break;
        }
    }
    assert_eq!(packet.len(), at + length, "{packet:?}");
}

impl Bench {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn connect(&mut self, choice: u8) {
        if self.up || self.sending.is_some() {
            return;
        }
        let will = Will { topic: "lwt", message: b"gone", qos: QoS::AtLeastOnce, retain: true };
        let options = ConnectOptions {
            client_id: if choice & 1 == 0 { "" } else { "w800" },
            clean_session: choice & 1 == 0,
            keep_alive_s: if choice & 2 == 0 { 0 } else { 20 },
            username: (choice & 4 != 0).then_some("user"),
            password: (choice & 4 != 0).then_some(b"pass".as_slice()),
            will: (choice & 8 != 0).then_some(will),
        };
        let (packet, length) = self.session.connect(&options, self.now()).unwrap();
        check(&packet.as_ref()[..length]);
        self.up = true;
    }

    fn publish(&mut self, choice: u8) {
        if !self.up || self.sending.is_some() || self.session.has_resend(self.now()) {
            return;
        }
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(choice) % 3];
        let mut publication = Publication::<Bytes>::new(b"topic", usize::from(choice), qos, choice > 127).unwrap();
        match self.session.publish(&mut publication, self.now()) {
            Ok(Begun::Unconfirmed) => check(publication.packet()),
            Ok(Begun::Send(identifier)) => {
                check(publication.packet());
                self.sending = Some((identifier, publication));
            }
            Ok(Begun::Wait(identifier)) => self.session.sent(identifier, publication, false, self.now()),
            Err(_) => assert_eq!(self.session.in_flight(), MOST_IN_FLIGHT),
        }
        let mut header = [0; 16];
        let length = publish_header(b"topic", usize::from(choice), false, &mut header).unwrap();
        assert_eq!(header[0] & 0xf0, 0x30);
        assert!(length >= 9);
        self.session.sent_unconfirmed(self.now());
    }

    fn request(&mut self, subscribes: bool) {
        let mut packet = [0; LONGEST_CONTROL];
        let made = if subscribes {
            self.session.subscribe("a/+/#", QoS::ExactlyOnce, &mut packet, self.now())
        } else {
            self.session.unsubscribe("a", &mut packet, self.now())
        };
        let (_, length) = made.unwrap();
        check(&packet[..length]);
    }

    fn give_back(&mut self) {
        if let Some((identifier, publication)) = self.sending.take() {
            self.session.sent(identifier, publication, self.up, self.now());
        }
    }

    /// All that is owed, in its order.
    fn send(&mut self) {
        let mut packet = [0; LONGEST_CONTROL];
        while self.up && self.sending.is_none() {
            match self.session.resend(self.now()) {
                Resend::Publish(identifier, publication) => {
                    check(publication.packet());
                    self.sending = Some((identifier, publication));
                    self.give_back();
                }
                Resend::Replies | Resend::Nothing => match self.session.transmit(&mut packet, self.now()) {
                    Some(length) => check(&packet[..length]),
                    None if self.session.has_resend(self.now()) => {}
                    None => return,
                },
            }
        }
    }

    fn lose(&mut self, choice: u8) {
        let loss = if choice == 0 { Loss::PeerClosed } else { Loss::Other };
        self.up = false;
        self.session.connection_lost(loss, self.now());
        self.give_back();
    }

    /// False where the connection has to end.
    fn receive(&mut self, stream: &[u8]) -> bool {
        let mut input = stream;
        for _ in 0..=4 * stream.len() + 4 {
            match self.session.receive(&mut input, self.now()) {
                Err(_) => return false,
                Ok(None) if input.is_empty() => return true,
                // It wants to answer before it takes more.
                Ok(None) => {
                    self.give_back();
                    self.send();
                }
                Ok(Some(_)) => {}
            }
        }
        panic!("it takes nothing and gives nothing: {stream:?}");
    }

    fn wait(&mut self, choice: u8) {
        self.now += u64::from(choice) * 100;
        if self.up && self.session.tick(self.now(), choice & 1 == 0).is_err() {
            self.lose(1);
        }
    }
}

/// A letter is something that happens; another byte is the length of what the broker sends next.
///
/// # Panics
/// A packet is none, or the session goes round in circles.
pub fn run(input: &[u8]) {
    let mut bench = Bench { session: Session::new(), now: 1_000_000, up: false, sending: None };
    let mut rest = input;
    let mut next = || {
        let (first, behind) = rest.split_first()?;
        rest = behind;
        Some(*first)
    };
    while let Some(byte) = next() {
        match byte {
            b'C' => bench.connect(next().unwrap_or(0)),
            b'P' => bench.publish(next().unwrap_or(0)),
            b'S' | b'U' if bench.up => bench.request(byte == b'S'),
            b'G' => bench.give_back(),
            b'T' => bench.wait(next().unwrap_or(0)),
            b'L' if bench.up => bench.lose(next().unwrap_or(0)),
            b'I' => bench.session.begin_identifiers_behind(u16::MAX - 2),
            b'O' => bench.send(),
            length => {
                let stream: Vec<u8> = (0..length % 64).map_while(|_| next()).collect();
                if bench.up && !bench.receive(&stream) {
                    bench.lose(0);
                }
            }
        }
        if let Some(deadline) = bench.session.deadline().filter(|_| bench.up) {
            // A wait that lasts for years would never end.
            assert!(bench.now().until(deadline) < 1_000_000_000);
        }
    }
}
