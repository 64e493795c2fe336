//! Who may print: one line or one answer at a time (AT contract §1, "Nothing interleaves").
//!
//! Whoever prints holds the [`Output`] from the first byte to the end of the line, of the answer's rows, or of the
//! data phase. A command claims it once more before it returns, even when it prints nothing: then no unsolicited line
//! is open, and the link's task, whose priority is lower than the AT server's, cannot begin one before the server has
//! printed `OK` or `ERROR`.

use crate::sdk::sync::{FOREVER, Semaphore};
use crate::sdk::{hook, port};
use core::sync::atomic::{AtomicU8, Ordering};
use w800_mqtt_core::at::answer::Sink;
use w800_mqtt_core::link::delivery::Printer;

static PORT: Semaphore = Semaphore::new(1);
/// How many commands wait for the port.
static WANTED: AtomicU8 = AtomicU8::new(0);

/// The semaphore behind it, to be created before the first use.
pub fn semaphore() -> &'static Semaphore {
    &PORT
}

/// The right to print.
#[derive(Debug)]
pub struct Output {
    /// The link whose unsolicited line this is; `None` for a command's answer.
    link: Option<u8>,
    /// There was a semaphore to be acquired.
    acquired: bool,
}

/// Counts as one who waits for the port: a line that the network starves is ended for it.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WANTED.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Output {
    /// Waits for the right to print a command's answer. Bounded by what others print: a line that the network starves
    /// while this waits is ended.
    /// While the semaphore could not be created no link has a task, and there are no others.
    pub fn claim() -> Self {
        let _waiting = Waiting::begin();
        while PORT.is_created() {
            if PORT.acquire(FOREVER) {
                return Self { link: None, acquired: true };
            }
        }
        Self { link: None, acquired: false }
    }

    /// Waits at most `milliseconds` for the end of what is being printed, without hurrying it.
    pub fn claim_within(milliseconds: u32) -> Option<Self> {
        if !PORT.is_created() {
            return Some(Self { link: None, acquired: false });
        }
        PORT.acquire(milliseconds).then(|| Self { link: None, acquired: true })
    }

    /// Whether a command waits for the right to print.
    pub fn is_wanted() -> bool {
        WANTED.load(Ordering::Acquire) > 0
    }

    /// Waits at most `milliseconds` for the right to print an unsolicited line of `link`; as a command does where it is
    /// `urgent`.
    pub fn claim_for(link: u8, milliseconds: u32, urgent: bool) -> Option<Self> {
        let _waiting = urgent.then(Waiting::begin);
        // Lazily: an `Output` made and dropped would release what was never claimed.
        PORT.acquire(milliseconds).then(|| Self { link: Some(link), acquired: true })
    }

    /// Keeps the right beyond this call, for a data phase; [`Output::resume`] takes it up again.
    pub fn keep(self) {
        core::mem::forget(self);
    }

    /// Takes up the right that [`Output::keep`] has kept. Only for the one who kept it.
    pub fn resume() -> Self {
        Self { link: None, acquired: true }
    }
}

impl Sink for Output {
    fn write(&mut self, bytes: &[u8]) {
        port::print(bytes);
        if let Some(link) = self.link {
            hook::line(link, bytes);
        }
    }
}

impl Printer for Output {
    fn end_line(&mut self) {
        if let Some(link) = self.link {
            hook::line_ends(link);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.end_line();
        if self.acquired {
            PORT.release();
        }
    }
}
