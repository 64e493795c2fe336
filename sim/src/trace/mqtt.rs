//! MQTT packets out of one direction of a byte stream (MQTT 3.1.1 §2). A password is never looked at.

use super::event::{Event, Lane, Tone, Way, visible};

/// What is kept of a packet behind its fixed header: a CONNECT's identifier and will fit.
const KEPT_BYTES: usize = 2048;
/// What is shown of a payload.
const SHOWN_BYTES: usize = 64;
const REMAINING_LENGTH_BYTES: usize = 4;

const NAMES: [&str; 16] = [
    "reserved 0",
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "reserved 15",
];

/// What the server says to CONNECT (§3.2.2.3).
const REFUSALS: [&str; 6] = [
    "accepted",
    "unacceptable protocol version",
    "identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorised",
];

/// A packet that is not complete yet.
#[derive(Debug, Default)]
struct Begun {
    first: u8,
    length_bytes: usize,
    length: usize,
    length_known: bool,
    seen: usize,
    body: Vec<u8>,
}

/// Reads one direction.
#[derive(Debug, Default)]
pub struct Reader {
    begun: Option<Begun>,
    lost: bool,
}

impl Reader {
    /// Takes the next bytes; `found` gets every packet that is complete.
    pub fn take(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if self.lost {
                return;
            }
            let Some(begun) = self.begun.as_mut() else {
                self.begun = Some(Begun { first: *first, ..Begun::default() });
                rest = behind;
                continue;
            };
            if !begun.length_known {
                rest = behind;
                if !begun.take_length(*first) {
                    self.lost = true;
                    found(Event::new(at, Lane::Mqtt, way, Tone::Bad, "no MQTT: remaining length"));
                }
            } else {
                rest = begun.take_body(rest);
            }
            if begun.is_complete() {
                found(begun.event(at, way));
                self.begun = None;
            }
        }
    }
}

impl Begun {
    fn take_length(&mut self, byte: u8) -> bool {
        let shift = u32::try_from(self.length_bytes.saturating_mul(7)).unwrap_or(0);
        self.length |= usize::from(byte & 0x7f).wrapping_shl(shift);
        self.length_bytes = self.length_bytes.saturating_add(1);
        self.length_known = byte & 0x80 == 0;
        self.length_known || self.length_bytes < REMAINING_LENGTH_BYTES
    }

    fn take_body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = self.length.saturating_sub(self.seen);
        let (mine, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        let room = KEPT_BYTES.saturating_sub(self.body.len());
        self.body.extend(mine.iter().take(room));
        self.seen = self.seen.saturating_add(mine.len());
        rest
    }

    fn is_complete(&self) -> bool {
        self.length_known && self.seen == self.length
    }

    fn event(&self, at: u64, way: Way) -> Event {
        let kind = self.first >> 4;
        let name = NAMES.get(usize::from(kind)).copied().unwrap_or_default();
        let whole = self.length.saturating_add(self.length_bytes).saturating_add(1);
        let event = Event::new(at, Lane::Mqtt, way, Tone::Plain, name).fact("Packet", format!("{whole} bytes"));
        let mut body = Body(&self.body);
        match kind {
            1 => connect(event, &mut body),
            2 => connack(event, &mut body),
            3 => publish(event, self.first, self.length, &mut body),
            4..=7 | 11 => identified(event, &mut body),
            8 | 10 => filters(event, kind == 8, &mut body),
            9 => suback(event, &mut body),
            _ => event,
        }
    }
}

/// Fields of a packet, from the front.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u16> {
        self.bytes(2)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::from(length))
    }

    fn text(&mut self) -> String {
        visible(self.string().unwrap_or_default(), 256)
    }
}

fn labelled(mut event: Event, more: &str) -> Event {
    event.label = format!("{} {more}", event.label);
    event
}

const fn yes(bit: bool) -> &'static str {
    if bit { "yes" } else { "no" }
}

fn connect(event: Event, body: &mut Body<'_>) -> Event {
    let _protocol = body.string();
    let _level = body.byte();
    let flags = body.byte().unwrap_or(0);
    let keep_alive = body.number().unwrap_or(0);
    let client = body.text();
    let event = labelled(event, &client)
        .fact("Client identifier", &client)
        .fact("Keep alive", format!("{keep_alive} s"))
        .fact("Clean session", yes(flags & 0x02 != 0));
    let event = if flags & 0x04 == 0 {
        event
    } else {
        let topic = body.text();
        let message = body.string().map_or(0, <[u8]>::len);
        event
            .fact("Will topic", topic)
            .fact("Will message", format!("{message} bytes"))
            .fact("Will QoS", flags >> 3 & 3)
            .fact("Will retain", yes(flags & 0x20 != 0))
    };
    let event = if flags & 0x80 == 0 { event } else { event.fact("User name", body.text()) };
    if flags & 0x40 == 0 { event } else { event.fact("Password", "not shown") }
}

fn connack(event: Event, body: &mut Body<'_>) -> Event {
    let present = body.byte().unwrap_or(0) & 1 != 0;
    let code = body.byte().unwrap_or(0);
    let meaning = REFUSALS.get(usize::from(code)).copied().unwrap_or("reserved code");
    let tone = if code == 0 { Tone::Good } else { Tone::Bad };
    let event = Event { tone, ..labelled(event, meaning) };
    event.fact("Return code", code).fact("Session present", yes(present))
}

fn publish(event: Event, first: u8, length: usize, body: &mut Body<'_>) -> Event {
    let qos = first >> 1 & 3;
    let (topic_bytes, topic) = body.string().map_or((0, String::new()), |topic| (topic.len(), visible(topic, 256)));
    let identifier = if qos == 0 { None } else { body.number() };
    let header = topic_bytes.saturating_add(if qos == 0 { 2 } else { 4 });
    let (dup, retain) = (first & 8 != 0, first & 1 != 0);
    let payload = length.saturating_sub(header);
    let id = identifier.map(|identifier| format!(" #{identifier}")).unwrap_or_default();
    let marks = format!("{}{}", if dup { " DUP" } else { "" }, if retain { " retain" } else { "" });
    let event = Event {
        tone: if dup { Tone::Notable } else { Tone::Plain },
        ..labelled(event, &format!("{topic} QoS {qos}{id}{marks}"))
    };
    let event = event.fact("Topic", topic).fact("QoS", qos);
    let event = identifier.into_iter().fold(event, |event, identifier| event.fact("Packet identifier", identifier));
    event
        .fact("DUP", yes(dup))
        .fact("Retain", yes(retain))
        .fact("Payload", format!("{payload} bytes"))
        .fact("Begins", visible(body.0, SHOWN_BYTES))
}

fn identified(event: Event, body: &mut Body<'_>) -> Event {
    match body.number() {
        Some(identifier) => labelled(event, &format!("#{identifier}")).fact("Packet identifier", identifier),
        None => Event { tone: Tone::Bad, ..event },
    }
}

fn filters(event: Event, with_qos: bool, body: &mut Body<'_>) -> Event {
    let mut event = identified(event, body);
    while let Some(filter) = body.string() {
        let filter = visible(filter, 256);
        event = labelled(event, &filter).fact("Filter", &filter);
        if with_qos {
            event = event.fact("QoS asked", body.byte().unwrap_or(0));
        }
    }
    event
}

fn suback(event: Event, body: &mut Body<'_>) -> Event {
    let mut event = identified(event, body);
    while let Some(code) = body.byte() {
        event = if code & 0x80 == 0 {
            labelled(event, &format!("QoS {code}")).fact("QoS granted", code)
        } else {
            Event { tone: Tone::Bad, ..labelled(event, "refused") }.fact("Return code", format!("0x{code:02x}"))
        };
    }
    event
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<Event> {
        let mut reader = Reader::default();
        let mut found = Vec::new();
        for piece in pieces {
            reader.take(0, Way::Out, piece, &mut |event| found.push(event));
        }
        found
    }

    #[test]
    fn connect_hides_its_password() {
        let packet = b"\x10\x1b\0\x04MQTT\x04\xc2\0\x3c\0\x04w800\0\x02me\0\x05pa55w";
        let events = read(&[packet]);
        assert_eq!(events[0].label, "CONNECT w800");
        assert!(events[0].facts.contains(&("User name", "me".to_owned())));
        assert!(!format!("{events:?}").contains("pa55w"));
    }

    #[test]
    fn packets_may_come_byte_by_byte_and_several_at_once() {
        let stream = b"\x3b\x08\0\x01t\0\x07abc\xd0\0\x90\x03\0\x09\x80";
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        let events = read(&bytes);
        assert_eq!(events, read(&[stream]));
        let labels: Vec<&str> = events.iter().map(|event| event.label.as_str()).collect();
        assert_eq!(labels, ["PUBLISH t QoS 1 #7 DUP retain", "PINGRESP", "SUBACK #9 refused"]);
        assert!(events[0].facts.contains(&("Payload", "3 bytes".to_owned())));
    }

    #[test]
    fn a_long_message_is_counted_and_not_kept() {
        let mut packet = b"\x30\x83\xe2\x09\0\x01t".to_vec();
        packet.resize(packet.len() + 160_000, b'x');
        let events = read(&[&packet]);
        assert!(events[0].facts.contains(&("Payload", "160000 bytes".to_owned())), "{events:?}");
        assert!(events[0].json().len() < 600);
    }

    #[test]
    fn what_is_no_mqtt_is_said_once() {
        let events = read(&[b"\x30\xff\xff\xff\xff\xff\x30\0", b"more"]);
        assert_eq!(events.len(), 1);
    }
}
