//! The packets of the virtual network as a pcap file: what the board sends and what reaches it.
//!
//! A record is written in one piece as it happens, so that a killed board leaves a file which can be read.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Microseconds, in the byte order of the machine that writes.
const MAGIC: u32 = 0xa1b2_c3d4;
const VERSION: [u16; 2] = [2, 4];
/// More than a frame can have.
const SNAP_LENGTH: u32 = 65_535;
const LINKTYPE_ETHERNET: u32 = 1;

/// An open file; none after it could not be written any more, or was left to the next program.
#[derive(Debug)]
pub struct Capture(Mutex<Option<File>>);

impl Capture {
    /// A new file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(&file_header())?;
        Ok(Self(Mutex::new(Some(file))))
    }

    /// What [`Capture::leave`] has left.
    pub const fn go_on(file: Option<File>) -> Self {
        Self(Mutex::new(file))
    }

    /// The file behind its last whole record. Nothing is added any more.
    pub fn leave(&self) -> Option<File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Adds a frame. When the file takes no more, says so once.
    pub fn frame(&self, bytes: &[u8]) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut()
            && let Err(error) = open.write_all(&record(bytes))
        {
            eprintln!("w800-sim: --pcap ends here: {error}");
            *file = None;
        }
    }
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
