//! Blocks of steps. A step does what its instruction does in the other modules, or nothing at all: then it is for the
//! interpreter of single instructions to do it, or to tell what is wrong.

use super::transfer::{indexed, registers};
use super::{data, flow};
use crate::block::{Code, Step, for_each_step};
use crate::context::Context;
use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operand::{LR, SP};
use crate::operation::{
    Access, Binary, Carry, Compare, Condition, Conditional, Field, HiLo, JumpTarget, Long, Multiple, Unary,
};

/// How a block came to its end.
pub(crate) enum End {
    /// Execution goes on there.
    At(u32),
    /// So many steps are done, and the next could not be.
    Refused(usize),
}

/// A task's registers and the memory, while a block is executed that ends before `end`.
struct Run<'a> {
    context: &'a mut Context,
    memory: &'a mut Memory,
    end: u32,
    next: u32,
}

macro_rules! dispatch {
    ($($class:ident($kind:ident) $function:ident { $($code:ident $variant:ident $(($flag:literal))?),* })*) => {
        /// Does one step; nothing where it must be done otherwise.
        #[inline(always)]
        fn step(run: &mut Run<'_>, step: &Step) -> Option<()> {
            let what = step.what;
            match step.code {
                Code::Constant => run.context.set(what.z, what.immediate),
                Code::LowerStack => run.lower_stack(what)?,
                $($(Code::$code => run.$function($kind::$variant $(($flag))?, what)?,)*)*
            }
            Some(())
        }
    };
}
for_each_step!(dispatch);

/// Executes the steps of a block that ends before `end`.
pub(crate) fn block(context: &mut Context, memory: &mut Memory, steps: &[Step], end: u32) -> End {
    let mut run = Run { context, memory, end, next: end };
    for (done, next) in steps.iter().enumerate() {
        if step(&mut run, next).is_none() {
            return End::Refused(done);
        }
    }
    End::At(run.next)
}

// Each is inlined where its variant is a constant, so that nothing of the choice is left.
impl Run<'_> {
    #[inline(always)]
    fn get(&self, register: u8) -> u32 {
        self.context.get(register)
    }

    #[inline(always)]
    fn set(&mut self, register: u8, value: u32) -> Option<()> {
        self.context.set(register, value);
        Some(())
    }

    #[inline(always)]
    fn lower_stack(&mut self, what: Instruction) -> Option<()> {
        let sp = self.get(what.x).wrapping_sub(what.immediate);
        self.move_stack(sp)
    }

    #[inline(always)]
    fn move_stack(&mut self, sp: u32) -> Option<()> {
        let stack = &mut self.context.stack;
        if sp < stack.guard {
            return None;
        }
        stack.lowest = stack.lowest.min(sp);
        self.set(SP, sp)
    }

    #[inline(always)]
    fn binary(&mut self, binary: Binary, what: Instruction) -> Option<()> {
        self.set(what.z, data::binary(binary, self.get(what.x), self.get(what.y)).ok()?)
    }

    #[inline(always)]
    fn binary_immediate(&mut self, binary: Binary, what: Instruction) -> Option<()> {
        self.set(what.z, data::binary(binary, self.get(what.x), what.immediate).ok()?)
    }

    #[inline(always)]
    fn unary(&mut self, unary: Unary, what: Instruction) -> Option<()> {
        self.set(what.z, data::unary(unary, self.get(what.x)))
    }

    #[inline(always)]
    fn compare(&mut self, compare: Compare, what: Instruction) -> Option<()> {
        self.context.condition = data::compare(compare, self.get(what.x), self.get(what.y));
        Some(())
    }

    #[inline(always)]
    fn compare_immediate(&mut self, compare: Compare, what: Instruction) -> Option<()> {
        self.context.condition = data::compare(compare, self.get(what.x), what.immediate);
        Some(())
    }

    #[inline(always)]
    fn carry(&mut self, carry: Carry, what: Instruction) -> Option<()> {
        data::carry(self.context, carry, what);
        Some(())
    }

    #[inline(always)]
    fn conditional(&mut self, conditional: Conditional, what: Instruction) -> Option<()> {
        data::conditional(self.context, conditional, what);
        Some(())
    }

    #[inline(always)]
    fn field(&mut self, field: Field, what: Instruction) -> Option<()> {
        self.set(what.z, data::field(field, self.get(what.x), self.get(what.z), what.y, what.immediate))
    }

    #[inline(always)]
    fn hi_lo(&mut self, hi_lo: HiLo, what: Instruction) -> Option<()> {
        data::hi_lo(self.context, hi_lo, what);
        Some(())
    }

    #[inline(always)]
    fn long(&mut self, long: Long, what: Instruction) -> Option<()> {
        data::long(self.context, long, what).ok()
    }

    #[inline(always)]
    fn load_at(&mut self, access: Access, address: u32, register: u8) -> Option<()> {
        self.set(register, self.memory.peek(address, access)?)
    }

    #[inline(always)]
    fn load(&mut self, access: Access, what: Instruction) -> Option<()> {
        self.load_at(access, self.get(what.x).wrapping_add(what.immediate), what.z)
    }

    #[inline(always)]
    fn load_indexed(&mut self, access: Access, what: Instruction) -> Option<()> {
        self.load_at(access, indexed(self.context, what), what.z)
    }

    #[inline(always)]
    fn store(&mut self, access: Access, what: Instruction) -> Option<()> {
        self.memory.poke(self.get(what.x).wrapping_add(what.immediate), access, self.get(what.z))
    }

    #[inline(always)]
    fn store_indexed(&mut self, access: Access, what: Instruction) -> Option<()> {
        self.memory.poke(indexed(self.context, what), access, self.get(what.z))
    }

    #[inline(always)]
    fn multiple(&mut self, multiple: Multiple, what: Instruction) -> Option<()> {
        let named = (u32::MAX >> 31_u32.wrapping_sub(what.immediate & 31)) << (what.z & 31);
        match multiple {
            Multiple::Load => self.load_all(self.get(what.x), named),
            Multiple::Store => self.store_all(self.get(what.x), named),
            Multiple::Push => {
                let base = self.get(SP).wrapping_sub(what.immediate.count_ones() << 2);
                // The words are below the old stack pointer: it does no harm to have them where the stack has ended.
                self.store_all(base, what.immediate)?;
                self.move_stack(base)
            }
            Multiple::Pop => {
                let base = self.get(SP);
                self.load_all(base, what.immediate)?;
                self.context.set(SP, base.wrapping_add(what.immediate.count_ones() << 2));
                self.next = self.get(LR) & !1;
                self.context.leave(self.next);
                Some(())
            }
            _ => None,
        }
    }

    /// Loads the registers that have a bit, from ascending addresses.
    #[inline(always)]
    fn load_all(&mut self, base: u32, bits: u32) -> Option<()> {
        let words = self.memory.words(base, bits.count_ones())?;
        for (register, word) in registers(bits).zip(words) {
            self.context.set(register, u32::from_le_bytes(*word));
        }
        Some(())
    }

    #[inline(always)]
    fn store_all(&mut self, base: u32, bits: u32) -> Option<()> {
        let words = self.memory.words_mut(base, bits.count_ones())?;
        for (register, word) in registers(bits).zip(words) {
            *word = self.context.get(register).to_le_bytes();
        }
        Some(())
    }

    #[inline(always)]
    fn branch(&mut self, condition: Condition, what: Instruction) -> Option<()> {
        if flow::is_taken(self.context, condition, what) {
            self.next = what.immediate;
        }
        Some(())
    }

    #[inline(always)]
    fn target(&self, target: JumpTarget, what: Instruction) -> Option<u32> {
        match target {
            JumpTarget::Displacement => Some(what.immediate),
            JumpTarget::Register => Some(self.get(what.x) & !1),
            JumpTarget::Pool => None,
        }
    }

    #[inline(always)]
    fn jump(&mut self, target: JumpTarget, what: Instruction) -> Option<()> {
        self.next = self.target(target, what)?;
        if target == JumpTarget::Register && what.x == LR {
            self.context.leave(self.next);
        }
        Some(())
    }

    #[inline(always)]
    fn call(&mut self, target: JumpTarget, what: Instruction) -> Option<()> {
        self.next = self.target(target, what)?;
        self.context.set(LR, self.end);
        self.context.enter(self.next, self.end, self.end.wrapping_sub(u32::from(what.length)));
        Some(())
    }
}
