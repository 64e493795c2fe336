//! Runs the network's test, which is written in C as its users are; see `net_test.c`.
#![allow(unsafe_code)]

use wm_sdk_host as _;

unsafe extern "C" {
    fn net_test() -> core::ffi::c_int;
}

#[test]
fn network() {
    // SAFETY: it takes nothing, and it is called once per process.
    assert_eq!(unsafe { net_test() }, 0, "see the lines above");
}
