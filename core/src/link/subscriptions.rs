//! What the host has subscribed to on one link (AT contract §3, SUB and UNSUB).

use super::state::State;
use crate::bytes::Buffer;
use crate::mqtt::QoS;
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
    /// The QoS that the broker granted.
    pub granted: QoS,
    /// The packet identifier of a resubscription that is not answered yet.
    pending: Option<u16>,
    /// Whether the broker has granted it in the session that it holds now.
    held: bool,
}

/// What a wish to subscribe meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing of the kind is there: subscribe.
    New,
    /// The same filter is there at another QoS: subscribe again.
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
    /// The state of a connected link that has these.
    pub fn state(&self) -> State {
        match (self.list.is_empty(), self.ever) {
            (false, _) => State::Subscribed,
            (true, true) => State::Unsubscribed,
            (true, false) => State::Connected,
        }
    }

    /// What a wish to subscribe to `filter` at `qos` meets.
    pub fn wish(&self, filter: &[u8], qos: QoS) -> Wish {
        match self.list.iter().find(|known| known.filter.as_ref() == filter) {
            Some(known) if known.asked == qos => Wish::Already,
            Some(_) => Wish::Change,
            None if self.list.is_full() => Wish::Full,
            None => Wish::New,
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
            known.granted = granted;
            known.pending = None;
            known.held = true;
            return true;
        }
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

    /// The `index`th.
    pub fn get(&self, index: usize) -> Option<&Subscription<B>> {
        self.list.get(index)
    }

    /// The `index`th is being subscribed to again under this packet identifier.
    pub fn resubscribing(&mut self, index: usize, identifier: u16) {
        if let Some(known) = self.list.get_mut(index) {
            known.pending = Some(identifier);
        }
    }

    /// The broker's answer to a resubscription: the new QoS, or `None` for a refusal, which ends the subscription.
    pub fn resubscribed(&mut self, identifier: u16, granted: Option<QoS>) {
        if let Some(at) = self.list.iter().position(|known| known.pending == Some(identifier)) {
            match (granted, self.list.get_mut(at)) {
                (Some(qos), Some(known)) => {
                    known.granted = qos;
                    known.pending = None;
                    known.held = true;
                }
                _ => drop(self.list.remove(at)),
            }
        }
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
    fn wishes() {
        let mut list = List::new();
        assert_eq!(list.wish(b"f0", AtLeastOnce), Wish::New);
        for n in 0..MOST_SUBSCRIPTIONS {
            assert!(list.granted(std::format!("f{n}").into_bytes(), AtLeastOnce, AtMostOnce));
        }
        assert_eq!(list.wish(b"f0", AtLeastOnce), Wish::Already);
        assert_eq!(list.wish(b"f0", ExactlyOnce), Wish::Change);
        assert_eq!(list.wish(b"f", AtLeastOnce), Wish::Full);
        assert!(list.granted(b"f0".to_vec(), ExactlyOnce, ExactlyOnce));
        assert!(!list.granted(b"one too many".to_vec(), ExactlyOnce, ExactlyOnce));
        assert_eq!(list.iter().count(), MOST_SUBSCRIPTIONS);
    }

    #[test]
    fn a_refused_resubscription_ends() {
        let mut list = List::new();
        list.granted(b"a".to_vec(), ExactlyOnce, ExactlyOnce);
        list.granted(b"b".to_vec(), ExactlyOnce, ExactlyOnce);
        list.resubscribing(0, 7);
        list.resubscribing(1, 8);
        list.resubscribed(7, Some(AtMostOnce));
        list.resubscribed(8, None);
        list.resubscribed(9, None);
        assert_eq!(
            list.iter().map(|s| (s.filter.clone(), s.granted)).collect::<std::vec::Vec<_>>(),
            [(b"a".to_vec(), AtMostOnce)]
        );
    }

    #[test]
    fn a_late_answer_does_not_undo_a_newer_one() {
        let mut list = List::new();
        list.granted(b"a".to_vec(), AtMostOnce, AtMostOnce);
        list.resubscribing(0, 7);
        list.granted(b"a".to_vec(), ExactlyOnce, ExactlyOnce);
        list.resubscribed(7, None);
        assert_eq!(list.wish(b"a", ExactlyOnce), Wish::Already);
    }
}
