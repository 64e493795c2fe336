//! Numbers as digits: the one place where the library writes decimal and hexadecimal.
//!
//! `core::fmt` would bring kilobytes of its own into the firmware. The caller lends the room, of a size that the
//! largest number fits, so that nothing here can fail.

/// Most decimal digits of a `u32`.
pub const DECIMAL_MAX: usize = 10;

/// The decimal digits of `value`, without leading zeros, written into the end of `room`.
pub fn decimal(value: u32, room: &mut [u8; DECIMAL_MAX]) -> &[u8] {
    let mut rest = value;
    let mut leading = room.len();
    for (position, digit) in room.iter_mut().enumerate().rev() {
        *digit = hexadecimal_digit(rest % 10);
        leading = position;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    room.get(leading..).unwrap_or_default()
}

/// As [`decimal`], for whoever needs text.
pub fn decimal_text(value: u32, room: &mut [u8; DECIMAL_MAX]) -> &str {
    core::str::from_utf8(decimal(value, room)).unwrap_or_default()
}

/// All eight hexadecimal digits of `value`, lower case, as `%08x` prints them.
pub fn hexadecimal(value: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = hexadecimal_digit(rest);
        rest >>= 4;
    }
    digits
}

/// The lower-case hexadecimal digit of the low four bits of `value`.
pub const fn hexadecimal_digit(value: u32) -> u8 {
    let [.., low] = value.to_be_bytes();
    match low & 0xf {
        decimal @ 0..=9 => b'0' | decimal,
        letter => b'a'.wrapping_add(letter.wrapping_sub(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn decimals() {
        for value in [0, 7, 9, 10, 99, 100, 1883, 65_535, 1_000_000_000, u32::MAX] {
            let mut room = [b'x'; DECIMAL_MAX];
            assert_eq!(decimal_text(value, &mut room), format!("{value}"));
            assert_eq!(decimal(value, &mut room), format!("{value}").as_bytes());
        }
    }

    #[test]
    fn hexadecimals() {
        for value in [0, 9, 10, 0x6011, 0x0123_4567, 0x89ab_cdef, u32::MAX] {
            assert_eq!(&hexadecimal(value), format!("{value:08x}").as_bytes());
        }
    }
}
