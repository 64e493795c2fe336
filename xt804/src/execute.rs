//! What each operation does to registers and memory.
//!
//! One dispatch here, one module for each group: [`data`] computes, [`transfer`] loads and stores, [`flow`] goes
//! elsewhere, [`float`] is the floating-point unit. [`quick`] does with blocks what these do with single instructions.

mod data;
mod float;
mod flow;
pub(crate) mod quick;
mod transfer;

use crate::context::Context;
use crate::fault::FaultKind;
use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operand::low_byte;
use crate::operation::{Op, System};

/// Executes an instruction that lies at the context's `pc`, and leaves `pc` at the next.
#[inline]
pub(crate) fn execute(context: &mut Context, memory: &mut Memory, what: Instruction) -> Result<(), FaultKind> {
    let next = context.pc.wrapping_add(u32::from(what.length));
    let next = match what.op {
        Op::Branch(condition) => flow::branch(context, condition, what, next),
        Op::Jump(target) => flow::jump(context, memory, target, what)?,
        Op::Call(target) => flow::call(context, memory, target, what, next)?,
        Op::Multiple(multiple) => transfer::multiple(context, memory, multiple, what)?.unwrap_or(next),
        op => {
            within(context, memory, op, what)?;
            next
        }
    };
    context.pc = next;
    Ok(())
}

/// The operations after which the next instruction follows.
#[inline]
fn within(context: &mut Context, memory: &mut Memory, op: Op, what: Instruction) -> Result<(), FaultKind> {
    let (x, immediate) = (context.get(what.x), what.immediate);
    match op {
        Op::Binary(binary) => context.set(what.z, data::binary(binary, x, context.get(what.y))?),
        Op::BinaryImmediate(binary) => context.set(what.z, data::binary(binary, x, immediate)?),
        Op::Unary(unary) => context.set(what.z, data::unary(unary, x)),
        Op::Compare(compare) => context.condition = data::compare(compare, x, context.get(what.y)),
        Op::CompareImmediate(compare) => context.condition = data::compare(compare, x, immediate),
        Op::Carry(carry) => data::carry(context, carry, what),
        Op::Conditional(conditional) => data::conditional(context, conditional, what),
        Op::Move => context.set(what.z, immediate),
        Op::MoveHigh => context.set(what.z, immediate << 16),
        Op::MoveAddress => context.set(what.z, context.pc.wrapping_add(immediate)),
        Op::Field(field) => context.set(what.z, data::field(field, x, context.get(what.z), what.y, immediate)),
        Op::Load(access) => transfer::load(context, memory, access, x.wrapping_add(immediate), what.z)?,
        Op::Store(access) => transfer::store(context, memory, access, x.wrapping_add(immediate), what.z)?,
        Op::LoadIndexed(access) => transfer::load(context, memory, access, transfer::indexed(context, what), what.z)?,
        Op::StoreIndexed(access) => transfer::store(context, memory, access, transfer::indexed(context, what), what.z)?,
        Op::LoadPool => {
            let word = transfer::literal(context, memory, immediate)?;
            context.set(what.z, word);
        }
        Op::HiLo(hi_lo) => data::hi_lo(context, hi_lo, what),
        Op::Long(long) => data::long(context, long, what)?,
        Op::System(system) => self::system(context, system, what)?,
        Op::Undecoded | Op::Privileged => return Err(FaultKind::Privileged),
        _ => float::execute(context, memory, op, what)?,
    }
    Ok(())
}

/// The bits of the status register that `psrset` and `psrclr` name: `fe`, `ie`, `ee`.
fn status_mask(named: u32) -> u32 {
    (named & 2) << 3 | (named & 4) << 4 | (named & 8) << 5
}

/// `psr`, whose lowest bit is the condition; the others are not kept.
const PSR: u32 = 0;

fn system(context: &mut Context, system: System, what: Instruction) -> Result<(), FaultKind> {
    match system {
        System::Hint => {}
        System::SetStatus => context.status |= status_mask(what.immediate),
        System::ClearStatus => context.status &= !status_mask(what.immediate),
        System::ReadControl if what.immediate == PSR => {
            context.set(what.z, context.status & !1 | u32::from(context.condition));
        }
        System::WriteControl if what.immediate == PSR => {
            context.status = context.get(what.x) & !1;
            context.condition = context.get(what.x) & 1 != 0;
        }
        System::ReadControl | System::WriteControl => return Err(FaultKind::Privileged),
        System::Breakpoint => return Err(FaultKind::Breakpoint),
        System::Trap => return Err(FaultKind::Trap(low_byte(what.immediate))),
    }
    Ok(())
}
