//! Which instructions have an encoding of two bytes, if their registers have low numbers.

use crate::line::{Instruction, Operand, SP};

/// The registers that a short encoding can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// `r0` to `r7`
    Eight,
    /// `r0` to `r15`
    Sixteen,
}

/// With a result that replaces an operand, or none.
const SIXTEEN: &[&str] = &[
    "mov", "addu", "subu", "addc", "subc", "and", "andn", "or", "xor", "nor", "not", "lsl", "lsr", "asr", "rotl",
    "mult", "zextb", "zexth", "sextb", "sexth", "revb", "revh", "mvcv", "cmphs", "cmplt", "cmpne", "tst", "jsr", "jmp",
];

/// Which registers the instruction must have to be short; nothing if it cannot be. Those that `free` names may get any
/// number; others that are too high make it long.
pub fn reach(instruction: &Instruction, free: impl Fn(u8) -> bool) -> Option<Reach> {
    let reach = by_name(instruction)?;
    let limit = if reach == Reach::Eight { 8 } else { 16 };
    let based_on_stack = matches!(instruction.name.as_str(), "ld.w" | "st.w" | "addi");
    let fits = |register: u8| free(register) || register < limit || register == SP && based_on_stack;
    instruction.operands.iter().flat_map(Operand::registers).all(fits).then_some(reach)
}

fn by_name(instruction: &Instruction) -> Option<Reach> {
    let name = instruction.name.as_str();
    let number = instruction.operands.iter().find_map(|operand| match operand {
        Operand::Number(number) => Some(*number),
        _ => None,
    });
    let in_place = instruction.operands.first() == instruction.operands.get(1);
    let within =
        |first: i64, last: i64| number.is_some_and(|number| (first..=last).contains(&number)).then_some(Reach::Eight);
    match name {
        "addu" | "subu" if !in_place => Some(Reach::Eight),
        "mov" | "zextb" | "zexth" | "sextb" | "sexth" | "revb" | "revh" => Some(Reach::Sixteen),
        "cmphs" | "cmplt" | "cmpne" | "tst" | "jsr" | "jmp" | "mvcv" => Some(Reach::Sixteen),
        _ if SIXTEEN.contains(&name) => in_place.then_some(Reach::Sixteen),
        "movi" => within(0, 255),
        "addi" if instruction.register(1) == Some(SP) => within(0, 1020),
        "addi" | "subi" => within(1, if in_place { 256 } else { 8 }),
        "lsli" | "lsri" | "asri" | "btsti" | "cmpnei" => within(0, 31),
        "bclri" | "bseti" => within(0, 31).filter(|_| in_place),
        "cmphsi" | "cmplti" => within(1, 32),
        "lrw" => Some(Reach::Eight),
        _ => memory(instruction),
    }
}

fn memory(instruction: &Instruction) -> Option<Reach> {
    let [_, Operand::Memory(base, offset)] = instruction.operands.as_slice() else { return None };
    let words = if *base == SP { 255 } else { 31 };
    let (size, most) = match instruction.name.as_str() {
        "ld.w" | "st.w" => (4, words),
        "ld.h" | "st.h" if *base != SP => (2, 31),
        "ld.b" | "st.b" if *base != SP => (1, 31),
        _ => return None,
    };
    let fits = offset.checked_rem(size) == Some(0)
        && offset.checked_div(size).is_some_and(|units| (0..=most).contains(&units));
    fits.then_some(Reach::Eight)
}
