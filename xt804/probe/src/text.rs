//! Formatting, parsing and UTF-8.

use core::fmt::{self, Write};
use core::hint::black_box;

const TEXTS: [&str; 6] =
    ["", "plain", "Grüße, Wörld", "日本語テキスト", "a\u{301}\u{1f600}\n\t\"\\", "  padded\u{a0} "];

const BYTES: [&[u8]; 6] =
    [b"ok", &[0xff], &[0xe2, 0x82], &[0xf0, 0x9f, 0x98, 0x80, 0x80], &[0xc0, 0x80], &[0xed, 0xa0, 0x80, b'x']];

pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    strings(out)?;
    numbers(out)?;
    parsed(out)?;
    for bytes in BYTES.map(black_box) {
        writeln!(out, "utf8 {bytes:x?}: {:?}", core::str::from_utf8(bytes))?;
        for chunk in bytes.utf8_chunks() {
            writeln!(out, "chunk {:?} {:x?}", chunk.valid(), chunk.invalid())?;
        }
    }
    Ok(())
}

fn strings(out: &mut dyn Write) -> fmt::Result {
    for text in TEXTS.map(black_box) {
        writeln!(out, "text {text:?} {} {}", text.len(), text.chars().count())?;
        writeln!(out, "upper {} lower {}", text.to_uppercase(), text.to_lowercase())?;
        writeln!(out, "[{text:>12}] [{text:*^12}] [{text:.3}] {:?}", text.trim())?;
        let mut units = [0; 2];
        for character in text.chars().rev() {
            let wide = character.encode_utf16(&mut units);
            writeln!(out, "{character:?} {:x} {wide:x?} {}", u32::from(character), character.is_alphanumeric())?;
        }
        writeln!(out, "{:?} {:?}", text.find('t'), text.split_once(','))?;
    }
    Ok(())
}

fn numbers(out: &mut dyn Write) -> fmt::Result {
    for number in [0_i32, 1, -1, 42, -12_345, i32::MAX, i32::MIN].map(black_box) {
        writeln!(out, "{number} {number:5} {number:<5}| {number:+} {number:08} {number:#x} {number:#010b} {number:o}")?;
        writeln!(out, "{:e} {:?}", number, Some(Ok::<_, ()>(number)))?;
    }
    writeln!(out, "{:#?}", (1, "two", [Some(3), None]))
}

fn parsed(out: &mut dyn Write) -> fmt::Result {
    for text in ["0", "-1", "+7", "255", "256", "99999999999", "-9223372036854775808", "12x", ""].map(black_box) {
        writeln!(
            out,
            "parse {text:?}: {:?} {:?} {:?} {:?} {:?}",
            text.parse::<u8>(),
            text.parse::<i32>(),
            text.parse::<i64>(),
            text.parse::<u128>(),
            i16::from_str_radix(text, 16),
        )?;
    }
    Ok(())
}
