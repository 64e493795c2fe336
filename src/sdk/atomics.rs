//! The `__atomic_*` functions that LLVM calls on C-SKY, where even a plain atomic load is a call.
//!
//! No library of the vendor's toolchain has them, so this one does: sizes 1, 2 and 4, as the
//! compiler's atomics ABI documents them (<https://gcc.gnu.org/wiki/Atomic/GCCMM/LIbrary>).
//! The chip has one core: inside the SDK's critical section, which nests and masks interrupts,
//! a plain access is atomic and every memory order holds. An aligned load or store of up to a word is one instruction
//! and needs no section.
//!
//! They are this archive's own: scripts/build-target.sh makes their names local, since other libraries may have such too.
//!
//! Never here: an atomic type or `core::sync::atomic`, which would compile to a call of itself.

use core::ffi::c_int;

/// Runs an operation that nothing else can interrupt.
trait Exclusive {
    fn run<R>(operation: impl FnOnce() -> R) -> R;
}

#[cfg(target_arch = "csky")]
struct CriticalSection;

#[cfg(target_arch = "csky")]
impl Exclusive for CriticalSection {
    #[inline(always)]
    fn run<R>(operation: impl FnOnce() -> R) -> R {
        use crate::sdk::bindings::{wm_os_internal_release_critical, wm_os_internal_set_critical};
        // SAFETY: callable from any context; every entry is paired with the exit below.
        unsafe { wm_os_internal_set_critical() };
        let result = operation();
        // SAFETY: leaves the section entered above; `operation` cannot unwind (panic = abort).
        unsafe { wm_os_internal_release_critical() };
        result
    }
}

/// Replaces `*place` by `change` of it and gives the old value.
///
/// # Safety
/// `place` is valid for reads and writes and aligned, as the compiler guarantees its calls.
#[inline(always)]
unsafe fn update<E: Exclusive, T: Copy>(place: *mut T, change: impl FnOnce(T) -> T) -> T {
    E::run(|| {
        // SAFETY: valid and aligned by this function's contract.
        let old = unsafe { place.read_volatile() };
        // SAFETY: as above.
        unsafe { place.write_volatile(change(old)) };
        old
    })
}

/// Writes `desired` where `*place` equals `*expected`, else tells `*expected` what is there.
///
/// # Safety
/// As [`update`]; `expected` is valid, aligned, and seen by the caller alone.
#[inline(always)]
unsafe fn compare_exchange<E: Exclusive, T: Copy + PartialEq>(place: *mut T, expected: *mut T, desired: T) -> bool {
    E::run(|| {
        // SAFETY: valid and aligned by this function's contract.
        let (old, wanted) = unsafe { (place.read_volatile(), expected.read()) };
        let equal = old == wanted;
        if equal {
            // SAFETY: as above.
            unsafe { place.write_volatile(desired) };
        } else {
            // SAFETY: as above.
            unsafe { expected.write(old) };
        }
        equal
    })
}

/// The whole family for one size. On C-SKY the functions carry their C names.
macro_rules! family {
    ($exclusive:ty, $int:ty, $load:ident $store:ident $exchange:ident $compare_exchange:ident
     $add:ident $sub:ident $and:ident $or:ident $xor:ident $nand:ident) => {
        #[cfg_attr(target_arch = "csky", unsafe(no_mangle))]
        unsafe extern "C" fn $load(place: *const $int, _order: c_int) -> $int {
            // SAFETY: the compiler passes the address of an atomic object. An aligned load of
            // up to a word is one instruction: nothing can come between.
            unsafe { place.read_volatile() }
        }

        #[cfg_attr(target_arch = "csky", unsafe(no_mangle))]
        unsafe extern "C" fn $store(place: *mut $int, value: $int, _order: c_int) {
            // SAFETY: as for a load: one instruction.
            unsafe { place.write_volatile(value) };
        }

        #[cfg_attr(target_arch = "csky", unsafe(no_mangle))]
        unsafe extern "C" fn $exchange(place: *mut $int, value: $int, _order: c_int) -> $int {
            // SAFETY: the compiler passes the address of an atomic object.
            unsafe { update::<$exclusive, _>(place, |_| value) }
        }

        #[cfg_attr(target_arch = "csky", unsafe(no_mangle))]
        unsafe extern "C" fn $compare_exchange(
            place: *mut $int,
            expected: *mut $int,
            desired: $int,
            _success: c_int,
            _failure: c_int,
        ) -> bool {
            // SAFETY: the compiler passes the address of an atomic object and of a local.
            unsafe { compare_exchange::<$exclusive, _>(place, expected, desired) }
        }

        family!(@fetch $exclusive, $int, $add, |old, value| old.wrapping_add(value));
        family!(@fetch $exclusive, $int, $sub, |old, value| old.wrapping_sub(value));
        family!(@fetch $exclusive, $int, $and, |old, value| old & value);
        family!(@fetch $exclusive, $int, $or, |old, value| old | value);
        family!(@fetch $exclusive, $int, $xor, |old, value| old ^ value);
        family!(@fetch $exclusive, $int, $nand, |old, value| !(old & value));
    };
    (@fetch $exclusive:ty, $int:ty, $name:ident, |$old:ident, $value:ident| $result:expr) => {
        #[cfg_attr(target_arch = "csky", unsafe(no_mangle))]
        unsafe extern "C" fn $name(place: *mut $int, $value: $int, _order: c_int) -> $int {
            // SAFETY: the compiler passes the address of an atomic object.
            unsafe { update::<$exclusive, _>(place, |$old| $result) }
        }
    };
}

/// All sizes, under the critical section of `$exclusive`.
macro_rules! families {
    ($exclusive:ty) => {
        family!($exclusive, u8, __atomic_load_1 __atomic_store_1 __atomic_exchange_1 __atomic_compare_exchange_1
            __atomic_fetch_add_1 __atomic_fetch_sub_1 __atomic_fetch_and_1 __atomic_fetch_or_1
            __atomic_fetch_xor_1 __atomic_fetch_nand_1);
        family!($exclusive, u16, __atomic_load_2 __atomic_store_2 __atomic_exchange_2 __atomic_compare_exchange_2
            __atomic_fetch_add_2 __atomic_fetch_sub_2 __atomic_fetch_and_2 __atomic_fetch_or_2
            __atomic_fetch_xor_2 __atomic_fetch_nand_2);
        family!($exclusive, u32, __atomic_load_4 __atomic_store_4 __atomic_exchange_4 __atomic_compare_exchange_4
            __atomic_fetch_add_4 __atomic_fetch_sub_4 __atomic_fetch_and_4 __atomic_fetch_or_4
            __atomic_fetch_xor_4 __atomic_fetch_nand_4);
    };
}

#[cfg(target_arch = "csky")]
families!(CriticalSection);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread_local;

    use super::*;

    thread_local! {
        static ENTERED: Cell<u32> = const { Cell::new(0) };
    }

    /// Counts how often it was entered.
    struct Counted;

    impl Exclusive for Counted {
        fn run<R>(operation: impl FnOnce() -> R) -> R {
            ENTERED.set(ENTERED.get() + 1);
            operation()
        }
    }

    families!(Counted);

    const SEQ_CST: c_int = 5;

    fn entered(operation: impl FnOnce()) -> u32 {
        let before = ENTERED.get();
        operation();
        ENTERED.get() - before
    }

    #[test]
    fn load_and_store_are_plain_accesses() {
        let mut place = 7_u32;
        // SAFETY: `place` is a local of the right type, here and below.
        assert_eq!(entered(|| assert_eq!(unsafe { __atomic_load_4(&place, SEQ_CST) }, 7)), 0);
        // SAFETY: see above.
        assert_eq!(entered(|| unsafe { __atomic_store_4(&mut place, 9, SEQ_CST) }), 0);
        assert_eq!(place, 9);
    }

    #[test]
    fn exchange_returns_the_old_value() {
        let mut place = 0xBEEF_u16;
        // SAFETY: `place` is a local of the right type.
        assert_eq!(unsafe { __atomic_exchange_2(&mut place, 0xCAFE, SEQ_CST) }, 0xBEEF);
        assert_eq!(place, 0xCAFE);
    }

    #[test]
    fn compare_exchange_writes_only_on_equality() {
        let (mut place, mut expected) = (3_u8, 4_u8);
        // SAFETY: both are locals of the right type, here and below.
        assert!(!unsafe { __atomic_compare_exchange_1(&mut place, &mut expected, 9, SEQ_CST, SEQ_CST) });
        assert_eq!((place, expected), (3, 3));
        // SAFETY: see above.
        assert!(unsafe { __atomic_compare_exchange_1(&mut place, &mut expected, 9, SEQ_CST, SEQ_CST) });
        assert_eq!((place, expected), (9, 3));
    }

    /// Every size and operation: (before, operand) -> after, and the old value comes back.
    #[test]
    fn fetch_operations_wrap_and_return_the_old_value() {
        macro_rules! check {
            ($int:ty: $($function:ident $before:expr, $operand:expr => $after:expr;)*) => {$({
                let mut place: $int = $before;
                // SAFETY: `place` is a local of the right type.
                let old = unsafe { $function(&mut place, $operand, SEQ_CST) };
                assert_eq!((old, place), ($before, $after), stringify!($function));
            })*};
        }
        check! { u8:
            __atomic_fetch_add_1 0xFF, 2 => 1;
            __atomic_fetch_sub_1 1, 2 => 0xFF;
            __atomic_fetch_and_1 0b1100, 0b1010 => 0b1000;
            __atomic_fetch_or_1 0b1100, 0b1010 => 0b1110;
            __atomic_fetch_xor_1 0b1100, 0b1010 => 0b0110;
            __atomic_fetch_nand_1 0b1100, 0b1010 => 0b1111_0111;
        }
        check! { u16:
            __atomic_fetch_add_2 0xFFFF, 2 => 1;
            __atomic_fetch_sub_2 1, 2 => 0xFFFF;
            __atomic_fetch_and_2 0x0FF0, 0x00FF => 0x00F0;
            __atomic_fetch_or_2 0x0FF0, 0x00FF => 0x0FFF;
            __atomic_fetch_xor_2 0x0FF0, 0x00FF => 0x0F0F;
            __atomic_fetch_nand_2 0x0FF0, 0x00FF => 0xFF0F;
        }
        check! { u32:
            __atomic_fetch_add_4 u32::MAX, 2 => 1;
            __atomic_fetch_sub_4 1, 2 => u32::MAX;
            __atomic_fetch_and_4 0x0FF0, 0x00FF => 0x00F0;
            __atomic_fetch_or_4 0x0FF0, 0x00FF => 0x0FFF;
            __atomic_fetch_xor_4 0x0FF0, 0x00FF => 0x0F0F;
            __atomic_fetch_nand_4 0x0FF0, 0x00FF => 0xFFFF_FF0F;
        }
    }

    #[test]
    fn each_size_loads_stores_and_exchanges() {
        macro_rules! check {
            ($int:ty, $load:ident $store:ident $exchange:ident $compare_exchange:ident) => {{
                let mut place: $int = 1;
                let mut expected: $int = 3;
                // SAFETY: locals of the right type.
                unsafe {
                    $store(&mut place, 2, SEQ_CST);
                    assert_eq!($exchange(&mut place, 3, SEQ_CST), 2);
                    assert!($compare_exchange(&mut place, &mut expected, <$int>::MAX, SEQ_CST, SEQ_CST));
                    assert_eq!($load(&place, SEQ_CST), <$int>::MAX);
                }
            }};
        }
        check!(u8, __atomic_load_1 __atomic_store_1 __atomic_exchange_1 __atomic_compare_exchange_1);
        check!(u16, __atomic_load_2 __atomic_store_2 __atomic_exchange_2 __atomic_compare_exchange_2);
        check!(u32, __atomic_load_4 __atomic_store_4 __atomic_exchange_4 __atomic_compare_exchange_4);
    }
}
