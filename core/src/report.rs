//! Why something failed, as `+MQTTERR` shows it (an addition to the AT contract) and the log says it.
//!
//! A [`Failure`] is why a connection attempt has failed. A [`Report`] is the last failure of a link: what the network
//! has reported since a command began is the reason why that command fails.

use crate::at::code::Code;

/// How far things came before they failed. The values are those of `AT+MQTTERR?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// The host's name has no address.
    Dns = 1,
    /// TCP did not connect.
    Tcp = 2,
    /// TLS had not what it needs, or its handshake failed.
    Tls = 3,
    /// The server did not open a WebSocket.
    WebSocket = 4,
    /// MQTT's CONNECT was not answered, or refused.
    Connack = 5,
    /// The connection stood, and was lost or closed for what the broker did.
    Session = 6,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// What CONN answers.
    pub code: Code,
    /// lwIP's error number at [`Stage::Tcp`], Mbed TLS's or its verification flags at [`Stage::Tls`], the HTTP status at
    /// [`Stage::WebSocket`], CONNACK's return code at [`Stage::Connack`]; 0 for none, as in a time-out.
    pub detail: i32,
    /// In words.
    pub text: &'static str,
}

impl Failure {
    /// A failure at `stage` for which nothing gives a number.
    pub const fn at(stage: Stage) -> Self {
        Self::of(stage, 0)
    }

    /// A failure at `stage` with a number that says why, 0 for none.
    pub const fn of(stage: Stage, detail: i32) -> Self {
        let text = match (stage, detail) {
            (Stage::Dns, _) => "name not found",
            (Stage::Session, _) => "connection lost",
            (_, 0) => "no answer",
            (Stage::Tcp, _) => "not connected",
            (Stage::Tls, _) => "TLS failed",
            (Stage::WebSocket, _) => "refused by the server",
            (Stage::Connack, _) => "refused by the broker",
        };
        Self { stage, code: Code::ClientStartFailed, detail, text }
    }

    /// There was no memory for what `stage` needs.
    pub const fn no_memory(stage: Stage) -> Self {
        Self::because(stage, Code::MallocFailed, 0, "no memory")
    }

    /// A failure at `stage` that CONN answers with a code of its own.
    pub const fn because(stage: Stage, code: Code, detail: i32, text: &'static str) -> Self {
        Self { stage, code, detail, text }
    }
}

/// That the client's certificates make a longer message than Mbed TLS can send, in words.
pub const UNSENDABLE: &str = "client certificate chain too long to be sent";

/// The last failure of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Report {
    /// Nothing has failed yet.
    pub const NONE: Self = Self { code: None, stage: None, detail: 0, text: "", fresh: false };

    /// Something has failed while a command was running, or none.
    pub const fn new(code: Code, stage: Option<Stage>, detail: i32, text: &'static str) -> Self {
        Self { code: Some(code), stage, detail, text, fresh: true }
    }

    /// The broker has refused a subscription, by SUBACK's 0x80 (MQTT 3.1.1 §3.9.3).
    pub const fn subscription_refused() -> Self {
        Self::new(Code::ClientSubscribeFailed, Some(Stage::Session), 0x80, "refused by the broker")
    }

    /// The publication with this packet identifier was dropped: the broker has closed the connection on it too often.
    pub const fn publication_refused(identifier: u16) -> Self {
        Self::new(
            Code::ClientPublishFailed,
            Some(Stage::Session),
            identifier as i32,
            "refused by the broker by closing",
        )
    }

    /// A message has come, was acknowledged and not printed. No command fails of it.
    pub const fn message_withheld() -> Self {
        let text = "message not printed: control characters in its topic";
        Self { fresh: false, ..Self::new(Code::TopicReadFailed, Some(Stage::Session), 0, text) }
    }

    /// The list of subscriptions is full.
    pub const fn list_is_full() -> Self {
        Self::new(Code::ClientSubscribeFailed, None, 0, "ten subscriptions are all")
    }

    /// A chain of certificates was not stored, for it makes a message of so many bytes.
    pub const fn unsendable(length: i32) -> Self {
        Self::new(Code::CertLengthError, None, length, UNSENDABLE)
    }

    /// The SDK has no memory for the link's task.
    pub const fn no_task() -> Self {
        Self::new(Code::ClientStartFailed, None, 0, "no memory for a task")
    }

    /// A connection attempt has failed.
    pub const fn no_connection(failure: Failure) -> Self {
        Self::new(failure.code, Some(failure.stage), failure.detail, failure.text)
    }

    /// An established connection has ended.
    pub const fn connection_lost(text: &'static str) -> Self {
        Self::new(Code::InDisconnectedState, Some(Stage::Session), 0, text)
    }

    /// The stage's number, 0 for the command itself.
    pub fn stage_number(&self) -> u32 {
        self.stage.map_or(0, |stage| stage as u32)
    }

    /// A command begins: what was reported before is not about it.
    pub const fn command_begins(&mut self) {
        self.fresh = false;
    }

    /// A command has failed with `code`. What the network has reported since it began stays: it is the reason.
    pub fn command_failed(&mut self, code: Code) {
        let is_request =
            matches!(code, Code::ClientPublishFailed | Code::ClientSubscribeFailed | Code::ClientUnsubscribeFailed);
        if self.fresh && (is_request || self.code == Some(code) || code == Code::ClientStartFailed) {
            self.code = Some(code);
            return;
        }
        let (stage, text) = if is_request { (Some(Stage::Session), "no answer") } else { (None, "command refused") };
        *self = Self { fresh: false, ..Self::new(code, stage, 0, text) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: [Code; 3] = [Code::ClientPublishFailed, Code::ClientSubscribeFailed, Code::ClientUnsubscribeFailed];

    fn lost() -> Report {
        Report::connection_lost("no PINGRESP")
    }

    #[test]
    fn what_the_network_reports_meanwhile_is_the_reason() {
        for code in REQUESTS.into_iter().chain([Code::ClientStartFailed]) {
            let mut report = lost();
            report.command_failed(code);
            assert_eq!(report, Report { code: Some(code), ..lost() });
        }
    }

    #[test]
    fn what_it_reported_before_the_command_is_not() {
        let mut report = lost();
        report.command_begins();
        report.command_failed(Code::ClientStartFailed);
        assert_eq!((report.code, report.stage, report.text), (Some(Code::ClientStartFailed), None, "command refused"));
        for code in REQUESTS {
            let mut report = lost();
            report.command_begins();
            report.command_failed(code);
            assert_eq!((report.code, report.stage, report.text), (Some(code), Some(Stage::Session), "no answer"));
        }
    }

    #[test]
    fn a_command_that_is_refused_says_so_whatever_the_network_does() {
        let mut report = lost();
        report.command_failed(Code::NoConfigured);
        assert_eq!((report.code, report.stage, report.detail), (Some(Code::NoConfigured), None, 0));
        assert_eq!(report.text, "command refused");
    }

    #[test]
    fn an_attempt_with_a_code_of_its_own_keeps_its_reason() {
        let failure = Failure::because(Stage::Tls, Code::HostnameVerifyFailed, 4, "host name not in certificate");
        let mut report = Report::no_connection(failure);
        report.command_failed(failure.code);
        assert_eq!(report, Report::no_connection(failure));
        assert_eq!(report.stage_number(), 3);
    }

    #[test]
    fn a_failure_without_a_number_is_silence() {
        for stage in [Stage::Tcp, Stage::Tls, Stage::WebSocket, Stage::Connack] {
            assert_eq!(Failure::at(stage).text, "no answer");
            assert_ne!(Failure::of(stage, 5).text, "no answer");
        }
        assert_eq!(Failure::at(Stage::Dns).text, "name not found");
        assert_eq!(Report::NONE.stage_number(), 0);
    }
}
