//! `docs/commands.json`: the command table for programs that help with typing. Unlike `error-codes.json` its strings are
//! ordinary text.

use super::meanings::{UNSOLICITED, is_data_secret, is_secret, unit, values};
use super::{about, list, name, quoted};
use w800_mqtt_core::at::command::LINE_MAX;
use w800_mqtt_core::at::command::{COMMANDS, Command, Content, Param, ParamKind};

/// The whole file.
pub fn json() -> String {
    let commands: Vec<String> = COMMANDS.iter().map(command).collect();
    let unsolicited: Vec<String> = UNSOLICITED
        .iter()
        .map(|line| format!("    {{\"form\": {}, \"when\": {}}}", quoted(line.form), quoted(line.when)))
        .collect();
    format!(
        "{{\n  \"line_max\": {LINE_MAX},\n  \"commands\": [\n{}\n  ],\n  \"unsolicited\": [\n{}\n  ]\n}}\n",
        commands.join(",\n"),
        unsolicited.join(",\n")
    )
}

fn command(row: &Command) -> String {
    let usage: Vec<&str> = row.usage.to_str().unwrap().lines().collect();
    let forms: Vec<&str> = [("test", true), ("query", row.query), ("set", row.set())]
        .iter()
        .filter_map(|(form, has)| has.then_some(*form))
        .collect();
    let data = match (row.data_phase, is_data_secret(row.id)) {
        (false, _) => "null",
        (true, true) => "{\"secret\": true}",
        (true, false) => "{\"secret\": false}",
    };
    let params: Vec<String> = row.params.iter().map(param).collect();
    let params = if params.is_empty() { "[]".to_string() } else { format!("[\n{}\n    ]", params.join(",\n")) };
    format!(
        "    {{\"name\": {}, \"does\": {},\n     \"usage\": {}, \"forms\": {}, \"data\": {data}, \"comma_less\": {}, \
         \"required\": {}, \"params\": {params}}}",
        quoted(name(row)),
        quoted(about(row.id).does),
        list(&usage),
        list(&forms),
        row.comma_less,
        row.required
    )
}

fn param(param: &Param) -> String {
    format!(
        "      {{\"name\": {}, {}, \"secret\": {}, \"note\": {}}}",
        quoted(param.name),
        kind(param),
        is_secret(param.name),
        quoted(param.note)
    )
}

fn kind(param: &Param) -> String {
    let number = |min: u32, max: u32, default: Option<u32>| {
        let default = default.map_or("null".to_string(), |value| value.to_string());
        let unit = unit(param.name).map_or("null".to_string(), quoted);
        format!("\"kind\": \"number\", \"min\": {min}, \"max\": {max}, \"default\": {default}, \"unit\": {unit}")
    };
    match param.kind {
        ParamKind::LinkId => number(0, 0, None),
        ParamKind::Count { max } => number(0, max, None),
        ParamKind::Int { min, max, default } => {
            let values: Vec<String> = (min..)
                .zip(values(param.name))
                .map(|(value, means)| format!("{{\"value\": {value}, \"means\": {}}}", quoted(means)))
                .collect();
            format!("{}, \"values\": [{}]", number(min, max, default), values.join(", "))
        }
        ParamKind::Text { max, empty, content } => {
            format!("\"kind\": \"text\", \"content\": \"{}\", \"max\": {max}, \"empty\": {empty}", word(content))
        }
    }
}

fn word(content: Content) -> &'static str {
    match content {
        Content::Bytes => "bytes",
        Content::String => "text",
        Content::Name => "name",
        Content::Topic => "topic",
        Content::Filter => "filter",
    }
}

mod tests {
    use super::*;

    #[test]
    fn a_choice_has_a_meaning_for_each_value() {
        for param in COMMANDS.iter().flat_map(|command| command.params) {
            let meanings = values(param.name);
            let ParamKind::Int { min, max, .. } = param.kind else {
                assert!(meanings.is_empty(), "{}", param.name);
                continue;
            };
            let count = usize::try_from(max - min).unwrap().saturating_add(1);
            assert!(meanings.is_empty() || meanings.len() == count, "{}", param.name);
            assert!(!meanings.is_empty() || count == 1 || count > 10, "{}: a choice without meanings", param.name);
        }
    }

    #[test]
    fn passwords_are_secret_wherever_they_stand() {
        let secret = |command: &&Command| {
            command.params.iter().any(|param| is_secret(param.name))
                || (command.data_phase && is_data_secret(command.id))
        };
        let names: Vec<&str> = COMMANDS.iter().filter(secret).map(name).collect();
        assert_eq!(names, ["AT+MQTTUSERCFG", "AT+MQTTPASSWORD", "AT+MQTTLONGPASSWORD", "AT+MQTTCERT"]);
    }
}
