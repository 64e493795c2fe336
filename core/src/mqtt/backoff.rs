//! The pause before an automatic reconnection: 1, 2, 4 … 60 s, each ±20 % (AT contract §5).

/// The longest pause before jitter, in seconds.
const LONGEST_S: u32 = 60;

/// Milliseconds to wait before attempt `attempt` (0 is the first after the loss).
///
/// `random` is any 32-bit random number; it spreads the result evenly over ±20 %, so that a broker's restart is
/// not followed by all its clients at once.
pub fn pause_ms(attempt: u32, random: u32) -> u32 {
    let seconds = 1_u32.checked_shl(attempt).map_or(LONGEST_S, |s| s.min(LONGEST_S));
    let permille = (random % 401).saturating_add(800);
    seconds.saturating_mul(permille)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_minute() {
        let middle: std::vec::Vec<u32> = (0..9).map(|n| pause_ms(n, 200)).collect();
        assert_eq!(middle, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(pause_ms(31, 200), 60_000);
        assert_eq!(pause_ms(u32::MAX, 200), 60_000);
    }

    #[test]
    fn jitter_spans_a_fifth_either_way() {
        assert_eq!(pause_ms(0, 0), 800);
        assert_eq!(pause_ms(0, 400), 1200);
        for random in 0..2000_u32 {
            assert!((48_000..=72_000).contains(&pause_ms(10, random.wrapping_mul(2_654_435_761))));
        }
    }
}
