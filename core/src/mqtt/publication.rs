//! One outgoing PUBLISH: encoded once into memory of its own, payload in place (MQTT 3.1.1 §3.3).
//!
//! The header's size is known before the payload is, so a data phase writes straight into the packet, and a
//! resend after a reconnection only sets the DUP flag: a message is held once, never copied.

use super::wire::{self, remaining_length};
use super::{QoS, qos_value};
use crate::bytes::Buffer;

/// The largest value of the remaining length field (§2.2.3).
const MOST_REMAINING: usize = 268_435_455;

const PUBLISH: u8 = 0x30;
const DUP: u8 = 0x08;

/// Why there is no publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// Topic and payload exceed what a packet can carry.
    TooLong,
    /// The store has no room for the packet.
    NoMemory,
}

/// An encoded PUBLISH packet whose payload and packet identifier may still be filled in.
#[derive(Debug)]
pub struct Publication<B> {
    packet: B,
    payload_at: usize,
    qos: QoS,
}

impl<B: Buffer> Publication<B> {
    /// Allocates the packet for a payload of `payload_length` bytes (zeroes for now) and encodes its header.
    ///
    /// # Errors
    /// [`NotMade`] when it cannot be encoded or there is no memory for it; nothing is held then.
    pub fn new(topic: &[u8], payload_length: usize, qos: QoS, retain: bool) -> Result<Self, NotMade> {
        let topic_length = u16::try_from(topic.len()).map_err(|_| NotMade::TooLong)?;
        let identifier_length = if qos == QoS::AtMostOnce { 0 } else { 2 };
        let variable = topic.len().saturating_add(2).saturating_add(identifier_length);
        let remaining = variable.saturating_add(payload_length);
        if remaining > MOST_REMAINING {
            return Err(NotMade::TooLong);
        }
        let (length_field, length_bytes) = remaining_length(remaining);
        let payload_at = variable.saturating_add(length_bytes).saturating_add(1);
        let packet = B::allocate(payload_at.saturating_add(payload_length)).ok_or(NotMade::NoMemory)?;
        let mut publication = Self { packet, payload_at, qos };
        let first = PUBLISH | (qos_value(qos) << 1) | u8::from(retain);
        let parts: [&[u8]; 4] =
            [&[first], length_field.get(..length_bytes).unwrap_or_default(), &topic_length.to_be_bytes(), topic];
        wire::write(publication.packet.as_mut(), &parts).ok_or(NotMade::TooLong)?;
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
    pub fn set_packet_identifier(&mut self, identifier: u16) {
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

    #[test]
    fn qos_0_has_no_identifier() {
        let mut made = Made::new(b"t/a", 2, QoS::AtMostOnce, true).unwrap();
        made.payload_mut().copy_from_slice(b"hi");
        made.set_packet_identifier(0x1234);
        assert_eq!(made.packet(), b"\x31\x07\x00\x03t/ahi");
    }

    #[test]
    fn qos_2_with_identifier_and_dup() {
        let mut made = Made::new(b"t", 1, QoS::ExactlyOnce, false).unwrap();
        made.payload_mut().copy_from_slice(b"x");
        made.set_packet_identifier(0x0102);
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
        made.set_packet_identifier(9);
        assert_eq!(made.packet(), b"\x32\x05\x00\x01t\x00\x09");
    }
}
