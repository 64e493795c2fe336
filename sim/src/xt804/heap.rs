//! The guest's heap is the board's: each block is charged there, so that limits and questions are those of the native
//! board; its bytes are the guest's.
#![expect(unsafe_code, reason = "the board is C")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use w800_mqtt_at::sdk::bindings;

use super::call::{Trouble, low};
use super::guest::{self, core};

/// `enum heap_owner`.
const HEAP_MBEDTLS: c_uint = 0;

/// Whose a block is, as `wm_sdk/host/heap.h` tells it.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// Mbed TLS's.
    Mbedtls,
    /// The rest's.
    Others,
}

impl Owner {
    /// The one whose file asks for a block.
    pub fn of(file: &str) -> Self {
        if file.starts_with("mbedtls/") { Self::Mbedtls } else { Self::Others }
    }

    fn name(self) -> &'static CStr {
        match self {
            Self::Mbedtls => c"mbedtls/context",
            Self::Others => c"w800-mqtt-at",
        }
    }
}

const WM_HEAP_CAP_DEFAULT: c_uint = 1;

unsafe extern "C" {
    fn wm_heap_get_free_size() -> usize;
    fn wm_heap_caps_alloc_tracing(size: usize, caps: c_uint, file: *const c_char, line: c_int) -> *mut c_void;
    fn heap_assign(block: *mut c_void, owner: c_uint);
}

/// What the board's heap is charged with for each block of the guest's.
static CHARGES: Mutex<BTreeMap<u32, usize>> = Mutex::new(BTreeMap::new());

fn charges() -> MutexGuard<'static, BTreeMap<u32, usize>> {
    CHARGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block of the board's heap; `None` when it is full.
fn charge(size: u32, owner: Owner) -> Option<usize> {
    // SAFETY: any size may be asked for, and the name is static.
    let block = unsafe { wm_heap_caps_alloc_tracing(size as usize, WM_HEAP_CAP_DEFAULT, owner.name().as_ptr(), 0) };
    (!block.is_null()).then(|| block.expose_provenance())
}

fn discharge(block: usize) {
    // SAFETY: `charge` got it from there, and it is given back once.
    unsafe { bindings::heap_free(std::ptr::with_exposed_provenance_mut(block)) };
}

/// Whether what finds no room is told: on a board whose heap is the chip's it is a finding.
static TELLS: AtomicBool = AtomicBool::new(false);

/// From now on what finds no room is told.
pub fn tell_refusals() {
    TELLS.store(true, Ordering::Relaxed);
}

/// Says for what there was no room, and how much there is.
pub fn tell_refusal(what: &str) {
    if TELLS.load(Ordering::Relaxed) {
        let (free, largest) = core().room();
        // SAFETY: no requirements.
        let left = low(unsafe { wm_heap_get_free_size() } as u64);
        let task = guest::task_name();
        let (free, largest) = (free.min(left), largest.min(left));
        eprintln!(
            "w800-sim: task \"{task}\": no room in RAM for {what}: {free} bytes are free, {largest} in one piece"
        );
    }
}

/// A block; 0 when the board's heap is full, or has no piece that is large enough.
pub fn take(size: u32, owner: Owner) -> Result<u32, Trouble> {
    let Some(block) = charge(size, owner) else { return Ok(0) };
    let Some(at) = core().try_allocate(size)? else {
        discharge(block);
        return Ok(0);
    };
    charges().insert(at, block);
    Ok(at)
}

/// Takes a block back and tells its size.
pub fn give_back(at: u32) -> Result<u32, Trouble> {
    let block = charges().remove(&at);
    let block = block.ok_or_else(|| Trouble::Misuse(format!("{at:#010x} is freed and is no block of the heap's")))?;
    let size = core().release(at)?;
    discharge(block);
    Ok(size)
}

/// Counts the block around a context of Mbed TLS's with what Mbed TLS allocates itself.
pub fn is_for_mbedtls(address: u32) -> Result<(), Trouble> {
    let charges = charges();
    let Some((at, block)) = charges.range(..=address).next_back() else { return Ok(()) };
    let size = core().size(*at)?;
    if address >= at.saturating_add(size) {
        return Ok(());
    }
    // SAFETY: `charge` got it from there, and it was not given back yet.
    unsafe { heap_assign(std::ptr::with_exposed_provenance_mut(*block), HEAP_MBEDTLS) };
    Ok(())
}
