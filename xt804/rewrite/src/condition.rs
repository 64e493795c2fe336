//! The condition bit as a number: `mvc` and `mvcv` give 0 or 1, and LLVM masks that once more.

use crate::line::{Instruction, Line, Operand};

/// Drops the masks in a function.
pub fn rewrite(lines: &mut [Line]) {
    let mut bit: Option<Operand> = None;
    for line in lines {
        if line.is_joined() {
            bit = None;
        }
        let Some(instruction) = line.instruction() else { continue };
        if bit.as_ref().is_some_and(|register| is_mask(instruction, register)) {
            *line = Line::Other(String::new());
        } else {
            let gives_bit = ["mvc", "mvcv"].contains(&instruction.name.as_str());
            bit = instruction.operands.first().filter(|_| gives_bit).cloned();
        }
    }
}

fn is_mask(instruction: &Instruction, register: &Operand) -> bool {
    instruction.name == "andi" && instruction.operands == [register.clone(), register.clone(), Operand::Number(1)]
}
