//! Properties: nothing depends on where the input was cut, what is sent is what an independent reader of RFC 6455
//! understands, and no bytes whatever can do harm.

use super::frame::{Decoder, Mask, Violation, header};
use super::handshake::{Refusal, Response};
use proptest::collection::vec;
use proptest::prelude::*;
use std::vec::Vec;

/// What a decoder has made of a stream.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    payload: Vec<u8>,
    /// Unmasked, the key left out.
    replies: Vec<(u8, Vec<u8>)>,
    closed: Option<u16>,
    violation: Option<Violation>,
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new();
    let mut outcome = Outcome::default();
    for piece in pieces {
        let mut buffer = piece.to_vec();
        match decoder.unframe(&mut buffer) {
            Ok(length) => outcome.payload.extend_from_slice(&buffer[..length]),
            Err(violation) => {
                outcome.violation = Some(violation);
                return outcome;
            }
        }
        if let Some(reply) = decoder.reply([1, 2, 3, 4]) {
            let (first, payload) = unmask(reply);
            outcome.replies.push((first, payload));
        }
    }
    outcome.closed = decoder.closed();
    outcome
}

/// The server's side, written for this test alone: first byte and payload of the one masked frame in `bytes`.
fn unmask(bytes: &[u8]) -> (u8, Vec<u8>) {
    assert_ne!(bytes[1] & 0x80, 0, "not masked");
    let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
    let (length, at) = match bytes[1] & 0x7F {
        126 => (big_endian(&bytes[2..4]), 4),
        127 => (big_endian(&bytes[2..10]), 10),
        length => (usize::from(length), 2),
    };
    let least = [(2, 0), (4, 126), (10, 65_536)].iter().find(|(end, _)| *end == at).unwrap().1;
    assert!(length >= least, "not the shortest form");
    let (key, payload) = bytes[at..].split_at(4);
    assert_eq!(payload.len(), length);
    (bytes[0], payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect())
}

/// A server's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let field = match length {
        0..=125 => std::vec![length as u8],
        126..=65_535 => std::vec![126, (length / 256) as u8, (length % 256) as u8],
        _ => [&[127][..], &(length as u64).to_be_bytes()].concat(),
    };
    [&[first], &field[..], payload].concat()
}

/// Control frames (first byte, payload) and the fragment of a message after them.
type Fragment = (Vec<(u8, Vec<u8>)>, Vec<u8>);

fn message() -> impl Strategy<Value = Vec<Fragment>> {
    let control = (prop_oneof![Just(0x89_u8), Just(0x8A)], vec(any::<u8>(), 0..=125));
    let data = prop_oneof![vec(any::<u8>(), 0..4), vec(any::<u8>(), 100..300)];
    vec((vec(control, 0..3), data), 1..4)
}

/// The stream of `messages`, what it carries, and the payloads of its pings.
fn stream(messages: &[Vec<Fragment>]) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let (mut bytes, mut payload, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    for message in messages {
        for (index, (controls, data)) in message.iter().enumerate() {
            for (first, content) in controls {
                bytes.extend(frame(*first, content));
                if *first == 0x89 {
                    pings.push(content.clone());
                }
            }
            let fin = if index + 1 == message.len() { 0x80 } else { 0 };
            let opcode = if index == 0 { 2 } else { 0 };
            bytes.extend(frame(fin | opcode, data));
            payload.extend_from_slice(data);
        }
    }
    (bytes, payload, pings)
}

/// `bytes` in pieces whose lengths are those of `lengths`, over and over.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Bytes among which headers are frequent.
fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let likely = prop::sample::select(std::vec![0x00, 0x02, 0x80, 0x82, 0x88, 0x89, 0x8A, 0x03, 0xE8, 1, 2, 126, 127]);
    vec(prop_oneof![3 => likely, 1 => any::<u8>()], 0..64)
}

/// A stream with everything in it, cut at every place and into single bytes.
#[test]
fn every_cut_of_a_stream() {
    let stream = [
        frame(0x02, b"ab"),
        frame(0x89, b"ping"),
        frame(0x00, b""),
        frame(0x8A, b"pong"),
        frame(0x80, &[b'c'; 130]),
        frame(0x82, b"d"),
        frame(0x88, b"\x03\xe8bye"),
        b"ignored".to_vec(),
    ]
    .concat();
    let expected = Outcome {
        payload: [&b"ab"[..], &[b'c'; 130], b"d"].concat(),
        replies: std::vec![(0x8A, b"ping".to_vec()), (0x88, b"\x03\xe8".to_vec())],
        closed: Some(1000),
        violation: None,
    };
    assert_eq!(decode(stream.chunks(1)), expected);
    for first in 0..stream.len() {
        for second in first..stream.len() {
            let mut outcome = decode([&stream[..first], &stream[first..second], &stream[second..]]);
            // A Close frame in the same piece takes the Pong's place.
            if outcome.replies.len() == 1 {
                outcome.replies.insert(0, (0x8A, b"ping".to_vec()));
            }
            assert_eq!(outcome, expected, "cut at {first} and {second}");
        }
    }
}

/// Every first two bytes, outside and inside a fragmented message, against the rules of §5 in other words.
#[test]
fn every_header() {
    for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
        for inside in [false, true] {
            let mut decoder = Decoder::new();
            if inside {
                decoder.unframe(&mut [0x02, 0x00]).unwrap();
            }
            let (opcode, length) = (first & 0x0F, second & 0x7F);
            let known = first & 0x70 == 0 && [0, 2, 8, 9, 10].contains(&opcode);
            let control = opcode < 8 || (first & 0x80 != 0 && length < 126);
            let order = opcode >= 8 || inside == (opcode == 0);
            let close = opcode != 8 || length != 1;
            let mut bytes = [first, second, 0x03];
            let accepted = decoder.unframe(&mut bytes).is_ok();
            // With a length of 0 the third byte begins another frame, one with a reserved opcode.
            let alone = length != 0 || opcode == 8;
            assert_eq!(
                accepted,
                known && control && order && close && second < 0x80 && alone,
                "{first:#04x} {second:#04x} {inside}"
            );
        }
    }
}

proptest! {
    #[test]
    fn cuts_do_not_matter(messages in vec(message(), 0..4), lengths in vec(1_usize..200, 1..8)) {
        let (bytes, payload, pings) = stream(&messages);
        let bytewise = decode(bytes.chunks(1));
        let every_ping: Vec<_> = pings.into_iter().map(|ping| (0x8A, ping)).collect();
        prop_assert_eq!(&bytewise, &Outcome { payload, replies: every_ping, closed: None, violation: None });
        let outcome = decode(cut(&bytes, &lengths));
        prop_assert_eq!(&outcome.payload, &bytewise.payload);
        prop_assert_eq!(outcome.replies.last(), bytewise.replies.last());
        let mut all = bytewise.replies.iter();
        prop_assert!(outcome.replies.iter().all(|reply| all.any(|other| other == reply)), "not in order");
        prop_assert_eq!(outcome.violation, None);
    }

    #[test]
    fn rubbish_does_no_harm(bytes in rubbish(), lengths in vec(1_usize..20, 1..8)) {
        let bytewise = decode(bytes.chunks(1));
        let outcome = decode(cut(&bytes, &lengths));
        prop_assert_eq!(outcome.violation, bytewise.violation);
        prop_assert_eq!(outcome.closed, bytewise.closed);
        prop_assert!(bytewise.payload.starts_with(&outcome.payload));
        prop_assert!(outcome.violation.is_some() || bytewise.payload == outcome.payload);
    }

    #[test]
    fn what_is_sent_is_understood(
        payload in prop_oneof![vec(any::<u8>(), 0..130), vec(any::<u8>(), 65_530..65_545)],
        key in any::<[u8; 4]>(),
        chunk in 1_usize..700,
    ) {
        let mut mask = Mask::new(key);
        let mut frame = header(payload.len(), key).to_vec();
        for chunk in payload.chunks(chunk) {
            let mut chunk = chunk.to_vec();
            mask.apply(&mut chunk);
            frame.extend(chunk);
        }
        prop_assert_eq!(unmask(&frame), (0x82, payload));
    }

    #[test]
    fn rubbish_is_no_response(bytes in vec(any::<u8>(), 0..64), keep in 0_usize..200, at in 0_usize..200) {
        let mut response = RESPONSE[..keep.min(RESPONSE.len())].to_vec();
        let at = at.min(response.len());
        response.splice(at..at, bytes);
        let whole = respond([&response[..]]);
        prop_assert_eq!(&respond(response.chunks(1)), &whole);
    }
}

const ACCEPT: [u8; 28] = *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nServer: x, y\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: mqtt\r\n\r\n\x82\x01a";

/// What a response leads to, and how many bytes it takes.
fn respond<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Result<bool, Refusal>, usize) {
    let mut response = Response::new(ACCEPT);
    let mut taken = 0;
    for piece in pieces {
        let mut input = piece;
        let result = response.receive(&mut input);
        taken += piece.len() - input.len();
        if result != Ok(false) {
            return (result, taken);
        }
        assert!(input.is_empty());
    }
    (Ok(false), taken)
}

#[test]
fn every_cut_of_a_response() {
    let end = RESPONSE.len() - 3;
    assert_eq!(respond(RESPONSE.chunks(1)), (Ok(true), end));
    for cut in 0..=RESPONSE.len() {
        let (front, back) = RESPONSE.split_at(cut);
        assert_eq!(respond([front, back]), (Ok(true), end), "cut at {cut}");
        let expected = if cut < end { (Ok(false), cut) } else { (Ok(true), end) };
        assert_eq!(respond([front]), expected, "only {cut}");
    }
}
