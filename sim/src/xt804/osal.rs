//! The SDK's operating system layer. What may not come back, because its task is deleted meanwhile, owns nothing.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{CString, c_void};

use w800_mqtt_at::sdk::bindings;

use super::call::{Outcome, Trouble, Words, low, status};
use super::guest::{self, call, core};
use super::handles::{self, Kind};
use super::heap;
use super::memory::{self, set_word};

pub fn get_time_ms(_: Words) -> Outcome {
    // SAFETY: no requirements.
    Ok(u64::from(unsafe { bindings::wm_os_internal_get_time_ms() }))
}

pub fn time_delay_ms([milliseconds, ..]: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::wm_os_internal_time_delay_ms(milliseconds) };
    Ok(0)
}

pub fn set_critical(_: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::wm_os_internal_set_critical() };
    Ok(0)
}

pub fn release_critical(_: Words) -> Outcome {
    // SAFETY: the guest pairs it with the call above, as on the chip.
    unsafe { bindings::wm_os_internal_release_critical() };
    Ok(0)
}

pub fn reboot(_: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::wm_system_reboot() };
    Ok(0)
}

/// Writes the handle of a new object, 0 where there is none.
fn created(place: u32, kind: Kind, object: *mut c_void, outcome: i32) -> Outcome {
    set_word(place, handles::give(kind, object))?;
    status(outcome)
}

pub fn sem_create([place, count, ..]: Words) -> Outcome {
    let mut semaphore = std::ptr::null_mut();
    // SAFETY: the place is valid.
    let outcome = unsafe { bindings::wm_os_internal_sem_create(&raw mut semaphore, count) };
    created(place, Kind::Semaphore, semaphore, outcome)
}

pub fn sem_acquire_ms([semaphore, milliseconds, ..]: Words) -> Outcome {
    let semaphore = handles::find(Kind::Semaphore, semaphore)?;
    // SAFETY: the handle is that of a live semaphore.
    status(unsafe { bindings::wm_os_internal_sem_acquire_ms(semaphore, milliseconds) })
}

pub fn sem_release([semaphore, ..]: Words) -> Outcome {
    let semaphore = handles::find(Kind::Semaphore, semaphore)?;
    // SAFETY: the handle is that of a live semaphore.
    status(unsafe { bindings::wm_os_internal_sem_release(semaphore) })
}

pub fn mutex_create([place, ..]: Words) -> Outcome {
    let mut mutex = std::ptr::null_mut();
    // SAFETY: the place is valid.
    let outcome = unsafe { bindings::wm_os_internal_mutex_create(&raw mut mutex) };
    created(place, Kind::Mutex, mutex, outcome)
}

pub fn mutex_acquire([mutex, ticks, ..]: Words) -> Outcome {
    let mutex = handles::find(Kind::Mutex, mutex)?;
    // SAFETY: the handle is that of a live mutex.
    status(unsafe { bindings::wm_os_internal_mutex_acquire(mutex, ticks) })
}

pub fn mutex_release([mutex, ..]: Words) -> Outcome {
    let mutex = handles::find(Kind::Mutex, mutex)?;
    // SAFETY: the handle is that of a live mutex.
    status(unsafe { bindings::wm_os_internal_mutex_release(mutex) })
}

/// What a new task needs to know.
struct Launch {
    slot: usize,
    entry: u32,
    parameter: u32,
}

/// A new task must not run before its creator has its handle: it has at most the priority of that one.
pub fn task_create([place, name, entry, parameter, stack, priority, flag, ..]: Words) -> Outcome {
    let name = memory::text(name)?;
    let Some(slot) = guest::prepare(&name.to_string_lossy(), stack) else {
        heap::tell_refusal(&format!("the {stack} bytes of stack of task {name:?}"));
        set_word(place, 0)?;
        return status(bindings::WM_OS_STATUS_ERROR);
    };
    let launch = Launch { slot, entry, parameter };
    let launch = Box::into_raw(Box::new(launch));
    let mut task = std::ptr::null_mut();
    // SAFETY: place and name are valid, and the entry takes the parameter over.
    let outcome = unsafe {
        bindings::wm_os_internal_task_create(
            &raw mut task,
            name.as_ptr(),
            Some(run_task),
            launch.cast(),
            stack,
            priority,
            flag,
        )
    };
    if outcome != bindings::WM_OS_STATUS_SUCCESS {
        // SAFETY: no task has it.
        drop(unsafe { Box::from_raw(launch) });
        guest::forget(slot);
        heap::tell_refusal(&format!("the {stack} bytes of stack of task {name:?}"));
    }
    created(place, Kind::Task, task, outcome)
}

extern "C" fn run_task(launch: *mut c_void) {
    // SAFETY: `task_create` has made it for this task.
    let launch = *unsafe { Box::from_raw(launch.cast::<Launch>()) };
    guest::enter_thread(launch.slot);
    let (entry, parameter) = (launch.entry, launch.parameter);
    call(entry, &[parameter]);
}

pub fn heap_get_free_size(_: Words) -> Outcome {
    // SAFETY: no requirements.
    Ok(unsafe { bindings::wm_heap_get_free_size() } as u64)
}

pub fn task_id(_: Words) -> Outcome {
    // SAFETY: no requirements.
    let task = unsafe { bindings::wm_os_internal_task_id() };
    Ok(u64::from(handles::of(Kind::Task, task.cast())))
}

pub fn task_del([task, ..]: Words) -> Outcome {
    let object = if task == 0 { std::ptr::null_mut() } else { handles::find(Kind::Task, task)? };
    let own = if task == 0 { low(task_id(Words::default())?) } else { task };
    handles::forget(own);
    // SAFETY: the handle is that of a live task, or NULL for the calling one, which owns nothing here.
    status(unsafe { bindings::wm_os_internal_task_del(object.cast()) })
}

pub fn log_printf([level, tag, format, rest @ ..]: Words) -> Outcome {
    let format = core().machine().memory().c_string(format)?.to_vec();
    let line = CString::new(formatted(&format, &rest)?).map_err(|error| Trouble::Misuse(error.to_string()))?;
    let tag = memory::text(tag)?;
    // SAFETY: the format takes one text, and all texts end in NUL.
    status(unsafe { bindings::wm_log_printf(level, tag.as_ptr(), c"%s".as_ptr(), line.as_ptr()) })
}

/// What `printf` makes of a format with %s, %d, %u, %x, %c and %% in it.
fn formatted(format: &[u8], words: &[u32]) -> Result<Vec<u8>, Trouble> {
    let (mut line, mut words) = (Vec::new(), words.iter().copied());
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            line.push(byte);
            continue;
        }
        let conversion = bytes.next();
        if conversion == Some(b'%') {
            line.push(b'%');
            continue;
        }
        let word = words.next().ok_or_else(|| Trouble::Misuse("more words to print than are passed on".to_owned()))?;
        line.extend(converted(conversion, word)?);
    }
    Ok(line)
}

fn converted(conversion: Option<u8>, word: u32) -> Result<Vec<u8>, Trouble> {
    Ok(match conversion {
        Some(b's') => core().machine().memory().c_string(word)?.to_vec(),
        Some(b'd') => word.cast_signed().to_string().into_bytes(),
        Some(b'u') => word.to_string().into_bytes(),
        Some(b'x') => format!("{word:x}").into_bytes(),
        Some(b'c') => vec![(word & 0xff) as u8],
        _ => return Err(Trouble::Misuse("a conversion that the log does not know".to_owned())),
    })
}
