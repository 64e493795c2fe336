//! A line of assembly: an instruction with its operands, a label, or anything else, which is kept as it is.
//!
//! LLVM writes an instruction's length into its name (`ld16.w`, `br32`). It is left out here and in what is printed: GNU as
//! takes the shortest encoding that fits, for branches once it knows the distance.

use std::fmt;

/// The stack pointer.
pub const SP: u8 = 14;
/// The link register: where a function returns to.
pub const LR: u8 = 15;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// What the processor executes.
    Instruction(Instruction),
    /// A name for the address of what follows, without its colon.
    Label(String),
    /// A directive, a comment, nothing.
    Other(String),
}

/// A mnemonic without its length, and its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// As `ld.w`.
    pub name: String,
    /// In the order in which they are written. Where the first is also the second of three, as in `or16 r0, r1`, it stands
    /// here twice.
    pub operands: Vec<Operand>,
}

/// What an instruction works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A general register.
    Register(u8),
    /// A number.
    Number(i64),
    /// `(base, offset)`
    Memory(u8, i64),
    /// `(base, index << shift)`
    Indexed(u8, u8, u8),
    /// `[label]`: the word of the literal pool there.
    Literal(String),
    /// A label, and whatever this tool does not look into.
    Text(String),
}

/// Instructions that are written with two operands where the result replaces the first of three.
const IN_PLACE: &[&str] =
    &["addu", "subu", "addc", "subc", "and", "andn", "or", "xor", "nor", "lsl", "lsr", "asr", "rotl", "mult"];

/// Registers as LLVM names them. GNU as has other names for some.
const NAMES: &[&str] = &[
    "a0", "a1", "a2", "a3", "l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "t0", "t1", "sp", "lr", "l8", "l9", "t2",
    "t3", "t4", "t5", "t6", "t7", "t8", "t9", "r26", "r27", "r28", "r29", "r30", "r31",
];

impl Line {
    /// Takes a line apart. What is no instruction with known operands keeps its text.
    pub fn parse(text: &str) -> Self {
        if let Some(label) = text.strip_suffix(':')
            && !label.contains(char::is_whitespace)
        {
            return Self::Label(label.to_owned());
        }
        let instruction = text.strip_prefix('\t').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        instruction.map_or_else(|| Self::Other(text.to_owned()), |rest| Self::Instruction(Instruction::parse(rest)))
    }

    /// The instruction, if it is one.
    pub fn instruction(&self) -> Option<&Instruction> {
        if let Self::Instruction(instruction) = self { Some(instruction) } else { None }
    }

    /// The directive with this name, without it.
    pub fn directive<'a>(&'a self, name: &str) -> Option<&'a str> {
        let Self::Other(text) = self else { return None };
        text.trim_start().strip_prefix(name)?.strip_prefix(char::is_whitespace).map(str::trim)
    }

    /// Whether this is a label that execution can reach from elsewhere: those of line tables only name an address.
    pub fn is_joined(&self) -> bool {
        matches!(self, Self::Label(label) if !label.starts_with(".Ltmp") && !label.starts_with(".Lfunc_"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instruction(instruction) => instruction.fmt(formatter),
            Self::Label(label) => write!(formatter, "{label}:"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl Instruction {
    /// An instruction of this tool's making.
    pub fn new(name: &str, operands: impl IntoIterator<Item = Operand>) -> Self {
        Self { name: name.to_owned(), operands: operands.into_iter().collect() }
    }

    fn parse(text: &str) -> Self {
        let (name, rest) = text.split_once('\t').unwrap_or((text, ""));
        let name = without_length(name);
        let mut operands: Vec<Operand> = split(rest).into_iter().map(Operand::parse).collect();
        if let [first, _] = operands.as_slice()
            && IN_PLACE.contains(&name.as_str())
        {
            operands.insert(0, first.clone());
        }
        Self { name, operands }
    }

    /// The operand at a place, if it is a register.
    pub fn register(&self, place: usize) -> Option<u8> {
        if let Some(Operand::Register(register)) = self.operands.get(place) { Some(*register) } else { None }
    }

    /// The operand at a place, if it is a number.
    pub fn number(&self, place: usize) -> Option<i64> {
        if let Some(Operand::Number(number)) = self.operands.get(place) { Some(*number) } else { None }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\t{}", self.name)?;
        let written = match self.operands.as_slice() {
            [first, second, _] if first == second && IN_PLACE.contains(&self.name.as_str()) => 1,
            _ => 0,
        };
        for (index, operand) in self.operands.iter().skip(written).enumerate() {
            write!(formatter, "{}{operand}", if index == 0 { "\t" } else { ", " })?;
        }
        Ok(())
    }
}

impl Operand {
    fn parse(text: &str) -> Self {
        let known = register(text).map(Self::Register).or_else(|| text.parse().ok().map(Self::Number));
        let known = known.or_else(|| {
            let inside = text.strip_prefix('[')?.strip_suffix(']')?;
            Some(Self::Literal(inside.to_owned()))
        });
        known.or_else(|| Self::parse_memory(text)).unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    fn parse_memory(text: &str) -> Option<Self> {
        let (base, rest) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(", ")?;
        let base = register(base)?;
        match rest.split_once(" << ") {
            Some((index, shift)) => Some(Self::Indexed(base, register(index)?, shift.parse().ok()?)),
            None => Some(Self::Memory(base, rest.parse().ok()?)),
        }
    }

    /// The registers in it.
    pub fn registers(&self) -> impl Iterator<Item = u8> {
        let (first, second) = match self {
            Self::Register(register) | Self::Memory(register, _) => (Some(*register), None),
            Self::Indexed(base, index, _) => (Some(*base), Some(*index)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The same with other registers.
    pub fn renamed(&self, name: impl Fn(u8) -> u8) -> Self {
        match self {
            Self::Register(register) => Self::Register(name(*register)),
            Self::Memory(base, offset) => Self::Memory(name(*base), *offset),
            Self::Indexed(base, index, shift) => Self::Indexed(name(*base), name(*index), *shift),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(register) => write!(formatter, "r{register}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Memory(base, offset) => write!(formatter, "(r{base}, {offset})"),
            Self::Indexed(base, index, shift) => write!(formatter, "(r{base}, r{index} << {shift})"),
            Self::Literal(label) => write!(formatter, "[{label}]"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// The number of a register that goes by one of LLVM's names, or by its number.
fn register(name: &str) -> Option<u8> {
    let named = NAMES.iter().position(|known| *known == name).and_then(|place| u8::try_from(place).ok());
    named.or_else(|| name.strip_prefix('r')?.parse().ok().filter(|number| *number < 32))
}

/// `ld16.w` is `ld.w`, `br32` is `br`; `mul.u32` stays.
fn without_length(name: &str) -> String {
    let (stem, suffix) = name.find('.').and_then(|dot| name.split_at_checked(dot)).unwrap_or((name, ""));
    let stem = stem.strip_suffix("16").or_else(|| stem.strip_suffix("32")).unwrap_or(stem);
    format!("{stem}{suffix}")
}

/// At the commas that are not within parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let at_comma = |c: char| {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(at_comma).map(str::trim).filter(|part| !part.is_empty()).collect()
}
