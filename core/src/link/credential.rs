//! The kinds of credentials for TLS, the codes that each answers (AT contract §7), and how long a message a chain of
//! certificates makes.

use crate::at::code::Code;

/// Bytes of one credential at most.
pub const LONGEST: u32 = 16_384;

/// A kind of credential; the value is that of `AT+MQTTCERT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CredentialKind {
    /// Certificates of the authorities to trust.
    Authority = 0,
    /// The client's own certificate, with those between it and its authority.
    Certificate = 1,
    /// The client's private key.
    Key = 2,
}

impl CredentialKind {
    /// All of them, in the order of their values.
    pub const ALL: [Self; 3] = [Self::Authority, Self::Certificate, Self::Key];

    /// The kind with this value.
    pub fn of(value: u32) -> Option<Self> {
        usize::try_from(value).ok().and_then(|value| Self::ALL.get(value)).copied()
    }

    /// There is none where one is needed, or it is too long.
    pub const fn length_code(self) -> Code {
        match self {
            Self::Authority => Code::CaLengthError,
            Self::Certificate => Code::CertLengthError,
            Self::Key => Code::KeyLengthError,
        }
    }

    /// It cannot be read, or a key does not belong to its certificate.
    pub const fn read_code(self) -> Code {
        match self {
            Self::Authority => Code::CaReadFailed,
            Self::Certificate => Code::CertReadFailed,
            Self::Key => Code::KeyReadFailed,
        }
    }

    /// That there is none, in words.
    pub const fn missing(self) -> &'static str {
        match self {
            Self::Authority => "no CA certificate",
            Self::Certificate => "no client certificate",
            Self::Key => "no client key",
        }
    }

    /// That it is of no use, in words.
    pub const fn unusable(self) -> &'static str {
        match self {
            Self::Authority => "unusable CA certificate",
            Self::Certificate => "unusable client certificate",
            Self::Key => "unusable client key",
        }
    }
}

/// What begins each certificate of a PEM text.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Bytes of a Certificate message before its certificates, and before each of them: a length (RFC 5246 §7.4, §7.4.2).
const BEFORE_ALL: usize = 7;
const BEFORE_EACH: usize = 3;

/// The length in bytes of the Certificate message that shows the certificates of `text`, all of a PEM text or the one of DER.
pub fn certificate_message(text: &[u8]) -> usize {
    let mut length = BEFORE_ALL;
    // The digits of base64 in a certificate so far: four of them are three bytes, and the last of these may be left out.
    let mut digits = None;
    for line in text.split(|byte| *byte == b'\n') {
        if line.starts_with(BEGIN) {
            digits = Some(0_usize);
        } else if line.starts_with(b"-") {
            let bytes = digits.take().map_or(0, |digits| (digits.saturating_mul(3) / 4).saturating_add(BEFORE_EACH));
            length = length.saturating_add(bytes);
        } else if let Some(digits) = &mut digits {
            let spelled = line.iter().filter(|byte| **byte > b' ' && **byte != b'=').count();
            *digits = digits.saturating_add(spelled);
        }
    }
    if length == BEFORE_ALL { length.saturating_add(BEFORE_EACH).saturating_add(text.len()) } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PEM text around these lines.
    fn pem(base64: &str) -> std::string::String {
        std::format!("-----BEGIN CERTIFICATE-----\r\n{base64}\r\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn the_message_of_a_chain() {
        for (base64, length) in [("MAA=", 2), ("MAEA", 3), ("MAIAAA==", 4), ("MAMA\r\nAAA=", 5), ("", 0)] {
            assert_eq!(certificate_message(pem(base64).as_bytes()), 7 + 3 + length, "{base64}");
        }
        let chain = [pem("MAEA"), pem("MAIAAA=="), "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END".into()].concat();
        assert_eq!(certificate_message(chain.as_bytes()), 7 + 3 + 3 + 3 + 4);
        assert_eq!(certificate_message(&[0x30, 2, 0, 0]), 7 + 3 + 4);
    }
}
