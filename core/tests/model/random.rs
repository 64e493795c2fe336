//! Numbers that look random and are the same each time (SplitMix64), behind such as somebody has chosen.

use std::collections::VecDeque;

pub struct Random {
    /// What is drawn first, each choice of one byte or of two.
    chosen: VecDeque<u8>,
    seed: u64,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self::behind(&[], seed)
    }

    /// Draws `chosen` first: a fuzzer decides by these bytes.
    pub fn behind(chosen: &[u8], seed: u64) -> Self {
        Self { chosen: chosen.iter().copied().collect(), seed }
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        if let Some(first) = self.chosen.pop_front() {
            let second = if bound > 256 { self.chosen.pop_front().unwrap_or(0) } else { 0 };
            return (usize::from(second) * 256 + usize::from(first)) % bound;
        }
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// `true` this many times in a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
