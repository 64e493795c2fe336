//! The pause before an automatic reconnection: 1, 2, 4 … 60 s, each ±20 % (AT contract §5).

/// The longest pause before jitter, in seconds.
const LONGEST_S: u32 = 60;

/// A connection that has stood this long has proved that the broker takes this client, in milliseconds.
const PROVED_MS: u64 = 30_000;

/// Milliseconds to wait before attempt `attempt` (0 is the first after the loss).
///
/// `random` is any 32-bit random number; it spreads the result evenly over ±20 %, so that a broker's restart is
/// not followed by all its clients at once.
fn pause_ms(attempt: u32, random: u32) -> u32 {
    let seconds = 1_u32.checked_shl(attempt).map_or(LONGEST_S, |s| s.min(LONGEST_S));
    let permille = (random % 401).saturating_add(800);
    seconds.saturating_mul(permille)
}

/// How many pauses there were since a connection stood for long. CONNACK alone proves nothing: a broker may close at
/// the first packet after it, each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    pauses: u32,
}

impl Backoff {
    /// No pause yet.
    pub const fn new() -> Self {
        Self { pauses: 0 }
    }

    /// A connection has ended that stood for `standing_ms` milliseconds since its CONNACK: the pause before the next
    /// attempt, in milliseconds. `random` as in [`pause_ms`].
    pub fn stood(&mut self, standing_ms: u64, random: u32) -> u32 {
        if standing_ms >= PROVED_MS {
            self.pauses = 0;
        }
        self.failed(random)
    }

    /// An attempt has failed before its CONNACK: the pause before the next attempt, in milliseconds. `random` as in
    /// [`pause_ms`].
    pub fn failed(&mut self, random: u32) -> u32 {
        let pause = pause_ms(self.pauses, random);
        self.pauses = self.pauses.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// The random number without jitter.
    const MIDDLE: u32 = 200;

    #[test]
    fn doubles_to_a_minute() {
        let middle: Vec<u32> = (0..9).map(|n| pause_ms(n, MIDDLE)).collect();
        assert_eq!(middle, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(pause_ms(31, MIDDLE), 60_000);
        assert_eq!(pause_ms(u32::MAX, MIDDLE), 60_000);
    }

    #[test]
    fn jitter_spans_a_fifth_either_way() {
        assert_eq!(pause_ms(0, 0), 800);
        assert_eq!(pause_ms(0, 400), 1200);
        for random in 0..2000_u32 {
            assert!((48_000..=72_000).contains(&pause_ms(10, random.wrapping_mul(2_654_435_761))));
        }
    }

    /// A broker that closes at the first PUBLISH, or answers PUBACK to QoS 2, was called once a second for ever.
    #[test]
    fn a_connection_that_ends_soon_is_a_failed_attempt() {
        let mut backoff = Backoff::new();
        let pauses: Vec<u32> = [0, 10, 29_999, 2_000].map(|standing| backoff.stood(standing, MIDDLE)).to_vec();
        assert_eq!(pauses, [1000, 2000, 4000, 8000]);
        assert_eq!(backoff.failed(MIDDLE), 16_000);
        assert_eq!(backoff.stood(30_000, MIDDLE), 1000, "begins anew");
        assert_eq!(backoff.failed(MIDDLE), 2000);
        assert_eq!(backoff.stood(29_999, MIDDLE), 4000);
    }

    /// 24 copies in 24 seconds were seen.
    #[test]
    fn how_often_a_broker_is_called_that_closes_at_once() {
        let mut backoff = Backoff::new();
        let mut time = 0;
        let called = std::iter::from_fn(|| {
            time += backoff.stood(0, 0);
            Some(time)
        });
        assert_eq!(called.take_while(|time| *time <= 24_000).count(), 4, "even with the shortest pauses");
    }
}
