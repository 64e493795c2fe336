//! Locks and semaphores.
//!
//! | what | for | how long | what may happen inside |
//! |---|---|---|---|
//! | [`Critical`] | a few words | some instructions | nothing that waits: no other task runs |
//! | [`Mutex`] | what a step of a task needs whole | the step | calls that lwIP, Mbed TLS or the heap answer at once |
//! | [`Semaphore`] | a right, a signal | as long as it takes | waiting |
//!
//! A task holds one of the two locks at most while it takes a [`Mutex`], and none while it waits: [`no_lock_held`]
//! stands in every call that can wait. It is checked in builds with debug assertions and costs nothing in a firmware.

use super::bindings;
use super::word::Pointer;
#[cfg(debug_assertions)]
use core::cell::Cell;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::marker::PhantomData;

/// What the calling task holds, counted where there are debug assertions and an operating system to keep the count in.
#[cfg(all(debug_assertions, not(target_os = "none")))]
mod held {
    use std::cell::Cell;
    use std::thread_local;

    thread_local! {
        static LOCKS: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn count(change: impl FnOnce(u32) -> u32) {
        LOCKS.set(change(LOCKS.get()));
    }

    pub(super) fn none() -> bool {
        LOCKS.get() == 0
    }
}

#[cfg(not(all(debug_assertions, not(target_os = "none"))))]
mod held {
    pub(super) fn count(_: impl FnOnce(u32) -> u32) {}

    pub(super) const fn none() -> bool {
        true
    }
}

/// The calling task is about to wait, or may be: it must hold no lock, or whoever needs that lock would wait with it.
#[cfg_attr(debug_assertions, track_caller)]
pub fn no_lock_held() {
    debug_assert!(held::none(), "a task that holds a lock waits");
}

/// A few words that tasks share, used inside the SDK's critical section: nothing else runs meanwhile, and nothing in
/// there can wait.
#[derive(Debug)]
pub struct Critical<T> {
    /// Whether the value is being used: using it again inside would be a second reference to it. No use in this library
    /// has another one inside, and builds with debug assertions, which the tests are, see to that.
    #[cfg(debug_assertions)]
    used: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: both are touched inside the critical section only, which keeps every other task out.
unsafe impl<T: Send> Sync for Critical<T> {}

impl<T> Critical<T> {
    /// Shares `value`.
    pub const fn new(value: T) -> Self {
        Self {
            #[cfg(debug_assertions)]
            used: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Uses the value, for some instructions: interrupts wait for as long. Nothing in there uses it again.
    #[inline(always)]
    pub fn with<R>(&self, operation: impl FnOnce(&mut T) -> R) -> R {
        self.enter();
        // SAFETY: no other task runs, and this one is not using the value already.
        let result = operation(unsafe { &mut *self.value.get() });
        self.leave();
        result
    }

    #[inline(always)]
    fn enter(&self) {
        // SAFETY: no requirements; paired with `leave`.
        unsafe { bindings::wm_os_internal_set_critical() };
        #[cfg(debug_assertions)]
        assert!(!self.used.replace(true), "misused lock");
        held::count(|locks| locks.saturating_add(1));
    }

    #[inline(always)]
    fn leave(&self) {
        held::count(|locks| locks.saturating_sub(1));
        #[cfg(debug_assertions)]
        self.used.set(false);
        // SAFETY: leaves the section that `enter` has entered.
        unsafe { bindings::wm_os_internal_release_critical() };
    }
}

impl<T: Copy> Critical<T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        self.with(|value| *value)
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.with(|place| *place = value);
    }
}

/// A value that one task at a time may use for a step that does not wait. The SDK's mutex is behind it: a task that holds
/// it runs at the priority of the highest one that wants it.
#[derive(Debug)]
pub struct Mutex<T> {
    handle: Handle,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, and the mutex gives out one at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// The right to use a [`Mutex`]'s value; ends when dropped, by the task that has it.
#[derive(Debug)]
pub struct Guard<'a, T> {
    mutex: &'a Mutex<T>,
    /// The SDK's mutex is given back by the task that has taken it.
    of_this_task: PhantomData<*const ()>,
}

impl<T> Mutex<T> {
    /// A mutex over `value`. [`Mutex::create`] must have succeeded before it is locked.
    pub const fn new(value: T) -> Self {
        Self { handle: Handle::none(), value: UnsafeCell::new(value) }
    }

    /// Creates it in the SDK. One task at a time may call this.
    ///
    /// # Errors
    /// [`NoMemory`] when the SDK has none for it.
    pub fn create(&self) -> Result<(), NoMemory> {
        create(&self.handle)
    }

    /// Waits until no other task uses the value: each does so for a step only.
    pub fn lock(&self) -> Guard<'_, T> {
        acquire(&self.handle);
        Guard { mutex: self, of_this_task: PhantomData }
    }
}

impl<T> core::ops::Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this task holds the mutex.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> core::ops::DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this task holds the mutex, and `&mut self` makes the access unique.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        release(&self.mutex.handle);
    }
}

/// Out of line, as the two below: there are many places.
#[inline(never)]
fn create(handle: &Handle) -> Result<(), NoMemory> {
    // SAFETY: `place` is a valid place for the result.
    handle.create(|place| unsafe { bindings::wm_os_internal_mutex_create(place) })
}

#[inline(never)]
#[cfg_attr(debug_assertions, track_caller)]
fn acquire(handle: &Handle) {
    no_lock_held();
    let mutex = handle.get();
    // A value without the mutex that guards it would have two references that exclude each other.
    assert!(!mutex.is_null(), "misused lock");
    // SAFETY: the handle is a live mutex of the SDK; it is never deleted.
    while unsafe { bindings::wm_os_internal_mutex_acquire(mutex, FOREVER) } != bindings::WM_OS_STATUS_SUCCESS {}
    held::count(|locks| locks.saturating_add(1));
}

#[inline(never)]
fn release(handle: &Handle) {
    held::count(|locks| locks.saturating_sub(1));
    // SAFETY: as in `acquire`, and this task holds it.
    let _ = unsafe { bindings::wm_os_internal_mutex_release(handle.get()) };
}

/// Wait for as long as it takes.
pub const FOREVER: u32 = bindings::WM_OS_WAIT_TIME_MAX as u32;

/// The SDK had no memory for a semaphore or a mutex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMemory;

/// An object of the SDK that is created once and lives as long as the firmware.
#[derive(Debug)]
pub(super) struct Handle(Pointer<c_void>);

impl Handle {
    /// Not created yet.
    pub(super) const fn none() -> Self {
        Self(Pointer::new(core::ptr::null_mut()))
    }

    /// The object, or null.
    pub(super) fn get(&self) -> *mut c_void {
        self.0.get()
    }

    /// Has `create` make the object, unless it is there.
    fn create(&self, create: impl FnOnce(&mut *mut c_void) -> bindings::wm_os_status_t) -> Result<(), NoMemory> {
        if self.get_or_create(create).is_null() { Err(NoMemory) } else { Ok(()) }
    }

    /// The object, created by `create` if it is not there; null when that fails.
    pub(super) fn get_or_create(
        &self,
        create: impl FnOnce(&mut *mut c_void) -> bindings::wm_os_status_t,
    ) -> *mut c_void {
        let mut object = self.get();
        if object.is_null() && create(&mut object) == bindings::WM_OS_STATUS_SUCCESS {
            self.0.set(object);
        }
        self.get()
    }
}

/// A counting semaphore of the SDK.
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

    /// Creates it in the SDK, unless that was done before. One task at a time may call this.
    ///
    /// # Errors
    /// [`NoMemory`] when the SDK has none for it.
    #[inline(never)]
    pub fn create(&self) -> Result<(), NoMemory> {
        // SAFETY: `place` is a valid place for the result.
        self.handle.create(|place| unsafe { bindings::wm_os_internal_sem_create(place, self.initial) })
    }

    /// Whether [`Semaphore::create`] has succeeded.
    pub fn is_created(&self) -> bool {
        !self.handle.get().is_null()
    }

    /// Counts down, waiting at most `milliseconds` for the count to be above 0. `false` when the time is over.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn acquire(&self, milliseconds: u32) -> bool {
        if milliseconds > 0 {
            no_lock_held();
        }
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

struct CriticalSection;

critical_section::set_impl!(CriticalSection);

// SAFETY: the SDK's critical section keeps everything else on this single core from running, and nests.
unsafe impl critical_section::Impl for CriticalSection {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: no requirements.
        unsafe { bindings::wm_os_internal_set_critical() }
    }

    unsafe fn release(_: critical_section::RawRestoreState) {
        // SAFETY: the caller pairs it with `acquire`.
        unsafe { bindings::wm_os_internal_release_critical() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock;
    use super::super::task::testing::on_task;
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn panics(operation: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(operation)).is_err()
    }

    #[test]
    fn critical_values_are_used_and_replaced() {
        static VALUE: Critical<(u32, u32)> = Critical::new((1, 2));
        assert_eq!(VALUE.with(|(one, other)| core::mem::replace(one, 5) + *other), 3);
        assert_eq!(VALUE.get(), (5, 2));
        VALUE.set((7, 8));
        assert_eq!(VALUE.get(), (7, 8));
        assert!(!VALUE.with(|_| held::none()) && held::none());
    }

    #[test]
    fn a_critical_value_is_not_used_inside_itself() {
        static VALUE: Critical<u32> = Critical::new(0);
        assert!(panics(|| VALUE.with(|_| VALUE.set(1))));
        // What the panic has jumped over.
        for _ in 0..2 {
            // SAFETY: leaves what both uses above have entered.
            unsafe { bindings::wm_os_internal_release_critical() };
        }
    }

    #[test]
    fn who_holds_a_mutex_must_not_wait() {
        static HELD: Mutex<u32> = Mutex::new(0);
        static OTHER: Mutex<u32> = Mutex::new(0);
        static SIGNAL: Semaphore = Semaphore::new(1);
        on_task(|| {
            assert!(HELD.create().is_ok() && OTHER.create().is_ok() && SIGNAL.create().is_ok());
            let waits: [fn(); 5] = [
                || drop(OTHER.lock()),
                || assert!(SIGNAL.acquire(1)),
                || clock::delay_ms(1),
                || super::super::device::send(b"x"),
                no_lock_held,
            ];
            for wait in waits {
                let guard = HELD.lock();
                assert!(panics(wait));
                assert!(SIGNAL.acquire(0), "not to wait is allowed");
                SIGNAL.release();
                drop(guard);
                no_lock_held();
            }
        });
    }

    #[test]
    fn a_mutex_lets_one_task_in_at_a_time() {
        static SHARED: Mutex<u32> = Mutex::new(0);
        const ROUNDS: u32 = 200;
        on_task(|| assert!(SHARED.create().is_ok()));
        let tasks = [(); 2].map(|()| {
            std::thread::spawn(|| {
                on_task(|| {
                    for _ in 0..ROUNDS {
                        let mut guard = SHARED.lock();
                        let seen = *guard;
                        // SAFETY: no requirements; leaving it lets another task run.
                        unsafe {
                            bindings::wm_os_internal_set_critical();
                            bindings::wm_os_internal_release_critical();
                        }
                        *guard = seen + 1;
                    }
                });
            })
        });
        for task in tasks {
            task.join().unwrap();
        }
        on_task(|| assert_eq!(*SHARED.lock(), 2 * ROUNDS));
    }

    #[test]
    fn a_mutex_that_was_not_created_is_not_locked() {
        static NEVER: Mutex<u32> = Mutex::new(0);
        assert!(panics(|| drop(NEVER.lock())));
    }
}
