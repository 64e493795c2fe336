//! SDK tasks.

use super::bindings;
use crate::options::TASK_PRIORITY;
use core::ffi::{CStr, c_void};
use core::ptr::NonNull;

/// What a task runs.
pub trait Body {
    /// The task's whole life. It must not return; the trampoline parks it if it does.
    fn run(index: usize);
}

/// A running or parked task. Dropping the handle leaks the task: end it with [`Task::delete`].
#[derive(Debug)]
pub struct Task(NonNull<c_void>);

// SAFETY: a task handle is only a name; the SDK's calls take it from any task.
unsafe impl Send for Task {}

impl Task {
    /// Starts `B::run(index)` below the AT server's priority, with a stack of `stack_bytes` bytes; `None` when the SDK
    /// has no memory for it.
    pub fn spawn<B: Body>(name: &'static CStr, index: usize, stack_bytes: u32) -> Option<Self> {
        let mut handle = core::ptr::null_mut();
        // SAFETY: `handle` is a valid place for the result, the name is static, and the entry takes any parameter.
        let status = unsafe {
            bindings::wm_os_internal_task_create(
                &mut handle,
                name.as_ptr(),
                Some(trampoline::<B>),
                core::ptr::without_provenance_mut(index),
                stack_bytes,
                TASK_PRIORITY,
                0,
            )
        };
        NonNull::new(handle).filter(|_| status == bindings::WM_OS_STATUS_SUCCESS).map(Self)
    }

    /// Ends the task and gives its stack back. It must be parked: holding no lock and owning nothing.
    pub fn delete(self) {
        // SAFETY: the handle is that of a task which `spawn` made and nobody has deleted, since this takes it.
        let _ = unsafe { bindings::wm_os_internal_task_del(self.0.as_ptr().cast()) };
    }
}

extern "C" fn trampoline<B: Body>(index: *mut c_void) {
    B::run(index.addr());
    loop {
        super::clock::delay_ms(60_000);
    }
}
