//! What must hold for any input (section 1 of the contract): of lines as they are typed, and of what a server that
//! decodes makes of them, for which there is a model here.

use super::argv::{self, ArgStyle, Scratch};
use super::command::{COMMANDS, Command, CommandId, row};
use super::parse;
use super::{Code, answer};
use proptest::prelude::*;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

#[path = "../../tests/owned/mod.rs"]
mod owned;
use owned::{Owned, values};

/// Per property; a hundred times as many find nothing more.
const CASES: u32 = crate::share_under_miri(500);

type Outcome = Result<Vec<Owned>, Code>;

/// What `line`, which stood after `=`, gives.
fn typed(row: &'static Command, line: &[u8]) -> Outcome {
    values(row, parse::split(row, &mut line.to_vec()))
}

/// What `args` give, handed over in `style`.
fn handed_over(row: &'static Command, args: &[Vec<u8>], style: ArgStyle) -> Outcome {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_slice()).collect();
    values(row, argv::split(row, &args, style, &mut Scratch::new()))
}

/// A server that splits at commas outside quotes, every unescaped quote opening or closing, and keeps every byte.
fn raw_server(line: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = std::vec![Vec::new()];
    let mut inside = false;
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b',' && !inside {
            pieces.push(Vec::new());
            continue;
        }
        inside ^= byte == b'"';
        let piece = pieces.last_mut().unwrap();
        piece.push(byte);
        if byte == b'\\' {
            piece.extend(bytes.next());
        }
    }
    pieces
}

/// A server that ends a string at the next unescaped quote, which a comma or the end must follow, and decodes it.
/// `None` where it answers with an error of its own.
fn decoding_server(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    let mut rest = line;
    loop {
        let mut arg = Vec::new();
        if let [b'"', behind @ ..] = rest {
            rest = behind;
            loop {
                match rest {
                    [b'"', behind @ ..] => {
                        rest = behind;
                        break;
                    }
                    [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                        arg.push(*byte);
                        rest = behind;
                    }
                    [] => return None,
                }
            }
        } else {
            let end = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
            arg.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        args.push(arg);
        match rest {
            [] => return Some(args),
            [b',', behind @ ..] => rest = behind,
            _ => return None,
        }
    }
}

/// Whether an argument that does not begin with a quote has one, which the strict grammar does not allow.
fn has_bare_quote(line: &[u8]) -> bool {
    let quotes_lost = |arg: &Vec<u8>| !arg.starts_with(b"\"") && arg.contains(&b'"');
    raw_server(line).iter().any(quotes_lost)
}

/// What `line` gives as it was typed and through a server that decodes, unless that refuses it itself.
fn both(id: CommandId, line: &[u8]) -> Vec<Outcome> {
    let decoded = decoding_server(line).map(|args| handed_over(row(id), &args, ArgStyle::Decoded));
    [Some(typed(row(id), line)), decoded].into_iter().flatten().collect()
}

fn escaped(text: &[u8], commas: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in text {
        if matches!(byte, b'"' | b'\\') || (commas && byte == b',') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// What `text` means where each backslash escapes the byte after it.
fn meant(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter();
    let mut out = Vec::new();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { *bytes.next().unwrap_or(&byte) } else { byte });
    }
    out
}

fn line(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn text(bytes: &[u8]) -> Owned {
    Owned::Text(bytes.to_vec())
}

fn published(data: &[u8], qos: u32, retain: u32) -> Outcome {
    Ok([Owned::Int(0), text(b"a/b"), text(data), Owned::Int(qos), Owned::Int(retain), Owned::Int(10_000)].into())
}

fn publish_line(data: &[u8], qos: u32, retain: u32) -> Vec<u8> {
    line(&[b"0,\"a/b\",\"", data, format!("\",{qos},{retain}").as_bytes()])
}

/// Texts that are mostly what makes lines hard to read.
fn hard(length: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'"'), Just(b','), Just(b'\\'), Just(b'0'), Just(b'1'), Just(b'a'), Just(b'{')];
    prop::collection::vec(byte, 0..length)
}

/// As [`hard`], without escapes.
fn unescaped(length: usize) -> impl Strategy<Value = Vec<u8>> {
    hard(length).prop_map(|text| text.into_iter().filter(|byte| *byte != b'\\').collect())
}

/// A whole line of parameters, often nearly a right one.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        2 => Just("0".to_string()),
        1 => Just("1".to_string()),
        1 => Just(String::new()),
        1 => Just("5000".to_string()),
        4 => hard(8).prop_map(|text| format!("\"{}\"", String::from_utf8(text).unwrap())),
        1 => hard(4).prop_map(|text| String::from_utf8(text).unwrap()),
    ];
    prop::collection::vec(part, 0..9).prop_map(|parts| format!("0,{}", parts.join(",")).into_bytes())
}

/// JSON whose strings are those of `word`.
fn json(word: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = String> {
    let word = word.prop_map(|word| format!("\"{word}\""));
    let leaf = prop_oneof![
        word.clone(),
        Just("true".to_string()),
        Just("null".to_string()),
        any::<i16>().prop_map(|value| value.to_string())
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let member = (word.clone(), inner.clone()).prop_map(|(key, value)| format!("{key}:{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
    .prop_filter("must fit the line", |json| json.len() < 110)
}

/// A character that is often one of JSON's own.
fn character() -> impl Strategy<Value = String> + Clone {
    let characters: Vec<char> = " ,:{}[]é".chars().chain('a'..='z').chain('0'..='9').collect();
    prop::sample::select(characters).prop_map(String::from)
}

fn any_string() -> impl Strategy<Value = String> + Clone {
    let escape = prop::sample::select(&["\\n", "\\\"", "\\\\", "\\u00e9"][..]).prop_map(String::from);
    prop::collection::vec(prop_oneof![character(), escape], 0..=5).prop_map(|parts| parts.concat())
}

/// No escapes, and no comma after the opening quote.
fn plain_string() -> impl Strategy<Value = String> + Clone {
    let string = prop::collection::vec(character(), 0..=6).prop_map(|parts| parts.concat());
    string.prop_filter("may not begin with a comma", |string| !string.starts_with(','))
}

fn command() -> impl Strategy<Value = &'static Command> {
    (0..COMMANDS.len()).prop_map(|position| &COMMANDS[position])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    /// Whatever a server hands over, there is an answer.
    #[test]
    fn any_arguments_get_an_answer(
        row in command(),
        args in prop::collection::vec(prop_oneof![hard(40), prop::collection::vec(any::<u8>(), 0..40), Just(b"0".to_vec())], 0..21),
    ) {
        for style in [ArgStyle::Raw, ArgStyle::Decoded] {
            let _ = handed_over(row, &args, style);
        }
    }

    #[test]
    fn any_line_gets_an_answer(row in command(), line in prop_oneof![lines(), prop::collection::vec(any::<u8>(), 0..300)]) {
        let _ = both(row.id, &line);
    }

    /// Wherever a server cuts that keeps every byte, joining what it hands over restores the line.
    #[test]
    fn raw_arguments_are_the_line(row in command(), line in lines()) {
        prop_assert_eq!(handed_over(row, &raw_server(&line), ArgStyle::Raw), typed(row, &line));
    }

    /// Escaped texts arrive as they were meant, payloads with any bytes.
    #[test]
    fn escaped_payloads_arrive(
        data in prop_oneof![hard(110), prop::collection::vec(any::<u8>(), 0..110)],
        qos in 0_u32..=2,
        retain in 0_u32..=1,
        commas: bool,
    ) {
        for outcome in both(CommandId::Pub, &publish_line(&escaped(&data, commas), qos, retain)) {
            prop_assert_eq!(outcome, published(&data, qos, retain));
        }
        prop_assert_eq!(both(CommandId::Pub, &publish_line(&escaped(&data, commas), qos, retain)).len(), 2);
    }

    #[test]
    fn every_escaped_text_of_user_cfg_arrives(texts in prop::array::uniform4(hard(16)), commas: bool) {
        let [id, user, password, path] = &texts;
        let [e_id, e_user, e_password, e_path] = texts.each_ref().map(|text| escaped(text, commas));
        let full = line(&[
            b"0,1,\"", &e_id, b"\",\"", &e_user, b"\",\"", &e_password, b"\",0,0,\"", &e_path, b"\"",
        ]);
        let expected = [
            Owned::Int(0), Owned::Int(1), text(id), text(user), text(password), Owned::Int(0), Owned::Int(0), text(path),
        ];
        for outcome in both(CommandId::UserCfg, &full) {
            prop_assert_eq!(outcome, Ok(expected.to_vec()));
        }
    }

    /// The older form without a comma; a decoding server may make it unreadable, but not something else.
    #[test]
    fn comma_less_texts_arrive(id in hard(60).prop_filter("may not be empty", |id| !id.is_empty()), commas: bool) {
        let full = line(&[b"0\"", &escaped(&id, commas), b"\""]);
        let expected = Ok(Vec::from([Owned::Int(0), text(&id)]));
        prop_assert_eq!(typed(row(CommandId::Password), &full), expected.clone());
        for outcome in both(CommandId::Password, &full) {
            prop_assert!(outcome.is_err() || outcome == expected);
        }
    }

    /// JSON: escaped it always arrives, unescaped it arrives as it is or not at all.
    #[test]
    fn json_arrives_as_typed_or_not_at_all(json in json(any_string()), qos in 0_u32..=2, retain in 0_u32..=1) {
        let data = json.as_bytes();
        let expected = published(data, qos, retain);
        for outcome in both(CommandId::Pub, &publish_line(&escaped(data, false), qos, retain)) {
            prop_assert_eq!(&outcome, &expected);
        }
        for outcome in both(CommandId::Pub, &publish_line(data, qos, retain)) {
            prop_assert!(outcome.is_err() || outcome == expected, "{:?}", outcome);
        }
    }

    /// Unescaped JSON does arrive, unless it has backslashes or its first string begins with a comma.
    #[test]
    fn plain_json_does_arrive(json in json(plain_string()), qos in 0_u32..=2) {
        let outcome = typed(row(CommandId::Pub), &publish_line(json.as_bytes(), qos, 0));
        prop_assert_eq!(outcome, published(json.as_bytes(), qos, 0));
    }

    /// Any unescaped payload arrives as it is or not at all.
    #[test]
    fn unescaped_payloads_arrive_as_typed_or_not_at_all(data in unescaped(30), qos in 0_u32..=2, retain in 0_u32..=1) {
        for outcome in both(CommandId::Pub, &publish_line(&data, qos, retain)) {
            prop_assert!(outcome.is_err() || outcome == published(&data, qos, retain), "{:?}", outcome);
        }
    }

    /// Payloads in which some of the quotes and commas were escaped, and others not: each escape means what it always
    /// means, or the line is refused.
    #[test]
    fn half_escaped_payloads_arrive_as_typed_or_not_at_all(data in hard(30), qos in 0_u32..=2) {
        let outcome = typed(row(CommandId::Pub), &publish_line(&data, qos, 0));
        prop_assert!(outcome.is_err() || outcome == published(&meant(&data), qos, 0), "{:?}", outcome);
    }

    /// So do will messages, as they are or not at all.
    #[test]
    fn unescaped_wills_arrive_as_typed_or_not_at_all(data in unescaped(30), qos in 0_u32..=2, retain in 0_u32..=1) {
        let full = line(&[b"0,60,0,\"will\",\"", &data, format!("\",{qos},{retain}").as_bytes()]);
        let expected = Ok(Vec::from([
            Owned::Int(0), Owned::Int(60), Owned::Int(0), text(b"will"), text(&data), Owned::Int(qos), Owned::Int(retain),
        ]));
        let outcome = typed(row(CommandId::ConnCfg), &full);
        prop_assert!(outcome.is_err() || outcome == expected, "{:?}", outcome);
    }

    /// And a JSON will does arrive.
    #[test]
    fn plain_json_wills_do_arrive(json in json(plain_string()), qos in 0_u32..=2) {
        let full = format!("0,60,0,\"will\",\"{json}\",{qos},1");
        let outcome = typed(row(CommandId::ConnCfg), full.as_bytes());
        prop_assert_eq!(outcome.map(|values| values.get(4).cloned()), Ok(Some(text(json.as_bytes()))));
    }

    /// So do unescaped texts side by side.
    #[test]
    fn unescaped_texts_of_user_cfg_arrive_as_typed_or_not_at_all(texts in prop::array::uniform3(unescaped(8))) {
        let [id, user, password] = &texts;
        let full = line(&[b"0,1,\"", id, b"\",\"", user, b"\",\"", password, b"\",0,0,\"p\""]);
        let expected = Ok(Vec::from([
            Owned::Int(0), Owned::Int(1), text(id), text(user), text(password), Owned::Int(0), Owned::Int(0), text(b"p"),
        ]));
        for outcome in both(CommandId::UserCfg, &full) {
            prop_assert!(outcome.is_err() || outcome == expected, "{:?}", outcome);
        }
    }

    /// A line that reads well by the strict grammar means the same to both servers, or is refused.
    #[test]
    fn strict_readings_are_never_overridden(row in command(), line in lines()) {
        if let Some(args) = decoding_server(&line).filter(|_| !has_bare_quote(&line)) {
            let strict = handed_over(row, &args, ArgStyle::Decoded);
            let typed = typed(row, &line);
            prop_assert!(typed.is_err() || typed == strict, "{:?} is not {:?}", typed, strict);
        }
    }

    /// What a query prints can be typed back.
    #[test]
    fn printed_texts_read_back(data in hard(50)) {
        struct Port(Vec<u8>);
        impl answer::Sink for Port {
            fn write(&mut self, bytes: &[u8]) {
                self.0.extend_from_slice(bytes);
            }
        }
        let mut port = Port(Vec::new());
        answer::Line::new(&mut port, b"").int(0).quoted(&data).hold();
        let expected = Ok(Vec::from([Owned::Int(0), text(&data)]));
        for outcome in both(CommandId::Sni, &port.0) {
            prop_assert_eq!(&outcome, &expected);
        }
    }
}
