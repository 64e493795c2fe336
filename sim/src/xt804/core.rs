//! The machine and who runs on it: memory by blocks, registers and stacks by tasks.

use std::collections::BTreeMap;

use xt804::arena::Arena;
use xt804::context::{Context, Counters};
use xt804::machine::Machine;

use super::call::{Trouble, Words};

/// Behind every block, to see whether it was written past its end.
const TAIL: [u8; 8] = *b"\xfe\xe1\xde\xadtail";
const TAIL_BYTES: u32 = TAIL.len() as u32;
/// For the word above a stack, whose end is a multiple of as many bytes.
const WORD_ROOM: u32 = 8;
const FRESH: u8 = 0xa5;
const STALE: u8 = 0xdd;

/// What tasks of one name have done.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// How much was executed.
    pub counters: Counters,
    /// The size of the stack.
    pub stack: u32,
    /// The most of it that was ever used.
    pub high_water: u32,
}

impl Figures {
    fn add(&mut self, context: &Context) {
        let (sum, more) = (&mut self.counters, context.counters);
        sum.instructions = sum.instructions.saturating_add(more.instructions);
        sum.calls = sum.calls.saturating_add(more.calls);
        sum.loads = sum.loads.saturating_add(more.loads);
        sum.stores = sum.stores.saturating_add(more.stores);
        self.stack = self.stack.max(context.stack.top.saturating_sub(context.stack.guard));
        self.high_water = self.high_water.max(context.stack.high_water());
    }
}

/// The machine and who runs on it.
#[derive(Debug)]
pub struct Core {
    machine: Machine,
    arena: Arena,
    contexts: Vec<Option<Context>>,
    ended: BTreeMap<String, Figures>,
    /// Folded stacks of contexts that have ended.
    folded: Option<Vec<u8>>,
}

impl Core {
    /// A loaded machine with nothing on it; its memory from `start` on is free.
    pub fn new(machine: Machine, start: u32, profile: bool) -> Self {
        Self {
            arena: Arena::new(start, machine.memory().ram().end()),
            machine,
            contexts: Vec::new(),
            ended: BTreeMap::new(),
            folded: profile.then(Vec::new),
        }
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine, to change its memory.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// A block of the guest's memory that costs the board's heap nothing.
    pub fn allocate(&mut self, size: u32) -> Result<u32, Trouble> {
        let block = self.try_allocate(size)?;
        block.ok_or_else(|| Trouble::Misuse(format!("the simulated RAM has no {size} bytes left in one piece")))
    }

    /// As [`Self::allocate`]; `None` where there is no room.
    pub fn try_allocate(&mut self, size: u32) -> Result<Option<u32>, Trouble> {
        let with_tail = size.checked_add(TAIL_BYTES);
        let Some(at) = with_tail.and_then(|size| self.arena.take(size)) else { return Ok(None) };
        self.machine.memory_mut().bytes_mut(at, size)?.fill(FRESH);
        self.machine.memory_mut().write(at.saturating_add(size), &TAIL)?;
        Ok(Some(at))
    }

    /// How much of the memory is free, and the largest piece of it.
    pub fn room(&self) -> (u32, u32) {
        self.arena.room()
    }

    /// The size of a block.
    pub fn size(&self, at: u32) -> Result<u32, Trouble> {
        let size = self.arena.size(at).and_then(|size| size.checked_sub(TAIL_BYTES));
        size.ok_or_else(|| Trouble::Misuse(format!("{at:#010x} is no block")))
    }

    /// Takes it back and tells its size.
    pub fn release(&mut self, at: u32) -> Result<u32, Trouble> {
        let size = self.size(at)?;
        if self.machine.memory().bytes(at.saturating_add(size), TAIL_BYTES)? != TAIL {
            return Err(Trouble::Misuse(format!("the block of {size} bytes at {at:#010x} was written past its end")));
        }
        self.machine.memory_mut().bytes_mut(at, size)?.fill(STALE);
        self.arena.give_back(at);
        Ok(size)
    }

    /// Copies bytes out.
    pub fn read(&self, at: u32, size: u32) -> Result<Vec<u8>, Trouble> {
        Ok(self.machine.memory().bytes(at, size)?.to_vec())
    }

    /// Copies bytes in.
    pub fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Trouble> {
        Ok(self.machine.memory_mut().write(at, bytes)?)
    }

    /// Bytes to change.
    pub fn bytes_mut(&mut self, at: u32, size: u32) -> Result<&mut [u8], Trouble> {
        Ok(self.machine.memory_mut().bytes_mut(at, size)?)
    }

    /// What was done, by the names of the tasks.
    pub fn figures(&self) -> BTreeMap<&str, Figures> {
        let ended = self.ended.iter().map(|(name, figures)| (name.as_str(), figures.clone()));
        let mut all: BTreeMap<&str, Figures> = ended.collect();
        for context in self.contexts.iter().flatten() {
            all.entry(&context.name).or_default().add(context);
        }
        all
    }

    /// Begins the marks of all stacks anew.
    pub fn forget_stacks(&mut self) {
        for figures in self.ended.values_mut() {
            figures.high_water = 0;
        }
        for context in self.contexts.iter_mut().flatten() {
            context.stack.lowest = context.sp();
        }
    }

    /// The folded stacks of all contexts.
    pub fn folded(&mut self) -> Vec<u8> {
        let mut text = self.folded.clone().unwrap_or_default();
        for context in self.contexts.iter_mut().flatten() {
            fold(context, &self.machine, &mut text);
        }
        text
    }

    /// Registers and a stack for a task, with a word for [`Self::task_word`]. `None` where there is no room.
    pub fn begin_context(&mut self, name: &str, stack: u32) -> Result<Option<usize>, Trouble> {
        let Some(guard) = self.try_allocate(stack.saturating_add(WORD_ROOM))? else { return Ok(None) };
        let mut context = Context::new(name, guard, guard.saturating_add(stack));
        self.machine.memory_mut().write(context.stack.top, &[0; 4])?;
        if self.folded.is_some() {
            context.start_profile();
        }
        let free = self.contexts.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.contexts.len());
        match self.contexts.get_mut(slot) {
            Some(place) => *place = Some(context),
            None => self.contexts.push(Some(context)),
        }
        Ok(Some(slot))
    }

    /// Where a task has a word of its own, 0 from the task's begin: above its stack.
    pub fn task_word(&mut self, slot: usize) -> Result<u32, Trouble> {
        Ok(self.parts(slot)?.1.stack.top)
    }

    /// Forgets those of a task that is gone: its stack may look as it likes.
    pub fn end_context(&mut self, slot: usize) {
        let Some(mut context) = self.contexts.get_mut(slot).and_then(Option::take) else { return };
        self.ended.entry(context.name.clone()).or_default().add(&context);
        if let Some(text) = &mut self.folded {
            fold(&mut context, &self.machine, text);
        }
        self.arena.give_back(context.stack.guard);
    }

    /// The machine and the registers of a task.
    pub fn parts(&mut self, slot: usize) -> Result<(&mut Machine, &mut Context), Trouble> {
        let lost = || Trouble::Misuse("a task has lost its registers".to_owned());
        let context = self.contexts.get_mut(slot).and_then(Option::as_mut).ok_or_else(lost)?;
        Ok((&mut self.machine, context))
    }

    /// The words of the call that a task is in.
    pub fn words(&mut self, slot: usize, count: u8) -> Result<Words, Trouble> {
        let (machine, context) = self.parts(slot)?;
        let mut words = Words::default();
        for (number, word) in (0..count).zip(&mut words) {
            *word = machine.argument(context, number)?;
        }
        Ok(words)
    }
}

fn fold(context: &mut Context, machine: &Machine, text: &mut Vec<u8>) {
    let name = context.name.clone();
    if let Some(profile) = context.profile() {
        // Writing to memory does not fail.
        let _ = profile.write_folded(&name, machine.symbols(), text);
    }
}
