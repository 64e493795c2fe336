//! The board's other processor: runs the library as it was compiled for the chip.
//!
//! The library's archive, linked into an image, is executed by the `xt804` crate. What it calls is the board's C code,
//! natively: [`imports`] has a row for every function, the modules named in it translate arguments and check every
//! address. [`guest`] enters the guest, one context for each task, and ends the program at a fault; [`core`] is the
//! machine with its tasks, [`memory`] what host functions see of the guest's, [`arena`] who has which part of it,
//! [`handles`] are the host's pointers as the guest sees them, [`report`] tells at the end what was executed.
//!
//! Only a task that has the board's one CPU executes the guest. No borrow of the machine outlives a burst of
//! instructions, so a host function may block, call back, or be left for good when its task is deleted.

mod arena;
mod at;
mod contexts;
mod core;
mod crypto;
mod guest;
mod handles;
mod imports;
#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod layout;
mod libc;
mod memory;
mod nvs;
mod osal;
mod report;
mod sockets;
mod tls;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use xt804::image::Image;
use xt804::link::{FLASH, FLASH_SIZE, RAM};
use xt804::machine::Machine;

pub use at::{load_credentials, set_credential, statistics};
pub use report::figures;

/// The chip's, and behind them what stands for the firmware's heap and stacks.
const RAM_SIZE: usize = 8 << 20;

/// What to run.
#[derive(Debug)]
pub struct Program {
    /// The linked image.
    pub image: PathBuf,
    /// Where folded stacks go at the end.
    pub profile: Option<PathBuf>,
}

/// Loads a program and gives its commands to the AT server. Before the board starts.
pub fn load(program: &Program) -> Result<(), Box<dyn Error>> {
    let name = program.image.display();
    let bytes = fs::read(&program.image).map_err(|error| format!("{name}: {error}"))?;
    let image = Image::parse(&bytes).map_err(|error| format!("{name}: {error}"))?;
    let mut machine = Machine::new((FLASH, FLASH_SIZE), (RAM, RAM_SIZE));
    machine.load(image).map_err(|kind| format!("{name}: {kind}"))?;
    guest::install(machine, program.profile.is_some())?;
    at::offer_commands().map_err(|trouble| format!("{name}: {trouble}"))?;
    Ok(())
}

/// Prints what was executed as a line of JSON on standard error where that is asked for, and writes the profile.
pub fn finish(program: &Program, report: bool) -> Result<(), Box<dyn Error>> {
    if report {
        eprintln!("{}", report::json());
    }
    if let Some(path) = &program.profile {
        fs::write(path, report::folded()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
