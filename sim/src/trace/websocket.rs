//! One direction of a WebSocket (RFC 6455): the HTTP that opens it, its frames, and the MQTT in them.

use super::event::{Event, Lane, Tone, Way, visible};
use super::mqtt;

/// What is kept of an HTTP head.
const HEAD_BYTES: usize = 4096;
/// A control frame's payload at most.
const CONTROL_BYTES: usize = 125;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// RFC 6455 §7.4.1.
const NORMAL_CLOSURE: u16 = 1000;

/// Reads one direction, from the first byte of its HTTP head.
#[derive(Debug, Default)]
pub struct Reader {
    head: Vec<u8>,
    head_over: bool,
    frame: Frame,
    mqtt: mqtt::Reader,
}

/// The frame that comes in.
#[derive(Debug, Default)]
struct Frame {
    header: Vec<u8>,
    key: [u8; 4],
    seen: usize,
    length: usize,
    control: Vec<u8>,
}

impl Reader {
    /// Takes the next bytes; `found` gets what was in them.
    pub fn take(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if self.head_over {
                rest = self.take_frame(at, way, rest, found);
                continue;
            }
            self.head.push(*first);
            rest = behind;
            if self.head.ends_with(b"\r\n\r\n") || self.head.len() == HEAD_BYTES {
                self.head_over = true;
                found(opening(at, way, &self.head));
            }
        }
    }

    fn take_frame<'a>(&mut self, at: u64, way: Way, bytes: &'a [u8], found: &mut dyn FnMut(Event)) -> &'a [u8] {
        let rest = self.frame.take_header(bytes);
        if !self.frame.has_header() {
            return rest;
        }
        let wanted = self.frame.length.saturating_sub(self.frame.seen);
        let (payload, rest) = rest.split_at_checked(wanted).unwrap_or((rest, &[]));
        let plain = self.frame.unmask(payload);
        match self.frame.opcode() {
            CONTINUATION | TEXT | BINARY => self.mqtt.take(at, way, &plain, found),
            _ => self.frame.control.extend(plain.iter().take(CONTROL_BYTES)),
        }
        if self.frame.seen == self.frame.length {
            found_control(at, way, &self.frame, found);
            self.frame = Frame::default();
        }
        rest
    }
}

impl Frame {
    fn opcode(&self) -> u8 {
        self.header.first().map_or(0, |first| first & 0x0f)
    }

    /// How long the header is as far as it has come.
    fn header_length(&self) -> usize {
        let Some(second) = self.header.get(1) else { return 2 };
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let key = if second & 0x80 == 0 { 0_usize } else { 4 };
        key.saturating_add(extended).saturating_add(2)
    }

    fn has_header(&self) -> bool {
        self.header.len() >= self.header_length()
    }

    fn take_header<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !self.has_header() {
            let Some((first, rest)) = bytes.split_first() else { break };
            self.header.push(*first);
            bytes = rest;
            if self.has_header() {
                self.read_header();
            }
        }
        bytes
    }

    fn read_header(&mut self) {
        let second = self.header.get(1).copied().unwrap_or(0);
        let keyed = second & 0x80 != 0;
        let end = self.header.len().saturating_sub(if keyed { 4 } else { 0 });
        let extended = self.header.get(2..end).unwrap_or_default();
        self.length = if extended.is_empty() {
            usize::from(second & 0x7f)
        } else {
            extended.iter().fold(0_usize, |length, byte| length.wrapping_shl(8) | usize::from(*byte))
        };
        self.key = keyed.then(|| self.header.last_chunk().copied()).flatten().unwrap_or_default();
    }

    fn unmask(&mut self, payload: &[u8]) -> Vec<u8> {
        let key = self.key.iter().cycle().skip(self.seen & 3);
        self.seen = self.seen.saturating_add(payload.len());
        payload.iter().zip(key).map(|(byte, key)| byte ^ key).collect()
    }
}

/// The first line says what is asked and what was answered.
fn opening(at: u64, way: Way, head: &[u8]) -> Event {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let tone = match way {
        Way::Out => Tone::Plain,
        Way::In if line.split(|byte| *byte == b' ').nth(1) == Some(b"101") => Tone::Good,
        Way::In => Tone::Bad,
    };
    Event::new(at, Lane::WebSocket, way, tone, visible(line, 128)).fact("Head", format!("{} bytes", head.len()))
}

fn found_control(at: u64, way: Way, frame: &Frame, found: &mut dyn FnMut(Event)) {
    let event = |name: &str, tone| Event::new(at, Lane::WebSocket, way, tone, name);
    match frame.opcode() {
        CLOSE => {
            let code = frame.control.first_chunk().map(|code| u16::from_be_bytes(*code));
            let name = code.map_or("Close".to_owned(), |code| format!("Close {code}"));
            let reason = frame.control.get(2..).unwrap_or_default();
            let orderly = way == Way::Out || code == Some(NORMAL_CLOSURE);
            let close = event(&name, if orderly { Tone::Plain } else { Tone::Notable });
            found(if reason.is_empty() { close } else { close.fact("Reason", visible(reason, CONTROL_BYTES)) });
        }
        PING => found(event("Ping", Tone::Plain)),
        PONG => found(event("Pong", Tone::Plain)),
        CONTINUATION | TEXT | BINARY => {}
        other => found(event(&format!("reserved opcode {other}"), Tone::Bad)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(way: Way, pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = Reader::default();
        let mut found = Vec::new();
        for piece in pieces {
            reader.take(0, way, piece, &mut |event| found.push(event.label));
        }
        found
    }

    #[test]
    fn masked_frames_hold_mqtt_packets_that_span_them() {
        let masked =
            |plain: &[u8]| -> Vec<u8> { plain.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(b, k)| b ^ k).collect() };
        let mut stream = b"GET /mqtt HTTP/1.1\r\nHost: h\r\n\r\n".to_vec();
        stream.extend(b"\x02\x83\x01\x02\x03\x04");
        stream.extend(masked(b"\x30\x05\0"));
        stream.extend(b"\x80\x84\x01\x02\x03\x04");
        stream.extend(masked(b"\x01txy"));
        stream.extend(b"\x88\x82\x01\x02\x03\x04");
        stream.extend(masked(&1000_u16.to_be_bytes()));
        let expected = ["GET /mqtt HTTP/1.1", "PUBLISH t QoS 0", "Close 1000"];
        assert_eq!(labels(Way::Out, &[&stream]), expected);
        assert_eq!(labels(Way::Out, &stream.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn long_frames_from_the_server() {
        let mut stream = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x82\x7e\x01\x00\x30\xfd\x01\0\x01t".to_vec();
        stream.resize(stream.len().saturating_add(250), b'x');
        stream.extend(b"\x89\0");
        assert_eq!(labels(Way::In, &[&stream]), ["HTTP/1.1 101 Switching Protocols", "PUBLISH t QoS 0", "Ping"]);
    }
}
