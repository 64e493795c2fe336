//! Calls. `jsri [literal]` becomes `bsr` where the callee is in the same file: both end up in the same flash, which `bsr`
//! spans. What the firmware brings may be anywhere (the SDK can place functions in RAM, which `bsr` does not reach): that
//! stays `jsri`, with its literal in GNU as's own pool, since the assembler takes a label there for the callee itself.

use std::collections::BTreeSet;

use crate::line::{Instruction, Line, Operand};
use crate::pool;

/// The names of the functions that a file defines.
pub fn functions(lines: &[Line]) -> BTreeSet<String> {
    let types = lines.iter().filter_map(|line| line.directive(".type")?.strip_suffix(",@function"));
    types.map(|name| name.trim().to_owned()).collect()
}

/// Rewrites the calls in a function.
pub fn rewrite(lines: &mut [Line], functions: &BTreeSet<String>) {
    let words = pool::words(lines);
    for line in lines.iter_mut() {
        let Line::Instruction(instruction) = line else { continue };
        if let ("jsri", [Operand::Literal(label)]) = (instruction.name.as_str(), instruction.operands.as_slice())
            && let Some(callee) = words.get(label)
        {
            let name = if functions.contains(callee) { "bsr" } else { "jsri" };
            *instruction = Instruction::new(name, [Operand::Text(callee.clone())]);
        }
    }
}
