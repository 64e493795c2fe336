//! Compiles the board's C code with its tests under the address and undefined-behaviour sanitizers, and runs them. Mbed
//! TLS is the library that the build script made, which has them only with `W800_SIM_SANITIZE=1`.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests may stop at an error")]

use std::path::Path;
use std::process::Command;

const BOARD: &[&str] = &[
    "at_line.c",
    "atcmd.c",
    "credentials.c",
    "heap.c",
    "kernel.c",
    "log.c",
    "nvs.c",
    "nvs_file.c",
    "osal_sync.c",
    "osal_time.c",
    "rtc.c",
    "tap.c",
    "trng.c",
];

fn run(test: &str) {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("host");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let compiled = Command::new("cc")
        .args(["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-pthread"])
        .arg("-I")
        .arg(&host)
        .args(std::env::split_paths(env!("W800_TLS_INCLUDES")).map(|folder| format!("-I{}", folder.display())))
        .arg(r#"-DMBEDTLS_CONFIG_FILE="wm_mbedtls_config.h""#)
        .args(BOARD.iter().map(|file| host.join(file)))
        .arg(host.join("tests/check.c"))
        .arg(host.join("tests").join(test).with_extension("c"))
        .args(["-L", env!("W800_TLS_LIBRARY"), "-lw800_mbedtls"])
        .arg(format!("-Wl,-T,{}", host.join("at_table.ld").display()))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler named cc is installed");
    assert!(compiled.success(), "{test} does not compile");

    let scratch = env!("CARGO_TARGET_TMPDIR");
    let output = Command::new(&program).current_dir(scratch).output().expect("the test was just compiled");
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

#[test]
fn storage() {
    run("nvs_test");
}

#[test]
fn tls() {
    run("tls_test");
}
