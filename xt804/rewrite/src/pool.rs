//! Literals. LLVM puts them behind a function, each under a label, too far from most instructions for a short `lrw`. GNU as
//! keeps pools of its own, also behind jumps within the function, if an instruction names the word itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::line::{Line, Operand};

/// What is written in a function's literals, by label.
pub fn words(lines: &[Line]) -> BTreeMap<String, String> {
    let pairs = lines.iter().zip(lines.iter().skip(1));
    let words = pairs.filter_map(|(line, next)| match line {
        Line::Label(label) => Some((label.clone(), next.directive(".long")?.to_owned())),
        _ => None,
    });
    words.collect()
}

/// Has each `lrw` name its word, and drops the literals that nothing refers to any more.
pub fn rewrite(lines: &mut Vec<Line>) {
    let words = words(lines);
    for line in lines.iter_mut() {
        let Line::Instruction(instruction) = line else { continue };
        for operand in instruction.operands.iter_mut().filter(|_| instruction.name == "lrw") {
            if let Operand::Literal(label) = operand
                && let Some(word) = words.get(label)
            {
                *operand = Operand::Text(word.clone());
            }
        }
    }
    drop_unused(lines, &words);
}

fn drop_unused(lines: &mut Vec<Line>, words: &BTreeMap<String, String>) {
    let operands = lines.iter().filter_map(Line::instruction).flat_map(|instruction| &instruction.operands);
    let used: BTreeSet<String> = operands
        .filter_map(|operand| if let Operand::Literal(label) = operand { Some(label.clone()) } else { None })
        .collect();
    let is_unused = |label: &String| words.contains_key(label) && !used.contains(label);
    let mut word_follows = false;
    lines.retain(|line| {
        let drops = matches!(line, Line::Label(label) if is_unused(label));
        let stays = !(drops || word_follows || used.is_empty() && is_alignment(line));
        word_follows = drops;
        stays
    });
}

/// To words: code itself needs half-words.
fn is_alignment(line: &Line) -> bool {
    line.directive(".p2align").is_some_and(|operands| operands.starts_with('2'))
}
