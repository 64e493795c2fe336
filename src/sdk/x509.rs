//! Certificates and private keys, parsed by the SDK's Mbed TLS.
//!
//! Texts are taken as Mbed TLS takes them: PEM with its terminating NUL, DER without one.

use super::bindings;
use super::block::Block;
use super::heap;
use super::random::Random;

/// Why a text is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is not what it should be.
    Unreadable,
    /// There is no memory to read it.
    NoMemory,
}

impl Unusable {
    /// What a status of Mbed TLS says about a text. Not all that fails for want of memory says so.
    fn of(status: i32) -> Self {
        if is_out_of_memory(status) || !heap::has_room() { Self::NoMemory } else { Self::Unreadable }
    }
}

/// Low-level errors of Mbed TLS that say "no memory" (bits 0 to 6): bignum, ASN.1.
const LOW_ALLOC: [u32; 2] = [0x10, 0x6A];

/// High-level errors of Mbed TLS that say so (bits 7 to 14): PEM, X.509, PK, ECP, MD, cipher, SSL.
const HIGH_ALLOC: [u32; 7] = [0x1180, 0x2880, 0x3F80, 0x4D80, 0x5180, 0x6180, 0x7F00];

/// Whether a status of Mbed TLS, which adds a low-level and a high-level error, comes from a failed allocation.
pub(super) fn is_out_of_memory(status: i32) -> bool {
    let error = status.unsigned_abs();
    LOW_ALLOC.contains(&(error & 0x7F)) || HIGH_ALLOC.contains(&(error & 0xFF80))
}

/// One certificate or several.
#[derive(Debug)]
pub struct Certificates(Block<bindings::mbedtls_x509_crt>);

impl Certificates {
    /// Parses all certificates in `text`.
    ///
    /// # Errors
    /// [`Unusable`] when one of them cannot be read.
    pub fn parse(text: &[u8]) -> Result<Self, Unusable> {
        if text.len().saturating_add(heap::MBEDTLS_ROOM / 2) > heap::available() {
            return Err(Unusable::NoMemory);
        }
        // SAFETY: the structure may be all zero until it is initialised below.
        let block = unsafe { Block::zeroed() }.ok_or(Unusable::NoMemory)?;
        // SAFETY: the block holds the structure.
        unsafe { bindings::mbedtls_x509_crt_init(block.as_ptr()) };
        let certificates = Self(block);
        // SAFETY: the structure is initialised, and `text` is valid for its length.
        let status = unsafe { bindings::mbedtls_x509_crt_parse(certificates.as_ptr(), text.as_ptr(), text.len()) };
        // A positive status counts the certificates that could not be read.
        if status == 0 { Ok(certificates) } else { Err(Unusable::of(status.min(0))) }
    }

    pub(super) const fn as_ptr(&self) -> *mut bindings::mbedtls_x509_crt {
        self.0.as_ptr()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        // SAFETY: the structure was initialised and is freed once.
        unsafe { bindings::mbedtls_x509_crt_free(self.0.as_ptr()) };
    }
}

/// A private key.
#[derive(Debug)]
pub struct PrivateKey(Block<bindings::mbedtls_pk_context>);

impl PrivateKey {
    /// Parses the key in `text`, which must not be encrypted.
    ///
    /// # Errors
    /// [`Unusable`] when it cannot be read.
    pub fn parse(text: &[u8], random: &mut Random) -> Result<Self, Unusable> {
        if heap::MBEDTLS_ROOM > heap::available() {
            return Err(Unusable::NoMemory);
        }
        // SAFETY: the context may be all zero until it is initialised below.
        let block = unsafe { Block::zeroed() }.ok_or(Unusable::NoMemory)?;
        // SAFETY: the block holds the context.
        unsafe { bindings::mbedtls_pk_init(block.as_ptr()) };
        let key = Self(block);
        // SAFETY: the context is initialised, `text` is valid for its length, and no password is given.
        let status = unsafe {
            bindings::mbedtls_pk_parse_key(
                key.as_ptr(),
                text.as_ptr(),
                text.len(),
                core::ptr::null(),
                0,
                Some(bindings::mbedtls_ctr_drbg_random),
                random.context(),
            )
        };
        if status == 0 { Ok(key) } else { Err(Unusable::of(status)) }
    }

    /// Whether it is the key of the first certificate.
    ///
    /// # Errors
    /// [`Unusable`] when it is not, or when there is no memory to tell.
    pub fn fits(&self, certificates: &Certificates, random: &mut Random) -> Result<(), Unusable> {
        // SAFETY: both keys are initialised contexts.
        let status = unsafe {
            bindings::mbedtls_pk_check_pair(
                &raw const (*certificates.as_ptr()).pk,
                self.as_ptr(),
                Some(bindings::mbedtls_ctr_drbg_random),
                random.context(),
            )
        };
        if status == 0 { Ok(()) } else { Err(Unusable::of(status)) }
    }

    pub(super) const fn as_ptr(&self) -> *mut bindings::mbedtls_pk_context {
        self.0.as_ptr()
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        // SAFETY: the context was initialised and is freed once; Mbed TLS overwrites the key.
        unsafe { bindings::mbedtls_pk_free(self.0.as_ptr()) };
    }
}
