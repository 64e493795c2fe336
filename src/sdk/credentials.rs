//! The credentials that a firmware brings along: those linked into its image under the SDK's names, and those that its
//! code has given.

use super::sync::Critical;
use crate::options::LINKS;
use core::ffi::{CStr, c_char};
use w800_mqtt_core::link::credential::CredentialKind;

unsafe extern "C" {
    /// The certificates of the authorities that the SDK's MQTT client trusts, as PEM.
    static mqtt_client_tls_ca: [c_char; 0];
    /// Its own certificate.
    static mqtt_client_tls_cert: [c_char; 0];
    /// Its private key.
    static mqtt_client_tls_key: [c_char; 0];
}

/// What `linker/no_credentials.ld` puts in place of those that a firmware does not have.
#[unsafe(export_name = "w800_mqtt_at_no_credential")]
pub static NO_CREDENTIAL: u8 = 0;

/// What C code has set for one kind.
#[derive(Clone, Copy)]
struct Given {
    at: *const u8,
    length: usize,
}

// SAFETY: the bytes are never written while they are set (`w800_mqtt_at_set_credential` demands it).
unsafe impl Send for Given {}

static GIVEN: [Critical<[Option<Given>; CredentialKind::ALL.len()]>; LINKS] =
    [const { Critical::new([None; CredentialKind::ALL.len()]) }; LINKS];

/// What the firmware has for `kind`, as Mbed TLS takes it: PEM with its NUL, or DER. Empty for nothing.
pub fn of_the_firmware(link: u8, kind: CredentialKind) -> &'static [u8] {
    let given =
        GIVEN.get(usize::from(link)).and_then(|link| link.with(|given| given.get(kind as usize).copied().flatten()));
    if let Some(Given { at, length }) = given {
        // SAFETY: the caller of `w800_mqtt_at_set_credential` vouches for these bytes for as long as they are set.
        return unsafe { core::slice::from_raw_parts(at, length) };
    }
    let at = match kind {
        CredentialKind::Authority => &raw const mqtt_client_tls_ca,
        CredentialKind::Certificate => &raw const mqtt_client_tls_cert,
        CredentialKind::Key => &raw const mqtt_client_tls_key,
    };
    // SAFETY: the symbols are NUL-terminated texts that never change.
    let text = unsafe { CStr::from_ptr(at.cast()) };
    if text.is_empty() { &[] } else { text.to_bytes_with_nul() }
}

/// Puts `text`, as Mbed TLS takes it, in the place of what the image has for `kind`; `None` takes it back. `false` where
/// there is no such link.
///
/// # Safety
/// `text` is valid and does not change until another call for the same link and kind has returned and no connection is
/// being made.
pub unsafe fn give(link: u8, kind: CredentialKind, text: Option<&[u8]>) -> bool {
    let Some(given) = GIVEN.get(usize::from(link)) else { return false };
    given.with(|given| {
        if let Some(place) = given.get_mut(kind as usize) {
            *place = text.map(|text| Given { at: text.as_ptr(), length: text.len() });
        }
    });
    true
}
