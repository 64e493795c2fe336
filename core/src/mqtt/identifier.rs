//! Packet identifiers (MQTT 3.1.1 §2.3.1).

use core::num::NonZeroU16;

/// A packet identifier: it joins a packet with its acknowledgements. 0 is none, so a packet without one has no value
/// of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketIdentifier(NonZeroU16);

impl PacketIdentifier {
    /// The first one.
    pub const FIRST: Self = Self(NonZeroU16::MIN);

    /// The identifier of this value; `None` for 0.
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Its value, 1 to 65,535.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// Its two bytes in a packet.
    pub const fn to_be_bytes(self) -> [u8; 2] {
        self.0.get().to_be_bytes()
    }

    /// The one after it; the first one after the last.
    #[must_use]
    pub fn next(self) -> Self {
        self.0.checked_add(1).map_or(Self::FIRST, Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_none_and_the_last_is_followed_by_the_first() {
        assert_eq!(PacketIdentifier::new(0), None);
        let last = PacketIdentifier::new(u16::MAX).unwrap();
        assert_eq!((last.next(), last.to_be_bytes()), (PacketIdentifier::FIRST, [0xFF, 0xFF]));
        assert_eq!(PacketIdentifier::FIRST.next().get(), 2);
    }
}
