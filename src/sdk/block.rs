//! Memory for the contexts of Mbed TLS.

use super::bindings;
use super::heap::{self, OF_SDK};
use core::ptr::NonNull;

/// A context of Mbed TLS's in a block of the SDK's heap: all zero at first, at an address that does not change. Whoever
/// owns it ends the value before the block goes.
pub(super) struct Block<T>(NonNull<T>);

impl<T> core::fmt::Debug for Block<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Block").finish_non_exhaustive()
    }
}

// SAFETY: the block has one owner, and the heap may be called from any task. What `T` points to is the owner's affair:
// each lives in this folder and says so.
unsafe impl<T> Send for Block<T> {}

impl<T> Block<T> {
    /// # Safety
    /// All zero is a value of `T`.
    pub(super) unsafe fn zeroed() -> Option<Self> {
        if size_of::<T>() > heap::available() {
            return None;
        }
        // SAFETY: any length may be asked for.
        let at = NonNull::new(unsafe { bindings::heap_alloc_for_mbedtls(size_of::<T>()) }.cast::<T>())?;
        OF_SDK.grow(size_of::<T>());
        // SAFETY: the block has room for one `T`, aligned for anything, and is ours alone.
        unsafe { at.write_bytes(0, 1) };
        Some(Self(at))
    }

    pub(super) const fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: the block came from the SDK's heap and is given back once.
        unsafe { bindings::heap_free(self.0.as_ptr().cast()) };
        OF_SDK.shrink(size_of::<T>());
    }
}
