//! WebSocket's frames against a second reading of RFC 6455, which has the whole stream before it.

use w800_mqtt_core::ws::frame::{Decoder, Mask, close, header};

use crate::bytes::cut;

/// Pieces of inputs.
pub const WORDS: &[&[u8]] = &[
    b"\x82\x01a",
    b"\x02\x01b",
    b"\x80\x01c",
    b"\x00\x00",
    b"\x89\x02hi",
    b"\x8a\x00",
    b"\x88\x02\x03\xe8",
    b"\x82\x7e\x00\x7e",
    b"\x82\x7f\0\0\0\0\0\x01\0\0",
];

const KEY: [u8; 4] = [1, 2, 3, 4];

/// What a stream carries until it ends, is closed, or is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
struct Carried {
    payload: Vec<u8>,
    closed: Option<u16>,
    wrong: bool,
}

/// `None` where more bytes are needed.
fn length(field: u8, rest: &[u8]) -> Option<(u64, usize)> {
    match field {
        126 => Some((u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2)),
        127 => Some((u64::from_be_bytes(*rest.first_chunk()?), 8)),
        short => Some((u64::from(short), 0)),
    }
}

/// The code of a Close frame; `None` for one that may not be sent.
fn close_code(payload: &[u8]) -> Option<u16> {
    match *payload {
        [] => Some(1005),
        [high, low, ..] => {
            Some(u16::from_be_bytes([high, low])).filter(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999))
        }
        [_] => None,
    }
}

fn second_reading(stream: &[u8]) -> Carried {
    let mut carried = Carried::default();
    let (mut rest, mut fragmented) = (stream, false);
    while let Some((&first, behind)) = rest.split_first() {
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let control = opcode >= 8;
        carried.wrong = first & 0x70 != 0
            || !matches!(opcode, 0 | 2 | 8 | 9 | 10)
            || (control && !fin)
            || (!control && (opcode == 0) != fragmented);
        let Some((&second, behind)) = behind.split_first().filter(|_| !carried.wrong) else { return carried };
        if !control {
            fragmented = !fin;
        }
        carried.wrong = second & 0x80 != 0 || (control && second > 125);
        if carried.wrong {
            return carried;
        }
        let Some((length, field)) = length(second, behind) else { return carried };
        let shortest = match second {
            126 => length >= 126,
            127 => length >= 65_536 && length >> 63 == 0,
            _ => true,
        };
        carried.wrong = !shortest;
        if carried.wrong {
            return carried;
        }
        let body = &behind[field..];
        let whole = usize::try_from(length).ok().filter(|length| *length <= body.len());
        let payload = &body[..whole.unwrap_or(body.len())];
        if !control {
            carried.payload.extend(payload);
        }
        let Some(whole) = whole else { return carried };
        if opcode == 8 {
            carried.closed = close_code(payload);
            carried.wrong = carried.closed.is_none();
            return carried;
        }
        rest = &body[whole..];
    }
    carried
}

/// The one frame that a client may answer with: masked, whole, of at most 125 bytes.
fn check_reply(reply: &[u8]) {
    let [first, second, key @ ..] = reply else { panic!("{reply:?} is no frame") };
    assert!(matches!(first, 0x88 | 0x8a) && key.starts_with(&KEY));
    assert_eq!(usize::from(second & 0x7f) + 6, reply.len());
    assert!(second & 0x80 != 0 && reply.len() <= 131);
}

fn decode(stream: &[u8], size: usize) -> Carried {
    let mut decoder = Decoder::new();
    let mut carried = Carried::default();
    for piece in stream.chunks(size) {
        let mut buffer = piece.to_vec();
        match decoder.unframe(&mut buffer) {
            Ok(length) => carried.payload.extend(&buffer[..length]),
            Err(_) => {
                carried.wrong = true;
                return carried;
            }
        }
        if let Some(reply) = decoder.reply(KEY) {
            check_reply(reply);
        }
    }
    carried.closed = decoder.closed();
    carried
}

/// A client's frame around `payload`, masked in pieces, as a server reads it.
fn check_written(payload: &[u8], size: usize) {
    let head = header(payload.len(), KEY);
    let mut mask = Mask::new(KEY);
    let mut body = payload.to_vec();
    body.chunks_mut(size).for_each(|piece| mask.apply(piece));
    let [0x82, second, rest @ ..] = head.as_slice() else { panic!("{head:?} begins no binary frame") };
    let (length, field) = length(second & 0x7f, rest).unwrap();
    assert_eq!((length, &rest[field..]), (payload.len() as u64, &KEY[..]));
    assert!(
        second & 0x80 != 0
            && body.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).eq(payload.iter().copied())
    );
    let code = u16::from_be_bytes([0x03, payload.first().copied().unwrap_or(0)]);
    check_reply(&close(code, KEY));
}

/// The first byte says how the stream is cut.
///
/// # Panics
/// The two readings differ.
pub fn run(input: &[u8]) {
    let (size, stream) = cut(input);
    check_written(stream, size);
    let (found, second) = (decode(stream, size), second_reading(stream));
    assert_eq!(found.wrong, second.wrong);
    if found.wrong {
        // Of the piece in which the fault stands, nothing is handed on.
        assert!(second.payload.starts_with(&found.payload));
    } else {
        assert_eq!(found, second);
    }
}
