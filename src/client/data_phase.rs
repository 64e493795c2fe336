//! The bytes behind a `>` prompt (AT contract §3, "Data phase").
//!
//! The AT server hands them over in pieces while no handler runs. The port belongs to the phase from its prompt to its
//! last byte; whoever takes the [`Phase`] out of its place ends it: the last byte, the host's exit code, or 20 s of
//! silence, each of which may come in another task.

use super::output::Output;
use super::{actions, exchange, report, runtimes};
#[cfg(certificate_command)]
use crate::net::credentials;
use crate::options::ERROR_LINES;
use crate::sdk::heap::Bytes;
#[cfg(certificate_command)]
use crate::sdk::heap::Secret;
use crate::sdk::port::{self, DataPhase, Ended};
use crate::sdk::sync::Critical;
use crate::sdk::timer::{Expire, Timer};
use w800_mqtt_core::at::answer::{self, LINE_END, PUB_FAIL, PUB_OK, Sink};
use w800_mqtt_core::at::{Code, CommandId};
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::CredentialKind;
use w800_mqtt_core::mqtt::publication::Publication;

/// A host that sends nothing this long has lost bytes; it gets the port back. In milliseconds.
const IDLE_MS: u32 = 20_000;

/// What is done with the bytes once they are there.
#[derive(Debug)]
pub enum Job {
    /// They are the field that this LONG… command sets.
    Field(CommandId, Bytes),
    /// They are this credential; one byte more is there than they take.
    #[cfg(certificate_command)]
    Credential(CredentialKind, Secret),
    /// They are the payload of this publication, which then has so many milliseconds to be confirmed.
    Publish(Publication<Bytes>, u32),
}

impl Job {
    fn place(&mut self) -> &mut [u8] {
        match self {
            Self::Field(_, field) => field.as_mut(),
            #[cfg(certificate_command)]
            Self::Credential(_, Secret(text)) => text.as_mut().split_last_mut().map_or(&mut [], |(_, text)| text),
            Self::Publish(publication, _) => publication.payload_mut(),
        }
    }
}

#[derive(Debug)]
struct Phase {
    link: u8,
    job: Job,
    have: usize,
}

/// The phase, and the times that it may end at.
struct Bytewise;

static PHASE: Critical<Option<Phase>> = Critical::new(None);
static IDLE: Timer<Bytewise> = Timer::new(IDLE_MS);

/// Prints the prompt and takes bytes for `job` from now on.
///
/// # Errors
/// 0x600a when the server refuses a data phase, 0x6005 when the SDK has no memory for a timer; no prompt then.
pub fn begin(link: u8, job: Job) -> Result<(), Code> {
    let mut output = Output::claim();
    if !IDLE.start() {
        return Err(Code::MallocFailed);
    }
    let phase = Phase { link, job, have: 0 };
    drop(PHASE.with(|place| place.replace(phase)));
    if !port::begin_data_phase::<Bytewise>() {
        IDLE.stop();
        drop(take());
        return Err(Code::ParamPrepareError);
    }
    answer::prompt(&mut output);
    output.keep();
    Ok(())
}

fn take() -> Option<Phase> {
    PHASE.with(Option::take)
}

impl DataPhase for Bytewise {
    fn data(bytes: &[u8]) -> usize {
        let (taken, complete) = fill(bytes);
        if !complete {
            IDLE.start();
            return taken;
        }
        IDLE.stop();
        if let Some(phase) = take() {
            port::complete_data_phase();
            finish(phase);
        }
        taken
    }

    fn ended(_: Ended) {
        if let Some(phase) = take() {
            IDLE.stop();
            fail(phase);
        }
    }
}

impl Expire for Bytewise {
    fn expire() {
        if let Some(phase) = take() {
            port::abandon_data_phase();
            fail(phase);
        }
    }
}

/// Takes what belongs to the phase: how many bytes, and whether it is complete.
fn fill(bytes: &[u8]) -> (usize, bool) {
    PHASE.with(|phase| {
        let Some(phase) = phase else { return (0, false) };
        let room = phase.job.place().get_mut(phase.have..).unwrap_or_default();
        let most = room.len().min(bytes.len());
        if let (Some(to), Some(from)) = (room.get_mut(..most), bytes.get(..most)) {
            to.copy_from_slice(from);
        }
        let complete = most == room.len();
        phase.have = phase.have.saturating_add(most);
        (most, complete)
    })
}

fn finish(phase: Phase) {
    let mut output = end_prompt();
    let Some(runtime) = runtimes().get(usize::from(phase.link)) else { return };
    let set = match phase.job {
        Job::Field(id, field) => actions::set_field(runtime, id, field),
        #[cfg(certificate_command)]
        Job::Credential(kind, text) => credentials::store(phase.link, kind, text),
        Job::Publish(publication, timeout_ms) => {
            // The broker's acknowledgement may come behind a message that needs the port.
            drop(output);
            let published = exchange::publish(runtime, publication, timeout_ms)
                .inspect_err(|code| report::command_failed(Some(phase.link), *code));
            return Output::claim().write(if published.is_ok() { PUB_OK } else { PUB_FAIL });
        }
    };
    match set {
        Ok(()) => output.write(b"OK\r\n"),
        Err(code) => refuse(&mut output, phase.link, code),
    }
}

fn fail(phase: Phase) {
    let mut output = end_prompt();
    match phase.job {
        Job::Publish(..) => {
            report::command_failed(Some(phase.link), Code::RecvLengthIsWrong);
            output.write(PUB_FAIL);
        }
        _ => refuse(&mut output, phase.link, Code::RecvLengthIsWrong),
    }
}

/// Takes up the port from the phase and ends the line that the prompt has left open.
fn end_prompt() -> Output {
    let mut output = Output::resume();
    output.write(LINE_END);
    output
}

fn refuse(output: &mut Output, link: u8, code: Code) {
    report::command_failed(Some(link), code);
    if ERROR_LINES {
        answer::error(output, code);
    }
    output.write(b"\r\nERROR\r\n");
}
