//! The host's pointers as the guest sees them: numbers that point to nothing, each good for one kind of object.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::call::Trouble;

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `wm_os_task_t`
    Task,
    /// `wm_os_sem_t *`
    Semaphore,
    /// `wm_os_mutex_t *`
    Mutex,
    /// `wm_os_queue_t *`
    Queue,
    /// `wm_nvs_handle_t`
    Storage,
}

/// No memory is there, so the guest cannot look behind a handle.
const FIRST: u32 = 0x6000_0000;
const STEP: u32 = 16;

static TABLE: Mutex<Vec<Option<(Kind, usize)>>> = Mutex::new(Vec::new());

fn table() -> MutexGuard<'static, Vec<Option<(Kind, usize)>>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(handle: u32) -> Option<usize> {
    let offset = handle.checked_sub(FIRST)?;
    (offset.checked_rem(STEP) == Some(0)).then(|| offset.checked_div(STEP))?.and_then(|index| index.try_into().ok())
}

/// A handle for an object; 0 for none.
pub fn give(kind: Kind, object: *mut c_void) -> u32 {
    if object.is_null() {
        return 0;
    }
    let mut table = table();
    let index = table.iter().position(Option::is_none).unwrap_or_else(|| {
        table.push(None);
        table.len().saturating_sub(1)
    });
    if let Some(place) = table.get_mut(index) {
        *place = Some((kind, object.expose_provenance()));
    }
    handle(index)
}

fn handle(index: usize) -> u32 {
    FIRST.saturating_add(u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(STEP))
}

/// The object behind a handle.
pub fn find(kind: Kind, handle: u32) -> Result<*mut c_void, Trouble> {
    let found = index(handle).and_then(|index| table().get(index).copied().flatten());
    match found {
        Some((known, object)) if known == kind => Ok(std::ptr::with_exposed_provenance_mut(object)),
        _ => Err(Trouble::Misuse(format!("{handle:#010x} is no {kind:?}"))),
    }
}

/// The handle of an object that is there for as long as the board runs, or until its handle is forgotten: always the same.
pub fn of(kind: Kind, object: *mut c_void) -> u32 {
    let place = table().iter().position(|entry| *entry == Some((kind, object.addr())));
    place.map_or_else(|| give(kind, object), handle)
}

/// Forgets a handle.
pub fn forget(handle: u32) {
    let mut table = table();
    if let Some(place) = index(handle).and_then(|index| table.get_mut(index)) {
        *place = None;
    }
}
