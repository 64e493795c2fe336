//! Reads a line as it was typed: where its parameters begin and end (section 1 of the contract, with its tolerant quoting).
//!
//! Two grammars, the second only where the first fails:
//!
//! - **Strict**: parameters stand between commas; a string begins with a quote and ends at the next unescaped one,
//!   which a comma or the end of the line must follow. A line that reads so is read so, and what is wrong with its
//!   number, range or type of parameters is an error, not a reason to look for another reading.
//! - **Tolerant**: a string may hold unescaped quotes and ends at *any* unescaped quote that a comma or the end
//!   follows. Such a reading must fit the command's row: enough parameters, numbers that are numbers. It is taken if
//!   it is the only one.
//!
//! Two rules keep JSON readable in one way. A topic, host or other name ends at the *first* quote before a comma
//! (see [`Content::is_free`](super::command::Content::is_free)): `"t","{"a":"x","b":2}"` is not a topic `t","{"a":"x`.
//! And in a string with unescaped quotes a backslash may be an escape or JSON's own: there only `\,`, which JSON
//! does not have, is an escape; any other makes the line ambiguous, so that `{"a":"x\ny"}` is refused, not altered.
//! With them a payload's end is never in doubt, since only numbers follow it; several readings are left to USERCFG.
//!
//! The search visits each pair of parameter and position once: it is bounded by line length times parameters times
//! line length, without recursion. This module never changes the line and knows nothing of values beyond numbers.

use super::command::{Command, LINE_MAX, MAX_PARAMS, Param, ParamKind};
use super::text;
use heapless::Vec;

/// How a parameter stood on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldForm {
    /// Outside quotes.
    Bare,
    /// Between quotes, without a backslash in it.
    Quoted,
    /// Between quotes, its escapes still in it.
    Escaped,
    /// Decoded by the server, which no longer shows whether there were quotes.
    Plain,
}

impl FieldForm {
    pub(super) const fn has_quotes(self) -> bool {
        matches!(self, FieldForm::Quoted | FieldForm::Escaped)
    }
}

/// One parameter's place, without its quotes: `start..end` lies within the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    start: u16,
    end: u16,
    pub form: FieldForm,
}

impl Field {
    /// The bytes `start..end` of a line.
    pub(super) fn new(start: usize, end: usize, form: FieldForm) -> Self {
        Field { start: narrow(start), end: narrow(end), form }
    }

    pub(super) fn start(&self) -> usize {
        usize::from(self.start)
    }

    pub(super) fn end(&self) -> usize {
        usize::from(self.end)
    }

    /// Only its first `length` bytes are left.
    pub(super) fn shorten(&mut self, length: usize) {
        self.end = narrow(self.start().saturating_add(length));
    }

    pub(super) fn of<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        line.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Where the following parameter starts, if there is one: after the comma, or at the quote that takes its place.
    fn next(&self, line: &[u8]) -> Option<usize> {
        let end = if self.form.has_quotes() { after(self.end()) } else { self.end() };
        line.get(end).map(|byte| if *byte == b',' { after(end) } else { end })
    }
}

/// A line's parameters in order.
pub(super) type Fields = Vec<Field, MAX_PARAMS>;

/// What became of a line.
pub(super) enum Reading {
    /// Read in one way, and so many parameters as the row takes.
    Clear(Fields),
    /// Well-formed, but the wrong number of parameters.
    WrongCount,
    /// Not well-formed from `position` on, and not to be read in exactly one other way. `before` are the
    /// parameters before that.
    Unclear { before: Fields, position: usize },
}

/// Reads `line`, the text after `=`, as a command of `row`.
pub(super) fn read(row: &Command, line: &[u8]) -> Reading {
    let Strict { fields, count, well_formed } = strict(row, line);
    if well_formed {
        if !fits(row, line, &fields, count) {
            return Reading::WrongCount;
        }
        return Reading::Clear(fields);
    }
    match search(row, line) {
        Some(fields) => Reading::Clear(fields),
        None if count >= row.params.len() => Reading::WrongCount,
        None => Reading::Unclear { before: fields, position: count },
    }
}

/// Whether `count` parameters, the first of which are `fields`, are as many as `row` takes.
pub(super) fn fits(row: &Command, line: &[u8], fields: &[Field], count: usize) -> bool {
    row.takes(count) && announced(row, line, fields).is_none_or(|total| total == count)
}

/// How many parameters there must be by a line that counts them itself, if it does and its count is in range.
fn announced(row: &Command, line: &[u8], fields: &[Field]) -> Option<usize> {
    let counts = |param: &Param| matches!(param.kind, ParamKind::Count { .. });
    let position = row.params.iter().position(counts)?;
    let ParamKind::Count { max } = row.params.get(position)?.kind else { return None };
    match number(fields.get(position)?.of(line))? {
        Number::Value(names) if names <= max => Some(usize::try_from(names).ok()?.saturating_add(after(position))),
        _ => None,
    }
}

/// A decimal number as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Value(u32),
    /// Digits, but more than a `u32` holds.
    Huge,
}

/// The number that `text` is: digits only, no sign, no blanks.
pub(super) fn number(text: &[u8]) -> Option<Number> {
    let mut value = 0_u32;
    let mut huge = false;
    if text.is_empty() {
        return None;
    }
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        huge |= value > u32::MAX / 10;
        let (sum, carry) = value.wrapping_mul(10).overflowing_add(u32::from(digit));
        huge |= carry;
        value = sum;
    }
    Some(if huge { Number::Huge } else { Number::Value(value) })
}

/// Resolves the escapes in `text` in place: `\<any>` becomes `<any>`. Returns how much of `text` is left.
pub(super) fn unescape(text: &mut [u8]) -> usize {
    let Some(first) = text.iter().position(|byte| *byte == b'\\') else {
        return text.len();
    };
    let mut read = first;
    let mut written = first;
    while let Some(&byte) = text.get(read) {
        let escaped = (byte == b'\\').then(|| text.get(after(read)).copied()).flatten();
        read = if escaped.is_some() { after(after(read)) } else { after(read) };
        if let Some(place) = text.get_mut(written) {
            *place = escaped.unwrap_or(byte);
        }
        written = after(written);
    }
    written
}

/// An unescaped quote, as [`next_quote`] finds it.
struct Quote {
    position: usize,
    /// Whether a backslash was met on the way.
    escapes: bool,
}

/// The first unescaped quote at or after `from`, which must not be the second half of an escape.
fn next_quote(line: &[u8], from: usize) -> Option<Quote> {
    let mut position = from;
    let mut escapes = false;
    loop {
        position = position.saturating_add(text::position_of_special(line.get(position..)?)?);
        if line.get(position) == Some(&b'"') {
            return Some(Quote { position, escapes });
        }
        escapes = true;
        position = after(after(position));
    }
}

/// The position after `position`, which is one in a line and so never the largest there is.
const fn after(position: usize) -> usize {
    position.wrapping_add(1)
}

/// `position` in two bytes: [`strict`] reads no line that is longer, nor does the tolerant search.
fn narrow(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

/// A string that starts at `start` and whose closing quote is `quote`, if what follows it lets it close there.
fn quoted(line: &[u8], start: usize, quote: &Quote) -> Option<Field> {
    if line.get(after(quote.position)).is_some_and(|byte| *byte != b',') {
        return None;
    }
    let form = if quote.escapes { FieldForm::Escaped } else { FieldForm::Quoted };
    Some(Field::new(after(start), quote.position, form))
}

/// A parameter outside quotes. A quote ends the LinkID of a command that needs no comma there, and is a fault elsewhere.
fn bare(row: &Command, position: usize, line: &[u8], start: usize) -> Option<Field> {
    let rest = line.get(start..)?;
    let length = rest.iter().position(|byte| matches!(byte, b',' | b'"')).unwrap_or(rest.len());
    let end = start.saturating_add(length);
    let ends = match line.get(end) {
        None | Some(b',') => true,
        Some(_) => row.comma_less && position == 0 && length > 0,
    };
    ends.then(|| Field::new(start, end, FieldForm::Bare))
}

/// What the strict grammar makes of a line: all its parameters, or those before the first fault.
struct Strict {
    /// As many as a row may have; what it cannot take is counted, not kept.
    fields: Fields,
    count: usize,
    well_formed: bool,
}

fn strict(row: &Command, line: &[u8]) -> Strict {
    // A field's place has two bytes.
    let well_formed = line.len() < usize::from(u16::MAX);
    let mut read = Strict { fields: Fields::new(), count: 0, well_formed };
    let mut next = well_formed.then_some(0);
    while let Some(start) = next {
        let field = match line.get(start) {
            Some(b'"') => next_quote(line, after(start)).and_then(|quote| quoted(line, start, &quote)),
            _ => bare(row, read.count, line, start),
        };
        let Some(field) = field else {
            read.well_formed = false;
            break;
        };
        let _ = read.fields.push(field);
        read.count = after(read.count);
        next = field.next(line);
    }
    read
}

/// The one reading by the tolerant grammar among all. Where no reading has all numbers in their ranges, the one that
/// would without them, so that the number's own code is the answer.
///
/// Kept apart from the strict grammar: it needs most of the stack that a line takes, and few lines need it.
#[cold]
#[inline(never)]
fn search(row: &Command, line: &[u8]) -> Option<Fields> {
    // What no server takes is not worth the time: the search's bound holds for lines that fit its set of starts.
    if line.len() > LINE_MAX {
        return None;
    }
    for ranges in [true, false] {
        let mut search = Search::new(row, line, ranges);
        match search.run() {
            Ways::One => return Some(search.found),
            Ways::Many => return None,
            Ways::None => {}
        }
    }
    None
}

/// In how many ways a line can be read.
#[derive(Clone, Copy, PartialEq)]
enum Ways {
    None,
    One,
    Many,
}

/// A parameter under trial: its start, and the last end tried.
#[derive(Clone, Copy)]
struct Step {
    start: usize,
    tried: Option<Field>,
    /// Part of a reading that was found.
    fruitful: bool,
}

/// Depth-first search for readings that stops at the second one and never tries a hopeless start again.
struct Search<'l> {
    row: &'l Command,
    line: &'l [u8],
    ranges: bool,
    path: Vec<Step, MAX_PARAMS>,
    hopeless: Starts,
    /// The first reading.
    found: Fields,
}

impl<'l> Search<'l> {
    fn new(row: &'l Command, line: &'l [u8], ranges: bool) -> Self {
        Search { row, line, ranges, path: Vec::new(), hopeless: Starts::default(), found: Fields::new() }
    }

    fn run(&mut self) -> Ways {
        let mut ways = Ways::None;
        self.enter(0);
        while let (Some(step), Ways::None | Ways::One) = (self.path.last().copied(), ways) {
            let position = self.path.len().saturating_sub(1);
            let Some(field) = self.candidate(position, &step) else {
                self.leave(position, &step);
                continue;
            };
            if let Some(step) = self.path.last_mut() {
                step.tried = Some(field);
            }
            match field.next(self.line) {
                Some(start) => self.enter(start),
                None => ways = self.add_reading(ways),
            }
        }
        ways
    }

    /// The path has come to the end of the line: counts it, if the row takes so many parameters.
    fn add_reading(&mut self, ways: Ways) -> Ways {
        let fields: Fields = self.path.iter().filter_map(|step| step.tried).collect();
        if !fits(self.row, self.line, &fields, fields.len()) {
            return ways;
        }
        if ways == Ways::One || fields.iter().any(|field| is_doubtful(self.line, field)) {
            return Ways::Many;
        }
        self.found = fields;
        self.path.iter_mut().for_each(|step| step.fruitful = true);
        Ways::One
    }

    /// Goes on to the parameter that starts at `start`, unless the row has none or nothing came of it before.
    fn enter(&mut self, start: usize) {
        let position = self.path.len();
        if position < self.row.params.len() && !self.hopeless.contains(position, start) {
            let _ = self.path.push(Step { start, tried: None, fruitful: false });
        }
    }

    fn leave(&mut self, position: usize, step: &Step) {
        if !step.fruitful {
            self.hopeless.insert(position, step.start);
        }
        self.path.pop();
    }

    /// The next end that the parameter at `position` may have.
    fn candidate(&self, position: usize, step: &Step) -> Option<Field> {
        let param = self.row.params.get(position)?;
        if self.line.get(step.start) != Some(&b'"') {
            let field = bare(self.row, position, self.line, step.start)?;
            return (step.tried.is_none() && self.may_be_bare(param, &field)).then_some(field);
        }
        let ParamKind::Text { content, .. } = param.kind else {
            return None;
        };
        if step.tried.is_some() && !content.is_free() {
            return None;
        }
        let mut from = after(step.tried.map_or(step.start, |field| field.end()));
        let mut escapes = step.tried.is_some_and(|field| field.form == FieldForm::Escaped);
        while let Some(mut quote) = next_quote(self.line, from) {
            escapes |= quote.escapes;
            quote.escapes = escapes;
            if let Some(field) = quoted(self.line, step.start, &quote) {
                return Some(field);
            }
            from = after(quote.position);
        }
        None
    }

    fn may_be_bare(&self, param: &Param, field: &Field) -> bool {
        let text = field.of(self.line);
        match param.kind {
            _ if !self.ranges => true,
            ParamKind::LinkId => true,
            ParamKind::Text { .. } => text.is_empty(),
            ParamKind::Int { default: Some(_), .. } if text.is_empty() => true,
            ParamKind::Int { min, max, .. } => in_range(text, min, max),
            ParamKind::Count { max } => in_range(text, 0, max),
        }
    }
}

/// Whether `field` has unescaped quotes in it beside a backslash that need not be an escape.
fn is_doubtful(line: &[u8], field: &Field) -> bool {
    let text = field.of(line);
    let mut bytes = text.iter();
    let mut escapes = false;
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            escapes |= bytes.next() != Some(&b',');
        }
    }
    field.form.has_quotes() && escapes && next_quote(text, 0).is_some()
}

fn in_range(text: &[u8], min: u32, max: u32) -> bool {
    matches!(number(text), Some(Number::Value(value)) if (min..=max).contains(&value))
}

/// A set of pairs of parameter and start; a start is at most the line's length.
#[derive(Default)]
struct Starts([[u32; LINE_MAX / 32 + 1]; MAX_PARAMS]);

impl Starts {
    fn contains(&self, position: usize, start: usize) -> bool {
        let word = self.0.get(position).and_then(|words| words.get(start / 32));
        word.is_some_and(|word| word & bit(start) != 0)
    }

    fn insert(&mut self, position: usize, start: usize) {
        if let Some(word) = self.0.get_mut(position).and_then(|words| words.get_mut(start / 32)) {
            *word |= bit(start);
        }
    }
}

const fn bit(start: usize) -> u32 {
    1_u32.rotate_left((start % 32) as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use crate::at::command::{CommandId, row};
    use std::vec::Vec;

    /// The parameters of a clear reading as they stand on the line; otherwise the fault's position.
    fn split(id: CommandId, line: &str) -> Result<Vec<&str>, usize> {
        match read(row(id), line.as_bytes()) {
            Reading::Clear(fields) => {
                Ok(fields.iter().map(|field| core::str::from_utf8(field.of(line.as_bytes())).unwrap()).collect())
            }
            Reading::WrongCount => Err(usize::MAX),
            Reading::Unclear { position, .. } => Err(position),
        }
    }

    const COUNT: Result<Vec<&str>, usize> = Err(usize::MAX);

    #[test]
    fn strict_readings() {
        use CommandId::*;
        assert_eq!(split(Clean, "0"), Ok(["0"].into()));
        assert_eq!(split(Clean, ""), Ok([""].into()));
        assert_eq!(split(Clean, "0,"), COUNT);
        assert_eq!(split(Pub, r#"0,"a,b","c\"d\\",1,0"#), Ok(["0", "a,b", r#"c\"d\\"#, "1", "0"].into()));
        assert_eq!(split(Pub, r#"0,"","",,"#), Ok(["0", "", "", "", ""].into()));
        assert_eq!(split(Alpn, "0,0"), Ok(["0", "0"].into()));
        assert_eq!(split(Alpn, r#"0,2,"a","b""#), Ok(["0", "2", "a", "b"].into()));
    }

    #[test]
    fn comma_less_texts() {
        use CommandId::*;
        assert_eq!(split(ClientId, r#"0"id""#), Ok(["0", "id"].into()));
        assert_eq!(split(ClientId, r#"0"a,"b""#), Ok(["0", r#"a,"b"#].into()));
        assert_eq!(split(ClientId, r#"0"""#), Ok(["0", ""].into()));
        assert_eq!(split(Sni, r#"0"x""#), Err(0));
        assert_eq!(split(ClientId, r#"0"id"#), Err(1));
    }

    #[test]
    fn wrong_counts() {
        use CommandId::*;
        assert_eq!(split(Pub, r#"0,"t","d",1"#), COUNT);
        assert_eq!(split(Pub, r#"0,"t","d",1,0,5000,1"#), COUNT);
        assert_eq!(split(Unsub, r#"0,"a","b","c""#), COUNT);
        assert_eq!(split(Alpn, r#"0,1,"a","b""#), COUNT);
        assert_eq!(split(Alpn, r#"0,2,"a""#), COUNT);
    }

    #[test]
    fn unescaped_json_is_read() {
        for json in [
            r#"{"a":1,"b":2}"#,
            r#"{"a":"x","b":2}"#,
            r#"{"a":"x","b":"y"}"#,
            r#"["a","b",["c",1]]"#,
            r#""hello""#,
            r#""""#,
        ] {
            let line = std::format!("0,\"t\",\"{json}\",1,0");
            assert_eq!(
                split(CommandId::Pub, &line),
                Ok([&"0", &"t", &json, &"1", &"0"].map(|text| *text).into()),
                "{json}"
            );
            let line = std::format!("0,60,0,\"will\",\"{json}\",1,0");
            assert_eq!(split(CommandId::ConnCfg, &line), Ok(["0", "60", "0", "will", json, "1", "0"].into()), "{json}");
        }
        assert_eq!(
            split(CommandId::Pub, r#"0,"t","{"a":1}",,,5000"#),
            Ok(["0", "t", r#"{"a":1}"#, "", "", "5000"].into())
        );
        assert_eq!(split(CommandId::Sub, r#"0,"a"b",1"#), Ok(["0", r#"a"b"#, "1"].into()));
        assert_eq!(
            split(CommandId::UserCfg, r#"0,1,"id","user","pa"ss",0,0,"""#),
            Ok(["0", "1", "id", "user", r#"pa"ss"#, "0", "0", ""].into())
        );
    }

    #[test]
    fn an_escaped_comma_is_an_escape_in_json_too() {
        assert_eq!(
            split(CommandId::Pub, r#"0,"t","{"a":1\,"b":2}",1,0"#),
            Ok(["0", "t", r#"{"a":1\,"b":2}"#, "1", "0"].into())
        );
    }

    #[test]
    fn what_reads_in_several_ways_is_refused() {
        // Which text has the quotes?
        assert_eq!(split(CommandId::UserCfg, r#"0,1,"id","a","b"c","p",0,0,"""#), Err(4));
        assert_eq!(split(CommandId::UserCfg, r#"0,1,"i"d","a","b","p",0,0,"""#), Err(2));
        // Escape or JSON?
        assert_eq!(split(CommandId::Pub, r#"0,"t","{"a":"x\ny"}",1,0"#), Err(2));
        assert_eq!(split(CommandId::Pub, r#"0,"t","{"a":"x\"y"}",1,0"#), Err(2));
        // Well-formed, so not looked at again.
        assert_eq!(split(CommandId::Pub, r#"0,"a","b","c",1,0"#).map(|fields| fields.len()), Ok(6));
    }

    #[test]
    fn what_does_not_read_at_all_is_refused() {
        assert_eq!(split(CommandId::Pub, r#"0,"t","d"#), Err(2));
        assert_eq!(split(CommandId::Pub, r#"0,"t,"d,1,0"#), Err(1));
        assert_eq!(split(CommandId::Pub, r#"0,"t","d\",1,0"#), Err(2));
        assert_eq!(split(CommandId::Clean, r#"0","#), Err(0));
        assert_eq!(split(CommandId::Clean, r#"0,""x"#), COUNT);
    }

    #[test]
    fn a_number_out_of_range_does_not_hide_a_reading() {
        assert_eq!(split(CommandId::Pub, r#"0,"t","{"a":1}",7,0"#), Ok(["0", "t", r#"{"a":1}"#, "7", "0"].into()));
        assert_eq!(split(CommandId::Pub, r#"0,"t","{"a":1}",x,0"#), Ok(["0", "t", r#"{"a":1}"#, "x", "0"].into()));
    }

    #[test]
    fn the_worst_line_is_bounded() {
        let mut line = std::string::String::from("0,1,\"");
        while line.len() < LINE_MAX + 40 {
            line.push_str("\",");
        }
        for command in &crate::at::COMMANDS {
            for end in 0..=line.len() {
                let _ = read(command, line.as_bytes().get(..end).unwrap());
            }
        }
    }

    #[test]
    fn only_the_strict_grammar_reads_more_than_a_line() {
        let long = "x".repeat(LINE_MAX);
        let typed = |data: &str| std::format!("0,\"t\",\"{data}\",1,0");
        assert_eq!(split(CommandId::Pub, &typed(&long)).map(|fields| fields.len()), Ok(5));
        assert_eq!(split(CommandId::Pub, &typed(&std::format!("\"{long}"))), Err(2));
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"0"), Some(Number::Value(0)));
        assert_eq!(number(b"0010"), Some(Number::Value(10)));
        assert_eq!(number(b"4294967295"), Some(Number::Value(u32::MAX)));
        assert_eq!(number(b"4294967296"), Some(Number::Huge));
        assert_eq!(number(b"99999999999999999999"), Some(Number::Huge));
        for text in [&b""[..], b"-1", b"+1", b" 1", b"1 ", b"0x1", b"1a"] {
            assert_eq!(number(text), None);
        }
    }

    #[test]
    fn escapes() {
        for (typed, meant) in [(r"a\\b", r"a\b"), (r#"\"\,\n"#, r#"",n"#), ("plain", "plain"), ("", ""), (r"x\", r"x\")]
        {
            let mut text = Vec::from(typed);
            let length = unescape(&mut text);
            assert_eq!(text.get(..length), Some(meant.as_bytes()));
        }
    }
}
