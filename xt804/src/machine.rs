//! Memory, code and symbols: what all tasks share, and the loop that runs one of them.
//!
//! [`Machine::run`] takes a task as far as it goes: to a call of the host's, to the end of what was asked of it, to a
//! fault, or to the end of its budget. The host answers a call by putting the result into `r0` (and `r1`) and
//! [`Context::return_from_host`]. It may itself call the guest meanwhile: [`Machine::begin_call`], run, end.

use crate::context::{Context, Stack};
use crate::disassemble::disassemble;
use crate::execute::execute;
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
    code: Vec<Instruction>,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new((FLASH, FLASH_SIZE), (RAM, RAM_SIZE))
    }
}

impl Machine {
    /// Empty memory of these first addresses and sizes.
    pub fn new(flash: (u32, usize), ram: (u32, usize)) -> Self {
        let code = vec![Instruction::UNDECODED; flash.1 / 2];
        Self { memory: Memory::new(flash, ram), symbols: Symbols::default(), code }
    }

    /// Puts a program into memory.
    pub fn load(&mut self, image: Image) -> Result<(), FaultKind> {
        for (address, bytes) in &image.segments {
            self.memory.place(*address, bytes)?;
        }
        self.symbols = image.symbols;
        self.code.fill(Instruction::UNDECODED);
        Ok(())
    }

    /// Puts instructions into flash.
    pub fn place_code(&mut self, address: u32, code: &[u8]) -> Result<(), FaultKind> {
        self.memory.place(address, code)?;
        self.code.fill(Instruction::UNDECODED);
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

    /// Runs a task for at most so many instructions.
    pub fn run(&mut self, context: &mut Context, budget: u64) -> Stop {
        let end = context.counters.instructions.saturating_add(budget);
        while context.counters.instructions < end {
            let step = match self.fetch(context.pc) {
                Some(instruction) => self.step(context, instruction),
                None => self.decode(context.pc),
            };
            if let Err(kind) = step {
                return self.stop(context, kind);
            }
        }
        Stop::Budget
    }

    #[inline]
    fn fetch(&self, pc: u32) -> Option<Instruction> {
        let index = pc.wrapping_sub(self.memory.flash().base()) >> 1;
        self.code.get(index as usize).copied().filter(|instruction| instruction.length != 0)
    }

    #[inline]
    fn step(&mut self, context: &mut Context, instruction: Instruction) -> Result<(), FaultKind> {
        context.counters.instructions = context.counters.instructions.wrapping_add(1);
        execute(context, &mut self.memory, instruction)?;
        if instruction.moves_stack {
            check_stack(context.get(SP), &mut context.stack)?;
        }
        Ok(())
    }

    /// Decodes what is reached for the first time. Nothing is executed: the loop comes again.
    #[cold]
    fn decode(&mut self, pc: u32) -> Result<(), FaultKind> {
        let index = pc.wrapping_sub(self.memory.flash().base()) >> 1;
        let (Some(first), 0) = (self.memory.code(pc), pc & 1) else { return Err(FaultKind::NoCode) };
        let second = self.memory.code(pc.wrapping_add(2));
        let unknown = FaultKind::UnknownEncoding { first, second: second.filter(|_| first >= 0xc000) };
        let instruction = Instruction::decode(first, second).ok_or(unknown)?;
        let place = self.code.get_mut(index as usize).ok_or(FaultKind::NoCode)?;
        *place = instruction;
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

#[inline]
fn check_stack(sp: u32, stack: &mut Stack) -> Result<(), FaultKind> {
    stack.lowest = stack.lowest.min(sp);
    if sp < stack.guard {
        return Err(FaultKind::StackOverflow { sp, guard: stack.guard });
    }
    Ok(())
}
