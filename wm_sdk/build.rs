//! Compiles the board's C code: the tasks, the heap, the AT server and the serial line from `host/`, the network by
//! `build_net.rs`. `W800_SIM_SANITIZE=1` adds the address and undefined-behaviour sanitizers to all of it.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a build script may stop at an error")]

const SOURCES: &[&str] = &[
    "at_line.c",
    "atcmd.c",
    "board.c",
    "heap.c",
    "kernel.c",
    "log.c",
    "neighbours.c",
    "osal_sync.c",
    "osal_time.c",
    "rtc.c",
    "uart.c",
];

const SANITIZERS: &str = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer";

include!("build_net.rs");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build_net.rs");
    println!("cargo::rerun-if-changed=include");
    println!("cargo::rerun-if-changed=host");
    println!("cargo::rerun-if-env-changed=W800_SIM_SANITIZE");
    if std::env::var("W800_SIM_SANITIZE").is_ok_and(|value| value == "1") {
        add_sanitizers();
    }

    let mut build = cc::Build::new();
    build
        .std("c11")
        .include("include")
        .include("host")
        .files(SOURCES.iter().map(|file| format!("host/{file}")))
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true);
    add_net(&mut build);
    build.compile("wm_sdk_host");
}

/// Through the environment, so that the network's own builds have them as well.
#[expect(unsafe_code, reason = "the cc crate reads flags for all of its builds from the environment")]
fn add_sanitizers() {
    let flags = std::env::var("CFLAGS").unwrap_or_default();
    // SAFETY: a build script has one thread until it starts another, and this one has not.
    unsafe { std::env::set_var("CFLAGS", format!("{flags} {SANITIZERS}")) };
}
