//! What of a line on the serial port may be shown.
//!
//! A password is hidden before anything is recorded. What cannot be read with certainty is hidden too: a line that is
//! no command may be the rest of a password, a parameter that is not where it belongs may be one, and so may be anything
//! in a line where a second command seems to stand.

use super::event::visible;

/// In place of what is hidden.
const HIDDEN: &str = "•••";
const LINE_BYTES: usize = 256;

/// Parameters that one command has: of which kind each must be to be shown, `s` a quoted string, `n` a number, `p` a
/// password.
struct Secretive {
    name: &'static str,
    parameters: &'static str,
}

const SECRETIVE: [Secretive; 3] = [
    Secretive { name: "+MQTTUSERCFG", parameters: "nnsspnns" },
    Secretive { name: "+MQTTPASSWORD", parameters: "np" },
    Secretive { name: "+CWJAP", parameters: "sp" },
];

/// Commands without a secret among their parameters.
const OPEN: [&str; 31] = [
    "",
    "E0",
    "E1",
    "+GMR",
    "+RST",
    "+CWMODE",
    "+CWQAP",
    "+CIPSNTPCFG",
    "+CIPSNTPTIME",
    "+SYSHEAP",
    "+SYSHEAPBY",
    "+SYSHEAPFAIL",
    "+SYSCPU",
    "+SYSTASKS",
    "+MQTTCLIENTID",
    "+MQTTUSERNAME",
    "+MQTTLONGCLIENTID",
    "+MQTTLONGUSERNAME",
    "+MQTTLONGPASSWORD",
    "+MQTTCONNCFG",
    "+MQTTALPN",
    "+MQTTSNI",
    "+MQTTCONN",
    "+MQTTPUB",
    "+MQTTPUBRAW",
    "+MQTTSUB",
    "+MQTTUNSUB",
    "+MQTTCLEAN",
    "+MQTTCERT",
    "+MQTTERR",
    "+MQTTVER",
];

/// How the name of a command ends that takes a secret, where it seems to be the second in a line.
const TAKES_SECRET: [&str; 5] = ["PASSWORD", "USERCFG", "CWJAP", "CWSAP", "CERT"];

/// Data that a line announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Bytes.
    pub length: usize,
    /// Whether they may be shown.
    pub open: bool,
    /// Whether a second `OK` or `ERROR` follows them.
    pub answers_twice: bool,
}

/// Commands with a data phase: which parameter is its length, whether the data may be shown, whether a second answer
/// follows it.
const DATA: [(&str, usize, bool, bool); 5] = [
    ("+MQTTPUBRAW", 2, true, false),
    ("+MQTTLONGCLIENTID", 1, true, true),
    ("+MQTTLONGUSERNAME", 1, true, true),
    ("+MQTTLONGPASSWORD", 1, false, true),
    ("+MQTTCERT", 2, false, true),
];

/// The data that a command's parameters announce.
fn announced(name: &str, parameters: &[u8]) -> Option<Announced> {
    let (_, place, open, answers_twice) = *DATA.iter().find(|(known, ..)| *known == name)?;
    let digits = *split(parameters)?.get(place)?;
    let length = std::str::from_utf8(digits).ok()?.parse().ok().filter(|length| *length > 0)?;
    Some(Announced { length, open, answers_twice })
}

/// A command line as it may be shown, and the data that it announces.
pub fn command(line: &[u8]) -> (String, Option<Announced>) {
    let (name, rest) = line.split_at(line.iter().position(|byte| b"?=".contains(byte)).unwrap_or(line.len()));
    let upper = String::from_utf8_lossy(name).to_ascii_uppercase();
    let Some(known) = upper.strip_prefix("AT") else {
        return (format!("(no command, {} bytes)", line.len()), None);
    };
    let second = has_second(rest);
    let shown = if second && is_name(known) {
        format!("{upper}={HIDDEN} (perhaps two commands, {} bytes)", line.len())
    } else if OPEN.contains(&known) && !second || matches!(rest, b"" | b"?" | b"=?") && is_name(known) {
        visible(line, LINE_BYTES)
    } else if let Some(row) = SECRETIVE.iter().find(|row| row.name == known) {
        format!("{upper}={}", parameters(row, rest.get(1..).unwrap_or_default()))
    } else if is_name(known) {
        format!("{upper}={HIDDEN} (unknown command, {} bytes)", line.len())
    } else {
        format!("(no command, {} bytes)", line.len())
    };
    let announced = rest.strip_prefix(b"=").and_then(|parameters| announced(known, parameters));
    (shown, announced.map(|announced| Announced { open: announced.open && !second, ..announced }))
}

/// A line that the board prints, as it may be shown.
pub fn printed(line: &[u8]) -> String {
    let row = SECRETIVE.iter().find_map(|row| {
        let rest = line.strip_prefix(row.name.as_bytes())?.strip_prefix(b":")?;
        Some(format!("{}:{}", row.name, parameters(row, rest)))
    });
    // The echo of a command is not always whole.
    row.unwrap_or_else(|| match line.get(..2) {
        Some(front) if front.eq_ignore_ascii_case(b"AT") => command(line).0,
        _ => visible(line, LINE_BYTES),
    })
}

fn is_name(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|name| name.len() <= 24 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether a command that takes a secret may stand behind the name of the first.
fn has_second(rest: &[u8]) -> bool {
    let mut before: Vec<&[u8]> = rest.split(|byte| *byte == b'=').map(<[u8]>::trim_ascii_end).collect();
    before.pop();
    before.iter().any(|text| TAKES_SECRET.iter().any(|name| ends_with(text, name.as_bytes())))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let start = text.len().checked_sub(end.len());
    start.and_then(|start| text.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// With its passwords hidden, or all of it where it is not what was expected.
fn parameters(row: &Secretive, text: &[u8]) -> String {
    let Some(split) = split(text).filter(|split| split.len() == row.parameters.len()) else {
        return HIDDEN.to_owned();
    };
    let shown: Option<Vec<String>> =
        split.iter().zip(row.parameters.bytes()).map(|(text, kind)| show(text, kind)).collect();
    shown.map_or_else(|| HIDDEN.to_owned(), |shown| shown.join(","))
}

fn show(text: &[u8], kind: u8) -> Option<String> {
    let fits = match kind {
        b'n' => text.iter().all(u8::is_ascii_digit),
        b's' => text.is_empty() || text.starts_with(b"\""),
        _ => return Some(if matches!(text, b"" | b"\"\"") { visible(text, 2) } else { format!("\"{HIDDEN}\"") }),
    };
    fits.then(|| visible(text, LINE_BYTES))
}

/// At the commas; `None` where a quoted string does not end before one.
fn split(text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parameters = Vec::new();
    let mut rest = text;
    loop {
        let length = parameter_length(rest)?;
        let (parameter, behind) = rest.split_at_checked(length)?;
        parameters.push(parameter);
        match behind.split_first() {
            None => return Some(parameters),
            Some((_, next)) => rest = next,
        }
    }
}

fn parameter_length(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        let length = text.iter().position(|byte| *byte == b',').unwrap_or(text.len());
        return (!text.get(..length)?.contains(&b'"')).then_some(length);
    }
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let length = at.saturating_add(1);
                return matches!(text.get(length), None | Some(b',')).then_some(length);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_the_rest_is_not() {
        for (line, expected) in [
            (r#"AT+MQTTUSERCFG=0,1,"id","me","pa,\"ss",0,0,"/p""#, r#"AT+MQTTUSERCFG=0,1,"id","me","•••",0,0,"/p""#),
            (r#"AT+MQTTUSERCFG=0,1,"id","","",0,0,"""#, r#"AT+MQTTUSERCFG=0,1,"id","","",0,0,"""#),
            (r#"at+mqttpassword=0,"pass""#, r#"AT+MQTTPASSWORD=0,"•••""#),
            (r#"AT+CWJAP="net","pass""#, r#"AT+CWJAP="net","•••""#),
            (r#"AT+MQTTPUB=0,"t","{"a":1}",1,0"#, r#"AT+MQTTPUB=0,"t","{"a":1}",1,0"#),
            (r#"AT+MQTTPUB=0,"cert","password a=b",1,0"#, r#"AT+MQTTPUB=0,"cert","password a=b",1,0"#),
            ("AT+MQTTLONGPASSWORD=0,5", "AT+MQTTLONGPASSWORD=0,5"),
            ("AT+MQTTPASSWORD?", "AT+MQTTPASSWORD?"),
            ("AT+MQTTUSERCFG=?", "AT+MQTTUSERCFG=?"),
            ("AT", "AT"),
        ] {
            assert_eq!(command(line.as_bytes()).0, expected);
        }
    }

    #[test]
    fn what_is_not_certain_is_hidden() {
        for line in [
            r#"AT+MQTTUSERCFG=0,1,"id","me","secret"#,
            r#"AT+MQTTUSERCFG=0,1,"id","me"x,"secret",0,0,"""#,
            r#"AT+MQTTUSERCFG=0,1,id,m,e,secret,0,0"#,
            r#"AT+MQTTUSERCFG=0,1,"id","m","e","secret",0,0,"""#,
            r#"AT+MQTTUSERCFG="secret""#,
            r#"AT+MQTTPASSWORD=0"secret""#,
            r#"AT+MQTTPASSWORD=0,secret,secret"#,
            r#"AT+CWJAP=net,secret"#,
            r#"AT+MQTTPASWORD=0,"secret""#,
            r#"AT+MQTTCLIENTID=0,"x" AT+MQTTPASSWORD=0,"secret""#,
            r#"AT+MQTTUSERNAME=0;"u";AT+MQTTPASSWORD=0,"secret""#,
            r#"AT+MQTTUSERNAME=0,"u"at+mqttpassword = 0,"secret""#,
            r#"AT+MQTTUSERCFG=0,1,"AT+MQTTPASSWORD=0,secret","","",0,0,"""#,
            r#"AT+MQTTCLIENTID?AT+MQTTUSERCFG=0,1,"id","me","secret",0,0,"""#,
            r#"AT+MQTTPUBRAW=0,"t",9,0,0AT+CWJAP="net","secret""#,
            "AT=AT+MQTTLONGPASSWORD=0,6secret",
            r#"AT+MQTTSNI=0,""AT+MQTTCERT=0,2,6 secret"#,
            r#"AT+RST AT+MQTTPASSWORD=0,"secret""#,
            "ATsecret",
            "secret",
            "",
        ] {
            assert!(!command(line.as_bytes()).0.contains("secret"), "{line}");
        }
    }

    #[test]
    fn so_are_answers() {
        let row = br#"+MQTTUSERCFG:0,1,"id","me","pa\"ss",0,0,"/""#;
        assert_eq!(printed(row), r#"+MQTTUSERCFG:0,1,"id","me","•••",0,0,"/""#);
        assert_eq!(printed(br#"+MQTTPASSWORD:0,"pass""#), r#"+MQTTPASSWORD:0,"•••""#);
        assert_eq!(printed(b"+MQTTDISCONNECTED:0"), "+MQTTDISCONNECTED:0");
    }

    #[test]
    fn only_some_data_is_shown() {
        let data = |length, open, answers_twice| Some(Announced { length, open, answers_twice });
        for (line, announced) in [
            ("AT+MQTTPUBRAW=0,\"t,9\",5,0,0", data(5, true, false)),
            ("at+mqttpubraw=0,\"t\",0,0,0", None),
            ("AT+MQTTLONGUSERNAME=0,5", data(5, true, true)),
            ("AT+MQTTLONGPASSWORD=0,5", data(5, false, true)),
            ("AT+MQTTCERT=0,2,500", data(500, false, true)),
            ("AT+MQTTPUBRAW=0,\"t\",5,0,0 AT+MQTTLONGPASSWORD=0,5", data(5, false, false)),
            ("AT+MQTTCERT?", None),
            ("data", None),
        ] {
            assert_eq!(command(line.as_bytes()).1, announced, "{line}");
        }
    }
}
