//! From the server's `argv` to typed, checked parameters, or the documented code (sections 1 and 3).
//!
//! Three steps, because a link's state is judged between the parameters' number and their values:
//!
//! 1. [`split`]: where the parameters are. Wrong number: 0x6008.
//! 2. [`Split::link_id`]: 0x6010, 0x6011. The caller then asks that link whether the command may run in its state.
//! 3. [`Split::values`]: types, ranges, lengths, contents and defaults, in the order of the row; the first fault answers.
//!
//! The server is closed source and may hand over its arguments in two ways, [`ArgStyle`]; both end in the same
//! values. This module never guesses: what cannot be told apart is an error. It performs nothing and allocates nothing.

use super::code::Code;
use super::command::{Command, Content, Kind, MAX_PARAMS, Param};
use super::quoting::{self, Field, Fields, Form, Number, Reading};
use super::text;

/// Longest command line in bytes; what the server takes in all.
pub const LINE_MAX: usize = 256;

/// What the server leaves of quotes and escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgStyle {
    /// All of them: the arguments joined with commas are the line as it was typed.
    Raw,
    /// Nothing: arguments are texts as they were meant.
    Decoded,
}

/// Room for one line; its contents between two uses mean nothing.
#[derive(Debug)]
pub struct Scratch {
    bytes: [u8; LINE_MAX],
}

impl Scratch {
    /// Room that holds nothing.
    pub const fn new() -> Self {
        Scratch { bytes: [0; LINE_MAX] }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// A line whose number of parameters its command takes; nothing is known about their values.
pub struct Split<'a> {
    row: &'static Command,
    line: &'a mut [u8],
    fields: Fields,
    /// Why the parameters cannot be told apart, for when link and state are judged.
    unclear: Option<Code>,
}

/// Finds the parameters of `row` in `args`, all that stood behind `=`, and copies them to `scratch`.
///
/// Errors: 0x6008 for a wrong number of them, 0x600a where they do not fit a line.
pub fn split<'a>(
    row: &'static Command,
    args: &[&[u8]],
    style: ArgStyle,
    scratch: &'a mut Scratch,
) -> Result<Split<'a>, Code> {
    match style {
        ArgStyle::Raw => split_raw(row, args, scratch),
        ArgStyle::Decoded => split_decoded(row, args, scratch),
    }
}

fn split_raw<'a>(row: &'static Command, args: &[&[u8]], scratch: &'a mut Scratch) -> Result<Split<'a>, Code> {
    let (first, rest) = args.split_first().ok_or(Code::ParameterCountsIsWrong)?;
    let mut end = append(scratch, 0, first)?;
    for arg in rest {
        end = append(scratch, end, b",")?;
        end = append(scratch, end, arg)?;
    }
    let line = scratch.bytes.get_mut(..end).ok_or(Code::ParamPrepareError)?;
    let (fields, unclear) = match quoting::read(row, line) {
        Reading::Clear(fields) => (fields, None),
        Reading::WrongCount => return Err(Code::ParameterCountsIsWrong),
        Reading::Unclear { before, position } => (before, row.params.get(position).map(|param| param.codes.unreadable)),
    };
    Ok(Split { row, line, fields, unclear })
}

fn split_decoded<'a>(row: &'static Command, args: &[&[u8]], scratch: &'a mut Scratch) -> Result<Split<'a>, Code> {
    if let ([arg], true) = (args, row.comma_less)
        && arg.contains(&b'"')
    {
        return split_comma_less(row, arg, scratch);
    }
    let mut fields = Fields::new();
    let mut start = 0;
    for arg in args {
        let end = append(scratch, start, arg)?;
        let field = Field::plain(start, end);
        fields.push(field).map_err(|_| Code::ParameterCountsIsWrong)?;
        start = end;
    }
    let line = scratch.bytes.get_mut(..start).ok_or(Code::ParamPrepareError)?;
    if !quoting::fits(row, line, &fields, fields.len()) {
        return Err(Code::ParameterCountsIsWrong);
    }
    Ok(Split { row, line, fields, unclear: None })
}

/// `0"text"` from a server that decodes: an argument that does not begin with a quote keeps those it has. Whether it
/// keeps the escapes is not known, so that a text with a backslash is refused.
fn split_comma_less<'a>(row: &'static Command, arg: &[u8], scratch: &'a mut Scratch) -> Result<Split<'a>, Code> {
    let mut split = split_raw(row, &[arg], scratch)?;
    if split.line.contains(&b'\\') {
        split.unclear = row.params.last().map(|param| param.codes.unreadable);
    }
    Ok(split)
}

/// Copies `bytes` to position `start`; returns where they end.
fn append(scratch: &mut Scratch, start: usize, bytes: &[u8]) -> Result<usize, Code> {
    let end = start.saturating_add(bytes.len());
    let place = scratch.bytes.get_mut(start..end).ok_or(Code::ParamPrepareError)?;
    place.copy_from_slice(bytes);
    Ok(end)
}

impl<'a> Split<'a> {
    /// The link that the line is for, one of `links`.
    ///
    /// Errors: 0x6010 where it is missing or no number, 0x6011 where there is no such link.
    pub fn link_id(&self, links: u8) -> Result<u8, Code> {
        let number = self.fields.first().and_then(|field| match field.form {
            Form::Quoted => None,
            Form::Bare | Form::Plain => quoting::number(field.of(self.line)),
        });
        match number.ok_or(Code::LinkIdReadFailed)? {
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
        for field in &mut self.fields {
            let content = self.line.get_mut(field.start..field.end);
            if let (Form::Quoted, Some(content)) = (field.form, content) {
                field.end = field.start.saturating_add(quoting::unescape(content));
            }
        }
        let line: &'a [u8] = self.line;
        let mut values = Values { list: [Value::Omitted; MAX_PARAMS], given: self.fields.len() };
        for (position, param) in self.row.params.iter().enumerate() {
            let value = value(param, self.fields.get(position), line)?;
            check_needs(param, &value, &values)?;
            if let Some(place) = values.list.get_mut(position) {
                *place = value;
            }
        }
        Ok(values)
    }
}

fn value<'a>(param: &Param, field: Option<&Field>, line: &'a [u8]) -> Result<Value<'a>, Code> {
    match (param.kind, field) {
        (Kind::Text { .. }, None) => Ok(Value::Omitted),
        (Kind::Text { max, empty, content }, Some(field)) => {
            let text = field.of(line);
            let unquoted = field.form == Form::Bare && !text.is_empty();
            let faults = [
                (unquoted, param.codes.unreadable),
                (text.is_empty() && !empty, param.codes.under),
                (text.len() > usize::from(max), param.codes.over),
                (!holds(content, text), param.codes.unreadable),
            ];
            match faults.iter().find(|(fault, _)| *fault) {
                Some((_, code)) => Err(*code),
                None => Ok(Value::Text(text)),
            }
        }
        (Kind::Int { min, max, default }, field) => int(param, field, line, min, max, default),
        (Kind::Count { max }, field) => int(param, field, line, 0, max, None),
        (Kind::LinkId, field) => int(param, field, line, 0, u32::from(u8::MAX), None),
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
        Some(field) if field.form == Form::Quoted => return Err(param.codes.unreadable),
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
pub struct Values<'a> {
    list: [Value<'a>; MAX_PARAMS],
    given: usize,
}

impl<'a> Values<'a> {
    /// How many parameters the line had, empty ones included.
    pub const fn given(&self) -> usize {
        self.given
    }

    /// The value at `position`; [`Value::Omitted`] beyond the row.
    pub fn get(&self, position: usize) -> Value<'a> {
        self.list.get(position).copied().unwrap_or(Value::Omitted)
    }

    /// The number at `position`; 0 where the row has none there.
    pub fn int(&self, position: usize) -> u32 {
        match self.get(position) {
            Value::Int(value) => value,
            Value::Text(_) | Value::Omitted => 0,
        }
    }

    /// The text at `position`; empty where omitted or where the row has none there.
    pub fn text(&self, position: usize) -> &'a [u8] {
        match self.get(position) {
            Value::Text(text) => text,
            Value::Int(_) | Value::Omitted => &[],
        }
    }

    /// The text at `position` where its row makes it an MQTT string; empty for [`Content::Bytes`] that is no UTF-8.
    pub fn str(&self, position: usize) -> &'a str {
        core::str::from_utf8(self.text(position)).unwrap_or_default()
    }
}

/// What an `AT+MQTTUSERCFG` shows about the server: its four strings have kept their quotes, or not.
///
/// Four quoted strings say [`ArgStyle::Raw`]. Some quoted ones among others may be typed so, with their quotes escaped, or
/// the others miss their quotes: the latter where the server was seen to keep quotes before (`raw_before`). All else says
/// [`ArgStyle::Decoded`].
pub fn learn_style(args: &[&[u8]], raw_before: bool) -> ArgStyle {
    let raw = match args {
        [_, _, client_id, username, password, _, _, path] => {
            let quoted = [client_id, username, password, path].iter().filter(|text| is_quoted(text)).count();
            quoted == 4 || (raw_before && quoted > 0)
        }
        [_, _, first, .., last] => first.starts_with(b"\"") && ends_quoted(last),
        _ => false,
    };
    if raw { ArgStyle::Raw } else { ArgStyle::Decoded }
}

/// Whether `text` begins with a quote and ends with another that is not escaped.
fn is_quoted(text: &[u8]) -> bool {
    matches!(text, [b'"', rest @ ..] if ends_quoted(rest))
}

fn ends_quoted(text: &[u8]) -> bool {
    let Some((b'"', before)) = text.split_last() else {
        return false;
    };
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use crate::at::command::{COMMANDS, CommandId, row};
    use std::format;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    /// Runs all three steps on a board with one link.
    fn parse<R>(
        id: CommandId,
        args: &[&[u8]],
        style: ArgStyle,
        use_values: impl FnOnce(Values<'_>) -> R,
    ) -> Result<R, Code> {
        let mut scratch = Scratch::new();
        let split = split(row(id), args, style, &mut scratch)?;
        split.link_id(1)?;
        Ok(use_values(split.values()?))
    }

    fn raw(id: CommandId, line: &str) -> Result<Vec<String>, Code> {
        parse(id, &[line.as_bytes()], ArgStyle::Raw, |values| shown(id, &values))
    }

    fn decoded(id: CommandId, args: &[&str]) -> Result<Vec<String>, Code> {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        parse(id, &args, ArgStyle::Decoded, |values| shown(id, &values))
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
            raw(UserCfg, r#"0,5,"w800","WinnerMicro","1234567890",0,0,"""#),
            list(&["0", "5", "'w800'", "'WinnerMicro'", "'1234567890'", "0", "0", "''"])
        );
        assert_eq!(
            raw(Alpn, r#"0,2,"mqtt-ca.cn","mqtt-ca.us""#),
            list(&["0", "2", "'mqtt-ca.cn'", "'mqtt-ca.us'", "-", "-", "-"])
        );
        assert_eq!(raw(Conn, r#"0,"192.168.200.2",8883,1"#), list(&["0", "'192.168.200.2'", "8883", "1", "15000"]));
        assert_eq!(
            raw(Pub, r#"0,"topic","\"{\"timestamp\":\"20201121085253\"}\"",0,0"#),
            list(&["0", "'topic'", r#"'"{"timestamp":"20201121085253"}"'"#, "0", "0", "10000"])
        );
    }

    #[test]
    fn the_contracts_example_of_tolerance() {
        let expected = list(&["0", "'t'", r#"'{"a":1,"b":2}'"#, "1", "0", "10000"]);
        assert_eq!(raw(Pub, r#"0,"t","{"a":1,"b":2}",1,0"#), expected);
        assert_eq!(decoded(Pub, &["0", "t", r#"{"a":1,"b":2}"#, "1", "0"]), expected);
    }

    #[test]
    fn raw_pieces_are_joined_as_typed() {
        let pieces: [&[u8]; 6] = [b"0", b"\"t\"", b"\"{\"a\":1", b"\"b\":2}\"", b"1", b"0"];
        let data = parse(Pub, &pieces, ArgStyle::Raw, |values| values.text(2).to_vec());
        assert_eq!(data, Ok(b"{\"a\":1,\"b\":2}".to_vec()));
    }

    #[test]
    fn decoded_pieces_in_excess_never_pass() {
        assert_eq!(decoded(Pub, &["0", "t", "{a:1", "b:2}", "1", "0"]), Err(Code::QosReadFailed));
        assert_eq!(decoded(Pub, &["0", "t", "1", "1", "1", "0"]), Err(Code::ParamPrepareError));
        assert_eq!(decoded(Pub, &["0", "t", "1", "2", "3", "1", "0"]), Err(Code::ParameterCountsIsWrong));
        assert_eq!(decoded(Unsub, &["0", "a", "b"]), Err(Code::ParamPrepareError));
        assert_eq!(decoded(Password, &["0", "a", "b"]), Err(Code::ParameterCountsIsWrong));
    }

    #[test]
    fn omitted_parameters_take_their_defaults() {
        let expected = list(&["0", "'t'", "''", "0", "0", "10000"]);
        assert_eq!(raw(Pub, r#"0,"t",,,"#), expected);
        assert_eq!(decoded(Pub, &["0", "t", "", "", ""]), expected);
        assert_eq!(raw(ConnCfg, "0,,1,,,,"), list(&["0", "0", "1", "''", "''", "0", "0"]));
        assert_eq!(raw(UserCfg, "0,1,,,,,,"), list(&["0", "1", "''", "''", "''", "0", "0", "''"]));
        assert_eq!(raw(Sub, r#"0,"t",,"#), list(&["0", "'t'", "0", "10000"]));
    }

    #[test]
    fn omitted_parameters_without_a_default_are_missing() {
        assert_eq!(raw(UserCfg, "0,,,,,,,"), Err(Code::SchemeReadFailed));
        assert_eq!(raw(ConnCfg, "0,60,,,,,"), Err(Code::DisableCleanSessionReadFailed));
        assert_eq!(raw(Conn, r#"0,"h",,1"#), Err(Code::PortReadFailed));
        assert_eq!(raw(Conn, r#"0,"h",1883,"#), Err(Code::ReconnectReadFailed));
        assert_eq!(raw(Sub, "0,,1"), Err(Code::TopicIsNull));
        assert_eq!(raw(Conn, "0,,1883,1"), Err(Code::HostIsNull));
        assert_eq!(raw(ClientId, "0,"), Err(Code::ClientIdIsNull));
        assert_eq!(raw(Alpn, "0,"), Err(Code::ParamPrepareError));
        assert_eq!(raw(Alpn, r#"0,2,"a","#), Err(Code::NullParameter));
    }

    #[test]
    fn the_link_comes_after_the_count_and_before_the_values() {
        assert_eq!(raw(Pub, "9"), Err(Code::ParameterCountsIsWrong));
        assert_eq!(raw(Pub, "9,,,9,9"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(raw(Pub, ",,,9,9"), Err(Code::LinkIdReadFailed));
        assert_eq!(raw(Clean, ""), Err(Code::LinkIdReadFailed));
        assert_eq!(raw(Clean, "x"), Err(Code::LinkIdReadFailed));
        assert_eq!(raw(Clean, "\"0\""), Err(Code::LinkIdReadFailed));
        assert_eq!(raw(Clean, "-1"), Err(Code::LinkIdReadFailed));
        assert_eq!(raw(Clean, "1"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(raw(Clean, "256"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(raw(Clean, "4294967296"), Err(Code::LinkIdValueIsWrong));
        assert_eq!(parse(Clean, &[], ArgStyle::Raw, |_| ()), Err(Code::ParameterCountsIsWrong));
        assert_eq!(parse(Clean, &[], ArgStyle::Decoded, |_| ()), Err(Code::ParameterCountsIsWrong));
        // An unreadable text waits until link and state are judged.
        assert_eq!(raw(Pub, r#"9,"t","d"#), Err(Code::LinkIdValueIsWrong));
        assert_eq!(raw(Pub, r#"0,"t","d"#), Err(Code::DataReadFailed));
    }

    #[test]
    fn comma_less_forms() {
        for command in [ClientId, Username, Password] {
            let expected = list(&["0", "'i d'"]);
            assert_eq!(raw(command, r#"0"i d""#), expected);
            assert_eq!(raw(command, r#"0,"i d""#), expected);
            assert_eq!(decoded(command, &[r#"0"i d""#]), expected);
            assert_eq!(decoded(command, &["0", "i d"]), expected);
            assert_eq!(decoded(command, &["0id"]), Err(Code::ParameterCountsIsWrong));
            let codes = row(command).params.last().unwrap().codes;
            assert_eq!(raw(command, r#"0"""#), Err(codes.under));
            assert_eq!(raw(command, r#"0"i\"d""#), list(&["0", r#"'i"d'"#]));
            assert_eq!(decoded(command, &[r#"0"i\d""#]), Err(codes.unreadable));
            assert_eq!(raw(command, r#"1"id""#), Err(Code::LinkIdValueIsWrong));
            assert_eq!(raw(command, r#"x"id""#), Err(Code::LinkIdReadFailed));
        }
    }

    #[test]
    fn types() {
        assert_eq!(raw(Sub, "0,topic,1"), Err(Code::TopicReadFailed));
        assert_eq!(raw(Sub, r#"0,"t","1""#), Err(Code::QosReadFailed));
        assert_eq!(raw(Sub, r#"0,"t",+1"#), Err(Code::QosReadFailed));
        assert_eq!(raw(Sub, r#"0,"t",0x1"#), Err(Code::QosReadFailed));
        assert_eq!(raw(Sub, r#"0,"t",99999999999"#), Err(Code::QosValueIsWrong));
        assert_eq!(raw(PubRaw, r#"0,"t",4294967295,0,0"#).map(|_| ()), Ok(()));
        assert_eq!(raw(PubRaw, r#"0,"t",4294967296,0,0"#), Err(Code::PublishLengthValueIsWrong));
        assert_eq!(raw(PubRaw, r#"0,"t",0,0,0"#), Err(Code::PublishLengthValueIsWrong));
    }

    #[test]
    fn contents() {
        assert_eq!(raw(Pub, r#"0,"a/+","d",0,0"#), Err(Code::TopicReadFailed));
        assert_eq!(raw(Pub, r##"0,"#","d",0,0"##), Err(Code::TopicReadFailed));
        assert_eq!(raw(ConnCfg, r#"0,0,0,"a/+","d",0,0"#), Err(Code::LwtTopicReadFailed));
        assert_eq!(raw(Sub, r#"0,"a+",0"#), Err(Code::TopicReadFailed));
        assert_eq!(raw(Sub, r##"0,"a/+/#",0"##).map(|_| ()), Ok(()));
        let bad: [&[u8]; 2] = [b"0", b"\"\xff\""];
        assert_eq!(parse(ClientId, &bad, ArgStyle::Raw, |_| ()), Err(Code::ClientIdReadFailed));
        assert_eq!(parse(Password, &bad, ArgStyle::Raw, |values| values.text(1).to_vec()), Ok(b"\xff".to_vec()));
    }

    #[test]
    fn a_will_message_needs_a_will_topic() {
        assert_eq!(raw(ConnCfg, r#"0,0,0,"","m",0,0"#), Err(Code::LwtTopicIsNull));
        assert_eq!(raw(ConnCfg, r#"0,0,0,"t","",0,0"#).map(|_| ()), Ok(()));
        assert_eq!(raw(ConnCfg, r#"0,0,0,"","",0,0"#).map(|_| ()), Ok(()));
    }

    #[test]
    fn alpn_counts_its_names() {
        assert_eq!(raw(Alpn, "0,0"), list(&["0", "0", "-", "-", "-", "-", "-"]));
        assert_eq!(raw(Alpn, r#"0,5,"a","b","c","d","e""#).map(|values| values.len()), Ok(7));
        assert_eq!(raw(Alpn, r#"0,5,"a","b","c","d""#), Err(Code::ParameterCountsIsWrong));
        assert_eq!(raw(Alpn, r#"0,0,"a""#), Err(Code::ParameterCountsIsWrong));
        assert_eq!(raw(Alpn, "0,6"), Err(Code::ParameterCountsIsWrong));
        assert_eq!(raw(Alpn, "0,x"), Err(Code::ParamPrepareError));
        assert_eq!(decoded(Alpn, &["0", "1", "a", "b"]), Err(Code::ParameterCountsIsWrong));
    }

    #[test]
    fn a_line_too_long_is_refused() {
        let long = [b'0'; LINE_MAX];
        assert_eq!(parse(Clean, &[&long], ArgStyle::Raw, |_| ()), Ok(()));
        assert_eq!(parse(Clean, &[&long, b""], ArgStyle::Raw, |_| ()), Err(Code::ParamPrepareError));
        assert_eq!(parse(Sni, &[&long, b"x"], ArgStyle::Decoded, |_| ()), Err(Code::ParamPrepareError));
    }

    /// Arguments of `command` that are right, the parameter at `position` replaced by `text`.
    fn args_with(command: &Command, position: usize, text: &str) -> Vec<String> {
        let given = usize::from(command.required).max(position + 1);
        let mut args: Vec<String> = command.params[..given].iter().map(right).collect();
        if matches!(command.params.get(1).map(|param| param.kind), Some(Kind::Count { .. })) {
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
            Kind::LinkId | Kind::Count { .. } => "0".to_string(),
            Kind::Int { min, .. } => min.to_string(),
            Kind::Text { empty: true, .. } => String::new(),
            Kind::Text { .. } => "x".to_string(),
        }
    }

    /// What `args` answer in both styles, which must agree. `None` where the line has no room for them.
    fn outcome(command: &Command, args: &[String]) -> Option<Result<(), Code>> {
        let quote = |(arg, param): (&String, &Param)| match param.kind {
            Kind::Text { .. } => format!("\"{arg}\""),
            _ => arg.clone(),
        };
        let typed: Vec<String> = args.iter().zip(command.params).map(quote).collect();
        let line = typed.join(",");
        if line.len() > LINE_MAX {
            return None;
        }
        let pieces: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        let raw = parse(command.id, &[line.as_bytes()], ArgStyle::Raw, |_| ());
        let decoded = parse(command.id, &pieces, ArgStyle::Decoded, |_| ());
        assert_eq!(raw, decoded, "{line}");
        Some(raw)
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
                    Kind::LinkId => (0, 0),
                    Kind::Count { max } => {
                        assert_eq!(number(i64::from(max) + 1), Some(Err(param.codes.over)));
                        assert_eq!(answers("x"), Some(Err(param.codes.unreadable)));
                        continue;
                    }
                    Kind::Int { min, max, .. } => (i64::from(min), i64::from(max)),
                    Kind::Text { max, empty, .. } => {
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
                    if matches!(param.kind, Kind::Text { .. }) && command.params.len() < count {
                        arg.clear();
                    }
                }
                let pieces: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
                let expected = if command.takes(count) { Ok(()) } else { Err(Code::ParameterCountsIsWrong) };
                assert_eq!(parse(command.id, &pieces, ArgStyle::Decoded, |_| ()), expected, "{:?} {count}", command.id);
                let texts = args.iter().enumerate().map(|(position, arg)| {
                    match command.params.get(position).map(|param| param.kind) {
                        Some(Kind::Text { .. }) => format!("\"{arg}\""),
                        _ => arg.clone(),
                    }
                });
                let line = texts.collect::<Vec<_>>().join(",");
                assert_eq!(parse(command.id, &[line.as_bytes()], ArgStyle::Raw, |_| ()), expected, "{line}");
            }
        }
    }

    fn learnt(args: &[&str]) -> ArgStyle {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        learn_style(&args, false)
    }

    #[test]
    fn the_style_is_learnt_from_user_cfg() {
        use ArgStyle::*;
        assert_eq!(learnt(&["0", "1", "\"id\"", "\"u\"", "\"p\"", "0", "0", "\"\""]), Raw);
        assert_eq!(learnt(&["0", "1", "id", "u", "p", "0", "0", ""]), Decoded);
        assert_eq!(learnt(&["0", "1", "", "", "", "0", "0", ""]), Decoded);
        assert_eq!(learnt(&["0", "1", "\"typed so\"", "", "", "0", "0", ""]), Decoded);
        assert_eq!(learnt(&["0", "1", "\"id\"", "u", "p", "0", "0", "/mqtt"]), Decoded);
        assert_eq!(learnt(&["0", "1", "\"i\\\"", "\"u\"", "\"p\"", "0", "0", "/p"]), Decoded);
        assert_eq!(learn_style(&[b"0", b"1", b"id", b"", b"", b"0", b"0", b""], true), Decoded);
        assert_eq!(learn_style(&[b"0", b"1", b"\"id\"", b"", b"", b"0", b"0", b""], true), Raw);
        assert_eq!(learn_style(&[b"0", b"1", b"\"id\"", b"", b"", b"0", b"0", b""], false), Decoded);
        assert_eq!(learnt(&["0", "1", "\"i\\\\\"", "\"u\"", "\"p\"", "0", "0", "\"\""]), Raw);
        assert_eq!(learnt(&["0", "1", "\"", "\"u\"", "\"p\"", "0", "0", "/p"]), Decoded);
        assert_eq!(learnt(&["0", "1", "\"i", "d\"", "\"u\"", "\"p\"", "0", "0", "\"\""]), Raw);
        assert_eq!(learnt(&["0", "1", "i", "d", "u", "p", "0", "0", ""]), Decoded);
        assert_eq!(learnt(&[]), Decoded);
        assert_eq!(learnt(&["0", "1", "\"x\""]), Decoded);
    }
}
