//! What the host typed and nobody has used yet, and who is to use it.
//!
//! Bytes become a line while no command runs, wait while one does, and are data while a data phase takes them. Lines
//! that find no room while they wait are counted, to be answered with `busy ...`.

use super::KEPT_BYTES;
use super::line::Line;
use super::ring::Ring;
use crate::time::Instant;

/// Silence before the exit code of a data phase, in milliseconds: what follows other bytes at once is data.
const SILENCE_BEFORE_EXIT_MS: u64 = 20;

/// Silence after the exit code, in milliseconds: what is followed by other bytes before is data.
const SILENCE_AFTER_EXIT_MS: u64 = 200;

/// What ends a data phase before its length is there, alone between two silences.
const EXIT_CODE: &[u8] = b"+++";

/// A data phase whose host is silent for so many milliseconds ends: it has lost bytes, and gets the port back.
pub const IDLE_MS: u64 = 20_000;

/// How long the device is asked at most while something waits to be used, in milliseconds: then it is looked again
/// whether the command that runs is answered.
pub const LOOK_MS: u32 = 5;

/// Who uses the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum User {
    /// The next command line.
    Line = 0,
    /// Nobody until the command that runs is answered.
    Waiting,
    /// Nobody until the command that runs asks for data, or is answered: the device keeps what finds no room.
    WaitingForPrompt,
    /// Nobody until the server's own command is answered that runs without having been kept.
    WaitingForServer,
    /// The data phase of a command of this library's.
    Data,
    /// A command of the server's own that has prompted for data.
    Server,
}

/// What has become of the bytes typed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is no whole line, or a command runs.
    Nothing,
    /// A line is complete: it is to be handed to the server, and runs from now on.
    Line,
    /// A line was too long; it is gone.
    TooLong,
    /// So many lines found no room while a command ran: each is to be answered with [`super::BUSY`].
    Refused(u32),
}

/// Whose command a line is that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// The server's own, handed over as it came and not kept.
    Servers,
    /// One whose line is kept.
    Kept,
    /// The same, and it will ask for data.
    KeptForData,
}

impl Runs {
    const fn user(self) -> User {
        match self {
            Self::Servers => User::WaitingForServer,
            Self::Kept => User::Waiting,
            Self::KeptForData => User::WaitingForPrompt,
        }
    }
}

/// What a data phase finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// So many bytes of the payload, one at least.
    Bytes(usize),
    /// Nothing yet; to be asked again when bytes have come, or in so many milliseconds.
    Wait(u64),
    /// The host has sent the exit code.
    Exit,
    /// The host has been silent for [`IDLE_MS`].
    Stalled,
}

/// The bytes and their user.
#[derive(Debug)]
pub struct Typed {
    ring: Ring<KEPT_BYTES>,
    user: User,
    /// Bytes at the ring's end that belong to a line whose end has not come.
    open: usize,
    /// A part of the next line has left the ring.
    begun: bool,
    /// The line that is being typed found no room: its rest is dropped.
    dropping: bool,
    /// Lines that were dropped and not yet answered.
    refused: u32,
    /// When bytes came last.
    last: Instant,
    /// When the data phase began.
    began: Instant,
    /// Nothing has come since then: the prompt is between what came before and what comes.
    behind_prompt: bool,
    /// Whether the oldest bytes in the ring came right after others.
    behind_others: bool,
    /// No more bytes will ever come.
    ended: bool,
}

impl Default for Typed {
    fn default() -> Self {
        Self::new()
    }
}

impl Typed {
    /// Nothing typed, and no command runs.
    pub const fn new() -> Self {
        Self {
            ring: Ring::new(),
            user: User::Line,
            open: 0,
            begun: false,
            dropping: false,
            refused: 0,
            last: Instant::from_millis(0),
            began: Instant::from_millis(0),
            behind_prompt: false,
            behind_others: false,
            ended: false,
        }
    }

    /// How many bytes may be taken from the device now. What is data must not be lost: it waits there.
    pub const fn room(&self) -> usize {
        match self.user {
            User::Data | User::Server | User::WaitingForPrompt => self.ring.room(),
            User::Line | User::Waiting | User::WaitingForServer => usize::MAX,
        }
    }

    /// How many bytes the device may be asked for, and for how many milliseconds, by who has room for `most` and would
    /// wait `milliseconds` (for ever where that is negative). `None` where it may not be asked now.
    pub fn ask(&self, most: usize, milliseconds: i32) -> Option<(usize, i32)> {
        let look = LOOK_MS.cast_signed();
        let patient = !(0..look).contains(&milliseconds);
        let room = self.room().min(most);
        (room > 0).then_some((room, if patient && self.waits() { look } else { milliseconds }))
    }

    /// Whether what comes next begins a line, with nothing before it that waits: neither bytes, nor the answer to a command.
    pub fn is_idle(&self) -> bool {
        self.is_used_up() && !self.begun && !self.dropping
    }

    /// A whole line has come at `now` that nobody has kept: it `runs` from now on. `false` where something is before it.
    pub fn run(&mut self, runs: Runs, now: Instant) -> bool {
        let idle = self.is_idle();
        if idle {
            self.behind_prompt = false;
            self.last = now;
            self.user = runs.user();
        }
        idle
    }

    /// The device has ended: whoever waits for data waits in vain.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// Takes `bytes`, at most [`Typed::room`], that came from the device at `now`.
    pub fn take(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        if self.ring.is_empty() {
            self.behind_others = !self.behind_prompt && self.last.until(now) < SILENCE_BEFORE_EXIT_MS;
        }
        self.behind_prompt = false;
        self.last = now;
        if matches!(self.user, User::Data | User::Server) {
            self.ring.push(bytes);
            return;
        }
        let mut rest = bytes;
        while let Some(end) = position(rest) {
            let (line, behind) = rest.split_at_checked(end.saturating_add(1)).unwrap_or_default();
            self.keep(line, true);
            rest = behind;
        }
        if !rest.is_empty() {
            self.keep(rest, false);
        }
    }

    /// Keeps a line or a part of one, unless there is no room: then the whole line goes.
    fn keep(&mut self, piece: &[u8], ends: bool) {
        if !self.dropping && piece.len() <= self.ring.room() {
            self.ring.push(piece);
            self.open = if ends { 0 } else { self.open.saturating_add(piece.len()) };
            return;
        }
        if !self.dropping {
            self.ring.truncate(self.ring.len().saturating_sub(self.open));
            self.open = 0;
        }
        self.dropping = !ends;
        self.refused = self.refused.saturating_add(u32::from(ends));
    }

    /// Moves what belongs to the next line into `line`, unless a command runs. A line that is complete runs from now on;
    /// `expects_data` says whether it will ask for data.
    pub fn next(&mut self, line: &mut Line, expects_data: impl FnOnce(&Line) -> bool) -> Next {
        if self.user == User::Line && self.refused > 0 {
            return Next::Refused(core::mem::take(&mut self.refused));
        }
        while self.user == User::Line && !self.ring.is_empty() {
            if !self.move_to(line) {
                break;
            }
            line.complete();
            if line.is_too_long() {
                return Next::TooLong;
            }
            if !line.is_empty() {
                self.user = if expects_data(line) { Runs::KeptForData } else { Runs::Kept }.user();
                return Next::Line;
            }
        }
        Next::Nothing
    }

    /// Moves bytes up to a line's end into `line`. Whether the end has come.
    fn move_to(&mut self, line: &mut Line) -> bool {
        let (first, second) = self.ring.pieces();
        let (used, ended) = match position(first) {
            Some(end) => {
                line.push(first.get(..end).unwrap_or_default());
                (end, true)
            }
            None => {
                line.push(first);
                let end = position(second);
                let rest = second.get(..end.unwrap_or(second.len())).unwrap_or_default();
                line.push(rest);
                (first.len().saturating_add(rest.len()), end.is_some())
            }
        };
        self.ring.skip(used.saturating_add(usize::from(ended)));
        self.open = self.open.min(self.ring.len());
        self.begun = !ended;
        ended
    }

    /// Whether there is something that nobody has used yet: lines that wait for a command or for an answer, or data.
    pub const fn waits(&self) -> bool {
        !self.ring.is_empty() || self.refused > 0
    }

    /// Whether nothing waits and no command runs: what comes next begins a line.
    pub fn is_used_up(&self) -> bool {
        !self.is_running() && !self.waits()
    }

    /// Whether a data phase of this library's takes what is typed.
    pub fn takes_data(&self) -> bool {
        self.user == User::Data
    }

    /// Whether the command that runs is a line that [`Typed::next`] gave.
    pub const fn runs_line(&self) -> bool {
        matches!(self.user, User::Waiting | User::WaitingForPrompt | User::Data)
    }

    /// Whether a command runs.
    pub fn is_running(&self) -> bool {
        self.user != User::Line
    }

    /// The command that runs is answered: the next line may follow. If it has `prompted` as a command of the server's does
    /// that takes data, the server gets what is typed, as it is.
    pub fn finished(&mut self, prompted: bool) {
        if self.user == User::Server {
            self.reopen();
        }
        self.user = if prompted { User::Server } else { User::Line };
    }

    /// A data phase of this library's begins at `now`: what waits is its payload's beginning.
    pub const fn begin_data(&mut self, now: Instant) {
        self.user = User::Data;
        self.dropping = false;
        self.began = now;
        self.behind_prompt = self.ring.is_empty();
    }

    /// The data phase is over; what was typed after it are lines again. Its command still runs.
    pub fn end_data(&mut self) {
        self.user = User::Waiting;
        self.reopen();
    }

    /// What was taken as data are lines from now on.
    fn reopen(&mut self) {
        let (first, second) = self.ring.pieces();
        let behind = |piece: &[u8]| piece.iter().rev().position(|byte| *byte == b'\n');
        self.open =
            behind(second).or_else(|| Some(behind(first)?.saturating_add(second.len()))).unwrap_or(self.ring.len());
    }

    /// Takes payload into `to`, of which `left` bytes are still to come.
    pub fn data(&mut self, to: &mut [u8], left: usize, now: Instant) -> Data {
        let silent = self.last.until(now);
        if self.ring.is_empty() {
            return match IDLE_MS.saturating_sub(silent.min(self.began.until(now))) {
                rest if rest > 0 && !self.ended => Data::Wait(rest),
                _ => Data::Stalled,
            };
        }
        if left > EXIT_CODE.len() && self.may_be_exit_code() {
            if silent < SILENCE_AFTER_EXIT_MS {
                return Data::Wait(SILENCE_AFTER_EXIT_MS.saturating_sub(silent));
            }
            if self.ring.len() == EXIT_CODE.len() {
                self.ring.skip(EXIT_CODE.len());
                return Data::Exit;
            }
        }
        let most = left.min(to.len());
        Data::Bytes(self.ring.pop(to.get_mut(..most).unwrap_or_default()))
    }

    /// Whether all there is, is the exit code or its beginning, after a silence.
    fn may_be_exit_code(&self) -> bool {
        let (first, second) = self.ring.pieces();
        let mut all = first.iter().chain(second);
        !self.behind_others && self.ring.len() <= EXIT_CODE.len() && all.all(|byte| *byte == b'+')
    }

    /// Takes bytes for a command of the server's that has prompted for them, into `to`: how many.
    pub fn for_server(&mut self, to: &mut [u8]) -> usize {
        if self.user == User::Server { self.ring.pop(to) } else { 0 }
    }
}

/// Where the first LF is.
fn position(bytes: &[u8]) -> Option<usize> {
    // Looks a word at a time, where the next does not.
    if !bytes.contains(&b'\n') {
        return None;
    }
    bytes.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    const NOW: Instant = Instant::from_millis(1_000_000);

    /// A server that is told when a command is answered, and what it was handed.
    #[derive(Default)]
    struct Bench {
        typed: Typed,
        line: Line,
        now: u64,
    }

    impl Bench {
        fn type_in(&mut self, bytes: &[u8]) {
            self.typed.take(bytes, Instant::from_millis(1_000_000 + self.now));
        }

        fn next(&mut self) -> Option<String> {
            match self.typed.next(&mut self.line, |line| line.sets(b"AT+MQTTPUBRAW")) {
                Next::Nothing => None,
                Next::Refused(count) => Some(std::format!("busy {count}")),
                Next::TooLong => Some("too long".to_string()),
                Next::Line => Some(String::from_utf8_lossy(self.line.text()).into_owned()),
            }
        }

        fn all(&mut self) -> Vec<String> {
            let mut all = Vec::new();
            while let Some(line) = self.next() {
                all.push(line);
                self.typed.finished(false);
            }
            all
        }

        fn data(&mut self, left: usize) -> (Data, Vec<u8>) {
            let mut to = [0; 64];
            let data = self.typed.data(&mut to, left, Instant::from_millis(1_000_000 + self.now));
            let count = if let Data::Bytes(count) = data { count } else { 0 };
            (data, to[..count].to_vec())
        }
    }

    #[test]
    fn lines_come_out_one_at_a_time_however_they_are_cut() {
        let typed = b"AT\r\n\r\n\nAT+GMR\nAT+MQTTPUB=0,\"t\",\"\x00\xff\",0,0\r\r\nAT+RST";
        for piece in 1..typed.len() {
            let mut bench = Bench::default();
            let mut all = Vec::new();
            for part in typed.chunks(piece) {
                bench.type_in(part);
                all.extend(bench.all());
            }
            assert_eq!(all, ["AT", "AT+GMR", "AT+MQTTPUB=0,\"t\",\"\0\u{fffd}\",0,0"], "{piece}");
            bench.type_in(b"\n");
            assert_eq!(bench.all(), ["AT+RST"]);
        }
    }

    #[test]
    fn a_line_waits_for_the_one_before() {
        let mut bench = Bench::default();
        bench.type_in(b"one\r\ntwo\r\nthr");
        assert_eq!(bench.next().as_deref(), Some("one"));
        assert_eq!(bench.next(), None);
        assert!(bench.typed.waits() && bench.typed.is_running());
        bench.type_in(b"ee\r\n");
        bench.typed.finished(false);
        assert_eq!(bench.all(), ["two", "three"]);
        assert!(!bench.typed.waits());
    }

    /// Each thing that may be before a line keeps it from running unkept.
    #[test]
    fn a_line_runs_unkept_where_nothing_is_before_it() {
        let befores: [fn(&mut Bench); 7] = [
            |bench| bench.type_in(b"A"),
            |bench| bench.type_in(b"AT\n"),
            |bench| {
                bench.type_in(b"A");
                assert_eq!(bench.next(), None);
            },
            |bench| assert!(bench.typed.run(Runs::Servers, NOW)),
            |bench| bench.typed.begin_data(NOW),
            |bench| bench.typed.finished(true),
            |bench| {
                bench.type_in(b"AT\n");
                assert_eq!(bench.next().as_deref(), Some("AT"));
                bench.type_in(&[b'x'; KEPT_BYTES + 1]);
                bench.typed.finished(false);
            },
        ];
        for before in befores {
            let mut bench = Bench::default();
            before(&mut bench);
            assert!(!bench.typed.is_idle() && !bench.typed.run(Runs::Kept, NOW));
        }
        for (runs, keeps, room) in
            [(Runs::Servers, false, usize::MAX), (Runs::Kept, true, usize::MAX), (Runs::KeptForData, true, KEPT_BYTES)]
        {
            let mut bench = Bench::default();
            assert!(bench.typed.is_idle() && bench.typed.run(runs, NOW));
            assert!(bench.typed.is_running());
            assert_eq!((bench.typed.runs_line(), bench.typed.room()), (keeps, room));
            bench.type_in(b"next\n");
            assert_eq!(bench.next(), None);
            bench.typed.finished(false);
            assert_eq!(bench.all(), ["next"]);
            assert!(bench.typed.is_idle());
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_line_by_line() {
        let mut bench = Bench::default();
        bench.type_in(b"run\n");
        assert_eq!(bench.next().as_deref(), Some("run"));
        let line = [&[b'a'; 299][..], b"\n"].concat();
        for _ in 0..5 {
            // In pieces, so that a line is dropped of which a part was kept.
            bench.type_in(&line[..200]);
            bench.type_in(&line[200..]);
        }
        bench.type_in(b"short\n");
        bench.typed.finished(false);
        assert_eq!(bench.all(), ["busy 2", "too long", "too long", "too long", "short"]);
    }

    #[test]
    fn a_refused_line_that_ends_behind_the_command_is_answered_too() {
        let mut bench = Bench::default();
        bench.type_in(b"run\n");
        assert_eq!(bench.next().as_deref(), Some("run"));
        bench.type_in(&[b'x'; 2 * KEPT_BYTES]);
        bench.typed.finished(false);
        assert_eq!(bench.next(), None);
        assert!(bench.typed.is_used_up());
        bench.type_in(b"xx\r\nAT\r\n");
        assert!(bench.typed.waits());
        assert_eq!(bench.all(), ["busy 1", "AT"]);
        assert_eq!(bench.next(), None);
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let mut bench = Bench::default();
        for _ in 0..10_000 {
            bench.type_in(&[b'x'; 512]);
            assert_eq!(bench.next(), None);
        }
        bench.type_in(b"\nAT\n");
        assert_eq!(bench.all(), ["too long", "AT"]);
        bench.type_in(b"run\n");
        assert!(bench.next().is_some());
        for _ in 0..10_000 {
            bench.type_in(&[b'x'; 512]);
        }
        bench.type_in(b"\nAT\n");
        bench.typed.finished(false);
        assert_eq!(bench.all(), ["busy 1", "AT"]);
    }

    #[test]
    fn data_is_exact_and_lines_follow_it() {
        let mut bench = Bench::default();
        bench.type_in(b"AT+MQTTPUBRAW=0,\"t\",5,0,0\r\nab\n");
        assert!(bench.next().is_some());
        assert_eq!(bench.typed.room(), KEPT_BYTES - 3, "what comes before the prompt is data");
        bench.typed.begin_data(NOW);
        bench.type_in(b"cdAT\r\nAT+G");
        let (data, bytes) = bench.data(5);
        assert_eq!((data, &bytes[..]), (Data::Bytes(5), &b"ab\ncd"[..]));
        bench.typed.end_data();
        assert_eq!(bench.next(), None, "its command still runs");
        bench.type_in(b"MR\r\n");
        bench.typed.finished(false);
        assert_eq!(bench.all(), ["AT", "AT+GMR"]);
    }

    #[test]
    fn data_that_finds_no_room_stays_with_the_device() {
        let mut bench = Bench::default();
        bench.type_in(b"AT+MQTTPUBRAW=0,\"t\",5000,0,0\r\n");
        assert!(bench.next().is_some());
        bench.typed.begin_data(NOW);
        let mut took = 0;
        for _ in 0..20 {
            let room = bench.typed.room().min(512);
            bench.type_in(&std::vec![b'd'; room]);
            took += room;
        }
        assert_eq!((took, bench.typed.room()), (KEPT_BYTES, 0));
        assert_eq!(bench.data(5000).1.len(), 64);
        assert_eq!(bench.typed.room(), 64);
    }

    /// Or the line that came with a message's last byte would wait for the host's next byte.
    #[test]
    fn the_device_is_not_waited_for_while_something_waits() {
        let mut bench = Bench::default();
        assert_eq!(bench.typed.ask(64, -1), Some((64, -1)));
        bench.type_in(b"AT+MQTTPUBRAW=0,\"t\",2,0,0\r\n");
        assert_eq!(bench.typed.ask(64, -1), Some((64, 5)));
        assert!(bench.next().is_some());
        assert_eq!(bench.typed.ask(64, -1), Some((64, -1)));
        bench.typed.begin_data(NOW);
        bench.type_in(b"abAT\r\n");
        assert_eq!(bench.data(2).0, Data::Bytes(2));
        for (milliseconds, asked) in [(-1, 5), (1000, 5), (5, 5), (4, 4), (0, 0)] {
            assert_eq!(bench.typed.ask(64, milliseconds), Some((64, asked)));
        }
        bench.type_in(&[b'x'; KEPT_BYTES - 10]);
        assert_eq!(bench.typed.ask(64, -1), Some((6, 5)));
        bench.type_in(b"xxxxxx");
        assert_eq!(bench.typed.ask(64, -1), None);
    }

    #[test]
    fn the_exit_code_stands_alone() {
        let phase = |first_after: u64| {
            let mut bench = Bench::default();
            bench.type_in(b"AT+MQTTPUBRAW=0,\"t\",100,0,0\r\n");
            bench.next().unwrap();
            bench.typed.begin_data(NOW);
            bench.now = first_after;
            bench
        };
        // Right after the prompt it is no less alone.
        let mut bench = phase(0);
        bench.type_in(b"+");
        assert_eq!(bench.data(100).0, Data::Wait(200));
        bench.now += 10;
        bench.type_in(b"++");
        assert_eq!(bench.data(100).0, Data::Wait(200));
        bench.now += 199;
        assert_eq!(bench.data(100).0, Data::Wait(1));
        bench.now += 1;
        assert_eq!(bench.data(100).0, Data::Exit);

        // Followed by more, it is data.
        let mut bench = phase(30);
        bench.type_in(b"+++");
        bench.now += 50;
        bench.type_in(b"x");
        assert_eq!(bench.data(100), (Data::Bytes(4), b"+++x".to_vec()));

        // So it is after other bytes, as the last bytes, and when it is not whole.
        let mut bench = phase(30);
        bench.type_in(b"ab");
        assert_eq!(bench.data(100).0, Data::Bytes(2));
        bench.now += 10;
        bench.type_in(b"+++");
        bench.now += 500;
        assert_eq!(bench.data(98), (Data::Bytes(3), b"+++".to_vec()));
        let mut bench = phase(30);
        bench.type_in(b"+++");
        assert_eq!(bench.data(3), (Data::Bytes(3), b"+++".to_vec()));
        let mut bench = phase(30);
        bench.type_in(b"++");
        bench.now += 200;
        assert_eq!(bench.data(100), (Data::Bytes(2), b"++".to_vec()));
    }

    #[test]
    fn a_silent_host_gets_the_port_back() {
        let mut bench = Bench::default();
        bench.type_in(b"AT+MQTTPUBRAW=0,\"t\",100,0,0\r\n");
        bench.next().unwrap();
        bench.typed.begin_data(NOW);
        assert_eq!(bench.data(100).0, Data::Wait(20_000));
        bench.now = 15_000;
        bench.type_in(b"a");
        assert_eq!(bench.data(100).0, Data::Bytes(1));
        bench.now = 34_999;
        assert_eq!(bench.data(99).0, Data::Wait(1));
        bench.now = 35_000;
        assert_eq!(bench.data(99).0, Data::Stalled);
        bench.typed.end_data();
        bench.typed.finished(false);
        bench.type_in(b"AT\n");
        assert_eq!(bench.all(), ["AT"]);
    }

    #[test]
    fn a_command_of_the_servers_takes_data_as_it_comes() {
        let mut bench = Bench::default();
        bench.type_in(b"AT+CIPSEND=0,6\r\n");
        assert_eq!(bench.next().as_deref(), Some("AT+CIPSEND=0,6"));
        bench.typed.finished(true);
        bench.type_in(b"a\nb\ncdAT\r\n");
        assert_eq!(bench.next(), None);
        let mut to = [0; 6];
        assert_eq!((bench.typed.for_server(&mut to), &to), (6, b"a\nb\ncd"));
        bench.typed.finished(false);
        assert_eq!(bench.typed.for_server(&mut to), 0);
        assert_eq!(bench.all(), ["AT"]);
    }
}
