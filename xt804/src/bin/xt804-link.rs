//! Links archives and objects into a program for the machine: what they lack is left to the host.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xt804::link::Link;

const USAGE: &str = "\
usage: xt804-link <ld> <program.elf> <root>[,<root>...] <archive or object>...
The roots are symbols that must be in the program; all else follows from them.";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xt804-link: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), String> {
    let [ld, output, roots, inputs @ ..] = words else { return Err(USAGE.to_owned()) };
    let inputs: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
    let roots: Vec<&str> = roots.split(',').collect();
    Link { ld: Path::new(ld), inputs: &inputs, roots: &roots, output: Path::new(output) }.run()
}
