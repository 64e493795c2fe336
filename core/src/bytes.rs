//! Owned bytes from a store that may run out.
//!
//! The pure rooms hold strings and packets whose size the host or the broker chooses. They say what they need
//! through [`Buffer`]; on the chip it is the arena and the SDK's heap, in tests a `Vec`.

/// Owned, fixed-size bytes. Allocation is fallible; dropping gives the memory back.
pub trait Buffer: AsRef<[u8]> + AsMut<[u8]> + Sized {
    /// Allocates `length` bytes of zeroes, or `None` when memory has run out. Zero bytes always succeed.
    fn allocate(length: usize) -> Option<Self>;

    /// Allocates a copy of `bytes`, or `None` when memory has run out.
    fn copy_of(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self::allocate(bytes.len())?;
        if copy.as_ref().len() == bytes.len() {
            copy.as_mut().copy_from_slice(bytes);
        }
        Some(copy)
    }
}

#[cfg(test)]
impl Buffer for std::vec::Vec<u8> {
    fn allocate(length: usize) -> Option<Self> {
        Some(std::vec![0; length])
    }
}
