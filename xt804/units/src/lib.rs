//! The pure rooms of the library, so that their unit tests can be built for the chip: the same sources, rustc's own
//! `#[test]`, and two small crates in the places of `std` and `test`.
#![no_std]
#![no_main]
#![feature(custom_test_frameworks)]
#![reexport_test_harness_main = "run_tests"]

#[path = "../../../core/src/at/mod.rs"]
pub mod at;
#[path = "../../../core/src/bytes.rs"]
pub mod bytes;
#[path = "../../../core/src/digits.rs"]
pub mod digits;
#[path = "../../../core/src/link/mod.rs"]
pub mod link;
#[path = "../../../core/src/mqtt/mod.rs"]
pub mod mqtt;
#[path = "../../../core/src/port/mod.rs"]
pub mod port;
#[path = "../../../core/src/report.rs"]
pub mod report;
#[path = "../../../core/src/time.rs"]
pub mod time;
#[path = "../../../core/src/ws/mod.rs"]
pub mod ws;

// What the core's root has for its tests.
#[cfg(test)]
extern crate self as w800_mqtt_core;

/// Miri does not interpret what is built for the chip: all of it.
#[cfg(test)]
pub(crate) const fn share_under_miri(all: u32) -> u32 {
    all
}

/// Runs all unit tests; the host of the simulation calls it.
#[cfg(test)]
#[unsafe(no_mangle)]
pub extern "C" fn units_run() {
    run_tests();
}
