//! Numbers that look like chance and are the same for the same seed.

/// A generator (xorshift, multiplied).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Seeds that are close together give sequences that are not.
    pub fn new(seed: u64) -> Self {
        let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// The next one.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// One from 0 to less than `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.draw() >> 16).checked_rem(limit).unwrap_or(0)
    }

    /// True once in `rounds`.
    pub fn once_in(&mut self, rounds: u64) -> bool {
        self.below(rounds) == 0
    }

    /// How fast things follow each other in a run, as the bits of the longest time between two of them in instructions:
    /// from what happens within one call of the library's to what leaves everybody time to be done.
    pub fn tempo(&mut self) -> u64 {
        [7, 9, 11, 13, 15, 18, 22].get(usize::try_from(self.below(7)).unwrap_or(0)).copied().unwrap_or(22)
    }

    /// A number of any order of magnitude, below two to the `bits`th: small ones as often as large ones.
    pub fn of_any_size(&mut self, bits: u64) -> u64 {
        let bits = self.below(bits).saturating_add(1);
        self.below(1_u64.wrapping_shl(u32::try_from(bits).unwrap_or(0)))
    }
}
