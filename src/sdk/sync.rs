//! Locks and semaphores.

use super::bindings;
use core::ffi::c_void;
use core::ptr::NonNull;

/// Gives the processor away while a lock is held by a task that a bare spin would keep from running.
#[derive(Debug)]
pub struct Yield;

impl spin::RelaxStrategy for Yield {
    fn relax() {
        super::clock::delay_ms(1);
    }
}

/// A lock that is held for a few instructions only: never across network, serial port or waiting.
pub type Lock<T> = spin::mutex::SpinMutex<T, Yield>;

/// Wait for as long as it takes.
pub const FOREVER: u32 = bindings::WM_OS_WAIT_TIME_MAX as u32;

/// The SDK had no memory for a semaphore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSemaphore;

#[derive(Debug)]
struct Handle(NonNull<c_void>);

// SAFETY: the SDK's semaphores are made to be shared between tasks.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// A counting semaphore that the SDK creates at first use and that lives as long as the firmware.
#[derive(Debug)]
pub struct Semaphore {
    handle: spin::Once<Handle>,
    initial: u32,
}

impl Semaphore {
    /// A semaphore whose count begins at `initial`. [`Semaphore::create`] must have succeeded before it is used.
    pub const fn new(initial: u32) -> Self {
        Self { handle: spin::Once::new(), initial }
    }

    /// Creates it in the SDK, unless that was done before.
    ///
    /// # Errors
    /// [`NoSemaphore`] when the SDK has no memory for it.
    pub fn create(&self) -> Result<(), NoSemaphore> {
        self.handle
            .try_call_once(|| {
                let mut handle = core::ptr::null_mut();
                // SAFETY: `handle` is a valid place for the result.
                let status = unsafe { bindings::wm_os_internal_sem_create(&mut handle, self.initial) };
                NonNull::new(handle).filter(|_| status == bindings::WM_OS_STATUS_SUCCESS).map(Handle).ok_or(NoSemaphore)
            })
            .map(|_| ())
    }

    /// Counts down, waiting at most `milliseconds` for the count to be above 0. `false` when the time is over.
    pub fn acquire(&self, milliseconds: u32) -> bool {
        self.handle.get().is_some_and(|handle| {
            // SAFETY: the handle is a live semaphore of the SDK; it is never deleted.
            let status = unsafe { bindings::wm_os_internal_sem_acquire_ms(handle.0.as_ptr(), milliseconds) };
            status == bindings::WM_OS_STATUS_SUCCESS
        })
    }

    /// Counts up, waking a task that waits.
    pub fn release(&self) {
        if let Some(handle) = self.handle.get() {
            // SAFETY: as in `acquire`.
            let _ = unsafe { bindings::wm_os_internal_sem_release(handle.0.as_ptr()) };
        }
    }

    /// Counts down to 0, forgetting signals that nobody waited for.
    pub fn drain(&self) {
        while self.acquire(0) {}
    }
}

struct Critical;

critical_section::set_impl!(Critical);

// SAFETY: the SDK's critical section keeps everything else on this single core from running, and nests.
unsafe impl critical_section::Impl for Critical {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: no requirements.
        unsafe { bindings::wm_os_internal_set_critical() }
    }

    unsafe fn release(_: critical_section::RawRestoreState) {
        // SAFETY: the caller pairs it with `acquire`.
        unsafe { bindings::wm_os_internal_release_critical() }
    }
}
