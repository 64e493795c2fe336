//! One thing that happened, and how it is written down.

/// Characters of a text in an event; the rest is left out.
const LONGEST_TEXT: usize = 300;

/// Where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Lines and data on the serial port.
    Serial,
    /// MQTT packets, as the library sends and receives them.
    Mqtt,
    /// The WebSocket under them.
    WebSocket,
    /// The TLS under that.
    Tls,
    /// Segments on the virtual wire.
    Tcp,
}

/// Which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the board.
    In,
    /// From it.
    Out,
}

/// What a reader should think of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It goes on as it should.
    Plain,
    /// What was wanted is there.
    Good,
    /// An end, or something done again.
    Notable,
    /// Something failed.
    Bad,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Microseconds since the trace began.
    pub at: u64,
    /// Where it is shown.
    pub lane: Lane,
    /// Which way it went.
    pub way: Way,
    /// What a reader should think of it.
    pub tone: Tone,
    /// What it is, in a few words.
    pub label: String,
    /// More of it: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// When the command came that this answers.
    pub asked: Option<u64>,
}

impl Event {
    /// Without facts.
    pub fn new(at: u64, lane: Lane, way: Way, tone: Tone, label: impl Into<String>) -> Self {
        Self { at, lane, way, tone, label: label.into(), facts: Vec::new(), asked: None }
    }

    /// With one fact more.
    pub fn fact(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// As the answer to a command.
    pub fn answers(self, asked: Option<u64>) -> Self {
        Self { asked, ..self }
    }

    /// One line of JSON, which can stand in a page as it is.
    pub fn json(&self) -> String {
        let lane = match self.lane {
            Lane::Serial => "serial",
            Lane::Mqtt => "mqtt",
            Lane::WebSocket => "websocket",
            Lane::Tls => "tls",
            Lane::Tcp => "tcp",
        };
        let way = match self.way {
            Way::In => "in",
            Way::Out => "out",
        };
        let tone = match self.tone {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Notable => "notable",
            Tone::Bad => "bad",
        };
        let facts: Vec<String> =
            self.facts.iter().map(|(name, value)| format!("[{},{}]", quote(name), quote(value))).collect();
        let asked = self.asked.map(|asked| format!(r#""asked":{asked},"#)).unwrap_or_default();
        format!(
            r#"{{"at":{},"lane":"{lane}","way":"{way}","tone":"{tone}",{asked}"label":{},"facts":[{}]}}"#,
            self.at,
            quote(&self.label),
            facts.join(",")
        )
    }
}

/// A JSON string that holds nothing a page could take for a tag.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for (count, character) in text.chars().enumerate() {
        match character {
            _ if count >= LONGEST_TEXT => {
                quoted.push('…');
                break;
            }
            '"' | '\\' => quoted.extend(['\\', character]),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Bytes as a reader can see them: text as it is, anything else as `\xNN`; cut after `most` bytes.
pub fn visible(bytes: &[u8], most: usize) -> String {
    let (shown, rest) = bytes.split_at_checked(most).unwrap_or((bytes, &[]));
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                control if control.is_control() => text.extend(control.escape_default()),
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if !rest.is_empty() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_page_or_the_line() {
        let event = Event::new(1, Lane::Mqtt, Way::Out, Tone::Plain, "</script>\"\n\\").fact("Topic", "a&b");
        assert_eq!(
            event.json(),
            r#"{"at":1,"lane":"mqtt","way":"out","tone":"plain","label":"\u003c/script\u003e\"\u000a\\","facts":[["Topic","a\u0026b"]]}"#
        );
    }

    #[test]
    fn bytes_are_readable_and_bounded() {
        assert_eq!(visible(b"21.5 \xc2\xb0C\r\n\xff\0", 64), "21.5 °C\\r\\n\\xff\\u{0}");
        assert_eq!(visible(b"abcdef", 4), "abcd…");
    }
}
