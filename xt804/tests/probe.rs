//! The probe prints the same on the host and on the simulated chip, byte for byte.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use support::{build_for_chip, folder, tool};
use xt804::context::Context;
use xt804::fault::Fault;
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE};
use xt804::machine::{Host, Machine};

const STACK: u32 = 32 * 1024;

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("probe");
    let archive = build_for_chip(None, &[]);
    let output = folder.join("probe.elf");
    let link = Link { ld: &tool("ld"), inputs: &[archive], roots: &["probe_run", "probe_spin"], output: &output };
    link.run().unwrap();
    output
});

#[derive(Default)]
struct Printed(Vec<u8>);

impl Host for Printed {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        let name = machine.symbols().imports().get(number).cloned().unwrap();
        assert_eq!(name, "probe_write", "{}", String::from_utf8_lossy(&self.0));
        let bytes = machine.memory().bytes(context.get(0), context.get(1));
        self.0.extend_from_slice(bytes.map_err(|kind| machine.fault(context, kind))?);
        Ok(())
    }
}

fn machine() -> (Machine, Context) {
    let mut machine = Machine::default();
    machine.load(Image::parse(&fs::read(&*IMAGE).unwrap()).unwrap()).unwrap();
    let top = RAM + RAM_SIZE as u32;
    (machine, Context::new("probe", top - STACK, top))
}

#[test]
fn prints_what_the_host_prints() {
    let mut expected = String::new();
    xt804_probe::run(&mut expected).unwrap();

    let (mut machine, mut context) = machine();
    let entry = machine.symbols().address("probe_run").unwrap();
    let mut printed = Printed::default();
    let outcome = machine.call(&mut context, entry, &[], &mut printed);
    let printed = String::from_utf8_lossy(&printed.0);
    for (number, (ours, theirs)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", number + 1);
    }
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(printed, expected);
    println!("{} lines, {:?}, stack {}", expected.lines().count(), context.counters, context.stack.high_water());
}

#[test]
fn speed() {
    let (mut machine, mut context) = machine();
    let entry = machine.symbols().address("probe_spin").unwrap();
    let begin = Instant::now();
    machine.call(&mut context, entry, &[10_000_000], &mut Printed::default()).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    let instructions = context.counters.instructions;
    println!(
        "{instructions} instructions in {seconds:.2} s: {:.1} million a second",
        instructions as f64 / seconds / 1e6
    );
}

#[test]
fn two_runs_are_one() {
    let (mut first, mut second) = (machine(), machine());
    for (machine, context) in [&mut first, &mut second] {
        let entry = machine.symbols().address("probe_run").unwrap();
        machine.call(context, entry, &[], &mut Printed::default()).unwrap();
    }
    assert_eq!(first.1.counters, second.1.counters);
    assert_eq!(first.1.stack, second.1.stack);
}
