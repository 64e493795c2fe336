//! The reference for hosts: `docs/at-reference.md`, the error codes with their inputs as `docs/error-codes.json`, and the
//! commands with their parameters as `docs/commands.json`.
//!
//! All are made from [`COMMANDS`], the link's state table, [`commands`] (words and examples), [`meanings`] (of values),
//! [`codes`] (what raises each code) and `rules.md`. A test fails when they are stale; this one writes them:
//!
//! ```sh
//! W800_UPDATE_DOCS=1 cargo test -p w800-mqtt-core --test reference
//! ```
//!
//! The serial tests type every example and every input that the JSON file names. Nothing here is in firmware.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]
#![allow(missing_docs, reason = "tests")]

mod codes;
mod commands;
mod machine;
mod meanings;

use codes::{Fate, Way, fate};
use commands::{Send, about};
use meanings::UNSOLICITED;
use std::fmt::Write;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::at::command::LINE_MAX;
use w800_mqtt_core::at::command::{COMMANDS, Command, Content, Param, ParamKind};
use w800_mqtt_core::link::state::{Action, State};
use w800_mqtt_core::link::subscriptions::MOST_SUBSCRIPTIONS;
use w800_mqtt_core::mqtt::in_flight::MOST_IN_FLIGHT;
use w800_mqtt_core::mqtt::received::MOST_UNRELEASED;

/// What a link and its broker are like before something is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Fresh,
    Configured,
    Connected,
    Lost,
    Refused,
    Mute,
    Unanswered,
    Refusing,
    Unanswering,
    SlowLine,
    LittleMemory,
    NoMemory,
    NoCredentials,
    NoKey,
    OtherKey,
    OtherName,
}

impl Given {
    const ALL: [(Given, &'static str, &'static str); 16] = [
        (Given::Fresh, "fresh", "state 0: after a reset or `AT+MQTTCLEAN=0`"),
        (Given::Configured, "configured", r#"state 1: fresh, then `AT+MQTTUSERCFG=0,1,"w800","","",0,0,""`"#),
        (Given::Connected, "connected", "state 4: configured, then connected to a broker"),
        (Given::Lost, "lost", "state 3: connected with `reconnect` 0, then the broker has closed the connection"),
        (Given::Refused, "refused", "configured; the broker will refuse the client with CONNACK 5"),
        (Given::Mute, "mute", "configured; the broker will accept TCP and say nothing"),
        (Given::Unanswered, "unanswered", "connected to a broker that answers nothing any more"),
        (Given::Refusing, "refusing", "connected to a broker that refuses subscriptions"),
        (Given::Unanswering, "unanswering", "connected to a broker that answers everything but UNSUBSCRIBE"),
        (Given::SlowLine, "slow line", "connected; the port, at 900 baud, has begun to print a message of 1,024 bytes"),
        (Given::LittleMemory, "little memory", "configured, and less than 8 KiB of the heap is free"),
        (Given::NoMemory, "no memory", "no MQTT command was given since the reset, and nothing of the heap is free"),
        (Given::NoCredentials, "no credentials", "fresh, the clock is set, and there is neither certificate nor key"),
        (Given::NoKey, "no key", "configured for scheme 4 with a client certificate, and there is no key"),
        (Given::OtherKey, "other key", "configured for scheme 4 with a client certificate and a key of another"),
        (
            Given::OtherName,
            "other name",
            "configured for scheme 3 with the broker's CA, the clock is set, and the broker's certificate names another host",
        ),
    ];

    fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

const HEAD: &str = "\
<!-- Generated: W800_UPDATE_DOCS=1 cargo test -p w800-mqtt-core --test reference -->

# AT commands for MQTT

For whoever writes a driver on the serial port. The commands are those of WinnerMicro's W800 documentation, with the
error codes of the ESP-AT set; what differs or was added says so. Numbers like 0x6008 are error codes, printed as
`ERR CODE:0x00006008`, and listed at the end. In examples the broker is at 192.168.1.10, port 1883.

";

/// `docs/at-reference.md`
fn page() -> String {
    let mut page = String::from(HEAD);
    for command in &COMMANDS {
        let (name, anchor) = (name(command), anchor(command));
        writeln!(page, "- [{name}](#{anchor}): {}", first_sentence(about(command.id).does)).unwrap();
    }
    page.push_str("- [Error codes](#error-codes)\n\n");
    page.push_str(&rules());
    page.push_str("\n# Commands\n");
    COMMANDS.iter().for_each(|command| describe(&mut page, command));
    describe_codes(&mut page);
    page
}

fn rules() -> String {
    include_str!("rules.md")
        .replace("{LINE}", &LINE_MAX.to_string())
        .replace("{STATES}", states().trim_end())
        .replace("{UNSOLICITED}", &UNSOLICITED.map(|line| line.form).join("\n"))
        .replace("{IN_FLIGHT}", &MOST_IN_FLIGHT.to_string())
        .replace("{UNRELEASED}", &MOST_UNRELEASED.to_string())
        .replace("{SUBSCRIPTIONS}", &MOST_SUBSCRIPTIONS.to_string())
}

const STATES: [(State, &str); 7] = [
    (State::NotInitialised, "not initialised"),
    (State::UserConfigured, "AT+MQTTUSERCFG was given"),
    (State::ConnectionConfigured, "AT+MQTTCONNCFG was given too"),
    (State::Lost, "was connected; the connection is lost, or being made again"),
    (State::Connected, "connected, nothing subscribed since the link was configured"),
    (State::Unsubscribed, "connected, the last subscription was removed"),
    (State::Subscribed, "connected, with subscriptions"),
];

const ACTIONS: [(Action, &str); 6] = [
    (Action::ConfigureUser, "USERCFG"),
    (Action::Configure, "CLIENTID, USERNAME, PASSWORD, LONG…, CONNCFG, ALPN, SNI"),
    (Action::Connect, "CONN"),
    (Action::Exchange, "PUB, PUBRAW, SUB, UNSUB"),
    (Action::Clean, "CLEAN"),
    (Action::StoreCredential, "CERT"),
];

fn states() -> String {
    let mut text = String::from("| state | |");
    ACTIONS.iter().for_each(|(_, commands)| write!(text, " {commands} |").unwrap());
    text.push_str("\n|---|---|---|---|---|---|---|---|\n");
    for (state, meaning) in STATES {
        write!(text, "| {} | {meaning} |", state as u8).unwrap();
        for (action, _) in ACTIONS {
            match action.permit(state) {
                Ok(()) => text.push_str(" ok |"),
                Err(code) => write!(text, " {} |", hex(code)).unwrap(),
            }
        }
        text.push('\n');
    }
    text
}

fn name(command: &Command) -> &'static str {
    command.name.to_str().unwrap()
}

/// As Markdown viewers make it from a heading.
fn anchor(command: &Command) -> String {
    name(command).to_lowercase().replace('+', "")
}

fn first_sentence(text: &str) -> String {
    text.split(['.', ':', ';']).next().unwrap_or_default().to_string()
}

fn hex(code: Code) -> String {
    format!("0x{:04x}", code.value())
}

fn describe(page: &mut String, command: &Command) {
    let about = about(command.id);
    write!(page, "\n## {}\n\n```\n{}```\n\n", name(command), command.usage.to_str().unwrap().replace("\r\n", "\n"))
        .unwrap();
    writeln!(page, "{}\n", about.does).unwrap();
    describe_params(page, command);
    about.notes.iter().for_each(|note| writeln!(page, "- {note}").unwrap());
    if !about.notes.is_empty() {
        page.push('\n');
    }
    writeln!(page, "Example, {}:\n\n```", about.example.given.name()).unwrap();
    for (send, prints) in about.example.steps {
        let (Send::Line(sent) | Send::Data(sent)) = send;
        writeln!(page, "{}", concrete(sent)).unwrap();
        // The prompt's line and what the host sends behind it are one.
        let prints = if matches!(send, Send::Data(_)) { prints.get(1..).unwrap_or_default() } else { prints };
        for line in prints {
            let end = if *line == ">" { "" } else { "\n" };
            write!(page, "{}{end}", concrete(line)).unwrap();
        }
    }
    page.push_str("```\n");
}

fn describe_params(page: &mut String, command: &Command) {
    if command.params.is_empty() {
        return;
    }
    page.push_str("| parameter | | default | unreadable | too small or empty | too large or long | |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    let mut before = "";
    for (position, param) in command.params.iter().enumerate() {
        if param.name == before {
            continue;
        }
        before = param.name;
        let [unreadable, under, over] = faults(param);
        writeln!(
            page,
            "| {}{} | {} | {} | {unreadable} | {under} | {over} | {} |",
            param.name,
            if position < usize::from(command.required) { "" } else { " (optional)" },
            range(param),
            default(param),
            param.note
        )
        .unwrap();
    }
    page.push('\n');
}

fn range(param: &Param) -> String {
    match param.kind {
        ParamKind::LinkId => "0".to_string(),
        ParamKind::Int { min, max, .. } if min == max => min.to_string(),
        ParamKind::Int { min, max, .. } => format!("{min}–{max}"),
        ParamKind::Count { max } => format!("0–{max}"),
        ParamKind::Text { max, content, .. } => {
            let content = match content {
                Content::Bytes => "bytes",
                Content::String | Content::Name => "text",
                Content::Topic => "topic",
                Content::Filter => "topic filter",
            };
            format!("{content}, at most {max}")
        }
    }
}

fn default(param: &Param) -> String {
    match param.kind {
        ParamKind::Int { default: Some(value), .. } => value.to_string(),
        ParamKind::Text { empty: true, .. } => "empty".to_string(),
        _ => "—".to_string(),
    }
}

/// The codes that can be raised at all.
fn faults(param: &Param) -> [String; 3] {
    let shown = |can: bool, code| if can { hex(code) } else { "—".to_string() };
    let (under, over) = match param.kind {
        ParamKind::LinkId => (false, true),
        ParamKind::Int { min, .. } => (min > 0, true),
        ParamKind::Count { .. } => (false, true),
        ParamKind::Text { empty, max, .. } => (!empty || param.needs.is_some(), usize::from(max) + 1 < LINE_MAX),
    };
    let empty = param.needs.map_or(param.codes.under, |(_, code)| code);
    [hex(param.codes.unreadable), shown(under, empty), shown(over, param.codes.over)]
}

/// For a reader: a broker's address.
fn concrete(text: &str) -> String {
    text.replace("<host>", "192.168.1.10").replace("<port>", "1883")
}

/// `concrete` text as code, a run of letters cut short.
fn code(text: &str) -> String {
    let text = concrete(text).replace('\u{ff}', "\\xff");
    match fill(&text) {
        Some((before, count, after)) => format!("`{before}xx…x{after}` ({count} times x)"),
        None => format!("`{text}`"),
    }
}

/// `{x65}` stands for 65 letters x.
fn fill(text: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = text.split_once("{x")?;
    let (count, after) = rest.split_once('}')?;
    Some((before, count.parse().ok()?, after))
}

fn literal(text: &str) -> String {
    fill(text).map_or(text.to_string(), |(before, count, after)| format!("{before}{}{after}", "x".repeat(count)))
}

fn describe_codes(page: &mut String) {
    let all: Vec<(Code, Fate)> = Code::ALL.iter().map(|code| (*code, fate(*code))).collect();
    let raised = all.iter().filter(|(_, fate)| matches!(fate, Fate::Raised { .. })).count();
    writeln!(
        page,
        "\n# Error codes\n\n\
         Of {} codes {raised} are raised, and {} are reserved: no input raises them here.\n\n\
         Each input below raises its code; where there are several lines, the last one does. `\\xff` is one byte. The same\n\
         for programs is in [error-codes.json](error-codes.json), where a character is a byte (ISO 8859-1). What\n\
         must be so before:\n\n| | |\n|---|---|",
        all.len(),
        all.len() - raised
    )
    .unwrap();
    Given::ALL.iter().for_each(|(_, name, meaning)| writeln!(page, "| {name} | {meaning} |").unwrap());
    page.push_str("\n| code | name | when | input |\n|---|---|---|---|\n");
    for (code, fate) in all {
        let (when, inputs) = match fate {
            Fate::Raised { when, ways } => (when.to_string(), ways.iter().map(input).collect::<Vec<_>>().join("<br>")),
            Fate::Reserved(why) => (format!("*reserved:* {why}"), String::new()),
        };
        writeln!(page, "| {} | {} | {when} | {inputs} |", hex(code), code.name()).unwrap();
    }
}

fn input(way: &Way) -> String {
    let lines: Vec<String> = way.lines.iter().map(|line| code(line)).collect();
    let data = way.data.map_or(String::new(), |data| format!(", then {} behind the prompt", code(data)));
    format!("{}: {}{data}", way.given.name(), lines.join(", "))
}

/// `docs/error-codes.json`. In its strings each character is one byte (ISO 8859-1).
fn json() -> String {
    let codes = Code::ALL.iter().map(|code| {
        let fate = match fate(*code) {
            Fate::Raised { when, ways } => {
                let ways: Vec<String> = ways.iter().map(|way| format!("      {}", json_way(way))).collect();
                format!("\"when\": {}, \"ways\": [\n{}\n    ]", quoted(when), ways.join(",\n"))
            }
            Fate::Reserved(why) => format!("\"reserved\": {}", quoted(why)),
        };
        format!("    {{\"code\": {}, \"name\": {}, {fate}}}", quoted(&hex(*code)), quoted(code.name()))
    });
    let examples = COMMANDS.iter().map(|command| {
        let example = about(command.id).example;
        let steps: Vec<String> = example
            .steps
            .iter()
            .map(|(send, prints)| {
                let (kind, sent) = match send {
                    Send::Line(line) => ("line", line),
                    Send::Data(data) => ("data", data),
                };
                format!("      {{\"{kind}\": {}, \"prints\": {}}}", quoted(sent), list(prints))
            })
            .collect();
        let (name, given) = (quoted(name(command)), quoted(example.given.name()));
        format!("    {{\"command\": {name}, \"given\": {given}, \"steps\": [\n{}\n    ]}}", steps.join(",\n"))
    });
    let (codes, examples) = (codes.collect::<Vec<_>>().join(",\n"), examples.collect::<Vec<_>>().join(",\n"));
    format!("{{\n  \"codes\": [\n{codes}\n  ],\n  \"examples\": [\n{examples}\n  ]\n}}\n")
}

fn json_way(way: &Way) -> String {
    let data = way.data.map_or(String::new(), |data| format!(", \"data\": {}", quoted(data)));
    let lines: Vec<String> = way.lines.iter().map(|line| literal(line)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    format!("{{\"given\": {}, \"lines\": {}{data}}}", quoted(way.given.name()), list(&lines))
}

fn list(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|letter| match letter {
            '"' | '\\' => format!("\\{letter}"),
            ' '..='~' => letter.to_string(),
            _ => format!("\\u{:04x}", u32::from(letter)),
        })
        .collect();
    format!("\"{escaped}\"")
}

mod tests {
    use super::*;
    use std::path::Path;
    use w800_mqtt_core::at::{CommandId, split};

    /// Compares with the file, or writes it where `W800_UPDATE_DOCS` is set.
    fn check(file: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
        if std::env::var_os("W800_UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "docs/{file} is stale: W800_UPDATE_DOCS=1 cargo test -p w800-mqtt-core --test reference"
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads a file")]
    fn the_reference_page_is_current() {
        check("at-reference.md", &page());
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads a file")]
    fn the_table_of_codes_is_current() {
        check("error-codes.json", &json());
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads a file")]
    fn the_table_of_commands_is_current() {
        check("commands.json", &machine::json());
    }

    #[test]
    fn tables_stand_in_their_enums_order() {
        for (position, (given, ..)) in Given::ALL.iter().enumerate() {
            assert_eq!(*given as usize, position);
        }
        for (position, (state, _)) in STATES.iter().enumerate() {
            assert_eq!(*state as usize, position);
        }
    }

    fn bytes(text: &str) -> Vec<u8> {
        text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
    }

    /// What the parameters of a line answer, where nothing else is at fault.
    fn parameters(line: &str) -> Option<Code> {
        let (name, text) = line.split_once('=')?;
        let row = COMMANDS.iter().find(|row| row.name.to_str() == Ok(name)).unwrap();
        let mut text = bytes(text);
        split(row, &mut text).and_then(|split| split.link_id(1).and_then(|_| split.values().map(|_| ()))).err()
    }

    #[test]
    fn inputs_are_what_they_say() {
        for code in Code::ALL {
            let Fate::Raised { ways, .. } = fate(*code) else { continue };
            assert!(!ways.is_empty(), "{code:?}");
            for way in &ways {
                let (last, before) = way.lines.split_last().unwrap();
                let concrete = |line: &str| literal(line).replace("<host>", "10.0.2.2").replace("<port>", "65535");
                for line in before {
                    assert_eq!(parameters(&concrete(line)), None, "{line}");
                }
                let line = concrete(last);
                assert!(bytes(&line).len() + 2 <= LINE_MAX, "{line}");
                let found = parameters(&line);
                assert!(found.is_none() || found == Some(*code), "{line}: {found:?}, not {code:?}");
            }
        }
    }

    /// Each code that a row of the command table can answer is raised by an input that is named, and each that is
    /// reserved cannot be answered by any.
    #[test]
    fn codes_of_the_command_table_have_inputs() {
        for param in COMMANDS.iter().flat_map(|command| command.params) {
            let can = faults(param);
            for code in [param.codes.unreadable, param.codes.under, param.codes.over] {
                if can.contains(&hex(code)) {
                    assert!(matches!(fate(code), Fate::Raised { .. }), "{}: {code:?}", param.name);
                }
            }
        }
    }

    #[test]
    fn every_command_has_words_and_an_example_of_its_own() {
        for command in &COMMANDS {
            let about = about(command.id);
            assert!(about.does.ends_with('.'), "{:?}", command.id);
            assert!(about.notes.iter().all(|note| note.ends_with(['.', '`'])), "{:?}", command.id);
            let own = |send: &Send| matches!(send, Send::Line(line) if line.starts_with(name(command)));
            assert!(about.example.steps.iter().any(|(send, _)| own(send)), "{:?}", command.id);
        }
        assert_eq!(COMMANDS.len(), CommandId::Version as usize + 1);
    }
}
