//! The port: what the host types comes out line by line, once and in order, whatever happens between.

use w800_mqtt_core::at::command::LINE_MAX;
use w800_mqtt_core::port::line::Line;
use w800_mqtt_core::port::typed::{Data, Next, Typed};
use w800_mqtt_core::time::Instant;

/// Pieces of inputs; a byte of at least 0xf0 is something that happens.
pub const WORDS: &[&[u8]] =
    &[b"AT\r\n", b"AT+MQTTPUBRAW=0,\"t\",9,0,0\r\n", b"+++", b"\n", b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4"];

/// The command that runs is answered.
const ANSWERED: u8 = 0xf0;
/// It begins a data phase of nine bytes, and takes what is there.
const DATA: u8 = 0xf1;
/// 50 ms and 500 ms pass.
const SHORT_TIME: u8 = 0xf2;
const LONG_TIME: u8 = 0xf3;
/// The command that runs is the server's own, and takes what is there as its data.
const SERVERS: u8 = 0xf4;
const DATA_BYTES: usize = 9;

/// What came out, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Out {
    Line(Vec<u8>),
    TooLong,
}

struct Bench {
    typed: Typed,
    line: Line,
    now: u64,
    out: Vec<Out>,
    refused: usize,
    /// A data phase has taken something: what was data is in no line, and may have cut one.
    had_data: bool,
}

impl Bench {
    fn now(&self) -> Instant {
        Instant::from_millis(1_000_000 + self.now)
    }

    /// A device gives no more than there is room for; what it keeps comes later.
    fn type_in(&mut self, waiting: &mut Vec<u8>, byte: u8) {
        waiting.push(byte);
        let count = self.typed.room().min(waiting.len());
        let bytes: Vec<u8> = waiting.drain(..count).collect();
        self.typed.take(&bytes, self.now());
    }

    fn look(&mut self) {
        loop {
            match self.typed.next(&mut self.line, |line| line.sets(b"AT+MQTTPUBRAW")) {
                Next::Nothing => return,
                Next::Line => self.out.push(Out::Line(self.line.text().to_vec())),
                Next::TooLong => self.out.push(Out::TooLong),
                Next::Refused(count) => self.refused += count as usize,
            }
        }
    }

    fn take_data(&mut self) {
        if !self.typed.runs_line() || self.typed.takes_data() || !self.line.sets(b"AT+MQTTPUBRAW") {
            return;
        }
        self.typed.begin_data(self.now());
        self.had_data = true;
        let mut left = DATA_BYTES;
        while left > 0 {
            let mut to = [0; 4];
            match self.typed.data(&mut to, left, self.now()) {
                Data::Bytes(count) => {
                    assert!((1..=left.min(to.len())).contains(&count));
                    left -= count;
                }
                Data::Wait(milliseconds) => {
                    assert!(milliseconds > 0);
                    self.now += milliseconds;
                }
                Data::Exit | Data::Stalled => break,
            }
        }
        self.typed.end_data();
    }

    fn give_to_server(&mut self) {
        if !self.typed.runs_line() || self.typed.takes_data() {
            return;
        }
        self.typed.finished(true);
        self.had_data = true;
        let mut to = [0; 16];
        while self.typed.for_server(&mut to) > 0 {}
        self.typed.finished(false);
        self.look();
    }

    /// Nobody is asked for more than there is room for, and no longer than who asks would wait.
    fn check_asking(&self) {
        for milliseconds in [-1, 0, 3, 1_000] {
            if let Some((most, wait)) = self.typed.ask(128, milliseconds) {
                assert!((1..=128).contains(&most) && most <= self.typed.room());
                assert!(milliseconds < 0 || wait <= milliseconds);
            }
        }
    }

    fn answer(&mut self) {
        if self.typed.runs_line() {
            self.typed.finished(false);
        }
        self.look();
    }
}

/// The lines of a text as the port should give them, with those that are empty as `None`.
fn lines(text: &[u8]) -> Vec<Option<Out>> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.pop();
    lines
        .into_iter()
        .map(|line| {
            let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
            match (line.len() >= LINE_MAX, end) {
                (true, _) => Some(Out::TooLong),
                (false, 0) => None,
                (false, end) => Some(Out::Line(line[..end].to_vec())),
            }
        })
        .collect()
}

/// Whether `some` are among `all`, in their order.
fn are_among(some: &[Out], all: &[Option<Out>]) -> bool {
    let mut rest = all.iter().flatten();
    some.iter().all(|one| rest.any(|other| other == one))
}

/// Types the input, in which some bytes are events.
///
/// # Panics
/// A line was lost, doubled or changed.
pub fn run(input: &[u8]) {
    let mut bench =
        Bench { typed: Typed::new(), line: Line::new(), now: 0, out: Vec::new(), refused: 0, had_data: false };
    let (mut text, mut waiting) = (Vec::new(), Vec::new());
    for byte in input {
        match *byte {
            ANSWERED => bench.answer(),
            DATA => bench.take_data(),
            SERVERS => bench.give_to_server(),
            SHORT_TIME => bench.now += 50,
            LONG_TIME => bench.now += 500,
            byte => {
                text.push(byte);
                bench.type_in(&mut waiting, byte);
                bench.look();
            }
        }
        bench.check_asking();
    }
    while bench.typed.is_running() || bench.typed.waits() || !waiting.is_empty() {
        let before = (bench.out.len(), waiting.len(), bench.refused);
        let count = bench.typed.room().min(waiting.len());
        let bytes: Vec<u8> = waiting.drain(..count).collect();
        bench.typed.take(&bytes, bench.now());
        bench.answer();
        if before == (bench.out.len(), waiting.len(), bench.refused) && !bench.typed.is_running() {
            break;
        }
    }
    check(&bench, &text);
    bench.typed.end();
}

fn check(bench: &Bench, text: &[u8]) {
    if bench.had_data {
        return;
    }
    let all = lines(text);
    assert!(are_among(&bench.out, &all), "{:?} out of {all:?}", bench.out);
    let answered = bench.out.len() + bench.refused;
    let wanted = all.iter().flatten().count();
    assert!((wanted..=all.len()).contains(&answered), "{answered} of {wanted} to {} lines", all.len());
    if bench.refused == 0 {
        assert_eq!(bench.out.len(), wanted);
    }
}
