//! Frames (RFC 6455 §5) as a client reads and writes them.
//!
//! Received bytes are turned, in place, into what the binary frames among them carry. Where a frame or a message ends
//! is dropped: MQTT packets need not be aligned with it (MQTT 3.1.1 §6). Control frames are taken out, and what they
//! call for is made ready to be sent. What the standard forbids is a [`Violation`].

use core::cell::Cell;
use heapless::Vec;

/// The connection did what it was made for (§7.4.1).
pub const NORMAL: u16 = 1000;
/// The peer broke the protocol (§7.4.1).
pub const PROTOCOL_ERROR: u16 = 1002;
/// Stands for a Close frame without a status code; never sent (§7.4.1).
pub const NO_STATUS: u16 = 1005;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
// First bytes of unfragmented frames: FIN and an opcode (§5.2).
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// Bytes of the longest payload of a control frame (§5.5), which is also the longest whose length needs no extension.
const LONGEST_CONTROL: usize = 125;
/// Bytes before the payload of a masked control frame.
const CONTROL_HEADER: usize = 6;

/// What a server did that RFC 6455 or MQTT 3.1.1 §6 forbids. The connection is to be failed (§7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A reserved bit or opcode; no extension is ever negotiated here (§5.2).
    Reserved,
    /// A masked frame (§5.1).
    Masked,
    /// A control frame that is fragmented or carries more than 125 bytes (§5.5).
    Control,
    /// A continuation of nothing, or a new message inside a fragmented one (§5.4).
    Order,
    /// A text frame: MQTT is carried in binary frames (MQTT 3.1.1 §6).
    Text,
    /// A length not in its shortest form, or of more than 63 bits (§5.2).
    Length,
    /// A Close frame of one byte, or with a status code that may not be sent (§5.5.1, §7.4).
    Close,
}

/// The part of a frame whose next byte is awaited.
#[derive(Debug, Clone, Copy)]
enum FramePart {
    First,
    Length,
    /// So many bytes of an extended length are missing; `least` is the smallest that needs this form.
    Extended {
        missing: u8,
        least: u32,
    },
    Payload,
    Closed,
}

/// The reader of a server's frames. After a [`Violation`] it must not be used any more.
#[derive(Debug)]
pub struct Decoder {
    part: FramePart,
    /// The first byte of the frame that has begun.
    first: u8,
    /// Payload bytes of this frame that are still to come.
    left: u64,
    /// A message has begun whose final fragment has not.
    fragmented: bool,
    /// A control frame to be sent, or the payload of one that has not come completely.
    reply: [u8; CONTROL_HEADER + LONGEST_CONTROL],
    /// Bytes of its payload.
    length: u8,
    /// Its first byte, once it is to be sent.
    owed: Option<u8>,
    closed: Option<u16>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder for the first byte after the handshake.
    pub const fn new() -> Self {
        Self {
            part: FramePart::First,
            first: 0,
            left: 0,
            fragmented: false,
            reply: [0; CONTROL_HEADER + LONGEST_CONTROL],
            length: 0,
            owed: None,
            closed: None,
        }
    }

    /// Replaces received bytes, cut anywhere, by the application data among them: how many bytes, from the front of
    /// `buffer` on. What lies after a Close frame is ignored.
    ///
    /// Afterwards a [`reply`](Self::reply) may be owed and the connection may be [`closed`](Self::closed).
    ///
    /// # Errors
    /// The first [`Violation`] that the bytes show. What the same buffer held before it is lost.
    pub fn unframe(&mut self, buffer: &mut [u8]) -> Result<usize, Violation> {
        let cells = Cell::from_mut(buffer).as_slice_of_cells();
        let mut free = cells.iter();
        for cell in cells {
            if self.byte(cell.get())?
                && let Some(target) = free.next()
            {
                target.set(cell.get());
            }
        }
        Ok(cells.len().saturating_sub(free.len()))
    }

    /// Whether a control frame must be sent.
    pub const fn owes_reply(&self) -> bool {
        self.owed.is_some()
    }

    /// The control frame that is owed, header and all, masked with `key`: a Pong for the most recent Ping (§5.5.3), or
    /// the answer to a Close frame (§5.5.1). Each is given once.
    pub fn reply(&mut self, key: [u8; 4]) -> Option<&[u8]> {
        let first = self.owed.take()?;
        let (header, payload) = self.reply.split_first_chunk_mut::<CONTROL_HEADER>()?;
        let [a, b, c, d] = key;
        *header = [first, MASKED | self.length, a, b, c, d];
        Mask::new(key).apply(payload);
        self.reply.get(..CONTROL_HEADER.saturating_add(usize::from(self.length)))
    }

    /// The status code with which the server has closed the connection, or [`NO_STATUS`].
    pub const fn closed(&self) -> Option<u16> {
        self.closed
    }

    /// Whether `byte` is application data.
    fn byte(&mut self, byte: u8) -> Result<bool, Violation> {
        match self.part {
            FramePart::First => self.first(byte)?,
            FramePart::Length => self.length(byte)?,
            FramePart::Extended { missing, least } => self.extended(byte, missing, least)?,
            FramePart::Payload => return self.payload(byte),
            FramePart::Closed => {}
        }
        Ok(false)
    }

    fn first(&mut self, first: u8) -> Result<(), Violation> {
        match first {
            CLOSE | PING | PONG => {}
            0x08..=0x0A => return Err(Violation::Control),
            0x01 | 0x81 => return Err(Violation::Text),
            0x00 | 0x80 | 0x02 | 0x82 => {
                if self.fragmented == (first & !FIN != 0) {
                    return Err(Violation::Order);
                }
                self.fragmented = first & FIN == 0;
            }
            _ => return Err(Violation::Reserved),
        }
        self.first = first;
        self.part = FramePart::Length;
        Ok(())
    }

    fn length(&mut self, byte: u8) -> Result<(), Violation> {
        if byte & MASKED != 0 {
            return Err(Violation::Masked);
        }
        if usize::from(byte) > LONGEST_CONTROL && self.first >= CLOSE {
            return Err(Violation::Control);
        }
        self.left = 0;
        self.part = match byte {
            126 => FramePart::Extended { missing: 2, least: 126 },
            127 => FramePart::Extended { missing: 8, least: 0x1_0000 },
            length => {
                self.left = u64::from(length);
                return self.header_complete();
            }
        };
        Ok(())
    }

    fn extended(&mut self, byte: u8, missing: u8, least: u32) -> Result<(), Violation> {
        self.left = self.left << 8 | u64::from(byte);
        if missing > 1 {
            self.part = FramePart::Extended { missing: missing.saturating_sub(1), least };
            return Ok(());
        }
        if self.left < u64::from(least) || self.left >> 63 != 0 {
            return Err(Violation::Length);
        }
        self.header_complete()
    }

    fn header_complete(&mut self) -> Result<(), Violation> {
        if matches!(self.first, PING | CLOSE) {
            self.owed = None;
            self.length = 0;
        }
        self.part = FramePart::Payload;
        if self.left == 0 { self.frame_complete() } else { Ok(()) }
    }

    fn payload(&mut self, byte: u8) -> Result<bool, Violation> {
        if matches!(self.first, PING | CLOSE)
            && let Some(place) = self.reply.get_mut(CONTROL_HEADER.saturating_add(usize::from(self.length)))
        {
            *place = byte;
            self.length = self.length.saturating_add(1);
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.frame_complete()?;
        }
        Ok(self.first < CLOSE)
    }

    fn frame_complete(&mut self) -> Result<(), Violation> {
        self.part = FramePart::First;
        match self.first {
            PING => self.owed = Some(PONG),
            CLOSE => {
                self.closed = Some(self.status()?);
                self.length = self.length.min(2);
                self.owed = Some(CLOSE);
                self.part = FramePart::Closed;
            }
            _ => {}
        }
        Ok(())
    }

    /// The status code of the Close frame that has come (§5.5.1). Beside those that RFC 6455 defines, 1012 to 1014 are
    /// registered.
    fn status(&self) -> Result<u16, Violation> {
        let [_, _, _, _, _, _, high, low, ..] = self.reply;
        match (self.length, u16::from_be_bytes([high, low])) {
            (0, _) => Ok(NO_STATUS),
            (2.., code @ (1000..=1003 | 1007..=1014 | 3000..=4999)) => Ok(code),
            _ => Err(Violation::Close),
        }
    }
}

/// A masking key at work (§5.3). Each frame needs a new key that nobody can predict.
#[derive(Debug)]
pub struct Mask(u32);

impl Mask {
    /// A mask at the beginning of a payload.
    pub const fn new(key: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(key))
    }

    /// Masks the next `bytes` of the payload.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.0 as u8;
            self.0 = self.0.rotate_right(8);
        }
    }
}

/// The header of an unfragmented binary frame with `length` bytes of payload, to be masked with `key` (§5.2).
pub fn header(length: usize, key: [u8; 4]) -> Vec<u8, 14> {
    let long = (length as u64).to_be_bytes();
    let [.., high, low] = long;
    let short = [high, low];
    let (field, extended): (u8, &[u8]) = match length {
        0..126 => (low, &[]),
        126..=0xFFFF => (126, &short),
        _ => (127, &long),
    };
    let mut header = Vec::new();
    for part in &[&[BINARY, MASKED | field], extended, &key] {
        for byte in *part {
            // Cannot fail: the longest form has 14 bytes.
            let _ = header.push(*byte);
        }
    }
    header
}

/// A Close frame with status code `code`, masked with `key` (§5.5.1).
pub const fn close(code: u16, key: [u8; 4]) -> [u8; 8] {
    let [high, low] = code.to_be_bytes();
    let [a, b, c, d] = key;
    [CLOSE, MASKED | 2, a, b, c, d, high ^ a, low ^ b]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// The payload of `bytes` that come at once, or the violation.
    fn unframe(bytes: &[u8]) -> Result<vec::Vec<u8>, Violation> {
        unframe_with(&mut Decoder::new(), bytes)
    }

    fn unframe_with(decoder: &mut Decoder, bytes: &[u8]) -> Result<vec::Vec<u8>, Violation> {
        let mut buffer = bytes.to_vec();
        let length = decoder.unframe(&mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// The examples of §5.7, with the opcode of a binary frame in place of a text frame's.
    #[test]
    fn examples_received() {
        assert_eq!(unframe(b"\x82\x05Hello"), Ok(b"Hello".to_vec()));
        assert_eq!(unframe(b"\x02\x03Hel\x80\x02lo"), Ok(b"Hello".to_vec()));
        assert_eq!(unframe(b"\x81\x05Hello"), Err(Violation::Text));
        assert_eq!(unframe(b"\x01\x03Hel\x80\x02lo"), Err(Violation::Text));
        assert_eq!(unframe(b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), Err(Violation::Masked));
        let payload = vec![0xA5; 0x1_0000];
        let medium = [&[0x82, 0x7E, 0x01, 0x00], &payload[..256]].concat();
        assert_eq!(unframe(&medium), Ok(payload[..256].to_vec()));
        let long = [&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0], &payload[..]].concat();
        assert_eq!(unframe(&long), Ok(payload));
    }

    #[test]
    fn ping_is_answered_once() {
        let mut decoder = Decoder::new();
        assert_eq!(unframe_with(&mut decoder, b"\x89\x05Hello"), Ok(vec![]));
        assert!(decoder.owes_reply());
        assert_eq!(decoder.reply(KEY), Some(&b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..]));
        assert!(!decoder.owes_reply());
        assert_eq!(decoder.reply(KEY), None);
        assert_eq!(unframe_with(&mut decoder, b"\x89\x00"), Ok(vec![]));
        assert_eq!(decoder.reply(KEY), Some(&b"\x8a\x80\x37\xfa\x21\x3d"[..]));
    }

    #[test]
    fn the_longest_ping() {
        let mut decoder = Decoder::new();
        assert_eq!(unframe_with(&mut decoder, &[&[0x89, 125][..], &[0x55; 125]].concat()), Ok(vec![]));
        assert_eq!(decoder.reply([0; 4]), Some(&[&[0x8A, 0x80 | 125, 0, 0, 0, 0][..], &[0x55; 125]].concat()[..]));
    }

    #[test]
    fn only_the_newest_ping_is_answered() {
        let mut decoder = Decoder::new();
        assert_eq!(unframe_with(&mut decoder, b"\x89\x02ab\x82\x01x\x89\x01c\x8a\x01d"), Ok(b"x".to_vec()));
        assert_eq!(decoder.reply([0; 4]), Some(&b"\x8a\x81\0\0\0\0c"[..]));
        // Half a ping is not answered, nor the one whose place it has taken.
        assert_eq!(unframe_with(&mut decoder, b"\x89\x01a\x89\x02b"), Ok(vec![]));
        assert_eq!(decoder.reply([0; 4]), None);
        assert_eq!(unframe_with(&mut decoder, b"c"), Ok(vec![]));
        assert_eq!(decoder.reply([0; 4]), Some(&b"\x8a\x82\0\0\0\0bc"[..]));
    }

    #[test]
    fn pong_means_nothing() {
        let mut decoder = Decoder::new();
        assert_eq!(unframe_with(&mut decoder, b"\x8a\x03abc\x8a\x00\x82\x01x"), Ok(b"x".to_vec()));
        assert!(!decoder.owes_reply());
    }

    #[test]
    fn close_is_echoed_and_ends_it() {
        for (frame, code, reply) in [
            (&b"\x88\x02\x03\xe8"[..], 1000, &b"\x88\x82\0\0\0\0\x03\xe8"[..]),
            (b"\x88\x07\x03\xe9going", 1001, b"\x88\x82\0\0\0\0\x03\xe9"),
            (b"\x88\x00", NO_STATUS, b"\x88\x80\0\0\0\0"),
        ] {
            let mut decoder = Decoder::new();
            let bytes = [b"\x89\x01p\x02\x01a", frame, b"\x80\x01b\xff\xff\xff"].concat();
            assert_eq!(unframe_with(&mut decoder, &bytes), Ok(b"a".to_vec()));
            assert_eq!(decoder.closed(), Some(code));
            assert_eq!(decoder.reply([0; 4]), Some(reply));
            assert_eq!(decoder.reply([0; 4]), None);
            assert_eq!(unframe_with(&mut decoder, b"\x89\x00\xff"), Ok(vec![]));
            assert!(!decoder.owes_reply());
        }
    }

    #[test]
    fn status_codes() {
        for code in 0..=u16::MAX {
            let [high, low] = code.to_be_bytes();
            let mut decoder = Decoder::new();
            let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let expected = if allowed { Ok(0) } else { Err(Violation::Close) };
            assert_eq!(decoder.unframe(&mut [0x88, 2, high, low]), expected, "{code}");
            assert_eq!(decoder.closed(), allowed.then_some(code));
        }
    }

    #[test]
    fn violations() {
        for (bytes, violation) in [
            (&b"\xc2\x01a"[..], Violation::Reserved),
            (b"\xa2\x01a", Violation::Reserved),
            (b"\x92\x01a", Violation::Reserved),
            (b"\xc9\x00", Violation::Reserved),
            (b"\x83\x00", Violation::Reserved),
            (b"\x07\x00", Violation::Reserved),
            (b"\x8b\x00", Violation::Reserved),
            (b"\x0f\x00", Violation::Reserved),
            (b"\x89\x80\0\0\0\0", Violation::Masked),
            (b"\x09\x00", Violation::Control),
            (b"\x08\x00", Violation::Control),
            (b"\x0a\x00", Violation::Control),
            (b"\x89\x7e\x00\x7e", Violation::Control),
            (b"\x88\x7f", Violation::Control),
            (b"\x8a\x7e", Violation::Control),
            (b"\x80\x01a", Violation::Order),
            (b"\x00\x01a", Violation::Order),
            (b"\x82\x01a\x80\x01b", Violation::Order),
            (b"\x02\x01a\x80\x01b\x80\x01c", Violation::Order),
            (b"\x02\x01a\x82\x01b", Violation::Order),
            (b"\x02\x00\x02\x00", Violation::Order),
            (b"\x02\x01a\x81\x01b", Violation::Text),
            (b"\x82\x7e\x00\x7d", Violation::Length),
            (b"\x82\x7e\x00\x00", Violation::Length),
            (b"\x82\x7f\0\0\0\0\0\0\xff\xff", Violation::Length),
            (b"\x82\x7f\0\0\0\0\0\0\0\0", Violation::Length),
            (b"\x82\x7f\x80\0\0\0\0\x01\0\0", Violation::Length),
            (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", Violation::Length),
            (b"\x88\x01\x03", Violation::Close),
            (b"\x88\x02\x03\xed", Violation::Close),
        ] {
            assert_eq!(unframe(bytes), Err(violation), "{bytes:x?}");
        }
    }

    #[test]
    fn empty_frames_and_fragments() {
        assert_eq!(unframe(b"\x82\x00\x82\x00\x82\x01a"), Ok(b"a".to_vec()));
        assert_eq!(unframe(b"\x02\x00\x00\x00\x89\x00\x00\x01a\x80\x00\x82\x01b"), Ok(b"ab".to_vec()));
        assert_eq!(unframe(b""), Ok(vec![]));
    }

    /// More than any memory holds: nothing but the count is kept.
    #[test]
    fn the_longest_frame() {
        let mut decoder = Decoder::new();
        let bytes = b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffabc\x82\x01";
        assert_eq!(unframe_with(&mut decoder, bytes), Ok(b"abc\x82\x01".to_vec()));
        assert_eq!(unframe_with(&mut decoder, b"\x88\x00"), Ok(b"\x88\x00".to_vec()));
    }

    #[test]
    fn headers_sent() {
        for (length, field) in [
            (0, &[0x80][..]),
            (1, &[0x81]),
            (125, &[0xFD]),
            (126, &[0xFE, 0, 126]),
            (127, &[0xFE, 0, 127]),
            (256, &[0xFE, 1, 0]),
            (65_535, &[0xFE, 0xFF, 0xFF]),
            (65_536, &[0xFF, 0, 0, 0, 0, 0, 1, 0, 0]),
            (268_435_460, &[0xFF, 0, 0, 0, 0, 0x10, 0, 0, 4]),
        ] {
            assert_eq!(header(length, KEY), [&[0x82], field, &KEY].concat()[..], "{length}");
        }
    }

    /// The masked example of §5.7, in two pieces.
    #[test]
    fn masking() {
        for cut in 0..=5 {
            let mut bytes = *b"Hello";
            let (front, back) = bytes.split_at_mut(cut);
            let mut mask = Mask::new(KEY);
            mask.apply(front);
            mask.apply(back);
            assert_eq!(bytes, [0x7F, 0x9F, 0x4D, 0x51, 0x58]);
        }
    }

    #[test]
    fn close_sent() {
        assert_eq!(close(NORMAL, [0; 4]), *b"\x88\x82\0\0\0\0\x03\xe8");
        assert_eq!(close(PROTOCOL_ERROR, KEY), [0x88, 0x82, 0x37, 0xFA, 0x21, 0x3D, 0x34, 0x10]);
    }

    #[test]
    fn size() {
        assert!(size_of::<Decoder>() <= 168, "{}", size_of::<Decoder>());
    }
}
