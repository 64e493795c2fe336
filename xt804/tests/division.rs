//! A division stays behind the test of its divisor for zero, where the chip has a trap for a divisor of zero.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

#[path = "support/divisions.rs"]
mod divisions;
mod support;

use std::fs;

use divisions::DIVISIONS;
use support::{Nobody, build_for_chip, firmware_flags, folder, tool, write_crate};
use xt804::context::Context;
use xt804::fault::FaultKind;
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE};
use xt804::machine::Machine;

const ON_CHIP: &str = "
#[unsafe(no_mangle)]
pub extern \"C\" fn division_call(number: usize, a: u32, y: u32, rounds: u32) -> u32 {
    DIVISIONS[number](a, y, rounds)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
";

/// A program of the divisions, on the chip.
struct Program(Machine);

impl Program {
    fn new(name: &str, level: &str, options: &[String]) -> Self {
        let folder = folder(name);
        let source = concat!("#![no_std]\n", include_str!("support/divisions.rs"));
        write_crate(&folder, "division", &format!("{source}{ON_CHIP}"), level);
        let inputs = [build_for_chip(Some(&folder), options)];
        let output = folder.join("division.elf");
        Link { ld: &tool("ld"), inputs: &inputs, roots: &["division_call"], output: &output }.run().unwrap();
        let mut machine = Machine::default();
        machine.load(Image::parse(&fs::read(output).unwrap()).unwrap()).unwrap();
        Self(machine)
    }

    fn run(&mut self, number: usize, [a, y, rounds]: [u32; 3]) -> Result<u32, FaultKind> {
        let top = RAM + RAM_SIZE as u32;
        let mut context = Context::new("division", top - 0x8000, top);
        let entry = self.0.symbols().address("division_call").unwrap();
        let result = self.0.call(&mut context, entry, &[number as u32, a, y, rounds], &mut Nobody);
        result.map(|result| result as u32).map_err(|fault| fault.kind)
    }
}

fn inputs() -> impl Iterator<Item = [u32; 3]> {
    let divisors = [0, 1, 3, u32::MAX];
    divisors.into_iter().flat_map(|y| (0..5).map(move |rounds| [1000, y, rounds]))
}

#[test]
fn firmwares_options_keep_divisions_behind_their_tests() {
    for (name, level) in [("division-z", "\"z\""), ("division-2", "2"), ("division-3", "3")] {
        let mut program = Program::new(name, level, &firmware_flags());
        for (number, division) in DIVISIONS.iter().enumerate() {
            for [a, y, rounds] in inputs() {
                let expected = division(a, y, rounds);
                assert_eq!(program.run(number, [a, y, rounds]), Ok(expected), "{level} {number} {a} {y} {rounds}");
            }
        }
    }
}

/// When this no longer holds, the option is needed no longer.
#[test]
fn without_that_option_they_do_not_stay() {
    let options: Vec<String> =
        firmware_flags().into_iter().filter(|flag| !flag.ends_with("-disable-machine-licm")).collect();
    assert_eq!(options.len() + 1, firmware_flags().len());
    for (name, level) in [("division-bare-z", "\"z\""), ("division-bare-2", "2")] {
        let mut program = Program::new(name, level, &options);
        let results: Vec<_> = (0..DIVISIONS.len()).map(|number| program.run(number, [1000, 0, 3])).collect();
        assert!(matches!(results[..], [Err(FaultKind::DivideByZero), _, Ok(3)]), "{level}: {results:?}");
    }
}
