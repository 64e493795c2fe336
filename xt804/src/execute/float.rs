//! The floating-point unit: single precision, rounded to nearest, denormal numbers kept.
//!
//! Every result that is not a number is the default one. The multiply-add family rounds twice.

use super::transfer::{self, indexed};
use crate::context::Context;
use crate::fault::FaultKind;
use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operation::{Access, Float, FloatCompare, Op, Rounding};

/// The default value that is not a number: quiet and positive.
const NAN: u32 = 0x7fc0_0000;
const SIGN: u32 = 0x8000_0000;

pub(super) fn execute(context: &mut Context, memory: &mut Memory, op: Op, what: Instruction) -> Result<(), FaultKind> {
    let at = context.get(what.x).wrapping_add(what.immediate);
    match op {
        Op::Float(float) => {
            let bits =
                arithmetic(float, context.get_float(what.x), context.get_float(what.y), context.get_float(what.z));
            context.set_float(what.z, bits);
        }
        Op::FloatCompare(compare) => {
            let operand = |register| f32::from_bits(context.get_float(register));
            context.condition = self::compare(compare, operand(what.x), operand(what.y));
        }
        Op::FloatLoad => load(context, memory, at, what.z)?,
        Op::FloatStore => store(context, memory, at, what.z)?,
        Op::FloatLoadIndexed => load(context, memory, indexed(context, what), what.z)?,
        Op::FloatStoreIndexed => store(context, memory, indexed(context, what), what.z)?,
        Op::FloatLoadPool => {
            let bits = transfer::literal(context, memory, what.immediate)?;
            context.set_float(what.z, bits);
        }
        Op::FloatMove => context.set_float(what.z, what.immediate),
        Op::FloatToGeneral => context.set(what.z, context.get_float(what.x)),
        Op::FloatFromGeneral => context.set_float(what.z, context.get(what.x)),
        _ => return Err(FaultKind::Privileged),
    }
    Ok(())
}

fn load(context: &mut Context, memory: &Memory, address: u32, register: u8) -> Result<(), FaultKind> {
    let bits = transfer::read(context, memory, Access::Word, address)?;
    context.set_float(register, bits);
    Ok(())
}

fn store(context: &mut Context, memory: &mut Memory, address: u32, register: u8) -> Result<(), FaultKind> {
    transfer::write(context, memory, Access::Word, address, context.get_float(register))
}

fn bits(value: f32) -> u32 {
    if value.is_nan() { NAN } else { value.to_bits() }
}

/// A product as the second step takes it.
fn product(x: f32, y: f32) -> f32 {
    f32::from_bits(bits(x * y))
}

fn arithmetic(float: Float, x: u32, y: u32, z: u32) -> u32 {
    let [fx, fy, fz] = [x, y, z].map(f32::from_bits);
    bits(match float {
        Float::Move => return x,
        Float::Absolute => return x & !SIGN,
        Float::Negate => return x ^ SIGN,
        Float::ToSigned(rounding) => return (round(fx, rounding) as i32).cast_unsigned(),
        Float::ToUnsigned(rounding) => return round(fx, rounding) as u32,
        Float::FromSigned => x.cast_signed() as f32,
        Float::FromUnsigned => x as f32,
        Float::Add => fx + fy,
        Float::Subtract => fx - fy,
        Float::Multiply => fx * fy,
        Float::NegateMultiply => -(fx * fy),
        Float::MultiplyAdd => product(fx, fy) + fz,
        Float::MultiplySubtract => product(fx, fy) - fz,
        Float::NegateMultiplyAdd => -product(fx, fy) + fz,
        Float::NegateMultiplySubtract => -product(fx, fy) - fz,
        Float::Divide => fx / fy,
        Float::Reciprocal => 1.0 / fx,
        Float::SquareRoot => fx.sqrt(),
    })
}

/// A whole number; what an integer cannot hold is left to the conversion, which saturates and makes zero of
/// what is not a number.
fn round(value: f32, rounding: Rounding) -> f32 {
    match rounding {
        Rounding::Nearest => value.round_ties_even(),
        Rounding::Zero => value.trunc(),
        Rounding::Up => value.ceil(),
        Rounding::Down => value.floor(),
    }
}

/// Nothing but "not equal" and "unordered" holds for what is not a number.
fn compare(compare: FloatCompare, x: f32, y: f32) -> bool {
    match compare {
        FloatCompare::HigherOrSame => x >= y,
        FloatCompare::LessThan => x < y,
        FloatCompare::NotEqual => x != y,
        FloatCompare::Unordered => x.is_nan() || y.is_nan(),
        FloatCompare::ZeroHigherOrSame => x >= 0.0,
        FloatCompare::ZeroLowerOrSame => x <= 0.0,
        FloatCompare::ZeroNotEqual => x != 0.0,
        FloatCompare::ZeroUnordered => x.is_nan(),
    }
}
