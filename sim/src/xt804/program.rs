//! The program that the processor runs: its image from a file, what was executed at the end.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use xt804::image::Image;
use xt804::link::{FLASH, FLASH_SIZE, RAM};
use xt804::machine::Machine;

use super::{at, guest, imports, report};

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
    let rows = imports::rows(machine.symbols().imports())?;
    guest::install(machine, rows, program.profile.is_some())?;
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
