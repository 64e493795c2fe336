//! Bytes in order, up to a bound.

/// At most `N` bytes, the first in the first out.
#[derive(Debug)]
pub struct Ring<const N: usize> {
    bytes: [u8; N],
    place: Place,
}

/// Which of the bytes it has. What is done to them is the same code for rings of every size.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where the first byte is, below the ring's size.
    start: usize,
    length: usize,
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Ring<N> {
    /// Empty.
    pub const fn new() -> Self {
        Self { bytes: [0; N], place: Place { start: 0, length: 0 } }
    }

    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        self.place.length
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.place.length == 0
    }

    /// How many more it takes.
    pub const fn room(&self) -> usize {
        N.saturating_sub(self.place.length)
    }

    /// Appends the first of `bytes`, as many as there is room for: how many.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        self.place.push(&mut self.bytes, bytes)
    }

    /// The bytes it has, in two pieces.
    pub fn pieces(&self) -> (&[u8], &[u8]) {
        self.place.pieces(&self.bytes)
    }

    /// Takes bytes from the front into `to`, as many as there are and fit: how many.
    pub fn pop(&mut self, to: &mut [u8]) -> usize {
        self.place.pop(&self.bytes, to)
    }

    /// Drops the first `count`.
    pub fn skip(&mut self, count: usize) {
        self.place.skip(N, count);
    }

    /// Drops all after the first `length`.
    pub fn truncate(&mut self, length: usize) {
        self.place.length = self.place.length.min(length);
    }
}

impl Place {
    fn push(&mut self, all: &mut [u8], bytes: &[u8]) -> usize {
        let size = all.len();
        let end = wrapped(self.start.saturating_add(self.length), size);
        let (first, second) = all.split_at_mut_checked(end).unwrap_or_default();
        let room = size.saturating_sub(self.length);
        let bytes = bytes.get(..room).unwrap_or(bytes);
        let here = bytes.len().min(second.len());
        let (now, then) = bytes.split_at_checked(here).unwrap_or_default();
        copy(second, now);
        copy(first, then);
        self.length = self.length.saturating_add(bytes.len());
        bytes.len()
    }

    fn pieces(self, all: &[u8]) -> (&[u8], &[u8]) {
        let end = self.start.saturating_add(self.length);
        let first = all.get(self.start..end.min(all.len())).unwrap_or_default();
        let second = all.get(..end.saturating_sub(all.len())).unwrap_or_default();
        (first, second)
    }

    fn pop(&mut self, all: &[u8], to: &mut [u8]) -> usize {
        let (first, second) = self.pieces(all);
        let now = first.get(..to.len()).unwrap_or(first);
        copy(to, now);
        let rest = to.get_mut(now.len()..).unwrap_or_default();
        let then = second.get(..rest.len()).unwrap_or(second);
        copy(rest, then);
        let taken = now.len().saturating_add(then.len());
        self.skip(all.len(), taken);
        taken
    }

    fn skip(&mut self, size: usize, count: usize) {
        let count = count.min(self.length);
        self.length = self.length.saturating_sub(count);
        self.start = if self.length == 0 { 0 } else { wrapped(self.start.saturating_add(count), size) };
    }
}

/// A place below twice `size`, below `size`.
const fn wrapped(place: usize, size: usize) -> usize {
    if place < size { place } else { place.saturating_sub(size) }
}

/// Copies `from` to the front of `to`, as far as there is room.
fn copy(to: &mut [u8], from: &[u8]) {
    let length = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    /// Every sequence of pushes, pops and cuts of up to five bytes, four long, on a ring of four does what a queue does.
    #[test]
    fn it_is_a_bounded_queue() {
        const STEPS: u32 = 4;
        for number in 0..18_u32.pow(STEPS) {
            let (mut ring, mut queue) = (Ring::<4>::new(), VecDeque::new());
            let mut next = 0_u8;
            for step in 0..STEPS {
                let choice = number / 18_u32.pow(step) % 18;
                let (kind, count) = (choice / 6, (choice % 6) as usize);
                match kind {
                    0 => {
                        let bytes: Vec<u8> = (0..count)
                            .map(|_| {
                                next += 1;
                                next
                            })
                            .collect();
                        let taken = ring.push(&bytes);
                        assert_eq!(taken, count.min(4 - queue.len()));
                        queue.extend(&bytes[..taken]);
                    }
                    1 => {
                        let mut to = [0; 8];
                        let taken = ring.pop(&mut to[..count]);
                        let expected: Vec<u8> = queue.drain(..count.min(queue.len())).collect();
                        assert_eq!(&to[..taken], expected);
                    }
                    _ => {
                        ring.truncate(count);
                        queue.truncate(count);
                    }
                }
                let (first, second) = ring.pieces();
                assert_eq!([first, second].concat(), queue.iter().copied().collect::<Vec<u8>>());
                assert_eq!(
                    (ring.len(), ring.room(), ring.is_empty()),
                    (queue.len(), 4 - queue.len(), queue.is_empty())
                );
            }
        }
    }
}
