//! A call of the guest's as the host's functions get it, and what they answer: the types that all of them share.

use std::ffi::c_void;
use std::fmt;

use xt804::fault::FaultKind;

/// The words of a call: registers first, then stack.
pub type Words = [u32; 8];
/// What a host function leaves in `r0` and, above it, `r1`.
pub type Outcome = Result<u64, Trouble>;

/// What the host finds wrong in a call.
#[derive(Debug)]
pub enum Trouble {
    /// An address.
    Memory(FaultKind),
    /// Anything else.
    Misuse(String),
}

impl From<FaultKind> for Trouble {
    fn from(kind: FaultKind) -> Self {
        Self::Memory(kind)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(kind) => write!(to, "{kind}"),
            Self::Misuse(text) => write!(to, "{text}"),
        }
    }
}

/// A function that the host has.
#[derive(Debug)]
pub struct Row {
    /// As the guest's code calls it.
    pub name: &'static str,
    /// How many words it takes, in registers and on the stack.
    pub arguments: u8,
    /// Does it.
    pub thunk: fn(Words) -> Outcome,
}

/// The low word.
pub fn low(value: u64) -> u32 {
    (value & u64::from(u32::MAX)) as u32
}

/// An `int` as a result.
pub fn status(value: i32) -> Outcome {
    Ok(u64::from(value.cast_unsigned()))
}

/// A function of the guest's and what it wants to be called with, as the one pointer that C passes on.
pub fn pack(function: u32, context: u32) -> *mut c_void {
    let packed = u64::from(function) << 32 | u64::from(context);
    std::ptr::without_provenance_mut(packed as usize)
}

/// What [`pack`] has packed.
pub fn unpack(packed: *mut c_void) -> (u32, u32) {
    let packed = packed.addr() as u64;
    (low(packed >> 32), low(packed))
}
