//! The library's own unit tests of its pure rooms, compiled for the chip, print what they print on the host.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use support::{firmware_flags, folder, root, run, tool};
use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::image::{Image, Symbols};
use xt804::link::{FLASH, FLASH_SIZE, Link, RAM};
use xt804::machine::{Host, Machine};
use xt804::memory::Memory;

/// Tests need more than the chip has.
const STATICS: u32 = 1 << 20;
const HEAP: u32 = 64 << 20;
const STACK: u32 = 256 << 10;
const MACHINES: usize = 2;

/// What the machines share: each takes the next test.
#[derive(Default)]
struct Queue {
    next: AtomicUsize,
    /// How many tests there are.
    tests: AtomicUsize,
    printed: Mutex<BTreeMap<usize, Vec<u8>>>,
}

/// What the tests want of the host: the next test, output, memory.
struct Bench<'a> {
    queue: &'a Queue,
    /// By the numbers of the machine's imports.
    services: Vec<Service>,
    test: Option<usize>,
    printed: Vec<u8>,
    /// On the way from one place to the other.
    copied: Vec<u8>,
    unused: u32,
    /// Places that were given back, by size.
    free: BTreeMap<u32, Vec<u32>>,
}

/// Every piece of memory is a power of two.
fn rounded(size: u32) -> u32 {
    size.next_power_of_two().max(16)
}

impl<'a> Bench<'a> {
    fn new(queue: &'a Queue, symbols: &Symbols) -> Self {
        Self {
            queue,
            services: symbols.imports().iter().map(|name| Service::named(name)).collect(),
            test: None,
            printed: Vec::new(),
            copied: Vec::new(),
            unused: RAM + STATICS,
            free: BTreeMap::new(),
        }
    }

    /// Puts away what the test before has printed.
    fn next(&mut self, tests: u32) -> u32 {
        self.queue.tests.store(tests as usize, Ordering::Relaxed);
        let printed = take(&mut self.printed);
        let next = self.queue.next.fetch_add(1, Ordering::Relaxed);
        if let Some(test) = self.test.replace(next) {
            self.queue.printed.lock().unwrap().insert(test, printed);
        }
        next as u32
    }

    fn allocate(&mut self, size: u32) -> u32 {
        let size = rounded(size);
        if let Some(place) = self.free.get_mut(&size).and_then(Vec::pop) {
            return place;
        }
        let place = self.unused.next_multiple_of(size);
        if place + size > RAM + STATICS + HEAP {
            return 0;
        }
        self.unused = place + size;
        place
    }

    /// Does what the test asks for.
    fn serve(&mut self, service: Service, memory: &mut Memory, [a, b, c]: [u32; 3]) -> Result<u32, FaultKind> {
        let mut result = 0;
        match service {
            Service::Next => result = self.next(a),
            Service::Write => self.printed.extend_from_slice(memory.bytes(a, b)?),
            Service::Allocate => result = self.allocate(a),
            Service::Free => self.free.entry(rounded(b)).or_default().push(a),
            Service::Copy => {
                self.copied.clear();
                self.copied.extend_from_slice(memory.bytes(b, c)?);
                memory.write(a, &self.copied)?;
            }
            Service::Fill => memory.bytes_mut(a, c)?.fill(b.to_le_bytes()[0]),
            Service::Compare => result = memory.bytes(a, c)?.cmp(memory.bytes(b, c)?) as u32,
            Service::Panic => return Err(FaultKind::Missing("way on after a panic".to_owned())),
        }
        Ok(result)
    }
}

/// The functions of `units/std/src/host.rs`.
#[derive(Clone, Copy)]
enum Service {
    Next,
    Write,
    Allocate,
    Free,
    Copy,
    Fill,
    Compare,
    Panic,
}

impl Service {
    fn named(name: &str) -> Self {
        match name {
            "units_next" => Self::Next,
            "units_write" => Self::Write,
            "units_allocate" => Self::Allocate,
            "units_free" => Self::Free,
            "units_copy" => Self::Copy,
            "units_fill" => Self::Fill,
            "units_compare" => Self::Compare,
            "units_panic" | "abort" => Self::Panic,
            other => panic!("the tests need {other}"),
        }
    }
}

impl Host for Bench<'_> {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        let arguments = [0, 1, 2].map(|register| context.get(register));
        let served = self.serve(self.services[number], machine.memory_mut(), arguments);
        context.set(0, served.map_err(|kind| machine.fault(context, kind))?);
        Ok(())
    }
}

fn build() -> PathBuf {
    let mut build = Command::new(root().join("xt804/units/build.sh"));
    build.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("units-on-chip"));
    build.env("RUSTFLAGS", firmware_flags().join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    let object = PathBuf::from(run(&mut build).trim());
    let output = folder("units").join("units.elf");
    Link { ld: &tool("ld"), inputs: &[object], roots: &["units_run"], output: &output }.run().unwrap();
    output
}

/// One machine, until no test is left.
fn work(elf: &[u8], queue: &Queue) {
    let ram = STATICS + HEAP + STACK;
    let mut machine = Machine::new((FLASH, FLASH_SIZE), (RAM, ram as usize));
    machine.load(Image::parse(elf).unwrap()).unwrap();
    assert!(machine.symbols().address("__ram_free_start").unwrap() <= RAM + STATICS);
    let entry = machine.symbols().address("units_run").unwrap();
    let mut context = Context::new("units", RAM + ram - STACK, RAM + ram);
    let mut bench = Bench::new(queue, machine.symbols());
    let outcome = machine.call(&mut context, entry, &[], &mut bench);
    outcome.unwrap_or_else(|fault| panic!("{}\n{fault}", String::from_utf8_lossy(&bench.printed)));
    let (heap, stack) = (bench.unused - RAM - STATICS, context.stack.high_water());
    println!("{:?}, {heap} bytes of heap, {stack} of stack", context.counters);
}

fn on_chip() -> String {
    let elf = fs::read(build()).unwrap();
    let (queue, begin) = (Queue::default(), Instant::now());
    thread::scope(|scope| {
        (0..MACHINES).for_each(|_| {
            scope.spawn(|| work(&elf, &queue));
        });
    });
    println!("{:.1?}", begin.elapsed());
    let printed = queue.printed.into_inner().unwrap();
    assert!(printed.keys().copied().eq(0..queue.tests.into_inner()));
    format!(
        "\nrunning {} tests\n{}",
        printed.len(),
        printed.values().map(|text| String::from_utf8_lossy(text)).collect::<String>()
    )
}

/// The same, by rustc's own `test` crate. The variable is one that the chip's `std` has, too.
fn on_host() -> String {
    let mut test = Command::new("cargo");
    test.args(["test", "--quiet", "--package", "w800-mqtt-core", "--lib", "--"]).current_dir(root());
    test.env("W800_SHORT_TESTS", "1");
    test.args(["--test-threads=1", "--nocapture", "--format=pretty"]);
    let printed = run(&mut test);
    // What follows has the time in it.
    let (tests, result) = printed.split_once("\ntest result: ok. ").unwrap();
    assert!(result.contains(" 0 failed; 0 ignored"), "{result}");
    tests.to_owned()
}

#[test]
fn unit_tests_print_what_they_print_on_the_host() {
    let expected = on_host();
    let printed = on_chip();
    for (number, (ours, theirs)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", number + 1);
    }
    assert!(printed == expected, "one of them ends early");
}
