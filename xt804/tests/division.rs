//! A division that the compiler must not move: LLVM's MachineLICM takes it out of its loop, before the test of the divisor
//! for zero, as if it could not trap. On this core it does. The firmware is built without that pass
//! (`scripts/build-target.sh`).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;

use support::{Nobody, build_for_chip, firmware_flags, folder, tool, write_crate};
use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE};
use xt804::machine::Machine;

const SOURCE: &str = "#![no_std]
#[unsafe(no_mangle)]
pub extern \"C\" fn divided(n: u32, a: u32, y: u32) -> u32 {
    let mut v = 0;
    for i in 0..n {
        v = a.checked_div(y).unwrap_or(v ^ i);
    }
    v
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
";

const WORKAROUND: &str = "-Cllvm-args=-disable-machine-licm";

fn divided(name: &str, flags: &[String], arguments: [u32; 3]) -> Result<u64, Box<Fault>> {
    let folder = folder(name);
    write_crate(&folder, name, SOURCE, "2");
    let output = folder.join("divided.elf");
    let inputs = [build_for_chip(Some(&folder), flags)];
    Link { ld: &tool("ld"), inputs: &inputs, roots: &["divided"], output: &output }.run().unwrap();
    let mut machine = Machine::default();
    machine.load(Image::parse(&fs::read(output).unwrap()).unwrap()).unwrap();
    let entry = machine.symbols().address("divided").unwrap();
    let top = RAM + RAM_SIZE as u32;
    machine.call(&mut Context::new(name, top - 0x1000, top), entry, &arguments, &mut Nobody)
}

#[test]
fn by_zero_is_not_reached_in_firmware() {
    let flags = firmware_flags();
    assert!(flags.iter().any(|flag| flag == WORKAROUND), "{flags:?}");
    for (arguments, expected) in [([4, 100, 7], 14), ([4, 100, 0], 2 ^ 3 ^ 1), ([0, 100, 0], 0)] {
        let result = divided("kept", &flags, arguments).map(|result| result as u32);
        assert_eq!(result.unwrap(), expected, "{arguments:?}");
    }
}

/// When this no longer holds, the compiler is mended and the flag can go.
#[test]
fn the_pass_is_still_wrong() {
    let flags: Vec<String> = firmware_flags().into_iter().filter(|flag| flag != WORKAROUND).collect();
    let fault = divided("hoisted", &flags, [4, 100, 0]).unwrap_err();
    assert!(matches!(fault.kind, FaultKind::DivideByZero), "{fault}");
}
