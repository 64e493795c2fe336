//! Packet identifiers of incoming QoS 2 messages that were delivered and not yet released (MQTT 3.1.1 §4.3.3).

use super::identifier::PacketIdentifier;
use heapless::Vec;

/// How many QoS 2 messages a broker may leave unreleased at once in a session that it keeps. Brokers stop at 10 to 100
/// by default, but mosquitto before 2.0.13 forgets its own limit when a client is slow.
pub const MOST_UNRELEASED: usize = 128;

/// The identifiers between PUBREC and PUBREL.
#[derive(Debug, Default)]
pub struct Received(Vec<PacketIdentifier, MOST_UNRELEASED>);

impl Received {
    /// An empty set.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether a message with this identifier was already delivered.
    pub fn contains(&self, identifier: PacketIdentifier) -> bool {
        self.0.contains(&identifier)
    }

    /// Remembers a delivered message; `false` when the broker has left too many unreleased.
    pub fn remember(&mut self, identifier: PacketIdentifier) -> bool {
        self.contains(identifier) || self.0.push(identifier).is_ok()
    }

    /// Forgets the identifier at PUBREL.
    pub fn release(&mut self, identifier: PacketIdentifier) {
        self.0.retain(|known| *known != identifier);
    }

    /// Forgets the identifier that has been here for the longest time.
    pub fn forget_oldest(&mut self) {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
    }

    /// Forgets all, when the broker holds no session.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether another identifier can be remembered.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(value: u16) -> PacketIdentifier {
        PacketIdentifier::new(value).unwrap()
    }

    #[test]
    fn remembers_until_release() {
        let mut received = Received::new();
        let [seven, eight] = [7, 8].map(identifier);
        assert!(received.remember(seven) && received.remember(seven) && received.remember(eight));
        received.release(seven);
        assert!(!received.contains(seven) && received.contains(eight));
        received.clear();
        assert!(!received.contains(eight));
    }

    #[test]
    fn is_bounded() {
        let mut received = Received::new();
        for value in 1..=MOST_UNRELEASED as u16 {
            assert!(received.remember(identifier(value)));
        }
        let [one, two, other] = [1, 2, 60_000].map(identifier);
        assert!(received.is_full() && !received.remember(other));
        assert!(received.remember(two));
        received.forget_oldest();
        assert!(!received.contains(one) && received.contains(two) && received.remember(other));
    }
}
