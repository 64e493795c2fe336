//! MQTT AT commands for WinnerMicro's W800.
//!
//! A line comes from the serial port down to the network and an answer goes back up, one room a step:
//!
//! ```text
//! UART -> SDK AT server -> sdk::entry -> at (parse) -> link (may it?) -> mqtt (bytes) -> net -> lwIP
//! lwIP -> net -> mqtt (events) -> link (state) -> at (format) -> sdk::port -> UART
//! ```
//!
//! | room | what it is |
//! |---|---|
//! | [`at`] | one command line to typed parameters, answers to text; the command table and the error codes |
//! | [`link`] | one LinkID: its configuration, its state, its subscriptions |
//! | [`mqtt`] | MQTT 3.1.1, sans I/O: codec edge, session, in-flight store |
//! | [`net`] | a byte stream to the broker: name lookup and TCP on lwIP |
//! | [`client`] | the two tasks: what a command does, and the link's own task |
//! | [`sdk`] | the only unsafe code: bindings and safe wrappers, and the C entry points |
//! | [`bytes`], [`time`] | owned bytes that may not be had; time as an argument |
//! | [`options`] | what this build was asked to be |
//!
//! `at`, `link`, `mqtt` and `net::ws` are pure: no clock, no socket, no global. Unit tests compile them alone; `client`, `net` and
//! `sdk` need the SDK, real or virtual.
#![no_std]
#![deny(unsafe_code)]
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

pub mod at;
#[cfg(test)]
#[path = "sdk/atomics.rs"]
#[allow(unsafe_code)]
mod atomics;
pub mod bytes;
#[cfg(not(test))]
pub mod client;
pub mod link;
pub mod mqtt;
#[cfg(not(test))]
pub mod net;
pub mod options;
#[cfg(not(test))]
pub mod sdk;
pub mod time;
#[cfg(test)]
#[path = "net/ws/mod.rs"]
mod ws;
