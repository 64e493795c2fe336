//! The serial port between the host, the AT server and this library (AT contract §1 and §8), on
//! [`w800_mqtt_core::port`].
//!
//! Three kinds of callers meet here:
//!
//! * the server's receiving task asks for input ([`receive`]): it is handed one line at a time, the next when the answer
//!   to the one before has ended;
//! * any task prints through the server ([`server_prints`]): an answer holds the right to print from its first byte to
//!   its end, another line waits for that right or is held back;
//! * a handler of this library's takes the line as it was typed ([`Command`]) and, in a data phase, the bytes after its
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
use w800_mqtt_core::port::line::{self, Line};
use w800_mqtt_core::port::typed::{Data, LOOK_MS, Next, Runs, Typed};
use w800_mqtt_core::port::{BUSY, TOO_LONG};
use w800_mqtt_core::time::Instant;

/// How long a data phase asks the device itself before it looks whether the receiving task does, in milliseconds.
const ASK_MS: u32 = 100;

/// How long a command of the server's own may go without an end of its answer, in milliseconds: the next line is handed
/// over then, and the server itself says whether it is busy.
const LONGEST_COMMAND_MS: u64 = 60_000;

/// What was typed and what is known of the server, used in one critical section for each step of a line.
static STATE: Critical<State> = Critical::new(State::new());
/// The line that is put together, handed over, and read by its command's handler.
static LINE: Lendable<Line> = Lendable::new(Line::new());
/// The right to ask the device for input.
static DEVICE: Semaphore = Semaphore::new(1);
/// The right to print a piece of the server's answer.
static PIECE: Semaphore = Semaphore::new(1);
/// Released when there is input for a data phase.
static INPUT: Semaphore = Semaphore::new(0);
/// Released when a data phase has made room for input.
static ROOM: Semaphore = Semaphore::new(0);

/// What was typed and what is known of the server.
#[derive(Debug)]
struct State {
    typed: Typed,
    answer: Answer,
    /// How much of a line that runs the server has been handed; `None` when it has all.
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

/// What the server prints belongs to.
enum Belongs {
    /// Nothing that was asked.
    Aside,
    /// An answer that has ended.
    Behind,
    /// The answer of the command that runs.
    Answer,
}

/// What becomes of a part of the server's answer.
enum Part {
    /// It may be of the echo: to be looked at with the line that was typed.
    Echo(Answer),
    /// It is printed, or kept from the host where it is `muted`.
    Printed { muted: bool, progress: Progress },
}

impl State {
    const fn new() -> Self {
        Self {
            typed: Typed::new(),
            answer: Answer::new(),
            handed: None,
            receiving: None,
            processing: None,
            in_handler: false,
            muted: false,
            last: Instant::from_millis(0),
        }
    }

    /// What `task` prints.
    fn belongs(&self, task: TaskId) -> Belongs {
        if self.receiving != Some(task) && self.processing.is_some_and(|processing| processing != task) {
            Belongs::Aside
        } else if self.typed.is_running() {
            Belongs::Answer
        } else {
            Belongs::Behind
        }
    }

    /// A line is handed over from `now` on, in another form than was typed where it `differs`.
    fn hands_over(&mut self, differs: bool, now: Instant) {
        self.last = now;
        self.muted = false;
        if differs {
            self.answer.expect_echo();
        }
    }

    /// The server prints `bytes` of its answer at `now`.
    fn prints(&mut self, bytes: &[u8], now: Instant) -> Part {
        self.last = now;
        if self.answer.awaits_echo() && !self.muted {
            return Part::Echo(core::mem::take(&mut self.answer));
        }
        Part::Printed { muted: self.muted, progress: self.answer.watch(bytes) }
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
    let mut idle = STATE.with(|state| {
        state.receiving = Some(task);
        state.typed.is_idle()
    });
    loop {
        if !idle && let Some(count) = hand_over(to) {
            return count_for_server(count);
        }
        let left = deadline.map_or(-1, |deadline| left_ms(deadline).cast_signed());
        match ask_device(to, left, idle) {
            Input::Line(count) => return count_for_server(count),
            Input::Kept(Received::Ended(end)) if STATE.with(|state| state.typed.is_used_up()) => return end,
            Input::Kept(Received::Ended(_)) => crate::sdk::clock::delay_ms(LOOK_MS),
            Input::Kept(Received::Bytes(0)) if left == 0 => return 0,
            Input::Kept(Received::Bytes(_)) => {}
        }
        idle = false;
    }
}

fn count_for_server(count: usize) -> c_int {
    c_int::try_from(count).unwrap_or(c_int::MAX)
}

/// Writes what the server gets now to `to`: how many bytes; `None` where there is nothing for it.
#[inline(never)]
fn hand_over(to: &mut [u8]) -> Option<usize> {
    loop {
        let now = now();
        let (count, handed) = STATE.with(|state| {
            let count = state.typed.for_server(to);
            if count > 0 {
                state.last = now;
            }
            (count, state.handed)
        });
        if count > 0 {
            return Some(count);
        }
        if let Some(from) = handed {
            let line = LINE.lend()?;
            let (count, handed) = hand_line(&line, from, to);
            drop(line);
            STATE.with(|state| state.handed = handed);
            return Some(count);
        }
        // While a command runs the line is its handler's.
        if is_running(now) {
            return None;
        }
        let mut line = LINE.lend()?;
        match STATE.with(|state| next_line(state, &mut line, now)) {
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
            Next::Line => {}
        }
    }
}

fn next_line(state: &mut State, line: &mut Line, now: Instant) -> Next {
    let next = state.typed.next(line, expects_data);
    if next == Next::Line {
        state.handed = Some(0);
        state.hands_over(line.parameters().is_some(), now);
    }
    next
}

/// The first `count` bytes of `buffer` have come at `now` where nothing was before them. If they are one whole line, it
/// runs from now on, and `buffer` is what the server gets of it: how many bytes.
fn start_line(buffer: &mut [u8], count: usize, now: Instant) -> Option<usize> {
    let text = line::whole(buffer.get(..count)?)?;
    if line::is_handed_as_it_is(text) {
        return start(Runs::Servers, false, now).then_some(count);
    }
    let mut line = LINE.lend()?;
    line.push(text);
    line.complete();
    if line.is_empty() {
        return None;
    }
    let runs = if expects_data(&line) { Runs::KeptForData } else { Runs::Kept };
    if !start(runs, line.parameters().is_some(), now) {
        return None;
    }
    let (count, handed) = hand_line(&line, 0, buffer);
    if handed.is_some() {
        STATE.with(|state| state.handed = handed);
    }
    Some(count)
}

/// A line runs from `now` on that nobody has kept, and is handed over in another form where it `differs`. `false` where
/// something is before it.
fn start(runs: Runs, differs: bool, now: Instant) -> bool {
    STATE.with(|state| {
        let started = state.typed.run(runs, now);
        if started {
            state.hands_over(differs, now);
        }
        started
    })
}

/// Writes what the server is handed of the `line` that runs, from byte `from` on, to `to`: how many bytes, and where the
/// rest begins if there is one.
fn hand_line(line: &Line, from: usize, to: &mut [u8]) -> (usize, Option<usize>) {
    let count = line.hand(from, to);
    let next = from.saturating_add(count);
    // What does not fill the room is all there is.
    let rest = count == to.len() && line.hand(next, &mut [0]) > 0;
    (count, rest.then_some(next))
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
fn is_running(now: Instant) -> bool {
    STATE.with(|state| {
        let running = state.typed.is_running();
        let expired = running && !state.in_handler && state.last.until(now) >= LONGEST_COMMAND_MS;
        if expired {
            state.typed.finished(false);
        }
        running && !expired
    })
}

/// What came of asking the device.
enum Input {
    /// A line runs, and so many bytes of the buffer are what the server gets of it.
    Line(usize),
    /// What came was kept.
    Kept(Received),
}

/// Asks the device for input, `milliseconds` at most, for ever where that is negative, and keeps what comes, or starts the
/// line that it is where nothing is before it; `buffer` holds it on the way. Nothing waits now where it is `idle`.
fn ask_device(buffer: &mut [u8], milliseconds: c_int, idle: bool) -> Input {
    let patience = u32::try_from(milliseconds).map_or(LOOK_MS, |milliseconds| milliseconds.min(LOOK_MS));
    if !idle && STATE.with(|state| state.typed.room()) == 0 {
        ROOM.acquire(patience);
    } else if DEVICE.acquire(patience) {
        let input = read_device(buffer, milliseconds, idle);
        DEVICE.release();
        return input;
    }
    Input::Kept(Received::Bytes(0))
}

/// As [`ask_device`], by who has the right to ask: only under that right does it stay true that nothing has come yet.
fn read_device(buffer: &mut [u8], milliseconds: c_int, idle: bool) -> Input {
    let all = Some((buffer.len(), milliseconds));
    let question = if idle { all } else { STATE.with(|state| state.typed.ask(buffer.len(), milliseconds)) };
    let Some((room, milliseconds)) = question else { return Input::Kept(Received::Bytes(0)) };
    let received = device::receive(buffer.get_mut(..room).unwrap_or_default(), milliseconds);
    let now = now();
    // The command that ran may have been answered meanwhile.
    if let Received::Bytes(count) = received
        && STATE.with(|state| state.typed.is_idle())
        && let Some(count) = start_line(buffer, count, now)
    {
        return Input::Line(count);
    }
    Input::Kept(keep(buffer, received, now))
}

/// Keeps what was `received` into `buffer` at `now`.
#[inline(never)]
fn keep(buffer: &[u8], received: Received, now: Instant) -> Received {
    let is_data = STATE.with(|state| {
        match received {
            Received::Bytes(count) => state.typed.take(buffer.get(..count).unwrap_or_default(), now),
            Received::Ended(_) => state.typed.end(),
        }
        state.typed.takes_data()
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
    match STATE.with(|state| state.belongs(task)) {
        Belongs::Answer => print_answer(bytes),
        Belongs::Behind => print_behind_answer(bytes),
        Belongs::Aside => output::print_aside(bytes),
    }
}

/// The server prints when its answer has ended: nothing that matters, or a prompt that comes after `OK` by itself.
#[inline(never)]
fn print_behind_answer(bytes: &[u8]) {
    STATE.with(|state| {
        if state.answer.watch(bytes) == Progress::Prompted {
            state.typed.finished(true);
        }
    });
    output::print_aside(bytes);
}

/// Prints a part of the server's answer. The right to print is the server's until the answer has ended.
fn print_answer(bytes: &[u8]) {
    let mut claimed = (!Output::server_goes_on()).then(Output::claim);
    // Both of the server's tasks may print a part of it.
    while !PIECE.acquire(FOREVER) {}
    let now = now();
    // The answer may have ended while the right to print was awaited.
    let part = STATE.with(|state| state.typed.is_running().then(|| state.prints(bytes, now)));
    if !matches!(part, Some(Part::Printed { progress: Progress::Ended, .. }))
        && part.is_some()
        && let Some(output) = claimed.take()
    {
        output.hand_to_server();
    }
    let progress = match part {
        None => {
            device::send(bytes);
            Progress::Open
        }
        Some(Part::Echo(answer)) => print_echo(answer, bytes),
        Some(Part::Printed { muted, progress }) => {
            if !muted {
                device::send(bytes);
            }
            progress
        }
    };
    PIECE.release();
    if progress != Progress::Open {
        end_answer(claimed, progress == Progress::Prompted);
    }
}

/// Prints a part of the `answer` that may be of the echo.
#[inline(never)]
fn print_echo(mut answer: Answer, bytes: &[u8]) -> Progress {
    // While an echo may come nobody else uses the line.
    let line = LINE.lend();
    let progress = answer.print(bytes, line.as_deref(), &mut device::send);
    drop(line);
    STATE.with(|state| state.answer = answer);
    progress
}

/// The server's answer has ended, in a prompt for data where it has `prompted`. Its right to print goes first, so that the
/// next line's answer cannot be printed by it.
fn end_answer(claimed: Option<Output>, prompted: bool) {
    let output = claimed.or_else(Output::back_from_server);
    STATE.with(|state| state.typed.finished(prompted));
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
        let runs_line = STATE.with(|state| {
            state.processing = Some(task);
            state.in_handler = true;
            state.answer.expect_no_echo();
            state.typed.runs_line()
        });
        // What the server has as bytes, for data that it had prompted for, is not in the line that was kept last.
        let line = if runs_line { LINE.lend() } else { None };
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
        self.end(output, false);
    }

    /// The answer is printed with its end, and the server's own is kept from the host; `output` is for that. Only when the
    /// server has printed it does it take another line.
    pub fn ended(self, output: Output) {
        self.end(output, true);
    }

    fn end(self, output: Output, muted: bool) {
        drop(self.line);
        let now = now();
        STATE.with(|state| {
            state.in_handler = false;
            state.muted = muted;
            state.last = now;
        });
        output.hand_to_server();
    }
}

/// Why a data phase ended before its length was there: the host sent the exit code, or nothing for 20 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedEarly;

/// The bytes after a prompt; dropping it ends the phase.
#[derive(Debug)]
pub struct DataPhase {
    left: usize,
}

impl DataPhase {
    /// A data phase of `length` bytes begins: its prompt is to be printed next.
    pub fn begin(length: usize) -> Self {
        INPUT.drain();
        let now = now();
        STATE.with(|state| state.typed.begin_data(now));
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
            let (data, was_full) = STATE.with(|state| {
                let was_full = state.typed.room() == 0;
                (state.typed.data(to, left, now), was_full)
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
        STATE.with(|state| state.typed.end_data());
        ROOM.release();
    }
}

/// Waits for input, `milliseconds` at most: for what the receiving task gets, or for the device itself while that task does
/// not ask. `buffer` holds it on the way.
fn wait_for_input(buffer: &mut [u8], milliseconds: u32) {
    if DEVICE.acquire(0) {
        read_device(buffer, milliseconds.min(ASK_MS).cast_signed(), false);
        DEVICE.release();
    } else {
        INPUT.acquire(milliseconds);
    }
}
