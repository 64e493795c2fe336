//! What the session writes, byte for byte.

use super::super::session::{DISCONNECT, NotMade, Will};
use super::*;
use crate::bytes::Buffer;

fn connect(options: &ConnectOptions<'_>) -> Vec<u8> {
    let (packet, length) = Client::new().connect(options, START).unwrap();
    packet[..length].to_vec()
}

fn will<'a>(message: &'a [u8], qos: QoS, retain: bool) -> Option<Will<'a>> {
    Some(Will { topic: "w/t", message, qos, retain })
}

#[test]
fn connect_packets() {
    let bare = options(120, true);
    let full = ConnectOptions {
        client_id: "id",
        clean_session: false,
        keep_alive_s: 0x1234,
        username: Some("usr"),
        password: Some(b"p\0\xff"),
        will: will(b"gone", QoS::ExactlyOnce, true),
    };
    let rows: [(ConnectOptions<'_>, &[u8]); 8] = [
        (bare, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x78\x00\x01c"),
        (options(0, false), b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01c"),
        (ConnectOptions { client_id: "", ..bare }, b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x78\x00\x00"),
        (ConnectOptions { username: Some("u"), ..bare }, b"\x10\x10\x00\x04MQTT\x04\x82\x00\x78\x00\x01c\x00\x01u"),
        (
            ConnectOptions { username: Some("u"), password: Some(b"pw"), ..bare },
            b"\x10\x14\x00\x04MQTT\x04\xc2\x00\x78\x00\x01c\x00\x01u\x00\x02pw",
        ),
        (
            ConnectOptions { will: will(b"", QoS::AtMostOnce, false), ..bare },
            b"\x10\x14\x00\x04MQTT\x04\x06\x00\x78\x00\x01c\x00\x03w/t\x00\x00",
        ),
        (
            ConnectOptions { will: will(b"x", QoS::AtLeastOnce, false), ..bare },
            b"\x10\x15\x00\x04MQTT\x04\x0e\x00\x78\x00\x01c\x00\x03w/t\x00\x01x",
        ),
        (full, b"\x10\x23\x00\x04MQTT\x04\xf4\x12\x34\x00\x02id\x00\x03w/t\x00\x04gone\x00\x03usr\x00\x03p\x00\xff"),
    ];
    for (options, bytes) in rows {
        assert_eq!(connect(&options), bytes, "{options:?}");
    }
}

/// §3.1.2.3 and §3.1.3, written down a second time.
fn expected_connect(options: &ConnectOptions<'_>) -> Vec<u8> {
    let mut flags = if options.clean_session { 2 } else { 0 };
    let mut payload = text(options.client_id.as_bytes());
    if let Some(will) = options.will {
        flags += 4 + (qos_value(will.qos) * 8) + if will.retain { 32 } else { 0 };
        payload.extend(text(will.topic.as_bytes()));
        payload.extend(text(will.message));
    }
    if let Some(username) = options.username {
        flags += 128;
        payload.extend(text(username.as_bytes()));
    }
    if let Some(password) = options.password {
        flags += 64;
        payload.extend(text(password));
    }
    let mut body = b"\x00\x04MQTT\x04".to_vec();
    body.push(flags);
    body.extend_from_slice(&options.keep_alive_s.to_be_bytes());
    body.extend(payload);
    framed(0x10, &body)
}

#[test]
fn every_combination_of_connect_options() {
    let mut wills = vec![None];
    for (qos, retain) in LEVELS.into_iter().flat_map(|qos| [(qos, false), (qos, true)]) {
        wills.extend([will(b"", qos, retain), will(b"last words", qos, retain)]);
    }
    let credentials: [(Option<&str>, Option<&[u8]>); 4] =
        [(None, None), (Some("u"), None), (Some("u"), Some(b"")), (Some("me"), Some(b"secret"))];
    for clean_session in [false, true] {
        for client_id in ["", "w800"] {
            for (username, password) in credentials {
                for will in wills.iter().copied() {
                    let options =
                        ConnectOptions { client_id, clean_session, keep_alive_s: 7200, username, password, will };
                    assert_eq!(connect(&options), expected_connect(&options), "{options:?}");
                }
            }
        }
    }
}

#[test]
fn connect_of_every_length() {
    let longest = "x".repeat(65_535);
    for length in (0..300).chain([16_000, 16_371, 16_372, 65_534, 65_535]) {
        let options = ConnectOptions { client_id: &longest[..length], ..options(1, true) };
        assert_eq!(connect(&options), expected_connect(&options), "client identifier of {length}");
    }
    let will = Some(Will { topic: &longest, message: longest.as_bytes(), qos: QoS::AtMostOnce, retain: false });
    let password = Some(longest.as_bytes());
    let options = ConnectOptions { client_id: &longest, username: Some(&longest), password, will, ..options(1, true) };
    assert_eq!(connect(&options), expected_connect(&options));
}

#[test]
fn a_connect_that_cannot_be_made_changes_nothing() {
    let long = "x".repeat(65_536);
    let long_will = |topic, message| Some(Will { topic, message, qos: QoS::AtMostOnce, retain: false });
    let base = options(9, true);
    let mut client = connected(60);
    let before = std::format!("{client:?}");
    for options in [
        ConnectOptions { client_id: &long, ..base },
        ConnectOptions { username: Some(&long), ..base },
        ConnectOptions { username: Some("u"), password: Some(long.as_bytes()), ..base },
        ConnectOptions { will: long_will(&long, b""), ..base },
        ConnectOptions { will: long_will("t", long.as_bytes()), ..base },
    ] {
        assert_eq!(client.connect(&options, START).unwrap_err(), NotMade::TooLong);
    }
    assert_eq!(std::format!("{client:?}"), before);
}

#[derive(Debug)]
struct Nothing;

impl AsRef<[u8]> for Nothing {
    fn as_ref(&self) -> &[u8] {
        &[]
    }
}

impl AsMut<[u8]> for Nothing {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut []
    }
}

impl Buffer for Nothing {
    fn allocate(_: usize) -> Option<Self> {
        None
    }
}

#[test]
fn a_connect_without_memory_changes_nothing() {
    let mut client = Session::<Nothing>::new();
    let before = std::format!("{client:?}");
    assert_eq!(client.connect(&options(9, true), START).unwrap_err(), NotMade::NoMemory);
    assert_eq!(std::format!("{client:?}"), before);
}

#[test]
fn subscribe_and_unsubscribe() {
    let mut client = connected(0);
    let mut packet = [0; LONGEST_CONTROL];
    let rows: [(&str, QoS, &[u8]); 3] = [
        ("a/+", QoS::AtMostOnce, b"\x82\x08\x00\x01\x00\x03a/+\x00"),
        ("#", QoS::AtLeastOnce, b"\x82\x06\x00\x02\x00\x01#\x01"),
        ("é", QoS::ExactlyOnce, b"\x82\x07\x00\x03\x00\x02\xc3\xa9\x02"),
    ];
    for (filter, qos, bytes) in rows {
        let (identifier, length) = client.subscribe(filter, qos, &mut packet, START).unwrap();
        assert_eq!(&packet[..length], bytes);
        assert_eq!(u16::from(bytes[3]), identifier.get());
    }
    assert_eq!(client.unsubscribe("a/+", &mut packet, START), Ok((PacketIdentifier::new(4).unwrap(), 9)));
    assert_eq!(&packet[..9], b"\xa2\x07\x00\x04\x00\x03a/+");
}

#[test]
fn filters_of_every_length() {
    let mut packet = [0; LONGEST_CONTROL];
    let longest = "f".repeat(300);
    for length in 1..=300 {
        let filter = &longest[..length];
        let mut client = connected(0);
        let mut body = vec![0, 1];
        body.extend(text(filter.as_bytes()));
        body.push(1);
        let made = client.subscribe(filter, QoS::AtLeastOnce, &mut packet, START);
        check_request(made, 1, &packet, &framed(0x82, &body));
        body[1] = 2;
        body.pop();
        let made = client.unsubscribe(filter, &mut packet, START);
        check_request(made, 2, &packet, &framed(0xA2, &body));
    }
}

fn check_request(made: Result<(PacketIdentifier, usize), NotMade>, identifier: u16, packet: &[u8], expected: &[u8]) {
    if expected.len() > packet.len() {
        return assert_eq!(made, Err(NotMade::TooLong));
    }
    assert_eq!(made, Ok((PacketIdentifier::new(identifier).unwrap(), expected.len())));
    assert_eq!(&packet[..expected.len()], expected);
}

#[test]
fn replies() {
    let mut client = connected(0);
    let mut reply = |bytes: &[u8]| {
        let mut sent = vec![];
        feed(&mut client, bytes, START, &mut sent).unwrap();
        sent.extend(transmitted(&mut client, START));
        sent
    };
    assert_eq!(reply(b"\x30\x04\x00\x01tx"), b"");
    assert_eq!(reply(b"\x32\x06\x00\x01t\x12\x34x"), b"\x40\x02\x12\x34");
    assert_eq!(reply(b"\x34\x06\x00\x01t\xff\xffx"), b"\x50\x02\xff\xff");
    assert_eq!(reply(b"\x62\x02\xff\xff"), b"\x70\x02\xff\xff");
    assert_eq!(reply(b"\x50\x02\x00\x05"), b"\x62\x02\x00\x05");
    assert_eq!(reply(b"\xd0\x00"), b"");
    assert_eq!(DISCONNECT, [0xE0, 0]);
}

#[test]
fn ping() {
    let mut client = connected(1);
    client.tick(START.after(750), false).unwrap();
    assert_eq!(transmitted(&mut client, START.after(750)), b"\xc0\x00");
}

#[test]
fn published_packets() {
    let mut client = connected(0);
    assert_eq!(publish(&mut client, QoS::AtMostOnce, b"x", START), (0, b"\x30\x04\x00\x01tx".to_vec()));
    assert_eq!(publish(&mut client, QoS::AtLeastOnce, b"x", START), (1, b"\x32\x06\x00\x01t\x00\x01x".to_vec()));
    assert_eq!(publish(&mut client, QoS::ExactlyOnce, b"", START), (2, b"\x34\x05\x00\x01t\x00\x02".to_vec()));
    assert_eq!(client.in_flight(), 2);
}
