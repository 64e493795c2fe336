//! Branches, jumps and calls: what comes after this instruction.

use super::transfer::literal;
use crate::context::Context;
use crate::fault::FaultKind;
use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operand::LR;
use crate::operation::{Condition, JumpTarget};

#[inline]
pub(super) fn branch(context: &mut Context, condition: Condition, what: Instruction, next: u32) -> u32 {
    if is_taken(context, condition, what) { context.pc.wrapping_add(what.immediate) } else { next }
}

#[inline]
pub(super) fn is_taken(context: &mut Context, condition: Condition, what: Instruction) -> bool {
    let x = context.get(what.x).cast_signed();
    match condition {
        Condition::True => context.condition,
        Condition::False => !context.condition,
        Condition::Zero => x == 0,
        Condition::NotZero => x != 0,
        Condition::Higher => x > 0,
        Condition::LowerOrSame => x <= 0,
        Condition::Lower => x < 0,
        Condition::HigherOrSame => x >= 0,
        Condition::NotZeroAfterDecrement => {
            context.set(what.x, x.wrapping_sub(1).cast_unsigned());
            x != 1
        }
    }
}

#[inline]
fn target(context: &mut Context, memory: &Memory, target: JumpTarget, what: Instruction) -> Result<u32, FaultKind> {
    Ok(match target {
        JumpTarget::Displacement => context.pc.wrapping_add(what.immediate),
        JumpTarget::Register => context.get(what.x) & !1,
        JumpTarget::Pool => literal(context, memory, what.immediate)? & !1,
    })
}

#[inline]
pub(super) fn jump(
    context: &mut Context,
    memory: &Memory,
    kind: JumpTarget,
    what: Instruction,
) -> Result<u32, FaultKind> {
    let to = target(context, memory, kind, what)?;
    if kind == JumpTarget::Register && what.x == LR {
        context.leave(to);
    }
    Ok(to)
}

#[inline]
pub(super) fn call(
    context: &mut Context,
    memory: &Memory,
    kind: JumpTarget,
    what: Instruction,
    next: u32,
) -> Result<u32, FaultKind> {
    let to = target(context, memory, kind, what)?;
    context.set(LR, next);
    context.enter(to, next, context.pc);
    Ok(to)
}
