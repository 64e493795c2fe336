//! How fast the chip's code is executed: instruction by instruction and in blocks, in turns in one run, so that what
//! else the computer does meanwhile touches both; what counts is time on a processor. `cargo bench --bench speed` prints instructions a second and the
//! ratio.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;

use support::{build_for_chip, folder, tool};
use xt804::context::Context;
use xt804::fault::Fault;
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE};
use xt804::machine::{Host, Machine};

const STACK: u32 = 32 * 1024;
const TURNS: u32 = 5;

/// What is measured: the function, its argument.
const PROGRAMS: &[(&str, u32)] = &[("probe_spin", 2_000_000), ("probe_run", 0)];

/// Throws away what is printed.
struct Silent;

impl Host for Silent {
    fn call(&mut self, _: &mut Machine, _: &mut Context, _: usize) -> Result<(), Box<Fault>> {
        Ok(())
    }
}

struct Measured {
    instructions: u64,
    seconds: f64,
}

impl Measured {
    fn millions(&self) -> f64 {
        self.instructions as f64 / self.seconds / 1e6
    }
}

fn run(image: &[u8], function: &str, argument: u32, blocks: bool) -> Measured {
    let mut machine = Machine::default();
    machine.load(Image::parse(image).unwrap()).unwrap();
    machine.allow_blocks(blocks);
    let top = RAM + RAM_SIZE as u32;
    let mut context = Context::new("speed", top - STACK, top);
    let entry = machine.symbols().address(function).unwrap();
    let begin = on_processor();
    machine.call(&mut context, entry, &[argument], &mut Silent).unwrap();
    Measured { instructions: context.counters.instructions, seconds: on_processor() - begin }
}

/// The seconds that this thread has had a processor.
fn on_processor() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: u64 = told.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

/// The fastest of several turns: the least disturbed.
fn fastest(best: Option<Measured>, new: Measured) -> Option<Measured> {
    best.filter(|best| best.seconds <= new.seconds).or(Some(new))
}

fn main() {
    let folder = folder("speed");
    let archive = build_for_chip(None, &[]);
    let output = folder.join("probe.elf");
    let roots: Vec<&str> = PROGRAMS.iter().map(|(function, _)| *function).collect();
    Link { ld: &tool("ld"), inputs: &[archive], roots: &roots, output: &output }.run().unwrap();
    let image = fs::read(output).unwrap();
    for (function, argument) in PROGRAMS {
        let (mut singly, mut blocks) = (None, None);
        for _ in 0..TURNS {
            singly = fastest(singly, run(&image, function, *argument, false));
            blocks = fastest(blocks, run(&image, function, *argument, true));
        }
        let (singly, blocks) = (singly.unwrap(), blocks.unwrap());
        assert_eq!(singly.instructions, blocks.instructions);
        println!(
            "{function}: {} instructions, {:.0} million a second singly, {:.0} in blocks: {:.2} times as many",
            blocks.instructions,
            singly.millions(),
            blocks.millions(),
            singly.seconds / blocks.seconds
        );
    }
}
