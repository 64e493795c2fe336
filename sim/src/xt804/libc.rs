//! The C library on the guest's memory.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::c_void;

use super::call::{Outcome, Trouble, Words, low, status};
use super::contexts;
use super::guest::core;
use super::heap;

unsafe extern "C" {
    #[link_name = "time"]
    fn clock(to: *mut c_void) -> i64;
}

pub fn malloc([size, ..]: Words) -> Outcome {
    let at = heap::take(size, heap::Owner::Others)?;
    if at == 0 {
        heap::tell_refusal(&format!("{size} bytes for the library"));
    }
    Ok(u64::from(at))
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
    let size = heap::give_back(at)?;
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
