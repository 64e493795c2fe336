//! The build options, as `build.rs` takes them: from an environment variable, else from the project's `wmsdk_config.h`
//! (the same name behind `CONFIG_`), else the default. docs/options.md says what each costs.
//!
//! Kconfig writes nothing for a switch that is off. Where `CONFIG_COMPONENT_W800_MQTT_AT_ENABLED` says that the file knows
//! these options, a switch that is not there is off; elsewhere it has its default.

use std::collections::BTreeMap;

const PREFIX: &str = "W800_MQTT_AT_";
const COMPONENT: &str = "CONFIG_COMPONENT_W800_MQTT_AT_ENABLED";

/// A Kconfig symbol of the component, and what `scripts/build-target.sh` itself takes. They are no options here, and
/// variables of their names are no mistake.
const FOREIGN: &[&str] = &["W800_MQTT_AT_PREBUILT", "W800_MQTT_AT_REWRITE", "W800_MQTT_AT_PANIC_PLACES"];

/// What an option may be.
enum Kind {
    /// `y` or `n`. On becomes a cfg, and both a constant.
    Switch { default: bool },
    /// From `least` to `most`.
    Number { least: u32, most: u32, default: u32, of: &'static str },
    /// From 1 to below the AT server's priority: its `OK` must not be overtaken by a line of the link's task.
    Priority,
    /// One of these, the first by default; a cfg says which. In `wmsdk_config.h` each is a switch of its own.
    Choice(&'static [&'static str]),
}

struct Row {
    name: &'static str,
    kind: Kind,
}

impl Row {
    fn cfg(&self, value: &str) -> String {
        format!("{}_{value}", self.name.to_lowercase())
    }

    fn cfgs(&self) -> Vec<String> {
        match &self.kind {
            Kind::Switch { .. } => vec![self.name.to_lowercase()],
            Kind::Choice(values) => values.iter().map(|value| self.cfg(value)).collect(),
            Kind::Number { .. } | Kind::Priority => vec![],
        }
    }
}

const fn switch(name: &'static str) -> Row {
    Row { name, kind: Kind::Switch { default: true } }
}

const fn number(name: &'static str, least: u32, most: u32, default: u32, of: &'static str) -> Row {
    Row { name, kind: Kind::Number { least, most, default, of } }
}

/// Every option, with its name after the prefix.
const OPTIONS: &[Row] = &[
    number("LINKS", 1, 4, 1, "usize"),
    number("ARENA_BYTES", 1024, 65_536, 6144, "usize"),
    number("TASK_STACK", 6144, 32_768, 8192, "u32"),
    Row { name: "TASK_PRIORITY", kind: Kind::Priority },
    Row { name: "ARGV", kind: Kind::Choice(&["line", "raw", "decoded"]) },
    switch("ERROR_LINES"),
    switch("TLS"),
    switch("WEBSOCKET"),
    switch("ADDITIONS"),
];

/// The environment variables that are read.
pub fn variables() -> impl Iterator<Item = String> {
    OPTIONS.iter().map(|row| format!("{PREFIX}{}", row.name))
}

/// Every cfg there may be.
pub fn possible_cfgs() -> impl Iterator<Item = String> {
    OPTIONS.iter().flat_map(Row::cfgs).chain([CERTIFICATE_COMMAND.into()])
}

/// `AT+MQTTCERT` is an addition that only TLS has a use for.
const CERTIFICATE_COMMAND: &str = "certificate_command";

/// What a build was asked to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// The cfgs that hold.
    pub cfgs: Vec<String>,
    /// Rust constants, for `src/options.rs`.
    pub source: String,
    /// Every option as `NAME=value`, with blanks between.
    pub words: String,
}

impl Options {
    /// Adds an option to the words.
    pub fn say(&mut self, name: &str, value: &str) {
        let blank = if self.words.is_empty() { "" } else { " " };
        self.words += &format!("{blank}{name}={value}");
    }
}

/// Reads all options from the `environment`, from the text of a `wmsdk_config.h` and from the AT server's priority.
///
/// # Errors
/// A sentence that names the option, its value and what it may be.
pub fn resolve(environment: &BTreeMap<String, String>, config: &str, at_priority: u32) -> Result<Options, String> {
    refuse_unknown(environment)?;
    let given = Given { environment, config: definitions(config) };
    let mut options = Options { cfgs: vec![], source: String::new(), words: String::new() };
    for row in OPTIONS {
        let (of, value) = match &row.kind {
            Kind::Switch { default } => {
                let on = given.switch(row.name, *default)?;
                if on {
                    options.cfgs.push(row.name.to_lowercase());
                }
                options.say(row.name, if on { "y" } else { "n" });
                options.source += &format!("pub const {}: bool = {on};\n", row.name);
                continue;
            }
            Kind::Number { least, most, default, of } => {
                (*of, given.number(row.name, *least, *most, *default, "")?.to_string())
            }
            Kind::Priority => {
                let most = at_priority.saturating_sub(1);
                let why = format!(", below the AT server's {at_priority}");
                ("u32", given.number(row.name, 1, most, most, &why)?.to_string())
            }
            Kind::Choice(values) => {
                let chosen = given.choice(row.name, values)?;
                options.cfgs.push(row.cfg(chosen));
                options.say(row.name, chosen);
                continue;
            }
        };
        options.say(row.name, &value);
        options.source += &format!("pub const {}: {of} = {value};\n", row.name);
    }
    let on = |name: &str| options.cfgs.iter().any(|cfg| cfg == name);
    if on("tls") && on("additions") {
        options.cfgs.push(CERTIFICATE_COMMAND.into());
    }
    Ok(options)
}

/// A misspelt variable would leave its default in force without a word.
fn refuse_unknown(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let known: Vec<String> = variables().collect();
    let unknown = environment
        .keys()
        .find(|name| name.starts_with(PREFIX) && !known.contains(name) && !FOREIGN.contains(&name.as_str()));
    match unknown {
        Some(name) => Err(format!("{name}: there is no such option; there are {}", known.join(", "))),
        None => Ok(()),
    }
}

/// The values that the macros of a header have.
fn definitions(header: &str) -> BTreeMap<&str, &str> {
    header
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#define ")?.trim().split_once(char::is_whitespace))
        .map(|(name, value)| (name, value.trim()))
        .collect()
}

struct Given<'a> {
    environment: &'a BTreeMap<String, String>,
    config: BTreeMap<&'a str, &'a str>,
}

impl Given<'_> {
    /// An empty variable counts as not set.
    fn variable(&self, name: &str) -> Option<(String, &str)> {
        let name = format!("{PREFIX}{name}");
        let value = self.environment.get(&name).filter(|value| !value.is_empty())?;
        Some((name, value))
    }

    fn configured(&self, name: &str) -> Option<(String, &str)> {
        let name = format!("CONFIG_{PREFIX}{name}");
        let value = self.config.get(name.as_str())?;
        Some((name, value))
    }

    /// Whether a switch is on in `wmsdk_config.h`; `None` where that does not know it.
    fn configured_switch(&self, name: &str) -> Result<Option<bool>, String> {
        match self.configured(name) {
            Some((_, "1")) => Ok(Some(true)),
            Some((_, "0")) => Ok(Some(false)),
            Some((name, value)) => Err(refusal(&name, value, "1 or not defined")),
            None => Ok(self.config.contains_key(COMPONENT).then_some(false)),
        }
    }

    fn switch(&self, name: &str, default: bool) -> Result<bool, String> {
        match self.variable(name) {
            Some((_, "y")) => Ok(true),
            Some((_, "n")) => Ok(false),
            Some((name, value)) => Err(refusal(&name, value, "y or n")),
            None => Ok(self.configured_switch(name)?.unwrap_or(default)),
        }
    }

    fn number(&self, name: &str, least: u32, most: u32, default: u32, why: &str) -> Result<u32, String> {
        let Some((name, text)) = self.variable(name).or_else(|| self.configured(name)) else { return Ok(default) };
        let value = text.parse().ok().filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| refusal(&name, text, &format!("a number from {least} to {most}{why}")))
    }

    fn choice(&self, name: &str, values: &[&'static str]) -> Result<&'static str, String> {
        if let Some((variable, text)) = self.variable(name) {
            let found = values.iter().find(|known| **known == text).copied();
            return found.ok_or_else(|| refusal(&variable, text, &format!("one of {}", values.join(", "))));
        }
        let mut chosen = None;
        for value in values {
            let switch = format!("{name}_{}", value.to_uppercase());
            if self.configured_switch(&switch)? == Some(true) && chosen.replace(*value).is_some() {
                return Err(refusal(&format!("CONFIG_{PREFIX}{switch}"), "1", "the only one of its choice"));
            }
        }
        Ok(chosen.or(values.first().copied()).unwrap_or_default())
    }
}

fn refusal(name: &str, value: &str, range: &str) -> String {
    format!("{name}={value}: must be {range}")
}
