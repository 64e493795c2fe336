//! The kinds of credentials for TLS, and the codes that each answers (AT contract §7).

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_codes() {
        let codes = [(0x6021, 0x6022), (0x6023, 0x6024), (0x6025, 0x6026)];
        for (value, (length, read)) in codes.into_iter().enumerate() {
            let kind = CredentialKind::of(value as u32).unwrap();
            assert_eq!(kind as usize, value);
            assert_eq!((kind.length_code().value(), kind.read_code().value()), (length, read));
        }
        assert_eq!(CredentialKind::of(3), None);
    }
}
