//! The serial port between the host and the SDK's AT server, sans I/O (AT contract §1 and §8).
//!
//! | module | what it does |
//! |---|---|
//! | [`ring`] | keeps bytes in order, up to a bound |
//! | [`typed`] | what the host typed: lines and their ends, lines that wait, data, what the server is handed |
//! | [`line`] | one line as it was typed, and the form of it that no parser can misread |
//! | [`answer`] | what the server prints: its echo, the end of its answer, its prompt |
//!
//! The server is handed one line at a time: the next follows when the answer to the one before has ended. A line that
//! sets something of MQTT's stays here as it was typed, and the server is handed the command's name with one number.
//!
//! Never here: the line's or the server's functions, a task, a lock, a clock. Bytes and times come in as arguments.

pub mod answer;
pub mod line;
pub mod ring;
pub mod typed;

/// Bytes of lines, their ends included, that wait for the command before them to be answered.
pub const KEPT_BYTES: usize = 1024;

/// What answers a line that could not be kept.
pub const BUSY: &[u8] = b"busy ...\r\n";

/// What answers a line that is too long.
pub const TOO_LONG: &[u8] = b"\r\nCMD PARSE ERR\r\n";
