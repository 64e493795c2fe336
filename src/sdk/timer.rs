//! A one-shot timer of the SDK.

use super::bindings;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// What a timer does when its time is over. It runs in the SDK's timer task and must not block.
pub trait Expire {
    /// The time is over.
    fn expire();
}

#[derive(Debug)]
struct Handle(NonNull<c_void>);

// SAFETY: the SDK's timers are commanded through a queue, from any task.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// A timer that the SDK creates at first use and that lives as long as the firmware.
#[derive(Debug)]
pub struct Timer<E> {
    handle: spin::Once<Handle>,
    period_ms: u32,
    expire: PhantomData<fn() -> E>,
}

impl<E: Expire> Timer<E> {
    /// A stopped timer of this period in milliseconds.
    pub const fn new(period_ms: u32) -> Self {
        Self { handle: spin::Once::new(), period_ms, expire: PhantomData }
    }

    /// Starts it, from the beginning if it runs. `false` when the SDK has no memory for it.
    pub fn start(&self) -> bool {
        let handle = self.handle.try_call_once(|| {
            let mut handle = core::ptr::null_mut();
            // SAFETY: `handle` is a valid place; name and callback are static, and the callback takes any argument.
            let status = unsafe {
                bindings::wm_os_internal_timer_create_ms(
                    &mut handle,
                    Some(expired::<E>),
                    core::ptr::null_mut(),
                    self.period_ms,
                    false,
                    c"mqtt".as_ptr().cast_mut(),
                )
            };
            NonNull::new(handle).filter(|_| status == bindings::WM_OS_STATUS_SUCCESS).map(Handle).ok_or(())
        });
        let Ok(handle) = handle else { return false };
        // SAFETY: the handle is a live timer; it is never deleted.
        unsafe { bindings::wm_os_internal_timer_start(handle.0.as_ptr()) };
        true
    }

    /// Stops it.
    pub fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            // SAFETY: as in `start`.
            unsafe { bindings::wm_os_internal_timer_stop(handle.0.as_ptr()) };
        }
    }
}

extern "C" fn expired<E: Expire>(_: *mut c_void, _: *mut c_void) {
    E::expire();
}
