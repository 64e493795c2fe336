//! MQTT AT commands for WinnerMicro's W800.
//!
//! The library stands between the serial line and the SDK's AT server, and behind the server's command table. A line comes
//! from the serial port down to the network and an answer goes back up:
//!
//! ```text
//! UART -> port -> SDK AT server -> c_api -> client -> at (parse) -> link (may it?) -> mqtt (bytes) -> net -> lwIP
//! lwIP -> net -> mqtt (events) -> link (state, line) -> client (right to print) -> UART
//! ```
//!
//! | room | what it is |
//! |---|---|
//! | [`c_api`] | what C calls: the port, the command table's handlers, setters, statistics, the hook |
//! | [`client`] | what a command does, a link's own task, the port, the rights to print and to send |
//! | [`net`] | a byte stream to the broker: TCP, TLS on it, WebSocket on either |
//! | [`sdk`] | the SDK's C interface, made safe: the only unsafe code except for the edge in `c_api` |
//! | [`options`] | what this build was asked to be |
//! | [`w800_mqtt_core`] | the pure rooms, a crate of their own: `link`, `port`, `at`, `mqtt`, `ws`, `report`, `bytes`, `digits`, `time` |
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
