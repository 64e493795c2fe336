//! The guest's memory behind its static data: who has which part of it.

use std::collections::BTreeMap;

/// Blocks begin at multiples of this.
const ALIGNMENT: u32 = 8;

/// Free and used pieces, by their first address.
#[derive(Debug)]
pub struct Arena {
    free: BTreeMap<u32, u32>,
    used: BTreeMap<u32, u32>,
}

impl Arena {
    /// All of it free.
    pub fn new(start: u32, end: u32) -> Self {
        let start = start.next_multiple_of(ALIGNMENT);
        Self { free: BTreeMap::from([(start, end.saturating_sub(start))]), used: BTreeMap::new() }
    }

    /// Takes the first piece that is large enough.
    pub fn take(&mut self, size: u32) -> Option<u32> {
        let rounded = size.max(1).checked_next_multiple_of(ALIGNMENT)?;
        let (at, room) = self.free.iter().find(|(_, room)| **room >= rounded).map(|(at, room)| (*at, *room))?;
        self.free.remove(&at);
        if room > rounded {
            self.free.insert(at.saturating_add(rounded), room.saturating_sub(rounded));
        }
        self.used.insert(at, size);
        Some(at)
    }

    /// Takes a block back and tells its size; `None` when it is none.
    pub fn give_back(&mut self, at: u32) -> Option<u32> {
        let size = self.used.remove(&at)?;
        let mut piece = (at, size.max(1).next_multiple_of(ALIGNMENT));
        if let Some((before, room)) = self.free.range(..at).next_back().map(|(before, room)| (*before, *room))
            && before.saturating_add(room) == at
        {
            self.free.remove(&before);
            piece = (before, piece.1.saturating_add(room));
        }
        let after = piece.0.saturating_add(piece.1);
        if let Some(room) = self.free.remove(&after) {
            piece.1 = piece.1.saturating_add(room);
        }
        self.free.insert(piece.0, piece.1);
        Some(size)
    }

    /// How many bytes are free, and how many of them in the largest piece.
    pub fn room(&self) -> (u32, u32) {
        (self.free.values().sum(), self.free.values().copied().max().unwrap_or(0))
    }

    /// The size of the block that begins here.
    pub fn size(&self, at: u32) -> Option<u32> {
        self.used.get(&at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_and_all_of_it_comes_back() {
        let mut arena = Arena::new(0x1001, 0x2000);
        let blocks: Vec<u32> = [1, 8, 100, 0].iter().filter_map(|size| arena.take(*size)).collect();
        assert_eq!(blocks, [0x1008, 0x1010, 0x1018, 0x1080]);
        for order in [1, 3, 0, 2] {
            assert!(blocks.get(order).and_then(|at| arena.give_back(*at)).is_some());
        }
        assert_eq!(arena.free, BTreeMap::from([(0x1008, 0xff8)]));
        assert_eq!(arena.give_back(0x1008), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut arena = Arena::new(0, 64);
        assert_eq!(arena.take(65), None);
        assert_eq!(arena.take(u32::MAX), None);
        assert_eq!(arena.take(64), Some(0));
        assert_eq!(arena.take(1), None);
    }
}
