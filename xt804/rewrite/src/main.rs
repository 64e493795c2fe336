//! `xt804-rewrite FROM TO`: rewrites a file of assembly.

use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        eprintln!("usage: xt804-rewrite FROM TO");
        return ExitCode::FAILURE;
    };
    let read = fs::read_to_string(from).map_err(|error| format!("{from}: {error}"));
    let written = read
        .and_then(|text| fs::write(to, xt804_rewrite::rewrite(&text).text).map_err(|error| format!("{to}: {error}")));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
