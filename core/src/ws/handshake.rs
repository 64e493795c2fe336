//! The opening handshake (RFC 6455 §4): the client's HTTP request, and the server's response checked as it comes.
//!
//! The digest in between is the caller's: SHA-1 of [`accept_source`] becomes the [`accept`] value that the
//! [`Response`] must bring. Redirections and authentication are not followed: they are a [`Refusal::Status`].

use crate::digits::{DECIMAL_MAX, decimal};
use heapless::Vec;

/// Bytes of the longest request, for a host of 128 bytes and a path of 33 that must all be encoded.
pub const LONGEST_REQUEST: usize = 404;

/// Bytes after which a response without end is given up.
const LONGEST_RESPONSE: u16 = 8192;

/// What the request asks for (§3).
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Name or address, an IPv6 address with or without brackets.
    pub host: &'a [u8],
    /// TCP port.
    pub port: u16,
    /// Path and query. Empty means `/`; a missing leading `/` is added.
    pub path: &'a [u8],
    /// Whether it goes through TLS, whose default port is 443 instead of 80.
    pub secure: bool,
}

/// The value of `Sec-WebSocket-Key`: 16 random bytes in Base64 (§4.1).
pub fn key(random: &[u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    base64(random, &mut key);
    key
}

/// The bytes whose SHA-1 the server proves to have computed (§1.3).
pub fn accept_source(key: &[u8; 24]) -> [u8; 60] {
    let mut source = *b"------------------------258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    if let Some(front) = source.first_chunk_mut() {
        *front = *key;
    }
    source
}

/// The value of `Sec-WebSocket-Accept` for that digest (§4.2.2).
pub fn accept(digest: &[u8; 20]) -> [u8; 28] {
    let mut accept = [0; 28];
    base64(digest, &mut accept);
    accept
}

/// RFC 4648 §4. `text` has four bytes for each three begun ones of `bytes`.
fn base64(bytes: &[u8], text: &mut [u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = bytes;
    for four in text.as_chunks_mut::<4>().0 {
        let (three, behind) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        rest = behind;
        let mut group = [0; 4];
        for (to, from) in group.iter_mut().zip(three) {
            *to = *from;
        }
        let mut bits = u32::from_be_bytes(group);
        for (index, digit) in four.iter_mut().enumerate() {
            let sextet = (bits >> 26) as usize;
            *digit = if index > three.len() { b'=' } else { ALPHABET.get(sextet).copied().unwrap_or_default() };
            bits <<= 6;
        }
    }
}

/// Writes the request (§4.1) to the front of `into`: how many bytes. `None` when it does not fit
/// ([`LONGEST_REQUEST`]), or when the host has a byte that no host name or address has.
pub fn request(into: &mut [u8], resource: &Resource<'_>, key: &[u8; 24]) -> Option<usize> {
    let mut bare_ipv6 = false;
    for byte in resource.host {
        if !byte.is_ascii_graphic() {
            return None;
        }
        bare_ipv6 |= *byte == b':';
    }
    bare_ipv6 &= !resource.host.starts_with(b"[");
    let (open, shut) = if bare_ipv6 { ("[", "]") } else { ("", "") };
    let mut room = [0; DECIMAL_MAX];
    // Nothing where it is the default (§4.1).
    let (colon, port): (&[u8], &[u8]) = match (resource.port, resource.secure) {
        (443, true) | (80, false) => (b"", b""),
        (port, _) => (b":", decimal(u32::from(port), &mut room)),
    };
    let size = into.len();
    let mut output = Output(into.iter_mut());
    output.put(b"GET ")?;
    output.path(resource.path)?;
    let parts: [&[u8]; 9] = [
        b" HTTP/1.1\r\nHost: ",
        open.as_bytes(),
        resource.host,
        shut.as_bytes(),
        colon,
        port,
        b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: ",
        key,
        b"\r\n\r\n",
    ];
    for part in &parts {
        output.put(part)?;
    }
    size.checked_sub(output.0.len())
}

struct Output<'a>(core::slice::IterMut<'a, u8>);

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        for byte in bytes {
            *self.0.next()? = *byte;
        }
        Some(())
    }

    /// The request target (RFC 9112 §3.2.1). What RFC 3986 does not allow in a path or a query is percent-encoded;
    /// `%` is not, as it may be there for just that.
    fn path(&mut self, path: &[u8]) -> Option<()> {
        if !path.starts_with(b"/") {
            self.put(b"/")?;
        }
        for byte in path {
            match *byte {
                b'!' | b'$'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~' => self.put(&[*byte])?,
                other => self.put(&[b'%', hexadecimal(other >> 4), hexadecimal(other & 0xF)])?,
            }
        }
        Some(())
    }
}

/// The upper-case hexadecimal digit of `value`, at most 15 (RFC 3986 §2.1).
const fn hexadecimal(value: u8) -> u8 {
    let letter = if value > 9 { b'A' - b'0' - 10 } else { 0 };
    b'0'.wrapping_add(value).wrapping_add(letter)
}

/// Why there is no WebSocket. The connection is to be closed (§4.1, §7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not a response of HTTP/1.1, or one of more than 8 KiB.
    Malformed,
    /// A status code that is not 101.
    Status(u16),
    /// `Upgrade` is missing or names something else than `websocket`.
    Upgrade,
    /// `Connection` is missing or does not name `upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` is missing or wrong: this is no WebSocket server, or a cache has answered.
    Accept,
    /// `Sec-WebSocket-Protocol` is missing or not `mqtt` (MQTT 3.1.1 §6).
    Protocol,
    /// `Sec-WebSocket-Extensions`, where none was offered.
    Extension,
}

/// A header field that matters.
struct Field {
    /// In lower case.
    name: &'static [u8],
    /// What its value must be. Of `Sec-WebSocket-Accept` it is known only to the response.
    value: &'static [u8],
    otherwise: Refusal,
}

const CONNECTION: usize = 1;
const ACCEPT: usize = 2;
/// These many of [`FIELDS`] must be there.
const NEEDED: usize = 4;

static FIELDS: [Field; 5] = [
    Field { name: b"upgrade", value: b"websocket", otherwise: Refusal::Upgrade },
    Field { name: b"connection", value: b"upgrade", otherwise: Refusal::Connection },
    Field { name: b"sec-websocket-accept", value: b"", otherwise: Refusal::Accept },
    Field { name: b"sec-websocket-protocol", value: b"mqtt", otherwise: Refusal::Protocol },
    Field { name: b"sec-websocket-extensions", value: b"", otherwise: Refusal::Extension },
];

/// The part of the response whose next byte is awaited.
#[derive(Debug, Clone, Copy)]
enum ResponsePart {
    StatusLine,
    Name,
    /// The value of this one of [`FIELDS`], or of none.
    Value(Option<usize>),
    Complete,
}

/// The reader of the server's response (§4.1, RFC 9112 §4 and §5). After a [`Refusal`] it must not be used any more.
#[derive(Debug)]
pub struct Response {
    accept: [u8; 28],
    part: ResponsePart,
    /// Bytes taken.
    taken: u16,
    status: u16,
    /// Whether a CR waits for its LF.
    return_seen: bool,
    /// A name, or one element of a value: longer than any that matters, whose rest is dropped.
    word: Vec<u8, 32>,
    /// A bit for each of [`FIELDS`].
    found: u8,
}

impl Response {
    /// Awaits a response with this [`accept`] value.
    pub const fn new(accept: [u8; 28]) -> Self {
        Self {
            accept,
            part: ResponsePart::StatusLine,
            taken: 0,
            status: 0,
            return_seen: false,
            word: Vec::new(),
            found: 0,
        }
    }

    /// Takes bytes from the front of `input`: whether the response is complete and the server has agreed. What is left
    /// then are frames; otherwise all is taken.
    ///
    /// # Errors
    /// The [`Refusal`], as soon as the bytes show it.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<bool, Refusal> {
        while !matches!(self.part, ResponsePart::Complete) {
            let Some((byte, rest)) = input.split_first() else { return Ok(false) };
            *input = rest;
            self.byte(*byte)?;
            self.taken = self.taken.saturating_add(1);
            if self.taken > LONGEST_RESPONSE {
                return Err(Refusal::Malformed);
            }
        }
        Ok(true)
    }

    /// A line ends with CR LF or with LF alone (RFC 9112 §2.2); no other control character but a tab may stand in one.
    fn byte(&mut self, byte: u8) -> Result<(), Refusal> {
        let after_return = core::mem::replace(&mut self.return_seen, byte == b'\r');
        match byte {
            b'\n' => self.line_end(),
            _ if after_return => Err(Refusal::Malformed),
            b'\r' => Ok(()),
            0..=8 | 10..=31 | 127 => Err(Refusal::Malformed),
            _ => match self.part {
                ResponsePart::StatusLine => self.status_line(byte),
                ResponsePart::Name => self.name(byte),
                ResponsePart::Value(Some(_)) if byte == b',' => self.element_end(),
                ResponsePart::Value(Some(_)) => {
                    self.gather(byte);
                    Ok(())
                }
                ResponsePart::Value(None) | ResponsePart::Complete => Ok(()),
            },
        }
    }

    fn status_line(&mut self, byte: u8) -> Result<(), Refusal> {
        const VERSION: &[u8] = b"HTTP/1.1 ";
        match (usize::from(self.taken), byte) {
            (at @ 0..9, _) if VERSION.get(at) == Some(&byte) => Ok(()),
            (9..12, b'0'..=b'9') => {
                self.status = self.status.wrapping_mul(10).wrapping_add(u16::from(byte & 0xF));
                Ok(())
            }
            (12, b' ') | (13.., _) => Ok(()),
            _ => Err(Refusal::Malformed),
        }
    }

    /// A line that begins with white space would continue the one before, which is obsolete (RFC 9112 §5.2).
    fn name(&mut self, byte: u8) -> Result<(), Refusal> {
        match byte {
            b':' if !self.word.is_empty() => {
                let field = FIELDS.iter().position(|field| self.word.eq_ignore_ascii_case(field.name));
                self.word.clear();
                self.part = ResponsePart::Value(field);
                Ok(())
            }
            b':' | b' ' | b'\t' => Err(Refusal::Malformed),
            _ => {
                self.gather(byte);
                Ok(())
            }
        }
    }

    fn line_end(&mut self) -> Result<(), Refusal> {
        match self.part {
            ResponsePart::StatusLine if self.status < 100 => return Err(Refusal::Malformed),
            ResponsePart::StatusLine if self.status != 101 => return Err(Refusal::Status(self.status)),
            ResponsePart::Name if self.word.is_empty() => return self.head_end(),
            ResponsePart::Name => return Err(Refusal::Malformed),
            _ => {}
        }
        self.element_end()?;
        self.part = ResponsePart::Name;
        Ok(())
    }

    fn head_end(&mut self) -> Result<(), Refusal> {
        for (index, field) in FIELDS.iter().enumerate().take(NEEDED) {
            if self.found >> index & 1 == 0 {
                return Err(field.otherwise);
            }
        }
        self.part = ResponsePart::Complete;
        Ok(())
    }

    /// Judges an element of a value; empty ones do not count (RFC 9110 §5.6.1).
    fn element_end(&mut self) -> Result<(), Refusal> {
        let ResponsePart::Value(Some(index)) = self.part else { return Ok(()) };
        let Some(field) = FIELDS.get(index) else { return Ok(()) };
        let element = self.word.trim_ascii_end();
        let fits = match index {
            _ if element.is_empty() => return Ok(()),
            ..=CONNECTION => element.eq_ignore_ascii_case(field.value),
            ACCEPT => element == self.accept,
            _ => element == field.value,
        };
        self.word.clear();
        match fits {
            true => self.found |= 1 << index,
            false if index != CONNECTION => return Err(field.otherwise),
            false => {}
        }
        Ok(())
    }

    /// Adds to the word, but no white space at its start. In a word that is too long the last place shows that more
    /// came than white space.
    fn gather(&mut self, byte: u8) {
        if matches!(byte, b' ' | b'\t') {
            if !self.word.is_empty() {
                let _ = self.word.push(byte);
            }
        } else if self.word.push(byte).is_err()
            && let Some(last) = self.word.last_mut()
        {
            *last = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec;

    /// The nonce of §1.3.
    const KEY: &[u8; 24] = b"dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &[u8; 28] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    /// The example of §1.3, with its digest.
    #[test]
    fn key_and_accept() {
        assert_eq!(&key(b"the sample nonce"), KEY);
        assert_eq!(&accept_source(KEY), b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        let digest = [
            0xB3, 0x7A, 0x4F, 0x2C, 0xC0, 0x62, 0x4F, 0x16, 0x90, 0xF6, 0x46, 0x06, 0xCF, 0x38, 0x59, 0x45, 0xB2, 0xBE,
            0xC4, 0xEA,
        ];
        assert_eq!(&accept(&digest), ACCEPT);
    }

    /// RFC 4648 §10, and the ends of the alphabet.
    #[test]
    fn base64_vectors() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (b"\xfb\xff\xbf\x00\x00\x0f", "+/+/AAAP"),
        ] {
            let mut encoded = vec![0; bytes.len().div_ceil(3) * 4];
            base64(bytes, &mut encoded);
            assert_eq!(encoded, text.as_bytes());
        }
    }

    fn requested(host: &str, port: u16, path: &[u8], secure: bool) -> Option<String> {
        let mut into = [0; LONGEST_REQUEST];
        let resource = Resource { host: host.as_bytes(), port, path, secure };
        let length = request(&mut into, &resource, KEY)?;
        Some(String::from_utf8(into[..length].to_vec()).unwrap())
    }

    #[test]
    fn the_whole_request() {
        assert_eq!(
            requested("broker.example", 8080, b"/mqtt", false).unwrap(),
            "GET /mqtt HTTP/1.1\r\nHost: broker.example:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: \
             dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
    }

    #[test]
    fn host_field() {
        for (host, port, secure, field) in [
            ("b", 80, false, "b"),
            ("b", 443, true, "b"),
            ("b", 443, false, "b:443"),
            ("b", 80, true, "b:80"),
            ("b", 1, false, "b:1"),
            ("b", 65_535, false, "b:65535"),
            ("b", 10_080, false, "b:10080"),
            ("192.0.2.1", 9001, false, "192.0.2.1:9001"),
            ("2001:db8::1", 80, false, "[2001:db8::1]"),
            ("2001:db8::1", 9001, false, "[2001:db8::1]:9001"),
            ("[2001:db8::1]", 9001, false, "[2001:db8::1]:9001"),
        ] {
            let request = requested(host, port, b"", secure).unwrap();
            assert_eq!(request.lines().nth(1).unwrap(), std::format!("Host: {field}"));
        }
        for host in ["a b", "a\r\nX: y", "a\0", "b\u{fc}cher"] {
            assert_eq!(requested(host, 80, b"", false), None);
        }
    }

    #[test]
    fn request_target() {
        for (path, line) in [
            (&b""[..], "/"),
            (b"/", "/"),
            (b"mqtt", "/mqtt"),
            (b"/a/b?c=d&e", "/a/b?c=d&e"),
            (b"?token=1", "/?token=1"),
            (b"/a%20b", "/a%20b"),
            (b"/a b", "/a%20b"),
            (b"/\r\nX: y", "/%0D%0AX:%20y"),
            (b"/#\"<>\\^`{|}\x7f\0", "/%23%22%3C%3E%5C%5E%60%7B%7C%7D%7F%00"),
            ("/\u{fc}".as_bytes(), "/%C3%BC"),
            (b"/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"),
        ] {
            let request = requested("b", 80, path, false).unwrap();
            assert_eq!(request.lines().next().unwrap(), std::format!("GET {line} HTTP/1.1"));
        }
    }

    #[test]
    fn the_longest_request() {
        let host = [b':'; 128];
        let resource = Resource { host: &host, port: 65_535, path: &[0xFF; 33], secure: true };
        let mut into = [0; LONGEST_REQUEST];
        assert_eq!(request(&mut into, &resource, KEY), Some(LONGEST_REQUEST));
        for size in 0..LONGEST_REQUEST {
            assert_eq!(request(&mut into[..size], &resource, KEY), None);
        }
    }

    /// What reading `response` at once leads to, and what of it is left.
    fn received(response: &[u8]) -> (Result<bool, Refusal>, &[u8]) {
        let mut input = response;
        let result = Response::new(*ACCEPT).receive(&mut input);
        (result, input)
    }

    #[test]
    fn agreed() {
        for (from, to) in [
            ("", ""),
            ("\r\n", "\n"),
            ("Upgrade: websocket", "UPGRADE:WebSocket"),
            ("Upgrade: websocket", "Upgrade: ,websocket, ,"),
            ("Connection: Upgrade", "connection: keep-alive , ,uPGRADE"),
            ("Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade"),
            (": mqtt", ":\t mqtt \t"),
            (": mqtt", ":                                                        mqtt"),
            (": mqtt", ": mqtt                                                        "),
            (
                "Upgrade: websocket\r\n",
                "Server: a very long name indeed, \u{fc}, more than any word\r\nUpgrade: websocket\r\n",
            ),
            ("Upgrade: websocket\r\n", "Sec-WebSocket-Extensions:\r\nX:\r\nX: \r\nUpgrade: websocket\r\n"),
            ("Upgrade: websocket\r\n", "A-Name-That-Is-Longer-Than-Any-That-Matters: x\r\nUpgrade: websocket\r\n"),
            (" Switching Protocols", ""),
            (" Switching Protocols", " "),
        ] {
            let response = [AGREED.replace(from, to).as_bytes(), b"\x82\x01a"].concat();
            assert_eq!(received(&response), (Ok(true), &b"\x82\x01a"[..]), "{from:?} as {to:?}");
        }
    }

    #[test]
    fn refused() {
        for (from, to, refusal) in [
            ("101 Switching Protocols", "401 Unauthorized", Refusal::Status(401)),
            ("101 Switching Protocols", "404", Refusal::Status(404)),
            ("101 Switching Protocols", "302 Found", Refusal::Status(302)),
            ("101 Switching Protocols", "200 OK", Refusal::Status(200)),
            ("101 Switching Protocols", "100 Continue", Refusal::Status(100)),
            ("101 Switching Protocols", "099", Refusal::Malformed),
            ("101 Switching Protocols", "10", Refusal::Malformed),
            ("101 Switching Protocols", "1010", Refusal::Malformed),
            ("101 Switching Protocols", "1O1", Refusal::Malformed),
            ("101 Switching Protocols", "", Refusal::Malformed),
            ("HTTP/1.1", "HTTP/1.0", Refusal::Malformed),
            ("HTTP/1.1", "HTTP/2", Refusal::Malformed),
            ("HTTP/1.1 101", "http/1.1 101", Refusal::Malformed),
            ("HTTP/1.1 101", "\r\nHTTP/1.1 101", Refusal::Malformed),
            ("Upgrade: websocket\r\n", "", Refusal::Upgrade),
            ("Upgrade: websocket", "Upgrade:", Refusal::Upgrade),
            ("Upgrade: websocket", "Upgrade: websockets", Refusal::Upgrade),
            ("Upgrade: websocket", "Upgrade: h2c, websocket", Refusal::Upgrade),
            ("Connection: Upgrade\r\n", "", Refusal::Connection),
            ("Connection: Upgrade", "Connection: close", Refusal::Connection),
            ("Connection: Upgrade", "Connection: keep-alive Upgrade", Refusal::Connection),
            ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", Refusal::Accept),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "", Refusal::Accept),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Refusal::Accept),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", Refusal::Accept),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo==", Refusal::Accept),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo= and much more", Refusal::Accept),
            ("Sec-WebSocket-Protocol: mqtt\r\n", "", Refusal::Protocol),
            (": mqtt", ": ", Refusal::Protocol),
            (": mqtt", ": MQTT", Refusal::Protocol),
            (": mqtt", ": mqttv3.1", Refusal::Protocol),
            (": mqtt", ": mqtt, chat", Refusal::Protocol),
            (": mqtt", ": a-protocol-name-that-is-longer-than-any-word", Refusal::Protocol),
            (": mqtt", ": mqtt                                             x ", Refusal::Protocol),
            ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", Refusal::Extension),
            ("\r\n\r\n", "\r\nNo colon\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nNoColon\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n: no name\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n folded\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n\tfolded\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n\tX: folded\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n:no:name\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nX : y\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nX\t: y\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nX: \x7f\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nX: \0\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\nX: a\rb\r\n\r\n", Refusal::Malformed),
            ("\r\n\r\n", "\r\n\r\r\n", Refusal::Malformed),
        ] {
            let response = AGREED.replace(from, to);
            assert_eq!(received(response.as_bytes()).0, Err(refusal), "{from:?} as {to:?}");
        }
    }

    /// As soon as the status line shows it, and for rubbish as soon as its first wrong byte does.
    #[test]
    fn refused_early() {
        assert_eq!(received(b"HTTP/1.1 404 Not Found\r\nServer"), (Err(Refusal::Status(404)), &b"Server"[..]));
        assert_eq!(received(b"\x15\x03\x01"), (Err(Refusal::Malformed), &b"\x03\x01"[..]));
        assert_eq!(received(b"HTTPS"), (Err(Refusal::Malformed), &b""[..]));
        assert_eq!(received(b" \x02\0\0"), (Err(Refusal::Malformed), &b"\x02\0\0"[..]));
    }

    /// 8 KiB are enough, a byte more is not; and bytes that say nothing are not kept.
    #[test]
    fn endless() {
        let padded = |length: usize| {
            let field = [b"\r\nX:", &vec![b'x'; length][..], b"\r\n\r\n"].concat();
            [AGREED.trim_end().as_bytes(), &field].concat()
        };
        let room = 8192 - padded(0).len();
        assert_eq!(received(&padded(room)).0, Ok(true));
        assert_eq!(received(&padded(room + 1)).0, Err(Refusal::Malformed));
        let mut response = Response::new(*ACCEPT);
        let mut input = &padded(9000)[..];
        assert_eq!(response.receive(&mut input), Err(Refusal::Malformed));
    }

    #[test]
    fn size() {
        assert!(size_of::<Response>() <= 112, "{}", size_of::<Response>());
    }
}
