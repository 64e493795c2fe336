//! The serial port as lines, data phases and incoming messages.

use std::collections::VecDeque;

use super::event::{Event, Lane, Tone, Way, visible};
use super::secrets;

/// What is kept of a printed line.
const LINE_BYTES: usize = 1024;
/// What is shown of data.
const SHOWN_BYTES: usize = 64;
const MESSAGE: &[u8] = b"+MQTTSUBRECV:";

/// Lines whose answers are awaited; a board that answers none of them is not followed further.
const MOST_UNANSWERED: usize = 64;
/// What ends the answer to a line.
const FINALS: [&[u8]; 5] = [b"OK", b"ERROR", b"CMD FORMAT ERR", b"CMD PARSE ERR", b"busy ..."];
/// What ends a publication behind its data.
const PUBLISHED: [&[u8]; 2] = [b"+MQTTPUB:OK", b"+MQTTPUB:FAIL"];

/// What happens on the port.
#[derive(Debug, Clone, Copy)]
pub enum Serial<'a> {
    /// What the host sends, as the board takes it.
    Received(&'a [u8]),
    /// What the board sends.
    Printed(&'a [u8]),
}

/// A line whose answer is awaited.
#[derive(Debug)]
struct Asked {
    /// As it was typed; empty for a second answer.
    line: Vec<u8>,
    at: u64,
}

/// A data phase that goes on.
#[derive(Debug)]
struct Data {
    /// How many bytes its line has announced.
    length: usize,
    /// Whether they may be shown.
    open: bool,
    /// When the first came.
    began: Option<u64>,
    bytes: usize,
    first: Vec<u8>,
}

impl Data {
    const fn new(announced: secrets::Announced) -> Self {
        Self { length: announced.length, open: announced.open, began: None, bytes: 0, first: Vec::new() }
    }

    fn is_whole(&self) -> bool {
        self.bytes == self.length
    }

    /// Takes what belongs to it off the front.
    fn take<'a>(&mut self, at: u64, bytes: &'a [u8]) -> &'a [u8] {
        let (mine, rest) = bytes.split_at_checked(self.length.saturating_sub(self.bytes)).unwrap_or((bytes, &[]));
        self.began.get_or_insert(at);
        self.bytes = self.bytes.saturating_add(mine.len());
        if self.open {
            let room = SHOWN_BYTES.saturating_add(1).saturating_sub(self.first.len());
            self.first.extend(mine.iter().take(room));
        }
        rest
    }

    fn event(self) -> Option<Event> {
        let of = if self.is_whole() { String::new() } else { format!(" of {}", self.length) };
        let label = format!("data, {}{of} bytes", self.bytes);
        let begins = if self.open { visible(&self.first, SHOWN_BYTES) } else { "not shown".to_owned() };
        Some(Event::new(self.began?, Lane::Serial, Way::In, Tone::Plain, label).fact("Begins", begins))
    }
}

/// The data of an incoming message, while it is printed.
#[derive(Debug)]
struct Message {
    label: String,
    length: usize,
    left: usize,
    first: Vec<u8>,
    began: u64,
}

/// Both directions of the port.
#[derive(Debug, Default)]
pub struct Port {
    /// The line that is being typed.
    typed: Vec<u8>,
    /// Lines whose answers have not ended.
    unanswered: VecDeque<Asked>,
    /// When the line came that was answered last: what ends its data phase answers it again.
    answered_at: Option<u64>,
    /// The last line has announced data: what comes behind it waits in `early` for the prompt or a refusal.
    announced: Option<secrets::Announced>,
    early: Vec<u8>,
    data: Option<Data>,
    line: Vec<u8>,
    line_began: u64,
    message: Option<Message>,
}

impl Port {
    /// Takes what happens; `found` gets whole lines, data phases and messages.
    pub fn take(&mut self, at: u64, what: Serial<'_>, found: &mut dyn FnMut(Event)) {
        match what {
            Serial::Received(bytes) => self.take_received(at, bytes, found),
            Serial::Printed(bytes) => self.take_printed(at, bytes, found),
        }
    }

    fn take_received(&mut self, at: u64, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if let Some(data) = self.data.as_mut() {
                rest = data.take(at, rest);
                if data.is_whole() {
                    self.end_data(found);
                }
            } else if self.announced.is_some() {
                return self.early.extend(rest);
            } else {
                rest = behind;
                self.take_typed(at, *first, found);
            }
        }
    }

    fn take_typed(&mut self, at: u64, byte: u8, found: &mut dyn FnMut(Event)) {
        if byte != b'\n' {
            if self.typed.len() < LINE_BYTES {
                self.typed.push(byte);
            }
            return;
        }
        let mut line = std::mem::take(&mut self.typed);
        line.pop_if(|byte| *byte == b'\r');
        if line.is_empty() {
            return;
        }
        let (shown, announced) = secrets::command(&line);
        self.announced = announced;
        self.unanswered.push_back(Asked { line, at });
        self.unanswered.truncate(MOST_UNANSWERED);
        found(Event::new(at, Lane::Serial, Way::In, Tone::Plain, shown));
    }

    /// The board asks for the data that the last line has announced.
    fn prompted(&mut self, at: u64, found: &mut dyn FnMut(Event)) {
        let Some(announced) = self.announced.take() else { return };
        if announced.answers_twice {
            self.unanswered.push_front(Asked { line: Vec::new(), at: self.answered_at.unwrap_or(at) });
        }
        self.data = Some(Data::new(announced));
        self.take_early(at, found);
    }

    fn take_early(&mut self, at: u64, found: &mut dyn FnMut(Event)) {
        let early = std::mem::take(&mut self.early);
        self.take_received(at, &early, found);
    }

    /// The board prints a whole line: it asks for no more data, and an answer may have ended.
    fn answered(&mut self, at: u64, line: &[u8], found: &mut dyn FnMut(Event)) {
        self.end_data(found);
        if !FINALS.contains(&line) {
            return;
        }
        self.answered_at = self.unanswered.pop_front().map(|asked| asked.at);
        if line != b"OK" && self.unanswered.is_empty() && self.announced.take().is_some() {
            self.take_early(at, found);
        }
    }

    /// Tells of the data phase, if there was one.
    pub fn end_data(&mut self, found: &mut dyn FnMut(Event)) {
        if let Some(event) = self.data.take().and_then(Data::event) {
            found(event);
        }
    }

    fn take_printed(&mut self, at: u64, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if self.message.is_some() {
                rest = self.take_message(rest, found);
                continue;
            }
            rest = behind;
            self.take_character(at, *first, found);
        }
        if self.line == b">" {
            self.end_line(at, found);
            self.prompted(at, found);
        }
    }

    fn take_character(&mut self, at: u64, byte: u8, found: &mut dyn FnMut(Event)) {
        if byte == b'\n' {
            self.end_line(at, found);
            return;
        }
        if self.line.is_empty() {
            self.line_began = at;
        }
        if self.line.len() < LINE_BYTES {
            self.line.push(byte);
        }
        if byte == b','
            && let Some(length) = message_length(&self.line)
        {
            let label = visible(&self.line, LINE_BYTES);
            self.line.clear();
            self.message = Some(Message { label, length, left: length, first: Vec::new(), began: self.line_began });
            if length == 0 {
                self.take_message(&[], found);
            }
        }
    }

    fn end_line(&mut self, at: u64, found: &mut dyn FnMut(Event)) {
        let mut line = std::mem::take(&mut self.line);
        line.pop_if(|byte| *byte == b'\r');
        // An echo is no second line.
        if line.is_empty() || self.unanswered.front().is_some_and(|asked| asked.line == line) {
            return;
        }
        let asked = match &*line {
            end if FINALS.contains(&end) => self.unanswered.front().map(|asked| asked.at),
            end if PUBLISHED.contains(&end) => self.answered_at,
            _ => None,
        };
        let event = Event::new(self.line_began, Lane::Serial, Way::Out, tone(&line), secrets::printed(&line));
        found(event.answers(asked));
        self.answered(at, &line, found);
    }

    fn take_message<'a>(&mut self, bytes: &'a [u8], found: &mut dyn FnMut(Event)) -> &'a [u8] {
        let Some(message) = self.message.as_mut() else { return bytes };
        let (mine, rest) = bytes.split_at_checked(message.left).unwrap_or((bytes, &[]));
        message.left = message.left.saturating_sub(mine.len());
        let room = SHOWN_BYTES.saturating_add(1).saturating_sub(message.first.len());
        message.first.extend(mine.iter().take(room));
        if message.left == 0 {
            let label = format!("{}{}", message.label, visible(&message.first, 16));
            let event = Event::new(message.began, Lane::Serial, Way::Out, Tone::Plain, label)
                .fact("Payload", format!("{} bytes", message.length))
                .fact("Begins", visible(&message.first, SHOWN_BYTES));
            found(event);
            self.message = None;
        }
        rest
    }
}

/// What a reader should think of a line that the board prints.
fn tone(line: &[u8]) -> Tone {
    match line {
        b"OK" | b"+MQTTPUB:OK" => Tone::Good,
        b"ERROR" | b"+MQTTPUB:FAIL" | b"CMD FORMAT ERR" | b"CMD PARSE ERR" | b"busy ..." => Tone::Bad,
        _ if line.starts_with(b"ERR CODE:") || line.starts_with(b"+MQTTINCOMPLETE:") => Tone::Bad,
        _ if line.starts_with(b"+MQTTCONNECTED:") => Tone::Good,
        _ if line.starts_with(b"+MQTTDISCONNECTED:") => Tone::Notable,
        _ => Tone::Plain,
    }
}

/// How much data follows `line`, where it is the complete beginning of an incoming message's.
fn message_length(line: &[u8]) -> Option<usize> {
    let parameters = line.strip_prefix(MESSAGE)?.strip_suffix(b",")?;
    let quote = parameters.iter().position(|byte| *byte == b'"')?;
    let topic = parameters.get(quote.saturating_add(1)..)?;
    let mut escaped = false;
    let end = topic.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })?;
    let digits = topic.get(end..)?.strip_prefix(b"\",")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(happenings: &[Serial<'_>]) -> Vec<Event> {
        let mut port = Port::default();
        let mut found = Vec::new();
        for (at, what) in (0..).zip(happenings) {
            port.take(at, *what, &mut |event| found.push(event));
        }
        found.sort_by_key(|event| event.at);
        found
    }

    fn labels(happenings: &[Serial<'_>]) -> Vec<String> {
        events(happenings).into_iter().map(|event| event.label).collect()
    }

    #[test]
    fn a_message_is_read_by_its_length() {
        let printed = b"\r\n+MQTTSUBRECV:0,\"a\\\",9,\",12,line\r\nOK\r\n>>\r\n+MQTTSUBRECV:0,\"t\",0,\r\n\r\nOK\r\n";
        let expected = ["+MQTTSUBRECV:0,\"a\\\",9,\",12,line\\r\\nOK\\r\\n>>", "+MQTTSUBRECV:0,\"t\",0,", "OK"];
        assert_eq!(labels(&[Serial::Printed(printed)]), expected);
        let pieces: Vec<Serial<'_>> = printed.chunks(1).map(Serial::Printed).collect();
        assert_eq!(labels(&pieces), expected);
    }

    #[test]
    fn a_data_phase_is_one_event_at_its_beginning() {
        let shown = labels(&[
            Serial::Received(b"AT+MQTTLONGPASSWORD=0,8\r"),
            Serial::Received(b"\n"),
            Serial::Printed(b"\r\nOK\r\n\r\n>"),
            Serial::Received(b"secr"),
            Serial::Received(b"et\n2AT+MQTTPUB=0,\"t\",\"m\",0,0\r\n"),
            Serial::Printed(b"\r\nOK\r\n"),
            Serial::Printed(b"\r\nERROR\r\n"),
        ]);
        let line = r#"AT+MQTTPUB=0,"t","m",0,0"#;
        assert_eq!(shown, ["AT+MQTTLONGPASSWORD=0,8", "OK", ">", "data, 8 bytes", line, "OK", "ERROR"]);
    }

    #[test]
    fn data_before_the_prompt_waits_for_it() {
        let typed = b"AT+X\r\nAT+MQTTLONGPASSWORD=0,10\r\nAT+MQTTSUB\r\nAT\r\n";
        let all = labels(&[
            Serial::Received(typed),
            Serial::Printed(b"\r\nCMD FORMAT ERR\r\n"),
            Serial::Printed(b"\r\nOK\r\n"),
            Serial::Printed(b"\r\n>"),
        ]);
        let lines = ["AT+X", "AT+MQTTLONGPASSWORD=0,10"];
        assert_eq!(all, [&lines[..], &["CMD FORMAT ERR", "OK", ">", "data, 10 bytes", "AT"]].concat());
    }

    #[test]
    fn behind_a_refusal_it_is_lines() {
        let shown = labels(&[
            Serial::Received(b"AT+MQTTPUBRAW=9,\"t\",5,0,0\r\nAT\r\n"),
            Serial::Printed(b"\r\nERR CODE:0x00006003\r\n\r\nERROR\r\n"),
        ]);
        assert_eq!(shown, ["AT+MQTTPUBRAW=9,\"t\",5,0,0", "ERR CODE:0x00006003", "ERROR", "AT"]);
    }

    #[test]
    fn a_data_phase_may_end_early() {
        let shown = labels(&[
            Serial::Received(b"AT+MQTTPUBRAW=0,\"t\",500,0,0\r\n"),
            Serial::Printed(b"\r\nOK\r\n\r\n>"),
            Serial::Received(b"+++"),
            Serial::Printed(b"\r\n+MQTTPUB:FAIL\r\n"),
            Serial::Received(b"AT\r\n"),
        ]);
        let line = "AT+MQTTPUBRAW=0,\"t\",500,0,0";
        assert_eq!(shown, [line, "OK", ">", "data, 3 of 500 bytes", "+MQTTPUB:FAIL", "AT"]);
    }

    #[test]
    fn an_answer_knows_its_command() {
        let all = events(&[
            Serial::Received(b"AT\r\nAT+MQTTPUBRAW=0,\"t\",2,0,0\r\n"),
            Serial::Printed(b"\r\nOK\r\n"),
            Serial::Printed(b"\r\nOK\r\n\r\n>"),
            Serial::Received(b"ab"),
            Serial::Printed(b"\r\n+MQTTPUB:OK\r\n"),
            Serial::Received(b"AT\r\n"),
            Serial::Printed(b"+MQTTDISCONNECTED:0\r\n\r\nERROR\r\n"),
        ]);
        let answers: Vec<_> = all.into_iter().filter_map(|event| Some((event.asked?, event.label))).collect();
        let expected = [(0, "OK"), (0, "OK"), (0, "+MQTTPUB:OK"), (5, "ERROR")];
        assert_eq!(answers, expected.map(|(at, label)| (at, label.to_owned())));
    }

    #[test]
    fn an_echo_is_not_shown_again() {
        let line = b"AT+MQTTPASSWORD=0,\"secret\"\r\n";
        let shown = labels(&[Serial::Received(line), Serial::Printed(line), Serial::Printed(b"\r\nOK\r\n")]);
        assert_eq!(shown, ["AT+MQTTPASSWORD=0,\"•••\"", "OK"]);
        assert_eq!(labels(&[Serial::Printed(line)]), ["AT+MQTTPASSWORD=0,\"•••\""]);
    }
}
