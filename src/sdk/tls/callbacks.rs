//! What Mbed TLS calls: to send, to receive, and when it has looked at a certificate.

use super::parts::Parts;
use crate::sdk::socket::Broken;
use crate::sdk::{bindings, heap};
use core::ffi::{c_int, c_void};

/// Mbed TLS sends.
pub(super) extern "C" fn send(context: *mut c_void, bytes: *const u8, length: usize) -> c_int {
    let parts = context.cast::<Parts>();
    // SAFETY: the context is the block that `attach` gave; Mbed TLS hands `length` valid bytes.
    let (socket, handshakes, bytes) =
        unsafe { ((*parts).socket, (*parts).handshakes, core::slice::from_raw_parts(bytes, length)) };
    // SAFETY: the block holds both flags.
    if unsafe { (*parts).write_pending && !(*parts).writes } {
        return bindings::MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    let Some(socket) = socket else { return bindings::MBEDTLS_ERR_NET_CONN_RESET };
    let sent = socket.send(bytes);
    // SAFETY: as above. What is not written by `write` is an alert, or a flight of the handshake.
    unsafe { (*parts).alert_pending = !(*parts).writes && sent == Ok(0) };
    match sent {
        Ok(0) => bindings::MBEDTLS_ERR_SSL_WANT_WRITE,
        Ok(sent) => c_int::try_from(sent).unwrap_or(c_int::MAX),
        // A server that refuses a client in its handshake says why and resets: what is lost is of no interest, what it
        // has said is still to be read.
        Err(_) if handshakes => c_int::try_from(bytes.len()).unwrap_or(c_int::MAX),
        Err(broken) if broken.is_by_peer() => bindings::MBEDTLS_ERR_NET_CONN_RESET,
        Err(_) => bindings::MBEDTLS_ERR_NET_SEND_FAILED,
    }
}

/// Mbed TLS receives.
pub(super) extern "C" fn receive(context: *mut c_void, into: *mut u8, length: usize) -> c_int {
    let parts = context.cast::<Parts>();
    // SAFETY: as in `send`; the place is Mbed TLS's own buffer, which it does not look at meanwhile.
    let (socket, into) = unsafe {
        let most = length.min((*parts).budget);
        ((*parts).socket, core::slice::from_raw_parts_mut(into, most))
    };
    if into.is_empty() {
        return bindings::MBEDTLS_ERR_SSL_WANT_READ;
    }
    match socket.map(|socket| socket.receive(into)) {
        Some(Ok(0)) => bindings::MBEDTLS_ERR_SSL_WANT_READ,
        Some(Ok(got)) => {
            // SAFETY: the block holds the number, and only this task uses the block.
            unsafe {
                (*parts).received = (*parts).received.wrapping_add(got as u32);
                (*parts).budget = (*parts).budget.saturating_sub(got);
            }
            c_int::try_from(got).unwrap_or(c_int::MAX)
        }
        // The end of the stream.
        Some(Err(Broken::Ended)) => 0,
        Some(Err(broken)) if broken.is_by_peer() => bindings::MBEDTLS_ERR_NET_CONN_RESET,
        _ => bindings::MBEDTLS_ERR_NET_RECV_FAILED,
    }
}

/// Mbed TLS has looked at one certificate of the peer's chain, the peer's own at depth 0. Adds what it leaves out:
/// before version 3.5 it knows no addresses in certificates.
pub(super) extern "C" fn verified(
    context: *mut c_void,
    certificate: *mut bindings::mbedtls_x509_crt,
    depth: c_int,
    flags: *mut u32,
) -> c_int {
    // SAFETY: the context is the block that `configure` gave; certificate and flags are valid during the call.
    unsafe {
        let parts = context.cast::<Parts>();
        let address = &(*parts).address;
        if depth == 0 && !address.is_empty() && !names_address(certificate, address) {
            *flags |= bindings::MBEDTLS_X509_BADCERT_CN_MISMATCH;
        }
        (*parts).verification |= *flags;
        // Asked here: once the verdict is out, Mbed TLS frees the chain that took the room.
        if *flags & bindings::MBEDTLS_X509_BADCERT_NOT_TRUSTED != 0 && !heap::has_room() {
            (*parts).memory_was_short = true;
        }
    }
    0
}

/// # Safety
/// The certificate is valid.
unsafe fn names_address(certificate: *const bindings::mbedtls_x509_crt, address: &[u8]) -> bool {
    // SAFETY: the list's elements are valid as long as the certificate is, and its end is null.
    unsafe {
        let mut entry = &raw const (*certificate).subject_alt_names;
        while !entry.is_null() {
            let name = &(*entry).buf;
            let is_address = name.tag.cast_unsigned() & bindings::MBEDTLS_ASN1_TAG_VALUE_MASK
                == bindings::MBEDTLS_X509_SAN_IP_ADDRESS;
            if is_address && !name.p.is_null() && core::slice::from_raw_parts(name.p, name.len) == address {
                return true;
            }
            entry = (*entry).next;
        }
    }
    false
}
