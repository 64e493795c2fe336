//! Locks and semaphores.

use super::bindings;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Gives the processor away while a lock is held by a task that a bare spin would keep from running.
#[derive(Debug)]
pub struct Yield;

impl spin::RelaxStrategy for Yield {
    fn relax() {
        super::clock::delay_ms(super::clock::TICK_MS);
    }
}

/// A lock that is held for a few instructions: never across network or waiting.
#[derive(Debug)]
pub struct Lock<T>(SpinMutex<T, Yield>);

/// The locked value; unlocks when dropped.
pub type Guard<'a, T> = SpinMutexGuard<'a, T, Yield>;

impl<T> Lock<T> {
    /// An unlocked lock over `value`.
    pub const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Locks. Out of line: atomics are calls on this chip, and there are many places.
    #[inline(never)]
    pub fn lock(&self) -> Guard<'_, T> {
        self.0.lock()
    }
}

/// Wait for as long as it takes.
pub const FOREVER: u32 = bindings::WM_OS_WAIT_TIME_MAX as u32;

/// The SDK had no memory for a semaphore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSemaphore;

/// An object of the SDK that is created at first use, by one task, and lives as long as the firmware.
#[derive(Debug)]
pub(super) struct Handle(AtomicPtr<c_void>);

impl Handle {
    /// Not created yet.
    pub(super) const fn none() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// The object, or null.
    pub(super) fn get(&self) -> *mut c_void {
        self.0.load(Ordering::Acquire)
    }

    /// The object, created by `create` if it is not there; null when that fails.
    pub(super) fn get_or_create(
        &self,
        create: impl FnOnce(&mut *mut c_void) -> bindings::wm_os_status_t,
    ) -> *mut c_void {
        let mut object = self.get();
        if object.is_null() && create(&mut object) == bindings::WM_OS_STATUS_SUCCESS {
            self.0.store(object, Ordering::Release);
        }
        self.get()
    }
}

/// A counting semaphore that the SDK creates at first use and that lives as long as the firmware.
#[derive(Debug)]
pub struct Semaphore {
    handle: Handle,
    initial: u32,
}

impl Semaphore {
    /// A semaphore whose count begins at `initial`. [`Semaphore::create`] must have succeeded before it is used.
    pub const fn new(initial: u32) -> Self {
        Self { handle: Handle::none(), initial }
    }

    /// Creates it in the SDK, unless that was done before. Only the AT server's task may call this.
    ///
    /// # Errors
    /// [`NoSemaphore`] when the SDK has no memory for it.
    pub fn create(&self) -> Result<(), NoSemaphore> {
        // SAFETY: `place` is a valid place for the result.
        let create = |place: &mut _| unsafe { bindings::wm_os_internal_sem_create(place, self.initial) };
        if self.handle.get_or_create(create).is_null() { Err(NoSemaphore) } else { Ok(()) }
    }

    /// Whether [`Semaphore::create`] has succeeded.
    pub fn is_created(&self) -> bool {
        !self.handle.get().is_null()
    }

    /// Counts down, waiting at most `milliseconds` for the count to be above 0. `false` when the time is over.
    pub fn acquire(&self, milliseconds: u32) -> bool {
        let handle = self.handle.get();
        // SAFETY: the handle is a live semaphore of the SDK; it is never deleted.
        !handle.is_null()
            && unsafe { bindings::wm_os_internal_sem_acquire_ms(handle, milliseconds) }
                == bindings::WM_OS_STATUS_SUCCESS
    }

    /// Counts up, waking a task that waits.
    pub fn release(&self) {
        let handle = self.handle.get();
        if !handle.is_null() {
            // SAFETY: as in `acquire`.
            let _ = unsafe { bindings::wm_os_internal_sem_release(handle) };
        }
    }

    /// Counts down to 0, forgetting signals that nobody waited for.
    pub fn drain(&self) {
        while self.acquire(0) {}
    }
}

/// A value that one task at a time may use for longer than a [`Lock`] is held, but never while it waits for the
/// network.
#[derive(Debug)]
pub struct Shared<T> {
    free: Semaphore,
    value: Lock<Option<T>>,
}

/// The right to use a [`Shared`] value; gives it back when dropped.
#[derive(Debug)]
pub struct Lent<'a, T> {
    owner: &'a Shared<T>,
    /// Out of its place while it is lent, so that the lock need not be held.
    value: Option<T>,
}

impl<T> Shared<T> {
    /// No value yet.
    pub const fn new() -> Self {
        Self { free: Semaphore::new(1), value: Lock::new(None) }
    }

    /// Creates what it needs of the SDK.
    ///
    /// # Errors
    /// [`NoSemaphore`] as in [`Semaphore::create`].
    pub fn create(&self) -> Result<(), NoSemaphore> {
        self.free.create()
    }

    /// Waits until no other task uses the value: each does so for a moment only.
    pub fn claim(&self) -> Lent<'_, T> {
        while !self.free.acquire(FOREVER) {}
        Lent { owner: self, value: self.value.lock().take() }
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> core::ops::Deref for Lent<'_, T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.value
    }
}

impl<T> core::ops::DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut Option<T> {
        &mut self.value
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        *self.owner.value.lock() = self.value.take();
        self.owner.free.release();
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
