//! The last failure of each link, for `AT+MQTTERR?` (an addition to the AT contract), and the log of failures.
//!
//! `+MQTTERR:<LinkID>,<code>,<stage>,<detail>,<"text">`: the error code as in `ERR CODE:`, how far things came (0 the
//! command itself, 1 name lookup, 2 TCP, 3 TLS, 4 WebSocket, 5 CONNACK, 6 the MQTT session), the number that lwIP, Mbed
//! TLS, the server or the broker gave (0 for none), and a text. It stays until the next failure.

use crate::options::{ADDITIONS, LINKS};
use crate::sdk::log;
use crate::sdk::sync::Critical;
use w800_mqtt_core::at::Code;
use w800_mqtt_core::digits::{DECIMAL_MAX, decimal_text};
use w800_mqtt_core::report::Report;

static REPORTS: [Critical<Report>; LINKS] = [const { Critical::new(Report::NONE) }; LINKS];

/// What is remembered of each link: nothing where no command shows it.
fn reports() -> &'static [Critical<Report>] {
    if ADDITIONS { &REPORTS } else { &[] }
}

/// The last failure of a link.
pub fn last(link: u8) -> Report {
    reports().get(usize::from(link)).map_or(Report::NONE, Critical::get)
}

/// A command begins.
pub fn command_begins() {
    for report in reports() {
        report.with(Report::command_begins);
    }
}

/// A command has failed with `code`; it is about `link`, or about none that could be read.
pub fn command_failed(link: Option<u8>, code: Code) {
    for (index, report) in reports().iter().enumerate() {
        if link.is_none_or(|link| usize::from(link) == index) {
            report.with(|report| report.command_failed(code));
        }
    }
}

/// Something about `link` has failed: logs it and remembers it.
pub fn failed(link: u8, failure: Report) {
    let (mut stage, mut detail) = ([0; DECIMAL_MAX], [0; DECIMAL_MAX]);
    let stage = decimal_text(failure.stage_number(), &mut stage);
    let detail = decimal_text(failure.detail.unsigned_abs(), &mut detail);
    log::warn(&["stage ", stage, ", detail ", detail, ": ", failure.text]);
    if let Some(report) = reports().get(usize::from(link)) {
        report.set(failure);
    }
}
