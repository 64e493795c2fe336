//! Runs the network's tests, which are written in C as its users are; see `net_test.c` and, of its parts,
//! `gate_test.c` and `impair_test.c`.
#![allow(unsafe_code)]

use wm_sdk_host as _;

unsafe extern "C" {
    fn net_test() -> core::ffi::c_int;
    fn gate_test();
    fn impair_test();
}

#[test]
fn network() {
    // SAFETY: it takes nothing, and it is called once per process.
    assert_eq!(unsafe { net_test() }, 0, "see the lines above");
}

#[test]
fn gate() {
    // SAFETY: it takes nothing and shares nothing with the others; where something is wrong it ends the process.
    unsafe { gate_test() };
}

#[test]
fn impair() {
    // SAFETY: as above.
    unsafe { impair_test() };
}
