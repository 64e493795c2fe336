//! Where an encoding holds its operands: each kind knows its bits, what they mean and how they are written.

use crate::instruction::Instruction;

/// The stack pointer's number.
pub const SP: u8 = 14;
/// The link register's number.
pub const LR: u8 = 15;
/// The data section's base register.
pub const DATA_BASE: u8 = 28;

/// An operand of a row of the table. Numbers are masks over the encoding: their bits, lowest first, are the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `rz`
    Z(u32),
    /// `rx`
    X(u32),
    /// `ry`
    Y(u32),
    /// One register that is `rz` and `rx`.
    ZX(u32),
    /// The stack pointer as `rz`.
    SpZ,
    /// The stack pointer as `rx`.
    SpX,
    /// The link register as `rx`, not written.
    Link,
    /// The data base as `rx`.
    DataX,
    /// `fz`
    FloatZ(u32),
    /// `fx`
    FloatX(u32),
    /// `fy`
    FloatY(u32),
    /// An unsigned number: mask, shift to the left, then what is added.
    Immediate(u32, u8, u8),
    /// The number of low ones of a mask, 17 to 32, one less in the encoding.
    Ones(u32),
    /// A number in `ry`'s place.
    Msb(u32),
    /// `msb` as the distance from `lsb` (first mask), and `lsb` itself.
    SizeLsb(u32, u32),
    /// Half-words from this instruction, signed.
    Displacement(u32),
    /// Words from this instruction to its literal.
    Pool(u32),
    /// The same, for `lrw`'s second form of 16 bits, which reaches further.
    PoolFar(u32),
    /// The same, where the literal is a jump's target.
    PoolTarget(u32),
    /// The same, where the literal is a single-precision number.
    PoolFloat(u32),
    /// `(rx)`
    Base(u32),
    /// `(rx, number)`: masks, then the number's shift to the left.
    BaseOffset(u32, u32, u8),
    /// `(sp, number)`, shifted by two.
    StackOffset(u32),
    /// `(rx, ry << n)`, the shift as one bit of four.
    BaseIndex(u32, u32, u32),
    /// `(rx, ry << n)`, the shift as a number.
    BaseIndexNumber(u32, u32, u32),
    /// A number of bytes (after the shift) from the data base.
    DataOffset(u32, u8),
    /// First register and how many follow.
    List(u32),
    /// The same of the floating-point unit.
    FloatList(u32),
    /// The set that `push` and `pop` take.
    PushList(u32),
    /// A control register and its bank.
    Control(u32),
    /// Bits of the processor status register.
    StatusBits(u32),
    /// Sign, exponent and mantissa of `fmovis`.
    SmallFloat(u32),
}

impl Operand {
    /// The bits of the encoding that this operand takes.
    pub const fn mask(self) -> u32 {
        match self {
            Self::Z(mask)
            | Self::X(mask)
            | Self::Y(mask)
            | Self::ZX(mask)
            | Self::FloatZ(mask)
            | Self::FloatX(mask)
            | Self::FloatY(mask)
            | Self::Immediate(mask, ..)
            | Self::Ones(mask)
            | Self::Msb(mask)
            | Self::Displacement(mask)
            | Self::Pool(mask)
            | Self::PoolFar(mask)
            | Self::PoolTarget(mask)
            | Self::PoolFloat(mask)
            | Self::Base(mask)
            | Self::StackOffset(mask)
            | Self::DataOffset(mask, _)
            | Self::List(mask)
            | Self::FloatList(mask)
            | Self::PushList(mask)
            | Self::Control(mask)
            | Self::StatusBits(mask)
            | Self::SmallFloat(mask) => mask,
            Self::SizeLsb(a, b) | Self::BaseOffset(a, b, _) => a | b,
            Self::BaseIndex(a, b, c) | Self::BaseIndexNumber(a, b, c) => a | b | c,
            Self::SpZ | Self::SpX | Self::Link | Self::DataX => 0,
        }
    }

    /// Puts this operand's value into its place of the instruction; nothing for a value that no CPU accepts.
    pub(crate) fn read(self, word: u32, to: &mut Instruction) -> Option<()> {
        match self {
            Self::Z(mask) | Self::FloatZ(mask) => to.z = register(word, mask),
            Self::X(mask) | Self::FloatX(mask) | Self::Base(mask) => to.x = register(word, mask),
            Self::Y(mask) | Self::FloatY(mask) | Self::Msb(mask) => to.y = register(word, mask),
            Self::ZX(mask) => (to.z, to.x) = (register(word, mask), register(word, mask)),
            Self::SpZ => to.z = SP,
            Self::SpX => to.x = SP,
            Self::Link => to.x = LR,
            Self::DataX => to.x = DATA_BASE,
            Self::Immediate(mask, shift, bias) => {
                to.immediate = (extract(word, mask) << shift).wrapping_add(u32::from(bias));
            }
            Self::Ones(mask) => to.immediate = ones(extract(word, mask))?,
            Self::SizeLsb(size, lsb) => {
                to.immediate = extract(word, lsb);
                to.y = register(word, size).wrapping_add(register(word, lsb));
            }
            Self::Displacement(mask) => to.immediate = displacement(word, mask),
            Self::Pool(mask) | Self::PoolTarget(mask) | Self::PoolFloat(mask) => {
                to.immediate = extract(word, mask) << 2;
            }
            Self::PoolFar(mask) => to.immediate = (0x80 | (!extract(word, mask) & 0x7f)) << 2,
            Self::BaseOffset(base, offset, shift) => {
                to.x = register(word, base);
                to.immediate = extract(word, offset) << shift;
            }
            Self::StackOffset(mask) => (to.x, to.immediate) = (SP, extract(word, mask) << 2),
            Self::BaseIndex(base, index, shift) => {
                (to.x, to.y) = (register(word, base), register(word, index));
                to.immediate = one_hot(extract(word, shift))?;
            }
            Self::BaseIndexNumber(base, index, shift) => {
                (to.x, to.y) = (register(word, base), register(word, index));
                to.immediate = extract(word, shift);
            }
            Self::DataOffset(mask, shift) => (to.x, to.immediate) = (DATA_BASE, extract(word, mask) << shift),
            Self::List(mask) => {
                (to.z, to.immediate) = split_list(extract(word, mask), 5);
                (to.immediate <= 31_u32.wrapping_sub(u32::from(to.z))).then_some(())?;
            }
            Self::FloatList(mask) => {
                let value = extract(word, mask);
                (to.z, to.immediate) = (low_byte(value & 0xf), value >> 4);
                (to.immediate <= 15_u32.wrapping_sub(u32::from(to.z))).then_some(())?;
            }
            Self::PushList(mask) => {
                to.immediate = extract(word, mask);
                (to.immediate & 0xf <= 8 && to.immediate >> 5 & 7 <= 2).then_some(())?;
            }
            Self::Control(mask) | Self::StatusBits(mask) => to.immediate = extract(word, mask),
            Self::SmallFloat(_) => to.immediate = small_float(word),
        }
        Some(())
    }
}

/// The bits under a mask, moved together.
pub(crate) const fn extract(word: u32, mask: u32) -> u32 {
    let (mut value, mut rest, mut place) = (0, mask, 1_u32);
    while rest != 0 {
        let bit = rest & rest.wrapping_neg();
        if word & bit != 0 {
            value |= place;
        }
        rest ^= bit;
        place = place.wrapping_shl(1);
    }
    value
}

fn register(word: u32, mask: u32) -> u8 {
    low_byte(extract(word, mask))
}

pub(crate) fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// A list's first register above, how many follow it below.
fn split_list(value: u32, bits: u32) -> (u8, u32) {
    (low_byte(value >> bits), value & 0x1f)
}

fn displacement(word: u32, mask: u32) -> u32 {
    let unused = 32_u32.wrapping_sub(mask.count_ones());
    let signed = (extract(word, mask) << unused).cast_signed() >> unused;
    signed.cast_unsigned() << 1
}

fn ones(field: u32) -> Option<u32> {
    (field >= 16).then(|| u32::MAX >> 31_u32.wrapping_sub(field))
}

fn one_hot(field: u32) -> Option<u32> {
    (field.count_ones() == 1 && field < 16).then(|| field.trailing_zeros())
}

/// `fmovis`: sign in bit 20, 11 less the exponent in 19..16, mantissa in 24..21 and 7..4.
fn small_float(word: u32) -> u32 {
    let sign = word >> 20 & 1;
    let exponent = 138_u32.wrapping_sub(word >> 16 & 0xf);
    let mantissa = (word >> 21 & 0xf) << 4 | (word >> 4 & 0xf);
    sign << 31 | exponent << 23 | mantissa << 15
}
