//! Passes the AT command table's section to the linker, and the sanitizers where `W800_SIM_SANITIZE=1` asks for them.
#![allow(clippy::expect_used, reason = "a build script may stop at an error")]

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let table = format!("{root}/../wm_sdk/host/at_table.ld");
    println!("cargo::rerun-if-changed={table}");
    println!("cargo::rerun-if-env-changed=W800_SIM_SANITIZE");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{table}");
    if std::env::var("W800_SIM_SANITIZE").is_ok_and(|value| value == "1") {
        // rustc links without the C compiler's default libraries, and the runtime has to come before the C library.
        for argument in ["-Wl,--whole-archive", "-l:libasan.a", "-Wl,--no-whole-archive", "-l:libubsan.a", "-lstdc++"] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
        println!("cargo::rustc-link-arg-bins=-rdynamic");
    }
}
