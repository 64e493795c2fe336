//! The C library on the guest's memory. Its heap is the board's: each block is charged there, so that limits and
//! questions are those of the native board; its bytes are the guest's.
#![expect(unsafe_code, reason = "the board is C")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use w800_mqtt_at::sdk::bindings;

use super::contexts;
use super::guest::{Outcome, Trouble, Words, core, low, status};

/// Whose a block is, as `wm_sdk/host/heap.h` tells it.
const OTHERS: &CStr = c"w800-mqtt-at";
const MBEDTLS: &CStr = c"mbedtls/context";
const WM_HEAP_CAP_DEFAULT: c_uint = 1;

unsafe extern "C" {
    #[link_name = "time"]
    fn clock(to: *mut c_void) -> i64;
    fn wm_heap_caps_alloc_tracing(size: usize, caps: c_uint, file: *const c_char, line: c_int) -> *mut c_void;
}

/// What the board's heap is charged with for each block of the guest's.
static CHARGES: Mutex<BTreeMap<u32, usize>> = Mutex::new(BTreeMap::new());

fn charges() -> MutexGuard<'static, BTreeMap<u32, usize>> {
    CHARGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block of the board's heap; `None` when it is full.
fn charge(size: u32, owner: &'static CStr) -> Option<usize> {
    // SAFETY: any size may be asked for, and the name is static.
    let block = unsafe { wm_heap_caps_alloc_tracing(size as usize, WM_HEAP_CAP_DEFAULT, owner.as_ptr(), 0) };
    (!block.is_null()).then(|| block.expose_provenance())
}

fn discharge(block: usize) {
    // SAFETY: `charge` got it from there, and it is given back once.
    unsafe { bindings::heap_free(std::ptr::with_exposed_provenance_mut(block)) };
}

pub fn malloc([size, ..]: Words) -> Outcome {
    let Some(block) = charge(size, OTHERS) else { return Ok(0) };
    let at = core().allocate(size)?;
    charges().insert(at, block);
    Ok(u64::from(at))
}

/// Counts the block around a context of Mbed TLS's with what Mbed TLS allocates itself.
pub fn is_for_mbedtls(address: u32) -> Result<(), Trouble> {
    let mut charges = charges();
    let Some((at, block)) = charges.range_mut(..=address).next_back() else { return Ok(()) };
    let size = core().size(*at)?;
    if address >= at.saturating_add(size) {
        return Ok(());
    }
    discharge(*block);
    // It fits: nobody else has run.
    *block = charge(size, MBEDTLS).ok_or_else(|| Trouble::Misuse("a block does not fit its own place".to_owned()))?;
    Ok(())
}

pub fn calloc([count, size, ..]: Words) -> Outcome {
    let Some(bytes) = count.checked_mul(size) else { return Ok(0) };
    let at = malloc([bytes, 0, 0, 0, 0, 0, 0, 0])?;
    if at != 0 {
        core().bytes_mut(low(at), bytes)?.fill(0);
    }
    Ok(at)
}

pub fn free([at, ..]: Words) -> Outcome {
    if at == 0 {
        return Ok(0);
    }
    let block = charges().remove(&at);
    let block = block.ok_or_else(|| Trouble::Misuse(format!("{at:#010x} is freed and is no block of the heap's")))?;
    let size = core().release(at)?;
    discharge(block);
    contexts::must_not_lie_in(at, size)?;
    Ok(0)
}

pub fn memcmp([one, other, size, ..]: Words) -> Outcome {
    let core = core();
    let memory = core.machine().memory();
    let order = memory.bytes(one, size)?.cmp(memory.bytes(other, size)?);
    status(order as i32)
}

pub fn memcpy(words: Words) -> Outcome {
    let [to, from, size, ..] = words;
    if size > 0 && to.abs_diff(from) < size {
        return Err(Trouble::Misuse(format!("memcpy of {size} bytes from {from:#010x} to {to:#010x}: they overlap")));
    }
    memmove(words)
}

pub fn memmove([to, from, size, ..]: Words) -> Outcome {
    let mut core = core();
    let bytes = core.read(from, size)?;
    core.write(to, &bytes)?;
    Ok(u64::from(to))
}

pub fn memset([to, value, size, ..]: Words) -> Outcome {
    core().bytes_mut(to, size)?.fill((value & 0xff) as u8);
    Ok(u64::from(to))
}

pub fn strlen([text, ..]: Words) -> Outcome {
    Ok(core().machine().memory().c_string(text)?.len() as u64)
}

pub fn time([to, ..]: Words) -> Outcome {
    if to != 0 {
        return Err(Trouble::Misuse("how wide a time_t in memory is, differs between toolchains".to_owned()));
    }
    // SAFETY: no place for the result is given.
    Ok(unsafe { clock(std::ptr::null_mut()) }.cast_unsigned())
}

pub fn muldi3([one_low, one_high, other_low, other_high, ..]: Words) -> Outcome {
    let pair = |low, high| u64::from(low) | u64::from(high) << 32;
    Ok(pair(one_low, one_high).wrapping_mul(pair(other_low, other_high)))
}
