//! What unit tests use of the standard library, for a chip without one: its parts that need no operating system, hash
//! tables, a heap and an output that are the host's, and an end for panics.
#![no_std]

extern crate alloc as heap;

#[path = "../../../../src/sdk/atomics.rs"]
mod atomics;
mod host;

pub use core::*;
pub use heap::{borrow, boxed, fmt, format, rc, slice, str, string, sync, vec};

/// As in the standard library.
pub mod collections {
    pub use heap::collections::*;
    pub use hashbrown::{HashMap, HashSet};
}

/// As in the standard library.
pub mod env {
    /// The one variable that a test asks for says that it shall be short, and is set.
    pub fn var_os(name: &str) -> Option<&str> {
        (name == "W800_SHORT_TESTS").then_some("1")
    }
}

/// As in the standard library.
pub mod hash {
    pub use core::hash::*;

    /// Not the standard library's, but as good as that at telling things apart, and faster here.
    #[derive(Clone, Debug)]
    pub struct DefaultHasher(u32, u32);

    impl Default for DefaultHasher {
        fn default() -> Self {
            Self(0x811c_9dc5, 0)
        }
    }

    impl DefaultHasher {
        /// As in the standard library.
        pub fn new() -> Self {
            Self::default()
        }
    }

    impl Hasher for DefaultHasher {
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
                self.1 = (self.1.rotate_left(5) ^ u32::from(*byte)).wrapping_mul(0x9e37_79b1);
            }
        }

        fn finish(&self) -> u64 {
            u64::from(self.0) << 32 | u64::from(self.1)
        }
    }
}

/// As in the standard library.
pub mod thread {
    /// Nothing runs after a panic.
    pub fn panicking() -> bool {
        false
    }
}

/// Prints; what the macros below are made of.
#[doc(hidden)]
pub fn _print(arguments: fmt::Arguments<'_>) {
    host::print(arguments);
}

/// Which test is next; all of them if none is.
#[doc(hidden)]
pub fn _next(tests: usize) -> usize {
    host::next(tests)
}

/// As in the standard library.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::_print($crate::format_args!($($argument)*)) };
}

/// As in the standard library.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => { $crate::_print($crate::format_args!("{}\n", $crate::format_args!($($argument)*))) };
}

/// As in the standard library, but there is only one output.
#[macro_export]
macro_rules! eprintln {
    ($($argument:tt)*) => { $crate::println!($($argument)*) };
}

/// What the atomic operations want of the SDK.
mod sdk {
    pub mod bindings {
        /// Nothing can interrupt the one task.
        pub unsafe fn wm_os_internal_set_critical() {}
        /// See above.
        pub unsafe fn wm_os_internal_release_critical() {}
    }
}
