//! The program that the processor runs: its image from a file, what was executed at the end.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use xt804::image::Image;
use xt804::link::{FLASH, FLASH_SIZE, RAM, RAM_SIZE};
use xt804::machine::Machine;

use super::radio::{STACK, Stack};
use super::{at, guest, heap, imports, report};

/// The chip's, and behind it what stands for the firmware's heap and stacks where the image is the library alone.
const AMPLE_RAM_SIZE: usize = 8 << 20;
/// Only a whole image has it.
const WHOLE: &str = "interface_start";

/// What to run.
#[derive(Debug)]
pub struct Program {
    /// The linked image.
    pub image: PathBuf,
    /// Where folded stacks go at the end.
    pub profile: Option<PathBuf>,
}

/// What the board has to know of a program.
#[derive(Debug)]
pub struct Loaded {
    /// The network stack of a whole image.
    pub stack: Option<&'static Stack>,
    /// How much of the chip's RAM a whole image leaves for stacks and heap.
    pub free_bytes: Option<usize>,
}

/// Loads a program and gives its commands to the AT server. Before the board starts.
pub fn load(program: &Program) -> Result<Loaded, Box<dyn Error>> {
    let name = program.image.display();
    let bytes = fs::read(&program.image).map_err(|error| format!("{name}: {error}"))?;
    let image = Image::parse(&bytes).map_err(|error| format!("{name}: {error}"))?;
    let whole = image.symbols().address(WHOLE).is_some();
    let ram_size = if whole { RAM_SIZE } else { AMPLE_RAM_SIZE };
    let used = image.symbols().address("__ram_free_start").map_or(0, |end| end.saturating_sub(RAM) as usize);
    let free = ram_size
        .checked_sub(used)
        .ok_or_else(|| format!("{name}: {used} bytes of static data in {ram_size} of RAM"))?;
    let mut machine = Machine::new((FLASH, FLASH_SIZE), (RAM, ram_size));
    machine.load(image).map_err(|kind| format!("{name}: {kind}"))?;
    let rows = imports::rows(machine.symbols().imports())?;
    if whole {
        heap::tell_refusals();
    }
    guest::install(machine, rows, program.profile.is_some())?;
    at::offer_commands().map_err(|trouble| format!("{name}: {trouble}"))?;
    Ok(Loaded { stack: whole.then_some(&STACK), free_bytes: whole.then_some(free) })
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
