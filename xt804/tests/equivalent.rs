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

use object_code::Code;
use support::{root, run};

/// LLVM's object and the rewritten one, and the rewritten assembly.
fn built() -> (Code, Code, String) {
    let mut build = Command::new(root().join("scripts/build-target.sh"));
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let archive = PathBuf::from(run(&mut build).lines().next().unwrap());
    let object = |name: &str| Code::read(&fs::read(archive.with_file_name(name)).unwrap());
    let assembly = fs::read_to_string(archive.with_file_name("compiled.s")).unwrap();
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
