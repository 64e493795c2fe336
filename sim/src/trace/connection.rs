//! One connection as the library uses it: bytes on its socket, and bytes above TLS where it has that.

use super::event::{Event, Lane, Tone, Way};
use super::{mqtt, tls, websocket};

/// What one direction carries; it is known by its first byte.
#[derive(Debug, Default)]
enum Stream {
    #[default]
    Silent,
    Mqtt(mqtt::Reader),
    WebSocket(websocket::Reader),
}

impl Stream {
    fn take(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        if let Self::Silent = self {
            *self = match (way, bytes.first()) {
                (_, None) => return,
                // A client's first packet is CONNECT, a server's CONNACK; HTTP begins with a method and with its name.
                (Way::Out, Some(b'G')) | (Way::In, Some(b'H')) => Self::WebSocket(websocket::Reader::default()),
                _ => Self::Mqtt(mqtt::Reader::default()),
            };
        }
        match self {
            Self::Silent => {}
            Self::Mqtt(reader) => reader.take(at, way, bytes, found),
            Self::WebSocket(reader) => reader.take(at, way, bytes, found),
        }
    }
}

/// Both directions of it.
#[derive(Debug, Default)]
pub struct Connection {
    plain: [Stream; 2],
    records: [tls::Reader; 2],
    handshake_began: Option<u64>,
}

const fn index(way: Way) -> usize {
    match way {
        Way::In => 0,
        Way::Out => 1,
    }
}

impl Connection {
    /// Bytes that the library sends and receives, without or above TLS.
    pub fn plain(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        if let Some(stream) = self.plain.get_mut(index(way)) {
            stream.take(at, way, bytes, found);
        }
    }

    /// Records that Mbed TLS sends and receives.
    pub fn records(&mut self, at: u64, way: Way, bytes: &[u8], found: &mut dyn FnMut(Event)) {
        self.handshake_began.get_or_insert(at);
        if let Some(reader) = self.records.get_mut(index(way)) {
            reader.take(at, way, bytes, found);
        }
    }

    /// The handshake is done.
    pub fn handshake_done(&self, at: u64, suite_name: impl FnOnce(u16) -> String) -> Event {
        let agreed = self.records.first().map_or_else(tls::Agreed::default, |reader| reader.agreed);
        let (kind, resumed) = if agreed.certificate { ("full", "no") } else { ("resumed", "yes") };
        let version = tls::version_name(agreed.version);
        let took = at.saturating_sub(self.handshake_began.unwrap_or(at)) / 1000;
        Event::new(at, Lane::Tls, Way::In, Tone::Good, format!("{version} {kind}, {took} ms"))
            .fact("Version", version)
            .fact("Cipher suite", suite_name(agreed.suite))
            .fact("Session resumed", resumed)
            .fact("Handshake took", format!("{took} ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells_what_a_connection_carries() {
        let mut connection = Connection::default();
        let mut labels = Vec::new();
        let mut found = |event: Event| labels.push((event.lane, event.label));
        connection.plain(0, Way::Out, b"\xc0", &mut found);
        connection.plain(0, Way::Out, b"\0", &mut found);
        connection.plain(0, Way::In, b"HTTP/1.1 400 Bad Request\r\n\r\n", &mut found);
        let expected = [(Lane::Mqtt, "PINGREQ"), (Lane::WebSocket, "HTTP/1.1 400 Bad Request")];
        assert_eq!(labels, expected.map(|(lane, label)| (lane, label.to_owned())));
    }
}
