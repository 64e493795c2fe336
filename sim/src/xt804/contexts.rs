//! Mbed TLS's structures. A context of the guest's is a piece of its memory that nobody looks into: the context itself
//! is the host's, made by `..._init` of that address and gone with `..._free`.
#![expect(unsafe_code, reason = "the board is C")]

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};

use w800_mqtt_at::sdk::bindings as sdk;

use super::call::{Outcome, Trouble, Words};
use super::heap;

/// The guest's functions for the bytes on the wire.
#[derive(Clone, Copy, Default)]
pub struct Bio {
    /// What they are called with first.
    pub context: u32,
    /// Sends.
    pub send: u32,
    /// Receives.
    pub receive: u32,
}

/// The names that Mbed TLS keeps pointers to.
#[derive(Default)]
pub struct Protocols {
    #[expect(dead_code, reason = "the list points to them")]
    texts: Vec<CString>,
    list: Vec<*const c_char>,
}

impl Protocols {
    /// As Mbed TLS wants them: pointers up to a NULL.
    pub fn new(texts: Vec<CString>) -> Self {
        let list = texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect();
        Self { texts, list }
    }

    /// The pointers, which are valid as long as this is.
    pub fn list(&mut self) -> *mut *const c_char {
        self.list.as_mut_ptr()
    }
}

/// A structure of Mbed TLS's with the functions that begin and end it.
pub trait Context: 'static {
    /// What the host keeps beside it, at a place that does not change.
    type Beside: Default;
    const NAME: &'static str;
    /// # Safety
    /// The place is one for a context.
    unsafe fn init(at: *mut Self);
    /// # Safety
    /// The context is initialised; it is not used any more.
    unsafe fn free(at: *mut Self);
}

macro_rules! contexts {
    ($($name:ident $init:ident $free:ident $beside:ty;)*) => {$(
        impl Context for sdk::$name {
            type Beside = $beside;
            const NAME: &'static str = stringify!($name);
            unsafe fn init(at: *mut Self) {
                // SAFETY: by this function's contract.
                unsafe { sdk::$init(at) };
            }
            unsafe fn free(at: *mut Self) {
                // SAFETY: by this function's contract.
                unsafe { sdk::$free(at) };
            }
        }
    )*};
}

contexts! {
    mbedtls_entropy_context mbedtls_entropy_init mbedtls_entropy_free ();
    mbedtls_ctr_drbg_context mbedtls_ctr_drbg_init mbedtls_ctr_drbg_free ();
    mbedtls_x509_crt mbedtls_x509_crt_init mbedtls_x509_crt_free ();
    mbedtls_pk_context mbedtls_pk_init mbedtls_pk_free ();
    mbedtls_ssl_context mbedtls_ssl_init mbedtls_ssl_free Bio;
    mbedtls_ssl_config mbedtls_ssl_config_init mbedtls_ssl_config_free Protocols;
    mbedtls_ssl_session mbedtls_ssl_session_init mbedtls_ssl_session_free ();
}

/// A context of the host's.
pub struct Hosted<T: Context> {
    /// The structure itself.
    pub context: MaybeUninit<T>,
    /// What is kept with it.
    pub beside: T::Beside,
}

struct Entry {
    kind: TypeId,
    name: &'static str,
    hosted: usize,
}

static CONTEXTS: Mutex<BTreeMap<u32, Entry>> = Mutex::new(BTreeMap::new());

fn contexts() -> MutexGuard<'static, BTreeMap<u32, Entry>> {
    CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn init<T: Context>([at, ..]: Words) -> Outcome {
    heap::is_for_mbedtls(at)?;
    let hosted = Box::into_raw(Box::new(Hosted::<T> { context: MaybeUninit::zeroed(), beside: T::Beside::default() }));
    // SAFETY: the box has the place.
    unsafe { T::init((&raw mut (*hosted).context).cast()) };
    let entry = Entry { kind: TypeId::of::<T>(), name: T::NAME, hosted: hosted.expose_provenance() };
    match contexts().insert(at, entry) {
        None => Ok(0),
        Some(old) => Err(Trouble::Misuse(format!("{} at {at:#010x} was never freed", old.name))),
    }
}

pub fn free<T: Context>([at, ..]: Words) -> Outcome {
    if at == 0 {
        return Ok(0);
    }
    let hosted = hosted::<T>(at)?;
    contexts().remove(&at);
    // SAFETY: it is initialised, and this is the one that had it.
    unsafe {
        T::free((&raw mut (*hosted).context).cast());
        drop(Box::from_raw(hosted));
    }
    Ok(0)
}

/// The host's context for an address of the guest's.
pub fn hosted<T: Context>(at: u32) -> Result<*mut Hosted<T>, Trouble> {
    match contexts().get(&at) {
        Some(entry) if entry.kind == TypeId::of::<T>() => Ok(std::ptr::with_exposed_provenance_mut(entry.hosted)),
        _ => Err(Trouble::Misuse(format!("{at:#010x} is no initialised {}", T::NAME))),
    }
}

/// The structure of it.
pub fn find<T: Context>(at: u32) -> Result<*mut T, Trouble> {
    let hosted = hosted::<T>(at)?;
    // SAFETY: the entry's box lives until its context is freed.
    Ok(unsafe { &raw mut (*hosted).context }.cast())
}

/// As [`find`] where NULL takes back what was set.
pub fn find_or_null<T: Context>(at: u32) -> Result<*mut T, Trouble> {
    if at == 0 { Ok(std::ptr::null_mut()) } else { find(at) }
}

/// Refuses that the guest's memory goes while a context is in it: on the chip its parts would be lost.
pub fn must_not_lie_in(at: u32, size: u32) -> Result<(), Trouble> {
    match contexts().range(at..at.saturating_add(size)).next() {
        None => Ok(()),
        Some((place, entry)) => Err(Trouble::Misuse(format!("{} at {place:#010x} is lost", entry.name))),
    }
}
