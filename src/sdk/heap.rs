//! Memory: a bounded arena of this library's own, then the SDK's heap; always through fallible calls.
//!
//! Small blocks (a link's strings, short packets) live in the arena, so that a link's configuration neither
//! fragments the firmware's heap nor fails when that is full. Large ones, and those the arena has no room for, come
//! from the SDK's heap.

use super::bindings;
use crate::options::ARENA_BYTES;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use embedded_alloc::LlffHeap;
use w800_mqtt_core::bytes::Buffer;

/// Blocks above this many bytes never go to the arena.
const MOST_IN_ARENA: usize = 1024;

#[repr(align(8))]
struct Region(UnsafeCell<[u8; ARENA_BYTES]>);

// SAFETY: only the allocator touches the region, and it does so under the critical section.
unsafe impl Sync for Region {}

static ARENA: Region = Region(UnsafeCell::new([0; ARENA_BYTES]));
static ALLOCATOR: LlffHeap = LlffHeap::empty();

/// Gives the arena its memory, once. Until then, blocks come from the SDK's heap.
pub fn open_arena() {
    // SAFETY: the region is used for nothing else; the allocator itself refuses to be given it twice.
    unsafe { ALLOCATOR.init(ARENA.0.get().addr(), ARENA_BYTES) };
}

/// Bytes that are in use, and the most that ever were.
#[derive(Debug)]
pub struct HeapCounter {
    used: AtomicU32,
    peak: AtomicU32,
}

impl HeapCounter {
    const fn new() -> Self {
        Self { used: AtomicU32::new(0), peak: AtomicU32::new(0) }
    }

    #[inline(never)]
    pub(super) fn grow(&self, more: usize) {
        let used = self.used.fetch_add(more as u32, Ordering::Relaxed).wrapping_add(more as u32);
        raise(&self.peak, used);
    }

    #[inline(never)]
    pub(super) fn shrink(&self, less: usize) {
        self.used.fetch_add((less as u32).wrapping_neg(), Ordering::Relaxed);
    }

    /// Bytes that are in use.
    pub fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// The most that ever were.
    pub fn peak(&self) -> u32 {
        self.peak.load(Ordering::Relaxed)
    }
}

/// So many bytes are in use. Two tasks at this place at once may lose the smaller peak's last bytes; a loop would cost more
/// than they tell.
fn raise(peak: &AtomicU32, used: u32) {
    if used > peak.load(Ordering::Relaxed) {
        peak.store(used, Ordering::Relaxed);
    }
}

/// What this library holds of the SDK's heap, without what lwIP and Mbed TLS allocate themselves and without the stacks
/// of tasks.
pub static OF_SDK: HeapCounter = HeapCounter::new();

static ARENA_PEAK: AtomicU32 = AtomicU32::new(0);

/// Bytes of the arena that are in use, what its allocator adds to a block included.
pub fn arena_used() -> u32 {
    ALLOCATOR.used() as u32
}

/// The most that ever were.
pub fn arena_peak() -> u32 {
    ARENA_PEAK.load(Ordering::Relaxed)
}

/// What this library leaves of the SDK's heap, in bytes. LwIP's timers, semaphores and mailboxes come from it, and a lack of
/// memory for one of them is an assertion that ends the program: room for those, and for two frames that come in meanwhile.
const RESERVE: usize = 4 * 1024;

/// What Mbed TLS needs at most to read a certificate or to check a signature, in bytes.
pub const MBEDTLS_ROOM: usize = 8 * 1024;

/// Bytes of the SDK's heap that may be taken so that the reserve stays.
#[inline(never)]
pub fn available() -> usize {
    // SAFETY: no requirements.
    let free = unsafe { bindings::wm_heap_get_free_size() };
    (free as usize).saturating_sub(RESERVE)
}

/// Whether Mbed TLS had memory to work with: it reports the lack of some as a certificate that is wrong.
pub fn has_room() -> bool {
    has_room_for(MBEDTLS_ROOM)
}

/// Whether the SDK's heap has a block of `length` bytes to give, and the reserve besides.
pub fn has_room_for(length: usize) -> bool {
    if length > available() {
        return false;
    }
    // SAFETY: any length may be asked for, and what is given is given back at once.
    unsafe {
        // The compiler knows `malloc`: seeing its result only given back, it leaves out both and takes it for not null.
        let block = core::hint::black_box(bindings::heap_alloc_for_mbedtls(length));
        bindings::heap_free(block);
        !block.is_null()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Nowhere,
    Arena,
    SdkHeap,
}

/// Owned bytes, given back when dropped.
#[derive(Debug)]
pub struct Bytes {
    at: NonNull<u8>,
    length: usize,
    source: Source,
}

// SAFETY: the block has one owner, and both allocators may be called from any task.
unsafe impl Send for Bytes {}

impl Bytes {
    fn layout(length: usize) -> Option<Layout> {
        Layout::from_size_align(length, align_of::<usize>()).ok()
    }

    fn from_arena(length: usize) -> Option<Self> {
        let layout = Self::layout(length)?;
        // SAFETY: the layout is not of size 0 (`allocate` has excluded it).
        let at = NonNull::new(unsafe { ALLOCATOR.alloc(layout) })?;
        raise(&ARENA_PEAK, arena_used());
        Some(Self { at, length, source: Source::Arena })
    }

    fn from_sdk(length: usize) -> Option<Self> {
        if length > available() {
            return None;
        }
        // SAFETY: any length may be asked for.
        let at = NonNull::new(unsafe { bindings::heap_alloc(length) }.cast())?;
        OF_SDK.grow(length);
        Some(Self { at, length, source: Source::SdkHeap })
    }
}

impl Buffer for Bytes {
    fn allocate(length: usize) -> Option<Self> {
        if length == 0 {
            return Some(Self { at: NonNull::dangling(), length, source: Source::Nowhere });
        }
        let small = if length <= MOST_IN_ARENA { Self::from_arena(length) } else { None };
        let bytes = small.or_else(|| Self::from_sdk(length))?;
        // SAFETY: the block has `length` bytes and is ours alone.
        unsafe { bytes.at.write_bytes(0, length) };
        Some(bytes)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        match self.source {
            Source::Nowhere => {}
            Source::Arena => {
                if let Some(layout) = Self::layout(self.length) {
                    // SAFETY: the block came from the arena with this very layout.
                    unsafe { ALLOCATOR.dealloc(self.at.as_ptr(), layout) };
                }
            }
            Source::SdkHeap => {
                // SAFETY: the block came from the SDK's heap and is given back once.
                unsafe { bindings::heap_free(self.at.as_ptr().cast()) };
                OF_SDK.shrink(self.length);
            }
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `at` is valid for `length` initialised bytes (dangling only for 0) while `self` lives.
        unsafe { core::slice::from_raw_parts(self.at.as_ptr(), self.length) }
    }
}

impl AsMut<[u8]> for Bytes {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_ref`, and `&mut self` makes the access unique.
        unsafe { core::slice::from_raw_parts_mut(self.at.as_ptr(), self.length) }
    }
}

/// Bytes that are overwritten before they are given back.
#[derive(Debug)]
pub struct Secret(pub Bytes);

impl Drop for Secret {
    fn drop(&mut self) {
        for byte in self.0.as_mut() {
            // SAFETY: the place is valid and ours. No compiler leaves out a volatile write.
            unsafe { core::ptr::from_mut(byte).write_volatile(0) };
        }
    }
}
