//! A firmware's own credentials, set by its C code (`include/w800_mqtt_at.h`).

use crate::net::credentials;
use crate::sdk::credentials::give;
use core::ffi::{c_int, c_void};
use w800_mqtt_core::link::credential::CredentialKind;

/// Sets a credential from C; see `include/w800_mqtt_at.h`.
///
/// # Safety
/// `data` is null or points to `length` bytes that do not change until another call for the same link and kind has
/// returned and no connection is being made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn w800_mqtt_at_set_credential(
    link: u8,
    kind: c_int,
    data: *const c_void,
    length: usize,
) -> c_int {
    let Some(kind) = u32::try_from(kind).ok().and_then(CredentialKind::of) else { return -1 };
    let text = if data.is_null() {
        None
    } else {
        // SAFETY: the caller vouches for the bytes.
        Some(unsafe { core::slice::from_raw_parts(data.cast::<u8>(), length) })
    };
    if text.is_some_and(|text| credentials::check(kind, text).is_err()) {
        return -1;
    }
    // SAFETY: the caller vouches that the bytes stay as long as they are set.
    if !unsafe { give(link, kind, text) } {
        return -1;
    }
    credentials::changed();
    0
}
