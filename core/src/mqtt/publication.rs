//! One outgoing PUBLISH: encoded once into memory of its own, payload in place (MQTT 3.1.1 §3.3).
//!
//! The header's size is known before the payload is, so a data phase writes straight into the packet, and a
//! resend after a reconnection only sets the DUP flag: a message is held once, never copied. A message at QoS 0 is not
//! sent again and needs not be held: [`publish_header`] is all that comes before its payload.

use super::identifier::PacketIdentifier;
pub use super::wire::NotMade;
use super::wire::{self, remaining_length};
use super::{QoS, qos_value};
use crate::bytes::Buffer;

/// The largest value of the remaining length field (§2.2.3).
const MOST_REMAINING: usize = 268_435_455;

const PUBLISH: u8 = 0x30;
const DUP: u8 = 0x08;

/// An encoded PUBLISH packet whose payload and packet identifier may still be filled in.
#[derive(Debug)]
pub struct Publication<B> {
    packet: B,
    payload_at: usize,
    qos: QoS,
}

/// What comes before the payload of a PUBLISH, as numbers.
struct Header {
    first: u8,
    length_field: [u8; 4],
    length_bytes: usize,
    topic_length: [u8; 2],
    /// Bytes from the first to the payload, the packet identifier included.
    size: usize,
}

impl Header {
    fn new(topic: &[u8], payload_length: usize, qos: QoS, retain: bool) -> Result<Self, NotMade> {
        let topic_length = u16::try_from(topic.len()).map_err(|_| NotMade::TooLong)?;
        let identifier_length = if qos == QoS::AtMostOnce { 0 } else { 2 };
        let variable = topic.len().saturating_add(2).saturating_add(identifier_length);
        let remaining = variable.saturating_add(payload_length);
        if remaining > MOST_REMAINING {
            return Err(NotMade::TooLong);
        }
        let (length_field, length_bytes) = remaining_length(remaining);
        Ok(Self {
            first: PUBLISH | (qos_value(qos) << 1) | u8::from(retain),
            length_field,
            length_bytes,
            topic_length: topic_length.to_be_bytes(),
            size: variable.saturating_add(length_bytes).saturating_add(1),
        })
    }

    /// Writes all but the packet identifier: how many bytes.
    fn write(&self, topic: &[u8], into: &mut [u8]) -> Result<usize, NotMade> {
        let length_field = self.length_field.get(..self.length_bytes).unwrap_or_default();
        wire::write(into, &[&[self.first], length_field, &self.topic_length, topic]).ok_or(NotMade::TooLong)
    }
}

/// Encodes what comes before the payload of a PUBLISH at QoS 0; `payload_length` bytes of payload must follow it. Its
/// length in `into`, which is 7 bytes at most and the topic.
///
/// # Errors
/// [`NotMade::TooLong`] when topic and payload exceed what a packet can carry, or the header exceeds `into`.
pub fn publish_header(topic: &[u8], payload_length: usize, retain: bool, into: &mut [u8]) -> Result<usize, NotMade> {
    Header::new(topic, payload_length, QoS::AtMostOnce, retain)?.write(topic, into)
}

impl<B: Buffer> Publication<B> {
    /// Allocates the packet for a payload of `payload_length` bytes (zeroes for now) and encodes its header.
    ///
    /// # Errors
    /// [`NotMade`] when it cannot be encoded or there is no memory for it; nothing is held then.
    pub fn new(topic: &[u8], payload_length: usize, qos: QoS, retain: bool) -> Result<Self, NotMade> {
        let header = Header::new(topic, payload_length, qos, retain)?;
        let packet = B::allocate(header.size.saturating_add(payload_length)).ok_or(NotMade::NoMemory)?;
        let mut publication = Self { packet, payload_at: header.size, qos };
        header.write(topic, publication.packet.as_mut())?;
        Ok(publication)
    }

    /// The place of the payload.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.packet.as_mut().get_mut(self.payload_at..).unwrap_or_default()
    }

    /// The whole packet as it goes to the network.
    pub fn packet(&self) -> &[u8] {
        self.packet.as_ref()
    }

    /// The QoS level that was asked for.
    pub const fn qos(&self) -> QoS {
        self.qos
    }

    /// Writes the packet identifier; does nothing at QoS 0, which has none (§2.3.1).
    pub fn set_packet_identifier(&mut self, identifier: PacketIdentifier) {
        if self.qos == QoS::AtMostOnce {
            return;
        }
        let at = self.payload_at.saturating_sub(2);
        if let Some(field) = self.packet.as_mut().get_mut(at..self.payload_at) {
            field.copy_from_slice(&identifier.to_be_bytes());
        }
    }

    /// Sets the DUP flag before a resend (§3.3.1.1).
    pub fn mark_duplicate(&mut self) {
        if let Some(first) = self.packet.as_mut().first_mut() {
            *first |= DUP;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    type Made = Publication<Vec<u8>>;

    fn identifier(value: u16) -> PacketIdentifier {
        PacketIdentifier::new(value).unwrap()
    }

    #[test]
    fn qos_0_has_no_identifier() {
        let mut made = Made::new(b"t/a", 2, QoS::AtMostOnce, true).unwrap();
        made.payload_mut().copy_from_slice(b"hi");
        made.set_packet_identifier(identifier(0x1234));
        assert_eq!(made.packet(), b"\x31\x07\x00\x03t/ahi");
    }

    #[test]
    fn qos_2_with_identifier_and_dup() {
        let mut made = Made::new(b"t", 1, QoS::ExactlyOnce, false).unwrap();
        made.payload_mut().copy_from_slice(b"x");
        made.set_packet_identifier(identifier(0x0102));
        assert_eq!(made.packet(), b"\x34\x06\x00\x01t\x01\x02x");
        made.mark_duplicate();
        assert_eq!(made.packet(), b"\x3c\x06\x00\x01t\x01\x02x");
    }

    #[test]
    fn remaining_length_boundaries() {
        for (payload, field) in [
            (124, &b"\x7f"[..]),
            (125, b"\x80\x01"),
            (16_380, b"\xff\x7f"),
            (16_381, b"\x80\x80\x01"),
            (2_097_148, b"\xff\xff\x7f"),
            (2_097_149, b"\x80\x80\x80\x01"),
        ] {
            let made = Made::new(b"t", payload, QoS::AtMostOnce, false).unwrap();
            assert_eq!(&made.packet()[1..=field.len()], field, "payload of {payload}");
            assert_eq!(made.packet().len(), 1 + field.len() + 3 + payload);
        }
    }

    #[test]
    fn refuses_what_no_packet_can_carry() {
        assert_eq!(Made::new(b"t", MOST_REMAINING, QoS::AtMostOnce, false).unwrap_err(), NotMade::TooLong);
        assert_eq!(Made::new(&[b't'; 65_536], 0, QoS::AtMostOnce, false).unwrap_err(), NotMade::TooLong);
        assert_eq!(Made::new(b"t", usize::MAX, QoS::AtMostOnce, false).unwrap_err(), NotMade::TooLong);
    }

    #[test]
    fn empty_payload() {
        let mut made = Made::new(b"t", 0, QoS::AtLeastOnce, false).unwrap();
        assert!(made.payload_mut().is_empty());
        made.set_packet_identifier(identifier(9));
        assert_eq!(made.packet(), b"\x32\x05\x00\x01t\x00\x09");
    }
    #[test]
    fn a_header_alone_is_the_begin_of_the_packet() {
        let topic = [b't'; 128];
        for payload in [0, 1, 124, 20_000, 2_097_152] {
            for retain in [false, true] {
                let mut header = [0; 135];
                let length = publish_header(&topic, payload, retain, &mut header).unwrap();
                let made = Made::new(&topic, payload, QoS::AtMostOnce, retain).unwrap();
                assert_eq!(header[..length], made.packet()[..made.packet().len() - payload]);
            }
        }
        let most = MOST_REMAINING - 2 - topic.len();
        let mut header = [0; 135];
        assert_eq!(publish_header(&topic, most, true, &mut header), Ok(135));
        assert_eq!(header[..7], *b"\x31\xff\xff\xff\x7f\x00\x80");
        assert_eq!(publish_header(&topic, most + 1, true, &mut header), Err(NotMade::TooLong));
        assert_eq!(publish_header(&topic, most, true, &mut header[..134]), Err(NotMade::TooLong));
    }
}
