//! The firmware's library itself: linked for the simulator, every instruction known and shown as objdump shows it,
//! nothing wanted of the host but what `linker/sdk-symbols.txt` lists, and nothing done of what the compiler may do wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

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
use xt804::operation::Access;

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(root().join("scripts/build-target.sh"));
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let archive = PathBuf::from(run(&mut build).lines().next().unwrap());
    let output = folder("archive").join("firmware.elf");
    let roots = ["w800_mqtt_at_table", "__wrap_wm_atcmd_dev_register"];
    Link { ld: &tool("ld"), inputs: &[archive], roots: &roots, output: &output }.run().unwrap();
    output
});

fn machine() -> Machine {
    let mut machine = Machine::default();
    machine.load(Image::parse(&fs::read(&*IMAGE).unwrap()).unwrap()).unwrap();
    machine
}

/// What objdump takes for code. Once for all tests: they run side by side, and its input is one file.
static DUMPED: LazyLock<Vec<(u32, String)>> = LazyLock::new(dumped);

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
    let lines = &*DUMPED;
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

/// The code as objdump shows it, and where execution may come to from elsewhere.
struct Listing {
    lines: &'static [(u32, String)],
    targets: BTreeSet<u32>,
}

impl Listing {
    fn new(machine: &Machine) -> Self {
        let lines = &**DUMPED;
        let number = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let mut targets: BTreeSet<u32> =
            lines.iter().filter_map(|(_, text)| number(text.rsplit([' ', ',']).next()?)).collect();
        // What constants and tables point to.
        let flash = machine.memory().flash();
        let words = (flash.base()..flash.end()).step_by(4);
        targets.extend(words.filter_map(|address| machine.memory().load(address, Access::Word).ok()));
        Self { lines, targets }
    }

    /// The last operands of all instructions of these names, as what was put into them before: the text of that
    /// instruction, if there is one from which nothing but straight code leads here.
    fn last_operands<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (u32, Option<&'a str>)> {
        self.lines.iter().enumerate().filter_map(|(index, (address, text))| {
            let (name, operands) = text.split_once(' ')?;
            let operand = operands.rsplit(", ").next()?;
            names.contains(&name).then(|| (*address, self.definition(index, operand)))
        })
    }

    fn definition(&self, mut index: usize, register: &str) -> Option<&str> {
        while !self.targets.contains(&self.lines[index].0) {
            index = index.checked_sub(1)?;
            let text = self.lines[index].1.as_str();
            let (name, operands) = text.split_once(' ').unwrap_or((text, ""));
            let first = operands.split(", ").next().unwrap_or_default();
            if leaves(name) || first.contains('-') {
                return None;
            }
            if first == register && !["st", "cmp", "btst", "b"].iter().any(|only_reads| name.starts_with(only_reads)) {
                return Some(text);
            }
        }
        None
    }
}

/// Whether what follows is not reached from here, or with other registers.
fn leaves(name: &str) -> bool {
    ["j", "br", "bsr", "rt", "pop", "nir", "bnezad", "mul.", "trap", "bkpt"].iter().any(|start| name.starts_with(start))
}

/// The number in `name register, …, number`.
fn number_of(text: &str, name: &str) -> Option<u32> {
    text.strip_prefix(name)?.strip_prefix(' ')?.rsplit(", ").next()?.parse().ok()
}

/// LLVM may leave a rotation's count unmasked, and the manuals do not say what `rotl` makes of one above 31.
#[test]
fn rotations_have_masked_counts() {
    let machine = machine();
    let listing = Listing::new(&machine);
    let masked = |text: &str| ["andi", "movi"].iter().any(|name| number_of(text, name).is_some_and(|count| count < 32));
    let unmasked: Vec<String> = listing
        .last_operands(&["rotl"])
        .filter(|(_, definition)| !definition.is_some_and(masked))
        .map(|(address, definition)| format!("{address:#x} in {}: {definition:?}", machine.symbols().name(address)))
        .collect();
    assert!(unmasked.is_empty(), "{unmasked:#?}");
}

/// All are by constants. Another one is no mistake, but must be looked at: LLVM takes divisions for harmless.
#[test]
fn divisors_cannot_be_zero() {
    let machine = machine();
    let listing = Listing::new(&machine);
    let constant = |text: &str| ["movi", "movih"].iter().any(|name| number_of(text, name).is_some_and(|by| by != 0));
    let divisions: Vec<_> = listing.last_operands(&["divu", "divs", "divul", "divsl"]).collect();
    assert!(divisions.len() > 2, "{divisions:?}");
    let unknown: Vec<String> = divisions
        .iter()
        .filter(|(_, definition)| !definition.is_some_and(constant))
        .map(|(address, definition)| format!("{address:#x} in {}: {definition:?}", machine.symbols().name(*address)))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
