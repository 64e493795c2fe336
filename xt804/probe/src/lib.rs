//! A program whose output tells whether the simulator computes as the host does.
//!
//! [`run`] prints line after line of results: of integers up to 128 bits, floating point (single precision in
//! hardware, double in software), formatting, sorting, collections, text, and the crates that the firmware is made of.
//! Every line says what it is of, so the first that differs names the fault.
#![cfg_attr(target_arch = "csky", no_std)]

extern crate alloc;

#[cfg(target_arch = "csky")]
mod bare;
mod collections;
mod float;
mod integer;
mod packets;
mod text;

use core::fmt::{self, Write};

/// Prints everything.
pub fn run(out: &mut dyn Write) -> fmt::Result {
    integer::run(out)?;
    float::run(out)?;
    text::run(out)?;
    collections::run(out)?;
    packets::run(out)
}
