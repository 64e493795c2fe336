//! Words that tasks share without a lock: each load and each store is one instruction.
//!
//! LLVM calls a function for every use of an atomic on C-SKY ([`super::atomics`]), be it a plain load. What only loads and
//! stores needs none: on the one core of the chip an aligned access of up to a word is whole. Such a word tells of itself
//! alone: what it announces is behind a lock, or was there before the tasks were.

#[cfg(not(target_arch = "csky"))]
use core::sync::atomic::Ordering;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

macro_rules! shared {
    ($(#[$about:meta])* $name:ident $(<$of:ident>)?, $atomic:ty, $value:ty) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name $(<$of>)? ($atomic);

        impl $(<$of>)? $name $(<$of>)? {
            /// With this value.
            pub const fn new(value: $value) -> Self {
                Self(<$atomic>::new(value))
            }

            /// The value.
            #[inline(always)]
            pub fn get(&self) -> $value {
                #[cfg(target_arch = "csky")]
                // SAFETY: the place is valid and aligned, and all of its writes are single instructions.
                unsafe {
                    self.0.as_ptr().read_volatile()
                }
                #[cfg(not(target_arch = "csky"))]
                self.0.load(Ordering::SeqCst)
            }

            /// Replaces the value.
            #[inline(always)]
            pub fn set(&self, value: $value) {
                #[cfg(target_arch = "csky")]
                // SAFETY: as for a load.
                unsafe {
                    self.0.as_ptr().write_volatile(value);
                }
                #[cfg(not(target_arch = "csky"))]
                self.0.store(value, Ordering::SeqCst);
            }
        }
    };
}

shared! {
    /// Yes or no.
    Flag, AtomicBool, bool
}

shared! {
    /// A number. Counting up takes a load and a store: who counts is alone in it, or may lose a step.
    Word, AtomicU32, u32
}

shared! {
    /// An address.
    Pointer<T>, AtomicPtr<T>, *mut T
}

impl Flag {
    /// Takes the value back that was set: whether it was. Of two tasks at once one gets it.
    pub fn take(&self) -> bool {
        self.get() && self.take_set()
    }

    fn take_set(&self) -> bool {
        #[cfg(target_arch = "csky")]
        {
            use super::bindings::{wm_os_internal_release_critical, wm_os_internal_set_critical};
            // SAFETY: no requirements; paired with the call below.
            unsafe { wm_os_internal_set_critical() };
            let value = self.get();
            self.set(false);
            // SAFETY: leaves the section entered above.
            unsafe { wm_os_internal_release_critical() };
            value
        }
        #[cfg(not(target_arch = "csky"))]
        self.0.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_taken_once() {
        let flag = Flag::new(false);
        assert!(!flag.take());
        flag.set(true);
        assert!(flag.get() && flag.take() && !flag.take());
    }
}
