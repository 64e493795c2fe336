//! The library's code for the chip, with two links, under thousands of schedules: nothing is violated; and what is put
//! into the operating system on purpose is found.
//!
//! Never skipped: without the C-SKY tools the tests fail; `scripts/setup.sh target` brings them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use w800_explore::fault::Fault;
use w800_explore::run::{Chip, Explored, Found, explore};
use w800_explore::scenario::all;
use w800_explore::world::Options;

/// Schedules that are run each time; `scripts/explore.sh` runs any number.
const SCHEDULES: u64 = 3_000;
/// Within which every fault that is put in is found.
const FAULT_SCHEDULES: u64 = 500;
const THREADS: usize = 2;

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join("scripts/explore.sh")).arg("--build").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    fs::read(printed.lines().last().expect("the image's path")).unwrap()
});

fn explored(schedules: u64, fault: Fault, first_only: bool) -> Explored {
    let options = Options { fault, ..Options::default() };
    explore(&IMAGE, &all(), 0..schedules, &options, THREADS, first_only).unwrap()
}

fn tell(found: &[Found]) -> String {
    let lines = found.iter().map(|found| {
        let Found { scenario, seed, outcome } = found;
        format!("{scenario}, --schedule {seed}: {}\n", outcome.broken.as_deref().unwrap_or_default())
    });
    lines.collect()
}

#[test]
fn no_schedule_violates_anything() {
    let explored = explored(SCHEDULES, Fault::None, false);
    assert!(explored.found.is_empty(), "{}", tell(&explored.found));
    assert_eq!(explored.schedules, SCHEDULES);
    println!("{} schedules, {} instructions", explored.schedules, explored.executed);
}

#[test]
fn faults_that_are_put_in_are_found() {
    for (name, fault) in Fault::ALL {
        let explored = explored(FAULT_SCHEDULES, fault, true);
        assert!(!explored.found.is_empty(), "{name} is not found in {} schedules", explored.schedules);
        println!("{name}: {}", tell(&explored.found));
    }
}

#[test]
fn a_schedule_is_always_the_same_run() {
    let (mut one, mut other) = (Chip::new(&IMAGE).unwrap(), Chip::new(&IMAGE).unwrap());
    let mut fingerprints = Vec::new();
    for (scenario, seed) in all().iter().zip(100..) {
        let options = Options { seed, ..Options::default() };
        let first = one.run(scenario, &options).unwrap();
        assert_eq!(other.run(scenario, &options).unwrap(), first);
        // A chip that has run before is as good as a new one.
        assert_eq!(one.run(scenario, &options).unwrap(), first);
        fingerprints.push(first.fingerprint);
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all().len());
}

#[test]
fn a_run_can_be_cut_off() {
    let scenarios = all();
    let scenario = scenarios.first().expect("a scenario");
    let options = Options { limit: Some(10_000), ..Options::default() };
    let outcome = Chip::new(&IMAGE).unwrap().run(scenario, &options).unwrap();
    assert!(outcome.broken.is_some_and(|broken| broken.contains("cut off")));
    assert!(outcome.executed > 10_000 && outcome.executed < 300_000);
}
