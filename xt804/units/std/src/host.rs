//! What the host of the simulation does for the tests: output, memory, and an end for panics. In firmware the vendor's
//! C library copies and compares; here it is the host, too: most of the time went there.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

unsafe extern "C" {
    fn units_write(bytes: *const u8, size: usize);
    /// Memory whose address is a multiple of its size's next power of two; null when there is none.
    safe fn units_allocate(size: usize) -> *mut u8;
    fn units_free(place: *mut u8, size: usize);
    /// The number of the test to run next, of so many.
    safe fn units_next(tests: usize) -> usize;
    safe fn units_panic() -> !;
    fn units_copy(to: *mut u8, from: *const u8, size: usize);
    fn units_fill(place: *mut u8, value: i32, size: usize);
    fn units_compare(left: *const u8, right: *const u8, size: usize) -> i32;
}

/// # Safety
/// That of C's function, here and below.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: the host reads all before it writes; the rest is the caller's contract.
    unsafe { units_copy(to, from, size) };
    to
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe { units_copy(to, from, size) };
    to
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(place: *mut u8, value: i32, size: usize) -> *mut u8 {
    // SAFETY: the caller's contract.
    unsafe { units_fill(place, value, size) };
    place
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, size: usize) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { units_compare(left, right, size) }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, size: usize) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { units_compare(left, right, size) }
}

struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the pointer and the size are those of a string that lives through the call.
        unsafe { units_write(text.as_ptr(), text.len()) };
        Ok(())
    }
}

pub(crate) fn print(arguments: fmt::Arguments<'_>) {
    // The output itself never fails; a formatter's failure is an error of the test.
    Output.write_fmt(arguments).expect("a formatter failed");
}

pub(crate) fn next(tests: usize) -> usize {
    units_next(tests)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Output, "{info}");
    units_panic()
}

struct Heap;

/// The host aligns by the size alone.
fn size(layout: Layout) -> usize {
    layout.size().max(layout.align())
}

// SAFETY: the host gives memory that nobody else has, until it is given back, aligned by its size.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        units_allocate(size(layout))
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place and the layout are those of an allocation, by the caller's contract.
        unsafe { units_free(place, size(layout)) }
    }
}

#[global_allocator]
static HEAP: Heap = Heap;

/// What LLVM calls for a fence: there is one task.
#[unsafe(no_mangle)]
extern "C" fn __sync_synchronize() {}
