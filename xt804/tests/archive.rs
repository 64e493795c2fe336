//! The firmware's library itself: linked for the simulator, every instruction known and shown as objdump shows it,
//! nothing wanted of the host but what `linker/sdk-symbols.txt` lists.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use support::{folder, root, run, tool};
use xt804::image::Image;
use xt804::link::Link;
use xt804::machine::Machine;

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(root().join("scripts/build-target.sh"));
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let archive = PathBuf::from(run(&mut build).lines().next().unwrap());
    let output = folder("archive").join("firmware.elf");
    Link { ld: &tool("ld"), inputs: &[archive], roots: &["w800_mqtt_at_table"], output: &output }.run().unwrap();
    output
});

fn machine() -> Machine {
    let mut machine = Machine::default();
    machine.load(Image::parse(&fs::read(&*IMAGE).unwrap()).unwrap()).unwrap();
    machine
}

/// Addresses and texts of what objdump takes for code.
fn dumped() -> Vec<(u32, String)> {
    let plain = IMAGE.with_extension("plain");
    // LLVM's attributes do not say that there is a floating-point unit; without any, objdump knows all CPUs.
    let section = "--remove-section=.csky.attributes";
    run(Command::new(tool("objcopy")).arg(section).arg(&*IMAGE).arg(&plain));
    let text = run(Command::new(tool("objdump")).arg("-d").arg(&plain));
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(u32, String)> {
    let mut parts = line.split('\t');
    let address = u32::from_str_radix(parts.next()?.trim().strip_suffix(':')?, 16).ok()?;
    let _bytes = parts.next()?;
    let text: Vec<&str> = parts.take_while(|part| !part.starts_with("//")).map(str::trim).collect();
    let data = [".long", ".short", ".byte"].contains(text.first()?);
    (!data).then(|| (address, text.join(" ").trim().to_owned()))
}

#[test]
fn every_instruction_is_shown_as_objdump_shows_it() {
    let machine = machine();
    let lines = dumped();
    assert!(lines.len() > 10_000, "{} instructions", lines.len());
    let differ: Vec<_> = lines
        .iter()
        .map(|(address, text)| (address, text, machine.show(*address)))
        .filter(|(_, text, shown)| shown.as_ref() != Some(text))
        .collect();
    assert!(differ.is_empty(), "{} of {}: {differ:x?}", differ.len(), lines.len());
}

#[test]
fn the_host_brings_what_the_list_says() {
    let list = fs::read_to_string(root().join("linker/sdk-symbols.txt")).unwrap();
    let listed: BTreeSet<String> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|line| line.split('|').map(str::to_owned))
        .collect();
    let wanted: BTreeSet<String> = machine().symbols().imports().iter().cloned().collect();
    assert!(wanted.is_subset(&listed), "{:?}", wanted.difference(&listed));
}
