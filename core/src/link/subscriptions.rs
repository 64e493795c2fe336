//! What the host has subscribed to on one link (AT contract §3, SUB and UNSUB).

use super::state::State;
use crate::bytes::Buffer;
use crate::mqtt::identifier::PacketIdentifier;
use crate::mqtt::{QoS, qos_value};
use heapless::Vec;

/// Subscriptions of one link at most.
pub const MOST_SUBSCRIPTIONS: usize = 10;

/// One subscription.
#[derive(Debug)]
pub struct Subscription<B> {
    /// Topic filter, UTF-8.
    pub filter: B,
    /// The QoS that the host asked for.
    pub asked: QoS,
    /// The QoS that the broker granted; `None` when it has refused to subscribe again on a reconnection.
    pub granted: Option<QoS>,
    /// The packet identifier of a resubscription that is not answered yet.
    pending: Option<PacketIdentifier>,
    /// Whether the broker has granted it in the session that it holds now.
    held: bool,
}

/// What SUBACK says of a refusal (MQTT 3.1.1 §3.9.3).
const REFUSED: u8 = 0x80;

impl<B> Subscription<B> {
    /// What `AT+MQTTSUB?` shows as its QoS: the one granted, or 128 for a refusal.
    pub fn shown_qos(&self) -> u8 {
        self.granted.map_or(REFUSED, qos_value)
    }
}

/// What a command that subscribes has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscribeDecision {
    /// Nothing of the kind is there: subscribe.
    New,
    /// The same filter is there at another QoS, or was refused: subscribe again.
    Change,
    /// The same filter at the same QoS is there.
    Already,
    /// The list is full.
    Full,
}

/// The list, in the order of subscription.
#[derive(Debug)]
pub struct Subscriptions<B> {
    list: Vec<Subscription<B>, MOST_SUBSCRIPTIONS>,
    /// Whether there was any since the link was configured.
    ever: bool,
}

impl<B> Default for Subscriptions<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Subscriptions<B> {
    /// None.
    pub const fn new() -> Self {
        Self { list: Vec::new(), ever: false }
    }
}

impl<B: Buffer> Subscriptions<B> {
    /// Drops all, as if there had never been any.
    pub fn clear(&mut self) {
        self.list.clear();
        self.ever = false;
    }

    /// The state of a connected link that has these.
    pub fn state(&self) -> State {
        match (self.list.is_empty(), self.ever) {
            (false, _) => State::Subscribed,
            (true, true) => State::Unsubscribed,
            (true, false) => State::Connected,
        }
    }

    /// What a command that subscribes to `filter` at `qos` has to do.
    pub fn decide(&self, filter: &[u8], qos: QoS) -> SubscribeDecision {
        match self.list.iter().find(|known| known.filter.as_ref() == filter) {
            Some(known) if known.asked == qos && known.granted.is_some() => SubscribeDecision::Already,
            Some(_) => SubscribeDecision::Change,
            None if self.list.is_full() => SubscribeDecision::Full,
            None => SubscribeDecision::New,
        }
    }

    /// Whether `filter` is subscribed.
    pub fn contains(&self, filter: &[u8]) -> bool {
        self.list.iter().any(|known| known.filter.as_ref() == filter)
    }

    /// Enters what the broker has granted, in place of the same filter's older entry. `false` when the list is full.
    pub fn granted(&mut self, filter: B, asked: QoS, granted: QoS) -> bool {
        self.ever = true;
        if let Some(known) = self.list.iter_mut().find(|known| known.filter.as_ref() == filter.as_ref()) {
            known.asked = asked;
            known.granted = Some(granted);
            known.pending = None;
            known.held = true;
            return true;
        }
        let granted = Some(granted);
        self.list.push(Subscription { filter, asked, granted, pending: None, held: true }).is_ok()
    }

    /// Removes `filter`.
    pub fn remove(&mut self, filter: &[u8]) {
        self.list.retain(|known| known.filter.as_ref() != filter);
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Subscription<B>> {
        self.list.iter()
    }

    /// The `index`th of those that the broker has not granted in the session that it holds now.
    pub fn not_held(&self, index: usize) -> Option<&Subscription<B>> {
        self.list.iter().filter(|known| !known.held).nth(index)
    }

    /// The `index`th of [`Subscriptions::not_held`] is being subscribed to again under this packet identifier.
    pub fn resubscribing(&mut self, index: usize, identifier: PacketIdentifier) {
        if let Some(known) = self.list.iter_mut().filter(|known| !known.held).nth(index) {
            known.pending = Some(identifier);
        }
    }

    /// The broker's answer to a resubscription: the new QoS, or `None` for a refusal. What is refused stays on the
    /// list and is asked for again on every later connection. `true` when this was the refusal of one on the list.
    pub fn resubscribed(&mut self, identifier: PacketIdentifier, granted: Option<QoS>) -> bool {
        let Some(known) = self.list.iter_mut().find(|known| known.pending == Some(identifier)) else { return false };
        known.granted = granted;
        known.pending = None;
        known.held = granted.is_some();
        granted.is_none()
    }

    /// The broker has begun a new session: it has none of them until it grants them again.
    pub fn forgotten(&mut self) {
        for known in &mut self.list {
            known.held = false;
        }
    }

    /// Whether the broker has granted all of them in the session that it holds now.
    pub fn all_held(&self) -> bool {
        self.list.iter().all(|known| known.held)
    }

    /// Answers that were still to come will not.
    pub fn connection_lost(&mut self) {
        for known in &mut self.list {
            known.pending = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QoS::*;

    type List = Subscriptions<std::vec::Vec<u8>>;

    fn identifier(value: u16) -> PacketIdentifier {
        PacketIdentifier::new(value).unwrap()
    }

    #[test]
    fn states_follow_the_list() {
        let mut list = List::new();
        assert_eq!(list.state(), State::Connected);
        assert!(list.granted(b"a".to_vec(), AtMostOnce, AtMostOnce));
        assert_eq!(list.state(), State::Subscribed);
        list.remove(b"a");
        assert_eq!(list.state(), State::Unsubscribed);
    }

    #[test]
    fn decisions() {
        let mut list = List::new();
        assert_eq!(list.decide(b"f0", AtLeastOnce), SubscribeDecision::New);
        for n in 0..MOST_SUBSCRIPTIONS {
            assert!(list.granted(std::format!("f{n}").into_bytes(), AtLeastOnce, AtMostOnce));
        }
        assert_eq!(list.decide(b"f0", AtLeastOnce), SubscribeDecision::Already);
        assert_eq!(list.decide(b"f0", ExactlyOnce), SubscribeDecision::Change);
        assert_eq!(list.decide(b"f", AtLeastOnce), SubscribeDecision::Full);
        assert!(list.granted(b"f0".to_vec(), ExactlyOnce, ExactlyOnce));
        assert!(!list.granted(b"one too many".to_vec(), ExactlyOnce, ExactlyOnce));
        assert_eq!(list.iter().count(), MOST_SUBSCRIPTIONS);
    }

    #[test]
    fn a_refused_resubscription_stays_and_is_asked_for_again() {
        let mut list = List::new();
        for filter in [b"a", b"b"] {
            list.granted(filter.to_vec(), ExactlyOnce, ExactlyOnce);
        }
        list.forgotten();
        let [seven, eight, nine] = [7, 8, 9].map(identifier);
        list.resubscribing(0, seven);
        list.resubscribing(1, eight);
        assert!(list.resubscribed(eight, None), "tells who reports it");
        assert!(!list.resubscribed(seven, Some(AtMostOnce)));
        assert!(!list.resubscribed(nine, None), "not one of these");
        let shown: std::vec::Vec<_> = list.iter().map(Subscription::shown_qos).collect();
        assert_eq!((shown, list.state()), (std::vec![0, 128], State::Subscribed));
        assert_eq!(list.decide(b"b", ExactlyOnce), SubscribeDecision::Change, "the host may ask again");

        // A later connection, also one with the session: only what was refused is asked for, at the QoS of before.
        list.connection_lost();
        assert!(!list.all_held());
        let asked = list.not_held(0).map(|known| (&known.filter[..], known.asked));
        assert_eq!((asked, list.not_held(1).is_none()), (Some((&b"b"[..], ExactlyOnce)), true));
        list.resubscribing(0, nine);
        assert!(!list.resubscribed(nine, Some(AtLeastOnce)));
        assert!(list.all_held());
        assert_eq!(list.iter().map(Subscription::shown_qos).collect::<std::vec::Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_late_answer_does_not_undo_a_newer_one() {
        let mut list = List::new();
        list.granted(b"a".to_vec(), AtMostOnce, AtMostOnce);
        list.forgotten();
        list.resubscribing(0, identifier(7));
        list.granted(b"a".to_vec(), ExactlyOnce, ExactlyOnce);
        assert!(!list.resubscribed(identifier(7), None));
        assert_eq!(list.decide(b"a", ExactlyOnce), SubscribeDecision::Already);
    }
}
