//! A TLS client on a socket, by the SDK's Mbed TLS.
//!
//! Nothing here waits: each step says what it waits for. One task at a time may use a [`Tls`].

mod callbacks;
mod parts;

use super::bindings;
use super::block::Block;
use super::heap::{self, Bytes};
use super::random::Random;
use super::socket::SocketHandle;
use super::x509::{Certificates, PrivateKey, is_out_of_memory};
use core::ffi::{CStr, c_int};
use heapless::Vec;
use parts::Parts;
use w800_mqtt_core::link::config::MOST_ALPN_NAMES;

/// How a step of the handshake, of reading or of writing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<T> {
    /// It did what it should.
    Done(T),
    /// It goes on when the socket is readable.
    Readable,
    /// It goes on when the socket is writable.
    Writable,
    /// The peer has ended the stream, properly or not.
    Ended,
    /// The connection is of no use any more.
    Failed(Error),
}

/// An error of Mbed TLS: its number, negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error(pub i32);

impl Error {
    /// The peer has refused something by a fatal alert.
    pub fn is_alert(self) -> bool {
        self.0 == bindings::MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
    }

    /// There was no memory.
    pub fn is_out_of_memory(self) -> bool {
        is_out_of_memory(self.0)
    }
}

/// What is wrong with the peer's certificates: Mbed TLS's flags, 0 for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification(pub u32);

impl Verification {
    /// What is wrong, in words; the name comes last, since it says nothing where the rest is not trusted.
    const WORDS: [(u32, &'static str); 6] = [
        (bindings::MBEDTLS_X509_BADCERT_NOT_TRUSTED, "certificate not trusted"),
        (bindings::MBEDTLS_X509_BADCERT_EXPIRED, "certificate expired"),
        (bindings::MBEDTLS_X509_BADCERT_FUTURE, "certificate not yet valid"),
        (
            bindings::MBEDTLS_X509_BADCERT_BAD_MD
                | bindings::MBEDTLS_X509_BADCERT_BAD_PK
                | bindings::MBEDTLS_X509_BADCERT_BAD_KEY,
            "certificate too weak",
        ),
        (!bindings::MBEDTLS_X509_BADCERT_CN_MISMATCH, "certificate not acceptable"),
        (bindings::MBEDTLS_X509_BADCERT_CN_MISMATCH, "host name not in certificate"),
    ];

    /// The reason in words; `None` when nothing is wrong.
    pub fn text(self) -> Option<&'static str> {
        Self::WORDS.iter().find(|(flags, _)| self.0 & flags != 0).map(|(_, text)| *text)
    }

    /// Whether the certificates are good except for the name.
    pub const fn is_name_only(self) -> bool {
        self.0 == bindings::MBEDTLS_X509_BADCERT_CN_MISMATCH
    }
}

/// Whom the peer's certificate must name.
#[derive(Debug)]
pub enum PeerName<'a> {
    /// A host name, which the handshake also sends (SNI).
    Host(&'a CStr),
    /// An address, which is not sent.
    Address(&'a [u8]),
}

/// What a client brings to a handshake.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Whom to trust; with `None` the peer's certificate is not verified.
    pub authorities: Option<Certificates>,
    /// The client's own certificate and its key, if it has to show one.
    pub own: Option<(Certificates, PrivateKey)>,
}

/// A session that a later connection to the same peer may resume.
#[derive(Debug)]
pub struct Session(Block<bindings::mbedtls_ssl_session>);

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the session was initialised and is freed once.
        unsafe { bindings::mbedtls_ssl_session_free(self.0.as_ptr()) };
    }
}

/// A TLS client.
#[derive(Debug)]
pub struct Tls {
    parts: Block<Parts>,
    /// The configuration points to it and to what follows.
    random: Random,
    credentials: Credentials,
    /// The ALPN names, each with its NUL.
    names: Option<Bytes>,
}

impl Tls {
    /// A client that is not connected yet. `protocols` holds NUL-terminated ALPN names one after the other.
    ///
    /// # Errors
    /// [`Error`] when there is no memory for it.
    pub fn new(random: Random, credentials: Credentials, protocols: Option<Bytes>) -> Result<Self, Error> {
        let no_memory = Error(bindings::MBEDTLS_ERR_SSL_ALLOC_FAILED);
        // SAFETY: all zero is a value of every part: the contexts are initialised below, the rest is numbers, null
        // pointers, an empty vector, and `None`.
        let parts = unsafe { Block::<Parts>::zeroed() }.ok_or(no_memory)?;
        let at = parts.as_ptr();
        // SAFETY: the block holds both contexts and does not move.
        unsafe {
            (&raw mut (*at).socket).write(None);
            (&raw mut (*at).address).write(Vec::new());
            bindings::mbedtls_ssl_init(&raw mut (*at).ssl);
            bindings::mbedtls_ssl_config_init(&raw mut (*at).config);
        }
        let mut tls = Self { parts, random, credentials, names: protocols };
        tls.configure()?;
        Ok(tls)
    }

    const fn at(&self) -> *mut Parts {
        self.parts.as_ptr()
    }

    const fn ssl(&self) -> *mut bindings::mbedtls_ssl_context {
        // SAFETY: the block holds the context.
        unsafe { &raw mut (*self.at()).ssl }
    }

    fn configure(&mut self) -> Result<(), Error> {
        // SAFETY: the block holds the configuration.
        let config = unsafe { &raw mut (*self.at()).config };
        let verify = match self.credentials.authorities {
            Some(_) => bindings::MBEDTLS_SSL_VERIFY_REQUIRED,
            None => bindings::MBEDTLS_SSL_VERIFY_NONE,
        };
        // SAFETY: the configuration is initialised; what it gets a pointer to lives as long as this `Tls`, and goes
        // after it.
        unsafe {
            succeeded(bindings::mbedtls_ssl_config_defaults(
                config,
                bindings::MBEDTLS_SSL_IS_CLIENT as c_int,
                bindings::MBEDTLS_SSL_TRANSPORT_STREAM as c_int,
                bindings::MBEDTLS_SSL_PRESET_DEFAULT as c_int,
            ))?;
            bindings::mbedtls_ssl_conf_authmode(config, verify as c_int);
            bindings::mbedtls_ssl_conf_rng(config, Some(bindings::mbedtls_ctr_drbg_random), self.random.context());
            if let Some(authorities) = &self.credentials.authorities {
                bindings::mbedtls_ssl_conf_ca_chain(config, authorities.as_ptr(), core::ptr::null_mut());
                bindings::mbedtls_ssl_conf_verify(config, Some(callbacks::verified), self.at().cast());
            }
            if let Some((own, key)) = &self.credentials.own {
                succeeded(bindings::mbedtls_ssl_conf_own_cert(config, own.as_ptr(), key.as_ptr()))?;
            }
            if LARGEST_FRAGMENT != bindings::MBEDTLS_SSL_MAX_FRAG_LEN_NONE {
                succeeded(bindings::mbedtls_ssl_conf_max_frag_len(config, LARGEST_FRAGMENT as u8))?;
            }
        }
        self.offer_protocols()
    }

    fn offer_protocols(&mut self) -> Result<(), Error> {
        let Some(names) = &self.names else { return Ok(()) };
        // SAFETY: the block holds the list, and nothing else refers to it.
        let list = unsafe { &mut (*self.at()).protocols };
        for (place, name) in
            list.iter_mut().take(MOST_ALPN_NAMES).zip(names.as_ref().split_inclusive(|byte| *byte == 0))
        {
            *place = name.as_ptr().cast();
        }
        // SAFETY: the list ends in a null pointer; the texts end in NUL and live as long as this `Tls`.
        unsafe {
            let at = self.at();
            succeeded(bindings::mbedtls_ssl_conf_alpn_protocols(
                &raw mut (*at).config,
                (&raw mut (*at).protocols).cast(),
            ))
        }
    }

    /// Prepares the handshake on `socket`, which must outlive this `Tls`, trying to resume `session`.
    ///
    /// # Errors
    /// [`Error`] when there is no memory for it.
    pub fn attach(
        &mut self,
        socket: SocketHandle,
        name: &PeerName<'_>,
        session: Option<&Session>,
    ) -> Result<(), Error> {
        if SETUP_ROOM > heap::available() {
            return Err(Error(bindings::MBEDTLS_ERR_SSL_ALLOC_FAILED));
        }
        let at = self.at();
        // Without a name Mbed TLS would refuse to verify; told that there is none, it leaves the name to `verified`.
        let host = match name {
            PeerName::Host(host) => host.as_ptr(),
            PeerName::Address(_) => core::ptr::null(),
        };
        // SAFETY: the contexts are initialised and live, in a block that does not move, as long as this `Tls`; the
        // name is copied, the session too.
        unsafe {
            (*at).socket = Some(socket);
            (*at).handshakes = true;
            if let PeerName::Address(octets) = name {
                (*at).address = Vec::from_slice(octets).unwrap_or_default();
            }
            succeeded(bindings::mbedtls_ssl_setup(self.ssl(), &raw const (*at).config))?;
            succeeded(bindings::mbedtls_ssl_set_hostname(self.ssl(), host.cast()))?;
            bindings::mbedtls_ssl_set_bio(self.ssl(), at.cast(), Some(callbacks::send), Some(callbacks::receive), None);
            if let Some(session) = session {
                // A session that cannot be resumed is made anew.
                let _ = bindings::mbedtls_ssl_set_session(self.ssl(), session.0.as_ptr());
            }
        }
        Ok(())
    }

    /// A step begins: it may take so many bytes. Mbed TLS would go on for as long as a peer sends records that mean
    /// nothing.
    const fn begin_step(&mut self) {
        // SAFETY: the block holds the number.
        unsafe { (*self.at()).budget = STEP_BYTES };
    }

    /// Whether the last step has ended because of its budget: there is more to be read.
    pub const fn is_exhausted(&self) -> bool {
        // SAFETY: the block holds the number.
        unsafe { (*self.at()).budget == 0 }
    }

    /// Goes on with the handshake.
    pub fn handshake(&mut self) -> Step<()> {
        if STEP_ROOM > heap::available() {
            return Step::Failed(Error(bindings::MBEDTLS_ERR_SSL_ALLOC_FAILED));
        }
        self.begin_step();
        // SAFETY: the context is set up.
        match unsafe { bindings::mbedtls_ssl_handshake(self.ssl()) } {
            0 => Step::Done(()),
            status => step(status).map(|_| ()),
        }
    }

    /// The handshake is over: frees what only that needs, certificates and key.
    pub fn end_handshake(&mut self) {
        // SAFETY: the configuration gives up its pointers before what they point to goes; no handshake follows.
        unsafe {
            (*self.at()).handshakes = false;
            let config = &raw mut (*self.at()).config;
            bindings::mbedtls_ssl_conf_ca_chain(config, core::ptr::null_mut(), core::ptr::null_mut());
            let _ = bindings::mbedtls_ssl_conf_own_cert(config, core::ptr::null_mut(), core::ptr::null_mut());
        }
        self.credentials = Credentials::default();
    }

    /// Reads what has come, once decrypted.
    pub fn read(&mut self, into: &mut [u8]) -> Step<usize> {
        self.begin_step();
        // SAFETY: the handshake is over, and `into` is valid for its length.
        let step = step(unsafe { bindings::mbedtls_ssl_read(self.ssl(), into.as_mut_ptr(), into.len()) });
        let in_vain = self.is_exhausted() && !matches!(step, Step::Done(_));
        // SAFETY: the block holds the number.
        let fruitless = unsafe { &mut (*self.at()).fruitless };
        *fruitless = if in_vain { fruitless.saturating_add(1) } else { 0 };
        if *fruitless > MOST_FRUITLESS {
            Step::Failed(Error(bindings::MBEDTLS_ERR_SSL_UNEXPECTED_RECORD))
        } else {
            step
        }
    }

    /// Writes from the front of `bytes`, which are not empty. After [`Step::Writable`] the same bytes must follow.
    pub fn write(&mut self, bytes: &[u8]) -> Step<usize> {
        let at = self.at();
        // SAFETY: the handshake is over, and `bytes` is valid for its length; the block holds the flags.
        unsafe {
            if (*at).alert_pending {
                // Nothing of them is written by this: it only sends what waits.
                match bindings::mbedtls_ssl_write(self.ssl(), bytes.as_ptr(), 0) {
                    0 => {}
                    status => return step(status),
                }
            }
            (*at).writes = true;
            let step = step(bindings::mbedtls_ssl_write(self.ssl(), bytes.as_ptr(), bytes.len()));
            (*at).writes = false;
            (*at).write_pending = step == Step::Writable;
            step
        }
    }

    /// Tells the peer that nothing more will come, as far as the socket takes it at once.
    pub fn close_notify(&mut self) {
        // SAFETY: the context is set up.
        let _ = unsafe { bindings::mbedtls_ssl_close_notify(self.ssl()) };
    }

    /// What the handshake has found wrong with the peer's certificates.
    pub fn verification(&self) -> Verification {
        // SAFETY: the block holds the number, and the context is set up.
        unsafe {
            let (seen, result) = ((*self.at()).verification, bindings::mbedtls_ssl_get_verify_result(self.ssl()));
            // All ones: it has not come so far. What a certificate may be used for is looked at after each of them.
            let result = if result == u32::MAX || self.credentials.authorities.is_none() { 0 } else { result };
            Verification(seen | result)
        }
    }

    /// Whether a certificate that is not trusted may be a good one: without memory for the arithmetic of a signature
    /// Mbed TLS calls it wrong.
    pub fn lacked_memory(&self) -> bool {
        // SAFETY: the block holds the flag.
        unsafe { (*self.at()).memory_was_short }
    }

    /// Bytes that have come from the peer, modulo 2^32: whether a handshake makes progress.
    pub const fn received(&self) -> u32 {
        // SAFETY: the block holds the number.
        unsafe { (*self.at()).received }
    }

    /// The session, for a later connection; `None` where there is nothing to resume, or no memory.
    pub fn session(&self) -> Option<Session> {
        // SAFETY: a session may be all zero until it is initialised below.
        let block = unsafe { Block::zeroed()? };
        // SAFETY: the block holds the session.
        unsafe { bindings::mbedtls_ssl_session_init(block.as_ptr()) };
        let session = Session(block);
        // SAFETY: both are initialised.
        let status = unsafe { bindings::mbedtls_ssl_get_session(self.ssl(), session.0.as_ptr()) };
        (status == 0).then_some(session)
    }

    /// The generator behind it.
    pub const fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let at = self.at();
        // SAFETY: both contexts were initialised and are freed once, before what they point to.
        unsafe {
            bindings::mbedtls_ssl_free(&raw mut (*at).ssl);
            bindings::mbedtls_ssl_config_free(&raw mut (*at).config);
        }
    }
}

/// The longest message of a handshake that Mbed TLS can send, in bytes: it does not divide one between records.
pub const LONGEST_MESSAGE: usize = bindings::MBEDTLS_SSL_OUT_CONTENT_LEN as usize;

/// What Mbed TLS takes of the heap to begin with, in bytes: its two buffers, and what it counts a handshake with.
const SETUP_ROOM: usize =
    (bindings::MBEDTLS_SSL_IN_CONTENT_LEN as usize).saturating_add(LONGEST_MESSAGE).saturating_add(heap::MBEDTLS_ROOM);

/// What it takes besides for a flight of the handshake, in bytes: a certificate that it reads, or numbers to calculate with.
const STEP_ROOM: usize = heap::MBEDTLS_ROOM / 2;

/// The code of the largest fragment that fits the SDK's buffers (RFC 6066 §4); none where every record of the server
/// fits. It holds for both directions, and Mbed TLS refuses one that does not fit the smaller buffer.
const LARGEST_FRAGMENT: u32 = match smaller(bindings::MBEDTLS_SSL_IN_CONTENT_LEN, bindings::MBEDTLS_SSL_OUT_CONTENT_LEN)
{
    _ if bindings::MBEDTLS_SSL_IN_CONTENT_LEN >= 16_384 => bindings::MBEDTLS_SSL_MAX_FRAG_LEN_NONE,
    4_096.. => bindings::MBEDTLS_SSL_MAX_FRAG_LEN_4096,
    2_048.. => bindings::MBEDTLS_SSL_MAX_FRAG_LEN_2048,
    1_024.. => bindings::MBEDTLS_SSL_MAX_FRAG_LEN_1024,
    _ => bindings::MBEDTLS_SSL_MAX_FRAG_LEN_512,
};

const fn smaller(one: u32, other: u32) -> u32 {
    if one < other { one } else { other }
}

/// Bytes that one step may take from the socket. A record may need several steps.
const STEP_BYTES: usize = 4096;

/// Steps in a row that may bring nothing: the largest record takes five.
const MOST_FRUITLESS: u8 = 16;

/// Whether the SDK's Mbed TLS is the one whose headers this was built with: its contexts must have the same size.
pub fn is_the_one_built_for() -> bool {
    // SAFETY: no requirements.
    let number = unsafe { bindings::mbedtls_version_get_number() };
    number == bindings::MBEDTLS_VERSION_NUMBER
}

const fn succeeded(status: c_int) -> Result<(), Error> {
    if status == 0 { Ok(()) } else { Err(Error(status)) }
}

fn step(status: c_int) -> Step<usize> {
    match status {
        0
        | bindings::MBEDTLS_ERR_SSL_CONN_EOF
        | bindings::MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY
        | bindings::MBEDTLS_ERR_NET_CONN_RESET => Step::Ended,
        bindings::MBEDTLS_ERR_SSL_WANT_READ | bindings::MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET => Step::Readable,
        bindings::MBEDTLS_ERR_SSL_WANT_WRITE => Step::Writable,
        _ => usize::try_from(status).map_or(Step::Failed(Error(status)), Step::Done),
    }
}

impl<T> Step<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done(value) => Step::Done(change(value)),
            Self::Readable => Step::Readable,
            Self::Writable => Step::Writable,
            Self::Ended => Step::Ended,
            Self::Failed(error) => Step::Failed(error),
        }
    }
}
