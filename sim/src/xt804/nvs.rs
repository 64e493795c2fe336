//! The non-volatile storage.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::CString;

use w800_mqtt_at::sdk::bindings;

use super::call::{Outcome, Trouble, Words, status};
use super::handles::{self, Kind};
use super::memory::{self, set_word, text, word};

pub fn open([partition, group, mode, place, ..]: Words) -> Outcome {
    let (partition, group) = (memory::optional_text(partition)?, text(group)?);
    let partition = partition.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    let mut handle = std::ptr::null_mut();
    // SAFETY: the names are NULL or end in NUL, and the place is valid.
    let outcome = unsafe { bindings::wm_nvs_open(partition, group.as_ptr(), mode, &raw mut handle) };
    set_word(place, handles::give(Kind::Storage, handle))?;
    status(outcome)
}

pub fn close([handle, ..]: Words) -> Outcome {
    let storage = handles::find(Kind::Storage, handle)?;
    handles::forget(handle);
    // SAFETY: the handle is open and closed once.
    status(unsafe { bindings::wm_nvs_close(storage) })
}

fn find(handle: u32, key: u32) -> Result<(bindings::wm_nvs_handle_t, CString), Trouble> {
    Ok((handles::find(Kind::Storage, handle)?, text(key)?))
}

pub fn del_key([handle, key, ..]: Words) -> Outcome {
    let (storage, key) = find(handle, key)?;
    // SAFETY: the handle is open, and the key ends in NUL.
    status(unsafe { bindings::wm_nvs_del_key(storage, key.as_ptr()) })
}

pub fn set_blob([handle, key, blob, size, ..]: Words) -> Outcome {
    let (storage, key) = find(handle, key)?;
    let bytes = memory::read(blob, size)?;
    // SAFETY: as above, and the bytes are valid for their length.
    status(unsafe { bindings::wm_nvs_set_blob(storage, key.as_ptr(), bytes.as_ptr().cast(), bytes.len()) })
}

pub fn get_blob([handle, key, blob, size, ..]: Words) -> Outcome {
    let (storage, key) = find(handle, key)?;
    let mut bytes = memory::buffer(blob, word(size)?)?;
    let mut length = bytes.len();
    // SAFETY: as above, and the buffer has room for `length` bytes.
    let outcome =
        unsafe { bindings::wm_nvs_get_blob(storage, key.as_ptr(), bytes.as_mut_ptr().cast(), &raw mut length) };
    memory::fill(blob, &bytes, length.min(bytes.len()))?;
    set_word(size, length as u32)?;
    status(outcome)
}

pub fn get_info([handle, key, kind, size, ..]: Words) -> Outcome {
    let (storage, key) = find(handle, key)?;
    let (mut type_of, mut length) = (word(kind)?, word(size)? as usize);
    // SAFETY: as above, and both places are valid.
    let outcome = unsafe { bindings::wm_nvs_get_info(storage, key.as_ptr(), &raw mut type_of, &raw mut length) };
    set_word(kind, type_of)?;
    set_word(size, length as u32)?;
    status(outcome)
}
