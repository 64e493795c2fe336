//! A decoded instruction: small enough to keep one for every half-word of flash.

use crate::operation::Op;
use crate::table::{ROWS, Row, Size};

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
    /// What the cache holds before its half-word is first reached.
    pub const UNDECODED: Self =
        Self { op: Op::Undecoded, z: 0, x: 0, y: 0, length: 0, moves_stack: false, immediate: 0 };

    /// The instruction that begins with these bytes of code; nothing for an encoding that is none.
    pub fn decode(first: u16, second: Option<u16>) -> Option<Self> {
        let word = encoding(first, second)?;
        let (row, instruction) = find(word.0, word.1)?;
        debug_assert_eq!(row.op, instruction.op);
        Some(instruction)
    }
}

/// The bits of an instruction, and how many: 32 where the first half-word begins with two ones.
pub(crate) fn encoding(first: u16, second: Option<u16>) -> Option<(u32, Size)> {
    if first < 0xc000 {
        return Some((u32::from(first), Size::Half));
    }
    second.map(|second| (u32::from(first) << 16 | u32::from(second), Size::Word))
}

/// The first row that fits and whose operands are within their bounds.
pub(crate) fn find(word: u32, size: Size) -> Option<(&'static Row, Instruction)> {
    ROWS.iter().filter(|row| row.size == size && row.fits(word)).find_map(|row| Some((row, fill(row, word)?)))
}

fn fill(row: &Row, word: u32) -> Option<Instruction> {
    let mut instruction = Instruction { op: row.op, length: row.size.bytes(), ..Instruction::UNDECODED };
    for operand in row.operands {
        operand.read(word, &mut instruction)?;
    }
    if matches!(row.op, Op::Field(_)) && !(instruction.immediate..32).contains(&u32::from(instruction.y)) {
        return None;
    }
    instruction.moves_stack = row.op.moves_stack(&instruction);
    Some(instruction)
}

impl Op {
    /// Errs on the side of true: the check that follows looks at the register itself.
    fn moves_stack(self, instruction: &Instruction) -> bool {
        use crate::operand::SP;
        use crate::operation::Multiple;
        match self {
            Self::Multiple(Multiple::Load) => (instruction.z..=SP).contains(&SP),
            Self::Multiple(_) => true,
            Self::Long(_) => instruction.z == SP || instruction.z.wrapping_add(1) == SP,
            Self::Branch(_) => instruction.x == SP,
            _ => instruction.z == SP,
        }
    }
}
