//! MQTT AT commands for WinnerMicro's W800.
//!
//! A line comes from the serial port down to the network and an answer goes back up, one room a step:
//!
//! ```text
//! UART -> SDK AT server -> c_api -> at (parse) -> link (may it?) -> mqtt (bytes) -> net -> lwIP
//! lwIP -> net -> mqtt (events) -> link (state) -> at (format) -> sdk::port -> UART
//! ```
//!
//! | room | what it is |
//! |---|---|
//! | [`c_api`] | what C calls: the command table's handlers, setters, statistics, the hook |
//! | [`client`] | the two tasks: what a command does, and the link's own task |
//! | [`net`] | a byte stream to the broker: TCP, TLS on it, WebSocket on either |
//! | [`sdk`] | the SDK's C interface, made safe: the only unsafe code but for the edge in `c_api` |
//! | [`options`] | what this build was asked to be |
//! | [`w800_mqtt_core`] | the pure rooms, a crate of their own: `at`, `link`, `mqtt`, `ws`, `bytes`, `time` |
//!
//! Each room uses only those below it; docs/architecture.md has the table, and `tests/rooms` holds the code to it.
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

/// Unit tests run on the virtual board's SDK.
#[cfg(test)]
extern crate wm_sdk_host as _;

pub mod c_api;
pub mod client;
pub mod net;
pub mod options;
pub mod sdk;
