//! TLS on a socket: what it needs is gathered before anything is sent, then the handshake is made within its time.

use super::credentials::{self, NO_MEMORY};
use super::{Attempt, tcp};
use crate::sdk::clock::{knows_the_date, left_ms, now};
use crate::sdk::heap::Bytes;
use crate::sdk::random::{NoRandom, Random};
use crate::sdk::socket::{Broken, Interest, Socket};
use crate::sdk::tls::{Error, PeerName, Session, Step, Tls, is_the_one_built_for};
use core::ffi::CStr;
use heapless::Vec;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::link::config::{TlsConfig, Transport};
use w800_mqtt_core::report::{Failure, Stage};

/// How long the peer may take for its next packet of a handshake, in milliseconds.
const PACKET_MS: u64 = 10_000;

/// What a link asks of its handshake.
pub struct Wanted {
    name: Name,
    protocols: Option<Bytes>,
}

impl Wanted {
    /// What `config` asks of a connection to `host`.
    ///
    /// # Errors
    /// [`Failure`] when the name is too long, or with 0x6005 without memory.
    pub fn new(host: &[u8], config: &TlsConfig<Bytes>) -> Result<Self, Failure> {
        Ok(Self { name: Name::new(host, config.sni.as_ref().map(AsRef::as_ref))?, protocols: protocols(config)? })
    }
}

/// A session to resume, and the version of the credentials that its first handshake began with.
#[derive(Debug)]
pub struct Kept {
    session: Session,
    credentials: u32,
}

/// TLS whose handshake is over.
#[derive(Debug)]
pub struct Layer {
    tls: Tls,
    /// The version of the credentials that it began with.
    credentials: u32,
}

/// Connects to `host` and port and makes the handshake, trying to resume the session that is `kept`. What TLS needs is
/// gathered before anything is sent.
///
/// # Errors
/// [`Failure`] of [`prepare`], [`tcp::connect`] or [`handshake`].
pub fn connect(
    link: u8,
    transport: Transport,
    (host, port): (&[u8], u16),
    wanted: Wanted,
    kept: &mut Option<Kept>,
    attempt: &Attempt<'_>,
) -> Result<(Socket, Layer), Failure> {
    let version = credentials::version();
    let mut tls = prepare(link, transport, wanted.protocols)?;
    let socket = tcp::connect(host, port, attempt)?;
    let kept = kept.take().filter(|kept| kept.credentials == version);
    handshake(&mut tls, &socket, &wanted.name, kept.as_ref().map(|kept| &kept.session), attempt)?;
    Ok((socket, Layer { tls, credentials: version }))
}

impl Layer {
    /// Encrypts and sends some of `bytes`: how many, 0 when it must wait.
    ///
    /// # Errors
    /// [`Broken`] when the connection is of no use any more.
    pub fn send(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        moved(self.tls.write(bytes))
    }

    /// Receives and decrypts what is there: how many bytes, 0 when it must wait; and whether there may be more that the
    /// socket does not show.
    ///
    /// # Errors
    /// [`Broken`] at the end of the stream or on an error.
    pub fn receive(&mut self, into: &mut [u8]) -> Result<(usize, bool), Broken> {
        let got = moved(self.tls.read(into))?;
        Ok((got, got > 0 || self.tls.is_exhausted()))
    }

    /// The session, for the next connection.
    pub fn session(&self) -> Option<Kept> {
        Some(Kept { session: self.tls.session()?, credentials: self.credentials })
    }

    /// Says that no more will come.
    pub fn close_notify(&mut self) {
        self.tls.close_notify();
    }

    /// Its generator.
    #[cfg(websocket)]
    pub const fn random(&mut self) -> &mut Random {
        self.tls.random()
    }
}

/// Bytes that a step has moved; 0 when it must wait.
const fn moved(step: Step<usize>) -> Result<usize, Broken> {
    match step {
        Step::Done(moved) => Ok(moved),
        Step::Readable | Step::Writable => Ok(0),
        Step::Ended => Err(Broken::Ended),
        Step::Failed(error) => Err(Broken::Failed(error.0)),
    }
}

/// Makes a client that has everything for a handshake of `transport`.
///
/// # Errors
/// [`Failure`] at [`Stage::Tls`]: 0x6009 when the clock was never set and must be, the codes of
/// [`credentials::gather`], or 0x6005 without memory.
fn prepare(link: u8, transport: Transport, protocols: Option<Bytes>) -> Result<Tls, Failure> {
    let unfit = |text| Failure::because(Stage::Tls, Code::TlsConfigError, 0, text);
    if !is_the_one_built_for() {
        return Err(unfit("built for another Mbed TLS"));
    }
    if transport.verify && !knows_the_date() {
        return Err(unfit("clock not set"));
    }
    let mut random = Random::new().map_err(without_random)?;
    let credentials = credentials::gather(link, transport.verify, transport.certificate, &mut random)?;
    Tls::new(random, credentials, protocols).map_err(failed)
}

/// There are no random numbers, for this reason.
const fn without_random(why: NoRandom) -> Failure {
    match why {
        NoRandom::NoMemory => no_memory(),
        NoRandom::NoEntropy => config_error(0, "no entropy"),
    }
}

const fn no_memory() -> Failure {
    Failure::because(Stage::Tls, Code::MallocFailed, 0, NO_MEMORY)
}

/// The ALPN names of `config` as [`prepare`] wants them, each with a NUL after it.
///
/// # Errors
/// [`Failure`] with 0x6005 without memory for them.
fn protocols(config: &TlsConfig<Bytes>) -> Result<Option<Bytes>, Failure> {
    let length = config.alpn.iter().map(|name| name.as_ref().len().saturating_add(1)).sum();
    if length == 0 {
        return Ok(None);
    }
    let mut names = Bytes::allocate(length).ok_or(no_memory())?;
    let bytes = config.alpn.iter().flat_map(|name| name.as_ref().iter().chain(&[0]));
    for (to, from) in names.as_mut().iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok(Some(names))
}

/// The name that SNI sends and that a certificate must hold: `sni` where it was set, else the host. An address is
/// looked for as such and not sent.
struct Name {
    text: Vec<u8, 256>,
    address: Vec<u8, 16>,
}

impl Name {
    /// The name of `host`, for which `sni` may stand.
    ///
    /// # Errors
    /// [`Failure`] when it is too long.
    fn new(host: &[u8], sni: Option<&[u8]>) -> Result<Self, Failure> {
        let name = sni.unwrap_or(host);
        let address = tcp::literal(name, 0).map(|address| address.octets()).unwrap_or_default();
        // A name's last dot says that it is whole; certificates and SNI do without it (RFC 6066 §3).
        let mut text = Vec::from_slice(name.strip_suffix(b".").unwrap_or(name)).map_err(|_| no_memory())?;
        text.push(0).map_err(|_| no_memory())?;
        Ok(Self { text, address })
    }

    fn as_peer(&self) -> PeerName<'_> {
        if self.address.is_empty() {
            PeerName::Host(CStr::from_bytes_until_nul(&self.text).unwrap_or(c""))
        } else {
            PeerName::Address(&self.address)
        }
    }
}

/// Makes the handshake on `socket`, trying to resume `session`.
///
/// # Errors
/// [`Failure`] at [`Stage::Tls`]: 0x6052 when the certificate is good except for its name, 0x6005 without memory, else
/// 0x6009.
fn handshake(
    tls: &mut Tls,
    socket: &Socket,
    name: &Name,
    session: Option<&Session>,
    attempt: &Attempt<'_>,
) -> Result<(), Failure> {
    tls.attach(socket.handle(), &name.as_peer(), session).map_err(failed)?;
    let mut packet_by = now().after(PACKET_MS);
    while left_ms(packet_by) > 0 && !attempt.is_over() {
        let received = tls.received();
        let interest = match tls.handshake() {
            Step::Done(()) => {
                tls.end_handshake();
                return Ok(());
            }
            Step::Readable => Interest::Readable,
            Step::Writable => Interest::Writable,
            Step::Ended => return Err(config_error(0, "closed by the server")),
            Step::Failed(error) => return Err(refused(tls, error)),
        };
        if tls.received() != received {
            packet_by = now().after(PACKET_MS);
        }
        if !tls.is_exhausted() {
            attempt.wait(socket, interest);
        }
    }
    Err(config_error(0, "no answer"))
}

const fn config_error(detail: i32, text: &'static str) -> Failure {
    Failure::because(Stage::Tls, Code::TlsConfigError, detail, text)
}

/// A handshake was ended with `error`: the peer's certificate may be the reason.
fn refused(tls: &Tls, error: Error) -> Failure {
    let verification = tls.verification();
    match verification.text() {
        Some(_) if tls.lacked_memory() => no_memory(),
        Some(text) if verification.is_name_only() => {
            Failure::because(Stage::Tls, Code::HostnameVerifyFailed, verification.0.cast_signed(), text)
        }
        Some(text) => config_error(verification.0.cast_signed(), text),
        None => failed(error),
    }
}

fn failed(error: Error) -> Failure {
    match error {
        _ if error.is_out_of_memory() => Failure::because(Stage::Tls, Code::MallocFailed, error.0, NO_MEMORY),
        _ if error.is_alert() => config_error(error.0, "refused by an alert"),
        _ => config_error(error.0, "TLS failed"),
    }
}
