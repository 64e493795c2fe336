//! `w800-sim`: a virtual W800 whose serial port is a pseudo-terminal (or this program's standard input and output).
//!
//! It runs the same library and the same C API under it as the chip does; see `wm_sdk/host` for the board itself. This
//! program only reads its options ([`options`]) and starts, awaits and stops the board ([`board`]). What happens meanwhile
//! is written down where that is asked for: packets ([`capture`]), secrets of TLS ([`keylog`]) and a timeline ([`trace`]).
//! With `--cpu xt804` the library's code is that for the chip, executed ([`xt804`]).

mod board;
mod capture;
mod keylog;
mod options;
mod statistics;
mod taps;
mod trace;
mod xt804;

use std::process::ExitCode;

use clap::Parser;

// Its command table reaches the AT server through a linker section.
use w800_mqtt_at as _;
use wm_sdk_host as _;

fn main() -> ExitCode {
    let options = options::Options::parse();
    let (report, program) = (options.report, options.program());
    let watched = taps::watch(options.pcap.as_deref(), options.trace.as_deref(), options.heap_bytes());
    if let Err(error) = watched.and_then(|()| options.keylog.as_deref().map_or(Ok(()), keylog::open)) {
        eprintln!("w800-sim: {error}");
        return ExitCode::FAILURE;
    }
    let board = match board::Board::start(options.into()) {
        Ok(board) => board,
        Err(error) => {
            eprintln!("w800-sim: {error}");
            return ExitCode::FAILURE;
        }
    };
    let status = board.wait();
    let heap = board.stop();
    trace::close();
    if report {
        eprintln!("{heap}");
    }
    if let Some(program) = program
        && let Err(error) = xt804::finish(&program, report)
    {
        eprintln!("w800-sim: {error}");
        return ExitCode::FAILURE;
    }
    status
}
