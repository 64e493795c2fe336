//! The text of answers and unsolicited lines (sections 1, 3 and 4 of the contract).
//!
//! Assembles bytes and hands them to a [`Sink`]. It never decides when a line may be printed (the caller holds the
//! port so that nothing interleaves), never prints the final `OK` or `ERROR` (the server does, from the handler's
//! result) and draws in no formatting machinery: numbers are written by [`digits`].

use super::code::Code;
use super::command::Command;
use super::text::position_of_special;
use crate::digits;
use heapless::Vec;

/// Where answers go. One line may arrive in several calls.
pub trait Sink {
    /// Takes the next bytes of the output, all of them.
    fn write(&mut self, bytes: &[u8]);
}

/// Bytes a line is gathered in before it goes to the sink; longer lines go in pieces of at most this size.
pub const LINE_BUFFER: usize = 128;

/// Printed by SUB for a filter that is subscribed at the same QoS.
pub const ALREADY_SUBSCRIBE: &[u8] = b"ALREADY SUBSCRIBE\r\n";
/// Printed by SUB when the table of subscriptions is full.
pub const ALREADY_FULL_SUBSCRIBE: &[u8] = b"ALREADY FULL SUBSCRIBE\r\n";
/// Printed by UNSUB for a filter that is not subscribed.
pub const NO_UNSUBSCRIBE: &[u8] = b"NO UNSUBSCRIBE\r\n";
/// The end of a PUBRAW data phase whose message was published.
pub const PUB_OK: &[u8] = b"+MQTTPUB:OK\r\n";
/// The end of a PUBRAW data phase whose message was not.
pub const PUB_FAIL: &[u8] = b"+MQTTPUB:FAIL\r\n";
/// `OK` and the prompt of a data phase.
pub const PROMPT: &[u8] = b"\r\nOK\r\n\r\n>";
/// What ends every information line.
pub const LINE_END: &[u8] = b"\r\n";

const CONNECTED: &[u8] = b"+MQTTCONNECTED:";
const DISCONNECTED: &[u8] = b"+MQTTDISCONNECTED:";
const CONNECTION: &[u8] = b"+MQTTCONN:";
const SUBRECV: &[u8] = b"+MQTTSUBRECV:";

/// One line under construction. Dropping it without [`Line::end`] or [`Line::hold`] loses what is still gathered.
pub struct Line<'s> {
    sink: &'s mut dyn Sink,
    gathered: Vec<u8, LINE_BUFFER>,
    fields: bool,
}

impl<'s> Line<'s> {
    /// A line that begins with `head`, to which fields are added with commas between them.
    pub fn new(sink: &'s mut dyn Sink, head: &[u8]) -> Self {
        let mut line = Line { sink, gathered: Vec::new(), fields: false };
        line.raw(head);
        line
    }

    /// A row that answers `command`'s query: begins `+MQTT<NAME>:`.
    pub fn row(sink: &'s mut dyn Sink, command: &Command) -> Self {
        let mut line = Line::new(sink, command.row_head());
        line.raw(b":");
        line
    }

    /// Adds a decimal field.
    pub fn int(&mut self, value: u32) -> &mut Self {
        self.comma();
        self.decimal(value)
    }

    /// Adds a decimal field that may be negative.
    pub fn signed(&mut self, value: i32) -> &mut Self {
        self.comma();
        if value < 0 {
            self.push(b'-');
        }
        self.decimal(value.unsigned_abs())
    }

    /// Adds an error code as `ERR CODE:` prints it; `0x00000000` for none.
    pub fn code(&mut self, code: Option<Code>) -> &mut Self {
        self.comma();
        self.raw(b"0x").raw(&digits::hexadecimal(code.map_or(0, |code| u32::from(code.value()))))
    }

    fn decimal(&mut self, value: u32) -> &mut Self {
        self.raw(digits::decimal(value, &mut [0; digits::DECIMAL_MAX]))
    }

    /// Adds a field in double quotes, `"` and `\` in it escaped with `\`, nothing else.
    pub fn quoted(&mut self, text: &[u8]) -> &mut Self {
        self.comma();
        self.push(b'"');
        escaped(text, &mut |part| {
            self.raw(part);
        });
        self.push(b'"');
        self
    }

    /// Adds a field in double quotes: two lower-case hexadecimal digits for each byte.
    pub fn quoted_hexadecimal(&mut self, bytes: &[u8]) -> &mut Self {
        self.comma();
        self.push(b'"');
        for &byte in bytes {
            self.push(digits::hexadecimal_digit(u32::from(byte >> 4)));
            self.push(digits::hexadecimal_digit(u32::from(byte)));
        }
        self.push(b'"');
        self
    }

    /// Adds bytes as they are: no comma before them, no escapes.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.gathered.is_full() {
                self.hold();
            }
            let room = self.gathered.capacity().saturating_sub(self.gathered.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            // Cannot fail: there is room for it.
            let _ = self.gathered.extend_from_slice(now);
            rest = later;
        }
        self
    }

    /// Ends the line with CR LF and passes on what is gathered.
    pub fn end(&mut self) {
        self.raw(LINE_END).hold();
    }

    /// Passes on what is gathered without ending the line: data of another source follows.
    pub fn hold(&mut self) {
        if !self.gathered.is_empty() {
            self.sink.write(&self.gathered);
            self.gathered.clear();
        }
    }

    fn comma(&mut self) {
        if core::mem::replace(&mut self.fields, true) {
            self.push(b',');
        }
    }

    fn push(&mut self, byte: u8) {
        if self.gathered.is_full() {
            self.hold();
        }
        // Cannot fail: there is room for a byte after handing over.
        let _ = self.gathered.push(byte);
    }
}

/// `ERR CODE:0x%08x`, the line before `ERROR`, where the build has such lines.
pub fn error(sink: &mut dyn Sink, code: Code) {
    Line::new(sink, b"ERR CODE:").code(Some(code)).end();
}

/// `OK` and the prompt, after which the host sends a data phase's bytes.
pub fn prompt(sink: &mut dyn Sink) {
    sink.write(PROMPT);
}

/// Where a link is or was connected to, as `+MQTTCONNECTED` and `+MQTTCONN` show it.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// 1 to 10, section 6.
    pub scheme: u8,
    /// As it was typed.
    pub host: &'a [u8],
    /// TCP port.
    pub port: u16,
    /// Resource of the WebSocket, empty where none was set.
    pub path: &'a [u8],
    /// Whether a lost connection is established again.
    pub reconnect: bool,
}

impl Endpoint<'_> {
    fn fields<'l, 's>(&self, line: &'l mut Line<'s>) -> &'l mut Line<'s> {
        line.int(u32::from(self.scheme))
            .quoted(self.host)
            .int(u32::from(self.port))
            .quoted(self.path)
            .int(u32::from(self.reconnect))
    }
}

/// `+MQTTCONNECTED:<LinkID>,<scheme>,<"host">,<port>,<"path">,<reconnect>`
pub fn connected(sink: &mut dyn Sink, link: u8, endpoint: &Endpoint<'_>) {
    endpoint.fields(Line::new(sink, CONNECTED).int(u32::from(link))).end();
}

/// `+MQTTDISCONNECTED:<LinkID>`
pub fn disconnected(sink: &mut dyn Sink, link: u8) {
    Line::new(sink, DISCONNECTED).int(u32::from(link)).end();
}

/// `+MQTTCONN:<LinkID>,<state>,<scheme>,<"host">,<port>,<"path">,<reconnect>`
pub fn connection(sink: &mut dyn Sink, link: u8, state: u8, endpoint: &Endpoint<'_>) {
    // Not by the table, of which a firmware that refers to one row here would keep all.
    endpoint.fields(Line::new(sink, CONNECTION).int(u32::from(link)).int(u32::from(state))).end();
}

/// `+MQTTSUBRECV:<LinkID>,<"topic">,<data_length>,`: the payload of `length` bytes and [`LINE_END`] must follow.
pub fn received(sink: &mut dyn Sink, link: u8, topic: &[u8], length: u32) {
    let mut line = Line::new(sink, b"");
    received_in_parts(link, topic, length, &mut |part| {
        line.raw(part);
    });
    line.hold();
}

/// The same in short parts, for who gathers them.
pub fn received_in_parts(link: u8, topic: &[u8], length: u32, write: &mut dyn FnMut(&[u8])) {
    let mut room = [0; digits::DECIMAL_MAX];
    write(SUBRECV);
    write(digits::decimal(u32::from(link), &mut room));
    write(b",\"");
    escaped(topic, write);
    write(b"\",");
    write(digits::decimal(length, &mut room));
    write(b",");
}

/// Writes `text` with `"` and `\` in it escaped with `\`.
fn escaped(text: &[u8], write: &mut dyn FnMut(&[u8])) {
    let mut rest = text;
    while let Some(special) = position_of_special(rest) {
        let (plain, behind) = rest.split_at_checked(special).unwrap_or_default();
        let (special, behind) = behind.split_at_checked(1).unwrap_or_default();
        write(plain);
        write(b"\\");
        write(special);
        rest = behind;
    }
    write(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::command::{CommandId, row};
    use std::vec::Vec;

    #[derive(Default)]
    struct Port {
        bytes: Vec<u8>,
        longest: usize,
    }

    impl Sink for Port {
        fn write(&mut self, bytes: &[u8]) {
            self.longest = self.longest.max(bytes.len());
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn printed(print: impl FnOnce(&mut Port)) -> Vec<u8> {
        let mut port = Port::default();
        print(&mut port);
        assert!(port.longest <= LINE_BUFFER);
        port.bytes
    }

    #[test]
    fn error_lines() {
        assert_eq!(printed(|port| error(port, Code::LinkIdValueIsWrong)), b"ERR CODE:0x00006011\r\n");
        assert_eq!(printed(|port| error(port, Code::ParamPrepareError)), b"ERR CODE:0x0000600a\r\n");
        assert_eq!(printed(|port| error(port, Code::ClientDisconnectFailed)), b"ERR CODE:0x0000600f\r\n");
    }

    #[test]
    fn numbers() {
        let text = printed(|port| Line::new(port, b"x").int(0).int(u32::MAX).signed(-27_000).signed(i32::MIN).end());
        assert_eq!(text, b"x0,4294967295,-27000,-2147483648\r\n");
    }

    #[test]
    fn hexadecimal_fields() {
        assert_eq!(printed(|port| Line::new(port, b"x").code(None).end()), b"x0x00000000\r\n");
        assert_eq!(printed(|port| Line::new(port, b"x").quoted_hexadecimal(b"\x00\xa5").end()), b"x\"00a5\"\r\n");
    }

    #[test]
    fn rows() {
        let row = row(CommandId::ConnCfg);
        let text = printed(|port| Line::row(port, row).int(0).int(120).quoted(b"a\"b\\c,d").quoted(b"").int(2).end());
        assert_eq!(text, b"+MQTTCONNCFG:0,120,\"a\\\"b\\\\c,d\",\"\",2\r\n");
    }

    #[test]
    fn long_texts_come_in_pieces_and_whole() {
        let long = [b'"'; 1024];
        let text = printed(|port| Line::new(port, b"+X:").quoted(&long).end());
        assert_eq!(text.len(), 3 + 2 + 2048 + 2);
        assert!(text.ends_with(b"\\\"\"\r\n"));
    }

    #[test]
    fn data_phase() {
        assert_eq!(printed(|port| prompt(port)), b"\r\nOK\r\n\r\n>");
    }

    #[test]
    fn unsolicited_lines() {
        let endpoint = Endpoint { scheme: 6, host: b"broker", port: 8080, path: b"/mqtt", reconnect: true };
        assert_eq!(
            printed(|port| connected(port, 0, &endpoint)),
            b"+MQTTCONNECTED:0,6,\"broker\",8080,\"/mqtt\",1\r\n"
        );
        assert_eq!(printed(|port| disconnected(port, 0)), b"+MQTTDISCONNECTED:0\r\n");
        assert_eq!(
            printed(|port| connection(port, 0, 4, &endpoint)),
            b"+MQTTCONN:0,4,6,\"broker\",8080,\"/mqtt\",1\r\n"
        );
        assert_eq!(printed(|port| received(port, 0, b"t/\"q\"", 70_000)), b"+MQTTSUBRECV:0,\"t/\\\"q\\\"\",70000,");
    }
}
