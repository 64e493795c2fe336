//! TCP on the virtual wire (RFC 9293): how connections begin and end, and what was sent again.

use std::collections::VecDeque;

use super::event::{Event, Lane, Tone, Way};

/// Connections that are remembered; the board has fewer sockets.
const MOST_FLOWS: usize = 32;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A connection: the board's port, the other end.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Key {
    board_port: u16,
    peer: [u8; 4],
    peer_port: u16,
}

/// How far each direction has come.
#[derive(Debug)]
struct Flow {
    key: Key,
    next: [Option<u32>; 2],
    /// The board has ended its own.
    ended_by_board: bool,
}

/// A segment as far as it matters here.
#[derive(Debug)]
struct Segment {
    key: Key,
    sequence: u32,
    flags: u8,
    payload: u32,
    /// Of the payload.
    first: Option<u8>,
}

impl Segment {
    fn facts_of(&self, event: Event) -> Event {
        let [a, b, c, d] = self.key.peer;
        event
            .fact("Peer", format!("{a}.{b}.{c}.{d}:{}", self.key.peer_port))
            .fact("Board's port", self.key.board_port)
            .fact("Sequence number", self.sequence)
            .fact("Payload", format!("{} bytes", self.payload))
    }
}

/// What a bad network did to a frame, which need not be TCP.
pub fn fault(at: u64, way: Way, what: &str, bytes: &[u8]) -> Event {
    let event = Event::new(at, Lane::Tcp, way, Tone::Bad, what).fact("Frame", format!("{} bytes", bytes.len()));
    match parse(bytes, way) {
        Some(segment) => segment.facts_of(event),
        None => event,
    }
}

/// Where a frame from the board goes, and the first byte that it carries; `None` without one.
pub fn first_byte(bytes: &[u8]) -> Option<(u16, u8)> {
    let segment = parse(bytes, Way::Out)?;
    Some((segment.key.peer_port, segment.first?))
}

/// Watches all connections.
#[derive(Debug, Default)]
pub struct Watch {
    flows: VecDeque<Flow>,
}

impl Watch {
    /// What a frame tells; a data segment that comes for the first time tells nothing.
    pub fn frame(&mut self, at: u64, way: Way, bytes: &[u8]) -> Option<Event> {
        let segment = parse(bytes, way)?;
        let again = self.advance(&segment, way);
        let orderly = way == Way::Out || self.flows.iter().any(|flow| flow.key == segment.key && flow.ended_by_board);
        let (label, tone) = describe(segment.flags, again, orderly)?;
        Some(segment.facts_of(Event::new(at, Lane::Tcp, way, tone, label)))
    }

    /// Whether the segment brings nothing that was not sent before.
    fn advance(&mut self, segment: &Segment, way: Way) -> bool {
        let begins = segment.flags & (SYN | ACK) == SYN;
        let index = self.flows.iter().position(|flow| flow.key == segment.key);
        let flow = match index.and_then(|index| self.flows.get_mut(index)) {
            Some(flow) => flow,
            None => {
                self.flows.truncate(MOST_FLOWS.saturating_sub(1));
                self.flows.push_front(Flow { key: segment.key, next: [None, None], ended_by_board: false });
                match self.flows.front_mut() {
                    Some(flow) => flow,
                    None => return false,
                }
            }
        };
        let marks = u32::from(segment.flags & SYN != 0).saturating_add(u32::from(segment.flags & FIN != 0));
        let takes = segment.payload.saturating_add(marks);
        let end = segment.sequence.wrapping_add(takes);
        let [inward, outward] = &mut flow.next;
        let (next, other) = if way == Way::In { (inward, outward) } else { (outward, inward) };
        // A port that is used again begins anew.
        if begins && *next != Some(end) {
            (*next, *other) = (None, None);
            flow.ended_by_board = false;
        }
        flow.ended_by_board |= way == Way::Out && segment.flags & FIN != 0;
        let again = next.is_some_and(|next| takes > 0 && end.wrapping_sub(next).cast_signed() <= 0);
        if !again {
            *next = Some(end);
        }
        again
    }
}

/// `orderly`: an end is by the board, or answers the board's.
fn describe(flags: u8, again: bool, orderly: bool) -> Option<(&'static str, Tone)> {
    match flags & (SYN | FIN | RST | ACK) {
        _ if flags & RST != 0 => Some(("RST", Tone::Bad)),
        _ if again && flags & SYN != 0 => Some(("SYN again", Tone::Bad)),
        _ if again && flags & FIN != 0 => Some(("FIN again", Tone::Notable)),
        _ if again => Some(("retransmission", Tone::Bad)),
        SYN => Some(("SYN (connect)", Tone::Plain)),
        both if both == SYN | ACK => Some(("SYN ACK (connected)", Tone::Good)),
        _ if flags & FIN != 0 => Some(("FIN", if orderly { Tone::Plain } else { Tone::Notable })),
        _ => None,
    }
}

/// Ethernet, IPv4 without fragments, TCP.
fn parse(bytes: &[u8], way: Way) -> Option<Segment> {
    let packet = bytes.get(14..).filter(|_| bytes.get(12..14) == Some(&[0x08, 0x00]))?;
    let header = usize::from(packet.first()? & 0x0f).saturating_mul(4);
    let total = usize::from(number(packet, 2)?);
    if *packet.get(9)? != 6 || number(packet, 6)? & 0x3fff != 0 {
        return None;
    }
    let segment = packet.get(header..total)?;
    let payload = segment.len().saturating_sub(usize::from(segment.get(12)? >> 4).saturating_mul(4));
    let (source, destination) = (number(segment, 0)?, number(segment, 2)?);
    let (board_port, peer_port, peer) = match way {
        Way::Out => (source, destination, packet.get(16..)?.first_chunk()?),
        Way::In => (destination, source, packet.get(12..)?.first_chunk()?),
    };
    Some(Segment {
        key: Key { board_port, peer: *peer, peer_port },
        sequence: u32::from_be_bytes(*segment.get(4..)?.first_chunk()?),
        flags: *segment.get(13)?,
        payload: u32::try_from(payload).ok()?,
        first: segment.len().checked_sub(payload).and_then(|begin| segment.get(begin)).copied(),
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(way: Way, sequence: u32, flags: u8, payload: usize) -> Vec<u8> {
        let (board, peer) = ([10, 0, 2, 15], [10, 0, 2, 2]);
        let (from, to, ports) =
            if way == Way::Out { (board, peer, [0xc0, 0, 0x07, 0x5b]) } else { (peer, board, [0x07, 0x5b, 0xc0, 0]) };
        let total = u8::try_from(payload.saturating_add(40)).unwrap_or(u8::MAX);
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0, 0x45, 0, 0, total, 0, 0, 0x40, 0, 64, 6, 0, 0]);
        bytes.extend(from.iter().chain(&to).chain(&ports));
        bytes.extend(sequence.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
        bytes.resize(bytes.len().saturating_add(payload), b'x');
        bytes
    }

    #[test]
    fn what_a_connection_tells() {
        let mut watch = Watch::default();
        let mut labels = Vec::new();
        for (way, sequence, flags, payload) in [
            (Way::Out, u32::MAX, SYN, 0),
            (Way::In, 70, SYN | ACK, 0),
            (Way::Out, 0, ACK, 0),
            (Way::Out, 0, ACK, 20),
            (Way::Out, 20, ACK, 10),
            (Way::Out, 0, ACK, 20),
            (Way::In, 71, ACK | FIN, 0),
            (Way::In, 71, ACK | FIN, 0),
            (Way::Out, 30, ACK | RST, 0),
            (Way::Out, 5, SYN, 0),
            (Way::Out, 5, SYN, 0),
        ] {
            labels.extend(watch.frame(0, way, &frame(way, sequence, flags, payload)).map(|event| event.label));
        }
        let end = ["retransmission", "FIN", "FIN again", "RST", "SYN (connect)", "SYN again"];
        assert_eq!(labels, [&["SYN (connect)", "SYN ACK (connected)"], &end[..]].concat());
    }

    #[test]
    fn nothing_but_tcp_is_looked_at() {
        let mut watch = Watch::default();
        for length in 0..54 {
            let mut bytes = frame(Way::Out, 0, SYN, 0);
            bytes.truncate(length);
            assert!(watch.frame(0, Way::Out, &bytes).is_none());
        }
    }
}
