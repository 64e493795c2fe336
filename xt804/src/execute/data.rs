//! Arithmetic, logic, shifts, bits and the condition bit.

use crate::context::{Context, low_word};
use crate::fault::FaultKind;
use crate::instruction::Instruction;
use crate::operation::{Binary, Carry, Compare, Conditional, Field, HiLo, Long, Unary};

/// Shifts take six bits of their count; from 32 on nothing of the operand is left.
fn count(y: u32) -> u32 {
    y & 0x3f
}

#[inline]
pub(super) fn binary(binary: Binary, x: u32, y: u32) -> Result<u32, FaultKind> {
    Ok(match binary {
        Binary::Add => x.wrapping_add(y),
        Binary::Subtract => x.wrapping_sub(y),
        Binary::And => x & y,
        Binary::AndNot => x & !y,
        Binary::Or => x | y,
        Binary::Xor => x ^ y,
        Binary::Nor => !(x | y),
        Binary::ShiftLeft => x.checked_shl(count(y)).unwrap_or(0),
        Binary::ShiftRight => x.checked_shr(count(y)).unwrap_or(0),
        Binary::ShiftArithmetic => shift_arithmetic(x, count(y)),
        Binary::Rotate => rotate(x, count(y))?,
        Binary::Multiply => x.wrapping_mul(y),
        Binary::MultiplyHalf => signed_half(x).wrapping_mul(signed_half(y)).cast_unsigned(),
        Binary::DivideUnsigned => x.checked_div(y).ok_or(FaultKind::DivideByZero)?,
        Binary::DivideSigned => divide_signed(x, y)?,
        Binary::IndexHalf => x.wrapping_add(y << 1),
        Binary::IndexWord => x.wrapping_add(y << 2),
        Binary::IndexDouble => x.wrapping_add(y << 3),
        Binary::ClearBit => x & !bit(y),
        Binary::SetBit => x | bit(y),
    })
}

fn bit(number: u32) -> u32 {
    1_u32.wrapping_shl(number)
}

fn shift_arithmetic(x: u32, count: u32) -> u32 {
    (x.cast_signed() >> count.min(31)).cast_unsigned()
}

fn rotate(x: u32, count: u32) -> Result<u32, FaultKind> {
    if count > 31 {
        return Err(FaultKind::Rotation { count });
    }
    Ok(x.rotate_left(count))
}

fn signed_half(x: u32) -> i32 {
    (x << 16).cast_signed() >> 16
}

/// The one quotient that has no room is the dividend again.
fn divide_signed(x: u32, y: u32) -> Result<u32, FaultKind> {
    let (x, y) = (x.cast_signed(), y.cast_signed());
    let room = x.checked_div(y).or((y != 0).then_some(x));
    room.map(i32::cast_unsigned).ok_or(FaultKind::DivideByZero)
}

fn divide_signed_long(x: u64, y: u32) -> Result<u64, FaultKind> {
    let (x, y) = (x.cast_signed(), i64::from(y.cast_signed()));
    let room = x.checked_div(y).or((y != 0).then_some(x));
    room.map(i64::cast_unsigned).ok_or(FaultKind::DivideByZero)
}

#[inline]
pub(super) fn unary(unary: Unary, x: u32) -> u32 {
    match unary {
        Unary::Move => x,
        Unary::Absolute => x.cast_signed().wrapping_abs().cast_unsigned(),
        Unary::ZeroExtendByte => x & 0xff,
        Unary::ZeroExtendHalf => x & 0xffff,
        Unary::SignExtendByte => shift_arithmetic(x << 24, 24),
        Unary::SignExtendHalf => shift_arithmetic(x << 16, 16),
        Unary::ReverseBytes => x.swap_bytes(),
        Unary::ReverseHalves => x.swap_bytes().rotate_left(16),
        Unary::ReverseBits => x.reverse_bits(),
        Unary::FindZero => x.leading_ones(),
        Unary::FindOne => x.leading_zeros(),
        Unary::GenerateBit => 1_u32.checked_shl(count(x)).unwrap_or(0),
    }
}

#[inline]
pub(super) fn compare(compare: Compare, x: u32, y: u32) -> bool {
    match compare {
        Compare::HigherOrSame => x >= y,
        Compare::LessThan => x.cast_signed() < y.cast_signed(),
        Compare::NotEqual => x != y,
        Compare::Test => x & y != 0,
        Compare::TestNoByteZero => x.to_le_bytes().iter().all(|byte| *byte != 0),
        Compare::TestBit => x & bit(y) != 0,
    }
}

#[inline]
pub(super) fn carry(context: &mut Context, carry: Carry, what: Instruction) {
    let (x, n) = (context.get(what.x), what.immediate);
    let (result, condition) = match carry {
        Carry::Add => x.carrying_add_stable(context.get(what.y), context.condition),
        Carry::Subtract => {
            // x - y - !c is x + !y + c, and the carry of that is "no borrow".
            x.carrying_add_stable(!context.get(what.y), context.condition)
        }
        Carry::ShiftLeft => (x.checked_shl(n).unwrap_or(0), x.rotate_left(n) & 1 != 0),
        Carry::ShiftRight => (x.checked_shr(n).unwrap_or(0), last_out(x, n)),
        Carry::ShiftArithmetic => (shift_arithmetic(x, n), last_out(x, n)),
        Carry::ShiftThrough => shift_through(x, context.condition, n),
        Carry::DecrementGreater => decrement(x, n, |result| result > 0),
        Carry::DecrementLess => decrement(x, n, |result| result < 0),
        Carry::DecrementNotZero => decrement(x, n, |result| result != 0),
        Carry::ExtractByte(shift) => (x >> shift & 0xff, x >> shift & 0xff != 0),
    };
    context.set(what.z, result);
    context.condition = condition;
}

trait CarryingAdd {
    fn carrying_add_stable(self, other: Self, carry: bool) -> (Self, bool)
    where
        Self: Sized;
}

impl CarryingAdd for u32 {
    fn carrying_add_stable(self, other: Self, carry: bool) -> (Self, bool) {
        let (sum, first) = self.overflowing_add(other);
        let (sum, second) = sum.overflowing_add(Self::from(carry));
        (sum, first | second)
    }
}

/// The last bit that a shift to the right by `n` (1 to 32) pushes out.
fn last_out(x: u32, n: u32) -> bool {
    x >> (n.wrapping_sub(1) & 31) & 1 != 0
}

/// `x` and the condition below it, rotated to the right as one number of 33 bits.
fn shift_through(x: u32, condition: bool, n: u32) -> (u32, bool) {
    let all = u64::from(x) << 1 | u64::from(condition);
    let turned = all >> n | all << 33_u32.wrapping_sub(n);
    (low_word(turned >> 1), turned & 1 != 0)
}

fn decrement(x: u32, n: u32, test: impl Fn(i32) -> bool) -> (u32, bool) {
    let result = x.wrapping_sub(n);
    (result, test(result.cast_signed()))
}

#[inline]
pub(super) fn conditional(context: &mut Context, conditional: Conditional, what: Instruction) {
    let (x, condition) = (context.get(what.x), context.condition);
    let result = match conditional {
        Conditional::IncrementIf(when) => (condition == when).then(|| x.wrapping_add(what.immediate)),
        Conditional::DecrementIf(when) => (condition == when).then(|| x.wrapping_sub(what.immediate)),
        Conditional::ClearIf(when) => (condition == when).then_some(0),
        Conditional::Read => Some(u32::from(condition)),
        Conditional::ReadInverted => Some(u32::from(!condition)),
    };
    if let Some(result) = result {
        context.set(what.z, result);
    }
}

/// The decoder lets only `lsb <= msb < 32` through.
#[inline]
pub(super) fn field(field: Field, x: u32, z: u32, msb: u8, lsb: u32) -> u32 {
    let above = 31_u32.wrapping_sub(u32::from(msb)) & 31;
    match field {
        Field::ZeroExtend => (x << above) >> (above.wrapping_add(lsb) & 31),
        Field::SignExtend => shift_arithmetic(x << above, above.wrapping_add(lsb)),
        Field::Insert => {
            let mask = (u32::MAX << above) >> above >> (lsb & 31) << (lsb & 31);
            z & !mask | (x << (lsb & 31)) & mask
        }
    }
}

pub(super) fn hi_lo(context: &mut Context, hi_lo: HiLo, what: Instruction) {
    let (x, y) = (context.get(what.x), context.get(what.y));
    let old = u64::from(context.hi) << 32 | u64::from(context.lo);
    let accumulated = match hi_lo {
        HiLo::MultiplyUnsigned => unsigned_product(x, y),
        HiLo::AddUnsigned => old.wrapping_add(unsigned_product(x, y)),
        HiLo::SubtractUnsigned => old.wrapping_sub(unsigned_product(x, y)),
        HiLo::MultiplySigned => signed_product(x, y),
        HiLo::AddSigned => old.wrapping_add(signed_product(x, y)),
        HiLo::SubtractSigned => old.wrapping_sub(signed_product(x, y)),
        HiLo::FromHi => return context.set(what.z, context.hi),
        HiLo::FromLo => return context.set(what.z, context.lo),
        HiLo::ToHi => return context.hi = x,
        HiLo::ToLo => return context.lo = x,
    };
    (context.hi, context.lo) = (low_word(accumulated >> 32), low_word(accumulated));
}

fn unsigned_product(x: u32, y: u32) -> u64 {
    u64::from(x).wrapping_mul(u64::from(y))
}

fn signed_product(x: u32, y: u32) -> u64 {
    i64::from(x.cast_signed()).wrapping_mul(i64::from(y.cast_signed())).cast_unsigned()
}

pub(super) fn long(context: &mut Context, long: Long, what: Instruction) -> Result<(), FaultKind> {
    let (x, y) = (context.get(what.x), context.get(what.y));
    let (old, dividend) = (context.get_pair(what.z), context.get_pair(what.x));
    let result = match long {
        Long::MultiplyUnsigned => unsigned_product(x, y),
        Long::MultiplySigned => signed_product(x, y),
        Long::AddUnsigned => old.wrapping_add(unsigned_product(x, y)),
        Long::AddSigned => old.wrapping_add(signed_product(x, y)),
        Long::DivideUnsigned => dividend.checked_div(u64::from(y)).ok_or(FaultKind::DivideByZero)?,
        Long::DivideSigned => divide_signed_long(dividend, y)?,
        Long::AddLow | Long::AddHalfSaturated => return add_to_word(context, long, what),
    };
    context.set_pair(what.z, result);
    Ok(())
}

fn add_to_word(context: &mut Context, long: Long, what: Instruction) -> Result<(), FaultKind> {
    let (x, y, z) = (context.get(what.x), context.get(what.y), context.get(what.z));
    let sum = match long {
        Long::AddLow => z.wrapping_add(x.wrapping_mul(y)),
        _ => {
            let product = signed_half(x).wrapping_mul(signed_half(y));
            z.cast_signed().saturating_add(product).cast_unsigned()
        }
    };
    context.set(what.z, sum);
    Ok(())
}
