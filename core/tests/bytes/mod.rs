//! Owned bytes for what the tests drive, from a memory that never runs out.

use w800_mqtt_core::bytes::Buffer;

/// Owned bytes.
#[derive(Debug, PartialEq)]
pub struct Bytes(pub Vec<u8>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Bytes {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Buffer for Bytes {
    fn allocate(length: usize) -> Option<Self> {
        Some(Self(vec![0; length]))
    }
}
