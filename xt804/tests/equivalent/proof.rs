//! Two codes of one function, from places that correspond to the next such places, until none is new.

use std::collections::{BTreeMap, BTreeSet};

use crate::object_code::Code;
use crate::terms::{Id, Term, Terms};
use crate::trace::{End, Function, LR, SAVED, SP, State, effects};

/// A place in each code.
type Pair = (u32, u32);

/// Proves it of one function, or says what differs. `numbers`: by register that the first code saves, the second's.
pub fn compare(before: &Code, after: &Code, name: &str, numbers: Option<&BTreeMap<u8, u8>>) -> Result<(), String> {
    let sides = [Function::new(before.function(name)), Function::new(after.function(name))];
    let mut proof = Proof {
        codes: [before, after],
        section: before.functions[name].clone(),
        live: live(&sides[0], &tabled(before, &before.functions[name])),
        sides,
        numbers: numbers.cloned().unwrap_or_default(),
        terms: Terms::default(),
        stacks: BTreeMap::new(),
    };
    let mut open = vec![(0, 0)];
    let mut done = BTreeSet::new();
    while let Some(pair) = open.pop() {
        if done.insert(pair) {
            let next = proof.step(pair).map_err(|error| format!("from {:#x} and {:#x}: {error}", pair.0, pair.1))?;
            open.extend(next);
        }
    }
    Ok(())
}

struct Proof<'a> {
    codes: [&'a Code; 2],
    section: String,
    sides: [Function<'a>; 2],
    numbers: BTreeMap<u8, u8>,
    /// What the first code still needs at each place.
    live: BTreeMap<u32, u64>,
    terms: Terms,
    /// Where the stack pointer is at a pair of places.
    stacks: BTreeMap<Pair, Id>,
}

impl Proof<'_> {
    /// From one pair to those that follow.
    fn step(&mut self, pair: Pair) -> Result<Vec<Pair>, String> {
        let mut states = [self.start(pair, 0), self.start(pair, 1)];
        let [first, second] = &mut self.sides;
        let ends = (
            first.trace(&mut self.terms, pair.0, &mut states[0])?,
            second.trace(&mut self.terms, pair.1, &mut states[1])?,
        );
        self.same("memory", states[0].memory, states[1].memory)?;
        let next = match ends {
            (End::Off, End::Off) => return Ok(vec![]),
            (End::Return(a), End::Return(b)) => return self.returned(&states, [a, b]).map(|()| vec![]),
            (End::Again(a), End::Again(b)) => vec![(a, b)],
            (End::Branch(a, if_a, else_a), End::Branch(b, if_b, else_b)) => {
                self.same("the condition", a, b)?;
                vec![(if_a, if_b), (else_a, else_b)]
            }
            (End::Table(a), End::Table(b)) => {
                self.same("the place in the table", a, b)?;
                self.table(a)?
            }
            (a, b) => return Err(format!("one ends with {a:?}, the other with {b:?}")),
        };
        for pair in &next {
            self.arrive(*pair, &states)?;
        }
        Ok(next)
    }

    /// What is known where execution comes to a pair of places.
    fn start(&mut self, pair: Pair, side: usize) -> State {
        let entry = pair == (0, 0);
        let kept: BTreeSet<u8> = self.sides[side].saves.values().copied().collect();
        let mut registers = [0; 32];
        for (register, slot) in (0_u8..).zip(&mut registers) {
            let is_callers = (SAVED.contains(&register) || register == LR) && !kept.contains(&register);
            *slot = self.terms.leaf(match self.first_number(register, side) {
                _ if entry || is_callers => format!("entry r{register}"),
                Some(first) => format!("r{first} at {pair:x?}"),
                None => format!("r{register} of the second at {pair:x?}"),
            });
        }
        registers[usize::from(SP)] = self.stacks.get(&pair).copied().unwrap_or_else(|| self.terms.leaf("sp"));
        let condition = self.terms.leaf(format!("condition at {pair:x?}"));
        let memory = self.terms.leaf(format!("memory at {pair:x?}"));
        State { registers, condition, memory }
    }

    /// The number that a code's register has in the first.
    fn first_number(&self, register: u8, side: usize) -> Option<u8> {
        if side == 0 || self.numbers.is_empty() || !SAVED.contains(&register) {
            return Some(register);
        }
        self.numbers.iter().find(|(_, number)| **number == register).map(|(first, _)| *first)
    }

    /// Holds these places to be ones that correspond.
    fn arrive(&mut self, pair: Pair, states: &[State; 2]) -> Result<(), String> {
        let stacks = states.each_ref().map(|state| state.registers[usize::from(SP)]);
        self.same("the stack pointer", stacks[0], stacks[1])?;
        let known = *self.stacks.entry(pair).or_insert(stacks[0]);
        self.same("the stack pointer by another way", known, stacks[0])?;
        for (side, state) in states.iter().enumerate() {
            let saved: BTreeSet<u8> = self.sides[side].saves.values().copied().collect();
            self.kept(state, |register| !saved.contains(&register))?;
        }
        let saved = self.sides[0].saved();
        let needed = self.live.get(&pair.0).copied().unwrap_or(0);
        for register in (0..32_u8).filter(|register| needed >> register & 1 != 0 && *register != SP) {
            if (SAVED.contains(&register) || register == LR) && !saved.contains(&register) {
                continue;
            }
            let second = self.numbers.get(&register).copied().unwrap_or(register);
            let values = [states[0].registers[usize::from(register)], states[1].registers[usize::from(second)]];
            // A saved register that the function has put nothing into: the compiler may have it read, as `movt` reads what
            // it may replace, but nothing follows from what is in it.
            if saved.contains(&register) && values[0] == self.terms.leaf(format!("entry r{register}")) {
                continue;
            }
            self.same(&format!("r{register} at {pair:x?}"), values[0], values[1])?;
        }
        if needed >> 32 & 1 != 0 {
            self.same(&format!("the condition at {pair:x?}"), states[0].condition, states[1].condition)?;
        }
        Ok(())
    }

    fn returned(&mut self, states: &[State; 2], to: [Id; 2]) -> Result<(), String> {
        for register in 0..2 {
            self.same("what is returned", states[0].registers[register], states[1].registers[register])?;
        }
        for (state, to) in states.iter().zip(to) {
            let (link, stack) = (self.terms.leaf("entry r15"), self.terms.leaf("sp"));
            self.same("where it returns to", link, to)?;
            self.same("the stack pointer", stack, state.registers[usize::from(SP)])?;
            self.kept(state, |register| register != LR)?;
        }
        Ok(())
    }

    /// Whether the caller's registers are as they were.
    fn kept(&mut self, state: &State, wanted: impl Fn(u8) -> bool) -> Result<(), String> {
        for register in SAVED.iter().chain([&LR]).filter(|register| wanted(**register)) {
            let entry = self.terms.leaf(format!("entry r{register}"));
            self.same(&format!("the caller's r{register}"), entry, state.registers[usize::from(*register)])?;
        }
        Ok(())
    }

    /// The pairs that a jump through a table leads to: a word at the table's place and an index times four.
    fn table(&self, place: Id) -> Result<Vec<Pair>, String> {
        let found = self.table_address(place).ok_or_else(|| format!("a jump to {}", self.terms.show(place, 4)))?;
        let (name, offset) = found;
        let [ours, theirs] = self.codes.map(|code| {
            let section = &code.sections[&name];
            let places = (offset..).step_by(4).map_while(|at| section.relocations.get(&at));
            let within = places.take_while(|place| place.name == self.section);
            within.map(|place| u32::try_from(place.offset).unwrap()).collect::<Vec<u32>>()
        });
        if ours.is_empty() || ours.len() != theirs.len() {
            return Err(format!("a table of {} places is one of {}", ours.len(), theirs.len()));
        }
        Ok(ours.into_iter().zip(theirs).collect())
    }

    fn table_address(&self, place: Id) -> Option<(String, u32)> {
        let Term::Operation(load, arguments) = self.terms.get(place) else { return None };
        let Term::Operation(sum, parts) = self.terms.get(*arguments.get(1)?) else { return None };
        let base =
            parts.iter().find_map(|part| if let Term::Leaf(name) = self.terms.get(*part) { Some(name) } else { None });
        let (name, offset) = base?.rsplit_once('+')?;
        (load == "load Word" && sum == "Add").then_some(())?;
        Some((name.to_owned(), offset.parse().ok()?))
    }

    fn same(&self, what: &str, first: Id, second: Id) -> Result<(), String> {
        if first == second {
            return Ok(());
        }
        Err(format!("{what}: {} is {}", self.terms.show(first, 6), self.terms.show(second, 6)))
    }
}

/// The places in a function that some table names.
fn tabled(code: &Code, section: &str) -> Vec<u32> {
    let places = code.sections.values().flat_map(|other| other.relocations.values());
    places
        .filter(|place| place.name == section && place.offset != 0)
        .map(|place| u32::try_from(place.offset).unwrap())
        .collect()
}

/// For each place of a code the registers that something behind it may read.
fn live(function: &Function<'_>, tabled: &[u32]) -> BTreeMap<u32, u64> {
    let mut live: BTreeMap<u32, u64> = BTreeMap::new();
    loop {
        let before = live.clone();
        for (at, instruction) in function.code.iter().rev() {
            let successors = function.successors(*at, instruction, tabled);
            let behind = successors.iter().filter_map(|place| live.get(place)).fold(0, |all, one| all | one);
            let (reads, writes) = effects(instruction);
            let needed = behind & !writes | reads;
            live.insert(*at, needed);
        }
        if live == before {
            return live;
        }
    }
}
