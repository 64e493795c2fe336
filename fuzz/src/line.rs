//! The parser: what it understands holds what the row promises, and means the same when it is written down again.

use w800_mqtt_core::at::argv::{self, ArgStyle, Scratch};
use w800_mqtt_core::at::command::{COMMANDS, Content, Param, ParamKind};
use w800_mqtt_core::at::parse;

#[path = "../../core/tests/owned/mod.rs"]
mod owned;
pub use owned::{Owned, values};

/// Pieces of inputs.
pub const WORDS: &[&[u8]] =
    &[b"0,", b"\"", b"\\\"", b"\\,", b"\\\\", b"\",\"", b",", b"1", b"65535", b"a/b", b"#", b"+", b"\xc3\xbc"];

/// The line that says so in the strictest form.
pub fn written(values: &[Owned]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> =
        given(values).map(|value| if let Owned::Text(text) = value { quoted(text) } else { meant(value) }).collect();
    parts.join(&b","[..])
}

/// What the line reaches.
fn given(values: &[Owned]) -> impl Iterator<Item = &Owned> {
    values.iter().take_while(|value| **value != Owned::Omitted)
}

/// Without quotes and escapes.
fn meant(value: &Owned) -> Vec<u8> {
    match value {
        Owned::Int(value) => value.to_string().into_bytes(),
        Owned::Text(text) => text.clone(),
        Owned::Omitted => Vec::new(),
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let escaped = text.iter().flat_map(|byte| {
        let escape = matches!(byte, b'"' | b'\\' | b',').then_some(b'\\');
        escape.into_iter().chain([*byte])
    });
    [b'"'].into_iter().chain(escaped).chain([b'"']).collect()
}

fn hold(param: &Param, value: &Owned) {
    match (param.kind, value) {
        (ParamKind::LinkId, Owned::Int(link)) => assert_eq!(*link, 0),
        (ParamKind::Int { min, max, .. }, Owned::Int(number)) => assert!((min..=max).contains(number)),
        (ParamKind::Count { max }, Owned::Int(number)) => assert!(*number <= max),
        (ParamKind::Text { max, empty, content }, Owned::Text(text)) => {
            assert!(text.len() <= usize::from(max) && (empty || !text.is_empty()));
            let string = std::str::from_utf8(text).ok().filter(|text| !text.contains('\0'));
            match content {
                Content::Bytes => {}
                Content::Topic => assert!(string.is_some_and(|topic| !topic.contains(['+', '#']))),
                Content::String | Content::Name | Content::Filter => assert!(string.is_some()),
            }
        }
        (ParamKind::Text { .. }, Owned::Omitted) => {}
        (kind, value) => panic!("{kind:?} is {value:?}"),
    }
}

/// As a server splits it that keeps every byte: at commas outside quotes.
fn pieces(line: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut begin, mut inside, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => inside = !inside,
            b',' if !inside => {
                pieces.push(&line[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&line[begin..]);
    pieces
}

/// The first byte chooses the command, the rest is what was typed behind its `=`.
///
/// # Panics
/// A promise is broken.
pub fn run(input: &[u8]) {
    let Some((choice, typed)) = input.split_first() else { return };
    let row = &COMMANDS[usize::from(*choice) % COMMANDS.len()];
    if !row.set() || typed.len() > 250 {
        return;
    }
    let found = values(row, parse::split(row, &mut typed.to_vec()));
    let raw = values(row, argv::split(row, &pieces(typed), ArgStyle::Raw, &mut Scratch::new()));
    assert_eq!(raw, found, "behind a server that splits");
    let Ok(found) = found else { return };
    row.params.iter().zip(&found).for_each(|(param, value)| hold(param, value));
    let decoded: Vec<Vec<u8>> = given(&found).map(meant).collect();
    let decoded: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).collect();
    let by_server = values(row, argv::split(row, &decoded, ArgStyle::Decoded, &mut Scratch::new()));
    assert_eq!(by_server.as_ref(), Ok(&found), "behind a server that decodes");
    let mut again = written(&found);
    assert_eq!(values(row, parse::split(row, &mut again)), Ok(found), "written down again");
}
