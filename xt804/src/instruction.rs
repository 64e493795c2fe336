//! A decoded instruction.

use crate::operation::Op;

/// An operation with its registers and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub op: Op,
    /// The manual's `rz` or `fz`: mostly the destination.
    pub z: u8,
    /// The manual's `rx` or `fx`.
    pub x: u8,
    /// The manual's `ry` or `fy`; a bit number in bit fields.
    pub y: u8,
    /// Its length in bytes: 2 or 4, or 0 before decoding.
    pub length: u8,
    /// Whether it can leave another value in `r14`.
    pub moves_stack: bool,
    /// The number in it, scaled as the operation wants it.
    pub immediate: u32,
}

impl Instruction {
    /// What decoding begins with.
    pub const UNDECODED: Self =
        Self { op: Op::Undecoded, z: 0, x: 0, y: 0, length: 0, moves_stack: false, immediate: 0 };
}
