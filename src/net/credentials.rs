//! Where the credentials for TLS come from: what `AT+MQTTCERT` has stored, else what the firmware brings along.

use crate::options::ADDITIONS;
use crate::sdk::credentials::of_the_firmware;
use crate::sdk::digest::sha256;
use crate::sdk::heap::Secret;
use crate::sdk::random::Random;
use crate::sdk::storage::{self, Refused};
use crate::sdk::tls::{Credentials, LONGEST_MESSAGE};
use crate::sdk::x509::{Certificates, PrivateKey, Unusable};
use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::credential::{CredentialKind, certificate_message};
use w800_mqtt_core::report::{Failure, Stage, UNSENDABLE};

/// Counts changes of credentials, modulo 2^32.
static CHANGES: AtomicU32 = AtomicU32::new(0);

/// A credential is not what it was.
pub fn changed() {
    CHANGES.fetch_add(1, Ordering::AcqRel);
}

/// A number that is another one when a credential has changed meanwhile: a TLS session that began with other
/// credentials must not be resumed, for that would verify nothing anew.
pub fn version() -> u32 {
    CHANGES.load(Ordering::Acquire)
}

/// What begins each part of a PEM text.
const PEM: &[u8] = b"-----BEGIN ";

/// A credential as it was given.
enum Text {
    /// By `AT+MQTTCERT`, with a NUL after it.
    Stored(Secret),
    /// By the firmware, as Mbed TLS takes it.
    Firmware(&'static [u8]),
}

impl Text {
    /// The text in effect for `kind`; `None` where there is none.
    ///
    /// # Errors
    /// [`Refused`] without memory for it.
    fn of(link: u8, kind: CredentialKind) -> Result<Option<Self>, Refused> {
        if ADDITIONS && let Some(stored) = storage::load(key(&name(link, kind)))? {
            return Ok(Some(Self::Stored(Secret(stored))));
        }
        let firmware = of_the_firmware(link, kind);
        Ok((!firmware.is_empty()).then_some(Self::Firmware(firmware)))
    }

    /// As Mbed TLS takes it: PEM with its NUL, DER without one.
    fn for_mbedtls(&self) -> &[u8] {
        match self {
            Self::Stored(Secret(text)) if is_pem(text.as_ref()) => text.as_ref(),
            Self::Stored(_) => self.as_given(),
            Self::Firmware(text) => text,
        }
    }

    /// As it was given, without a NUL.
    fn as_given(&self) -> &[u8] {
        match self {
            Self::Stored(Secret(text)) => text.as_ref().split_last().map_or(&[], |(_, text)| text),
            Self::Firmware(text) if is_pem(text) => text.strip_suffix(b"\0").unwrap_or(text),
            Self::Firmware(text) => text,
        }
    }
}

fn is_pem(text: &[u8]) -> bool {
    text.windows(PEM.len()).any(|window| window == PEM)
}

/// The name in the storage.
const fn name(link: u8, kind: CredentialKind) -> [u8; 4] {
    [b'c', b'0'.wrapping_add(kind as u8), b'0'.wrapping_add(link), 0]
}

fn key(name: &[u8; 4]) -> &CStr {
    CStr::from_bytes_with_nul(name).unwrap_or(c"")
}

/// Whether `text`, as Mbed TLS takes it, can be read as a `kind`.
///
/// # Errors
/// [`Unusable`] when it cannot.
pub fn check(kind: CredentialKind, text: &[u8]) -> Result<(), Unusable> {
    match kind {
        CredentialKind::Authority | CredentialKind::Certificate => Certificates::parse(text).map(drop),
        CredentialKind::Key => {
            let mut random = Random::new().map_err(|_| Unusable::NoMemory)?;
            PrivateKey::parse(text, &mut random).map(drop)
        }
    }
}

/// The length of the message that would show the certificates in `text` to a server, if they are a client's and that is more
/// than Mbed TLS can send.
#[inline(never)]
fn unsendable(kind: CredentialKind, text: &[u8]) -> Option<i32> {
    let length = if kind == CredentialKind::Certificate { certificate_message(text) } else { 0 };
    (length > LONGEST_MESSAGE).then(|| i32::try_from(length).unwrap_or(i32::MAX))
}

/// Why a credential was not stored; what was there stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotStored {
    /// 0x6022, 0x6024 or 0x6026: it cannot be read. 0x6005: there is no memory or storage for it.
    Because(Code),
    /// It makes a message of so many bytes, which are more than can be sent.
    Unsendable(i32),
}

/// Stores `text`, which has a NUL after it, in place of what was there.
///
/// # Errors
/// [`NotStored`], and why.
pub fn store(link: u8, kind: CredentialKind, text: Secret) -> Result<(), NotStored> {
    let text = Text::Stored(text);
    check(kind, text.for_mbedtls()).map_err(|why| NotStored::Because(code(kind, why)))?;
    if let Some(length) = unsendable(kind, text.for_mbedtls()) {
        return Err(NotStored::Unsendable(length));
    }
    let stored = storage::store(key(&name(link, kind)), text.as_given());
    changed();
    stored.map_err(|Refused| NotStored::Because(Code::MallocFailed))
}

/// Forgets what [`store`] has stored.
///
/// # Errors
/// 0x6005 when the storage fails.
pub fn erase(link: u8, kind: CredentialKind) -> Result<(), Code> {
    let erased = storage::erase(key(&name(link, kind)));
    changed();
    erased.map_err(|Refused| Code::MallocFailed)
}

/// The length in bytes of the `kind` in effect and the first 8 bytes of its SHA-256; `None` where there is none.
///
/// # Errors
/// 0x6005 without memory to look at it.
pub fn describe(link: u8, kind: CredentialKind) -> Result<Option<(usize, [u8; 8])>, Code> {
    let Some(text) = Text::of(link, kind).map_err(|Refused| Code::MallocFailed)? else { return Ok(None) };
    let given = text.as_given();
    let digest = sha256(given).and_then(|digest| digest.first_chunk().copied()).ok_or(Code::MallocFailed)?;
    Ok(Some((given.len(), digest)))
}

const fn code(kind: CredentialKind, why: Unusable) -> Code {
    match why {
        Unusable::Unreadable => kind.read_code(),
        Unusable::NoMemory => Code::MallocFailed,
    }
}

/// Reads what a handshake needs: authorities to `verify`, a certificate with its key to `show`.
///
/// # Errors
/// [`Failure`] with the code of the kind that is missing (0x6021, 0x6023, 0x6025), makes too long a message (0x6023) or is of
/// no use (0x6022, 0x6024, 0x6026), or with 0x6005 without memory.
pub fn gather(link: u8, verify: bool, show: bool, random: &mut Random) -> Result<Credentials, Failure> {
    let mut credentials = Credentials::default();
    if verify {
        credentials.authorities = Some(read(link, CredentialKind::Authority, Certificates::parse)?);
    }
    if show {
        let own = read(link, CredentialKind::Certificate, Certificates::parse)?;
        let key = read(link, CredentialKind::Key, |text| {
            let key = PrivateKey::parse(text, random)?;
            key.fits(&own, random).map(|()| key)
        })?;
        credentials.own = Some((own, key));
    }
    Ok(credentials)
}

fn read<T>(link: u8, kind: CredentialKind, parse: impl FnOnce(&[u8]) -> Result<T, Unusable>) -> Result<T, Failure> {
    let failure = |code, text| Failure::because(Stage::Tls, code, 0, text);
    match Text::of(link, kind) {
        Ok(Some(text)) => {
            let text = text.for_mbedtls();
            let parsed = parse(text).map_err(|why| match why {
                Unusable::Unreadable => failure(kind.read_code(), kind.unusable()),
                Unusable::NoMemory => failure(Code::MallocFailed, NO_MEMORY),
            })?;
            match unsendable(kind, text) {
                Some(length) => Err(Failure::because(Stage::Tls, kind.length_code(), length, UNSENDABLE)),
                None => Ok(parsed),
            }
        }
        Ok(None) => Err(failure(kind.length_code(), kind.missing())),
        Err(Refused) => Err(failure(Code::MallocFailed, NO_MEMORY)),
    }
}

/// In words.
pub const NO_MEMORY: &str = "no memory for TLS";

/// Damage in the storage: what comes of it is reported, never used, never fatal.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::storage::testing;
    use crate::sdk::task::testing::on_task;
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;
    use std::vec::Vec;
    use std::{env, fs, process};

    const CERTIFICATE: &[u8] = include_bytes!("testdata/certificate.der");
    const KEY: &[u8] = include_bytes!("testdata/key.der");

    /// Where the key has its number (RFC 5915): the rest of it says again what follows from that, or nothing.
    const NUMBER: core::ops::Range<usize> = 7..39;

    /// Damaged bytes are what they were but for this.
    #[derive(Debug, Clone, Copy)]
    enum Damage {
        Bit(usize),
        Cut(usize),
    }

    impl Damage {
        /// Of each bit of `length` bytes, and each cut that leaves any.
        fn all(length: usize) -> impl Iterator<Item = Self> {
            (0..length * 8).map(Self::Bit).chain((1..length).map(Self::Cut))
        }

        fn done_to(self, bytes: &[u8]) -> Vec<u8> {
            match self {
                Self::Bit(bit) => {
                    let mut damaged = bytes.to_vec();
                    damaged[bit / 8] ^= 1 << (bit % 8);
                    damaged
                }
                Self::Cut(length) => bytes[..length].to_vec(),
            }
        }
    }

    /// A storage in a file that nobody else has, with the key in it; one test uses it.
    fn stored() -> PathBuf {
        let path = env::temp_dir().join(std::format!("w800-credentials-{}", process::id()));
        fs::write(&path, b"").unwrap();
        restart(&path);
        put(CredentialKind::Key, KEY);
        path
    }

    fn restart(path: &std::path::Path) {
        testing::start(&CString::new(path.as_os_str().as_bytes()).unwrap());
    }

    fn put(kind: CredentialKind, text: &[u8]) {
        storage::store(key(&name(0, kind)), text).unwrap();
    }

    fn gathered(verify: bool, show: bool) -> Result<(), Code> {
        let mut random = Random::new().unwrap();
        gather(0, verify, show, &mut random).map(drop).map_err(|failure| failure.code)
    }

    /// The storage is none any more: what was in it is missing, and nothing is made of what is left.
    fn a_damaged_file(path: &std::path::Path) {
        let whole = fs::read(path).unwrap();
        let damages = Damage::all(whole.len()).map(|damage| damage.done_to(&whole));
        let noise = (0..500_u32).map(|seed| {
            let length = seed as usize;
            (0..length as u32)
                .map(|at| (seed.wrapping_mul(31).wrapping_add(at).wrapping_mul(0x9E37_79B1) >> 24) as u8)
                .collect()
        });
        for damaged in damages.chain(noise) {
            fs::write(path, &damaged).unwrap();
            restart(path);
            assert_eq!(describe(0, CredentialKind::Key), Ok(None), "{damaged:?}");
            assert_eq!(wanted_key(), Err(Code::KeyLengthError));
        }
        fs::write(path, &whole).unwrap();
        restart(path);
        assert_eq!(wanted_key(), Ok(()));
    }

    /// What a handshake finds that wants the key.
    fn wanted_key() -> Result<(), Code> {
        read(0, CredentialKind::Key, |_| Ok(())).map_err(|failure| failure.code)
    }

    /// The storage is sound, and what it keeps of `kind` is not. Mbed TLS may find a certificate in it; never another key.
    fn damaged_text(kind: CredentialKind, whole: &[u8], every: usize) {
        for damage in Damage::all(whole.len()).step_by(every) {
            let damaged = damage.done_to(whole);
            put(kind, &damaged);
            let result = gathered(kind == CredentialKind::Authority, kind != CredentialKind::Authority);
            let mismatch = kind == CredentialKind::Certificate && result == Err(Code::KeyReadFailed);
            assert!(result == Ok(()) || result == Err(kind.read_code()) || mismatch, "{damage:?}: {result:?}");
            let harmless = match damage {
                Damage::Bit(bit) => kind != CredentialKind::Key || !NUMBER.contains(&(bit / 8)),
                Damage::Cut(_) => false,
            };
            assert!(harmless || result.is_err(), "{damage:?} was used");
        }
        put(kind, whole);
        assert_eq!(gathered(true, true), Ok(()));
    }

    #[test]
    fn damage_in_the_storage() {
        on_task(|| {
            let path = stored();
            a_damaged_file(&path);
            put(CredentialKind::Authority, CERTIFICATE);
            put(CredentialKind::Certificate, CERTIFICATE);
            damaged_text(CredentialKind::Authority, CERTIFICATE, 1);
            damaged_text(CredentialKind::Certificate, CERTIFICATE, 5);
            damaged_text(CredentialKind::Key, KEY, 1);
            for (kind, other) in [
                (CredentialKind::Authority, KEY),
                (CredentialKind::Certificate, KEY),
                (CredentialKind::Key, CERTIFICATE),
            ] {
                put(kind, other);
                assert_eq!(gathered(kind == CredentialKind::Authority, true), Err(kind.read_code()));
                put(kind, if kind == CredentialKind::Key { KEY } else { CERTIFICATE });
            }
            fs::remove_file(path).unwrap();
        });
    }
}
