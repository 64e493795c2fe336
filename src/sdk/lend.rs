//! A value that is lent in place to one borrower at a time.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value that stays where it is, and whoever has borrowed it alone may use it.
#[derive(Debug)]
pub struct Lendable<T> {
    lent: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `lend` gives the value to one borrower at a time, in whatever task.
unsafe impl<T: Send> Sync for Lendable<T> {}

/// The right to use the value; gives it back when dropped.
#[derive(Debug)]
pub struct Lent<'a, T>(&'a Lendable<T>);

impl<T> Lendable<T> {
    /// `value`, not lent.
    pub const fn new(value: T) -> Self {
        Self { lent: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Lends the value; `None` while another has it.
    pub fn lend(&self) -> Option<Lent<'_, T>> {
        (!self.lent.swap(true, Ordering::Acquire)).then(|| Lent(self))
    }
}

impl<T> core::ops::Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this is the only borrower, and it is borrowed.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> core::ops::DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only borrower, and it is borrowed for writing.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        self.0.lent.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_borrower_at_a_time() {
        let value = Lendable::new(1);
        let mut lent = value.lend().unwrap();
        *lent = 2;
        assert!(value.lend().is_none());
        drop(lent);
        assert_eq!(*value.lend().unwrap(), 2);
    }
}
