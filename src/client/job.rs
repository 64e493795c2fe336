//! What is done with the bytes after a prompt, once they are there.

use super::LinkRuntime;
use super::answer::{Answer, end_prompt, published_raw};
use super::exchange;
use super::output::{self, Output};
#[cfg(certificate_command)]
use super::report;
#[cfg(certificate_command)]
use crate::net::credentials::{self, NotStored};
use crate::sdk::heap::Bytes;
#[cfg(certificate_command)]
use crate::sdk::heap::Secret;
use w800_mqtt_core::at::{Code, CommandId};
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::CredentialKind;
use w800_mqtt_core::mqtt::publication::Publication;
#[cfg(certificate_command)]
use w800_mqtt_core::report::Report;

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
            Self::Field(id, field) => filled.and_then(|()| set_field(runtime, id, field)).map(|()| Answer::Ok(b"")),
            #[cfg(certificate_command)]
            Self::Credential(kind, text) => filled.and_then(|()| store(runtime, kind, text)).map(|()| Answer::Ok(b"")),
            Self::Publication(publication, timeout_ms) => {
                let published = filled.and_then(|()| {
                    output::await_answer();
                    end_prompt(prompted);
                    // The broker's acknowledgement may come after a message that needs the port.
                    exchange::publish(runtime, publication, timeout_ms)
                });
                Ok(published_raw(runtime, published))
            }
        }
    }
}

/// Stores a credential, which has a NUL after it.
///
/// # Errors
/// Those of [`credentials::store`].
#[cfg(certificate_command)]
fn store(runtime: &LinkRuntime, kind: CredentialKind, text: Secret) -> Result<(), Code> {
    credentials::store(runtime.index, kind, text).map_err(|refused| match refused {
        NotStored::Because(code) => code,
        NotStored::Unsendable(length) => {
            report::failed(runtime.index, Report::unsendable(length));
            kind.length_code()
        }
    })
}

/// Sets the field that a command of the CLIENTID, USERNAME or PASSWORD kind names.
///
/// # Errors
/// 0x6001 in state 0, 0x6014 or 0x6017 for a text that is no MQTT string.
pub fn set_field(runtime: &LinkRuntime, id: CommandId, text: Bytes) -> Result<(), Code> {
    let is_string = w800_mqtt_core::at::text::is_string(text.as_ref());
    let mut link = runtime.link.lock();
    let user = link.user_mut().ok_or(Code::NoConfigured)?;
    let (field, unreadable) = match id {
        CommandId::ClientId | CommandId::LongClientId => (&mut user.client_id, Some(Code::ClientIdReadFailed)),
        CommandId::Username | CommandId::LongUsername => (&mut user.username, Some(Code::UsernameReadFailed)),
        _ => (&mut user.password, None),
    };
    match unreadable {
        Some(code) if !is_string => Err(code),
        _ => {
            *field = text;
            Ok(())
        }
    }
}
