//! What C calls: the command table's rows with their handlers, and the functions of `include/w800_mqtt_at.h`.
//!
//! Each function checks what C hands over, calls one function of a room below and turns its result into what C expects.
//!
//! Never here: what a command means, or a call of the SDK.
#![allow(unsafe_code)]

#[cfg(not(argv_line))]
mod argv;
#[cfg(tls)]
pub mod credentials;
pub mod hook;
#[cfg(argv_line)]
pub mod port;
mod result;
pub mod statistics;
pub mod table;
#[cfg(argv_line)]
mod typed;
