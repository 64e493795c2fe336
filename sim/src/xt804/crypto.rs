//! Random numbers, keys, certificates and digests of Mbed TLS.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::c_void;

use w800_mqtt_at::sdk::bindings as sdk;

use super::call::{Outcome, Trouble, Words, status};
use super::contexts::find;
use super::layout::CERTIFICATE_KEY;
use super::memory::{buffer, fill, is_import, read};

fn as_rng(function: u32) -> Result<sdk::mbedtls_f_rng_t, Trouble> {
    if is_import(function, "mbedtls_ctr_drbg_random") {
        return Ok(Some(sdk::mbedtls_ctr_drbg_random));
    }
    Err(Trouble::Misuse(format!("{function:#010x} is no generator that the host knows")))
}

/// A generator that the guest names by the address of its function.
pub fn find_rng(function: u32, context: u32) -> Result<(sdk::mbedtls_f_rng_t, *mut c_void), Trouble> {
    Ok((as_rng(function)?, find::<sdk::mbedtls_ctr_drbg_context>(context)?.cast()))
}

pub fn ctr_drbg_random([context, at, size, ..]: Words) -> Outcome {
    let context = find::<sdk::mbedtls_ctr_drbg_context>(context)?;
    let mut bytes = buffer(at, size)?;
    // SAFETY: the context is initialised, and the buffer valid for its length.
    let outcome = unsafe { sdk::mbedtls_ctr_drbg_random(context.cast(), bytes.as_mut_ptr(), bytes.len()) };
    fill(at, &bytes, bytes.len())?;
    status(outcome)
}

pub fn entropy_func([context, at, size, ..]: Words) -> Outcome {
    let context = find::<sdk::mbedtls_entropy_context>(context)?;
    let mut bytes = buffer(at, size)?;
    // SAFETY: the context is initialised, and the buffer valid for its length.
    let outcome = unsafe { sdk::mbedtls_entropy_func(context.cast(), bytes.as_mut_ptr(), bytes.len()) };
    fill(at, &bytes, bytes.len())?;
    status(outcome)
}

pub fn ctr_drbg_seed([context, source, entropy, custom, length, ..]: Words) -> Outcome {
    if !is_import(source, "mbedtls_entropy_func") {
        return Err(Trouble::Misuse(format!("{source:#010x} is no source of entropy that the host knows")));
    }
    let context = find::<sdk::mbedtls_ctr_drbg_context>(context)?;
    let entropy = find::<sdk::mbedtls_entropy_context>(entropy)?;
    let custom = read(custom, length)?;
    // SAFETY: both contexts are initialised; the guest keeps the one as long as the other.
    status(unsafe {
        sdk::mbedtls_ctr_drbg_seed(
            context,
            Some(sdk::mbedtls_entropy_func),
            entropy.cast(),
            custom.as_ptr(),
            custom.len(),
        )
    })
}

pub fn pk_parse_key([context, key, length, password, password_length, rng, rng_context, ..]: Words) -> Outcome {
    let context = find::<sdk::mbedtls_pk_context>(context)?;
    let key = read(key, length)?;
    let (rng, rng_context) = find_rng(rng, rng_context)?;
    let secret = if password == 0 { None } else { Some(read(password, password_length)?) };
    let secret = secret.as_deref().map_or((std::ptr::null(), 0), |secret| (secret.as_ptr(), secret.len()));
    // SAFETY: the contexts are initialised, and the texts valid for their lengths.
    status(unsafe { sdk::mbedtls_pk_parse_key(context, key.as_ptr(), key.len(), secret.0, secret.1, rng, rng_context) })
}

pub fn pk_check_pair([public, private, rng, rng_context, ..]: Words) -> Outcome {
    let private = find::<sdk::mbedtls_pk_context>(private)?;
    let (rng, rng_context) = find_rng(rng, rng_context)?;
    // SAFETY: all contexts are initialised.
    status(unsafe { sdk::mbedtls_pk_check_pair(find_key(public)?, private, rng, rng_context) })
}

/// A key of its own, or a certificate's.
fn find_key(at: u32) -> Result<*const sdk::mbedtls_pk_context, Trouble> {
    if let Ok(certificate) = find::<sdk::mbedtls_x509_crt>(at.wrapping_sub(CERTIFICATE_KEY)) {
        // SAFETY: the certificate is initialised.
        return Ok(unsafe { &raw const (*certificate).pk });
    }
    Ok(find::<sdk::mbedtls_pk_context>(at)?.cast_const())
}

pub fn x509_crt_parse([chain, bytes, length, ..]: Words) -> Outcome {
    let chain = find::<sdk::mbedtls_x509_crt>(chain)?;
    let bytes = read(bytes, length)?;
    // SAFETY: the chain is initialised, and the text valid for its length.
    status(unsafe { sdk::mbedtls_x509_crt_parse(chain, bytes.as_ptr(), bytes.len()) })
}

pub fn sha1([from, length, to, ..]: Words) -> Outcome {
    let mut digest = [0_u8; 20];
    let bytes = read(from, length)?;
    // SAFETY: both places are valid for their lengths.
    let outcome = unsafe { sdk::mbedtls_sha1(bytes.as_ptr(), bytes.len(), digest.as_mut_ptr()) };
    fill(to, &digest, digest.len())?;
    status(outcome)
}

pub fn sha256([from, length, to, is_224, ..]: Words) -> Outcome {
    let mut digest = [0_u8; 32];
    let bytes = read(from, length)?;
    // SAFETY: both places are valid for their lengths.
    let outcome =
        unsafe { sdk::mbedtls_sha256(bytes.as_ptr(), bytes.len(), digest.as_mut_ptr(), is_224.cast_signed()) };
    fill(to, &digest, if is_224 == 0 { 32_usize } else { 28 })?;
    status(outcome)
}

pub fn version_get_number(_: Words) -> Outcome {
    // SAFETY: no requirements.
    Ok(u64::from(unsafe { sdk::mbedtls_version_get_number() }))
}
