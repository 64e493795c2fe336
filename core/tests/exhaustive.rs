//! Every input up to a size, against a second reading written here from the standard alone.
//!
//! | what | all of |
//! |---|---|
//! | remaining length, read (MQTT 3.1.1 §2.2.3) | fields of three bytes or fewer, and those of four whose bytes are of fifteen kinds |
//! | remaining length, written | payloads to 3,000,000 bytes, and those around the longest |
//! | escapes (contract, section 1) | texts of nine bytes or fewer of `\`, `"`, `,` and a letter |
//! | length of a frame, read (RFC 6455 §5.2) | fields of 7 and 16 bits, and those of 64 whose bytes are of five kinds |
//! | length of a frame, written | payloads to 200,000 bytes |
//! | packet identifiers (MQTT 3.1.1 §2.3.1) | each beginning; and each set of eight neighbours in flight, around the last one |
//!
//! The ring that keeps lines has its own in `port::ring`: every four steps on a ring of four bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod bytes;

use bytes::Bytes;
use w800_mqtt_core::at::{CommandId, command, split};
use w800_mqtt_core::mqtt::QoS;
use w800_mqtt_core::mqtt::decoder::{Decoder, Item, Violation};
use w800_mqtt_core::mqtt::publication::{NotMade, Publication, publish_header};
use w800_mqtt_core::mqtt::session::{Begun, Session};
use w800_mqtt_core::time::Instant;
use w800_mqtt_core::ws::frame;

/// Every sequence of `length` members of `alphabet`.
fn sequences<T: Copy>(alphabet: &[T], length: u32) -> impl Iterator<Item = Vec<T>> {
    let size = alphabet.len();
    (0..size.pow(length))
        .map(move |number| (0..length).map(|place| alphabet[number / size.pow(place) % size]).collect())
}

/// A decoder behind CONNACK.
fn accepted() -> Decoder<Bytes> {
    let mut decoder = Decoder::new();
    assert!(matches!(decoder.next(&mut &[0x20, 2, 0, 0][..]), Ok(Some(Item::Connack { code: 0, .. }))));
    decoder
}

/// What the decoder makes of `field` as the remaining length of a PUBLISH at QoS 0 with a topic of one byte: the
/// length; `None` where it wants more.
fn remaining_length_read(decoder: &mut Decoder<Bytes>, field: &[u8]) -> Result<Option<u32>, Violation> {
    let packet = [&[0x30], field].concat();
    if decoder.next(&mut &packet[..])?.is_some() {
        panic!("{field:?} completes nothing");
    }
    match decoder.next(&mut &[0, 1, b't'][..])? {
        Some(Item::Publish(head)) => Ok(Some(head.payload_length + 3)),
        _ => Ok(None),
    }
}

/// The same by the standard: a byte's low seven bits count 128 times those of the byte before it.
fn remaining_length_expected(field: &[u8]) -> Result<u32, Violation> {
    let value = field.iter().enumerate().map(|(place, byte)| u32::from(byte % 128) * 128_u32.pow(place as u32)).sum();
    let is_too_long = field.len() == 4 && field[3] >= 128;
    if is_too_long || value < 3 { Err(Violation::Length) } else { Ok(value) }
}

fn assert_remaining_length(field: &[u8]) {
    let read = remaining_length_read(&mut accepted(), field);
    assert_eq!(read, remaining_length_expected(field).map(Some), "{field:02x?}");
}

#[test]
fn a_remaining_length_is_read() {
    let more = |value: &u32| *value as u8 | 0x80;
    for last in 0..128 {
        assert_remaining_length(&[last]);
        for first in 0..128 {
            assert_remaining_length(&[more(&first), last]);
            for second in 0..128 {
                assert_remaining_length(&[more(&first), more(&second), last]);
            }
        }
    }
    let kinds: Vec<u8> = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 126, 127].into();
    for field in sequences(&kinds, 4) {
        let field = [field[0] | 0x80, field[1] | 0x80, field[2] | 0x80, field[3]];
        assert_remaining_length(&field);
        assert_remaining_length(&[field[0], field[1], field[2], field[3] | 0x80]);
    }
}

#[test]
fn a_remaining_length_is_written() {
    const LONGEST: usize = 268_435_455 - 3;
    let mut header = [0; 8];
    for payload in (0..3_000_000).chain(LONGEST - 1000..=LONGEST) {
        let length = publish_header(b"t", payload, false, &mut header).unwrap();
        let field = &header[1..length - 3];
        assert_eq!(remaining_length_expected(field), Ok(payload as u32 + 3), "{payload}");
        // In its shortest form.
        assert!(field.len() == 1 || *field.last().unwrap() > 0, "{field:02x?}");
        assert_eq!((header[0], &header[length - 3..length]), (0x30, &b"\x00\x01t"[..]));
    }
    assert_eq!(publish_header(b"t", LONGEST + 1, false, &mut header), Err(NotMade::TooLong));
}

#[test]
fn an_escaped_text_is_read_as_it_was_meant() {
    for length in 0..=9 {
        for text in sequences(br#"\",a"#, length) {
            let typed: Vec<u8> =
                text.iter().flat_map(|byte| if *byte == b'a' { vec![b'a'] } else { vec![b'\\', *byte] }).collect();
            let mut line = [&b"0,\"t\",\""[..], &typed, b"\",1,0"].concat();
            let values = split(command::row(CommandId::Pub), &mut line).unwrap().values().unwrap();
            assert_eq!(values.text(2), text);
            assert_eq!((values.int(3), values.int(4)), (1, 0));
        }
    }
}

/// What the decoder makes of a final binary frame's header with the second byte `second` and `extended` behind it.
fn frame_length_read(second: u8, extended: &[u8]) -> Result<usize, frame::Violation> {
    frame::Decoder::new().unframe(&mut [&[0x82, second], extended].concat())
}

/// A length in its shortest form, or not.
fn is_length(value: u64, least: u64) -> Result<usize, frame::Violation> {
    if (least..1 << 63).contains(&value) { Ok(0) } else { Err(frame::Violation::Length) }
}

#[test]
fn the_length_of_a_frame_is_read() {
    for length in 0..=u16::MAX {
        assert_eq!(frame_length_read(126, &length.to_be_bytes()), is_length(length.into(), 126), "{length}");
    }
    for field in sequences(&[0, 1, 0x7F, 0x80, 0xFF], 8) {
        let value = u64::from_be_bytes(field.clone().try_into().unwrap());
        assert_eq!(frame_length_read(127, &field), is_length(value, 0x1_0000), "{field:02x?}");
    }
    for masked in 128..=255 {
        assert_eq!(frame_length_read(masked, &[]), Err(frame::Violation::Masked));
    }
}

#[test]
fn a_frame_ends_where_its_length_says() {
    for length in (0..2_000).chain(65_530..65_540) {
        let header = frame::header(length, [0; 4]);
        // What a server sends has neither the mask's bit nor its key.
        let unmasked = [&[header[0], header[1] & 0x7F], &header[2..header.len() - 4]].concat();
        let payload = vec![b'x'; length];
        let mut bytes = [&unmasked[..], &payload, &[0x89, 0], &unmasked, &payload].concat();
        let mut decoder = frame::Decoder::new();
        assert_eq!(decoder.unframe(&mut bytes), Ok(2 * length), "{length}");
        assert!(decoder.owes_reply() && bytes[..2 * length].iter().all(|byte| *byte == b'x'), "{length}");
    }
}

#[test]
fn the_length_of_a_frame_is_written() {
    for length in 0..200_000_usize {
        let field = match u16::try_from(length) {
            Ok(short @ ..126) => vec![0x80 | short as u8],
            Ok(length) => [&[0x80 | 126], &length.to_be_bytes()[..]].concat(),
            Err(_) => [&[0x80 | 127], &(length as u64).to_be_bytes()[..]].concat(),
        };
        assert_eq!(frame::header(length, [1, 2, 3, 4]), [&[0x82], &field[..], &[1, 2, 3, 4]].concat()[..], "{length}");
    }
}

/// The packet identifier under which the session takes the next publication.
fn next_identifier(session: &mut Session<Bytes>) -> u16 {
    let mut publication = Publication::new(b"t", 0, QoS::AtLeastOnce, false).unwrap();
    let now = Instant::from_millis(0);
    let (Begun::Send(identifier) | Begun::Wait(identifier)) = session.publish(&mut publication, now).unwrap() else {
        panic!("a publication at QoS 1 has an identifier");
    };
    session.sent(identifier, publication, true, now);
    identifier.get()
}

/// `count` behind `identifier`, where 1 is behind 65,535.
fn behind(identifier: u16, count: u16) -> u16 {
    ((u32::from(identifier) + u32::from(count) + 65_534) % 65_535 + 1) as u16
}

#[test]
fn packet_identifiers_from_each_beginning() {
    for last in 0..=u16::MAX {
        let mut session = Session::new();
        session.begin_identifiers_behind(last);
        for count in 1..=3 {
            let expected = if last == 0 { count } else { behind(last, count) };
            assert_eq!(next_identifier(&mut session), expected, "behind {last}");
        }
    }
}

#[test]
fn no_packet_identifier_is_used_twice_in_flight() {
    // Four of eight neighbours at most are held, so that four more find room in flight.
    for held in (0..=u8::MAX).filter(|held| held.count_ones() <= 4) {
        for first in (65_530..=65_535).chain([1, 1000]) {
            let mut session = Session::new();
            let neighbours = (0..8).map(|place| behind(first, place));
            let mut in_flight: Vec<u16> = neighbours.filter(|at| held >> behind_index(first, *at) & 1 == 1).collect();
            for identifier in &in_flight {
                session.begin_identifiers_behind(behind(*identifier, 65_534));
                assert_eq!(next_identifier(&mut session), *identifier);
            }
            session.begin_identifiers_behind(behind(first, 65_534));
            for _ in 0..4 {
                let identifier = next_identifier(&mut session);
                assert!(identifier != 0 && !in_flight.contains(&identifier), "{identifier} beside {in_flight:?}");
                in_flight.push(identifier);
            }
        }
    }
}

/// How far `identifier` is behind `first`.
fn behind_index(first: u16, identifier: u16) -> u32 {
    (u32::from(identifier) + 65_535 - u32::from(first)) % 65_535
}
