//! The packets of the virtual network as a pcap file: what the board sends and what reaches it.
//!
//! A record is written in one piece as it happens, so that a killed board leaves a file which can be read.
//!
//! Programs that read it know a protocol by its port. Where one is spoken on another port, a note on standard error says
//! what such a program has to be told: the format has no place for it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::trace;

/// Microseconds, in the byte order of the machine that writes.
const MAGIC: u32 = 0xa1b2_c3d4;
const VERSION: [u16; 2] = [2, 4];
/// More than a frame can have.
const SNAP_LENGTH: u32 = 65_535;
const LINKTYPE_ETHERNET: u32 = 1;

/// A protocol as tshark names it, the first byte that a client sends, the ports where it is looked for by itself, and
/// what its note says behind the port.
struct Protocol {
    name: &'static str,
    first: u8,
    ports: &'static [u16],
    inner: &'static str,
}

const PROTOCOLS: [Protocol; 3] = [
    Protocol { name: "mqtt", first: 0x10, ports: &[1883], inner: "" },
    Protocol {
        name: "tls",
        first: 0x16,
        ports: &[],
        inner: " -d tls.port==PORT,mqtt -o tls.keylog_file:(--keylog FILE)",
    },
    Protocol { name: "http", first: b'G', ports: &[80, 8080], inner: "" },
];

/// What is being written.
#[derive(Debug)]
struct Written {
    /// None after it could not be written any more, or was left to the next program.
    file: Option<File>,
    /// Ports to which the board has sent data.
    ports: Vec<u16>,
}

/// An open file.
#[derive(Debug)]
pub struct Capture(Mutex<Written>);

impl Capture {
    /// A new file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(&file_header())?;
        Ok(Self::go_on(Some(file)))
    }

    /// What [`Capture::leave`] has left.
    pub const fn go_on(file: Option<File>) -> Self {
        Self(Mutex::new(Written { file, ports: Vec::new() }))
    }

    /// The file behind its last whole record. Nothing is added any more.
    pub fn leave(&self) -> Option<File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).file.take()
    }

    /// Adds a frame. When the file takes no more, says so once.
    pub fn frame(&self, to_board: bool, bytes: &[u8]) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = written.file.as_mut() else { return };
        if let Err(error) = open.write_all(&record(bytes)) {
            eprintln!("w800-sim: --pcap ends here: {error}");
            written.file = None;
        } else if !to_board && let Some((port, first)) = trace::first_byte(bytes) {
            written.note(port, first);
        }
    }
}

impl Written {
    /// The first data to a port tells what is spoken there.
    fn note(&mut self, port: u16, first: u8) {
        if self.ports.contains(&port) {
            return;
        }
        self.ports.push(port);
        if let Some(note) = note(port, first) {
            eprintln!("w800-sim: --pcap: {note}");
        }
    }
}

/// What has to be said about a port; nothing where it is the protocol's own.
fn note(port: u16, first: u8) -> Option<String> {
    let protocol = PROTOCOLS.iter().find(|protocol| protocol.first == first && !protocol.ports.contains(&port))?;
    let inner = protocol.inner.replace("PORT", &port.to_string());
    Some(format!("port {port} speaks {0}: tshark -d tcp.port=={port},{0}{inner}", protocol.name))
}

fn file_header() -> Vec<u8> {
    let mut header = MAGIC.to_ne_bytes().to_vec();
    header.extend(VERSION.iter().flat_map(|number| number.to_ne_bytes()));
    for word in [0, 0, SNAP_LENGTH, LINKTYPE_ETHERNET] {
        header.extend(u32::to_ne_bytes(word));
    }
    header
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    // pcap counts seconds to 2106.
    let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut record = Vec::with_capacity(bytes.len().saturating_add(16));
    for word in [seconds, now.subsec_micros(), length, length] {
        record.extend(word.to_ne_bytes());
    }
    record.extend(bytes);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_where_the_port_is_not_the_protocols() {
        assert_eq!(note(1883, 0x10), None);
        assert_eq!(note(5600, 0xc0), None);
        assert_eq!(note(5600, 0x10).as_deref(), Some("port 5600 speaks mqtt: tshark -d tcp.port==5600,mqtt"));
        assert!(note(8883, 0x16).is_some_and(|note| note.contains("-d tls.port==8883,mqtt")));
    }
}
