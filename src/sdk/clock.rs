//! Time since boot that does not wrap, and delays.

use super::bindings;
use super::sync::{self, Critical};
use super::word::Word;
use w800_mqtt_core::time::Instant;

/// The SDK's clock wraps after 49 days: how many halves of its round have begun before the one that runs. The lowest bit is
/// the clock's highest.
static HALVES: Word = Word::new(0);

/// Who counts a half is alone in it.
static COUNTING: Critical<()> = Critical::new(());

/// Now. Right as long as it is asked once in 24 days while anything depends on it; a link's task asks at least
/// every keep alive.
pub fn now() -> Instant {
    let low = milliseconds();
    let halves = HALVES.get();
    if low >> 31 == halves & 1 { joined(halves, low) } else { in_next_half() }
}

fn milliseconds() -> u32 {
    // SAFETY: no requirements.
    unsafe { bindings::wm_os_internal_get_time_ms() }
}

/// The lowest bit of `halves` is the highest of `low`.
#[inline(always)]
fn joined(halves: u32, low: u32) -> Instant {
    Instant::from_millis((u64::from(halves >> 1) << 32) | u64::from(low))
}

/// Now, where another half seems to have begun since the last look.
#[cold]
#[inline(never)]
fn in_next_half() -> Instant {
    COUNTING.with(|()| {
        // Another task may have counted it meanwhile.
        let low = milliseconds();
        let halves = HALVES.get();
        let halves = halves.wrapping_add((low >> 31) ^ (halves & 1));
        HALVES.set(halves);
        joined(halves, low)
    })
}

/// 2020-01-01 in seconds since 1970. A clock that shows less was never set (AT contract §6).
#[cfg(have_time_date)]
const EARLIEST_DATE_S: u64 = 1_577_836_800;

#[cfg(all(have_time_date, target_arch = "csky"))]
unsafe extern "C" {
    /// The C library's. Its result is 32 or 64 bits wide, as the vendor's compiler has it; the low half is the first
    /// register in both.
    fn time(to: *mut core::ffi::c_void) -> u32;
}

#[cfg(all(have_time_date, not(target_arch = "csky")))]
unsafe extern "C" {
    fn time(to: *mut core::ffi::c_void) -> i64;
}

/// Whether certificates' dates can be judged: the real-time clock has been set, or Mbed TLS does not look at dates.
pub fn knows_the_date() -> bool {
    #[cfg(have_time_date)]
    // SAFETY: no place for the result is given.
    let knows = u64::try_from(unsafe { time(core::ptr::null_mut()) }).is_ok_and(|seconds| seconds >= EARLIEST_DATE_S);
    #[cfg(not(have_time_date))]
    let knows = true;
    knows
}

/// A delay that is not 0 ticks, whatever the SDK's `CONFIG_FREERTOS_HZ` (100 to 1000) is: lower tasks run meanwhile.
pub const TICK_MS: u32 = 10;

/// Lets other tasks run for this many milliseconds.
pub fn delay_ms(milliseconds: u32) {
    sync::no_lock_held();
    // SAFETY: no requirements.
    unsafe { bindings::wm_os_internal_time_delay_ms(milliseconds) };
}

/// Milliseconds from now to `deadline`, for a call that takes a `u32`; 0 when it has passed.
pub fn left_ms(deadline: Instant) -> u32 {
    u32::try_from(now().until(deadline)).unwrap_or(u32::MAX.saturating_sub(1))
}
