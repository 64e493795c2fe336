//! Numbers that LLVM puts together from their halves, `movih` and `ori`, in eight bytes.

use crate::line::{Instruction, Line, Operand};

/// Two instructions that put a number into a register.
struct Pair {
    places: (usize, usize),
    register: u8,
    value: u32,
}

/// Rewrites each such pair in a function.
pub fn rewrite(lines: &mut [Line]) {
    for pair in pairs(lines) {
        let Some((earlier, later)) = shorter(&pair) else { continue };
        let blank = || Line::Other(String::new());
        let slots = [(pair.places.0, Some(earlier)), (pair.places.1, later)];
        for (place, new) in slots {
            if let Some(line) = lines.get_mut(place) {
                *line = new.map_or_else(blank, Line::Instruction);
            }
        }
    }
}

fn pairs(lines: &[Line]) -> Vec<Pair> {
    let mut found = Vec::new();
    let mut before: Option<(usize, &Instruction)> = None;
    for (place, line) in lines.iter().enumerate() {
        if line.is_joined() {
            before = None;
        }
        let Some(instruction) = line.instruction() else { continue };
        if let Some((first, high)) = before
            && let Some((register, value)) = halves(high, instruction)
        {
            found.push(Pair { places: (first, place), register, value });
        }
        before = Some((place, instruction));
    }
    found
}

fn halves(high: &Instruction, low: &Instruction) -> Option<(u8, u32)> {
    let register = high.register(0).filter(|_| high.name == "movih" && low.name == "ori")?;
    if low.register(0) != Some(register) || low.register(1) != Some(register) {
        return None;
    }
    let (high, low) = (u32::try_from(high.number(1)?).ok()?, u32::try_from(low.number(2)?).ok()?);
    Some((register, high << 16 | low))
}

/// One instruction, or two of two bytes.
fn shorter(pair: &Pair) -> Option<(Instruction, Option<Instruction>)> {
    let Pair { register, value, .. } = *pair;
    let target = || Operand::Register(register);
    let with = |name: &str, number: u32| Instruction::new(name, [target(), Operand::Number(number.into())]);
    let is_low = register < 8;
    if value.checked_add(1).is_none_or(u32::is_power_of_two) {
        return Some((with("bmaski", value.count_ones()), None));
    }
    if is_low && !value < 256 {
        return Some((with("movi", !value), Some(Instruction::new("not", [target(), target()]))));
    }
    let zeros = value.trailing_zeros();
    if is_low && value.checked_shr(zeros).is_some_and(|digits| digits < 256) {
        let shift = Instruction::new("lsli", [target(), target(), Operand::Number(zeros.into())]);
        return Some((with("movi", value.checked_shr(zeros)?), Some(shift)));
    }
    Some((Instruction::new("lrw", [target(), Operand::Text(value.to_string())]), None))
}
