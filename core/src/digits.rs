//! Numbers as digits, without `core::fmt`'s machinery.

/// Digits of the longest decimal number that is written, 2^32 − 1.
const LONGEST_DECIMAL: usize = 10;

/// A number in decimal, without leading zeroes.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    digits: [u8; LONGEST_DECIMAL],
    start: usize,
}

impl Decimal {
    /// `value` in decimal.
    pub fn of(value: u32) -> Self {
        let mut decimal = Self { digits: [b'0'; LONGEST_DECIMAL], start: LONGEST_DECIMAL };
        let mut rest = value;
        for (at, place) in decimal.digits.iter_mut().enumerate().rev() {
            *place = digit(rest % 10);
            decimal.start = at;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        decimal
    }

    /// As bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// The last `N` digits of `value` in lower-case hexadecimal.
pub fn hexadecimal<const N: usize>(value: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    let mut rest = value;
    for place in digits.iter_mut().rev() {
        *place = digit(rest & 0xF);
        rest >>= 4;
    }
    digits
}

/// The digit of a `value` below 16.
fn digit(value: u32) -> u8 {
    let value = value as u8;
    value.wrapping_add(if value < 10 { b'0' } else { b'a' - 10 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        for value in [0, 1, 9, 10, 99, 100, 65_535, 1_000_000_000, u32::MAX] {
            assert_eq!(Decimal::of(value).as_str(), value.to_string());
        }
    }

    #[test]
    fn hexadecimals_have_as_many_digits_as_asked_for() {
        assert_eq!(&hexadecimal::<8>(0x6051), b"00006051");
        assert_eq!(&hexadecimal::<2>(0x1AF), b"af");
    }
}
