//! What a line's parameters are, held beyond the line: for the tests of the parser and its fuzz target.

use std::vec::Vec;
use w800_mqtt_core::at::parse::{Split, Value};
use w800_mqtt_core::at::{Code, Command};

/// A value that outlives its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// A number.
    Int(u32),
    /// A text, its escapes resolved.
    Text(Vec<u8>),
    /// Not there.
    Omitted,
}

/// All parameters of `row`, on a board with one link.
///
/// # Errors
/// The code that answers the line.
pub fn values(row: &'static Command, split: Result<Split<'_>, Code>) -> Result<Vec<Owned>, Code> {
    let split = split?;
    split.link_id(1)?;
    let values = split.values()?;
    Ok((0..row.params.len())
        .map(|position| match values.get(position) {
            Value::Int(value) => Owned::Int(value),
            Value::Text(text) => Owned::Text(text.to_vec()),
            Value::Omitted => Owned::Omitted,
        })
        .collect())
}
