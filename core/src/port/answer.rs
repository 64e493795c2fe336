//! What the server prints: its echo of a line, and where its answer to a command ends.

use super::line::Line;

/// More than the longest line that ends an answer.
const MOST: usize = 16;

/// More than the longest form of a line that the server is handed in the place of what was typed.
const FORM_BYTES: usize = 40;

/// What has become of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Open,
    /// It has ended.
    Ended,
    /// It has ended in a prompt for data.
    Prompted,
}

/// Watches what the server prints.
#[derive(Debug, Default)]
pub struct Answer {
    /// The beginning of the line that is being printed.
    line: [u8; MOST],
    /// Bytes of that line; those that found no room are counted too.
    length: usize,
    /// How many bytes of the echo have come, while one may come.
    echo: Option<usize>,
}

impl Answer {
    /// Nothing printed yet.
    pub const fn new() -> Self {
        Self { line: [0; MOST], length: 0, echo: None }
    }

    /// The server is handed another form of a line than was typed: its echo shows what was typed.
    pub const fn expect_echo(&mut self) {
        self.echo = Some(0);
    }

    /// The command runs: no echo comes any more.
    pub const fn expect_no_echo(&mut self) {
        self.echo = None;
    }

    /// Whether the next call of [`Answer::print`] wants the line that was typed.
    pub const fn awaits_echo(&self) -> bool {
        self.echo.is_some()
    }

    /// The server prints `bytes`: `print` gets what goes to the host. `line` is what was typed, where an echo may come.
    pub fn print(&mut self, bytes: &[u8], line: Option<&Line>, print: &mut dyn FnMut(&[u8])) -> Progress {
        let bytes = match self.echo.zip(line) {
            Some((done, line)) => self.echoed(done, bytes, line, print),
            None => bytes,
        };
        if !bytes.is_empty() {
            print(bytes);
        }
        self.watch(bytes)
    }

    /// Takes the echo from the front of `bytes`, of which `done` bytes have come: what is after it.
    fn echoed<'a>(&mut self, done: usize, bytes: &'a [u8], line: &Line, print: &mut dyn FnMut(&[u8])) -> &'a [u8] {
        let mut form = [0; FORM_BYTES];
        let length = line.hand(0, &mut form);
        let form = form.get(..length).unwrap_or_default();
        let rest = form.get(done..).unwrap_or_default();
        let same = rest.iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
        if same == rest.len() {
            self.echo = None;
            print(line.text());
            print(b"\r\n");
            return bytes.get(same..).unwrap_or_default();
        }
        if same == bytes.len() {
            self.echo = Some(done.saturating_add(same));
            return &[];
        }
        self.echo = None;
        let held = form.get(..done).unwrap_or_default();
        if !held.is_empty() {
            print(held);
        }
        bytes
    }

    /// What `bytes`, which go to the host as they are, do to the answer.
    #[inline(always)]
    pub fn watch(&mut self, bytes: &[u8]) -> Progress {
        // The commonest pieces, which would come to the same below.
        let ends = self.length == 0 && matches!(bytes, b"\r\nOK\r\n" | b"\r\nERROR\r\n");
        if ends { Progress::Ended } else { self.watch_lines(bytes) }
    }

    #[inline(never)]
    fn watch_lines(&mut self, bytes: &[u8]) -> Progress {
        let mut ended = false;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            ended |= self.line_ends(rest.get(..end).unwrap_or_default());
            rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
        }
        self.append(without_cr(rest));
        match (ended, self.length, self.line.first()) {
            (_, 1, Some(b'>')) => {
                self.length = 0;
                Progress::Prompted
            }
            (true, ..) => Progress::Ended,
            (false, ..) => Progress::Open,
        }
    }

    /// A line ends whose last piece is `piece`: whether it ends the answer.
    fn line_ends(&mut self, piece: &[u8]) -> bool {
        let piece = without_cr(piece);
        if self.length == 0 {
            return ends_answer(piece);
        }
        self.append(piece);
        let length = core::mem::take(&mut self.length);
        self.line.get(..length).is_some_and(ends_answer)
    }

    fn append(&mut self, piece: &[u8]) {
        for (place, byte) in self.line.iter_mut().skip(self.length).zip(piece) {
            *place = *byte;
        }
        self.length = self.length.saturating_add(piece.len());
    }
}

/// Whether `line`, without its end, is one that ends an answer. No two of them are of the same length.
fn ends_answer(line: &[u8]) -> bool {
    let end: &[u8] = match line.len() {
        2 => b"OK",
        4 => b"FAIL",
        5 => b"ERROR",
        7 => b"SEND OK",
        8 => b"busy ...",
        9 => b"SEND FAIL",
        13 => b"CMD PARSE ERR",
        14 => b"CMD FORMAT ERR",
        _ => return false,
    };
    line == end
}

/// `piece` without CR at its ends.
const fn without_cr(mut piece: &[u8]) -> &[u8] {
    while let [b'\r', rest @ ..] | [rest @ .., b'\r'] = piece {
        piece = rest;
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;
    use Progress::*;
    use std::vec::Vec;

    fn typed(text: &[u8]) -> Line {
        let mut line = Line::new();
        line.push(text);
        line.complete();
        line
    }

    /// What the host sees of `printed`, sent in pieces, and what was said of the answer after each.
    fn run(answer: &mut Answer, line: &Line, printed: &[u8], piece: usize) -> (Vec<u8>, Vec<Progress>) {
        let mut seen = Vec::new();
        let said = printed
            .chunks(piece)
            .map(|part| answer.print(part, Some(line), &mut |bytes| seen.extend_from_slice(bytes)));
        let said = said.collect();
        (seen, said)
    }

    #[test]
    fn ends_of_answers() {
        let line = typed(b"AT");
        for (printed, progress) in [
            (&b"\r\nOK\r\n"[..], Ended),
            (b"+CWJAP:\"a\"\r\n\r\nOK\r\n", Ended),
            (b"\r\nERROR\r\n", Ended),
            (b"\r\nCMD FORMAT ERR\r\n", Ended),
            (b"busy ...\r\n", Ended),
            (b"OKAY\r\n", Open),
            (b"+X:OK\r\n", Open),
            (b"\r\nOK", Open),
            (b"\r\nOK\r\n>", Prompted),
            (b"a very long line that ends in OK\r\n", Open),
            (b"a>", Open),
        ] {
            for piece in 1..=printed.len() {
                let (seen, said) = run(&mut Answer::new(), &line, printed, piece);
                assert_eq!(seen, printed);
                assert_eq!(said.last(), Some(&progress), "{printed:?} by {piece}");
                assert!(progress == Prompted || said.contains(&Ended) == (progress == Ended));
            }
        }
    }

    #[test]
    fn an_echo_shows_what_was_typed() {
        let text = br#"AT+MQTTPUB=0,"t","{"a":1}",0,0"#;
        let line = typed(text);
        let handed = b"AT+MQTTPUB=0\r\n\r\nOK\r\n";
        for piece in 1..=handed.len() {
            let mut answer = Answer::new();
            answer.expect_echo();
            let (seen, _) = run(&mut answer, &line, handed, piece);
            assert_eq!(seen, [&text[..], b"\r\n\r\nOK\r\n"].concat(), "{piece}");
            assert!(!answer.awaits_echo());
        }
    }

    #[test]
    fn without_an_echo_nothing_is_held_back() {
        let line = typed(br#"AT+MQTTPUB=0,"t","x",0,0"#);
        for printed in [&b"\r\nOK\r\n"[..], b"AT+MQTTX\r\n", b"A"] {
            for piece in 1..=printed.len() {
                let mut answer = Answer::new();
                answer.expect_echo();
                let (mut seen, _) = run(&mut answer, &line, printed, piece);
                seen.extend(run(&mut answer, &line, b"\n", 1).0);
                assert_eq!(seen, [printed, b"\n"].concat());
            }
        }
    }
}
