//! What was once found out about places in flash, by their address.

/// One thing for each half-word at most. The numbers take four bytes each, and no memory before they are used.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    base: u32,
    /// By half-word: one more than the place among the things, 0 for none.
    numbers: Vec<u32>,
    things: Vec<T>,
}

impl<T> Cache<T> {
    /// An empty one for so many bytes of memory.
    pub fn new(base: u32, bytes: usize) -> Self {
        Self { base, numbers: vec![0; bytes.div_ceil(2)], things: Vec::new() }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.base, self.numbers.len().saturating_mul(2));
    }

    #[inline]
    fn half_word(&self, address: u32) -> usize {
        // An odd address becomes one beyond the memory.
        address.wrapping_sub(self.base).rotate_right(1) as usize
    }

    /// What is known of an address.
    #[inline]
    pub fn get(&self, address: u32) -> Option<&T> {
        let number = *self.numbers.get(self.half_word(address))?;
        self.things.get(number.wrapping_sub(1) as usize)
    }

    /// Keeps what was found out; nothing where there is no such memory.
    pub fn insert(&mut self, address: u32, thing: T) -> Option<()> {
        let place = self.half_word(address);
        let number = self.numbers.get_mut(place)?;
        self.things.push(thing);
        *number = u32::try_from(self.things.len()).ok()?;
        Some(())
    }
}
