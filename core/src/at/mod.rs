//! One command line in, typed parameters out; one answer out, text on the port.
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`command`] | the contract's command list | [`command::COMMANDS`], the rows everything below walks |
//! | [`parse`] | a line as it was typed | [`parse::Values`], or the documented [`code::Code`] |
//! | [`argv`] | the server's arguments, in an image without the port | the same |
//! | [`text`] | text that enters MQTT packets | a proof that MQTT allows it there |
//! | [`answer`] | numbers and bytes | the literal lines hosts look for |
//! | [`code`] | a refusal | its number and documented name |
//!
//! Implements sections 1, 3, 4 and 7 of the AT contract. What a command *does*, and whether a link's state allows
//! it (section 2), is decided elsewhere; nothing here performs input or output, keeps state between lines,
//! allocates, or knows the time.

#![forbid(unsafe_code)]

pub mod answer;
pub mod argv;
pub mod code;
pub mod command;
pub mod parse;
mod quoting;
pub mod text;

pub use argv::{ArgStyle, Scratch};
pub use code::Code;
pub use command::{COMMANDS, Command, CommandId};
pub use parse::{Split, Values, split};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
mod properties;
