//! One command line as it was typed, and the form of it that the server is handed.

use crate::at::command::LINE_MAX;

/// What the name of every command of this library's begins with.
const OURS: &[u8] = b"AT+MQTT";

/// Where in a name most commands of the server's differ from that.
const DISTINCT: usize = 3;

/// The parameters that the server is handed instead of those that were typed.
const STAND_IN: &[u8] = b"=0";

/// What ends a line that is handed on.
const END: &[u8] = b"\r\n";

/// The text of `bytes`, without its LF, where they are one line and nothing else, and not too long for one.
pub fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (last, text) = bytes.split_last()?;
    // The last comparison alone looks at all bytes.
    (*last == b'\n' && bytes.len() <= LINE_MAX && !text.contains(&b'\n')).then_some(text)
}

/// Whether a line with this `text`, without its LF, is handed over as it came for sure: no name of this library's, and one CR
/// after something.
pub fn is_handed_as_it_is(text: &[u8]) -> bool {
    let may_be_ours = matches!(text.get(DISTINCT), Some(b'M' | b'm'));
    matches!(text, [.., before, b'\r'] if *before != b'\r') && !may_be_ours
}

/// A line that is being put together, or is complete.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; LINE_MAX],
    /// Bytes of it so far, without LF; those that found no room are counted too.
    length: usize,
    /// Its end has come: what is appended next begins another line.
    whole: bool,
    /// Where the parameters begin, of a whole line that sets something of this library's; else 0.
    parameters: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// Nothing typed yet.
    pub const fn new() -> Self {
        Self { bytes: [0; LINE_MAX], length: 0, whole: false, parameters: 0 }
    }

    /// Appends `bytes`, which hold no LF; after a whole line they begin another.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.whole {
            self.whole = false;
            self.length = 0;
            self.parameters = 0;
        }
        let end = self.length.saturating_add(bytes.len());
        if let Some(to) = self.bytes.get_mut(self.length..end) {
            to.copy_from_slice(bytes);
        }
        self.length = end;
    }

    /// Its end has come: drops CR before it.
    pub fn complete(&mut self) {
        self.whole = true;
        if self.is_too_long() {
            return;
        }
        while self.length > 0 && self.bytes.get(self.length.saturating_sub(1)) == Some(&b'\r') {
            self.length = self.length.saturating_sub(1);
        }
        self.parameters = self.find_parameters().unwrap_or(0);
    }

    /// Whether it had more than [`LINE_MAX`] bytes, its LF included.
    pub const fn is_too_long(&self) -> bool {
        self.length >= LINE_MAX
    }

    /// Whether it has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// As it was typed, without its end; nothing where it is too long.
    pub fn text(&self) -> &[u8] {
        let length = if self.is_too_long() { 0 } else { self.length };
        self.bytes.get(..length).unwrap_or_default()
    }

    /// Where the parameters begin, of a whole line that sets something of this library's: after its `=`.
    pub fn parameters(&self) -> Option<usize> {
        (self.parameters > 0).then_some(self.parameters)
    }

    fn find_parameters(&self) -> Option<usize> {
        let text = self.text();
        let mark = text.iter().position(|byte| matches!(byte, b'=' | b'?'))?;
        let (name, rest) = text.split_at_checked(mark)?;
        let ours = name.get(..OURS.len()).is_some_and(|head| is_name(head, OURS));
        let sets = matches!(rest, [b'=', tail @ ..] if tail != b"?");
        (ours && sets).then(|| mark.saturating_add(1))
    }

    /// Whether it is `name` (`AT+MQTT…`) with parameters after `=`.
    pub fn sets(&self, name: &[u8]) -> bool {
        // What all names begin with was compared when the line was complete.
        self.parameters == name.len().saturating_add(1) && is_name(tail(self.bytes.get(..name.len())), tail(Some(name)))
    }

    /// The text after `=` of a line that sets something of this library's, to be read in place.
    pub fn parameters_mut(&mut self) -> Option<&mut [u8]> {
        let start = self.parameters()?;
        self.bytes.get_mut(start..self.length)
    }

    /// Writes what the server is handed to `to`, from byte `from` of it on, as much as fits: how many bytes. None follow
    /// when it is 0.
    pub fn hand(&self, from: usize, to: &mut [u8]) -> usize {
        let text = self.text();
        let (text, rest): (&[u8], &[u8]) = match self.parameters() {
            Some(start) => (text.get(..start.saturating_sub(1)).unwrap_or_default(), STAND_IN),
            None => (text, b""),
        };
        let (mut skip, mut written) = (from, 0_usize);
        for part in [text, rest, END] {
            let skipped = skip.min(part.len());
            skip = skip.saturating_sub(skipped);
            let part = part.get(skipped..).unwrap_or_default();
            let room = to.get_mut(written..).unwrap_or_default();
            let count = part.len().min(room.len());
            if let (Some(room), Some(part)) = (room.get_mut(..count), part.get(..count)) {
                room.copy_from_slice(part);
            }
            written = written.saturating_add(count);
        }
        written
    }
}

/// Whether `typed` is `name`, in capitals or not; most hosts use them.
fn is_name(typed: &[u8], name: &[u8]) -> bool {
    typed == name || typed.eq_ignore_ascii_case(name)
}

/// What is after the beginning of this library's names.
fn tail(name: Option<&[u8]>) -> &[u8] {
    name.and_then(|name| name.get(OURS.len()..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn line(text: &[u8]) -> Line {
        let mut line = Line::new();
        line.push(text);
        line.complete();
        line
    }

    fn handed(line: &Line, piece: usize) -> Vec<u8> {
        let mut handed = Vec::new();
        loop {
            let mut to = std::vec![0; piece];
            let count = line.hand(handed.len(), &mut to);
            if count == 0 {
                return handed;
            }
            handed.extend_from_slice(&to[..count]);
        }
    }

    #[test]
    fn what_the_server_is_handed() {
        type Case = (&'static [u8], &'static [u8], Option<&'static [u8]>);
        let cases: [Case; 10] = [
            (br#"AT+MQTTPUB=0,"t","{"a":1}",1,0"#, b"AT+MQTTPUB=0", Some(br#"0,"t","{"a":1}",1,0"#)),
            (b"at+mqttclean=0", b"at+mqttclean=0", Some(b"0")),
            (br#"AT+MQTTCLIENTID=0"id""#, b"AT+MQTTCLIENTID=0", Some(br#"0"id""#)),
            (b"AT+MQTTSUB=", b"AT+MQTTSUB=0", Some(b"")),
            (b"AT+MQTTSUB=?x", b"AT+MQTTSUB=0", Some(b"?x")),
            (b"AT+MQTTSUB=?", b"AT+MQTTSUB=?", None),
            (b"AT+MQTTSUB?", b"AT+MQTTSUB?", None),
            (b"AT+MQTTSUB", b"AT+MQTTSUB", None),
            (br#"AT+CWJAP="ssid=MQTT","p""#, br#"AT+CWJAP="ssid=MQTT","p""#, None),
            (b"AT", b"AT", None),
        ];
        for (typed, form, parameters) in cases {
            for end in [&b""[..], b"\r", b"\r\r"] {
                let mut line = line(&[typed, end].concat());
                assert_eq!(line.text(), typed);
                for piece in [1, 3, 64] {
                    assert_eq!(handed(&line, piece), [form, b"\r\n"].concat(), "{piece}");
                }
                assert_eq!(line.parameters_mut().as_deref(), parameters);
            }
        }
    }

    #[test]
    fn whose_line_it_is() {
        assert!(line(b"AT+MQTTPUB=1").sets(b"AT+MQTTPUB"));
        assert!(line(b"at+MqttPub=1").sets(b"AT+MQTTPUB"));
        assert!(!line(b"AT+MQTTPUBRAW=1").sets(b"AT+MQTTPUB"));
        assert!(!line(b"AT+MQTTPUB?").sets(b"AT+MQTTPUB"));
    }

    #[test]
    fn what_is_one_whole_line() {
        let longest = [&[b'x'; LINE_MAX - 1][..], b"\n"].concat();
        for (bytes, text) in [
            (&b"AT\r\n"[..], Some(&b"AT\r"[..])),
            (b"\n", Some(b"")),
            (b"", None),
            (b"AT", None),
            (b"AT\nAT\n", None),
            (&longest, longest.strip_suffix(b"\n")),
            (&[b"x", &longest[..]].concat(), None),
        ] {
            assert_eq!(whole(bytes), text);
        }
    }

    #[test]
    fn what_is_handed_as_it_came_is_what_would_be_handed() {
        for (typed, as_it_is) in [
            (&b"AT\r"[..], true),
            (b"AT+GMR\r", true),
            (b"AT+CWJAP=\"a\",\"MQTT=\"\r", true),
            (b"AT+MQTTPUB=0\r", false),
            (b"at+mqttpub?\r", false),
            (b"AT+MDNS\r", false),
            (b"AT", false),
            (b"AT\r\r", false),
            (b"\r", false),
            (b"", false),
        ] {
            assert_eq!(is_handed_as_it_is(typed), as_it_is, "{typed:?}");
            assert!(!as_it_is || handed(&line(typed), 64) == [typed, b"\n"].concat());
        }
    }

    #[test]
    fn the_longest_line() {
        for (length, too_long) in [(254, false), (255, false), (256, true), (5000, true)] {
            let line = line(&std::vec![b'x'; length]);
            assert_eq!(line.is_too_long(), too_long, "{length}");
            assert_eq!(line.text().len(), if too_long { 0 } else { length });
        }
        // With its CR it has the last byte that there is room for.
        assert_eq!(line(&[&[b'x'; 254][..], b"\r"].concat()).text().len(), 254);
    }
}
