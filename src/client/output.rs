//! Who may print: one line or one answer at a time (AT contract §1, "Nothing interleaves").
//!
//! Whoever prints holds the [`Output`] from the first byte to the end of the line, of the answer's rows, or of the
//! data phase. A command claims it once more before it returns, even when it prints nothing: then no unsolicited line
//! is open, and the link's task, whose priority is lower than the AT server's, cannot begin one before the server has
//! printed `OK` or `ERROR`.

use crate::at::answer::Sink;
use crate::sdk::port;
use crate::sdk::sync::{FOREVER, Semaphore};
use core::sync::atomic::{AtomicU8, Ordering};

static PORT: Semaphore = Semaphore::new(1);
/// How many commands wait for the port.
static WANTED: AtomicU8 = AtomicU8::new(0);

/// The semaphore behind it, to be created before the first use.
pub fn semaphore() -> &'static Semaphore {
    &PORT
}

/// The right to print.
#[derive(Debug)]
pub struct Output(());

impl Output {
    /// Waits for the right to print a command's answer. Bounded by what others print: a line that the network starves
    /// while this waits is ended.
    /// While the semaphore could not be created no link has a task, and there are no others.
    pub fn claim() -> Self {
        WANTED.fetch_add(1, Ordering::AcqRel);
        while PORT.is_created() && !PORT.acquire(FOREVER) {}
        WANTED.fetch_sub(1, Ordering::AcqRel);
        Self(())
    }

    /// Whether a command waits for the right to print.
    pub fn is_wanted() -> bool {
        WANTED.load(Ordering::Acquire) > 0
    }

    /// Waits at most `milliseconds`.
    pub fn claim_within(milliseconds: u32) -> Option<Self> {
        // Lazily: an `Output` made and dropped would release what was never claimed.
        PORT.acquire(milliseconds).then(|| Self(()))
    }

    /// Keeps the right beyond this call, for a data phase; [`Output::resume`] takes it up again.
    pub fn keep(self) {
        core::mem::forget(self);
    }

    /// Takes up the right that [`Output::keep`] has kept. Only for the one who kept it.
    pub fn resume() -> Self {
        Self(())
    }
}

impl Sink for Output {
    fn write(&mut self, bytes: &[u8]) {
        port::print(bytes);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        PORT.release();
    }
}
