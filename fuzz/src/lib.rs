//! Fuzz targets: functions that take any bytes and panic where the library breaks a promise.
//!
//! | target | what the bytes are | what is held against it |
//! |---|---|---|
//! | `port` | what a host types, cut and interleaved with answers and data phases | no line is lost, doubled or changed |
//! | `line` | a command line | what is understood, written down again, is understood the same |
//! | `packets` | a broker's byte stream | a second reading of MQTT 3.1.1, and every cut of the stream |
//! | `session` | the choices of a client, a broker and a network | the rules of the model in `core/tests/model` |
//! | `exchange` | a broker's bytes and calls of the session in any order | what it sends are packets, and it stops |
//! | `frames` | a server's WebSocket frames | a second reading of RFC 6455, and every cut of the stream |
//! | `handshake` | a server's answer to the opening handshake | every cut of it, and what is agreed to |
//! | `dispatcher` | lines on the port, each answered | the grammar of answers, and where the port sees them end |
//!
//! `scripts/fuzz.sh` runs one under libFuzzer; `tests/corpora.rs` runs all of them from `corpus/` as ordinary tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a target says by a panic what it has found"
)]

pub mod bytes;
pub mod dispatcher;
pub mod exchange;
pub mod frames;
pub mod handshake;
pub mod line;
pub mod packets;
pub mod port;
pub mod session;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As `scripts/fuzz.sh` and the folders of `corpus` have it.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Pieces of inputs that mutations put together.
    pub words: &'static [&'static [u8]],
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "port", run: port::run, words: port::WORDS },
    Target { name: "line", run: line::run, words: line::WORDS },
    Target { name: "packets", run: packets::run, words: packets::WORDS },
    Target { name: "session", run: session::run, words: &[] },
    Target { name: "exchange", run: exchange::run, words: exchange::WORDS },
    Target { name: "frames", run: frames::run, words: frames::WORDS },
    Target { name: "handshake", run: handshake::run, words: handshake::WORDS },
    Target { name: "dispatcher", run: dispatcher::run, words: dispatcher::WORDS },
];

/// Runs the target of that name.
///
/// # Panics
/// There is none of that name, or it has found something.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of that name").run)(input);
}
