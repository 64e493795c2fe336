//! The serial line between the host and the chip, and what the host makes of the bytes that it gets: whole lines in an
//! order that the contract allows, or the end of the run.

use std::collections::VecDeque;

/// The line's two directions.
#[derive(Clone, Debug, Default)]
pub struct Uart {
    /// On their way to the chip.
    typed: VecDeque<(u64, Vec<u8>)>,
    /// Arrived there.
    pub arrived: VecDeque<u8>,
    /// Printed, and not seen by the host yet.
    pub printed: Vec<u8>,
    /// Instructions that the line takes for a byte.
    pub pace: u64,
}

impl Uart {
    /// A quiet one that takes so many instructions for a byte.
    pub fn new(pace: u64) -> Self {
        Self { pace, ..Self::default() }
    }

    /// The host types something that arrives whole at a time.
    pub fn type_at(&mut self, at: u64, bytes: &[u8]) {
        let at = at.max(self.typed.back().map_or(0, |(last, _)| *last));
        self.typed.push_back((at, bytes.to_vec()));
    }

    /// When something arrives next.
    pub fn next_event(&self) -> Option<u64> {
        self.typed.front().map(|(at, _)| *at)
    }

    /// Brings what is due.
    pub fn deliver(&mut self, now: u64) {
        while let Some((_, bytes)) = self.typed.pop_front_if(|(at, _)| *at <= now) {
            self.arrived.extend(bytes);
        }
    }
}

/// What the host reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A command's answer is over: whether it was `OK`.
    End(bool),
    /// `>`: data may come.
    Prompt,
    /// The end of a data phase's answer.
    Published(bool),
    /// An error's line.
    Code(String),
    /// A message of a link's.
    Message {
        /// The link.
        link: u8,
        /// What it says.
        payload: Vec<u8>,
    },
    /// Anything else that comes by itself.
    Event(String),
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    Any,
    /// Behind an error's line: the empty line.
    Empty,
    /// Behind an empty line: the end of the answer.
    End,
    /// Behind the OK of a command that takes data: the empty line before the prompt.
    MaybePrompt,
}

/// Reads the host's side of the line.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    expected: Expected,
    /// Whether an OK may be followed by a prompt.
    pub takes_data: bool,
    /// Behind a prompt: the next empty line is that behind the data.
    in_data: bool,
}

const EVENTS: [&str; 3] = ["+MQTTCONNECTED:", "+MQTTDISCONNECTED:", "+MQTTINCOMPLETE:"];
const MESSAGE: &[u8] = b"+MQTTSUBRECV:";

impl Reader {
    /// More bytes have come.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Whether nothing is begun.
    pub fn is_at_an_end(&self) -> bool {
        self.bytes.is_empty() && self.expected == Expected::Any
    }

    /// The next thing that was said, if it is whole.
    pub fn take(&mut self) -> Result<Option<Said>, String> {
        loop {
            if self.expected == Expected::End && self.takes_data && self.bytes.first() == Some(&b'>') {
                self.bytes.remove(0);
                (self.expected, self.takes_data, self.in_data) = (Expected::Any, false, true);
                return Ok(Some(Said::Prompt));
            }
            if self.bytes.starts_with(MESSAGE) && self.expected == Expected::Any && !self.in_data {
                return self.message();
            }
            let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
            let line = String::from_utf8_lossy(self.bytes.get(..end).unwrap_or_default()).into_owned();
            self.bytes.drain(..end.saturating_add(2));
            if let Some(said) = self.line(line)? {
                return Ok(Some(said));
            }
        }
    }

    fn line(&mut self, line: String) -> Result<Option<Said>, String> {
        let (expected, takes_data) = (std::mem::take(&mut self.expected), self.takes_data);
        let event = EVENTS.iter().any(|begin| line.starts_with(begin));
        let said = match (expected, line.as_str()) {
            (Expected::End, "OK") => {
                self.expected = if takes_data { Expected::MaybePrompt } else { Expected::Any };
                (!takes_data).then_some(Said::End(true))
            }
            (Expected::End, "ERROR") => Some(Said::End(false)),
            (Expected::Any, "") if std::mem::take(&mut self.in_data) => None,
            (Expected::Empty | Expected::Any | Expected::MaybePrompt, "") => {
                self.expected = Expected::End;
                None
            }
            (Expected::Any, "+MQTTPUB:OK") => Some(Said::Published(true)),
            (Expected::Any, "+MQTTPUB:FAIL") => Some(Said::Published(false)),
            (Expected::Any, _) if line.starts_with("ERR CODE:0x") && line.len() == 19 => {
                self.expected = Expected::Empty;
                Some(Said::Code(line))
            }
            (Expected::Any, _) if event && !self.in_data => Some(Said::Event(line)),
            (Expected::Any, _) if line.starts_with("+MQTTCONN:") => Some(Said::Event(line)),
            _ => return Err(format!("{line:?} is printed where {expected:?} is expected")),
        };
        Ok(said)
    }

    /// `+MQTTSUBRECV:<link>,"<topic>",<length>,<data>`, if all of it is there.
    fn message(&mut self) -> Result<Option<Said>, String> {
        let cut = || format!("a message begins with {:?}", String::from_utf8_lossy(&self.bytes));
        let mut fields = self.bytes.get(MESSAGE.len()..).unwrap_or_default().splitn(4, |byte| *byte == b',');
        let [Some(link), Some(_), Some(length), Some(rest)] = [(); 4].map(|()| fields.next()) else {
            return if self.bytes.len() > 200 { Err(cut()) } else { Ok(None) };
        };
        let number = |field: &[u8]| std::str::from_utf8(field).ok().and_then(|text| text.parse::<usize>().ok());
        let (link, length) = (number(link).ok_or_else(cut)?, number(length).ok_or_else(cut)?);
        let Some(line_end) = rest.get(length..length.saturating_add(2)) else { return Ok(None) };
        if line_end != b"\r\n" {
            return Err(cut());
        }
        let payload = rest.get(..length).unwrap_or_default().to_vec();
        let used = self.bytes.len().saturating_sub(rest.len()).saturating_add(length).saturating_add(2);
        self.bytes.drain(..used);
        Ok(Some(Said::Message { link: u8::try_from(link).unwrap_or(u8::MAX), payload }))
    }
}
