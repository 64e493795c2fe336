//! Finding the message that the broker refuses by closing (AT contract §5).
//!
//! MQTT 3.1.1 has no other way to refuse a PUBLISH than to close the connection (§3.3.5), and the session sends it
//! again on the next one, where it is refused again. The rule that finds it:
//! 1. The peer closes within [`REFUSAL_MS`] of something that was sent again, on two connections in a row.
//! 2. From then on, until nothing is in flight any more, one exchange at a time is sent again.
//! 3. The publication whose exchange the peer ends so [`MOST_REFUSALS`] times is dropped.
//!
//! What is no evidence never counts: silence, a network that is lost, a connection that this side closed, and a close
//! that something else may have caused, such as a SUBSCRIBE or a publication at QoS 0 that was sent just before.

use crate::time::Instant;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The peer closed it: FIN or RST, also inside TLS or a WebSocket.
    PeerClosed,
    /// Anything else: silence, no network, closed by this side.
    Other,
}

/// A close that comes this soon may be the answer to what was sent, in milliseconds.
pub const REFUSAL_MS: u64 = 3_000;

/// How often the peer closes on one publication before it is dropped.
pub const MOST_REFUSALS: u8 = 5;

/// After so many closes in a row what is in flight is sent one at a time.
const SUSPICIOUS: u8 = 2;

/// What is known of the reason why the peer closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusals {
    /// Connections in a row that the peer closed soon after something was sent again.
    in_a_row: u8,
    /// When something was last sent again on this connection.
    resent: Option<Instant>,
    /// When the last request was sent on this connection, while one is unanswered.
    requested: Option<Instant>,
    /// SUBSCRIBEs and UNSUBSCRIBEs that are unanswered on this connection.
    unanswered: u8,
    /// When something that nobody answers was last sent on this connection: a publication at QoS 0.
    unanswerable: Option<Instant>,
}

impl Refusals {
    pub const fn new() -> Self {
        Self { in_a_row: 0, resent: None, requested: None, unanswered: 0, unanswerable: None }
    }

    /// Whether one exchange at a time is to be sent again.
    pub const fn one_at_a_time(&self) -> bool {
        self.in_a_row >= SUSPICIOUS
    }

    /// Until when nothing may be sent again, so that a close shows what it answers: the answers to requests come
    /// first, for as long as they may be refused by closing.
    pub fn held_until(&self) -> Option<Instant> {
        self.requested.filter(|_| self.one_at_a_time()).map(|at| at.after(REFUSAL_MS))
    }

    /// Something in flight goes out again, or has gone out.
    pub fn resent(&mut self, now: Instant) {
        self.resent = Some(now);
    }

    /// A publication at QoS 0 goes out.
    pub fn sent_unconfirmed(&mut self, now: Instant) {
        self.unanswerable = Some(now);
    }

    /// A SUBSCRIBE or UNSUBSCRIBE goes out.
    pub fn requested(&mut self, now: Instant) {
        self.requested = Some(now);
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// A SUBACK or UNSUBACK has come.
    pub fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered == 0 {
            self.requested = None;
        }
    }

    /// Lets time pass: requests that are not answered by now are not refused by closing.
    pub fn tick(&mut self, now: Instant) {
        if self.requested.is_some_and(|at| at.until(now) >= REFUSAL_MS) {
            self.requested = None;
            self.unanswered = 0;
        }
    }

    /// Nothing is in flight any more: nobody is suspected.
    pub fn acquit(&mut self) {
        self.in_a_row = 0;
    }

    /// A connection that stood has ended, with something `unconfirmed` or not of what was sent again on it. `true`
    /// when the peer has refused what was sent alone.
    pub fn connection_ended(&mut self, loss: Loss, unconfirmed: bool, now: Instant) -> bool {
        let ended = core::mem::replace(self, Self { in_a_row: self.in_a_row, ..Self::new() });
        let answered = |at: &Instant| unconfirmed && loss == Loss::PeerClosed && at.until(now) <= REFUSAL_MS;
        let refused = ended.resent.filter(answered);
        if ended.one_at_a_time() {
            return refused.is_some_and(|at| ended.is_alone(at));
        }
        self.in_a_row = if refused.is_some() { ended.in_a_row.saturating_add(1) } else { 0 };
        false
    }

    /// Whether what was sent again at this time is the only thing that a close may have answered.
    fn is_alone(&self, resent: Instant) -> bool {
        [self.requested, self.unanswerable].into_iter().flatten().all(|other| other.until(resent) >= REFUSAL_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(1_000_000);

    /// Two connections that the peer closed `after` milliseconds after a resent publication.
    fn closed_twice(after: u64) -> Refusals {
        let mut refusals = Refusals::new();
        for _ in 0..2 {
            refusals.resent(START);
            assert!(!refusals.connection_ended(Loss::PeerClosed, true, START.after(after)));
        }
        refusals
    }

    #[test]
    fn two_closes_in_a_row() {
        assert!(closed_twice(0).one_at_a_time());
        assert!(closed_twice(3_000).one_at_a_time());
        assert!(!closed_twice(3_001).one_at_a_time());
        let between: [(Loss, bool, Option<u64>); 4] = [
            (Loss::Other, true, Some(0)),
            (Loss::PeerClosed, false, Some(0)),
            (Loss::PeerClosed, true, Some(3_001)),
            (Loss::PeerClosed, true, None),
        ];
        for (loss, unconfirmed, after) in between {
            let mut refusals = Refusals::new();
            for (loss, unconfirmed, after) in
                [(Loss::PeerClosed, true, Some(0)), (loss, unconfirmed, after), (Loss::PeerClosed, true, Some(0))]
            {
                if after.is_some() {
                    refusals.resent(START);
                }
                refusals.connection_ended(loss, unconfirmed, START.after(after.unwrap_or(0)));
            }
            assert!(!refusals.one_at_a_time(), "{loss:?} {unconfirmed} {after:?} is between them");
        }
    }

    #[test]
    fn a_close_with_another_explanation() {
        type Act = fn(&mut Refusals, Instant);
        let cases: [(&str, Act, Act, bool); 6] = [
            ("nothing else", |_, _| {}, |_, _| {}, true),
            ("an unanswered request before", |it, now| it.requested(now), |_, _| {}, false),
            ("an answered request before", |it, now| (it.requested(now), it.answered()).1, |_, _| {}, true),
            ("QoS 0 before", |it, now| it.sent_unconfirmed(now), |_, _| {}, false),
            ("QoS 0 after", |_, _| {}, |it, now| it.sent_unconfirmed(now), false),
            ("a request after", |_, _| {}, |it, now| it.requested(now), false),
        ];
        for (what, before, after, counts) in cases {
            let mut refusals = closed_twice(0);
            before(&mut refusals, START);
            refusals.resent(START.after(2_999));
            after(&mut refusals, START.after(3_000));
            assert_eq!(refusals.connection_ended(Loss::PeerClosed, true, START.after(3_001)), counts, "{what}");
        }
        let mut refusals = closed_twice(0);
        refusals.sent_unconfirmed(START);
        refusals.requested(START);
        refusals.resent(START.after(3_000));
        assert!(refusals.connection_ended(Loss::PeerClosed, true, START.after(3_001)), "they were answered otherwise");
    }

    #[test]
    fn requests_are_waited_for() {
        let mut refusals = Refusals::new();
        refusals.requested(START);
        assert_eq!(refusals.held_until(), None, "nobody is suspected");
        let mut refusals = closed_twice(0);
        refusals.requested(START);
        refusals.requested(START.after(5));
        refusals.answered();
        assert_eq!(refusals.held_until(), Some(START.after(3_005)));
        refusals.answered();
        assert_eq!(refusals.held_until(), None);
        refusals.requested(START);
        refusals.tick(START.after(2_999));
        assert_eq!(refusals.held_until(), Some(START.after(3_000)));
        refusals.tick(START.after(3_000));
        assert_eq!(refusals.held_until(), None, "but not for ever");
    }

    #[test]
    fn silence_and_a_lost_network_never_count() {
        let mut refusals = closed_twice(0);
        for _ in 0..100 {
            refusals.resent(START);
            assert!(!refusals.connection_ended(Loss::Other, true, START));
        }
        assert!(refusals.one_at_a_time());
        refusals.acquit();
        assert!(!refusals.one_at_a_time());
    }
}
