//! The bytes after a `>` prompt where the line does not pass through this library (AT contract §8).
//!
//! They come when the handler has returned, by the server's passthrough, which ends a phase that the host gives up: by its
//! exit code, or by silence. Whoever takes the [`Phase`] out of its place finishes it.

use super::answer::{Answer, ServerResult, conclude};
use super::job::Job;
use super::output::Output;
use super::{LinkRuntime, report};
use crate::sdk::passthrough::{self, Taker};
use crate::sdk::sync::Critical;
use w800_mqtt_core::at::Code;
use w800_mqtt_core::at::answer::{self, Sink};

/// How long the host may send nothing, in milliseconds.
const IDLE_MS: u32 = 20_000;

/// A phase that is open.
#[derive(Debug)]
struct Phase {
    runtime: &'static LinkRuntime,
    job: Job,
    have: usize,
    /// The right to print, when the handler has returned.
    output: Option<Output>,
}

static PHASE: Critical<Option<Phase>> = Critical::new(None);

/// Prompts for the bytes that the `job` wants; it is done when they have come.
///
/// # Errors
/// 0x600a when the server refuses: no prompt then.
pub fn take(runtime: &'static LinkRuntime, job: Job, prompted: &mut Option<Output>) -> Result<Answer, Code> {
    let mut output = Output::claim();
    let phase = Phase { runtime, job, have: 0, output: None };
    drop(PHASE.with(|place| place.replace(phase)));
    if !passthrough::enter::<Phase>(IDLE_MS) {
        drop(PHASE.with(Option::take));
        return Err(Code::ParamPrepareError);
    }
    answer::prompt(&mut output);
    *prompted = Some(output);
    Ok(Answer::Prompted)
}

/// A handler returns. The right to print stays with the phase that it has opened.
pub fn handler_returns(output: Output) {
    let mut output = Some(output);
    PHASE.with(|place| {
        if let Some(phase) = place {
            phase.output = output.take();
        }
    });
    drop(output);
}

impl Taker for Phase {
    fn take(bytes: &[u8]) -> usize {
        let (taken, is_whole) = PHASE.with(|place| place.as_mut().map_or((0, false), |phase| phase.fill(bytes)));
        if is_whole && let Some(phase) = PHASE.with(Option::take) {
            passthrough::exit();
            phase.finish(Ok(()));
        }
        taken
    }

    fn ended() {
        if let Some(phase) = PHASE.with(Option::take) {
            phase.finish(Err(Code::RecvLengthIsWrong));
        }
    }
}

impl Phase {
    /// Takes what belongs to the phase: how many bytes, and whether they are the last.
    fn fill(&mut self, bytes: &[u8]) -> (usize, bool) {
        let room = self.job.place().get_mut(self.have..).unwrap_or_default();
        let count = room.len().min(bytes.len());
        let is_whole = count == room.len();
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.have = self.have.saturating_add(count);
        (count, is_whole)
    }

    /// Does the job, and prints the whole rest of the answer: the server does not know that a command has ended.
    fn finish(self, filled: Result<(), Code>) {
        let Self { runtime, job, output, .. } = self;
        let mut prompted = Some(output.unwrap_or_else(Output::claim));
        let answer = job.finish(runtime, filled, &mut prompted);
        if let Err(code) = &answer {
            report::command_failed(Some(runtime.index), *code);
        }
        let (closing, mut output) = conclude(answer, prompted);
        output.write(match closing {
            ServerResult::Ok => b"\r\nOK\r\n",
            ServerResult::Error => b"\r\nERROR\r\n",
            ServerResult::Nothing => b"",
        });
    }
}
