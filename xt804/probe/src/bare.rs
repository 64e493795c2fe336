//! What a program without an operating system brings: memory, an end for panics, a way out for its output.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::fmt::{self, Write};
use core::panic::PanicInfo;

unsafe extern "C" {
    fn probe_write(bytes: *const u8, size: usize);
    fn probe_panic() -> !;
}

struct Host;

impl Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the pointer and the size are those of a string that lives through the call.
        unsafe { probe_write(text.as_ptr(), text.len()) };
        Ok(())
    }
}

/// Runs the probe; the size of its output is what `probe_write` was given.
#[unsafe(no_mangle)]
pub extern "C" fn probe_run() {
    if crate::run(&mut Host).is_err() {
        let _ = Host.write_str("a formatter failed\n");
    }
}

/// A loop of arithmetic, memory and branches, to measure by.
#[unsafe(no_mangle)]
pub extern "C" fn probe_spin(rounds: u32) -> u32 {
    let mut table = [0_u32; 64];
    let mut seed = 1_u32;
    for round in 0..rounds {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let place = (seed >> 26) as usize;
        table[place] = table[place].rotate_left(3) ^ round;
        if table[place] & 1 == 0 {
            seed = seed.wrapping_add(table[63 - place]);
        }
    }
    table.iter().fold(seed, |sum, value| sum.wrapping_add(*value))
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(Host, "{info}");
    // SAFETY: it takes nothing and never returns.
    unsafe { probe_panic() }
}

const ARENA: usize = 128 * 1024;

#[repr(align(16))]
struct Bump {
    arena: core::cell::UnsafeCell<[u8; ARENA]>,
    used: Cell<usize>,
    last: Cell<usize>,
}

// SAFETY: there is one task, and nothing interrupts it.
unsafe impl Sync for Bump {}

// SAFETY: what is given out is aligned, within the arena, and not given out again before it is free.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = (self.used.get() + layout.align() - 1) & !(layout.align() - 1);
        if start + layout.size() > ARENA {
            return core::ptr::null_mut();
        }
        self.used.set(start + layout.size());
        self.last.set(start);
        // SAFETY: the arena has more bytes than `start`.
        unsafe { self.arena.get().cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        // Only the newest piece comes back: enough for a program that ends.
        if place as usize == self.arena.get() as usize + self.last.get() {
            self.used.set(self.last.get());
        }
    }
}

#[global_allocator]
static HEAP: Bump =
    Bump { arena: core::cell::UnsafeCell::new([0; ARENA]), used: Cell::new(0), last: Cell::new(usize::MAX) };
