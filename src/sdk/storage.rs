//! What outlives a loss of power: small texts in the SDK's non-volatile storage.

use super::bindings;
use super::heap::Bytes;
use core::ffi::CStr;
use w800_mqtt_core::bytes::Buffer;

/// This library's group.
const GROUP: &CStr = c"w800_mqtt";

/// The storage could not do it, or there is no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

struct Open(bindings::wm_nvs_handle_t);

impl Open {
    /// Opens the group; `None` where there is none, and none can be made.
    fn new(mode: bindings::wm_nvs_open_mode_t) -> Result<Option<Self>, Refused> {
        let mut handle: bindings::wm_nvs_handle_t = core::ptr::null_mut();
        // SAFETY: a null partition is the default one; the name ends in NUL and the place is valid.
        let status = unsafe { bindings::wm_nvs_open(core::ptr::null(), GROUP.as_ptr().cast(), mode, &raw mut handle) };
        match status {
            bindings::WM_NVS_ERR_NOT_INIT | bindings::WM_NVS_ERR_NOT_FOUND | bindings::WM_NVS_ERR_NO_SPACE => Ok(None),
            _ if is_ok(status) => Ok(Some(Self(handle))),
            _ => Err(Refused),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed once.
        unsafe { bindings::wm_nvs_close(self.0) };
    }
}

const fn is_ok(status: i32) -> bool {
    status == bindings::WM_NVS_ERR_OK as i32
}

/// Reads what is kept under `key` (at most 15 characters), with a NUL after it; `None` when nothing is.
///
/// # Errors
/// [`Refused`] when the storage fails, or without memory for it: something may be kept there.
pub fn load(key: &CStr) -> Result<Option<Bytes>, Refused> {
    let Some(group) = Open::new(bindings::WM_NVS_OP_READ_ONLY)? else { return Ok(None) };
    let (mut length, mut kind) = (0_usize, bindings::WM_NVS_TYPE_ANY);
    let name = key.as_ptr().cast();
    // The SDK's `wm_nvs_get_blob` does not tell a length without a buffer, whatever its documentation says.
    // SAFETY: the handle is open, the name ends in NUL, and both places are valid.
    let status = unsafe { bindings::wm_nvs_get_info(group.0, name, &raw mut kind, &raw mut length) };
    match status {
        bindings::WM_NVS_ERR_NOT_FOUND => return Ok(None),
        _ if is_ok(status) => {}
        _ => return Err(Refused),
    }
    let mut text = Bytes::allocate(length.checked_add(1).ok_or(Refused)?).ok_or(Refused)?;
    // SAFETY: the buffer has room for `length` bytes.
    let status =
        unsafe { bindings::wm_nvs_get_blob(group.0, name, text.as_mut().as_mut_ptr().cast(), &raw mut length) };
    if is_ok(status) { Ok(Some(text)) } else { Err(Refused) }
}

/// Keeps `text` under `key` in place of what was there.
///
/// # Errors
/// [`Refused`] when the storage is full or fails; what was there stays.
pub fn store(key: &CStr, text: &[u8]) -> Result<(), Refused> {
    let group = Open::new(bindings::WM_NVS_OP_READ_WRITE)?.ok_or(Refused)?;
    // SAFETY: the handle is open, the name ends in NUL, and `text` is valid for its length.
    let status = unsafe { bindings::wm_nvs_set_blob(group.0, key.as_ptr().cast(), text.as_ptr().cast(), text.len()) };
    if is_ok(status) { Ok(()) } else { Err(Refused) }
}

/// Forgets what is kept under `key`, if anything is.
///
/// # Errors
/// [`Refused`] when the storage fails.
pub fn erase(key: &CStr) -> Result<(), Refused> {
    let Some(group) = Open::new(bindings::WM_NVS_OP_READ_WRITE)? else { return Ok(()) };
    // SAFETY: the handle is open, and the name ends in NUL.
    let status = unsafe { bindings::wm_nvs_del_key(group.0, key.as_ptr().cast()) };
    if is_ok(status) || status == bindings::WM_NVS_ERR_NOT_FOUND { Ok(()) } else { Err(Refused) }
}

/// A storage of the tests' own.
#[cfg(test)]
pub mod testing {
    use core::ffi::{CStr, c_char, c_uint};

    unsafe extern "C" {
        fn nvs_start(path: *const c_char) -> bool;
        fn wm_log_set_level(level: c_uint) -> i32;
    }

    /// What the board reads of the file at `path`, as after a loss of power; nothing is logged.
    pub fn start(path: &CStr) {
        const SILENT: c_uint = 0;
        // SAFETY: the path ends in NUL, and any level may be set.
        let started = unsafe {
            wm_log_set_level(SILENT);
            nvs_start(path.as_ptr())
        };
        assert!(started);
    }
}
