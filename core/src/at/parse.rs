//! From a line as it was typed to typed, checked parameters, or the documented code (sections 1 and 3).
//!
//! Three steps, because a link's state is judged between the parameters' number and their values:
//!
//! 1. [`split`]: where the parameters are. Wrong number: 0x6008.
//! 2. [`Split::link_id`]: 0x6010, 0x6011. The caller then asks that link whether the command may run in its state.
//! 3. [`Split::values`]: types, ranges, lengths, contents and defaults, in the order of the row; the first fault answers.
//!
//! All happens where the line lies: nothing is copied, and a text with escapes is shortened in place, by the third step
//! alone, since until then the tolerant grammar may still have to read the line as it was typed. This module never
//! guesses: what cannot be told apart is an error. It performs nothing and allocates nothing.

use super::code::Code;
use super::command::{Command, Content, MAX_PARAMS, Param, ParamKind};
use super::quoting::{self, Field, FieldForm, Fields, Number, Reading};
use super::text;

/// A line whose number of parameters its command takes; nothing is known about their values.
#[derive(Debug)]
pub struct Split<'a> {
    row: &'static Command,
    line: &'a mut [u8],
    fields: Fields,
    /// Why the parameters cannot be told apart, for when link and state are judged.
    unclear: Option<Code>,
}

/// Finds the parameters of `row` in `line`: what was typed after `=`, without the line end.
///
/// Errors: 0x6008 for a wrong number of them.
pub fn split<'a>(row: &'static Command, line: &'a mut [u8]) -> Result<Split<'a>, Code> {
    match quoting::read(row, line) {
        Reading::Clear(fields) => Ok(Split::clear(row, line, fields)),
        Reading::WrongCount => Err(Code::ParameterCountsIsWrong),
        Reading::Unclear { before, position } => Ok(Split::clear(row, line, before).unreadable_from(position)),
    }
}

impl<'a> Split<'a> {
    /// A line of which `fields` are the parameters.
    pub(super) fn clear(row: &'static Command, line: &'a mut [u8], fields: Fields) -> Self {
        Split { row, line, fields, unclear: None }
    }

    /// The same line, where the parameter at `position` answers that it cannot be read.
    pub(super) fn unreadable_from(self, position: usize) -> Self {
        Split { unclear: self.row.params.get(position).map(|param| param.codes.unreadable), ..self }
    }

    /// The link that the line is for, one of `links`.
    ///
    /// Errors: 0x6010 where it is missing or no number, 0x6011 where there is no such link.
    pub fn link_id(&self, links: u8) -> Result<u8, Code> {
        let bare = self.fields.first().filter(|field| !field.form.has_quotes());
        match bare.and_then(|field| quoting::number(field.of(self.line))).ok_or(Code::LinkIdReadFailed)? {
            Number::Value(value) => u8::try_from(value).ok().filter(|link| *link < links),
            Number::Huge => None,
        }
        .ok_or(Code::LinkIdValueIsWrong)
    }

    /// All parameters, checked and with their defaults.
    ///
    /// Errors: the code in the row of the first parameter that is at fault.
    pub fn values(mut self) -> Result<Values<'a>, Code> {
        if let Some(code) = self.unclear {
            return Err(code);
        }
        for field in self.fields.iter_mut().filter(|field| field.form == FieldForm::Escaped) {
            if let Some(content) = self.line.get_mut(field.start()..field.end()) {
                field.shorten(quoting::unescape(content));
            }
        }
        let line: &'a [u8] = self.line;
        let mut values = Values([Value::Omitted; MAX_PARAMS]);
        for (position, param) in self.row.params.iter().enumerate() {
            let value = value(param, self.fields.get(position), line)?;
            check_needs(param, &value, &values)?;
            if let Some(place) = values.0.get_mut(position) {
                *place = value;
            }
        }
        Ok(values)
    }
}

fn value<'a>(param: &Param, field: Option<&Field>, line: &'a [u8]) -> Result<Value<'a>, Code> {
    match (param.kind, field) {
        (ParamKind::Text { .. }, None) => Ok(Value::Omitted),
        (ParamKind::Text { max, empty, content }, Some(field)) => {
            let text = field.of(line);
            let codes = &param.codes;
            if text.is_empty() {
                return if empty { Ok(Value::Text(text)) } else { Err(codes.under) };
            }
            if field.form == FieldForm::Bare {
                return Err(codes.unreadable);
            }
            if text.len() > usize::from(max) {
                return Err(codes.over);
            }
            if holds(content, text) { Ok(Value::Text(text)) } else { Err(codes.unreadable) }
        }
        (ParamKind::Int { min, max, default }, field) => int(param, field, line, min, max, default),
        (ParamKind::Count { max }, field) => int(param, field, line, 0, max, None),
        (ParamKind::LinkId, field) => int(param, field, line, 0, u32::from(u8::MAX), None),
    }
}

fn int<'a>(
    param: &Param,
    field: Option<&Field>,
    line: &'a [u8],
    min: u32,
    max: u32,
    default: Option<u32>,
) -> Result<Value<'a>, Code> {
    let text = match field {
        Some(field) if field.form.has_quotes() => return Err(param.codes.unreadable),
        Some(field) => field.of(line),
        None => &[],
    };
    let number = match (text, default) {
        ([], Some(default)) => Number::Value(default),
        _ => quoting::number(text).ok_or(param.codes.unreadable)?,
    };
    match number {
        Number::Value(value) if value < min => Err(param.codes.under),
        Number::Value(value) if value <= max => Ok(Value::Int(value)),
        Number::Value(_) | Number::Huge => Err(param.codes.over),
    }
}

fn holds(content: Content, bytes: &[u8]) -> bool {
    match content {
        Content::Bytes => true,
        Content::String | Content::Name => text::is_string(bytes),
        Content::Topic => text::is_topic(bytes),
        Content::Filter => text::is_filter(bytes),
    }
}

/// Refuses a text that presupposes another one which is empty.
fn check_needs(param: &Param, value: &Value<'_>, values: &Values<'_>) -> Result<(), Code> {
    match (param.needs, value) {
        (Some((other, code)), Value::Text(text)) if !text.is_empty() && values.text(usize::from(other)).is_empty() => {
            Err(code)
        }
        _ => Ok(()),
    }
}

/// One parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number in its range, typed or by default.
    Int(u32),
    /// A text of allowed length and content, escapes resolved; empty where omitted between commas.
    Text(&'a [u8]),
    /// An optional text that the line does not reach.
    Omitted,
}

/// The parameters of one line, at the positions of their row. What a row promises of a parameter holds of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values<'a>([Value<'a>; MAX_PARAMS]);

impl<'a> Values<'a> {
    /// The value at `position`; [`Value::Omitted`] beyond the row.
    pub fn get(&self, position: usize) -> Value<'a> {
        self.0.get(position).copied().unwrap_or(Value::Omitted)
    }

    /// The number at `position`; 0 where the row has none there.
    pub fn int(&self, position: usize) -> u32 {
        match self.0.get(position) {
            Some(Value::Int(value)) => *value,
            _ => 0,
        }
    }

    /// The text at `position`; empty where omitted or where the row has none there.
    pub fn text(&self, position: usize) -> &'a [u8] {
        match self.0.get(position) {
            Some(Value::Text(text)) => text,
            _ => &[],
        }
    }

    /// The text at `position` where its row makes it an MQTT string; empty for [`Content::Bytes`] that is no UTF-8.
    pub fn str(&self, position: usize) -> &'a str {
        core::str::from_utf8(self.text(position)).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use crate::at::argv::{Scratch, split_decoded};
    use crate::at::command::{COMMANDS, CommandId, LINE_MAX, row};
    use std::format;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    /// Runs all three steps on a board with one link.
    fn parse<R>(id: CommandId, line: &[u8], use_values: impl FnOnce(Values<'_>) -> R) -> Result<R, Code> {
        let mut line = line.to_vec();
        let split = split(row(id), &mut line)?;
        split.link_id(1)?;
        Ok(use_values(split.values()?))
    }

    /// What `line` gives, after `=` and as typed.
    fn typed(id: CommandId, line: &str) -> Result<Vec<String>, Code> {
        parse(id, line.as_bytes(), |values| shown(id, &values))
    }

    fn shown(id: CommandId, values: &Values<'_>) -> Vec<String> {
        let show = |position| match values.get(position) {
            Value::Int(value) => value.to_string(),
            Value::Text(_) => format!("'{}'", values.str(position)),
            Value::Omitted => "-".to_string(),
        };
        (0..row(id).params.len()).map(show).collect()
    }

    fn list(texts: &[&str]) -> Result<Vec<String>, Code> {
        Ok(texts.iter().map(|text| text.to_string()).collect())
    }

    use CommandId::*;

    #[test]
    fn the_documents_examples() {
        assert_eq!(
            typed(UserCfg, r#"0,5,"w800","WinnerMicro","1234567890",0,0,"""#),
            list(&["0", "5", "'w800'", "'WinnerMicro'", "'1234567890'", "0", "0", "''"])
        );
        assert_eq!(
            typed(Alpn, r#"0,2,"mqtt-ca.cn","mqtt-ca.us""#),
            list(&["0", "2", "'mqtt-ca.cn'", "'mqtt-ca.us'", "-", "-", "-"])
        );
        assert_eq!(typed(Conn, r#"0,"192.168.200.2",8883,1"#), list(&["0", "'192.168.200.2'", "8883", "1", "15000"]));
        assert_eq!(
            typed(Pub, r#"0,"topic","\"{\"timestamp\":\"20201121085253\"}\"",0,0"#),
            list(&["0", "'topic'", r#"'"{"timestamp":"20201121085253"}"'"#, "0", "0", "10000"])
        );
    }

    #[test]
    fn the_contracts_example_of_tolerance() {
        let expected = list(&["0", "'t'", r#"'{"a":1,"b":2}'"#, "1", "0", "10000"]);
        assert_eq!(typed(Pub, r#"0,"t","{"a":1,"b":2}",1,0"#), expected);
    }

    #[test]
    fn omitted_parameters_take_their_defaults() {
        let expected = list(&["0", "'t'", "''", "0", "0", "10000"]);
        assert_eq!(typed(Pub, r#"0,"t",,,"#), expected);
        assert_eq!(typed(ConnCfg, "0,,1,,,,"), list(&["0", "0", "1", "''", "''", "0", "0"]));
        assert_eq!(typed(UserCfg, "0,1,,,,,,"), list(&["0", "1", "''", "''", "''", "0", "0", "''"]));
        assert_eq!(typed(Sub, r#"0,"t",,"#), list(&["0", "'t'", "0", "10000"]));
    }

    #[test]
    fn omitted_parameters_without_a_default_are_missing() {
        assert_eq!(typed(UserCfg, "0,,,,,,,"), Err(Code::SchemeReadFailed));
        assert_eq!(typed(ConnCfg, "0,60,,,,,"), Err(Code::DisableCleanSessionReadFailed));
        assert_eq!(typed(Conn, r#"0,"h",,1"#), Err(Code::PortReadFailed));
        assert_eq!(typed(Conn, r#"0,"h",1883,"#), Err(Code::ReconnectReadFailed));
        assert_eq!(typed(Sub, "0,,1"), Err(Code::TopicIsNull));
        assert_eq!(typed(Conn, "0,,1883,1"), Err(Code::HostIsNull));
        assert_eq!(typed(ClientId, "0,"), Err(Code::ClientIdIsNull));
        assert_eq!(typed(Alpn, "0,"), Err(Code::ParamPrepareError));
        assert_eq!(typed(Alpn, r#"0,2,"a","#), Err(Code::NullParameter));
    }

    #[test]
    fn the_link_comes_after_the_count_and_before_the_values() {
        assert_eq!(typed(Pub, "9"), Err(Code::ParameterCountsIsWrong));
        assert_eq!(typed(Pub, "9,,,9,9"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(typed(Pub, ",,,9,9"), Err(Code::LinkIdReadFailed));
        assert_eq!(typed(Clean, ""), Err(Code::LinkIdReadFailed));
        assert_eq!(typed(Clean, "x"), Err(Code::LinkIdReadFailed));
        assert_eq!(typed(Clean, "\"0\""), Err(Code::LinkIdReadFailed));
        assert_eq!(typed(Clean, "-1"), Err(Code::LinkIdReadFailed));
        assert_eq!(typed(Clean, "1"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(typed(Clean, "256"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(typed(Clean, "4294967296"), Err(Code::LinkIdValueIsWrong));
        // An unreadable text waits until link and state are judged.
        assert_eq!(typed(Pub, r#"9,"t","d"#), Err(Code::LinkIdValueIsWrong));
        assert_eq!(typed(Pub, r#"0,"t","d"#), Err(Code::DataReadFailed));
    }

    #[test]
    fn comma_less_forms() {
        for command in [ClientId, Username, Password] {
            let expected = list(&["0", "'i d'"]);
            assert_eq!(typed(command, r#"0"i d""#), expected);
            assert_eq!(typed(command, r#"0,"i d""#), expected);
            let codes = row(command).params.last().unwrap().codes;
            assert_eq!(typed(command, r#"0"""#), Err(codes.under));
            assert_eq!(typed(command, r#"0"i\"d""#), list(&["0", r#"'i"d'"#]));
            assert_eq!(typed(command, r#"1"id""#), Err(Code::LinkIdValueIsWrong));
            assert_eq!(typed(command, r#"x"id""#), Err(Code::LinkIdReadFailed));
        }
    }

    #[test]
    fn types() {
        assert_eq!(typed(Sub, "0,topic,1"), Err(Code::TopicReadFailed));
        assert_eq!(typed(Sub, r#"0,"t","1""#), Err(Code::QosReadFailed));
        assert_eq!(typed(LongPassword, r#"0,"128""#), Err(Code::PasswordReadFailed));
        assert_eq!(typed(Sub, r#"0,"t",+1"#), Err(Code::QosReadFailed));
        assert_eq!(typed(Sub, r#"0,"t",0x1"#), Err(Code::QosReadFailed));
        assert_eq!(typed(Sub, r#"0,"t",99999999999"#), Err(Code::QosValueIsWrong));
        assert_eq!(typed(PubRaw, r#"0,"t",4294967295,0,0"#).map(|_| ()), Ok(()));
        assert_eq!(typed(PubRaw, r#"0,"t",4294967296,0,0"#), Err(Code::PublishLengthValueIsWrong));
        assert_eq!(typed(PubRaw, r#"0,"t",0,0,0"#), Err(Code::PublishLengthValueIsWrong));
    }

    #[test]
    fn contents() {
        assert_eq!(typed(Pub, r#"0,"a/+","d",0,0"#), Err(Code::TopicReadFailed));
        assert_eq!(typed(Pub, r##"0,"#","d",0,0"##), Err(Code::TopicReadFailed));
        assert_eq!(typed(ConnCfg, r#"0,0,0,"a/+","d",0,0"#), Err(Code::LwtTopicReadFailed));
        assert_eq!(typed(Sub, r#"0,"a+",0"#), Err(Code::TopicReadFailed));
        assert_eq!(typed(Sub, r##"0,"a/+/#",0"##).map(|_| ()), Ok(()));
        let bad = b"0,\"\xff\"";
        assert_eq!(parse(ClientId, bad, |_| ()), Err(Code::ClientIdReadFailed));
        assert_eq!(parse(Password, bad, |values| values.text(1).to_vec()), Ok(b"\xff".to_vec()));
    }

    #[test]
    fn a_will_message_needs_a_will_topic() {
        assert_eq!(typed(ConnCfg, r#"0,0,0,"","m",0,0"#), Err(Code::LwtTopicIsNull));
        assert_eq!(typed(ConnCfg, r#"0,0,0,"t","",0,0"#).map(|_| ()), Ok(()));
        assert_eq!(typed(ConnCfg, r#"0,0,0,"","",0,0"#).map(|_| ()), Ok(()));
    }

    #[test]
    fn alpn_counts_its_names() {
        assert_eq!(typed(Alpn, "0,0"), list(&["0", "0", "-", "-", "-", "-", "-"]));
        assert_eq!(typed(Alpn, r#"0,5,"a","b","c","d","e""#).map(|values| values.len()), Ok(7));
        assert_eq!(typed(Alpn, r#"0,5,"a","b","c","d""#), Err(Code::ParameterCountsIsWrong));
        assert_eq!(typed(Alpn, r#"0,0,"a""#), Err(Code::ParameterCountsIsWrong));
        assert_eq!(typed(Alpn, "0,6"), Err(Code::ParameterCountsIsWrong));
        assert_eq!(typed(Alpn, "0,x"), Err(Code::ParamPrepareError));
    }

    /// Arguments of `command` that are right, the parameter at `position` replaced by `text`.
    fn args_with(command: &Command, position: usize, text: &str) -> Vec<String> {
        let given = usize::from(command.required).max(position + 1);
        let mut args: Vec<String> = command.params[..given].iter().map(right).collect();
        if matches!(command.params.get(1).map(|param| param.kind), Some(ParamKind::Count { .. })) {
            args[1] = (given - 2).to_string();
        }
        if let Some((other, _)) = command.params[position].needs {
            args[usize::from(other)] = "t".to_string();
        }
        args[position] = text.to_string();
        args
    }

    fn right(param: &Param) -> String {
        match param.kind {
            ParamKind::LinkId | ParamKind::Count { .. } => "0".to_string(),
            ParamKind::Int { min, .. } => min.to_string(),
            ParamKind::Text { empty: true, .. } => String::new(),
            ParamKind::Text { .. } => "x".to_string(),
        }
    }

    fn decoded(command: &'static Command, args: &[&[u8]]) -> Result<(), Code> {
        let mut scratch = Scratch::new();
        let split = split_decoded(command, args, &mut scratch)?;
        split.link_id(1)?;
        split.values().map(|_| ())
    }

    /// What `args` answer, typed and through a server that decodes, which must agree. `None` where the line has no room
    /// for them.
    fn outcome(command: &'static Command, args: &[String]) -> Option<Result<(), Code>> {
        let quote = |(arg, param): (&String, &Param)| match param.kind {
            ParamKind::Text { .. } => format!("\"{arg}\""),
            _ => arg.clone(),
        };
        let typed: Vec<String> = args.iter().zip(command.params).map(quote).collect();
        let line = typed.join(",");
        if line.len() > LINE_MAX {
            return None;
        }
        let pieces: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        let typed = parse(command.id, line.as_bytes(), |_| ());
        assert_eq!(typed, decoded(command, &pieces), "{line}");
        Some(typed)
    }

    #[test]
    fn every_limit_of_every_row() {
        let mut unreachable = Vec::new();
        for command in &COMMANDS {
            for (position, param) in command.params.iter().enumerate() {
                let answers = |text: &str| outcome(command, &args_with(command, position, text));
                let number = |value: i64| answers(&value.to_string());
                let right = Some(Ok(()));
                let (min, max) = match param.kind {
                    ParamKind::LinkId => (0, 0),
                    ParamKind::Count { max } => {
                        assert_eq!(number(i64::from(max) + 1), Some(Err(param.codes.over)));
                        assert_eq!(answers("x"), Some(Err(param.codes.unreadable)));
                        continue;
                    }
                    ParamKind::Int { min, max, .. } => (i64::from(min), i64::from(max)),
                    ParamKind::Text { max, empty, .. } => {
                        let max = usize::from(max);
                        assert_eq!(answers("x"), right);
                        assert_eq!(answers(""), Some(if empty { Ok(()) } else { Err(param.codes.under) }));
                        match (answers(&"x".repeat(max)), answers(&"x".repeat(max + 1))) {
                            (Some(fits), Some(over)) => {
                                assert_eq!((fits, over), (Ok(()), Err(param.codes.over)))
                            }
                            _ => unreachable.push((command.id, param.name)),
                        }
                        continue;
                    }
                };
                assert_eq!(number(min), right, "{:?} {}", command.id, param.name);
                assert_eq!(number(max), right);
                if min > 0 {
                    assert_eq!(number(min - 1), Some(Err(param.codes.under)));
                }
                assert_eq!(number(max + 1), Some(Err(param.codes.over)));
                assert_eq!(answers("x"), Some(Err(param.codes.unreadable)));
            }
        }
        // Bounded by the line before they are bounded by their row.
        let mut expected =
            vec![(UserCfg, "client_id"), (ClientId, "client_id"), (Username, "username"), (Password, "password")];
        expected.extend([(Alpn, "alpn"); 5]);
        expected.extend([(Sni, "sni"), (Pub, "data")]);
        assert_eq!(unreachable, expected);
    }

    #[test]
    fn every_count_of_every_row() {
        for command in COMMANDS.iter().filter(|command| command.id != Alpn) {
            for count in 1..=MAX_PARAMS + 2 {
                let right: Vec<String> =
                    command.params.iter().map(right).chain(vec!["0".to_string(); 10]).take(count).collect();
                let mut args: Vec<String> = right;
                for (arg, param) in args.iter_mut().zip(command.params) {
                    if matches!(param.kind, ParamKind::Text { .. }) && command.params.len() < count {
                        arg.clear();
                    }
                }
                let pieces: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
                let expected = if command.takes(count) { Ok(()) } else { Err(Code::ParameterCountsIsWrong) };
                assert_eq!(decoded(command, &pieces), expected, "{:?} {count}", command.id);
                let texts = args.iter().enumerate().map(|(position, arg)| {
                    match command.params.get(position).map(|param| param.kind) {
                        Some(ParamKind::Text { .. }) => format!("\"{arg}\""),
                        _ => arg.clone(),
                    }
                });
                let line = texts.collect::<Vec<_>>().join(",");
                assert_eq!(parse(command.id, line.as_bytes(), |_| ()), expected, "{line}");
            }
        }
    }
}
