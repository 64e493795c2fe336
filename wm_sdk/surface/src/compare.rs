//! Two surfaces to differences, and which of them are allowed.

use std::collections::BTreeSet;
use std::fmt;

use crate::facts::{Facts, Kind};
use crate::record::{Configuration, Surface};

/// Why a difference is allowed.
mod why {
    pub const VERSION: &str =
        "is the version itself, which the library compares with the firmware's before it uses TLS";
    pub const CONTEXT: &str = "grows with Mbed TLS: an archive for a chip is built with the SDK's own headers";
    pub const UNREAD: &str =
        "changes with Mbed TLS and is read by nobody: of a certificate `pk` and `subject_alt_names` are";
    pub const NUMBERING: &str = "changes with Mbed TLS; the library passes none";
    pub const NAME_ONLY: &str = "is a newer name for a function's type: functions are compared without names";
    pub const POINTER: &str = "lwIP's own: the library only asks whether there is one";
}

/// Differences that do not matter, and why. `wm_sdk/include` goes with another Mbed TLS (`scripts/setup/mbedtls.sh`).
/// A name may end in `*`.
pub const ALLOWED: &[(Kind, &str, &str)] = &[
    (Kind::Constant, "MBEDTLS_MD_*", why::NUMBERING),
    (Kind::Constant, "MBEDTLS_VERSION_NUMBER", why::VERSION),
    (Kind::Field, "mbedtls_x509_authority.*", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.authority_key_id", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.certificate_policies", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.ext_key_usage", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.next", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.private_*", why::UNREAD),
    (Kind::Field, "mbedtls_x509_crt.subject_key_id", why::UNREAD),
    (Kind::Structure, "mbedtls_entropy_context", why::CONTEXT),
    (Kind::Structure, "mbedtls_ssl_config", why::CONTEXT),
    (Kind::Structure, "mbedtls_ssl_context", why::CONTEXT),
    (Kind::Structure, "mbedtls_x509_authority", why::UNREAD),
    (Kind::Structure, "mbedtls_x509_crt", why::CONTEXT),
    (Kind::Structure, "netif", why::POINTER),
    (Kind::Type, "mbedtls_f_rng_t", why::NAME_ONLY),
];

/// Names that `src/sdk/wrapper.h` makes come and go with the library, and a list may be older: only values count.
const WRAPPER: &str = "W800_";

/// What one side says and the other does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The configuration in which it shows; none where it is the same in all.
    pub configuration: Option<Configuration>,
    /// Of the item.
    pub kind: Kind,
    /// Of the item.
    pub name: String,
    /// What ours says; nothing where it has no such item.
    pub own: Option<String>,
    /// What the SDK says; nothing where it has no such item.
    pub sdk: Option<String>,
}

impl Difference {
    /// Why it is allowed, if it is.
    pub fn reason(&self) -> Option<&'static str> {
        ALLOWED.iter().find(|(kind, pattern, _)| *kind == self.kind && matches(pattern, &self.name)).map(|row| row.2)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = self.configuration.map(|one| format!(" ({})", one.word())).unwrap_or_default();
        let side = |says: &Option<String>| says.clone().unwrap_or_else(|| "absent".to_owned());
        write!(out, "{} {}{when}: ours {}, the SDK's {}", self.kind, self.name, side(&self.own), side(&self.sdk))
    }
}

/// Whether `pattern` stands for `name`.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Every difference, in the order of the list.
pub fn differences(own: &Surface, sdk: &Surface) -> Vec<Difference> {
    let mut found: Vec<Difference> = vec![];
    for ((configuration, own), sdk) in Configuration::ALL.into_iter().zip(own).zip(sdk) {
        let keys: BTreeSet<_> = own.keys().chain(sdk.keys()).collect();
        for key in keys.into_iter().filter(|key| own.get(key) != sdk.get(key)) {
            let (kind, name) = key.clone();
            let (own, sdk) = (own.get(key).cloned(), sdk.get(key).cloned());
            if name.starts_with(WRAPPER) && (own.is_none() || sdk.is_none()) {
                continue;
            }
            let same = |one: &&mut Difference| one.kind == kind && one.name == name && one.own == own && one.sdk == sdk;
            match found.iter_mut().find(same) {
                Some(before) => before.configuration = None,
                None => found.push(Difference { configuration: Some(configuration), kind, name, own, sdk }),
            }
        }
    }
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    found
}

/// How many facts of a kind are the same on both sides in every configuration in which either has them.
pub fn agreed(own: &Surface, sdk: &Surface, differences: &[Difference], kind: Kind) -> usize {
    let of_kind = |facts: &Facts| -> BTreeSet<String> {
        facts.keys().filter(|key| key.0 == kind).map(|key| key.1.clone()).collect()
    };
    let names: BTreeSet<String> = own.iter().chain(sdk).flat_map(of_kind).collect();
    let differ = differences.iter().filter(|one| one.kind == kind).map(|one| one.name.clone()).collect();
    names.difference(&differ).count()
}
