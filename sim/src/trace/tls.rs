//! TLS records (RFC 5246) as far as they are not encrypted: the messages of a handshake, what was agreed on, alerts.

use super::event::{Event, Lane, Tone, Way};

const HEADER_BYTES: usize = 5;
/// What is kept of a handshake message: a ServerHello's version, session identifier and cipher suite fit.
const KEPT_BYTES: usize = 80;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    /// As in the ServerHello.
    pub version: u16,
    /// Its number.
    pub suite: u16,
    /// The server has shown a certificate: nothing was resumed.
    pub certificate: bool,
}

/// Reads one direction of a connection.
#[derive(Debug, Default)]
pub struct Reader {
    header: Vec<u8>,
    left: usize,
    encrypted: bool,
    message: Vec<u8>,
    message_left: usize,
    alert: Vec<u8>,
    /// What a server has said in clear.
    pub agreed: Agreed,
}

impl Reader {
    /// Takes the next bytes; `found` gets what can be read of them.
    pub fn take(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if self.left > 0 {
                let (mine, later) = rest.split_at_checked(self.left).unwrap_or((rest, &[]));
                self.left = self.left.saturating_sub(mine.len());
                self.take_record(at, way, mine, found);
                rest = later;
                continue;
            }
            if self.header.len() == HEADER_BYTES {
                self.header.clear();
            }
            self.header.push(*first);
            rest = behind;
            if let [_, _, _, high, low] = *self.header {
                self.left = usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }

    fn take_record(&mut self, at: u64, way: Way, part: &[u8], found: &mut dyn FnMut(Event)) {
        match self.header.first() {
            Some(&CHANGE_CIPHER_SPEC) => {
                self.encrypted = true;
                found(Event::new(at, Lane::Tls, way, Tone::Plain, "ChangeCipherSpec"));
            }
            Some(&ALERT) if !self.encrypted => {
                self.alert.extend(part.iter().take(2));
                if let [level, description, ..] = *self.alert {
                    found(alert(at, way, level, description));
                    self.alert.clear();
                }
            }
            Some(&HANDSHAKE) if !self.encrypted => self.take_messages(at, way, part, found),
            _ => {}
        }
    }

    /// A message may span records, and a record hold several.
    fn take_messages(&mut self, at: u64, way: Way, part: &[u8], found: &mut dyn FnMut(Event)) {
        for byte in part {
            if self.message.len() < KEPT_BYTES {
                self.message.push(*byte);
            }
            if let [_, high, middle, low] = *self.message {
                self.message_left = [high, middle, low].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            } else if self.message.len() > 4 {
                self.message_left = self.message_left.saturating_sub(1);
            }
            if self.message.len() >= 4 && self.message_left == 0 {
                found(self.message_event(at, way));
                self.message.clear();
            }
        }
    }

    fn message_event(&mut self, at: u64, way: Way) -> Event {
        let kind = self.message.first().copied().unwrap_or(0);
        self.agreed.certificate |= kind == CERTIFICATE;
        if kind == SERVER_HELLO {
            self.read_server_hello();
        }
        Event::new(at, Lane::Tls, way, Tone::Plain, message_name(kind))
    }

    /// §7.4.1.3: version, random, session identifier, cipher suite.
    fn read_server_hello(&mut self) {
        let number = |at: usize| {
            let bytes = self.message.get(at..)?.first_chunk()?;
            Some(u16::from_be_bytes(*bytes))
        };
        let identifier = self.message.get(38).copied().map_or(0, usize::from);
        let version = number(4).unwrap_or(0);
        let suite = number(identifier.saturating_add(39)).unwrap_or(0);
        self.agreed = Agreed { version, suite, certificate: false };
    }
}

/// A version as it is spoken of.
pub fn version_name(version: u16) -> String {
    match version {
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("version 0x{other:04x}"),
    }
}

fn message_name(kind: u8) -> String {
    match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        SERVER_HELLO => "ServerHello",
        4 => "NewSessionTicket",
        CERTIFICATE => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        other => return format!("handshake message {other}"),
    }
    .to_owned()
}

fn alert(at: u64, way: Way, level: u8, description: u8) -> Event {
    let name = match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        90 => "user_canceled",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "alert",
    };
    let (level, tone) = if level == 2 { ("fatal", Tone::Bad) } else { ("warning", Tone::Notable) };
    Event::new(at, Lane::Tls, way, tone, format!("Alert {name}")).fact("Level", level).fact("Description", description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_in_any_pieces() {
        let mut hello = b"\x02\0\0\x46\x03\x03".to_vec();
        hello.extend([7; 32]);
        hello.push(32);
        hello.extend([8; 32]);
        hello.extend(b"\xc0\x2f\0");
        let messages = [&hello[..], b"\x0b\0\0\x03abc\x0e\0\0\0"].concat();
        let mut stream = vec![22, 3, 3, 0, 40];
        stream.extend(messages.iter().take(40));
        stream.extend([22, 3, 3, 0, u8::try_from(messages.len().saturating_sub(40)).unwrap_or(0)]);
        stream.extend(messages.iter().skip(40));
        stream.extend(b"\x15\x03\x03\0\x02\x02\x30\x14\x03\x03\0\x01\x01\x16\x03\x03\0\x04\x01\0\0\0");
        for size in [1, 7, 1000] {
            let mut reader = Reader::default();
            let mut labels = Vec::new();
            for piece in stream.chunks(size) {
                reader.take(0, Way::In, piece, &mut |event| labels.push(event.label));
            }
            assert_eq!(
                labels,
                ["ServerHello", "Certificate", "ServerHelloDone", "Alert unknown_ca", "ChangeCipherSpec"]
            );
            assert_eq!(reader.agreed, Agreed { version: 0x0303, suite: 0xc02f, certificate: true });
        }
    }
}
