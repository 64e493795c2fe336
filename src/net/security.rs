//! What lies directly on TCP, and which of it this build has.
//!
//! Only here and in [`framing`](super::framing) do the build options for TLS and WebSocket make a difference to what is
//! above: a layer that is left out has no variant, and nothing of it stays in the program. USERCFG refuses the schemes
//! that need it.

use super::Attempt;
use super::tcp;
#[cfg(tls)]
use super::tls;
use crate::sdk::heap::Bytes;
#[cfg(websocket)]
use crate::sdk::random::Random;
use crate::sdk::socket::{Broken, Socket};
#[cfg(websocket)]
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::config::{TlsConfig, Transport};
use w800_mqtt_core::report::{Failure, Stage};

/// What lies on TCP.
#[derive(Debug)]
pub enum Security {
    /// Nothing.
    Plain,
    /// Nothing; the generator masks WebSocket's frames.
    #[cfg(websocket)]
    Masking(Random),
    /// TLS, whose handshake is over.
    #[cfg(tls)]
    Tls(tls::Layer),
}

impl Security {
    /// Whether it is TLS.
    pub const fn encrypts(&self) -> bool {
        match self {
            Self::Plain => false,
            #[cfg(websocket)]
            Self::Masking(_) => false,
            #[cfg(tls)]
            Self::Tls(_) => true,
        }
    }

    /// Takes a step of sending by TLS: how many of `bytes` it has taken, 0 when it must wait.
    ///
    /// # Errors
    /// [`Broken`] when the connection is of no use any more, or has no TLS.
    pub fn send(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let _ = bytes;
        match self {
            #[cfg(tls)]
            Self::Tls(tls) => tls.send(bytes),
            _ => Err(Broken::Failed(0)),
        }
    }

    /// Takes a step of receiving by TLS: how many bytes, 0 when it must wait; and whether there may be more that the socket
    /// does not show.
    ///
    /// # Errors
    /// [`Broken`] at the end of the stream or on an error, or where there is no TLS.
    pub fn receive(&mut self, into: &mut [u8]) -> Result<(usize, bool), Broken> {
        let _ = &into;
        match self {
            #[cfg(tls)]
            Self::Tls(tls) => tls.receive(into),
            _ => Err(Broken::Failed(0)),
        }
    }

    /// Tells the peer that no more will come.
    pub fn close_notify(&mut self) {
        #[cfg(tls)]
        if let Self::Tls(tls) = self {
            tls.close_notify();
        }
    }

    /// What the next connection may resume.
    pub fn resumption(&self) -> Resumption {
        Resumption {
            #[cfg(tls)]
            session: if let Self::Tls(tls) = self { tls.session() } else { None },
        }
    }

    /// Its generator; `None` where nothing needs one.
    #[cfg(websocket)]
    pub const fn random(&mut self) -> Option<&mut Random> {
        match self {
            Self::Plain => None,
            Self::Masking(random) => Some(random),
            #[cfg(tls)]
            Self::Tls(tls) => Some(tls.random()),
        }
    }
}

/// What a connection leaves to the next one: a TLS session, or nothing.
#[derive(Debug, Default)]
pub struct Resumption {
    #[cfg(tls)]
    session: Option<tls::Kept>,
}

/// What a link asks of its TLS handshake. There is none where a build has no TLS.
pub struct TlsRequest(#[cfg(tls)] tls::Wanted, #[cfg(not(tls))] core::convert::Infallible);

impl TlsRequest {
    /// What `config` asks of a connection to `host`.
    ///
    /// # Errors
    /// [`Failure`] when the name is too long, with 0x6005 without memory, or where a build has no TLS.
    pub fn new(host: &[u8], config: &TlsConfig<Bytes>) -> Result<Self, Failure> {
        #[cfg(tls)]
        let request = tls::Wanted::new(host, config).map(Self);
        #[cfg(not(tls))]
        let request = {
            let _ = (host, config);
            Err(Failure::at(Stage::Tls))
        };
        request
    }
}

/// Connects to `host` and port by TCP alone; with a generator for the masks where WebSocket follows.
///
/// # Errors
/// [`Failure`] of [`tcp::connect`], or with 0x6005 where there is no generator.
pub fn connect(
    transport: Transport,
    (host, port): (&[u8], u16),
    attempt: &Attempt<'_>,
) -> Result<(Socket, Security), Failure> {
    let socket = tcp::connect(host, port, attempt)?;
    if !transport.websocket {
        return Ok((socket, Security::Plain));
    }
    #[cfg(websocket)]
    let security = generator().map(Security::Masking);
    #[cfg(not(websocket))]
    let security = Err(Failure::at(Stage::WebSocket));
    Ok((socket, security?))
}

/// Connects to `host` and port by TCP and TLS, trying to resume what the last connection has left.
///
/// # Errors
/// [`Failure`] of `tls::connect`.
pub fn connect_by_tls(
    link: u8,
    transport: Transport,
    peer: (&[u8], u16),
    request: TlsRequest,
    resumption: &mut Resumption,
    attempt: &Attempt<'_>,
) -> Result<(Socket, Security), Failure> {
    #[cfg(tls)]
    {
        let (socket, tls) = tls::connect(link, transport, peer, request.0, &mut resumption.session, attempt)?;
        Ok((socket, Security::Tls(tls)))
    }
    #[cfg(not(tls))]
    {
        let _ = (link, transport, peer, resumption, attempt);
        match request.0 {}
    }
}

/// A generator for the masks of a connection without TLS.
///
/// # Errors
/// [`Failure`] with 0x6005 when there is none.
#[cfg(websocket)]
fn generator() -> Result<Random, Failure> {
    Random::new().map_err(|_| Failure::because(Stage::WebSocket, Code::MallocFailed, 0, "no random numbers"))
}
