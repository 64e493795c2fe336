//! Instructions as text, in the notation of GNU objdump (numbered registers), from the decoder's own table.

use std::fmt::Write;

use crate::decode::{encoding, find};
use crate::operand::{Operand, SP, extract, low_byte};
use crate::table::Row;

/// An encoding's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Mnemonic and operands, one blank between them.
    pub text: String,
    /// How many bytes it takes.
    pub length: u8,
}

/// Shows the instruction at an address. `literal` reads a word of code, for what the instruction takes from its pool;
/// without it the pool's address stands there. Nothing for an encoding that is none.
pub fn disassemble(
    address: u32,
    first: u16,
    second: Option<u16>,
    literal: impl Fn(u32) -> Option<u32>,
) -> Option<Line> {
    let (word, size) = encoding(first, second)?;
    let (row, instruction) = find(word, size)?;
    let text = Text { row, word, address, immediate: instruction.immediate, literal: &literal };
    Some(Line { text: text.line(), length: size.bytes() })
}

struct Text<'a> {
    row: &'a Row,
    word: u32,
    address: u32,
    immediate: u32,
    literal: &'a dyn Fn(u32) -> Option<u32>,
}

impl Text<'_> {
    fn line(&self) -> String {
        let shown = self.row.operands.iter().filter(|operand| **operand != Operand::Link);
        let operands: Vec<String> = shown.map(|operand| self.operand(*operand)).collect();
        format!("{} {}", self.row.mnemonic, operands.join(", ")).trim_end().to_owned()
    }

    fn operand(&self, operand: Operand) -> String {
        match operand {
            Operand::Z(mask) | Operand::X(mask) | Operand::Y(mask) | Operand::ZX(mask) => self.register("r", mask),
            Operand::FloatZ(mask) | Operand::FloatX(mask) | Operand::FloatY(mask) => self.register("fr", mask),
            Operand::SpZ | Operand::SpX => format!("r{SP}"),
            Operand::Link => String::new(),
            Operand::DataX => "r28".to_owned(),
            Operand::Immediate(_, shift, bias) => self.number(operand, shift, bias),
            Operand::Ones(_) => self.number(operand, 0, 1),
            Operand::Msb(_) => self.number(operand, 0, 0),
            Operand::SizeLsb(size, lsb) => self.bits(size, lsb),
            Operand::Displacement(_) => format!("{:#x}", self.address.wrapping_add(self.immediate)),
            Operand::Pool(_) | Operand::PoolFar(_) => self.pool(|word| format!("{word:#x}")),
            Operand::PoolTarget(_) => self.pool(|word| format!("0x{word:X}")),
            Operand::PoolFloat(_) => self.pool(|word| general(f32::from_bits(word))),
            Operand::Base(mask) => format!("({})", self.register("r", mask)),
            Operand::BaseOffset(base, _, _) => format!("({}, {:#x})", self.register("r", base), self.immediate),
            Operand::StackOffset(_) => format!("(r{SP}, {:#x})", self.immediate),
            Operand::BaseIndex(base, index, _) | Operand::BaseIndexNumber(base, index, _) => {
                let (base, index) = (self.register("r", base), self.register("r", index));
                format!("({base}, {index} << {})", self.immediate)
            }
            Operand::DataOffset(mask, _) => format!("[{:#x}]", extract(self.word, mask)),
            Operand::List(mask) => self.list("r", extract(self.word, mask) >> 5),
            Operand::FloatList(mask) => self.list("fr", extract(self.word, mask) & 0xf),
            Operand::PushList(_) => push_list(self.immediate),
            Operand::Control(_) => control(self.immediate),
            Operand::StatusBits(_) => status_bits(self.immediate),
            Operand::SmallFloat(_) => general(f32::from_bits(self.immediate)),
        }
    }

    fn register(&self, file: &str, mask: u32) -> String {
        format!("{file}{}", extract(self.word, mask))
    }

    fn number(&self, operand: Operand, shift: u8, bias: u8) -> String {
        (extract(self.word, operand.mask()) << shift).wrapping_add(u32::from(bias)).to_string()
    }

    fn bits(&self, size: u32, lsb: u32) -> String {
        let lsb = extract(self.word, lsb);
        format!("{}, {lsb}", extract(self.word, size).wrapping_add(lsb))
    }

    fn pool(&self, show: impl Fn(u32) -> String) -> String {
        let address = self.address.wrapping_add(self.immediate) & !3;
        (self.literal)(address).map_or_else(|| format!("[{address:#x}]"), show)
    }

    fn list(&self, file: &str, first: u32) -> String {
        format!("{file}{first}-{file}{}", first.wrapping_add(self.immediate))
    }
}

fn push_list(list: u32) -> String {
    let mut parts = Vec::new();
    let range = |first: u32, count: u32| match count {
        1 => format!("r{first}"),
        _ => format!("r{first}-r{}", first.wrapping_add(count).wrapping_sub(1)),
    };
    if list & 0xf != 0 {
        parts.push(range(4, list & 0xf));
    }
    if list & 0x10 != 0 {
        parts.push("r15".to_owned());
    }
    if list >> 5 & 7 != 0 {
        parts.push(range(16, list >> 5 & 7));
    }
    if list & 0x100 != 0 {
        parts.push("r28".to_owned());
    }
    parts.join(", ")
}

fn control(field: u32) -> String {
    format!("cr<{}, {}>", field & 0x1f, field >> 5)
}

fn status_bits(bits: u32) -> String {
    let names = [(8, "ee"), (4, "ie"), (2, "fe"), (1, "af"), (0x10, "sie")];
    names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// C's `%.7g`.
fn general(value: f32) -> String {
    if value == 0.0 || !value.is_finite() {
        return special(value);
    }
    let scientific = format!("{value:.6e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..7).contains(&exponent) {
        let digits = usize::from(low_byte(6_i32.wrapping_sub(exponent).cast_unsigned()));
        return trim(&format!("{value:.digits$}"));
    }
    let mut text = trim(mantissa);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
    text
}

fn special(value: f32) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = if value == 0.0 {
        "0"
    } else if value.is_nan() {
        "nan"
    } else {
        "inf"
    };
    format!("{sign}{text}")
}

fn trim(digits: &str) -> String {
    if !digits.contains('.') {
        return digits.to_owned();
    }
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}
