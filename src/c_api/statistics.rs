//! The version and the statistics for C code (`include/w800_mqtt_at.h`).

use crate::client::statistics::{self, Statistics};
use core::ffi::{CStr, c_char, c_int};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the archive: a static text.
#[unsafe(no_mangle)]
pub extern "C" fn w800_mqtt_at_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Fills in the statistics of a link; see `include/w800_mqtt_at.h`.
///
/// # Safety
/// `into` is null or a place for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn w800_mqtt_at_get_statistics(link: u8, into: *mut Statistics) -> c_int {
    match statistics::of(link) {
        Some(statistics) if !into.is_null() => {
            // SAFETY: the caller gave a place for it.
            unsafe { into.write(statistics) };
            0
        }
        _ => -1,
    }
}
