//! Straight-line execution on terms: from a place in a function to where its way parts.

use std::collections::{BTreeMap, BTreeSet};

use xt804::instruction::Instruction;
use xt804::operation::{
    Access, Binary, Carry, Compare, Condition, Conditional, Field, JumpTarget, Multiple, Op, System,
};

use crate::object_code::{Section, pool_of};
use crate::terms::{Id, Terms};

pub const SP: u8 = 14;
pub const LR: u8 = 15;
/// Registers that a call leaves as they were.
pub const SAVED: &[u8] = &[4, 5, 6, 7, 8, 9, 10, 11, 16, 17];

/// What is where.
#[derive(Clone, Debug)]
pub struct State {
    pub registers: [Id; 32],
    pub condition: Id,
    pub memory: Id,
}

/// How straight-line execution ends.
#[derive(Debug)]
pub enum End {
    Return(Id),
    /// On a condition that is no `not`: to the first place if it holds, else to the second.
    Branch(Id, u32, u32),
    /// Back to a place of this very trace.
    Again(u32),
    /// Through the table at an address.
    Table(Id),
    /// Behind the code: after a call that does not return.
    Off,
}

/// A function under execution.
pub struct Function<'a> {
    pub section: &'a Section,
    pub code: BTreeMap<u32, Instruction>,
    /// The registers that it saves, by their place from the caller's stack pointer on.
    pub saves: BTreeMap<u32, u8>,
}

impl<'a> Function<'a> {
    pub fn new(section: &'a Section) -> Self {
        Self { section, code: section.instructions(), saves: BTreeMap::new() }
    }

    pub fn saved(&self) -> BTreeSet<u8> {
        self.saves.values().copied().filter(|register| *register != LR).collect()
    }

    /// Where execution may go from an instruction; `tabled` are the places that tables name.
    pub fn successors(&self, at: u32, what: &Instruction, tabled: &[u32]) -> Vec<u32> {
        let (next, target) = (at + u32::from(what.length), at.wrapping_add(what.immediate));
        match what.op {
            Op::Jump(JumpTarget::Displacement) => vec![target],
            Op::Jump(JumpTarget::Register) if what.x != LR => tabled.to_vec(),
            Op::Jump(_) => vec![],
            Op::Branch(_) => vec![next, target],
            _ => vec![next],
        }
    }

    /// Executes from a place on.
    pub fn trace(&mut self, terms: &mut Terms, mut at: u32, state: &mut State) -> Result<End, String> {
        let mut seen = BTreeSet::new();
        loop {
            let Some(instruction) = self.code.get(&at).copied() else { return Ok(End::Off) };
            if !seen.insert(at) {
                return Ok(End::Again(at));
            }
            let next = at + u32::from(instruction.length);
            let target = at.wrapping_add(instruction.immediate);
            match instruction.op {
                Op::System(System::Breakpoint) => return Ok(End::Off),
                Op::Jump(JumpTarget::Displacement) => at = target,
                Op::Jump(JumpTarget::Register) if instruction.x == LR => return Ok(End::Return(state.registers[15])),
                Op::Jump(JumpTarget::Register) => return Ok(End::Table(state.registers[usize::from(instruction.x)])),
                Op::Multiple(Multiple::Pop) => {
                    self.pop(terms, state, instruction.immediate);
                    return Ok(End::Return(state.registers[15]));
                }
                Op::Branch(condition) => return branch(terms, state, condition, instruction, target, next),
                _ => {
                    self.step(terms, state, at, &instruction).map_err(|error| format!("at {at:#x}: {error}"))?;
                    at = next;
                }
            }
        }
    }

    /// An instruction after which the next follows.
    fn step(&mut self, terms: &mut Terms, state: &mut State, at: u32, what: &Instruction) -> Result<(), String> {
        let get = |register: u8| state.registers[usize::from(register)];
        let (x, y, z) = (get(what.x), get(what.y), get(what.z));
        let number = terms.number(what.immediate);
        let result = match what.op {
            Op::Binary(binary) => terms.operation(&format!("{binary:?}"), vec![x, y]),
            Op::BinaryImmediate(Binary::SetBit) => {
                let bit = terms.number(1 << what.immediate);
                terms.operation("Or", vec![x, bit])
            }
            Op::BinaryImmediate(binary) => terms.operation(&format!("{binary:?}"), vec![x, number]),
            Op::Unary(unary) => terms.operation(&format!("{unary:?}"), vec![x]),
            Op::Move => number,
            Op::MoveHigh => terms.number(what.immediate << 16),
            Op::Field(field) => {
                let (msb, kept) = (terms.number(what.y.into()), if field == Field::Insert { z } else { number });
                terms.operation(&format!("Field{field:?}"), vec![x, kept, msb, number])
            }
            Op::Compare(compare) => {
                state.condition = terms.operation(&format!("{compare:?}"), vec![x, y]);
                return Ok(());
            }
            Op::CompareImmediate(compare) => {
                state.condition = terms.operation(&format!("{compare:?}"), vec![x, number]);
                return Ok(());
            }
            Op::Carry(carry) => {
                let operands = carry_operands(carry, x, y, number, state.condition);
                state.condition = terms.operation(&format!("carry of {carry:?}"), operands.clone());
                terms.operation(&format!("with carry {carry:?}"), operands)
            }
            Op::Conditional(conditional) => conditionally(terms, conditional, x, z, number, state.condition),
            Op::LoadPool => self.pool_word(terms, at, what),
            Op::Load(access) => {
                let address = terms.add(x, what.immediate);
                self.load(terms, state.memory, access, address)
            }
            Op::LoadIndexed(access) => {
                let address = indexed(terms, x, y, number);
                self.load(terms, state.memory, access, address)
            }
            Op::Store(access) => {
                let address = terms.add(x, what.immediate);
                return self.store(terms, state, access, address, z);
            }
            Op::StoreIndexed(access) => {
                let address = indexed(terms, x, y, number);
                return self.store(terms, state, access, address, z);
            }
            Op::Multiple(Multiple::Push) => return self.push(terms, state, what.immediate),
            Op::Call(target) => {
                let callee = if target == JumpTarget::Register { x } else { self.callee(terms, at, what) };
                call(terms, state, callee);
                return Ok(());
            }
            other => return Err(format!("{other:?} is not known here")),
        };
        state.registers[usize::from(what.z)] = result;
        Ok(())
    }

    fn load(&self, terms: &mut Terms, memory: Id, access: Access, address: Id) -> Id {
        let (base, offset) = terms.split_sum(address);
        if base == terms.leaf("sp")
            && let Some(register) = self.saves.get(&offset)
        {
            return terms.leaf(format!("entry r{register}"));
        }
        terms.operation(&format!("load {access:?}"), vec![memory, address])
    }

    fn store(
        &mut self,
        terms: &mut Terms,
        state: &mut State,
        access: Access,
        address: Id,
        value: Id,
    ) -> Result<(), String> {
        let (base, offset) = terms.split_sum(address);
        if base == terms.leaf("sp") {
            let own = SAVED.iter().chain([&LR]).find(|register| terms.leaf(format!("entry r{register}")) == value);
            let bytes = 0..size(access);
            if let Some(slot) = self
                .saves
                .keys()
                .find(|slot| bytes.clone().any(|byte| offset.wrapping_add(byte).wrapping_sub(**slot) < 4))
            {
                return Err(format!("what is saved at {slot:#x} is overwritten"));
            }
            if let Some(register) = own {
                self.saves.insert(offset, *register);
                return Ok(());
            }
        }
        state.memory = terms.operation(&format!("store {access:?}"), vec![state.memory, address, value]);
        Ok(())
    }

    fn push(&mut self, terms: &mut Terms, state: &mut State, list: u32) -> Result<(), String> {
        let list = listed(list);
        let room = u32::try_from(list.len()).unwrap() * 4;
        state.registers[14] = terms.add(state.registers[14], room.wrapping_neg());
        for (register, offset) in list.into_iter().zip((0..).step_by(4)) {
            let address = terms.add(state.registers[14], offset);
            self.store(terms, state, Access::Word, address, state.registers[usize::from(register)])?;
        }
        Ok(())
    }

    fn pop(&self, terms: &mut Terms, state: &mut State, list: u32) {
        for register in listed(list) {
            state.registers[usize::from(register)] = self.load(terms, state.memory, Access::Word, state.registers[14]);
            state.registers[14] = terms.add(state.registers[14], 4);
        }
    }

    fn pool_word(&self, terms: &mut Terms, at: u32, what: &Instruction) -> Id {
        let pool = pool_of(at, what).unwrap();
        match self.section.relocations.get(&pool) {
            Some(place) => terms.leaf(format!("{}+{}", place.name, place.offset)),
            None => terms.number(self.section.word(pool)),
        }
    }

    /// By displacement or through the pool: a relocation names it.
    fn callee(&self, terms: &mut Terms, at: u32, what: &Instruction) -> Id {
        if pool_of(at, what).is_some() {
            return self.pool_word(terms, at, what);
        }
        let place =
            self.section.relocations.get(&at).unwrap_or_else(|| panic!("a call at {at:#x} without a relocation"));
        terms.leaf(format!("{}+{}", place.name, place.offset))
    }
}

/// In bytes.
fn size(access: Access) -> u32 {
    match access {
        Access::Byte | Access::SignedByte => 1,
        Access::Half | Access::SignedHalf => 2,
        Access::Word => 4,
    }
}

/// The registers of `push` and `pop`, upwards in memory.
fn listed(list: u32) -> Vec<u8> {
    let first = |from: u8, count: u32| (from..).take(count as usize);
    let link = (list & 0x10 != 0).then_some(LR);
    first(4, list & 0xf).chain(link).chain(first(16, list >> 5 & 7)).collect()
}

fn indexed(terms: &mut Terms, base: Id, index: Id, shift: Id) -> Id {
    let scaled = terms.operation("ShiftLeft", vec![index, shift]);
    terms.operation("Add", vec![base, scaled])
}

fn carry_operands(carry: Carry, x: Id, y: Id, number: Id, condition: Id) -> Vec<Id> {
    match carry {
        Carry::Add | Carry::Subtract => vec![x, y, condition],
        Carry::ExtractByte(_) => vec![x],
        Carry::ShiftThrough => vec![x, number, condition],
        _ => vec![x, number],
    }
}

/// Of a condition and its opposite, whichever the code has.
fn conditionally(terms: &mut Terms, what: Conditional, x: Id, z: Id, number: Id, condition: Id) -> Id {
    let (changed, wanted) = match what {
        Conditional::Read => return terms.operation("bit", vec![condition]),
        Conditional::ReadInverted => {
            let inverted = terms.not(condition);
            return terms.operation("bit", vec![inverted]);
        }
        Conditional::ClearIf(wanted) => (terms.number(0), wanted),
        Conditional::IncrementIf(wanted) => (terms.operation("Add", vec![x, number]), wanted),
        Conditional::DecrementIf(wanted) => (terms.operation("Subtract", vec![x, number]), wanted),
    };
    let (straight, opposite) = terms.straight(condition);
    let arguments = if wanted == opposite { vec![straight, z, changed] } else { vec![straight, changed, z] };
    terms.operation("choose", arguments)
}

fn branch(
    terms: &mut Terms,
    state: &State,
    condition: Condition,
    what: Instruction,
    target: u32,
    next: u32,
) -> Result<End, String> {
    let (x, zero) = (state.registers[usize::from(what.x)], terms.number(0));
    let (holds, wanted) = match condition {
        Condition::True => (state.condition, true),
        Condition::False => (state.condition, false),
        Condition::NotZero => (terms.operation("NotEqual", vec![x, zero]), true),
        Condition::Zero => (terms.operation("NotEqual", vec![x, zero]), false),
        Condition::Lower => (terms.operation("LessThan", vec![x, zero]), true),
        Condition::HigherOrSame => (terms.operation("LessThan", vec![x, zero]), false),
        Condition::Higher => (terms.operation("higher than zero", vec![x]), true),
        Condition::LowerOrSame => (terms.operation("higher than zero", vec![x]), false),
        Condition::NotZeroAfterDecrement => return Err("bnezad is not known here".into()),
    };
    let (straight, opposite) = terms.straight(holds);
    if wanted == opposite { Ok(End::Branch(straight, next, target)) } else { Ok(End::Branch(straight, target, next)) }
}

/// What a function may do: it sees its arguments and memory, and leaves what the ABI says.
fn call(terms: &mut Terms, state: &mut State, callee: Id) {
    let mut arguments = vec![state.memory, callee, state.registers[14]];
    arguments.extend_from_slice(&state.registers[..4]);
    let done = terms.operation("call", arguments);
    for register in (0..32_u8).filter(|register| !SAVED.contains(register) && *register != SP) {
        state.registers[usize::from(register)] = terms.operation(&format!("r{register} after"), vec![done]);
    }
    state.condition = terms.operation("condition after", vec![done]);
    state.memory = terms.operation("memory after", vec![done]);
}

/// What an instruction reads and writes: registers as bits, the condition as bit 32. Rather too much read.
pub fn effects(what: &Instruction) -> (u64, u64) {
    let bit = |register: u8| 1_u64 << register;
    let (x, y, z, condition) = (bit(what.x), bit(what.y), bit(what.z), 1_u64 << 32);
    let arguments = 0xf;
    match what.op {
        Op::Binary(_) | Op::LoadIndexed(_) => (x | y, z),
        Op::BinaryImmediate(_) | Op::Unary(_) | Op::Load(_) => (x, z),
        Op::Move | Op::MoveHigh | Op::LoadPool => (0, z),
        Op::Compare(Compare::Test | Compare::HigherOrSame | Compare::LessThan | Compare::NotEqual) => {
            (x | y, condition)
        }
        Op::Compare(_) | Op::CompareImmediate(_) => (x, condition),
        Op::Conditional(Conditional::Read | Conditional::ReadInverted) => (condition, z),
        Op::Conditional(Conditional::ClearIf(_)) => (z | condition, z),
        Op::Conditional(_) => (x | z | condition, z),
        Op::Store(_) => (x | z, 0),
        Op::StoreIndexed(_) => (x | y | z, 0),
        Op::Branch(Condition::True | Condition::False) => (condition, 0),
        Op::Branch(_) => (x, 0),
        Op::Jump(JumpTarget::Displacement) => (0, 0),
        Op::Call(JumpTarget::Register) => (x | arguments, arguments | condition),
        Op::Call(_) => (arguments, arguments | condition),
        // A return: its values, and what a call leaves as it was.
        Op::Jump(JumpTarget::Register) if what.x == LR => {
            (0b11 | bit(LR) | SAVED.iter().map(|saved| bit(*saved)).sum::<u64>(), 0)
        }
        Op::Jump(JumpTarget::Register) => (x, 0),
        _ => (u64::MAX >> 31, 0),
    }
}
