//! What each instruction does, at the edges: every row of the table is executed, as GNU as encodes it.
//!
//! The cases are lines of `tests/semantics/*.txt`: `code | before | after`. Code is assembly; before and after are
//! registers (`r1`, `f2`, `c`, `hi`, `lo`, `psr`) and words of memory (`[100]`, counted from the begin of RAM), in
//! hexadecimal. What "after" does not name must be as before, except for the counters.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use support::{assemble, folder, text_of};
use xt804::context::Context;
use xt804::fault::FaultKind;
use xt804::link::{FLASH, RAM};
use xt804::machine::{Machine, Stop};
use xt804::operation::{Access, Op, System};
use xt804::table::{ROWS, Row};

const TOP: u32 = RAM + 0x1000;
const GUARD: u32 = RAM + 0x800;
/// Memory that cases see: its first words, each with its own address in it.
const WORDS: u32 = 0x80;

type State = BTreeMap<String, u32>;

struct Case {
    line: String,
    code: String,
    before: State,
    after: State,
}

fn parse_state(text: &str) -> State {
    text.split_whitespace()
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or_else(|| panic!("{part}"));
            (name.to_owned(), u32::from_str_radix(value, 16).unwrap_or_else(|_| panic!("{part}")))
        })
        .collect()
}

fn parse_case(line: &str) -> Case {
    let parts: Vec<&str> = line.split('|').collect();
    let [code, before, after] = parts[..] else { panic!("{line}") };
    Case { line: line.to_owned(), code: code.trim().to_owned(), before: parse_state(before), after: parse_state(after) }
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantics").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_case).collect()
}

/// All cases as one object, and where each begins.
fn build(folder: &Path, cpu: &str, cases: &[Case]) -> (Vec<u8>, Vec<u32>) {
    let mut source = String::from(".text\ncode:\n");
    for (number, case) in cases.iter().enumerate() {
        // 0x1460 is "nie": no case has it, so it marks the ends.
        source += &format!(
            ".align 2\n{}\n.short 0x1460\n.align 2\n",
            case.code.replace(';', "\n").replace('@', &number.to_string())
        );
        source += ".short 0x1460, 0x1460\n";
    }
    let text = text_of(&assemble(folder, cpu, cpu, &source));
    let ends = text.chunks(4).enumerate().filter(|(_, chunk)| *chunk == [0x60, 0x14, 0x60, 0x14]);
    let starts: Vec<u32> = std::iter::once(0).chain(ends.map(|(index, _)| index as u32 * 4 + 4)).collect();
    assert_eq!(starts.len(), cases.len() + 1);
    (text, starts)
}

fn snapshot(machine: &Machine, context: &Context) -> State {
    let general = (0..32).map(|number| (format!("r{number}"), context.get(number)));
    let float = (0..16).map(|number| (format!("f{number}"), context.get_float(number)));
    let word = |address| machine.memory().load(RAM + address, Access::Word).unwrap();
    let memory = (0..WORDS).map(|index| (format!("[{:x}]", index * 4), word(index * 4)));
    let stack = (GUARD - RAM..TOP - RAM).step_by(4).map(|address| (format!("[{address:x}]"), word(address)));
    let rest = [("c", u32::from(context.condition)), ("hi", context.hi), ("lo", context.lo), ("psr", context.status)];
    general.chain(float).chain(memory).chain(stack).chain(rest.map(|(name, value)| (name.to_owned(), value))).collect()
}

fn put(machine: &mut Machine, context: &mut Context, name: &str, value: u32) {
    match name.split_at(1) {
        ("r", number) => context.set(number.parse().unwrap(), value),
        ("f", number) => context.set_float(number.parse().unwrap(), value),
        ("[", address) => {
            let address = u32::from_str_radix(address.trim_end_matches(']'), 16).unwrap();
            machine.memory_mut().write(RAM + address, &value.to_le_bytes()).unwrap();
        }
        _ => match name {
            "c" => context.condition = value != 0,
            "hi" => context.hi = value,
            "lo" => context.lo = value,
            _ => panic!("{name}"),
        },
    }
}

/// Runs to the end of a case and tells how it differs from what was to come.
fn check(text: &[u8], start: u32, case: &Case, blocks: bool) -> Vec<String> {
    let mut machine = Machine::default();
    machine.allow_blocks(blocks);
    machine.place_code(FLASH, text).unwrap();
    let mut context = Context::new("case", GUARD, TOP);
    for index in 0..WORDS {
        put(&mut machine, &mut context, &format!("[{:x}]", index * 4), 0x8000_0080 | index << 10);
    }
    for (name, value) in &case.before {
        put(&mut machine, &mut context, name, *value);
    }
    let mut expected = snapshot(&machine, &context);
    expected.extend(case.after.clone().into_iter().filter(|(name, _)| name != "fault"));
    context.pc = FLASH + start;
    let stop = machine.run(&mut context, 1000);
    let Stop::Fault(fault) = stop else { return vec![format!("{}: {stop:?}", case.line)] };
    let wanted = match case.after.get("fault") {
        None => fault.kind == FaultKind::Privileged,
        Some(1) => fault.kind == FaultKind::DivideByZero,
        Some(3) => matches!(fault.kind, FaultKind::Rotation { .. }),
        Some(2) => fault.kind == FaultKind::Breakpoint,
        Some(number) => fault.kind == FaultKind::Trap(*number as u8 & 3),
    };
    let found = snapshot(&machine, &context);
    let differ = expected.iter().filter(|(name, value)| found.get(*name) != Some(*value));
    let mut problems: Vec<String> =
        differ.map(|(name, value)| format!("{}: {name} is {:x}, not {value:x}", case.line, found[name])).collect();
    if !wanted {
        problems.push(format!("{}: {fault}", case.line));
    }
    problems
}

/// The rows that a text's instructions are of.
fn rows_of(text: &[u8], from: u32, to: u32) -> Vec<&'static Row> {
    let half = |at: usize| u32::from(u16::from_le_bytes(text[at..at + 2].try_into().unwrap()));
    let (mut at, mut rows) = (from as usize, Vec::new());
    while at + 2 <= to as usize {
        let long = half(at) >= 0xc000 && at + 4 <= to as usize;
        let word = if long { half(at) << 16 | half(at + 2) } else { half(at) };
        rows.extend(ROWS.iter().find(|row| (row.size.bytes() == 4) == long && row.fits(word)));
        at += if long { 4 } else { 2 };
    }
    rows
}

#[test]
fn every_instruction_does_what_its_cases_say() {
    let folder = folder("semantics");
    let (mut problems, mut reached, mut count) = (Vec::new(), Vec::new(), 0);
    for (file, cpu) in [("integer.txt", "ck804ef"), ("accumulator.txt", "ck803ef"), ("float.txt", "ck804ef")] {
        let cases = cases(file);
        let (text, starts) = build(&folder, cpu, &cases);
        for (case, bounds) in cases.iter().zip(starts.windows(2)) {
            for blocks in [false, true] {
                problems.extend(check(&text, bounds[0], case, blocks));
            }
            reached.extend(rows_of(&text, bounds[0], bounds[1]).iter().map(|row| (row.mnemonic, row.bits)));
        }
        count += cases.len();
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    let must = ROWS.iter().filter(|row| row.op != Op::Privileged && row.op != Op::System(System::Hint));
    let missed: Vec<_> = must.map(|row| (row.mnemonic, row.bits)).filter(|row| !reached.contains(row)).collect();
    assert!(missed.is_empty(), "no case for {missed:x?}");
    println!("{count} cases");
}
