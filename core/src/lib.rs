//! The pure part of w800-mqtt-at: bytes and times go in; bytes, events and deadlines come out.
//!
//! | room | what it is |
//! |---|---|
//! | [`at`] | one command line to typed parameters, answers to text; the command table and the error codes |
//! | [`link`] | one LinkID: its configuration, its connection state, its subscriptions |
//! | [`report`] | why something failed, in numbers and words |
//! | [`mqtt`] | MQTT 3.1.1: decoder, encoder, session, what is in flight |
//! | [`ws`] | WebSocket (RFC 6455): opening handshake and frames of a client |
//! | [`port`] | the serial port: what the host types, what the AT server is handed, what is held back |
//! | [`bytes`], [`time`], [`digits`] | owned bytes whose allocation may fail; time as an argument; numbers as digits |
//!
//! Never here: a clock, a socket, a task, a global, `unsafe`. What this crate is told it takes as arguments; which
//! parts of it a firmware has is decided by what that firmware calls.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(not(target_os = "none"))]
extern crate std;

// What the unit tests share with other crates' names this one.
#[cfg(test)]
extern crate self as w800_mqtt_core;

/// How much of a test that takes long is done: all of it, or a hundredth where miri interprets it (scripts/miri.sh).
#[cfg(test)]
pub(crate) const fn share_under_miri(all: u32) -> u32 {
    if cfg!(miri) { all.div_ceil(100) } else { all }
}

pub mod at;
pub mod bytes;
pub mod digits;
pub mod link;
pub mod mqtt;
pub mod port;
pub mod report;
pub mod time;
pub mod ws;
