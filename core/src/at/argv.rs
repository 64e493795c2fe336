//! Parameters from the server's `argv`, for an image whose line does not pass through this library's port (section 8).
//!
//! Such a firmware was built with the option that says how its server hands arguments over, [`ArgStyle`]. Nothing is
//! guessed here. As typed, the arguments are joined to the line again and read like any other. Decoded, they are texts
//! whose quotes nobody can see any more: a text without quotes passes, and a line that the server itself could not
//! split never arrives.

use super::code::Code;
use super::command::{Command, LINE_MAX};
use super::parse::{self, Split};
use super::quoting::{self, Field, FieldForm, Fields};

/// What the server leaves of quotes and escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgStyle {
    /// All of them: the arguments joined with commas are the line as it was typed.
    Raw,
    /// Nothing: arguments are texts as they were meant.
    Decoded,
}

/// Room for the arguments of one line; its contents between two uses mean nothing.
#[derive(Debug)]
pub struct Scratch([u8; LINE_MAX]);

impl Scratch {
    /// Room that holds nothing.
    pub const fn new() -> Self {
        Scratch([0; LINE_MAX])
    }

    /// Copies `bytes` to position `start`; returns where they end.
    fn append(&mut self, start: usize, bytes: &[u8]) -> Result<usize, Code> {
        let end = start.saturating_add(bytes.len());
        self.0.get_mut(start..end).ok_or(Code::ParamPrepareError)?.copy_from_slice(bytes);
        Ok(end)
    }

    fn first(&mut self, length: usize) -> Result<&mut [u8], Code> {
        self.0.get_mut(..length).ok_or(Code::ParamPrepareError)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Finds the parameters of `row` in `args`, all that stood after `=`.
///
/// Errors: 0x6008 for a wrong number of them, 0x600a where they are more than a line can hold.
pub fn split<'a>(
    row: &'static Command,
    args: &[&[u8]],
    style: ArgStyle,
    scratch: &'a mut Scratch,
) -> Result<Split<'a>, Code> {
    match style {
        ArgStyle::Raw => parse::split(row, join(args, scratch)?),
        ArgStyle::Decoded => split_decoded(row, args, scratch),
    }
}

/// The line that a server which keeps quotes and escapes has split into `args`.
///
/// Errors: 0x6008 where there are none, 0x600a where they are more than a line can hold.
pub fn join<'s>(args: &[&[u8]], scratch: &'s mut Scratch) -> Result<&'s mut [u8], Code> {
    let (first, rest) = args.split_first().ok_or(Code::ParameterCountsIsWrong)?;
    let mut end = scratch.append(0, first)?;
    for arg in rest {
        end = scratch.append(end, b",")?;
        end = scratch.append(end, arg)?;
    }
    scratch.first(end)
}

/// Takes each of `args` for a parameter as it was meant.
///
/// Errors: 0x6008 for a wrong number of them, 0x600a where they are more than a line can hold.
pub fn split_decoded<'a>(row: &'static Command, args: &[&[u8]], scratch: &'a mut Scratch) -> Result<Split<'a>, Code> {
    if let ([arg], true) = (args, row.comma_less)
        && arg.contains(&b'"')
    {
        return split_comma_less(row, arg, scratch);
    }
    let mut fields = Fields::new();
    let mut start = 0;
    for arg in args {
        let end = scratch.append(start, arg)?;
        fields.push(Field::new(start, end, FieldForm::Plain)).map_err(|_| Code::ParameterCountsIsWrong)?;
        start = end;
    }
    let line = scratch.first(start)?;
    if !quoting::fits(row, line, &fields, fields.len()) {
        return Err(Code::ParameterCountsIsWrong);
    }
    Ok(Split::clear(row, line, fields))
}

/// `0"text"`: an argument that does not begin with a quote keeps those it has. Whether it keeps the escapes too is not
/// known, so that a text with a backslash is refused.
fn split_comma_less<'a>(row: &'static Command, arg: &[u8], scratch: &'a mut Scratch) -> Result<Split<'a>, Code> {
    let split = parse::split(row, join(&[arg], scratch)?)?;
    Ok(if arg.contains(&b'\\') { split.unreadable_from(1) } else { split })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::command::{CommandId, row};
    use std::vec::Vec;

    /// The texts of `args`' parameters, on a board with one link.
    fn texts(id: CommandId, style: ArgStyle, args: &[&[u8]]) -> Result<Vec<Vec<u8>>, Code> {
        let mut scratch = Scratch::new();
        let split = split(row(id), args, style, &mut scratch)?;
        split.link_id(1)?;
        let values = split.values()?;
        Ok((1..row(id).params.len()).map(|position| values.text(position).to_vec()).collect())
    }

    fn decoded(id: CommandId, args: &[&str]) -> Result<Vec<Vec<u8>>, Code> {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        texts(id, ArgStyle::Decoded, &args)
    }

    use CommandId::*;

    #[test]
    fn raw_pieces_are_joined_as_typed() {
        let pieces: [&[u8]; 6] = [b"0", b"\"t\"", b"\"{\"a\":1", b"\"b\":2}\"", b"1", b"0"];
        let texts = texts(Pub, ArgStyle::Raw, &pieces).unwrap();
        assert_eq!(texts.get(1).unwrap(), b"{\"a\":1,\"b\":2}");
    }

    #[test]
    fn decoded_texts_pass_as_they_are() {
        assert_eq!(decoded(Sni, &["0", "\"a\\"]), Ok([b"\"a\\".to_vec()].into()));
        assert_eq!(decoded(Pub, &["0", "t", r#"{"a":1,"b":2}"#, "1", "0"]).map(|_| ()), Ok(()));
        assert_eq!(decoded(LongPassword, &["0", "128"]).map(|_| ()), Ok(()));
    }

    #[test]
    fn decoded_pieces_in_excess_never_pass() {
        assert_eq!(decoded(Pub, &["0", "t", "{a:1", "b:2}", "1", "0"]), Err(Code::QosReadFailed));
        assert_eq!(decoded(Pub, &["0", "t", "1", "1", "1", "0"]), Err(Code::ParamPrepareError));
        assert_eq!(decoded(Pub, &["0", "t", "1", "2", "3", "1", "0"]), Err(Code::ParameterCountsIsWrong));
        assert_eq!(decoded(Unsub, &["0", "a", "b"]), Err(Code::ParamPrepareError));
        assert_eq!(decoded(Password, &["0", "a", "b"]), Err(Code::ParameterCountsIsWrong));
        assert_eq!(decoded(Alpn, &["0", "1", "a", "b"]), Err(Code::ParameterCountsIsWrong));
    }

    #[test]
    fn comma_less_texts() {
        for command in [ClientId, Username, Password] {
            let codes = row(command).params.last().unwrap().codes;
            assert_eq!(decoded(command, &[r#"0"i d""#]), Ok([b"i d".to_vec()].into()));
            assert_eq!(decoded(command, &["0id"]), Err(Code::ParameterCountsIsWrong));
            assert_eq!(decoded(command, &[r#"0"i\d""#]), Err(codes.unreadable));
        }
    }

    #[test]
    fn no_arguments_are_too_few() {
        for style in [ArgStyle::Raw, ArgStyle::Decoded] {
            assert_eq!(texts(Clean, style, &[]), Err(Code::ParameterCountsIsWrong));
        }
    }

    #[test]
    fn more_than_a_line_holds_is_refused() {
        let long = [b'0'; LINE_MAX];
        assert_eq!(texts(Clean, ArgStyle::Raw, &[&long]), Ok([].into()));
        assert_eq!(texts(Clean, ArgStyle::Raw, &[&long, b""]), Err(Code::ParamPrepareError));
        assert_eq!(texts(Sni, ArgStyle::Decoded, &[&long, b"x"]), Err(Code::ParamPrepareError));
    }
}
