//! The serial port as lines, data phases and incoming messages.

use super::event::{Event, Lane, Tone, Way, visible};
use super::secrets;

/// What is kept of a printed line.
const LINE_BYTES: usize = 1024;
/// What is shown of data.
const SHOWN_BYTES: usize = 64;
const MESSAGE: &[u8] = b"+MQTTSUBRECV:";

/// What happens on the port.
#[derive(Debug, Clone, Copy)]
pub enum Serial<'a> {
    /// A command line without its end.
    Line(&'a [u8]),
    /// One that is answered with "busy ...".
    LineDropped(&'a [u8]),
    /// Data comes in a data phase.
    DataComes,
    /// So much of it was taken.
    DataTaken(&'a [u8]),
    /// The phase is over.
    DataEnd,
    /// What the board sends.
    Printed(&'a [u8]),
}

/// A data phase that goes on.
#[derive(Debug, Default)]
struct Data {
    began: u64,
    bytes: usize,
    first: Vec<u8>,
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
    last_line: Vec<u8>,
    data_open: bool,
    data: Option<Data>,
    line: Vec<u8>,
    line_began: u64,
    message: Option<Message>,
}

impl Port {
    /// Takes what happens; `found` gets whole lines, data phases and messages.
    pub fn take(&mut self, at: u64, what: Serial<'_>, found: &mut dyn FnMut(Event)) {
        match what {
            Serial::Line(line) => {
                self.end_data(found);
                let (shown, open) = secrets::command(line);
                (self.data_open, self.last_line) = (open, line.to_vec());
                found(Event::new(at, Lane::Serial, Way::In, Tone::Plain, shown));
            }
            Serial::LineDropped(line) => {
                let shown = secrets::command(line).0;
                found(Event::new(at, Lane::Serial, Way::In, Tone::Bad, shown).fact("Dropped", "the board was busy"));
            }
            Serial::DataComes => {
                self.data.get_or_insert_with(|| Data { began: at, ..Data::default() });
            }
            Serial::DataTaken(bytes) => self.take_data(at, bytes),
            Serial::DataEnd => self.end_data(found),
            Serial::Printed(bytes) => self.take_printed(at, bytes, found),
        }
    }

    fn take_data(&mut self, at: u64, bytes: &[u8]) {
        let data = self.data.get_or_insert_with(|| Data { began: at, ..Data::default() });
        data.bytes = data.bytes.saturating_add(bytes.len());
        if self.data_open {
            let room = SHOWN_BYTES.saturating_add(1).saturating_sub(data.first.len());
            data.first.extend(bytes.iter().take(room));
        }
    }

    /// Tells of the data phase, if there was one.
    pub fn end_data(&mut self, found: &mut dyn FnMut(Event)) {
        if let Some(data) = self.data.take() {
            let label = format!("data, {} bytes", data.bytes);
            let event = Event::new(data.began, Lane::Serial, Way::In, Tone::Plain, label);
            let begins = if self.data_open { visible(&data.first, SHOWN_BYTES) } else { "not shown".to_owned() };
            found(event.fact("Begins", begins));
        }
    }

    fn take_printed(&mut self, at: u64, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        if !self.last_line.is_empty() && bytes.strip_suffix(b"\r\n") == Some(&self.last_line) {
            // The server's echo.
            self.last_line.clear();
            return;
        }
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
            self.end_line(found);
        }
    }

    fn take_character(&mut self, at: u64, byte: u8, found: &mut dyn FnMut(Event)) {
        if byte == b'\n' {
            self.end_line(found);
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

    fn end_line(&mut self, found: &mut dyn FnMut(Event)) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if !line.is_empty() {
            let tone = match line {
                b"OK" | b"+MQTTPUB:OK" => Tone::Good,
                b"ERROR" | b"+MQTTPUB:FAIL" | b"CMD FORMAT ERR" | b"CMD PARSE ERR" | b"busy ..." => Tone::Bad,
                _ if line.starts_with(b"ERR CODE:") || line.starts_with(b"+MQTTINCOMPLETE:") => Tone::Bad,
                _ if line.starts_with(b"+MQTTCONNECTED:") => Tone::Good,
                _ if line.starts_with(b"+MQTTDISCONNECTED:") => Tone::Notable,
                _ => Tone::Plain,
            };
            found(Event::new(self.line_began, Lane::Serial, Way::Out, tone, secrets::printed(line)));
        }
        self.line.clear();
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

    fn labels(happenings: &[Serial<'_>]) -> Vec<String> {
        let mut port = Port::default();
        let mut found = Vec::new();
        for (at, what) in (0..).zip(happenings) {
            port.take(at, *what, &mut |event| found.push(event));
        }
        found.sort_by_key(|event| event.at);
        found.into_iter().map(|event| event.label).collect()
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
            Serial::Line(b"AT+MQTTLONGPASSWORD=0,8"),
            Serial::Printed(b"\r\nOK\r\n\r\n>"),
            Serial::DataComes,
            Serial::DataTaken(b"secr"),
            Serial::DataComes,
            Serial::Printed(b"\r\n\r\nOK\r\n"),
            Serial::DataTaken(b"et12"),
            Serial::DataEnd,
        ]);
        assert_eq!(shown, ["AT+MQTTLONGPASSWORD=0,8", "OK", ">", "data, 8 bytes", "OK"]);
    }

    #[test]
    fn an_echo_is_not_shown_again() {
        let line = b"AT+MQTTPASSWORD=0,\"secret\"";
        let echo = [&line[..], b"\r\n"].concat();
        assert_eq!(labels(&[Serial::Line(line), Serial::Printed(&echo), Serial::Printed(b"\r\nOK\r\n")]).len(), 2);
    }
}
