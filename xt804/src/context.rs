//! One task's side of the processor: registers, stack, what it called and what it has done so far.

use crate::operand::{LR, SP};
use crate::profile::Profile;

/// What a task has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Instructions executed.
    pub instructions: u64,
    /// Calls, those to the host's functions among them.
    pub calls: u64,
    /// Loads; each register of a list is one.
    pub loads: u64,
    /// Stores; each register of a list is one.
    pub stores: u64,
}

/// A stack and how much of it was ever used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The lowest address that belongs to it.
    pub guard: u32,
    /// The address after its highest.
    pub top: u32,
    /// The lowest value that the stack pointer has had.
    pub lowest: u32,
}

impl Stack {
    /// The most bytes ever in use.
    pub fn high_water(&self) -> u32 {
        self.top.wrapping_sub(self.lowest)
    }
}

/// A call that has not returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    pub function: u32,
    pub return_address: u32,
    pub site: u32,
}

/// A set of registers with its stack: one for each task.
#[derive(Debug)]
pub struct Context {
    /// The task's name, for faults and profiles.
    pub name: String,
    /// The address of the next instruction.
    pub pc: u32,
    /// The condition bit.
    pub condition: bool,
    /// The accumulator's high word.
    pub hi: u32,
    /// The accumulator's low word.
    pub lo: u32,
    /// The processor status register, but for the condition bit.
    pub status: u32,
    /// The stack.
    pub stack: Stack,
    /// What was done.
    pub counters: Counters,
    general: [u32; 32],
    float: [u32; 16],
    pub(crate) calls: Vec<Activation>,
    pub(crate) profile: Option<Profile>,
}

/// Supervisor mode with interrupts and exceptions on, as tasks run.
const STATUS: u32 = 0x8000_0140;

impl Context {
    /// A task on the stack `guard..top`, with nothing to do yet.
    pub fn new(name: &str, guard: u32, top: u32) -> Self {
        let top = top & !7;
        let mut context = Self {
            name: name.to_owned(),
            pc: 0,
            condition: false,
            hi: 0,
            lo: 0,
            status: STATUS,
            stack: Stack { guard, top, lowest: top },
            counters: Counters::default(),
            general: [0; 32],
            float: [0; 16],
            calls: Vec::new(),
            profile: None,
        };
        context.set(SP, top);
        context
    }

    /// A general register.
    #[inline]
    pub fn get(&self, register: u8) -> u32 {
        self.general.get(usize::from(register & 31)).copied().unwrap_or(0)
    }

    /// Sets a general register.
    #[inline]
    pub fn set(&mut self, register: u8, value: u32) {
        if let Some(place) = self.general.get_mut(usize::from(register & 31)) {
            *place = value;
        }
    }

    /// A floating-point register's bits.
    #[inline]
    pub fn get_float(&self, register: u8) -> u32 {
        self.float.get(usize::from(register & 15)).copied().unwrap_or(0)
    }

    /// Sets a floating-point register's bits.
    #[inline]
    pub fn set_float(&mut self, register: u8, bits: u32) {
        if let Some(place) = self.float.get_mut(usize::from(register & 15)) {
            *place = bits;
        }
    }

    /// Two registers as one number, the lower one first.
    pub fn get_pair(&self, register: u8) -> u64 {
        u64::from(self.get(register)) | u64::from(self.get(register.wrapping_add(1))) << 32
    }

    /// Sets two registers.
    pub fn set_pair(&mut self, register: u8, value: u64) {
        self.set(register, low_word(value));
        self.set(register.wrapping_add(1), low_word(value >> 32));
    }

    /// The stack pointer.
    pub fn sp(&self) -> u32 {
        self.get(SP)
    }

    /// Starts to note how much is executed in which calls.
    pub fn start_profile(&mut self) {
        self.profile = Some(Profile::new(self.counters.instructions));
    }

    /// What was noted since.
    pub fn profile(&mut self) -> Option<&Profile> {
        let now = self.counters.instructions;
        let profile = self.profile.as_mut()?;
        profile.charge(now);
        Some(profile)
    }

    /// Notes a call from `site` that will come back to `return_address`.
    pub(crate) fn enter(&mut self, function: u32, return_address: u32, site: u32) {
        self.counters.calls = self.counters.calls.wrapping_add(1);
        self.calls.push(Activation { function, return_address, site });
        if let Some(profile) = &mut self.profile {
            profile.enter(function, self.counters.instructions);
        }
    }

    /// Notes that execution went to `target`, where that ends a call.
    pub(crate) fn leave(&mut self, target: u32) {
        if let Some(place) = self.calls.iter().rposition(|call| call.return_address == target) {
            self.unwind(place);
        }
    }

    /// Notes that no more than so many calls are still open.
    pub(crate) fn unwind(&mut self, depth: usize) {
        while self.calls.len() > depth {
            self.calls.pop();
            if let Some(profile) = &mut self.profile {
                profile.leave(self.counters.instructions);
            }
        }
    }

    /// Ends a host function that has put its result into place: goes on where it was called.
    pub fn return_from_host(&mut self) {
        self.pc = self.get(LR) & !1;
        self.leave(self.pc);
    }
}

pub(crate) fn low_word(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
