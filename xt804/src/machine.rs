//! Memory, code and symbols: what all tasks share, and the loop that runs one of them.
//!
//! [`Machine::run`] takes a task as far as it goes: to a call of the host's, to the end of what was asked of it, to a
//! fault, or to the end of its budget. The host answers a call by putting the result into `r0` (and `r1`) and
//! [`Context::return_from_host`]. It may itself call the guest meanwhile: [`Machine::begin_call`], run, end.

use crate::block::{Block, Step};
use crate::cache::Cache;
use crate::context::{Context, Stack};
use crate::disassemble::disassemble;
use crate::execute::execute;
use crate::execute::quick::{self, End};
use crate::fault::{Fault, FaultKind, Frame};
use crate::image::{Image, Symbols, import_number};
use crate::instruction::Instruction;
use crate::link::{FLASH, FLASH_SIZE, RAM, RAM_SIZE, RETURN};
use crate::memory::Memory;
use crate::operand::{LR, SP};

/// Registers that take arguments before the stack does.
const ARGUMENT_REGISTERS: u8 = 4;

/// Why a task no longer runs.
#[derive(Debug)]
pub enum Stop {
    /// It calls a function of the host's, by number: see [`Symbols::imports`].
    HostCall(usize),
    /// What [`Machine::begin_call`] began has returned.
    Returned,
    /// It has executed as much as it was allowed to.
    Budget,
    /// It cannot go on.
    Fault(Box<Fault>),
}

/// What the host put aside to call the guest.
#[must_use = "the context stays inside the call until end_call"]
#[derive(Debug)]
pub struct Call {
    pc: u32,
    link: u32,
    sp: u32,
    depth: usize,
}

/// A chip without its peripherals.
#[derive(Debug)]
pub struct Machine {
    memory: Memory,
    symbols: Symbols,
    instructions: Cache<Instruction>,
    blocks: Cache<Block>,
    /// Those of all blocks.
    steps: Vec<Step>,
    blocks_allowed: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new((FLASH, FLASH_SIZE), (RAM, RAM_SIZE))
    }
}

impl Machine {
    /// Empty memory of these first addresses and sizes.
    pub fn new(flash: (u32, usize), ram: (u32, usize)) -> Self {
        Self {
            memory: Memory::new(flash, ram),
            symbols: Symbols::default(),
            instructions: Cache::new(flash.0, flash.1),
            blocks: Cache::new(flash.0, flash.1),
            steps: Vec::new(),
            blocks_allowed: true,
        }
    }

    /// Puts a program into memory.
    pub fn load(&mut self, image: Image) -> Result<(), FaultKind> {
        for (address, bytes) in &image.segments {
            self.memory.place(*address, bytes)?;
        }
        self.symbols = image.symbols;
        self.forget_code();
        Ok(())
    }

    fn forget_code(&mut self) {
        self.instructions.clear();
        self.blocks.clear();
        self.steps.clear();
    }

    /// Puts instructions into flash.
    pub fn place_code(&mut self, address: u32, code: &[u8]) -> Result<(), FaultKind> {
        self.memory.place(address, code)?;
        self.forget_code();
        Ok(())
    }

    /// The memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The memory, for the host to write to.
    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The program's symbols.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// Runs a task for at most so many instructions, and ends at exactly as many where nothing else ends it.
    pub fn run(&mut self, context: &mut Context, budget: u64) -> Stop {
        let end = context.counters.instructions.saturating_add(budget);
        while context.counters.instructions < end {
            let room = end.wrapping_sub(context.counters.instructions);
            let outcome = match self.blocks.get(context.pc) {
                Some(block) if self.blocks_allowed && fits(block, room) => {
                    match run_block(context, &mut self.memory, &self.steps, block) {
                        Ok(()) => continue,
                        Err(Refused) => self.step(context),
                    }
                }
                Some(_) => self.step(context),
                None => self.reach(context),
            };
            if let Err(kind) = outcome {
                return self.stop(context, kind);
            }
        }
        Stop::Budget
    }

    /// Executes single instructions only, or blocks of them where that can be: the outcome is the same.
    pub fn allow_blocks(&mut self, allowed: bool) {
        self.blocks_allowed = allowed;
    }

    /// Prepares the block that begins where a task is. Nothing is executed, but for an instruction that is not in flash:
    /// that is an exit or a fault.
    #[cold]
    fn reach(&mut self, context: &mut Context) -> Result<(), FaultKind> {
        let decode = |pc| instruction(&mut self.instructions, &self.memory, pc).ok();
        let block = Block::build(context.pc, &self.memory, &mut self.steps, decode).ok_or(FaultKind::NoCode)?;
        match self.blocks.insert(context.pc, block) {
            Some(()) => Ok(()),
            None => self.step(context),
        }
    }

    /// Executes one instruction.
    fn step(&mut self, context: &mut Context) -> Result<(), FaultKind> {
        let instruction = match self.instructions.get(context.pc) {
            Some(instruction) => *instruction,
            None => decode(&mut self.instructions, &self.memory, context.pc)?,
        };
        context.counters.instructions = context.counters.instructions.wrapping_add(1);
        execute(context, &mut self.memory, instruction)?;
        if instruction.moves_stack {
            check_stack(context.get(SP), &mut context.stack)?;
        }
        Ok(())
    }

    /// Tells an exit to the host, which is no memory of the guest's, from a fault.
    #[cold]
    fn stop(&self, context: &Context, kind: FaultKind) -> Stop {
        match (kind, import_number(context.pc)) {
            (FaultKind::NoCode, _) if context.pc == RETURN => Stop::Returned,
            (FaultKind::NoCode, Some(number)) if self.symbols.import(number).is_some() => Stop::HostCall(number),
            (kind, _) => Stop::Fault(Box::new(self.fault(context, kind))),
        }
    }

    /// Describes a failure at the place where a task is. The host reports its own findings with it, too.
    pub fn fault(&self, context: &Context, kind: FaultKind) -> Fault {
        Fault {
            kind,
            task: context.name.clone(),
            instruction: self.show(context.pc),
            backtrace: self.backtrace(context),
        }
    }

    /// Where a task is, and by which calls it came there, from the inside out.
    pub fn backtrace(&self, context: &Context) -> Vec<Frame> {
        let sites = context.calls.iter().rev().map(|call| call.site);
        std::iter::once(context.pc).chain(sites.filter(|site| *site != 0)).map(|address| self.frame(address)).collect()
    }

    fn frame(&self, address: u32) -> Frame {
        let symbol = self.symbols.function(address).map(|(name, offset)| (name.to_owned(), offset));
        Frame { address, symbol }
    }

    /// The instruction at an address, as text.
    pub fn show(&self, address: u32) -> Option<String> {
        let first = self.memory.code(address)?;
        let literal = |address| self.memory.load(address, crate::operation::Access::Word).ok();
        let line = disassemble(address, first, self.memory.code(address.wrapping_add(2)), literal)?;
        Some(line.text)
    }

    /// Makes a task enter a function. Arguments are words: the first four in `r0` to `r3`, the others on the stack.
    pub fn begin_call(&mut self, context: &mut Context, function: u32, arguments: &[u32]) -> Result<Call, Fault> {
        let call = Call { pc: context.pc, link: context.get(LR), sp: context.sp(), depth: context.calls.len() };
        for (register, argument) in (0..ARGUMENT_REGISTERS).zip(arguments) {
            context.set(register, *argument);
        }
        let rest = arguments.get(usize::from(ARGUMENT_REGISTERS)..).unwrap_or_default();
        let bytes: Vec<u8> = rest.iter().flat_map(|argument| argument.to_le_bytes()).collect();
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let sp = context.sp().wrapping_sub(size) & !7;
        context.set(SP, sp);
        let checked = check_stack(sp, &mut context.stack).and_then(|()| self.memory.write(sp, &bytes));
        checked.map_err(|kind| self.fault(context, kind))?;
        context.set(LR, RETURN);
        context.enter(function, RETURN, context.pc);
        context.pc = function & !1;
        Ok(call)
    }

    /// Puts a task back where it was and takes the result: `r0`, and `r1` above it.
    pub fn end_call(&mut self, context: &mut Context, call: Call) -> u64 {
        context.unwind(call.depth);
        context.pc = call.pc;
        context.set(LR, call.link);
        context.set(SP, call.sp);
        context.get_pair(0)
    }

    /// Calls a function and serves what it asks of the host, until it returns.
    pub fn call(
        &mut self,
        context: &mut Context,
        function: u32,
        arguments: &[u32],
        host: &mut dyn Host,
    ) -> Result<u64, Box<Fault>> {
        let call = self.begin_call(context, function, arguments)?;
        loop {
            match self.run(context, u64::MAX) {
                Stop::Returned => return Ok(self.end_call(context, call)),
                Stop::HostCall(number) => {
                    host.call(self, context, number)?;
                    context.return_from_host();
                }
                Stop::Budget => {}
                Stop::Fault(fault) => return Err(fault),
            }
        }
    }

    /// An argument of the call that a task is in: a word, counted from 0.
    pub fn argument(&self, context: &Context, number: u8) -> Result<u32, FaultKind> {
        match number.checked_sub(ARGUMENT_REGISTERS) {
            None => Ok(context.get(number)),
            Some(place) => {
                let address = context.sp().wrapping_add(u32::from(place) << 2);
                self.memory.load(address, crate::operation::Access::Word)
            }
        }
    }
}

/// The functions that the guest lacks.
pub trait Host {
    /// Does what function `number` is for: takes arguments from the context, puts the result into it.
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>>;
}

/// The instruction at an address, decoded when it is reached for the first time.
#[inline]
fn instruction(known: &mut Cache<Instruction>, memory: &Memory, pc: u32) -> Result<Instruction, FaultKind> {
    match known.get(pc) {
        Some(instruction) => Ok(*instruction),
        None => decode(known, memory, pc),
    }
}

#[cold]
fn decode(known: &mut Cache<Instruction>, memory: &Memory, pc: u32) -> Result<Instruction, FaultKind> {
    let (Some(first), 0) = (memory.code(pc), pc & 1) else { return Err(FaultKind::NoCode) };
    let second = memory.code(pc.wrapping_add(2));
    let unknown = FaultKind::UnknownEncoding { first, second: second.filter(|_| first >= 0xc000) };
    let instruction = Instruction::decode(first, second).ok_or(unknown)?;
    known.insert(pc, instruction).ok_or(FaultKind::NoCode)?;
    Ok(instruction)
}

/// A block without steps is an instruction for the interpreter.
#[inline]
fn fits(block: &Block, room: u64) -> bool {
    block.count != 0 && u64::from(block.count) <= room
}

/// A step could not be done; the task is before it.
struct Refused;

/// Executes a block whole, or as far as it can be.
#[inline]
fn run_block(context: &mut Context, memory: &mut Memory, steps: &[Step], block: &Block) -> Result<(), Refused> {
    let counters = &mut context.counters;
    counters.instructions = counters.instructions.wrapping_add(u64::from(block.count));
    counters.loads = counters.loads.wrapping_add(u64::from(block.loads));
    counters.stores = counters.stores.wrapping_add(u64::from(block.stores));
    let first = block.first as usize;
    let steps = steps.get(first..first.wrapping_add(block.count as usize)).unwrap_or_default();
    match quick::block(context, memory, steps, block.end) {
        End::At(next) => {
            context.pc = next;
            Ok(())
        }
        End::Refused(done) => {
            take_back(context, steps, done);
            Err(Refused)
        }
    }
}

/// Takes the steps out of the counters that were not done, and puts the task before the first of them.
#[cold]
fn take_back(context: &mut Context, steps: &[Step], done: usize) {
    let (done, missing) = steps.split_at(done.min(steps.len()));
    context.pc = done.iter().fold(context.pc, |pc, step| pc.wrapping_add(step.length()));
    let counters = &mut context.counters;
    for step in missing {
        let (loads, stores) = step.transfers;
        counters.instructions = counters.instructions.wrapping_sub(1);
        counters.loads = counters.loads.wrapping_sub(u64::from(loads));
        counters.stores = counters.stores.wrapping_sub(u64::from(stores));
    }
}

#[inline]
fn check_stack(sp: u32, stack: &mut Stack) -> Result<(), FaultKind> {
    stack.lowest = stack.lowest.min(sp);
    if sp < stack.guard {
        return Err(FaultKind::StackOverflow { sp, guard: stack.guard });
    }
    Ok(())
}
