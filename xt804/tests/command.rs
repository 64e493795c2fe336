//! `xt804-run`: results, accounts and refusals as a user sees them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{assemble, folder, tool};
use xt804::link::Link;

const SOURCE: &str = "
.global twice, greet, ask
.type twice, @function
.type greet, @function
.type ask, @function
.text
twice:  lsli r0, r0, 1
        rts
.size twice, . - twice
greet:  push r15
        lrw  r0, text
        movi r1, 6
        jsri probe_write
        bsr  twice
        pop  r15
.size greet, . - greet
ask:    jsri nobody
        rts
.size ask, . - ask
.section .rodata
text:   .ascii \"hello\\n\"
";

fn program(folder: &Path) -> PathBuf {
    let inputs = [assemble(folder, "command", "ck804ef", SOURCE)];
    let output = folder.join("command.elf");
    Link { ld: &tool("ld"), inputs: &inputs, roots: &["twice", "greet", "ask"], output: &output }.run().unwrap();
    output
}

fn xt804_run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xt804-run")).args(arguments).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn runs_prints_and_counts() {
    let folder = folder("command-runs");
    let (program, profile) = (program(&folder), folder.join("folded"));
    let (program, profile) = (program.to_str().unwrap(), profile.to_str().unwrap());

    let output = xt804_run(&[program, "twice", "0x15"]);
    assert!(output.status.success());
    assert_eq!(errors(&output), "2 instructions, 1 calls, 0 loads, 0 stores, 0 bytes of stack\nresult 0x2a\n");

    let output = xt804_run(&["--profile", profile, program, "greet"]);
    assert_eq!(output.stdout, b"hello\n");
    assert_eq!(fs::read_to_string(profile).unwrap(), "main;greet 6\nmain;greet;twice 2\n");

    let output = xt804_run(&["--list", program, "twice"]);
    assert_eq!(output.stdout, b"08000000: lsli r0, r0, 1\n08000002: rts\n");
}

#[test]
fn refuses_what_cannot_be() {
    let folder = folder("command-refuses");
    let program = program(&folder);
    let program = program.to_str().unwrap();
    let fails = |arguments: &[&str]| {
        let output = xt804_run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        errors(&output)
    };
    assert!(fails(&[]).contains("usage:"));
    assert!(fails(&["--what", program, "twice"]).contains("usage:"));
    assert!(fails(&["no file", "twice"]).contains("no file"));
    assert!(fails(&[program, "nowhere"]).contains("has no nowhere"));
    assert!(fails(&[program, "twice", "x"]).contains("x: invalid digit"));
    assert!(fails(&[program, "ask"]).contains("the host has no nobody\n    at 0xf0000000 nobody+0x0\n    at 0x0800"));
    assert!(fails(&["--budget", "1", program, "twice"]).contains("the budget is spent"));
    assert!(fails(&["--stack", "0", program, "greet"]).contains("below its end"));
}
