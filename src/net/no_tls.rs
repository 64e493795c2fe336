//! Stands in for `tls` in a build without it. USERCFG refuses the schemes that need it, so that there is never a
//! connection with it: the types have no values, and nothing of this stays in the program.

use super::{Attempt, Failure, Stage};
use crate::sdk::heap::Bytes;
#[cfg(websocket)]
use crate::sdk::random::Random;
use crate::sdk::socket::{Broken, Socket};
use w800_mqtt_core::link::config::{TlsConfig, Transport};

/// What a handshake is to be made with.
#[derive(Debug)]
pub enum Wanted {}

/// A session to resume.
#[derive(Debug)]
pub enum Kept {}

/// TLS on a socket.
#[derive(Debug)]
pub enum Layer {}

impl Wanted {
    /// What is wanted of a connection to `host`.
    ///
    /// # Errors
    /// [`Failure`], always.
    pub const fn new(_: &[u8], _: &TlsConfig<Bytes>) -> Result<Self, Failure> {
        Err(Failure::at(Stage::Tls))
    }
}

/// Connects with TLS.
///
/// # Errors
/// None: nothing can be wanted.
pub const fn connect(
    _: u8,
    _: Transport,
    _: (&[u8], u16),
    wanted: Wanted,
    _: &mut Option<Kept>,
    _: &Attempt<'_>,
) -> Result<(Socket, Layer), Failure> {
    match wanted {}
}

impl Layer {
    /// Encrypts and sends.
    ///
    /// # Errors
    /// None: there is no TLS.
    pub const fn send(&mut self, _: &[u8]) -> Result<usize, Broken> {
        match *self {}
    }

    /// Receives and decrypts.
    ///
    /// # Errors
    /// None: there is no TLS.
    pub const fn receive(&mut self, _: &mut [u8]) -> Result<(usize, bool), Broken> {
        match *self {}
    }

    /// The session, for the next connection.
    pub const fn session(&self) -> Option<Kept> {
        match *self {}
    }

    /// Says that no more will come.
    pub const fn close_notify(&mut self) {
        match *self {}
    }

    /// Its generator.
    #[cfg(websocket)]
    pub const fn random(&mut self) -> &mut Random {
        match *self {}
    }
}
