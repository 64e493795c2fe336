//! A one-shot timer of the SDK.

use super::bindings;
use super::sync::Handle;
use core::ffi::c_void;
use core::marker::PhantomData;

/// What a timer does when its time is over. It runs in the SDK's timer task and must not block.
pub trait Expire {
    /// The time is over.
    fn expire();
}

/// A timer that the SDK creates at first use and that lives as long as the firmware.
#[derive(Debug)]
pub struct Timer<E> {
    handle: Handle,
    period_ms: u32,
    expire: PhantomData<fn() -> E>,
}

impl<E: Expire> Timer<E> {
    /// A stopped timer of this period in milliseconds.
    pub const fn new(period_ms: u32) -> Self {
        Self { handle: Handle::none(), period_ms, expire: PhantomData }
    }

    /// Starts it, from the beginning if it runs. `false` when the SDK has no memory for it. Only the AT server's tasks
    /// may call this.
    pub fn start(&self) -> bool {
        let handle = self.handle.get_or_create(|place| {
            // SAFETY: `place` is valid; name and callback are static, and the callback takes any argument.
            unsafe {
                bindings::wm_os_internal_timer_create_ms(
                    place,
                    Some(expired::<E>),
                    core::ptr::null_mut(),
                    self.period_ms,
                    false,
                    c"mqtt".as_ptr().cast_mut(),
                )
            }
        });
        if handle.is_null() {
            return false;
        }
        // SAFETY: the handle is a live timer; it is never deleted.
        unsafe { bindings::wm_os_internal_timer_start(handle) };
        true
    }

    /// Stops it.
    pub fn stop(&self) {
        let handle = self.handle.get();
        if !handle.is_null() {
            // SAFETY: as in `start`.
            unsafe { bindings::wm_os_internal_timer_stop(handle) };
        }
    }
}

extern "C" fn expired<E: Expire>(_: *mut c_void, _: *mut c_void) {
    E::expire();
}
