//! Loads, stores, and lists of registers.

use crate::block::listed;
use crate::context::Context;
use crate::fault::FaultKind;
use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operand::{LR, SP, low_byte};
use crate::operation::{Access, Multiple};

#[inline]
pub(super) fn read(context: &mut Context, memory: &Memory, access: Access, address: u32) -> Result<u32, FaultKind> {
    context.counters.loads = context.counters.loads.wrapping_add(1);
    memory.load(address, access)
}

#[inline]
pub(super) fn write(
    context: &mut Context,
    memory: &mut Memory,
    access: Access,
    address: u32,
    value: u32,
) -> Result<(), FaultKind> {
    context.counters.stores = context.counters.stores.wrapping_add(1);
    memory.store(address, access, value)
}

#[inline]
pub(super) fn load(
    context: &mut Context,
    memory: &Memory,
    access: Access,
    address: u32,
    register: u8,
) -> Result<(), FaultKind> {
    let value = read(context, memory, access, address)?;
    context.set(register, value);
    Ok(())
}

#[inline]
pub(super) fn store(
    context: &mut Context,
    memory: &mut Memory,
    access: Access,
    address: u32,
    register: u8,
) -> Result<(), FaultKind> {
    write(context, memory, access, address, context.get(register))
}

/// The address of an access by base and index.
#[inline]
pub(super) fn indexed(context: &Context, what: Instruction) -> u32 {
    context.get(what.x).wrapping_add(context.get(what.y) << what.immediate)
}

/// A word of the pool, `offset` bytes after the instruction.
#[inline]
pub(super) fn literal(context: &mut Context, memory: &Memory, offset: u32) -> Result<u32, FaultKind> {
    read(context, memory, Access::Word, context.pc.wrapping_add(offset) & !3)
}

/// What an interrupt handler keeps: `r0` to `r3`, `r12`, `r13`.
const INTERRUPT: u32 = 0x300f;

/// The numbers of the bits, from the lowest on.
pub(super) fn registers(mut bits: u32) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let register = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (register < 32).then(|| low_byte(register))
    })
}

/// Where execution goes on, if that is not the next instruction.
pub(super) fn multiple(
    context: &mut Context,
    memory: &mut Memory,
    multiple: Multiple,
    what: Instruction,
) -> Result<Option<u32>, FaultKind> {
    let base = context.get(what.x);
    let named = (what.z..=31).take((what.immediate as usize).wrapping_add(1));
    match multiple {
        Multiple::Load => load_all(context, memory, base, named).map(drop)?,
        Multiple::Store => store_all(context, memory, base, named)?,
        Multiple::FloatLoad => float_list(context, memory, base, named, true)?,
        Multiple::FloatStore => float_list(context, memory, base, named, false)?,
        Multiple::Push => push(context, memory, listed(what.immediate))?,
        Multiple::InterruptPush => push(context, memory, INTERRUPT)?,
        Multiple::InterruptPop => pop(context, memory, INTERRUPT)?,
        Multiple::Pop => {
            pop(context, memory, listed(what.immediate))?;
            let target = context.get(LR) & !1;
            context.leave(target);
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// Loads from ascending addresses and returns the one after the last.
fn load_all(
    context: &mut Context,
    memory: &Memory,
    base: u32,
    registers: impl Iterator<Item = u8>,
) -> Result<u32, FaultKind> {
    let mut address = base;
    for register in registers {
        load(context, memory, Access::Word, address, register)?;
        address = address.wrapping_add(4);
    }
    Ok(address)
}

fn store_all(
    context: &mut Context,
    memory: &mut Memory,
    base: u32,
    registers: impl Iterator<Item = u8>,
) -> Result<(), FaultKind> {
    let mut address = base;
    for register in registers {
        store(context, memory, Access::Word, address, register)?;
        address = address.wrapping_add(4);
    }
    Ok(())
}

fn float_list(
    context: &mut Context,
    memory: &mut Memory,
    base: u32,
    registers: impl Iterator<Item = u8>,
    load: bool,
) -> Result<(), FaultKind> {
    let mut address = base;
    for register in registers {
        if load {
            let bits = read(context, memory, Access::Word, address)?;
            context.set_float(register, bits);
        } else {
            write(context, memory, Access::Word, address, context.get_float(register))?;
        }
        address = address.wrapping_add(4);
    }
    Ok(())
}

/// The first register comes to the lowest address.
fn push(context: &mut Context, memory: &mut Memory, bits: u32) -> Result<(), FaultKind> {
    let base = context.sp().wrapping_sub(bits.count_ones() << 2);
    store_all(context, memory, base, registers(bits))?;
    context.set(SP, base);
    Ok(())
}

fn pop(context: &mut Context, memory: &Memory, bits: u32) -> Result<(), FaultKind> {
    let end = load_all(context, memory, context.sp(), registers(bits))?;
    context.set(SP, end);
    Ok(())
}
