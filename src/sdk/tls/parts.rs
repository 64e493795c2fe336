//! The block that a TLS client and Mbed TLS's callbacks share.

use crate::sdk::bindings;
use crate::sdk::socket::SocketHandle;
use core::ffi::c_char;
use heapless::Vec;
use w800_mqtt_core::link::config::MOST_ALPN_NAMES;

/// What Mbed TLS keeps pointers to.
pub(super) struct Parts {
    pub ssl: bindings::mbedtls_ssl_context,
    pub config: bindings::mbedtls_ssl_config,
    pub protocols: [*const c_char; MOST_ALPN_NAMES + 1],
    pub socket: Option<SocketHandle>,
    /// The handshake is not over.
    pub handshakes: bool,
    /// Bytes that the step in progress may still take from the socket.
    pub budget: usize,
    /// Steps in a row that have used up their budget and brought nothing.
    pub fruitless: u8,
    /// Part of a record waits to be sent. Only a repetition of the write that made it may send it: were it sent by anything
    /// else, that write would encrypt and send its bytes once more.
    pub write_pending: bool,
    /// That write is in progress.
    pub writes: bool,
    /// An alert waits to be sent: a write would send that and take its own bytes for sent.
    pub alert_pending: bool,
    /// Bytes that have come from the peer, modulo 2^32.
    pub received: u32,
    pub verification: u32,
    /// When a signature could not be checked, there was little memory to do so.
    pub memory_was_short: bool,
    /// The address that the certificate must name; empty where it must name a host.
    pub address: Vec<u8, 16>,
}
