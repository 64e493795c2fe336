//! What `rewrite` makes of LLVM's assembly does what LLVM's own object does: proved function by function for the archive
//! that `scripts/build-target.sh` builds, by executing both on terms.
//!
//! Two places correspond if every register that is still needed holds the same there, whatever its number. From two such
//! places both codes must call the same functions with the same arguments, leave the same in memory, and end in the same
//! way: at places that correspond, at the same entry of the same table, or in a return that gives back what the caller
//! wants kept. Which number a register has instead of which is the tool's own word: if that is wrong, the proof fails.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

#[path = "equivalent/object_code.rs"]
mod object_code;
#[path = "equivalent/proof.rs"]
mod proof;
mod support;
#[path = "equivalent/terms.rs"]
mod terms;
#[path = "equivalent/trace.rs"]
mod trace;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use object_code::{Code, Place};
use support::{assemble, folder, root, run};

/// The archive, built once for all tests.
static ARCHIVE: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(root().join("scripts/build-target.sh"));
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    PathBuf::from(run(&mut build).lines().next().unwrap())
});

/// LLVM's object and the rewritten one, and LLVM's assembly.
fn built() -> (Code, Code, String) {
    let object = |name: &str| Code::read(&fs::read(ARCHIVE.with_file_name(name)).unwrap());
    let assembly = fs::read_to_string(ARCHIVE.with_file_name("compiled.s")).unwrap();
    (object("compiled.o"), object("rewritten.o"), assembly)
}

#[test]
fn the_archive_does_what_the_compiler_meant() {
    let (before, after, assembly) = built();
    let numbers = xt804_rewrite::rewrite(&assembly).numbers;
    assert_eq!(before.functions, after.functions);
    assert!(before.functions.len() > 300, "{} functions", before.functions.len());
    let wrong: Vec<String> = before
        .functions
        .keys()
        .filter_map(|name| {
            let error = proof::compare(&before, &after, name, numbers.get(name)).err()?;
            Some(format!("{name}: {error}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), before.functions.len(), wrong.join("\n"));
}

/// What is no code has the same bytes and names the same places. Those within functions are tables, which are proved
/// with the jumps through them.
#[test]
fn data_is_the_same() {
    let (before, after, _) = built();
    let data = |code: &Code| {
        // GNU as has an empty one of each, where nobody asked for it.
        let unnamed = [".data", ".bss"];
        let wanted = |name: &str| !name.starts_with(".text") && !unnamed.contains(&name);
        let sections = code.sections.iter().filter(|(name, _)| wanted(name));
        let outside = |place: &&Place| !place.name.starts_with(".text") || place.offset == 0;
        let sections = sections.map(|(name, section)| {
            let places: Vec<Place> = section.relocations.values().filter(outside).cloned().collect();
            (name.clone(), section.bytes.clone(), section.relocations.keys().copied().collect::<Vec<u32>>(), places)
        });
        sections.collect::<Vec<_>>()
    };
    let (before, after) = (data(&before), data(&after));
    assert!(before.len() > 100, "{} sections", before.len());
    let differ = before.iter().zip(&after).find(|(one, other)| one != other);
    assert!(differ.is_none() && before.len() == after.len(), "{differ:x?}");
}

/// Every place in the source that LLVM's line table has is in the assembler's, in the same order.
#[test]
fn line_tables_are_kept() {
    let (_, _, assembly) = built();
    let rewritten = xt804_rewrite::rewrite(&assembly).text;
    let places =
        |text: &str| text.lines().filter(|line| line.starts_with("\t.loc\t")).map(str::to_owned).collect::<Vec<_>>();
    assert!(places(&assembly).len() > 5000);
    assert!(places(&assembly) == places(&rewritten));
}

/// Assembles a function in both forms and compares them.
fn compared(name: &str, before: &str, after: &str, numbers: &[(u8, u8)]) -> Result<(), String> {
    let folder = folder(&format!("equivalent {name}"));
    let code = |side: &str, body: &str| {
        let body = body.replace("; ", "\n");
        let source = format!(".section .text.f,\"ax\"\n.globl f\n.type f,@function\nf:\n{body}\n.size f, .-f\n");
        Code::read(&fs::read(assemble(&folder, side, "ck804ef", &source)).unwrap())
    };
    proof::compare(&code("before", before), &code("after", after), "f", Some(&numbers.iter().copied().collect()))
}

const SAVE: &str = "subi r14, r14, 8; st.w r15, (r14, 0); st.w r4, (r14, 4)";
const RESTORE: &str = "ld.w r4, (r14, 4); ld.w r15, (r14, 0); addi r14, r14, 8; rts";

#[test]
fn what_is_the_same_is_proved() {
    for (name, before, after, numbers) in [
        ("frame", format!("{SAVE}; jsri g; {RESTORE}"), "push r4, r15; jsri g; pop r4, r15", vec![]),
        ("near call", format!("{SAVE}; jsri g; {RESTORE}"), "push r4, r15; bsr g; pop r4, r15", vec![]),
        ("number", "movih r0, 65535; ori r0, r0, 65471; rts".into(), "movi r0, 64; not r0; rts", vec![]),
        ("ones", "movih r0, 65535; ori r0, r0, 65535; rts".into(), "bmaski r0, 32; rts", vec![]),
        ("bit", "cmpne r0, r1; mvc r0; andi r0, r0, 1; rts".into(), "cmpne r0, r1; mvc r0; rts", vec![]),
        ("order", "addu32 r0, r1, r0; rts".into(), "addu r0, r1; rts", vec![]),
        (
            "other register",
            "subi r14, r14, 4; st.w r8, (r14, 0); mov r8, r0; addu r0, r8; ld.w r8, (r14, 0); addi r14, r14, 4; rts"
                .into(),
            "push r4; mov r4, r0; addu r0, r4; pop r4",
            vec![(8, 4)],
        ),
        ("loop", "1: subi32 r0, r0, 1; bnez r0, 1b; rts".into(), "1: subi r0, 1; bnez r0, 1b; rts", vec![]),
        (
            "shared return",
            format!("{SAVE}; bez r0, 1f; movi r0, 2; br 2f; 1: movi r0, 1; 2: {RESTORE}"),
            "push r4, r15; bez r0, 1f; movi r0, 2; pop r4, r15; 1: movi r0, 1; pop r4, r15",
            vec![],
        ),
    ] {
        assert_eq!(compared(name, &before, after, &numbers), Ok(()), "{name}");
    }
}

#[test]
fn what_differs_is_told() {
    let framed = format!("{SAVE}; mov r4, r0; jsri g; addu r0, r4; {RESTORE}");
    for (name, before, after, numbers, error) in [
        ("value", "movi r0, 1; rts".to_owned(), "movi r0, 2; rts", vec![], "what is returned"),
        ("store", "st.w r1, (r0, 4); rts".into(), "st.w r1, (r0, 8); rts", vec![], "memory"),
        ("no store", "st.w r1, (r0, 4); rts".into(), "rts", vec![], "memory"),
        ("width", "ld.b r0, (r0, 4); rts".into(), "ld.h r0, (r0, 4); rts", vec![], "what is returned"),
        ("callee", framed.clone(), "push r4, r15; mov r4, r0; jsri h; addu r0, r4; pop r4, r15", vec![], "memory"),
        ("argument", framed.clone(), "push r4, r15; mov r4, r0; movi r0, 1; jsri g; addu r0, r4; pop r4, r15", vec![], "memory"),
        ("not saved", framed.clone(), "push r15; mov r4, r0; jsri g; addu r0, r4; pop r15", vec![], "memory"),
        ("not restored", framed.clone(), "push r4, r15; mov r4, r0; jsri g; addu r0, r4; pop r15", vec![], "where it returns"),
        ("clobbered", framed.clone(), "push r4, r15; mov r5, r0; jsri g; addu r0, r5; pop r4, r15", vec![], "the caller's r5"),
        ("lost by a call", framed.clone(), "push r4, r15; mov r12, r0; jsri g; addu r0, r12; pop r4, r15", vec![], "what is returned"),
        ("overwritten", framed, "push r4, r15; st.w r0, (r14, 0); jsri g; pop r4, r15", vec![], "is overwritten"),
        ("condition", "bez r0, 1f; movi r0, 5; 1: rts".into(), "bnez r0, 1f; movi r0, 5; 1: rts", vec![], "r0"),
        ("bit", "cmpne r0, r1; mvc r0; rts".into(), "cmpne r0, r1; mvcv r0; rts", vec![], "what is returned"),
        ("loop", "1: subi r0, 1; bnez r0, 1b; rts".into(), "1: subi r0, 2; bnez r0, 1b; rts", vec![], "the condition"),
        (
            "wrong numbers",
            "subi r14, r14, 4; st.w r8, (r14, 0); mov r8, r0; 1: subi r8, r8, 1; bnez r8, 1b; ld.w r8, (r14, 0); addi r14, r14, 4; rts".into(),
            "push r4; mov r4, r0; 1: subi r4, 1; bnez r4, 1b; pop r4",
            vec![(8, 5)],
            "r8 at",
        ),
    ] {
        let told = compared(name, &before, after, &numbers).expect_err(name);
        assert!(told.contains(error), "{name}: {told}");
    }
}
