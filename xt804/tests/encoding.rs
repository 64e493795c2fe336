//! The table against GNU binutils, both ways: every row's encodings are shown as objdump shows them, and what they are
//! shown as assembles to the same instruction.
//!
//! Never skipped: where the tools are missing the tests fail; `scripts/setup.sh target` brings them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Numbers, assemble, folder, run, text_of, tool};
use xt804::disassemble::disassemble;
use xt804::instruction::Instruction;
use xt804::operand::Operand;
use xt804::operation::{Binary, Carry, Op};
use xt804::table::{ROWS, Row, Size};

/// The chip's CPU, and one that has the accumulator group.
const CPU: &str = "ck804ef";
const CPU_WITH_HI_LO: &str = "ck803ef";

/// Pools reach this far beyond the last instruction.
const POOL: usize = 0x5_0000;

/// Encodings in slots of four bytes, then what their pools hold.
struct Code {
    words: Vec<(u32, Size)>,
    bytes: Vec<u8>,
}

impl Code {
    fn new(words: Vec<(u32, Size)>) -> Self {
        let mut bytes: Vec<u8> = words.iter().flat_map(|(word, size)| slot(*word, *size)).collect();
        let mut numbers = Numbers(0x1357_9bdf);
        bytes.extend((0..POOL / 4).flat_map(|_| (numbers.word() & 0x3fff_3fff).to_le_bytes()));
        Self { words, bytes }
    }

    fn half(&self, address: usize) -> u16 {
        u16::from_le_bytes(self.bytes[address..address + 2].try_into().unwrap())
    }

    fn shown(&self, index: usize) -> Option<String> {
        let address = index * 4;
        let literal = |at: u32| self.bytes.get(at as usize..)?.first_chunk().copied().map(u32::from_le_bytes);
        let line = disassemble(address as u32, self.half(address), Some(self.half(address + 2)), literal)?;
        Some(line.text)
    }

    /// What objdump shows for each slot.
    fn dumped(&self, folder: &Path, cpu: &str) -> BTreeMap<usize, String> {
        let object = assemble(folder, cpu, cpu, "nop\n");
        let raw = folder.join("raw.bin");
        fs::write(&raw, &self.bytes).unwrap();
        let update = format!(".text={}", raw.display());
        run(Command::new(tool("objcopy")).arg("--update-section").arg(update).arg(&object));
        let stop = format!("--stop-address={}", self.words.len() * 4);
        let text = run(Command::new(tool("objdump")).args(["-d", &stop]).arg(&object));
        text.lines().filter_map(parse_line).collect()
    }
}

fn slot(word: u32, size: Size) -> [u8; 4] {
    let [low, high] = match size {
        Size::Half => [word as u16, 0x6c03],
        Size::Word => [(word >> 16) as u16, word as u16],
    };
    let ([a, b], [c, d]) = (low.to_le_bytes(), high.to_le_bytes());
    [a, b, c, d]
}

fn parse_line(line: &str) -> Option<(usize, String)> {
    let mut parts = line.split('\t');
    let address = usize::from_str_radix(parts.next()?.trim().strip_suffix(':')?, 16).ok()?;
    let _bytes = parts.next()?;
    let text: Vec<&str> = parts.take_while(|part| !part.starts_with("//")).map(str::trim).collect();
    Some((address / 4, text.join(" ").trim().to_owned())).filter(|_| address % 4 == 0)
}

/// Edge values of every operand, and some in between.
fn samples(row: &Row) -> Vec<(u32, Size)> {
    let free = !row.mask() & if row.size == Size::Half { 0xffff } else { u32::MAX };
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(row.bits));
    let fixed = [0, u32::MAX, 0x5555_5555, 0xaaaa_aaaa];
    let single = (0..32).map(|bit| 1 << bit).filter(|bit| free & bit != 0);
    let random = (0..40).map(|_| numbers.word());
    // objdump turns the bytes of an instruction of 32 bits about, and so cannot read one as its own literal.
    let itself = |value: &u32| row.operands.iter().any(|operand| is_pool(*operand) && value & operand.mask() == 0);
    let values: BTreeSet<u32> = fixed.into_iter().chain(single).chain(random).map(|value| value & free).collect();
    values.into_iter().filter(|value| !itself(value)).map(|value| (row.bits | value, row.size)).collect()
}

fn is_pool(operand: Operand) -> bool {
    matches!(operand, Operand::Pool(_) | Operand::PoolTarget(_) | Operand::PoolFloat(_))
}

fn all_samples() -> Vec<(u32, Size)> {
    let mut words: Vec<_> = ROWS.iter().flat_map(samples).collect();
    // objdump finishes a slot that it cannot read as 32 bits; keep the last one whole.
    words.push((0x6c03, Size::Half));
    words
}

fn known(text: &str) -> bool {
    let mnemonic = text.split(' ').next().unwrap();
    ROWS.iter().any(|row| row.mnemonic == mnemonic)
}

/// What objdump shows although its operands mean nothing: no CPU's manual says what these do, so they are refused.
fn refused(word: u32, text: &str) -> bool {
    let numbers: Vec<u32> =
        text.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    let mnemonic = text.split(' ').next().unwrap();
    match mnemonic {
        "zext" | "sext" => numbers[2] < numbers[3],
        "ins" => numbers[2] > 31,
        "fldms" | "fstms" => numbers[1] > 15,
        "push" | "pop" => word & 0xf > 8 || word >> 16 != 0 && word >> 5 & 7 > 2,
        _ => text.contains("<< )"),
    }
}

/// Differences between what is shown here and there; an encoding unknown on both sides is none.
fn differences(code: &Code, folder: &Path) -> Vec<String> {
    let dumps = [code.dumped(folder, CPU), code.dumped(folder, CPU_WITH_HI_LO)];
    let mut found = Vec::new();
    for (index, (word, size)) in code.words.iter().enumerate() {
        let ours = code.shown(index);
        let theirs: Vec<&str> = dumps.iter().filter_map(|dump| dump.get(&index)).map(String::as_str).collect();
        let same = match &ours {
            Some(text) => theirs.contains(&text.as_str()),
            None => theirs.iter().all(|text| !known(text) || refused(*word, text)),
        };
        if !same {
            found.push(format!("{word:08x} {size:?}: {ours:?}, objdump {theirs:?}"));
        }
    }
    found
}

#[test]
fn every_row_is_shown_as_objdump_shows_it() {
    let code = Code::new(all_samples());
    let found = differences(&code, &folder("rows"));
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), code.words.len(), found.join("\n"));
}

#[test]
fn random_bits_are_shown_as_objdump_shows_them() {
    let mut numbers = Numbers(0x0dd0_c0de_0dd0_c0de);
    let words = (0..60_000).map(|_| match numbers.word() {
        word if word < 0xc000_0000 => (word >> 16, Size::Half),
        word => (word, Size::Word),
    });
    let code = Code::new(words.chain([(0x6c03, Size::Half)]).collect());
    let found = differences(&code, &folder("random"));
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), code.words.len(), found.join("\n"));
}

/// Addresses make sense only in place, and the assembler lays out pools itself.
fn relative(row: &Row) -> bool {
    row.operands.iter().any(|operand| {
        matches!(operand, Operand::Displacement(_) | Operand::PoolFar(_) | Operand::DataOffset(..)) || is_pool(*operand)
    })
}

#[test]
fn every_row_assembles_from_its_text() {
    let folder = folder("assembled");
    for (cpu, accumulator) in [(CPU, false), (CPU_WITH_HI_LO, true)] {
        let rows = ROWS.iter().filter(|row| matches!(row.op, Op::HiLo(_)) == accumulator && !relative(row));
        let mut expected = Vec::new();
        let mut source = String::from(".text\n");
        for (word, size) in rows.flat_map(samples) {
            let [a, b, c, d] = slot(word, size);
            let halves = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])];
            let Some(line) = disassemble(0, halves[0], Some(halves[1]), |_| None) else { continue };
            let instruction = Instruction::decode(halves[0], Some(halves[1])).unwrap();
            // A list of nothing has no notation; of the other two, the assembler rounds what it is given.
            let unwritable = matches!(line.text.as_str(), "push" | "pop" | "psrset" | "psrclr");
            if unwritable || line.text.starts_with("fmovis") || line.text.starts_with("idly") {
                continue;
            }
            source += &format!("{}\n", line.text);
            expected.push((line.text, instruction));
        }
        compare_assembled(&text_of(&assemble(&folder, cpu, cpu, &source)), &expected);
    }
}

/// What may differ: the length, and the order of what can be swapped.
fn essence(instruction: Instruction) -> Instruction {
    use Binary::{Add, And, Multiply, MultiplyHalf, Nor, Or, Xor};
    let mut essence = Instruction { length: 0, ..instruction };
    let swaps =
        matches!(essence.op, Op::Binary(Add | And | Multiply | MultiplyHalf | Nor | Or | Xor) | Op::Carry(Carry::Add));
    if swaps && essence.x > essence.y {
        (essence.x, essence.y) = (essence.y, essence.x);
    }
    essence
}

/// The assembler may choose another encoding of the same.
fn compare_assembled(bytes: &[u8], expected: &[(String, Instruction)]) {
    let half = |at: usize| bytes.get(at..at + 2).map(|half| u16::from_le_bytes(half.try_into().unwrap()));
    let mut at = 0;
    for (text, instruction) in expected {
        let again = Instruction::decode(half(at).unwrap(), half(at + 2)).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(essence(again), essence(*instruction), "{text}");
        at += usize::from(again.length);
    }
    assert!(bytes.len() - at < 4, "{} bytes too many", bytes.len() - at);
}

#[test]
fn no_row_hides_another() {
    for (index, row) in ROWS.iter().enumerate() {
        let reached = samples(row)
            .into_iter()
            .any(|(word, size)| ROWS.iter().position(|other| other.size == size && other.fits(word)) == Some(index));
        assert!(reached || row.bits == 0xc000_0420, "{} {:x}", row.mnemonic, row.bits);
    }
}
