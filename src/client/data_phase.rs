//! The bytes after a `>` prompt (AT contract §3, "Data phase").
//!
//! The command that asks for them holds the port from its prompt to its last byte.

use super::LinkRuntime;
use super::answer::Answer;
use super::job::Job;
use super::output::Output;
use super::port::{DataPhase, EndedEarly};
use w800_mqtt_core::at::{Code, answer};

/// Prompts, waits for the bytes and does the `job`. The right to print is left in `prompted`.
///
/// # Errors
/// 0x604d when the host has given up, and those of the command.
pub fn take(runtime: &'static LinkRuntime, mut job: Job, prompted: &mut Option<Output>) -> Result<Answer, Code> {
    let filled = fill(job.place(), prompted);
    job.finish(runtime, filled, prompted)
}

/// Prints the prompt, and fills `place` with what the host sends. The right to print is left in `prompted`, after the
/// prompt.
///
/// # Errors
/// 0x604d when the host sends the exit code, or nothing for 20 s.
fn fill(place: &mut [u8], prompted: &mut Option<Output>) -> Result<(), Code> {
    let output = prompted.insert(Output::claim());
    let mut phase = DataPhase::begin(place.len());
    answer::prompt(output);
    let mut rest = place;
    while !rest.is_empty() {
        let count = phase.receive(rest).map_err(|EndedEarly| Code::RecvLengthIsWrong)?;
        rest = rest.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}
