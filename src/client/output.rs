//! Who may print: one line or one answer at a time (AT contract §1, "Nothing interleaves").
//!
//! Whoever prints holds the [`Output`] from the first byte to the end of the line, of the answer or of the data phase. A
//! command hands it to the server when it returns ([`Output::hand_to_server`]), so that its answer ends with the server's
//! `OK` or `ERROR`. What the server prints besides is held back until the right is given up (`print_aside`). Where the line
//! does not pass through this library, the server prints when it likes, and the right ends when a command returns.

#[cfg(argv_line)]
use crate::sdk::clock::now;
#[cfg(argv_line)]
use crate::sdk::sync::Critical;
use crate::sdk::sync::Semaphore;
use crate::sdk::word::Flag;
#[cfg(argv_line)]
use crate::sdk::word::Word;
use crate::sdk::{device, hook};
use core::sync::atomic::{AtomicU8, Ordering};
use w800_mqtt_core::at::answer::Sink;
use w800_mqtt_core::link::delivery::Printer;
#[cfg(argv_line)]
use w800_mqtt_core::port::ring::Ring;
#[cfg(argv_line)]
use w800_mqtt_core::time::Instant;

/// How long who waits for the right to print waits before it looks whether a silent server holds it, in milliseconds.
const LOOK_MS: u32 = 1_000;

/// How long the server may be silent within an answer, while another waits for the right to print, before the answer is taken
/// for over, in milliseconds.
#[cfg(argv_line)]
const SILENT_ANSWER_MS: u64 = 5_000;

/// Bytes of the server's lines that are held back while another line or answer is printed.
#[cfg(argv_line)]
const HELD_BYTES: usize = 256;

static PORT: Semaphore = Semaphore::new(1);
/// How many commands wait for the port.
static WANTED: AtomicU8 = AtomicU8::new(0);
/// A publication's answer is awaited: a line that can wait comes after it.
static ANSWER_AWAITED: Flag = Flag::new(false);
/// Whether the server's answer holds the right.
#[cfg(argv_line)]
static SERVERS: Flag = Flag::new(false);
/// How often the server has got the right, or has gone on printing by it.
#[cfg(argv_line)]
static PRINTS: Word = Word::new(0);
#[cfg(argv_line)]
static HELD: Critical<Ring<HELD_BYTES>> = Critical::new(Ring::new());
/// Whether that has bytes.
#[cfg(argv_line)]
static IS_ANY_HELD: Flag = Flag::new(false);

/// The semaphore behind it, to be created before the first use.
pub fn semaphore() -> &'static Semaphore {
    &PORT
}

/// The right to print.
#[derive(Debug)]
pub struct Output {
    /// The link whose unsolicited line this is; `None` for an answer.
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
    /// Waits for the right to print an answer. Bounded by what others print: a line that the network starves while this
    /// waits is ended, and so is an answer of a server that has gone silent.
    /// While the semaphore could not be created no link has a task, and there are no others.
    pub fn claim() -> Self {
        if PORT.acquire(0) {
            return Self { link: None, acquired: true };
        }
        Self::claim_patiently()
    }

    #[cold]
    #[inline(never)]
    fn claim_patiently() -> Self {
        let _waiting = Waiting::begin();
        while PORT.is_created() {
            if PORT.acquire(LOOK_MS) {
                return Self { link: None, acquired: true };
            }
            #[cfg(argv_line)]
            recover();
        }
        Self { link: None, acquired: false }
    }

    /// As [`Output::claim`], for the answer that [`await_answer`] has announced.
    pub fn claim_for_answer() -> Self {
        let output = Self::claim();
        ANSWER_AWAITED.set(false);
        output
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
        if PORT.acquire(milliseconds) {
            return Some(Self { link: Some(link), acquired: true });
        }
        #[cfg(argv_line)]
        if milliseconds > 0 {
            recover();
        }
        None
    }
}

/// What the server prints passes through this library, and its answers have the right to print.
#[cfg(argv_line)]
impl Output {
    /// The server's answer, or the rest of it, is printed by this right.
    pub fn hand_to_server(self) {
        if self.acquired {
            PRINTS.set(PRINTS.get().wrapping_add(1));
            SERVERS.set(true);
            core::mem::forget(self);
        }
    }

    /// Takes the right back from the server, whose answer has ended.
    pub fn back_from_server() -> Option<Self> {
        SERVERS.take().then(|| Self { link: None, acquired: true })
    }

    /// Whether the server's answer has the right to print; it goes on now.
    pub fn server_goes_on() -> bool {
        let goes_on = SERVERS.get();
        if goes_on {
            PRINTS.set(PRINTS.get().wrapping_add(1));
        }
        goes_on
    }
}

impl Sink for Output {
    fn write(&mut self, bytes: &[u8]) {
        device::send(bytes);
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
        #[cfg(not(argv_line))]
        if self.acquired {
            PORT.release();
        }
        #[cfg(argv_line)]
        while self.acquired {
            if IS_ANY_HELD.get() {
                print_held();
            }
            PORT.release();
            // What came in between found the right taken.
            self.acquired = IS_ANY_HELD.get() && PORT.acquire(0);
        }
    }
}

/// A publication begins whose answer the host awaits.
pub fn await_answer() {
    ANSWER_AWAITED.set(true);
}

/// Whether a line is to come after a publication's answer.
pub fn is_answer_awaited() -> bool {
    ANSWER_AWAITED.get()
}

/// Gives up the right to print of a server that has gone silent within its answer.
#[cfg(argv_line)]
fn recover() {
    /// What [`PRINTS`] was at the last look, and since when it had been so.
    static SEEN: Critical<(u32, Instant)> = Critical::new((0, Instant::from_millis(0)));
    if !SERVERS.get() {
        return;
    }
    let (prints, now) = (PRINTS.get(), now());
    let silent_ms = SEEN.with(|seen| {
        if seen.0 != prints {
            *seen = (prints, now);
        }
        seen.1.until(now)
    });
    if silent_ms >= SILENT_ANSWER_MS {
        drop(Output::back_from_server());
    }
}

/// Prints a line that answers nothing: at once, or after what is being printed.
#[cfg(argv_line)]
pub fn print_aside(bytes: &[u8]) {
    let is_held = HELD.with(|held| {
        let fits = bytes.len() <= held.room();
        if fits {
            held.push(bytes);
            IS_ANY_HELD.set(true);
        }
        fits
    });
    if is_held {
        // Whoever prints now lets it out in the end.
        drop(Output::claim_within(0));
    } else {
        Output::claim().write(bytes);
    }
}

#[cfg(argv_line)]
#[cold]
#[inline(never)]
fn print_held() {
    let mut piece = [0; 64];
    loop {
        let count = HELD.with(|held| {
            let count = held.pop(&mut piece);
            IS_ANY_HELD.set(!held.is_empty());
            count
        });
        if count == 0 {
            return;
        }
        device::send(piece.get(..count).unwrap_or_default());
    }
}
