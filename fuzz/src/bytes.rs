//! Cuts of a stream.

/// The first byte of an input says how the rest of it is cut: into pieces of so many bytes, all of it for 0.
pub fn cut(input: &[u8]) -> (usize, &[u8]) {
    let (size, stream) = input.split_first().unwrap_or((&0, &[]));
    let size = usize::from(*size);
    (if size == 0 { stream.len().max(1) } else { size }, stream)
}
