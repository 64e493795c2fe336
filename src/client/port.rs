//! The serial port between the host, the AT server and this library (AT contract §1 and §8), on
//! [`w800_mqtt_core::port`].
//!
//! Three kinds of callers meet here:
//!
//! * the server's receiving task asks for input ([`receive`]): it is handed one line at a time, the next when the answer
//!   to the one before has ended;
//! * any task prints through the server ([`server_prints`]): an answer holds the right to print from its first byte to
//!   its end, another line waits for that right or is held back;
//! * a handler of this library's takes the line as it was typed ([`Command`]) and, in a data phase, the bytes behind its
//!   prompt ([`DataPhase`]).
//!
//! Where two tasks need the device's input at once, one of them asks the device and the other waits for what it gets.

use super::output::{self, Output};
use crate::sdk::clock::{left_ms, now};
use crate::sdk::device::{self, Received};
use crate::sdk::lend::{Lendable, Lent};
use crate::sdk::sync::{Critical, FOREVER, NoMemory, Semaphore};
use crate::sdk::task::{TaskId, current};
use core::ffi::{CStr, c_int};
use w800_mqtt_core::at::COMMANDS;
use w800_mqtt_core::at::answer::Sink;
use w800_mqtt_core::port::answer::{Answer, Progress};
use w800_mqtt_core::port::line::Line;
use w800_mqtt_core::port::typed::{Data, LOOK_MS, Next, Typed};
use w800_mqtt_core::port::{BUSY, TOO_LONG};
use w800_mqtt_core::time::Instant;

/// How long a data phase asks the device itself before it looks whether the receiving task does, in milliseconds.
const ASK_MS: u32 = 100;

/// How long a command of the server's own may go without an end of its answer, in milliseconds: the next line is handed
/// over then, and the server itself says whether it is busy.
const LONGEST_COMMAND_MS: u64 = 60_000;

static TYPED: Critical<Typed> = Critical::new(Typed::new());
/// The line that is put together, handed over, and read by its command's handler.
static LINE: Lendable<Line> = Lendable::new(Line::new());
static SERVER: Critical<Server> = Critical::new(Server::new());
/// The right to ask the device for input.
static DEVICE: Semaphore = Semaphore::new(1);
/// The right to print a piece of the server's answer.
static PIECE: Semaphore = Semaphore::new(1);
/// Released when there is input for a data phase.
static INPUT: Semaphore = Semaphore::new(0);
/// Released when a data phase has made room for input.
static ROOM: Semaphore = Semaphore::new(0);

/// What is known of the server.
#[derive(Debug)]
struct Server {
    answer: Answer,
    /// How much of a line that runs it has been handed; `None` when it has all.
    handed: Option<usize>,
    /// The task that asks for input.
    receiving: Option<TaskId>,
    /// The task that runs commands; not known before it has run one of this library's.
    processing: Option<TaskId>,
    /// A handler of this library's runs.
    in_handler: bool,
    /// The whole answer has been printed: the end of it that the server prints only tells that the server is free.
    muted: bool,
    /// When a line was handed over, or the server printed last.
    last: Instant,
}

impl Server {
    const fn new() -> Self {
        Self {
            answer: Answer::new(),
            handed: None,
            receiving: None,
            processing: None,
            in_handler: false,
            muted: false,
            last: Instant::from_millis(0),
        }
    }

    /// Whether what `task` prints belongs to the answer of the command that runs.
    fn answers(&self, task: TaskId) -> bool {
        self.receiving == Some(task) || self.processing.is_none_or(|processing| processing == task)
    }
}

/// Creates what it needs of the SDK.
///
/// # Errors
/// [`NoMemory`] when the SDK has no memory for it.
pub fn create() -> Result<(), NoMemory> {
    [output::semaphore(), &DEVICE, &PIECE, &INPUT, &ROOM].into_iter().try_for_each(Semaphore::create)
}

/* Towards the server */

/// Input for the server in `to`, for which it waits `milliseconds` at most, for ever where that is negative: how many
/// bytes, or what the device returned when it ended.
pub fn receive(to: &mut [u8], milliseconds: c_int) -> c_int {
    let deadline = u64::try_from(milliseconds).ok().map(|milliseconds| now().after(milliseconds));
    let task = current();
    SERVER.with(|server| server.receiving = Some(task));
    loop {
        if let Some(count) = hand_over(to) {
            return c_int::try_from(count).unwrap_or(c_int::MAX);
        }
        let left = deadline.map_or(-1, |deadline| left_ms(deadline).cast_signed());
        match ask_device(to, left) {
            Received::Ended(end) if TYPED.with(|typed| typed.is_used_up()) => return end,
            Received::Ended(_) => crate::sdk::clock::delay_ms(LOOK_MS),
            Received::Bytes(0) if left == 0 => return 0,
            Received::Bytes(_) => {}
        }
    }
}

/// Writes what the server gets now to `to`: how many bytes; `None` where there is nothing for it.
fn hand_over(to: &mut [u8]) -> Option<usize> {
    loop {
        let count = TYPED.with(|typed| typed.for_server(to));
        if count > 0 {
            let now = now();
            SERVER.with(|server| server.last = now);
            return Some(count);
        }
        let handed = SERVER.with(|server| server.handed);
        if let Some(from) = handed {
            return hand_line(from, to);
        }
        // While a command runs the line is its handler's.
        if is_running() {
            return None;
        }
        let mut line = LINE.lend()?;
        let next = TYPED.with(|typed| typed.next(&mut line, expects_data));
        match next {
            Next::Nothing => return None,
            Next::Refused(count) => {
                drop(line);
                let mut output = Output::claim();
                (0..count).for_each(|_| output.write(BUSY));
            }
            Next::TooLong => {
                drop(line);
                Output::claim().write(TOO_LONG);
            }
            Next::Line => {
                let (now, differs) = (now(), line.parameters().is_some());
                SERVER.with(|server| {
                    server.handed = Some(0);
                    server.last = now;
                    server.muted = false;
                    if differs {
                        server.answer.expect_echo();
                    }
                });
            }
        }
    }
}

/// Writes what the server is handed of the line that runs, from byte `from` on, to `to`: how many bytes.
fn hand_line(from: usize, to: &mut [u8]) -> Option<usize> {
    let line = LINE.lend()?;
    let count = line.hand(from, to);
    let next = from.saturating_add(count);
    let rest = line.hand(next, &mut [0]);
    SERVER.with(|server| server.handed = (rest > 0).then_some(next));
    Some(count)
}

/// The names of the commands that ask for data: the one that not every build has comes last in the table.
const ASK_FOR_DATA: [&CStr; 4 + cfg!(certificate_command) as usize] = ask_for_data();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated at compile time only, where a fault is a compile error"
)]
const fn ask_for_data<const COUNT: usize>() -> [&'static CStr; COUNT] {
    let mut names = [c""; COUNT];
    let (mut row, mut found) = (0, 0);
    while found < COUNT {
        if COMMANDS[row].data_phase {
            names[found] = COMMANDS[row].name;
            found += 1;
        }
        row += 1;
    }
    names
}

/// Whether `line` sets something whose command asks for data.
fn expects_data(line: &Line) -> bool {
    ASK_FOR_DATA.iter().any(|name| line.sets(name.to_bytes()))
}

/// Whether a command runs; one of the server's own that has been silent for too long counts as answered.
fn is_running() -> bool {
    let running = TYPED.with(|typed| typed.is_running());
    let now = now();
    let expired = running && SERVER.with(|server| !server.in_handler && server.last.until(now) >= LONGEST_COMMAND_MS);
    if expired {
        TYPED.with(|typed| typed.finished(false));
    }
    running && !expired
}

/// Asks the device for input, `milliseconds` at most, for ever where that is negative, and keeps what comes; `buffer`
/// holds it on the way.
fn ask_device(buffer: &mut [u8], milliseconds: c_int) -> Received {
    let patience = u32::try_from(milliseconds).map_or(LOOK_MS, |milliseconds| milliseconds.min(LOOK_MS));
    if TYPED.with(|typed| typed.room()) == 0 {
        ROOM.acquire(patience);
    } else if DEVICE.acquire(patience) {
        let received = read_device(buffer, milliseconds);
        DEVICE.release();
        return received;
    }
    Received::Bytes(0)
}

/// As [`ask_device`], by who has the right to ask: only under that right does it stay true that nothing has come yet.
fn read_device(buffer: &mut [u8], milliseconds: c_int) -> Received {
    let question = TYPED.with(|typed| typed.ask(buffer.len(), milliseconds));
    let Some((room, milliseconds)) = question else { return Received::Bytes(0) };
    let received = device::receive(buffer.get_mut(..room).unwrap_or_default(), milliseconds);
    let now = now();
    let is_data = TYPED.with(|typed| {
        match received {
            Received::Bytes(count) => typed.take(buffer.get(..count).unwrap_or_default(), now),
            Received::Ended(_) => typed.end(),
        }
        typed.takes_data()
    });
    // Nobody but a data phase waits for it, and what nobody waits for would be counted.
    if is_data && received != Received::Bytes(0) {
        INPUT.release();
    }
    received
}

/* Towards the host */

/// The server prints `bytes`, in whatever task.
pub fn server_prints(bytes: &[u8]) {
    let task = current();
    if !SERVER.with(|server| server.answers(task)) {
        return output::print_aside(bytes);
    }
    if !TYPED.with(|typed| typed.is_running()) {
        return print_behind_answer(bytes);
    }
    if !Output::server_goes_on() {
        let mut output = Output::claim();
        if !TYPED.with(|typed| typed.is_running()) {
            return output.write(bytes);
        }
        output.hand_to_server();
    }
    print_answer(bytes);
}

/// The server prints when its answer has ended: nothing that matters, or a prompt that comes behind `OK` by itself.
fn print_behind_answer(bytes: &[u8]) {
    if SERVER.with(|server| server.answer.watch(bytes)) == Progress::Prompted {
        TYPED.with(|typed| typed.finished(true));
    }
    output::print_aside(bytes);
}

/// Prints a part of the server's answer, which holds the right to print.
fn print_answer(bytes: &[u8]) {
    // Both of the server's tasks may print a part of it.
    while !PIECE.acquire(FOREVER) {}
    let (mut answer, muted) = SERVER.with(|server| (core::mem::take(&mut server.answer), server.muted));
    // While an echo may come nobody else uses the line.
    let line = if answer.awaits_echo() { LINE.lend() } else { None };
    let progress = if muted { answer.watch(bytes) } else { answer.print(bytes, line.as_deref(), &mut device::send) };
    drop(line);
    let now = now();
    SERVER.with(|server| {
        server.answer = answer;
        server.last = now;
    });
    PIECE.release();
    if progress != Progress::Open {
        end_answer(progress == Progress::Prompted);
    }
}

/// The server's answer has ended, in a prompt for data where it has `prompted`. Its right to print goes first, so that the
/// next line's answer cannot be printed by it.
fn end_answer(prompted: bool) {
    let output = Output::back_from_server();
    TYPED.with(|typed| typed.finished(prompted));
    drop(output);
}

/* For handlers */

/// A command of this library's that runs.
#[derive(Debug)]
pub struct Command {
    line: Option<Lent<'static, Line>>,
}

impl Command {
    /// A handler begins, in the task that runs commands.
    pub fn begin() -> Self {
        // The server's other task may still be at the end of the echo, with the line in its hands.
        while !PIECE.acquire(FOREVER) {}
        let task = current();
        SERVER.with(|server| {
            server.processing = Some(task);
            server.in_handler = true;
            server.answer.expect_no_echo();
        });
        // What the server has as bytes, for data that it had prompted for, is not in the line that was kept last.
        let line = if TYPED.with(|typed| typed.runs_line()) { LINE.lend() } else { None };
        PIECE.release();
        // An echo is whole; the answer is this library's own.
        drop(Output::back_from_server());
        Self { line }
    }

    /// The parameters as they were typed, where the line sets something by the command `name`.
    pub fn parameters(&mut self, name: &[u8]) -> Option<&mut [u8]> {
        let line = self.line.as_mut().filter(|line| line.sets(name))?;
        line.parameters_mut()
    }

    /// The answer is printed but for the server's own end of it, which `output` is for.
    pub fn answered(self, output: Output) {
        self.end();
        output.hand_to_server();
    }

    /// The answer is printed with its end, and the server's own is kept from the host; `output` is for that. Only when the
    /// server has printed it does it take another line.
    pub fn ended(self, output: Output) {
        SERVER.with(|server| server.muted = true);
        self.answered(output);
    }

    fn end(self) {
        drop(self.line);
        let now = now();
        SERVER.with(|server| {
            server.in_handler = false;
            server.last = now;
        });
    }
}

/// Why a data phase ended before its length was there: the host sent the exit code, or nothing for 20 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedEarly;

/// The bytes behind a prompt; dropping it ends the phase.
#[derive(Debug)]
pub struct DataPhase {
    left: usize,
}

impl DataPhase {
    /// A data phase of `length` bytes begins: its prompt is to be printed next.
    pub fn begin(length: usize) -> Self {
        INPUT.drain();
        let now = now();
        TYPED.with(|typed| typed.begin_data(now));
        Self { left: length }
    }

    /// Waits for some of what is left and writes it to the front of `to`: how many bytes, 0 when all have come. The rest
    /// of `to` may be written over.
    ///
    /// # Errors
    /// [`EndedEarly`] when the host has given up.
    pub fn receive(&mut self, to: &mut [u8]) -> Result<usize, EndedEarly> {
        while self.left > 0 {
            let (left, now) = (self.left, now());
            let (data, was_full) = TYPED.with(|typed| {
                let was_full = typed.room() == 0;
                (typed.data(to, left, now), was_full)
            });
            match data {
                Data::Bytes(count) => {
                    if was_full {
                        ROOM.release();
                    }
                    self.left = self.left.saturating_sub(count);
                    return Ok(count);
                }
                Data::Exit | Data::Stalled => return Err(EndedEarly),
                Data::Wait(milliseconds) => wait_for_input(to, u32::try_from(milliseconds).unwrap_or(u32::MAX)),
            }
        }
        Ok(0)
    }
}

impl Drop for DataPhase {
    fn drop(&mut self) {
        TYPED.with(Typed::end_data);
        ROOM.release();
    }
}

/// Waits for input, `milliseconds` at most: for what the receiving task gets, or for the device itself while that task does
/// not ask. `buffer` holds it on the way.
fn wait_for_input(buffer: &mut [u8], milliseconds: u32) {
    if DEVICE.acquire(0) {
        read_device(buffer, milliseconds.min(ASK_MS).cast_signed());
        DEVICE.release();
    } else {
        INPUT.acquire(milliseconds);
    }
}
