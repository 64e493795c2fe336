//! What a whole image calls of the SDK's operating system layer beyond the library's own calls: lwIP's mailboxes, and the
//! heap by the names that tell whose a block is. What may not come back owns nothing, as in `osal`.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{c_int, c_void};

use w800_mqtt_at::sdk::bindings;

use super::call::{Outcome, Trouble, Words, low, status};
use super::handles::{self, Kind};
use super::heap::{self, Owner};
use super::memory::{self, set_word};
use super::{guest, libc};

unsafe extern "C" {
    fn wm_os_internal_sem_delete(semaphore: *mut c_void) -> c_int;
    fn wm_os_internal_queue_create(queue: *mut *mut c_void, size: u32) -> c_int;
    fn wm_os_internal_queue_delete(queue: *mut c_void) -> c_int;
    fn wm_os_internal_queue_send(queue: *mut c_void, message: *mut c_void) -> c_int;
    fn wm_os_internal_queue_forever_send(queue: *mut c_void, message: *mut c_void) -> c_int;
    fn wm_os_internal_queue_receive_ms(queue: *mut c_void, message: *mut *mut c_void, milliseconds: u32) -> c_int;
}

/// The guest's pointers go through the board's queues as they are.
fn message(word: u32) -> *mut c_void {
    std::ptr::without_provenance_mut(word as usize)
}

pub fn sem_delete([semaphore, ..]: Words) -> Outcome {
    let object = handles::find(Kind::Semaphore, semaphore)?;
    handles::forget(semaphore);
    // SAFETY: the handle was that of a live semaphore.
    status(unsafe { wm_os_internal_sem_delete(object) })
}

pub fn create([place, size, ..]: Words) -> Outcome {
    let mut queue = std::ptr::null_mut();
    // SAFETY: the place is valid.
    let outcome = unsafe { wm_os_internal_queue_create(&raw mut queue, size) };
    set_word(place, handles::give(Kind::Queue, queue))?;
    status(outcome)
}

pub fn delete([queue, ..]: Words) -> Outcome {
    let object = handles::find(Kind::Queue, queue)?;
    handles::forget(queue);
    // SAFETY: the handle was that of a live queue.
    status(unsafe { wm_os_internal_queue_delete(object) })
}

pub fn send([queue, word, ..]: Words) -> Outcome {
    let queue = handles::find(Kind::Queue, queue)?;
    // SAFETY: the handle is that of a live queue of pointers.
    status(unsafe { wm_os_internal_queue_send(queue, message(word)) })
}

pub fn forever_send([queue, word, ..]: Words) -> Outcome {
    let queue = handles::find(Kind::Queue, queue)?;
    // SAFETY: as above.
    status(unsafe { wm_os_internal_queue_forever_send(queue, message(word)) })
}

pub fn receive_ms([queue, place, milliseconds, ..]: Words) -> Outcome {
    let queue = handles::find(Kind::Queue, queue)?;
    let mut received = std::ptr::null_mut();
    // SAFETY: as above, and the place is valid.
    let outcome = unsafe { wm_os_internal_queue_receive_ms(queue, &raw mut received, milliseconds) };
    if outcome == bindings::WM_OS_STATUS_SUCCESS {
        set_word(place, low(received.addr() as u64))?;
    }
    status(outcome)
}

/* The heap */

/// Tells of a block that there is no room for: on a chip the firmware has to do without it.
fn taken(size: u32, file: u32, line: u32) -> Outcome {
    let file = memory::text(file)?;
    let file = file.to_string_lossy();
    let at = heap::take(size, Owner::of(&file))?;
    if at == 0 {
        heap::tell_refusal(&format!("{size} bytes for {file}:{line}"));
    }
    Ok(u64::from(at))
}

pub fn alloc([size, _, file, line, ..]: Words) -> Outcome {
    if size == 0 { Ok(0) } else { taken(size, file, line) }
}

pub fn calloc([count, size, file, line, ..]: Words) -> Outcome {
    let Some(bytes @ 1..) = count.checked_mul(size) else { return Ok(0) };
    let at = taken(bytes, file, line)?;
    if at != 0 {
        libc::memset([low(at), 0, bytes, 0, 0, 0, 0, 0])?;
    }
    Ok(at)
}

/// The word of a task's own, which a new task finds 0.
pub fn task_word(_: Words) -> Outcome {
    Ok(u64::from(guest::task_word()?))
}

/// The chip has no words for it: what firmware says before it stops.
pub fn panic([text, ..]: Words) -> Outcome {
    Err(Trouble::Misuse(memory::text(text)?.to_string_lossy().into_owned()))
}
