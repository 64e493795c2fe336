//! Why the last command or connection failed, for `AT+MQTTERR?` (an addition to the AT contract) and for the log.
//!
//! `+MQTTERR:<LinkID>,<code>,<stage>,<detail>,<"text">`: the error code as in `ERR CODE:`, how far things came (0 the
//! command itself, 1 name lookup, 2 TCP, 3 TLS, 4 WebSocket, 5 CONNACK, 6 the MQTT session), the number that lwIP, Mbed
//! TLS, the server or the broker gave (0 for none), and a text. It stays until the next failure.

use crate::net::{Failure, Stage};
use crate::options::{ADDITIONS, LINKS};
use crate::sdk::log::{self, Digits};
use crate::sdk::sync::Lock;
use w800_mqtt_core::at::Code;

/// The last failure of one link.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The error code; `None` when nothing has failed yet.
    pub code: Option<Code>,
    /// How far it came; `None` for the command itself.
    pub stage: Option<Stage>,
    /// The number that says why, as in [`Failure::detail`]; 0 for none.
    pub detail: i32,
    /// In words.
    pub text: &'static str,
    /// Whether it came since the last command began.
    fresh: bool,
}

const NOTHING: Report = Report { code: None, stage: None, detail: 0, text: "", fresh: false };

static REPORTS: [Lock<Report>; LINKS] = [const { Lock::new(NOTHING) }; LINKS];

/// What is remembered of each link: nothing where no command shows it.
fn reports() -> &'static [Lock<Report>] {
    if ADDITIONS { &REPORTS } else { &[] }
}

/// The last failure of a link.
pub fn last(link: u8) -> Report {
    reports().get(usize::from(link)).map_or(NOTHING, |report| *report.lock())
}

/// A command begins: what was reported before is not about it.
pub fn command_begins() {
    for report in reports() {
        report.lock().fresh = false;
    }
}

/// A command has failed with `code`; it is about `link`, or about none that could be read.
///
/// What the network has reported since the command began stays: it is the reason.
pub fn command_failed(link: Option<u8>, code: Code) {
    for (index, report) in reports().iter().enumerate() {
        if link.is_none_or(|link| usize::from(link) == index) {
            let mut report = report.lock();
            *report = match code {
                _ if report.fresh && report.code == Some(code) => *report,
                Code::ClientStartFailed
                | Code::ClientPublishFailed
                | Code::ClientSubscribeFailed
                | Code::ClientUnsubscribeFailed
                    if report.fresh =>
                {
                    Report { code: Some(code), ..*report }
                }
                Code::ClientPublishFailed | Code::ClientSubscribeFailed | Code::ClientUnsubscribeFailed => {
                    Report { code: Some(code), stage: Some(Stage::Session), text: "no answer", ..NOTHING }
                }
                _ => Report { code: Some(code), text: "command refused", ..NOTHING },
            };
        }
    }
}

/// The broker has refused a request with this return code.
pub fn refused(link: u8, return_code: i32) {
    set(link, Code::ClientSubscribeFailed, Some(Stage::Session), return_code, "refused by the broker");
}

/// The list of subscriptions is full.
pub fn list_is_full(link: u8) {
    set(link, Code::ClientSubscribeFailed, None, 0, "ten subscriptions are all");
}

/// The SDK has no memory for the link's task.
pub fn no_task(link: u8) {
    set(link, Code::ClientStartFailed, None, 0, "no memory for a task");
}

/// A connection attempt has failed.
pub fn no_connection(link: u8, failure: Failure) {
    set(link, failure.code, Some(failure.stage), failure.detail, failure.text);
}

/// An established connection has ended.
pub fn connection_lost(link: u8, text: &'static str) {
    set(link, Code::InDisconnectedState, Some(Stage::Session), 0, text);
}

fn set(link: u8, code: Code, stage: Option<Stage>, detail: i32, text: &'static str) {
    let number = |value: i32| Digits::of(value.unsigned_abs());
    log::warn(&[
        "stage ",
        number(stage.map_or(0, |stage| stage as i32)).as_str(),
        ", detail ",
        number(detail).as_str(),
        ": ",
        text,
    ]);
    if let Some(report) = reports().get(usize::from(link)) {
        *report.lock() = Report { code: Some(code), stage, detail, text, fresh: true };
    }
}
