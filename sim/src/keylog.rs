//! The secrets of TLS connections (`--keylog`), in the format that NSS gave its name to, so that Wireshark reads them.
//!
//! A line is written when a handshake has made its secrets, resumed ones too. Lines are added to what is there, since a
//! restart of the board opens the file again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::trace;

static FILE: OnceLock<Mutex<File>> = OnceLock::new();

/// From now on they are written to `path`, which its owner alone may read.
///
/// # Errors
/// It cannot be written.
pub fn open(path: &Path) -> Result<(), String> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let file = opened.map_err(|error| format!("--keylog: cannot write {}: {error}", path.display()))?;
    if FILE.set(Mutex::new(file)).is_ok() {
        trace::on_secrets(write);
    }
    Ok(())
}

fn write(client_random: &[u8], master_secret: &[u8]) {
    let Some(file) = FILE.get() else { return };
    let text = line(client_random, master_secret);
    let written: io::Result<()> = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes());
    if let Err(error) = written {
        eprintln!("w800-sim: --keylog lacks a connection: {error}");
    }
}

fn line(client_random: &[u8], master_secret: &[u8]) -> String {
    format!("CLIENT_RANDOM {} {}\n", hexadecimal(client_random), hexadecimal(master_secret))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_wireshark_reads_it() {
        assert_eq!(line(&[0x0a, 0xff], &[1]), "CLIENT_RANDOM 0aff 01\n");
    }
}
