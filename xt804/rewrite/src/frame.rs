//! The registers that a function saves: LLVM stores and loads them one by one, `push` and `pop` take `r4` and those that
//! follow it, `r15`, and `r16` and `r17`. So a function's registers are numbered anew, those first whose instructions get
//! shorter by it: most short encodings can name `r0` to `r7` only.

use std::collections::{BTreeMap, BTreeSet};

use crate::line::{Instruction, LR, Line, Operand, SP};
use crate::short;

/// What a function must leave as it was, in the order in which `push` takes them.
const SAVED: &[u8] = &[4, 5, 6, 7, 8, 9, 10, 11, 16, 17];

/// A function's frame, as LLVM makes and unmakes it.
struct Frame {
    /// Where each register is kept, from the stack pointer on.
    slots: BTreeMap<u8, i64>,
    /// The first instruction, which takes the room; after it the stores.
    prologue: Vec<usize>,
    /// For each return the instructions that lead to it, itself last.
    epilogues: Vec<Vec<usize>>,
}

/// Rewrites a function's frame, if it is one that is known, and tells the new number of each register that it saves.
pub fn rewrite(lines: &mut Vec<Line>) -> BTreeMap<u8, u8> {
    let found = Frame::find(lines).and_then(|frame| Some((frame.numbers(lines)?, frame)));
    let Some((numbers, frame)) = found else { return BTreeMap::new() };
    let list = list(&numbers, frame.slots.contains_key(&LR));
    frame.replace(lines, &list);
    let name = |register: u8| numbers.get(&register).copied().unwrap_or(register);
    for line in lines.iter_mut() {
        if let Line::Instruction(instruction) = line {
            instruction.operands = instruction.operands.iter().map(|operand| operand.renamed(name)).collect();
        }
    }
    return_in_place(lines);
    numbers
}

impl Frame {
    fn find(lines: &[Line]) -> Option<Self> {
        let (slots, prologue) = prologue(lines)?;
        let returns = lines.iter().enumerate().filter(|(_, line)| line.instruction().is_some_and(|i| i.name == "rts"));
        let epilogues = returns.map(|(place, _)| epilogue(lines, place, &slots)).collect::<Option<_>>()?;
        Some(Self { slots, prologue, epilogues })
    }

    fn is_of_frame(&self, place: usize) -> bool {
        self.prologue.contains(&place) || self.epilogues.iter().any(|places| places.contains(&place))
    }

    /// The new number of each register that is saved. Nothing if the function also has others of those.
    fn numbers(&self, lines: &[Line]) -> Option<BTreeMap<u8, u8>> {
        let mut gains: BTreeMap<u8, (u32, u32)> = BTreeMap::new();
        for register in self.slots.keys().filter(|register| **register != LR) {
            gains.insert(*register, (0, 0));
        }
        let body = lines.iter().enumerate().filter(|(place, _)| !self.is_of_frame(*place));
        for instruction in body.filter_map(|(_, line)| line.instruction()) {
            let registers: BTreeSet<u8> = instruction.operands.iter().flat_map(Operand::registers).collect();
            let reach = short::reach(instruction, |register| SAVED.contains(&register));
            for register in registers.into_iter().filter(|register| SAVED.contains(register)) {
                let gain = gains.get_mut(&register)?;
                match reach {
                    Some(short::Reach::Eight) => gain.0 = gain.0.saturating_add(1),
                    Some(short::Reach::Sixteen) => gain.1 = gain.1.saturating_add(1),
                    None => {}
                }
            }
        }
        let mut order: Vec<(u8, (u32, u32))> = gains.into_iter().collect();
        order.sort_by_key(|(_, gain)| std::cmp::Reverse(gain.0));
        if let Some(rest) = order.get_mut(4..) {
            rest.sort_by_key(|(_, gain)| std::cmp::Reverse(gain.0.saturating_add(gain.1)));
        }
        Some(order.into_iter().map(|(register, _)| register).zip(SAVED.iter().copied()).collect())
    }

    /// Puts `push` in the place of the first instruction and `pop` in that of each return.
    fn replace(&self, lines: &mut Vec<Line>, list: &[u8]) {
        let text = Operand::Text(list_text(list));
        let mut drop: BTreeSet<usize> =
            self.prologue.iter().skip(1).chain(self.epilogues.iter().flatten()).copied().collect();
        for (places, name) in std::iter::once((self.prologue.first(), "push"))
            .chain(self.epilogues.iter().map(|places| (places.last(), "pop")))
        {
            let Some(place) = places else { continue };
            drop.remove(place);
            if let Some(line) = lines.get_mut(*place) {
                *line = Line::Instruction(Instruction::new(name, [text.clone()]));
            }
        }
        self.describe(lines, list, &mut drop);
        let mut places = 0_usize..;
        lines.retain(|_| places.next().is_none_or(|place| !drop.contains(&place)));
    }

    /// Call frame information: where `push` has put what.
    fn describe(&self, lines: &mut [Line], list: &[u8], drop: &mut BTreeSet<usize>) {
        let stale = |line: &Line| line.directive(".cfi_offset").is_some();
        let mut offsets: Vec<String> =
            list.iter().rev().zip(1_usize..).map(|(register, words)| offset(*register, words)).collect();
        for (place, line) in lines.iter_mut().enumerate().filter(|(_, line)| stale(line)) {
            if offsets.is_empty() {
                drop.insert(place);
            } else {
                *line = Line::Other(std::mem::take(&mut offsets).join("\n"));
            }
        }
    }
}

/// Words below the caller's stack pointer.
fn offset(register: u8, words: usize) -> String {
    format!("\t.cfi_offset\t{register}, -{}", words.saturating_mul(4))
}

/// `subi sp, sp, N`, then a store of each register that is saved, into all of that room.
fn prologue(lines: &[Line]) -> Option<(BTreeMap<u8, i64>, Vec<usize>)> {
    let mut slots = BTreeMap::new();
    let mut places = Vec::new();
    let mut size = 0;
    for (place, line) in lines.iter().enumerate() {
        // The function's own name is the first line.
        if place > 0 && line.is_joined() {
            break;
        }
        let Some(instruction) = line.instruction() else { continue };
        if places.is_empty() {
            size = moved(instruction, "subi")?;
        } else {
            let Some((register, offset)) = slot(instruction, "st.w") else { break };
            if slots.contains_key(&register) || !(SAVED.contains(&register) || register == LR) {
                break;
            }
            slots.insert(register, offset);
        }
        places.push(place);
        if is_full(&slots, size) {
            return Some((slots, places));
        }
    }
    None
}

/// Whether these words are all of a room.
fn is_full(slots: &BTreeMap<u8, i64>, size: i64) -> bool {
    let offsets: BTreeSet<i64> = slots.values().copied().collect();
    !offsets.is_empty() && offsets.iter().copied().eq((0..size).step_by(4))
}

/// The loads of all registers from where they are kept, then `addi sp, sp, N`, then the return; nothing between.
fn epilogue(lines: &[Line], end: usize, slots: &BTreeMap<u8, i64>) -> Option<Vec<usize>> {
    let mut left = slots.clone();
    let mut places = vec![end];
    let size = i64::try_from(slots.len()).ok()?.checked_mul(4)?;
    for (place, line) in lines.iter().enumerate().take(end).rev() {
        if line.is_joined() {
            return None;
        }
        let Some(instruction) = line.instruction() else { continue };
        if places.len() == 1 {
            moved(instruction, "addi").filter(|by| *by == size)?;
        } else {
            let (register, offset) = slot(instruction, "ld.w")?;
            left.remove(&register).filter(|kept| *kept == offset)?;
        }
        places.push(place);
        if places.len() > 1 && left.is_empty() {
            places.reverse();
            return Some(places);
        }
    }
    None
}

/// By how much the stack pointer is moved.
fn moved(instruction: &Instruction, name: &str) -> Option<i64> {
    let of_stack = instruction.register(0) == Some(SP) && instruction.register(1) == Some(SP);
    instruction.number(2).filter(|_| instruction.name == name && of_stack)
}

fn slot(instruction: &Instruction, name: &str) -> Option<(u8, i64)> {
    match instruction.operands.as_slice() {
        [Operand::Register(register), Operand::Memory(SP, offset)] if instruction.name == name => {
            Some((*register, *offset))
        }
        _ => None,
    }
}

/// In the order in which `push` puts them into memory, upwards.
fn list(numbers: &BTreeMap<u8, u8>, with_link: bool) -> Vec<u8> {
    let mut list: Vec<u8> = numbers.values().copied().collect();
    if with_link {
        list.push(LR);
    }
    list.sort_unstable();
    list
}

/// Ranges, as the assembler wants them: `r4-r7, r15, r16-r17`.
fn list_text(list: &[u8]) -> String {
    let range = |first: u8, last: u8| {
        let mut within = list.iter().filter(|register| (first..=last).contains(*register));
        let start = within.next()?;
        Some(within.next_back().map_or_else(|| format!("r{start}"), |end| format!("r{start}-r{end}")))
    };
    [range(4, 11), range(LR, LR), range(16, 17)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A jump to nothing but a return is that return.
fn return_in_place(lines: &mut [Line]) {
    let mut returns: BTreeMap<String, Instruction> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        let Line::Label(label) = line else { continue };
        let first = lines.get(place..).unwrap_or_default().iter().find_map(Line::instruction);
        if let Some(instruction) = first.filter(|instruction| instruction.name == "pop") {
            returns.insert(label.clone(), instruction.clone());
        }
    }
    for line in lines.iter_mut() {
        let Line::Instruction(instruction) = line else { continue };
        if let ("br", [Operand::Text(label)]) = (instruction.name.as_str(), instruction.operands.as_slice())
            && let Some(pop) = returns.get(label)
        {
            *instruction = pop.clone();
        }
    }
}
