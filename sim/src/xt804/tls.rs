//! Connections of Mbed TLS: their configuration, the peer's certificates, bytes in and out.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{CString, c_int, c_uchar, c_void};

use w800_mqtt_at::sdk::bindings as sdk;

use super::call::{Outcome, Trouble, Words, low, pack, status, unpack};
use super::contexts::{Bio, Protocols, find, find_or_null, hosted};
use super::crypto::find_rng;
use super::guest::{call_int, core, or_fail};
use super::layout::{CERTIFICATE_BYTES, CERTIFICATE_NAMES, NAME_BYTES};
use super::memory::{self, buffer, fill, lend, read, set_word, text, word};

/// No list of names is longer: Mbed TLS's own limit is RFC 7301's.
const MOST_PROTOCOLS: usize = 16;

/* The configuration of a connection */

pub fn ssl_config_defaults([config, endpoint, transport, preset, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    let [endpoint, transport, preset] = [endpoint, transport, preset].map(u32::cast_signed);
    // SAFETY: the configuration is initialised.
    status(unsafe { sdk::mbedtls_ssl_config_defaults(config, endpoint, transport, preset) })
}

pub fn ssl_conf_authmode([config, mode, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    // SAFETY: the configuration is initialised.
    unsafe { sdk::mbedtls_ssl_conf_authmode(config, mode.cast_signed()) };
    Ok(0)
}

pub fn ssl_conf_max_frag_len([config, code, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    // SAFETY: the configuration is initialised.
    status(unsafe { sdk::mbedtls_ssl_conf_max_frag_len(config, (code & 0xff) as c_uchar) })
}

pub fn ssl_conf_rng([config, rng, rng_context, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    let (rng, rng_context) = find_rng(rng, rng_context)?;
    // SAFETY: both contexts are initialised; the guest keeps the generator as long as the configuration.
    unsafe { sdk::mbedtls_ssl_conf_rng(config, rng, rng_context) };
    Ok(0)
}

pub fn ssl_conf_ca_chain([config, chain, revoked, ..]: Words) -> Outcome {
    if revoked != 0 {
        return Err(Trouble::Misuse("lists of revoked certificates are not known here".to_owned()));
    }
    let (config, chain) = (find::<sdk::mbedtls_ssl_config>(config)?, find_or_null(chain)?);
    // SAFETY: both are initialised or NULL; the guest keeps the certificates as long as the configuration.
    unsafe { sdk::mbedtls_ssl_conf_ca_chain(config, chain, std::ptr::null_mut()) };
    Ok(0)
}

pub fn ssl_conf_own_cert([config, certificate, key, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    let (certificate, key) = (find_or_null(certificate)?, find_or_null(key)?);
    // SAFETY: all are initialised or NULL; the guest keeps certificate and key as long as the configuration.
    status(unsafe { sdk::mbedtls_ssl_conf_own_cert(config, certificate, key) })
}

pub fn ssl_conf_alpn_protocols([config, list, ..]: Words) -> Outcome {
    let hosted = hosted::<sdk::mbedtls_ssl_config>(config)?;
    let protocols = Protocols::new(protocol_names(list)?);
    // SAFETY: the entry's box lives until its context is freed, and only this task uses it.
    status(unsafe {
        (*hosted).beside = protocols;
        let list = (*hosted).beside.list();
        sdk::mbedtls_ssl_conf_alpn_protocols((&raw mut (*hosted).context).cast(), list)
    })
}

fn protocol_names(list: u32) -> Result<Vec<CString>, Trouble> {
    let mut names = Vec::new();
    for place in (list..).step_by(4).take(MOST_PROTOCOLS) {
        match word(place)? {
            0 => return Ok(names),
            name => names.push(text(name)?),
        }
    }
    Err(Trouble::Misuse("a list of protocols without an end".to_owned()))
}

pub fn ssl_conf_verify([config, function, context, ..]: Words) -> Outcome {
    let config = find::<sdk::mbedtls_ssl_config>(config)?;
    // SAFETY: the configuration is initialised, and the callback takes what is packed for it.
    unsafe { sdk::mbedtls_ssl_conf_verify(config, (function != 0).then_some(verified), pack(function, context)) };
    Ok(0)
}

/// Shows the guest a certificate, of which it sees the alternative names only, and lets it change the flags.
unsafe extern "C" fn verified(
    packed: *mut c_void,
    certificate: *mut sdk::mbedtls_x509_crt,
    depth: c_int,
    flags: *mut u32,
) -> c_int {
    let (function, context) = unpack(packed);
    // SAFETY: Mbed TLS gives a valid certificate and valid flags.
    let (names, flags) = unsafe { (alternative_names(&raw const (*certificate).subject_alt_names), &mut *flags) };
    let (outcome, changed) = or_fail(show_names(&names, |shown| {
        let mut word = flags.to_le_bytes();
        let arguments = |at| [context, shown, depth.cast_unsigned(), at];
        lend(&mut word, |at| call_int(function, &arguments(at))).map(|outcome| (outcome, u32::from_le_bytes(word)))
    }));
    *flags = changed;
    outcome
}

/// # Safety
/// The list is valid.
unsafe fn alternative_names(list: *const sdk::mbedtls_x509_sequence) -> Vec<(c_int, Vec<u8>)> {
    let mut names = Vec::new();
    let mut next = list;
    // SAFETY: the list ends in NULL, and what its elements point to has the length they tell.
    while let Some(entry) = unsafe { next.as_ref() } {
        if !entry.buf.p.is_null() {
            // SAFETY: as above.
            names.push((entry.buf.tag, unsafe { std::slice::from_raw_parts(entry.buf.p, entry.buf.len) }.to_vec()));
        }
        next = entry.next;
    }
    names
}

/// Runs `body` with an image of a certificate that has these names: the first in it, the others behind, then the texts.
fn show_names<R>(names: &[(c_int, Vec<u8>)], body: impl FnOnce(u32) -> Result<R, Trouble>) -> Result<R, Trouble> {
    let texts: usize = names.iter().map(|(_, name)| name.len()).sum();
    let rows = names.len().saturating_mul(NAME_BYTES);
    let room = CERTIFICATE_BYTES.saturating_add(rows).saturating_add(texts);
    let at = core().allocate(low(room as u64))?;
    memory::write(at, &vec![0; room])?;
    let behind = at.saturating_add(CERTIFICATE_BYTES as u32);
    let first = at.saturating_add(CERTIFICATE_NAMES as u32);
    let places: Vec<u32> = std::iter::once(first).chain((behind..).step_by(NAME_BYTES)).take(names.len()).collect();
    let mut text = behind.saturating_add(low(rows as u64));
    for (index, ((tag, name), place)) in names.iter().zip(&places).enumerate() {
        let next = places.get(index.saturating_add(1)).copied().unwrap_or(0);
        let length = low(name.len() as u64);
        for (to, value) in (*place..).step_by(4).zip([tag.cast_unsigned(), length, text, next]) {
            set_word(to, value)?;
        }
        memory::write(text, name)?;
        text = text.saturating_add(length);
    }
    let result = body(at);
    core().release(at)?;
    result
}

/* A connection */

pub fn ssl_setup([ssl, config, ..]: Words) -> Outcome {
    let (ssl, config) = (find::<sdk::mbedtls_ssl_context>(ssl)?, find::<sdk::mbedtls_ssl_config>(config)?);
    // SAFETY: both are initialised; the guest keeps the configuration as long as the connection.
    status(unsafe { sdk::mbedtls_ssl_setup(ssl, config) })
}

pub fn ssl_set_hostname([ssl, name, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    let name = memory::optional_text(name)?;
    // SAFETY: the context is initialised, and the name NULL or ended by NUL; it is copied.
    status(unsafe { sdk::mbedtls_ssl_set_hostname(ssl, name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())) })
}

pub fn ssl_set_bio([ssl, context, send, receive, receive_in_time, ..]: Words) -> Outcome {
    if receive_in_time != 0 {
        return Err(Trouble::Misuse("no function that receives in time is known here".to_owned()));
    }
    let hosted = hosted::<sdk::mbedtls_ssl_context>(ssl)?;
    // SAFETY: the entry's box lives until its context is freed, and only this task uses it.
    unsafe {
        (*hosted).beside = Bio { context, send, receive };
        let bio = (&raw mut (*hosted).beside).cast();
        sdk::mbedtls_ssl_set_bio((&raw mut (*hosted).context).cast(), bio, Some(sends), Some(receives), None);
    }
    Ok(0)
}

unsafe extern "C" fn sends(bio: *mut c_void, bytes: *const c_uchar, length: usize) -> c_int {
    // SAFETY: Mbed TLS gives back what it was set with, and `length` valid bytes.
    let (bio, bytes) = unsafe { (*bio.cast::<Bio>(), std::slice::from_raw_parts(bytes, length)) };
    or_fail(lend(&mut bytes.to_vec(), |at| call_int(bio.send, &[bio.context, at, low(length as u64)])))
}

unsafe extern "C" fn receives(bio: *mut c_void, to: *mut c_uchar, length: usize) -> c_int {
    // SAFETY: as above; the place is Mbed TLS's own buffer, which it does not look at meanwhile.
    let (bio, to) = unsafe { (*bio.cast::<Bio>(), std::slice::from_raw_parts_mut(to, length)) };
    let mut bytes = vec![0; length];
    let got = or_fail(lend(&mut bytes, |at| call_int(bio.receive, &[bio.context, at, low(length as u64)])));
    let filled = usize::try_from(got).unwrap_or(0);
    for (to, from) in to.iter_mut().zip(bytes.iter().take(filled)) {
        *to = *from;
    }
    got
}

pub fn ssl_handshake([ssl, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    // SAFETY: the context is initialised.
    status(unsafe { sdk::mbedtls_ssl_handshake(ssl) })
}

pub fn ssl_close_notify([ssl, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    // SAFETY: the context is initialised.
    status(unsafe { sdk::mbedtls_ssl_close_notify(ssl) })
}

pub fn ssl_read([ssl, at, size, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    let mut bytes = buffer(at, size)?;
    // SAFETY: the context is initialised, and the buffer valid for its length.
    let got = unsafe { sdk::mbedtls_ssl_read(ssl, bytes.as_mut_ptr(), bytes.len()) };
    fill(at, &bytes, got)?;
    status(got)
}

pub fn ssl_write([ssl, at, size, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    let bytes = read(at, size)?;
    // SAFETY: the context is initialised, and the bytes valid for their length.
    status(unsafe { sdk::mbedtls_ssl_write(ssl, bytes.as_ptr(), bytes.len()) })
}

pub fn ssl_get_verify_result([ssl, ..]: Words) -> Outcome {
    let ssl = find::<sdk::mbedtls_ssl_context>(ssl)?;
    // SAFETY: the context is initialised.
    Ok(u64::from(unsafe { sdk::mbedtls_ssl_get_verify_result(ssl) }))
}

pub fn ssl_get_session([ssl, session, ..]: Words) -> Outcome {
    let (ssl, session) = (find::<sdk::mbedtls_ssl_context>(ssl)?, find::<sdk::mbedtls_ssl_session>(session)?);
    // SAFETY: both are initialised.
    status(unsafe { sdk::mbedtls_ssl_get_session(ssl, session) })
}

pub fn ssl_set_session([ssl, session, ..]: Words) -> Outcome {
    let (ssl, session) = (find::<sdk::mbedtls_ssl_context>(ssl)?, find::<sdk::mbedtls_ssl_session>(session)?);
    // SAFETY: both are initialised; the session is copied.
    status(unsafe { sdk::mbedtls_ssl_set_session(ssl, session) })
}
