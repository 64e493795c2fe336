//! The library's build script, kept as a program that reads any headers: `SDK_BINDINGS` is its path.
//!
//! What is compared is so what the library is bound to, and bindgen is not built another time.

#[path = "../../build.rs"]
mod library;

/// The word that makes a build script of the library of this program.
const RUN: &str = "bindings";

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).is_some_and(|word| word == RUN) {
        library::main();
    } else {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rustc-env=SDK_BINDINGS={}", std::env::current_exe()?.display());
    }
    Ok(())
}
