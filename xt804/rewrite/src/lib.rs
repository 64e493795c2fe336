//! LLVM's C-SKY back end saves registers one by one, calls through a word of memory where a displacement reaches, and
//! takes the long form of most instructions. This rewrites the assembly it writes (`--emit=asm`), function by function:
//!
//! 1. [`call`]: a call of a function of the same file is a `bsr`; the literal that held its address goes.
//! 2. [`pool`]: literals go where GNU as wants them, in reach of a short `lrw`.
//! 3. [`constant`]: a number of two instructions is one, or two short ones.
//! 4. [`condition`]: a condition that is made a number is not masked again.
//! 5. [`frame`]: registers are saved by `push` and restored by `pop`, which returns; those that gain most from it get the
//!    numbers that [`short`] instructions can name.
//! 6. [`line`]: no instruction says how long it is, so GNU as takes the shortest form, of branches too.
//!
//! Line tables and call frame information stay right. A function in which something is not as LLVM makes it keeps its
//! instructions. Nothing here is believed: `xt804/tests/equivalent.rs` proves of the archive that each function still does what
//! LLVM's own object does.

pub mod call;
pub mod condition;

pub mod constant;
pub mod frame;
pub mod line;
pub mod pool;
pub mod short;

use std::collections::{BTreeMap, BTreeSet};

use line::Line;

/// What a file of assembly becomes.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The file.
    pub text: String,
    /// By function: which number a register that it saves has instead of which.
    pub numbers: BTreeMap<String, BTreeMap<u8, u8>>,
}

/// Rewrites a file of assembly.
pub fn rewrite(text: &str) -> Rewritten {
    let lines: Vec<Line> = text.lines().map(|line| Line::parse(&one_path(line))).collect();
    let functions = call::functions(&lines);
    let mut rewritten = Rewritten::default();
    let mut rest = lines.into_iter().peekable();
    while let Some(line) = rest.next() {
        let is_function = matches!(&line, Line::Label(label) if functions.contains(label));
        let mut piece = vec![line];
        if is_function {
            while let Some(line) = rest.next_if(|line| line.directive(".size").is_none()) {
                piece.push(line);
            }
            let numbers = rewrite_function(&mut piece, &functions);
            if let Some(Line::Label(name)) = piece.first() {
                rewritten.numbers.insert(name.clone(), numbers);
            }
        }
        for line in piece {
            rewritten.text.push_str(&line.to_string());
            rewritten.text.push('\n');
        }
    }
    rewritten
}

/// From its label to its end, the literals included.
fn rewrite_function(lines: &mut Vec<Line>, functions: &BTreeSet<String>) -> BTreeMap<u8, u8> {
    call::rewrite(lines, functions);
    pool::rewrite(lines);
    constant::rewrite(lines);
    condition::rewrite(lines);

    frame::rewrite(lines)
}

/// GNU as takes a folder beside a file's name in DWARF 5 only; LLVM writes both for DWARF 4.
fn one_path(line: &str) -> String {
    let is_file = line.trim_start().starts_with(".file\t");
    if is_file { line.replacen("\" \"", "/", 1) } else { line.to_owned() }
}
