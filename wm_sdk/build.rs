//! Compiles the board's C code: the tasks, the heap, the AT server, the storage and the serial line from `host/`, the
//! network by `build_net.rs`, Mbed TLS by `build_tls.rs`.
//!
//! `W800_SIM_SANITIZE=1` adds the address and undefined-behaviour sanitizers to all of it. `W800_SIM_CONFIG` names a
//! folder of configuration headers that come before those in `include`, such as `wm_sdk/configs/opposite`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a build script may stop at an error")]

const SOURCES: &[&str] = &[
    "at_address.c",
    "at_inside.c",
    "at_line.c",
    "at_system.c",
    "at_time.c",
    "at_values.c",
    "at_wifi.c",
    "atcmd.c",
    "atcmd_init.c",
    "board.c",
    "credentials.c",
    "heap.c",
    "kernel.c",
    "log.c",
    "neighbours.c",
    "nvs.c",
    "nvs_file.c",
    "osal_sync.c",
    "osal_time.c",
    "rtc.c",
    "settings.c",
    "tap.c",
    "trng.c",
    "uart.c",
];

const SANITIZERS: &str = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer";

include!("build_net.rs");
include!("build_tls.rs");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build_net.rs");
    println!("cargo::rerun-if-changed=build_tls.rs");
    println!("cargo::rerun-if-changed=include");
    println!("cargo::rerun-if-changed=host");
    println!("cargo::rerun-if-env-changed=W800_SIM_SANITIZE");
    if std::env::var("W800_SIM_SANITIZE").is_ok_and(|value| value == "1") {
        add_sanitizers();
    }

    let variant = sim_config(&manifest_dir());
    let mut build = cc::Build::new();
    build
        .std("c11")
        .includes(&variant)
        .include("include")
        .include("host")
        .files(SOURCES.iter().map(|file| format!("host/{file}")))
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true);
    add_net(&mut build, variant.as_deref());
    add_tls(variant.as_deref());
    build.compile("wm_sdk_host");
}

/// The folder of another configuration (`W800_SIM_CONFIG`, from the workspace's root), which comes first.
fn sim_config(root: &std::path::Path) -> Option<std::path::PathBuf> {
    println!("cargo::rerun-if-env-changed=W800_SIM_CONFIG");
    let named = std::env::var_os("W800_SIM_CONFIG").filter(|path| !path.is_empty())?;
    let folder = root.join("..").join(named);
    assert!(folder.is_dir(), "W800_SIM_CONFIG: no folder {}", folder.display());
    println!("cargo::rerun-if-changed={}", folder.display());
    Some(folder)
}

fn manifest_dir() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo").into()
}

/// The folder of a source that one of the scripts in `scripts/setup` prints, after fetching it where it is missing.
fn third_party_source(root: &std::path::Path, script: &str) -> std::path::PathBuf {
    let script = root.join("../scripts/setup").join(script);
    println!("cargo::rerun-if-changed={}", script.display());
    let output = std::process::Command::new("bash")
        .arg(&script)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("bash is installed");
    assert!(output.status.success(), "{} failed", script.display());
    let printed = String::from_utf8(output.stdout).expect("a path in UTF-8");
    printed.lines().last().expect("the script prints a folder").into()
}

/// Through the environment, so that the other builds have them as well.
#[expect(unsafe_code, reason = "the cc crate reads flags for all of its builds from the environment")]
fn add_sanitizers() {
    let flags = std::env::var("CFLAGS").unwrap_or_default();
    // SAFETY: a build script has one thread until it starts another, and this one has not.
    unsafe { std::env::set_var("CFLAGS", format!("{flags} {SANITIZERS}")) };
}
