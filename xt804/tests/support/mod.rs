//! What the tests of this crate share: the C-SKY tools, and a place for files.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::machine::{Host, Machine};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder of the test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let script = "source scripts/setup/common.sh && csky_prefix";
    let output = Command::new("bash").args(["-c", script]).current_dir(root()).output().expect("bash");
    let prefix = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(!prefix.is_empty(), "no C-SKY tools: scripts/setup.sh target brings them");
    prefix
});

/// The options that firmware's code generation has in `scripts/build-target.sh`.
pub fn firmware_flags() -> Vec<String> {
    let script = fs::read_to_string(root().join("scripts/build-target.sh")).unwrap();
    let flags: Vec<String> =
        script.split([' ', '"', '\n']).filter(|word| word.starts_with("-Cllvm-args=")).map(str::to_owned).collect();
    assert!(!flags.is_empty(), "no -Cllvm-args");
    flags
}

/// A tool of binutils for C-SKY.
pub fn tool(name: &str) -> PathBuf {
    PathBuf::from(format!("{}{name}", *PREFIX))
}

/// Runs a command to its end and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Assembles for a CPU and returns the object's path.
pub fn assemble(folder: &Path, name: &str, cpu: &str, source: &str) -> PathBuf {
    let (from, to) = (folder.join(format!("{name}.s")), folder.join(format!("{name}.o")));
    fs::write(&from, source).unwrap();
    run(Command::new(tool("as")).arg(format!("-mcpu={cpu}")).arg("-o").arg(&to).arg(&from));
    to
}

/// The bytes of an object's `.text`.
pub fn text_of(object: &Path) -> Vec<u8> {
    use object::{Object, ObjectSection};
    let bytes = fs::read(object).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    file.section_by_name(".text").unwrap().data().unwrap().to_vec()
}

/// Builds a crate for the chip (the probe, if none is named) and returns the static library. The options are rustc's,
/// and for that crate alone.
pub fn build_for_chip(folder: Option<&Path>, options: &[String]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chip");
    let mut build = Command::new(root().join("xt804/probe/build.sh"));
    build.args(folder).args(options).env("CARGO_TARGET_DIR", target);
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    PathBuf::from(run(&mut build).trim())
}

/// A crate of that name with this library. Only its own level of optimisation differs from the probe's options, so that
/// the core library is built once.
pub fn write_crate(folder: &Path, name: &str, source: &str, level: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n\
         [profile.release]\npanic = \"abort\"\n[profile.release.package.{name}]\nopt-level = {level}\n"
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), source).unwrap();
}

/// A host without functions.
pub struct Nobody;

impl Host for Nobody {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        let name = machine.symbols().import(number).unwrap_or_default().to_owned();
        Err(Box::new(machine.fault(context, FaultKind::Missing(name))))
    }
}

/// A generator of numbers (xorshift) that gives the same ones on every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 16) % limit
    }
}
