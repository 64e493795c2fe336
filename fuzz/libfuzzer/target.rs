//! The target that the program is named after.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| w800_mqtt_fuzz::run(env!("CARGO_BIN_NAME"), input));
