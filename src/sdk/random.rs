//! Random numbers: Mbed TLS's generator, seeded from the SDK's entropy source.

use super::bindings;
use super::block::Block;
use core::ffi::c_void;

struct Parts {
    entropy: bindings::mbedtls_entropy_context,
    generator: bindings::mbedtls_ctr_drbg_context,
}

/// A seeded generator. Only one task may use it at a time.
#[derive(Debug)]
pub struct Random(Block<Parts>);

/// Why there are no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRandom {
    /// There is no memory.
    NoMemory,
    /// The SDK's entropy source fails.
    NoEntropy,
}

impl Random {
    /// Seeds a generator.
    ///
    /// # Errors
    /// [`NoRandom`] without memory for it, or when the entropy source fails.
    pub fn new() -> Result<Self, NoRandom> {
        // SAFETY: both contexts may be all zero until they are initialised below.
        let parts = unsafe { Block::<Parts>::zeroed() }.ok_or(NoRandom::NoMemory)?;
        let at = parts.as_ptr();
        // SAFETY: the block holds both contexts and does not move.
        unsafe {
            bindings::mbedtls_entropy_init(&raw mut (*at).entropy);
            bindings::mbedtls_ctr_drbg_init(&raw mut (*at).generator);
        }
        let random = Self(parts);
        // Two generators differ even where the entropy source repeats itself from boot to boot.
        let time = super::clock::now();
        // SAFETY: both contexts are initialised; `time` is valid during the call; the entropy context lives as long as the generator that asks it.
        let status = unsafe {
            bindings::mbedtls_ctr_drbg_seed(
                &raw mut (*at).generator,
                Some(bindings::mbedtls_entropy_func),
                (&raw mut (*at).entropy).cast(),
                (&raw const time).cast(),
                size_of_val(&time),
            )
        };
        match status {
            0 => Ok(random),
            // Mbed TLS calls both the same.
            _ if super::heap::has_room() => Err(NoRandom::NoEntropy),
            _ => Err(NoRandom::NoMemory),
        }
    }

    /// Fills `bytes`, at most 1024; `None` when the generator fails.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Option<()> {
        // SAFETY: the context is a seeded generator, and `bytes` is valid for its length.
        let status = unsafe { bindings::mbedtls_ctr_drbg_random(self.context(), bytes.as_mut_ptr(), bytes.len()) };
        (status == 0).then_some(())
    }

    /// What `mbedtls_ctr_drbg_random` wants as its first argument.
    pub(super) fn context(&self) -> *mut c_void {
        // SAFETY: the block holds the generator.
        unsafe { (&raw mut (*self.0.as_ptr()).generator).cast() }
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        let at = self.0.as_ptr();
        // SAFETY: both contexts were initialised and are freed once, the generator before what it asks.
        unsafe {
            bindings::mbedtls_ctr_drbg_free(&raw mut (*at).generator);
            bindings::mbedtls_entropy_free(&raw mut (*at).entropy);
        }
    }
}
