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
use crate::sdk::{device, hook};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use w800_mqtt_core::at::answer::Sink;
use w800_mqtt_core::link::delivery::Printer;
#[cfg(argv_line)]
use w800_mqtt_core::port::ring::Ring;
#[cfg(argv_line)]
use w800_mqtt_core::time::Instant;

/// How long who waits for the right to print waits before it looks whether a silent server holds it, in milliseconds.
const LOOK_MS: u32 = 1_000;

/// How long the server may be silent within an answer before it is taken for over, in milliseconds.
#[cfg(argv_line)]
const SILENT_ANSWER_MS: u64 = 5_000;

/// Bytes of the server's lines that are held back while another line or answer is printed.
#[cfg(argv_line)]
const HELD_BYTES: usize = 256;

static PORT: Semaphore = Semaphore::new(1);
/// How many commands wait for the port.
static WANTED: AtomicU8 = AtomicU8::new(0);
/// A publication's answer is awaited: a line that can wait comes behind it.
static ANSWER_AWAITED: AtomicBool = AtomicBool::new(false);
/// The right that the server's answer holds, and when it printed last.
#[cfg(argv_line)]
static SERVERS: Critical<Option<(Output, Instant)>> = Critical::new(None);
#[cfg(argv_line)]
static HELD: Critical<Ring<HELD_BYTES>> = Critical::new(Ring::new());

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
        ANSWER_AWAITED.store(false, Ordering::Release);
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
        recover();
        None
    }
}

/// What the server prints passes through this library, and its answers have the right to print.
#[cfg(argv_line)]
impl Output {
    /// The server's answer, or the rest of it, is printed by this right.
    pub fn hand_to_server(self) {
        let handed = (self, now());
        drop(SERVERS.with(|servers| servers.replace(handed)));
    }

    /// Takes the right back from the server, whose answer has ended.
    pub fn back_from_server() -> Option<Self> {
        SERVERS.with(Option::take).map(|(output, _)| output)
    }

    /// Whether the server's answer has the right to print; it goes on now.
    pub fn server_goes_on() -> bool {
        let now = now();
        SERVERS.with(|servers| servers.as_mut().map(|(_, last)| *last = now).is_some())
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
            print_held();
            PORT.release();
            // What came in between found the right taken.
            let more = HELD.with(|held| !held.is_empty());
            self.acquired = more && PORT.acquire(0);
        }
    }
}

/// A publication begins whose answer the host awaits.
pub fn await_answer() {
    ANSWER_AWAITED.store(true, Ordering::Release);
}

/// Whether a line is to come behind a publication's answer.
pub fn is_answer_awaited() -> bool {
    ANSWER_AWAITED.load(Ordering::Acquire)
}

/// Gives up the right to print of a server that has gone silent within its answer.
#[cfg(argv_line)]
fn recover() {
    let now = now();
    let silent = SERVERS.with(|servers| servers.as_ref().is_some_and(|(_, last)| last.until(now) >= SILENT_ANSWER_MS));
    if silent {
        drop(Output::back_from_server());
    }
}

/// Prints a line that answers nothing: at once, or behind what is being printed.
#[cfg(argv_line)]
pub fn print_aside(bytes: &[u8]) {
    let is_held = HELD.with(|held| {
        let fits = bytes.len() <= held.room();
        if fits {
            held.push(bytes);
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
fn print_held() {
    let mut piece = [0; 64];
    loop {
        let count = HELD.with(|held| held.pop(&mut piece));
        if count == 0 {
            return;
        }
        device::send(piece.get(..count).unwrap_or_default());
    }
}
