//! Random programs give the same results on the host and on the simulated chip.
//!
//! Environment: `XT804_SEED` (default 1) and `XT804_PROGRAMS` (default 2000) make other programs, or more.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

#[path = "support/generator.rs"]
mod generator;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Nobody, Numbers, build_for_chip, firmware_flags, folder, run, tool, write_crate};
use xt804::context::Context;
use xt804::fault::FaultKind;
use xt804::image::Image;
use xt804::link::{FLASH, Link, RAM, RAM_SIZE};
use xt804::machine::Machine;

const INPUTS: usize = 6;

const ON_HOST: &str = "
fn main() {
    let inputs: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    for program in PROGRAMS {
        for pair in inputs.chunks(2) {
            println!(\"{:016x}\", program(pair[0], pair[1]));
        }
    }
}
";

const ON_CHIP: &str = "
#[unsafe(no_mangle)]
pub extern \"C\" fn generated_call(number: usize, a: u64, b: u64) -> u64 {
    PROGRAMS[number](a, b)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// The firmware's level first, then the others.
fn level(seed: u64) -> &'static str {
    ["3", "\"z\"", "\"s\"", "2", "1"].into_iter().cycle().nth((seed % 5) as usize).unwrap()
}

fn inputs() -> Vec<u64> {
    let mut numbers = Numbers(0x5eed);
    let edges = [0, u64::MAX, 1, 1 << 63, 0x8000_0000, 0x7fff_ffff];
    edges.into_iter().chain((0..INPUTS as u64 * 2 - 6).map(|_| numbers.next())).collect()
}

/// Compiles for the host and returns the program.
fn compile_for_host(folder: &Path, source: &str) -> PathBuf {
    let (from, to) = (folder.join("host.rs"), folder.join("host"));
    fs::write(&from, source).unwrap();
    run(Command::new("rustc").args(["--edition=2024", "-Copt-level=1", "-Cpanic=abort"]).arg("-o").arg(&to).arg(&from));
    to
}

fn task() -> Context {
    let top = RAM + RAM_SIZE as u32;
    Context::new("generated", top - 0x8000, top)
}

/// What LLVM's code does although the program does not: it leaves counts of `rotl` unmasked. What the chip computes then
/// cannot be told.
fn compilers_own(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Rotation { .. })
}

fn on_chip(archive: &Path, count: usize) -> Vec<Option<String>> {
    let output = archive.with_extension("elf");
    let inputs_of_link = [archive.to_owned()];
    Link { ld: &tool("ld"), inputs: &inputs_of_link, roots: &["generated_call"], output: &output }.run().unwrap();
    // More code than the chip has room for.
    let mut machine = Machine::new((FLASH, 16 << 20), (RAM, RAM_SIZE));
    machine.load(Image::parse(&fs::read(output).unwrap()).unwrap()).unwrap();
    let entry = machine.symbols().address("generated_call").unwrap();
    let mut context = task();
    let pairs = inputs();
    let mut results = Vec::new();
    for number in 0..count {
        for pair in pairs.chunks(2) {
            let words = [number as u32, pair[0] as u32, (pair[0] >> 32) as u32, pair[1] as u32, (pair[1] >> 32) as u32];
            results.push(match machine.call(&mut context, entry, &words, &mut Nobody) {
                Ok(result) => Some(format!("{result:016x}")),
                Err(fault) if compilers_own(&fault.kind) => {
                    context = task();
                    None
                }
                Err(fault) => panic!("f{number}{pair:?}: {fault}"),
            });
        }
    }
    results
}

#[test]
fn programs_compute_the_same() {
    let (seed, count) = (setting("XT804_SEED", 1), setting("XT804_PROGRAMS", 2000) as usize);
    let folder = folder("generated");
    let programs = generator::programs(seed, count);
    write_crate(&folder, "generated", &format!("#![no_std]\n{programs}{ON_CHIP}"), level(seed));
    let (archive, program) = std::thread::scope(|scope| {
        let for_host = scope.spawn(|| compile_for_host(&folder, &format!("{programs}{ON_HOST}")));
        (build_for_chip(Some(&folder), &firmware_flags()), for_host.join().unwrap())
    });

    let arguments: Vec<String> = inputs().iter().map(u64::to_string).collect();
    let expected = run(Command::new(program).args(&arguments));
    let found = on_chip(&archive, count);
    assert_eq!(found.len(), expected.lines().count());
    let differ: Vec<String> = found
        .iter()
        .zip(expected.lines())
        .enumerate()
        .filter_map(|(index, (found, expected))| Some((index, found.as_ref()?, expected)))
        .filter(|(_, found, expected)| found.as_str() != *expected)
        .map(|(index, found, expected)| {
            let (number, pair) = (index / INPUTS, index % INPUTS);
            format!("f{number} of pair {pair}: {found}, on the host {expected}")
        })
        .collect();
    let untold = found.iter().filter(|result| result.is_none()).count();
    println!("{} results, {untold} of them untold", found.len());
    assert!(untold * 100 < found.len(), "{untold}");
    assert!(differ.is_empty(), "seed {seed}: {} differ:\n{}", differ.len(), differ.join("\n"));
}
