//! The recorded facts of the real SDK, and the two configurations in which its surface differs.
//!
//! One fact a line, sorted: `any`, `ipv4` or `ipv6` (the configuration in which it holds), the kind, the name, a
//! colon, what is so. Lines that begin with `#` are about the list.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::bindings::{self, Folder, Headers};
use crate::facts::{Facts, Kind};

/// The list's place in the repository.
pub const PLACE: &str = "linker/sdk-surface.txt";

const SDK_CONFIGURATION: &str = "wm_sdk/sdk_default_config/wmsdk_config.h";
const EVERY: &str = "any";

/// Whether addresses carry their family: the one option that changes what the SDK declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// `CONFIG_LWIP_ENABLE_IPV6` is off.
    Ipv4,
    /// It is on.
    Ipv6,
}

impl Configuration {
    /// Both.
    pub const ALL: [Configuration; 2] = [Configuration::Ipv4, Configuration::Ipv6];

    /// As the list writes it.
    pub fn word(self) -> &'static str {
        match self {
            Configuration::Ipv4 => "ipv4",
            Configuration::Ipv6 => "ipv6",
        }
    }

    fn switch(self) -> &'static str {
        match self {
            Configuration::Ipv4 => "#undef CONFIG_LWIP_ENABLE_IPV6\n",
            Configuration::Ipv6 => "#undef CONFIG_LWIP_ENABLE_IPV6\n#define CONFIG_LWIP_ENABLE_IPV6 1\n",
        }
    }
}

/// A set of facts for each configuration.
pub type Surface = [Facts; Configuration::ALL.len()];

/// What `wm_sdk/include` says; the headers in `before`, where there is such a folder, stand in front of it.
///
/// # Errors
/// Those of [`bindings::facts`].
pub fn own(before: Option<&Path>) -> Result<Surface> {
    surface(|configuration| {
        let folder = Folder::new()?;
        if let Some(before) = before {
            for header in fs::read_dir(before)? {
                let header = header?;
                fs::copy(header.path(), folder.path().join(header.file_name()))?;
            }
        }
        let text = format!("#include_next \"wmsdk_config.h\"\n{}", configuration.switch());
        fs::write(folder.path().join("wmsdk_config.h"), text)?;
        bindings::facts(Headers::Own { configuration: folder.path() })
    })
}

/// What the SDK at `path` says with the options in `wm_sdk/sdk_default_config`.
///
/// # Errors
/// Those of [`bindings::facts`].
pub fn sdk(path: &Path) -> Result<Surface> {
    let defaults = fs::read_to_string(bindings::root().join(SDK_CONFIGURATION))?;
    surface(|configuration| {
        let folder = Folder::new()?;
        fs::write(folder.path().join("wmsdk_config.h"), format!("{defaults}\n{}", configuration.switch()))?;
        bindings::facts(Headers::Sdk { path, configuration: folder.path() })
    })
}

fn surface(read: impl Fn(Configuration) -> Result<Facts>) -> Result<Surface> {
    let [first, second] = Configuration::ALL;
    Ok([read(first)?, read(second)?])
}

/// The list's text; `origin` names the SDK.
pub fn write([ipv4, ipv6]: &Surface, origin: &str) -> String {
    let mut text = format!(
        "# What the library takes from the WM IoT SDK, as that declares it for the chip: {origin}.\n\
         # Written by scripts/check-sdk.sh --record; wm_sdk/surface/src/record.rs has the format.\n"
    );
    let mut lines: Vec<((Kind, &str), &str, &str)> = vec![];
    for (key, says) in ipv4 {
        let common = ipv6.get(key) == Some(says);
        lines.push(((key.0, &key.1), if common { EVERY } else { Configuration::Ipv4.word() }, says));
    }
    for (key, says) in ipv6 {
        if ipv4.get(key) != Some(says) {
            lines.push(((key.0, &key.1), Configuration::Ipv6.word(), says));
        }
    }
    lines.sort_unstable();
    for ((kind, name), holds, says) in lines {
        // A String takes whatever it is given.
        let _ = writeln!(text, "{holds:<4} {kind} {name}: {says}");
    }
    text
}

/// Where the recorded facts come from, in the words of `--record`.
pub fn origin(text: &str) -> Option<&str> {
    text.lines().next()?.split_once("for the chip: ")?.1.strip_suffix('.')
}

/// The facts in a list's text.
///
/// # Errors
/// A line is none of the list's.
pub fn read(text: &str) -> Result<Surface> {
    let mut surface = Surface::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fact = split(line).ok_or_else(|| format!("{PLACE}: {line}"))?;
        let (holds, kind, name, says) = fact;
        for (configuration, facts) in Configuration::ALL.iter().zip(&mut surface) {
            if holds == EVERY || holds == configuration.word() {
                facts.insert((kind, name.to_owned()), says.to_owned());
            }
        }
    }
    Ok(surface)
}

fn split(line: &str) -> Option<(&str, Kind, &str, &str)> {
    let (head, says) = line.split_once(": ")?;
    let mut words = head.split_whitespace();
    let holds =
        words.next().filter(|word| *word == EVERY || Configuration::ALL.iter().any(|one| one.word() == *word))?;
    let word = words.next()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
    Some((holds, kind, words.next()?, says))
}
