//! MQTT inside WebSocket: the client's side of RFC 6455, sans I/O, in constant memory.
//!
//! * [`handshake`] is the opening handshake: the HTTP request, and the response checked as it comes (§4).
//! * [`frame`] turns received bytes into what they carry, and makes the header and the mask of what is sent (§5).
//!
//! In the order of their use:
//!
//! 1. [`handshake::request`] with a [`handshake::key`] goes out, [`handshake::Response`] reads until it is complete.
//! 2. [`frame::Decoder::unframe`] takes each piece that is received; [`frame::Decoder::reply`] is sent when one is owed.
//! 3. An MQTT packet is sent as [`frame::header`] and its bytes through a [`frame::Mask`].
//! 4. [`frame::close`] is sent before the connection is closed from this side.
//!
//! Never here: sockets, time, random numbers, SHA-1.
#![forbid(unsafe_code)]

pub mod frame;
pub mod handshake;

#[cfg(test)]
mod tests;
