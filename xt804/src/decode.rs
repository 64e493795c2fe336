//! From bits to an [`Instruction`]: the first row of the table that fits.

use crate::instruction::Instruction;
use crate::operand::SP;
use crate::operation::{Multiple, Op};
use crate::table::{ROWS, Row, Size};

impl Instruction {
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
        match self {
            Self::Multiple(Multiple::Load) => (instruction.z..=SP).contains(&SP),
            Self::Multiple(_) => true,
            Self::Long(_) => instruction.z == SP || instruction.z.wrapping_add(1) == SP,
            Self::Branch(_) => instruction.x == SP,
            _ => instruction.z == SP,
        }
    }
}
