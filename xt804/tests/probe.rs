//! The probe prints the same on the host and on the simulated chip, byte for byte.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use support::{Numbers, build_for_chip, folder, tool};
use xt804::context::{Context, Counters, Stack};
use xt804::fault::Fault;
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE};
use xt804::machine::{Host, Machine, Stop};

const STACK: u32 = 32 * 1024;

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("probe");
    let archive = build_for_chip(None, &[]);
    let output = folder.join("probe.elf");
    let link = Link { ld: &tool("ld"), inputs: &[archive], roots: &["probe_run"], output: &output };
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

/// Runs the probe in pieces of `budget(n)` instructions and returns what can be told of it.
fn outcome(blocks: bool, mut budget: impl FnMut() -> u64) -> (Vec<u8>, Counters, Stack) {
    let (mut machine, mut context) = machine();
    machine.allow_blocks(blocks);
    let entry = machine.symbols().address("probe_run").unwrap();
    let (mut printed, _call) = (Printed::default(), machine.begin_call(&mut context, entry, &[]).unwrap());
    loop {
        let (budget, before) = (budget(), context.counters.instructions);
        match machine.run(&mut context, budget) {
            Stop::Budget => assert_eq!(context.counters.instructions, before + budget),
            Stop::HostCall(number) => {
                printed.call(&mut machine, &mut context, number).unwrap();
                context.return_from_host();
            }
            Stop::Returned => return (printed.0, context.counters, context.stack),
            Stop::Fault(fault) => panic!("{fault}"),
        }
    }
}

#[test]
fn every_run_is_the_same_however_it_is_executed() {
    let whole = outcome(true, || u64::MAX);
    assert!(outcome(true, || u64::MAX) == whole, "another run");
    assert!(outcome(false, || u64::MAX) == whole, "instruction by instruction");
    let mut numbers = Numbers(7);
    assert!(outcome(true, || 1 + numbers.below(300)) == whole, "in pieces");
}
