//! Compiles the board's C code with its tests under the address and undefined-behaviour sanitizers, and runs them.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests may stop at an error")]

use std::path::Path;
use std::process::Command;

const BOARD: &[&str] = &["at_line.c", "atcmd.c", "heap.c", "kernel.c", "log.c", "osal_sync.c", "osal_time.c"];

fn run(test: &str) {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("host");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let compiled = Command::new("cc")
        .args(["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-pthread"])
        .arg("-I")
        .arg(&host)
        .arg("-I")
        .arg(host.join("../include"))
        .args(BOARD.iter().map(|file| host.join(file)))
        .arg(host.join("tests/check.c"))
        .arg(host.join("tests").join(test).with_extension("c"))
        .arg(format!("-Wl,-T,{}", host.join("at_table.ld").display()))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler named cc is installed");
    assert!(compiled.success(), "{test} does not compile");

    let output = Command::new(&program).output().expect("the test was just compiled");
    assert!(
        output.status.success(),
        "{test}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn osal() {
    run("osal_test");
}

#[test]
fn at_server() {
    run("at_test");
}
