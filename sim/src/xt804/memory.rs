//! What host functions read of the guest's memory and write there.

use std::ffi::CString;

use xt804::operation::Access;

use super::call::Trouble;
use super::guest::core;

/// The guest's bytes.
pub fn read(at: u32, size: u32) -> Result<Vec<u8>, Trouble> {
    core().read(at, size)
}

/// Puts bytes into the guest's memory.
pub fn write(at: u32, bytes: &[u8]) -> Result<(), Trouble> {
    core().write(at, bytes)
}

/// As many zeros as the host may put at a place of the guest's.
pub fn buffer(at: u32, size: u32) -> Result<Vec<u8>, Trouble> {
    core().bytes_mut(at, size)?;
    Ok(vec![0; size as usize])
}

/// Puts the front of a buffer where it belongs, as far as it was filled.
pub fn fill(at: u32, bytes: &[u8], filled: impl TryInto<usize>) -> Result<(), Trouble> {
    write(at, bytes.get(..filled.try_into().unwrap_or(0)).unwrap_or_default())
}

/// A word.
pub fn word(at: u32) -> Result<u32, Trouble> {
    Ok(core().machine().memory().load(at, Access::Word)?)
}

/// Sets a word.
pub fn set_word(at: u32, value: u32) -> Result<(), Trouble> {
    Ok(core().machine_mut().memory_mut().store(at, Access::Word, value)?)
}

/// A text.
pub fn text(at: u32) -> Result<CString, Trouble> {
    let core = core();
    CString::new(core.machine().memory().c_string(at)?).map_err(|error| Trouble::Misuse(error.to_string()))
}

/// A text or NULL.
pub fn optional_text(at: u32) -> Result<Option<CString>, Trouble> {
    if at == 0 { Ok(None) } else { text(at).map(Some) }
}

/// Whether an address is that of a function of the host's.
pub fn is_import(address: u32, name: &str) -> bool {
    core().machine().symbols().address(name) == Some(address)
}

/// Shows bytes to the guest while `body` runs; what it has made of them comes back.
pub fn lend<R>(bytes: &mut [u8], body: impl FnOnce(u32) -> R) -> Result<R, Trouble> {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let at = core().allocate(size)?;
    write(at, bytes)?;
    let result = body(at);
    bytes.copy_from_slice(&read(at, size)?);
    core().release(at)?;
    Ok(result)
}
