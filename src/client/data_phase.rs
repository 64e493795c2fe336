//! The bytes behind a `>` prompt (AT contract §3, "Data phase").
//!
//! The command that asks for them holds the port from its prompt to its last byte. Here is what is done with them, and how
//! they are taken from the port; an image without it takes them as `passthrough` does.

use super::LinkRuntime;
use super::actions::{self, Answer};
use super::exchange;
use super::output::{self, Output};
#[cfg(not(argv_line))]
pub use super::passthrough::take;
#[cfg(argv_line)]
use super::port::{DataPhase, EndedEarly};
#[cfg(certificate_command)]
use crate::net::credentials;
use crate::sdk::heap::Bytes;
#[cfg(certificate_command)]
use crate::sdk::heap::Secret;
#[cfg(argv_line)]
use w800_mqtt_core::at::answer;
use w800_mqtt_core::at::answer::{LINE_END, Sink};
use w800_mqtt_core::at::{Code, CommandId};
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::CredentialKind;
use w800_mqtt_core::mqtt::publication::Publication;

/// What is done with the bytes once they are there.
#[derive(Debug)]
pub enum Job {
    /// They are the field that this LONG… command sets.
    Field(CommandId, Bytes),
    /// They are this credential; one byte more is there than they take.
    #[cfg(certificate_command)]
    Credential(CredentialKind, Secret),
    /// They are the payload of this publication, which then has so many milliseconds to be confirmed.
    Publication(Publication<Bytes>, u32),
}

impl Job {
    /// Where the bytes go.
    pub fn place(&mut self) -> &mut [u8] {
        match self {
            Self::Field(_, field) => field.as_mut(),
            #[cfg(certificate_command)]
            Self::Credential(_, Secret(text)) => text.as_mut().split_last_mut().map_or(&mut [], |(_, place)| place),
            Self::Publication(publication, _) => publication.payload_mut(),
        }
    }

    /// Does it, where the bytes were `filled` in; what the command answers.
    ///
    /// # Errors
    /// That of `filled`, and those of the command.
    pub fn finish(
        self,
        runtime: &'static LinkRuntime,
        filled: Result<(), Code>,
        prompted: &mut Option<Output>,
    ) -> Result<Answer, Code> {
        match self {
            Self::Field(id, field) => {
                filled.and_then(|()| actions::set_field(runtime, id, field)).map(|()| Answer::Ok(b""))
            }
            #[cfg(certificate_command)]
            Self::Credential(kind, text) => {
                filled.and_then(|()| credentials::store(runtime.index, kind, text)).map(|()| Answer::Ok(b""))
            }
            Self::Publication(publication, timeout_ms) => {
                let published = filled.and_then(|()| {
                    output::await_answer();
                    end_prompt(prompted);
                    // The broker's acknowledgement may come behind a message that needs the port.
                    exchange::publish(runtime, publication, timeout_ms)
                });
                Ok(actions::published_raw(runtime, published))
            }
        }
    }
}

/// Prompts, waits for the bytes and does the `job`. The right to print is left in `prompted`.
///
/// # Errors
/// 0x604d when the host has given up, and those of the command.
#[cfg(argv_line)]
pub fn take(runtime: &'static LinkRuntime, mut job: Job, prompted: &mut Option<Output>) -> Result<Answer, Code> {
    let filled = fill(job.place(), prompted);
    job.finish(runtime, filled, prompted)
}

/// Prints the prompt, and fills `place` with what the host sends. The right to print is left in `prompted`, behind the
/// prompt.
///
/// # Errors
/// 0x604d when the host sends the exit code, or nothing for 20 s.
#[cfg(argv_line)]
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

/// Ends the line that the prompt has left open, and gives the right to print up.
pub fn end_prompt(prompted: &mut Option<Output>) {
    if let Some(mut output) = prompted.take() {
        output.write(LINE_END);
    }
}
