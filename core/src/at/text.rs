//! What MQTT 3.1.1 allows in a string, a topic name and a topic filter (sections 1.5.3 and 4.7).
//!
//! Pure predicates over bytes. Lengths and emptiness are the command table's business, not this module's.

/// Whether `bytes` may stand in an MQTT string: well-formed UTF-8 (which excludes surrogates) without U+0000.
pub fn is_string(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok() && !bytes.contains(&0)
}

/// Whether `bytes` may name a topic to publish to: a string without wildcards. The empty one passes here.
pub fn is_topic(bytes: &[u8]) -> bool {
    is_string(bytes) && !bytes.iter().any(|byte| matches!(byte, b'+' | b'#'))
}

/// Whether `bytes` is a filter: a string in which `#` is the whole of the last level and `+` the whole of any.
pub fn is_filter(bytes: &[u8]) -> bool {
    let mut levels = bytes.split(|byte| *byte == b'/').peekable();
    while let Some(level) = levels.next() {
        let allowed = match level {
            b"#" => levels.peek().is_none(),
            b"+" => true,
            _ => !level.iter().any(|byte| matches!(byte, b'+' | b'#')),
        };
        if !allowed {
            return false;
        }
    }
    is_string(bytes)
}

/// Where the first quote or backslash is.
pub fn position_of_special(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::{is_filter, is_string, is_topic};

    #[test]
    fn strings() {
        for good in [&b""[..], b"t", "Temperatur/K\u{fc}che".as_bytes(), "\u{10ffff}".as_bytes(), b"\x01"] {
            assert!(is_string(good), "{good:?}");
        }
        for bad in [&b"\0"[..], b"a\0b", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x82"] {
            assert!(!is_string(bad), "{bad:?}");
        }
    }

    #[test]
    fn topics() {
        for good in [&b"a"[..], b"/", b"a/b", b"$SYS/x", b"a b"] {
            assert!(is_topic(good), "{good:?}");
        }
        for bad in [&b"+"[..], b"#", b"a/+", b"a+b", b"a#", b"a\0"] {
            assert!(!is_topic(bad), "{bad:?}");
        }
    }

    /// The examples of sections 4.7.1.2 and 4.7.1.3.
    #[test]
    fn filters() {
        for good in [
            &b"#"[..],
            b"+",
            b"sport/tennis/#",
            b"sport/+",
            b"+/tennis/#",
            b"sport/+/player1",
            b"/+",
            b"+/+",
            b"/",
            b"//",
        ] {
            assert!(is_filter(good), "{good:?}");
        }
        for bad in
            [&b"sport/tennis#"[..], b"sport/tennis/#/ranking", b"sport+", b"##", b"++", b"+a/b", b"#/", b"a/\xff"]
        {
            assert!(!is_filter(bad), "{bad:?}");
        }
    }
}
