//! Digests, by the SDK's Mbed TLS.

use super::bindings;

/// SHA-256 of `bytes`; `None` when the SDK's implementation fails.
pub fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    // SAFETY: both places are valid for their lengths.
    let status = unsafe { bindings::mbedtls_sha256(bytes.as_ptr(), bytes.len(), digest.as_mut_ptr(), 0) };
    (status == 0).then_some(digest)
}

/// SHA-1 of `bytes`, as RFC 6455 wants it; `None` when the SDK's implementation fails.
pub fn sha1(bytes: &[u8]) -> Option<[u8; 20]> {
    let mut digest = [0; 20];
    // SAFETY: both places are valid for their lengths.
    let status = unsafe { bindings::mbedtls_sha1(bytes.as_ptr(), bytes.len(), digest.as_mut_ptr()) };
    (status == 0).then_some(digest)
}
