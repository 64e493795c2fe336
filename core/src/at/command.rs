//! The command table (section 3 of the contract): names, forms, parameters, limits, defaults and codes, once.
//!
//! The parser walks these rows, the C command table takes names and usage texts from them, the reference page is
//! generated from them and the tests iterate over them. Nothing here knows what a command does.
//!
//! The documents have no codes of their own for `timeout_ms`, ALPN and SNI; they use these:
//!
//! | | unreadable or missing | too small or empty | too large or too long |
//! |---|---|---|---|
//! | `timeout_ms` | 0x600a | 0x600a | 0x600a |
//! | ALPN `count` | 0x600a | | 0x6008: it counts parameters |
//! | ALPN name | 0x600a | 0x6007 | 0x600a |
//! | SNI | 0x600a | (`""` clears) | 0x600a |
//! | CERT `kind` | 0x601d | | 0x601e |
//! | CERT `length` | 0x600a | (0 erases) | 0x6021, 0x6023, 0x6025 by kind |

use super::code::Code;
use core::ffi::CStr;

/// Longest command line in bytes, its end included: what the AT server takes in all.
pub const LINE_MAX: usize = 256;

/// The commands, in the order of [`COMMANDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CommandId {
    /// `AT+MQTTUSERCFG`
    UserCfg,
    /// `AT+MQTTCLIENTID`
    ClientId,
    /// `AT+MQTTUSERNAME`
    Username,
    /// `AT+MQTTPASSWORD`
    Password,
    /// `AT+MQTTLONGCLIENTID`
    LongClientId,
    /// `AT+MQTTLONGUSERNAME`
    LongUsername,
    /// `AT+MQTTLONGPASSWORD`
    LongPassword,
    /// `AT+MQTTCONNCFG`
    ConnCfg,
    /// `AT+MQTTALPN`
    Alpn,
    /// `AT+MQTTSNI`
    Sni,
    /// `AT+MQTTCONN`
    Conn,
    /// `AT+MQTTPUB`
    Pub,
    /// `AT+MQTTPUBRAW`
    PubRaw,
    /// `AT+MQTTSUB`
    Sub,
    /// `AT+MQTTUNSUB`
    Unsub,
    /// `AT+MQTTCLEAN`
    Clean,
    /// `AT+MQTTCERT`, an addition of ours: certificates and keys for TLS
    Cert,
    /// `AT+MQTTERR`, an addition of ours: why the last command or connection failed
    LastError,
    /// `AT+MQTTVER`, an addition of ours: which library this is, and how it was built
    Version,
}

/// What a text may hold besides its length, and how far it reaches where quotes in it were not escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Any bytes: a payload or a password.
    Bytes,
    /// An MQTT string: UTF-8 without NUL.
    String,
    /// An MQTT string that names something (host, path, protocol): never holds an unescaped `",`.
    Name,
    /// A name without wildcards.
    Topic,
    /// A name with valid wildcards.
    Filter,
}

impl Content {
    /// Whether an unescaped `",` may stand inside, so that the string may end at a later quote.
    pub const fn is_free(self) -> bool {
        matches!(self, Content::Bytes | Content::String)
    }
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// The link's number; how many links there are is a build option.
    LinkId,
    /// A decimal number from `min` to `max`.
    Int {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
        /// What an omitted parameter means; without it the parameter must be given.
        default: Option<u32>,
    },
    /// How many of the parameters after it are given: from 0 to `max`, and exactly that many must follow.
    Count {
        /// Largest.
        max: u32,
    },
    /// A text in double quotes.
    Text {
        /// Largest length in bytes, after unescaping.
        max: u16,
        /// Whether it may be empty, which omitted means too.
        empty: bool,
        /// What it may hold.
        content: Content,
    },
}

/// The codes that a parameter's faults answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Missing without a default, no number, not in quotes, or content that is not allowed.
    pub unreadable: Code,
    /// A number below the range; a text that is empty and may not be.
    pub under: Code,
    /// A number above the range; a text that is too long.
    pub over: Code,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Type, range and default.
    pub kind: ParamKind,
    /// Faults.
    pub codes: Codes,
    /// Position of a text that may not be empty unless this one is, and the code for when it is.
    pub needs: Option<(u8, Code)>,
    /// As the documents write it between `<` and `>`. Not in firmware.
    #[cfg(any(test, not(target_os = "none")))]
    pub name: &'static str,
    /// For the reference page: unit, meaning, or why a code was chosen. Not in firmware.
    #[cfg(any(test, not(target_os = "none")))]
    pub note: &'static str,
}

/// A parameter as it is written in the table below: a [`Param`] and what only usage texts and the reference page need.
#[derive(Clone, Copy)]
struct ParamSpec {
    name: &'static str,
    kind: ParamKind,
    codes: Codes,
    needs: Option<(u8, Code)>,
    #[cfg_attr(all(not(test), target_os = "none"), expect(dead_code, reason = "not in firmware"))]
    note: &'static str,
}

impl ParamSpec {
    const fn new(name: &'static str, kind: ParamKind, codes: Codes, note: &'static str) -> Self {
        ParamSpec { name, kind, codes, needs: None, note }
    }

    const fn needs(self, position: u8, code: Code) -> Self {
        ParamSpec { needs: Some((position, code)), ..self }
    }

    const fn is_text(&self) -> bool {
        matches!(self.kind, ParamKind::Text { .. })
    }

    const fn param(&self) -> Param {
        Param {
            kind: self.kind,
            codes: self.codes,
            needs: self.needs,
            #[cfg(any(test, not(target_os = "none")))]
            name: self.name,
            #[cfg(any(test, not(target_os = "none")))]
            note: self.note,
        }
    }
}

/// What the parser needs of `specs`, which are `N`.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated at compile time only, where a fault is a compile error"
)]
const fn params<const N: usize>(specs: &[ParamSpec]) -> [Param; N] {
    const NONE: Param = LINK.param();
    let mut params = [NONE; N];
    let mut position = 0;
    while position < N {
        params[position] = specs[position].param();
        position += 1;
    }
    params
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which one.
    pub id: CommandId,
    /// The whole name, `AT+MQTTPUB`, as the server's table wants it.
    pub name: &'static CStr,
    /// What `=?` prints: one line per form, each ended by CR LF.
    pub usage: &'static CStr,
    /// Has a query form, `?`.
    pub query: bool,
    /// A successful set prints a prompt and takes bytes before its result.
    pub data_phase: bool,
    /// Also takes `0"text"` without the comma, as the older document prints it.
    pub comma_less: bool,
    /// How many of `params` must be given; the rest are optional. Zero parameters: there is no set form.
    pub required: u8,
    /// In their order on the line, the LinkID first.
    pub params: &'static [Param],
}

/// Most parameters a command has.
pub const MAX_PARAMS: usize = 8;

impl Command {
    /// Whether there is a set form.
    pub const fn set(&self) -> bool {
        !self.params.is_empty()
    }

    /// `+MQTT…`, with which the rows of a query begin.
    pub fn row_head(&self) -> &'static [u8] {
        self.name.to_bytes().strip_prefix(b"AT").unwrap_or_default()
    }

    /// Whether so many parameters can be right.
    pub fn takes(&self, count: usize) -> bool {
        (usize::from(self.required)..=self.params.len()).contains(&count)
    }
}

/// The row of `id`.
pub fn row(id: CommandId) -> &'static Command {
    let [first, rest @ ..] = &COMMANDS;
    rest.iter().find(|row| row.id == id).unwrap_or(first)
}

// Parameters, grouped by what the documents name alike.

const fn codes(unreadable: Code, under: Code, over: Code) -> Codes {
    Codes { unreadable, under, over }
}

/// Codes of a number: one for no number, one for a wrong one.
const fn number(unreadable: Code, wrong: Code) -> Codes {
    codes(unreadable, wrong, wrong)
}

const fn int(
    name: &'static str,
    min: u32,
    max: u32,
    default: Option<u32>,
    codes: Codes,
    note: &'static str,
) -> ParamSpec {
    ParamSpec::new(name, ParamKind::Int { min, max, default }, codes, note)
}

const fn text(
    name: &'static str,
    max: u16,
    empty: bool,
    content: Content,
    codes: Codes,
    note: &'static str,
) -> ParamSpec {
    ParamSpec::new(name, ParamKind::Text { max, empty, content }, codes, note)
}

/// No shorter bound than the line's.
const LINE: u16 = LINE_MAX as u16;

const CLIENT_ID: Codes = codes(Code::ClientIdReadFailed, Code::ClientIdIsNull, Code::ClientIdIsOverlength);
const USERNAME: Codes = codes(Code::UsernameReadFailed, Code::UsernameIsNull, Code::UsernameIsOverlength);
const PASSWORD: Codes = codes(Code::PasswordReadFailed, Code::PasswordIsNull, Code::PasswordIsOverlength);
const PATH: Codes = codes(Code::PathReadFailed, Code::PathIsNull, Code::PathIsOverlength);
const LWT_TOPIC: Codes = codes(Code::LwtTopicReadFailed, Code::LwtTopicIsNull, Code::LwtTopicIsOverlength);
const LWT_MSG: Codes = codes(Code::LwtMsgReadFailed, Code::LwtMsgIsNull, Code::LwtMsgIsOverlength);
const HOST: Codes = codes(Code::HostReadFailed, Code::HostIsNull, Code::HostIsOverlength);
const TOPIC: Codes = codes(Code::TopicReadFailed, Code::TopicIsNull, Code::TopicIsOverlength);
const DATA: Codes = codes(Code::DataReadFailed, Code::DataIsNull, Code::DataIsOverlength);
const PREPARE: Code = Code::ParamPrepareError;

const LINK: ParamSpec = ParamSpec::new(
    "LinkID",
    ParamKind::LinkId,
    number(Code::LinkIdReadFailed, Code::LinkIdValueIsWrong),
    "0 in the default build",
);
const LONG_NOTE: &str = "bytes of the data phase; its codes are those of the text that follows";
const TOPIC_NAME: ParamSpec = text("topic", 128, false, Content::Topic, TOPIC, "a wildcard answers as unreadable");
const QOS: ParamSpec = int("qos", 0, 2, Some(0), number(Code::QosReadFailed, Code::QosValueIsWrong), "");
const RETAIN: ParamSpec = int("retain", 0, 1, Some(0), number(Code::RetainReadFailed, Code::RetainValueIsWrong), "");
const TIMEOUT_NOTE: &str = "ms; the documents have no code for it";
const TIMEOUT_CODES: Codes = number(PREPARE, PREPARE);
/// How long an acknowledgement is waited for.
const ACK_TIMEOUT: ParamSpec = int("timeout_ms", 3_000, 60_000, Some(10_000), TIMEOUT_CODES, TIMEOUT_NOTE);
const ALPN: ParamSpec = text(
    "alpn",
    255,
    false,
    Content::Name,
    codes(PREPARE, Code::NullParameter, PREPARE),
    "the documents have no code for it",
);

const USER_CFG_PARAMS: &[ParamSpec] = &[
    LINK,
    int("scheme", 1, 10, None, number(Code::SchemeReadFailed, Code::SchemeValueIsWrong), "transport and certificates"),
    text("client_id", 256, true, Content::String, CLIENT_ID, "empty: the broker assigns one, clean sessions only"),
    text("username", 64, true, Content::String, USERNAME, "empty: none is sent"),
    text("password", 64, true, Content::Bytes, PASSWORD, "empty: none is sent"),
    int("cert_key_ID", 0, 0, Some(0), number(Code::CertKeyIdReadFailed, Code::CertKeyIdValueIsWrong), ""),
    int("CA_ID", 0, 0, Some(0), number(Code::CaIdReadFailed, Code::CaIdValueIsWrong), ""),
    text("path", 32, true, Content::Name, PATH, "resource of the WebSocket; empty means /"),
];

const CONN_CFG_PARAMS: &[ParamSpec] = &[
    LINK,
    int(
        "keepalive",
        0,
        7200,
        Some(0),
        number(Code::KeepaliveReadFailed, Code::KeepaliveValueIsWrong),
        "s; 0 means 120",
    ),
    int(
        "disable_clean_session",
        0,
        1,
        None,
        number(Code::DisableCleanSessionReadFailed, Code::DisableCleanSessionValueIsWrong),
        "",
    ),
    text("lwt_topic", 128, true, Content::Topic, LWT_TOPIC, "empty: no will; a wildcard answers as unreadable"),
    text("lwt_msg", 128, true, Content::Bytes, LWT_MSG, "empty: a will of zero length").needs(3, Code::LwtTopicIsNull),
    int("lwt_qos", 0, 2, Some(0), number(Code::LwtQosReadFailed, Code::LwtQosValueIsWrong), ""),
    int("lwt_retain", 0, 1, Some(0), number(Code::LwtRetainReadFailed, Code::LwtRetainValueIsWrong), ""),
];

const CONN_PARAMS: &[ParamSpec] = &[
    LINK,
    text("host", 128, false, Content::Name, HOST, "name or address"),
    int("port", 1, 65_535, None, number(Code::PortReadFailed, Code::PortValueIsWrong), ""),
    int("reconnect", 0, 1, None, number(Code::ReconnectReadFailed, Code::ReconnectValueIsWrong), ""),
    int("timeout_ms", 3_000, 60_000, Some(15_000), TIMEOUT_CODES, TIMEOUT_NOTE),
];

const PUB_RAW_LENGTH: ParamSpec = int(
    "length",
    1,
    u32::MAX,
    None,
    number(Code::PublishLengthReadFailed, Code::PublishLengthValueIsWrong),
    "bytes; bounded by memory, not here",
);

/// The parts of a row that its usage text is made of.
struct RowSpec {
    name: &'static CStr,
    query: bool,
    required: u8,
    params: &'static [ParamSpec],
}

macro_rules! commands {
    ($($id:ident $name:literal [$($flag:ident)*] $required:literal of $params:expr;)*) => {
        /// Every command. `CommandId as usize` is its row's position.
        pub const COMMANDS: [Command; [$(CommandId::$id),*].len()] = [$({
            const SPEC: RowSpec = RowSpec {
                name: $name,
                query: commands!(@has query $($flag)*),
                required: $required,
                params: $params,
            };
            const USAGE: &[u8] = &usage::<{ usage_len(&SPEC) }>(&SPEC);
            Command {
                id: CommandId::$id,
                name: SPEC.name,
                usage: match CStr::from_bytes_with_nul(USAGE) {
                    Ok(text) => text,
                    Err(_) => c"",
                },
                query: SPEC.query,
                data_phase: commands!(@has data_phase $($flag)*),
                comma_less: commands!(@has comma_less $($flag)*),
                required: SPEC.required,
                params: &params::<{ SPEC.params.len() }>(SPEC.params),
            }
        }),*];
    };
    (@has $wanted:ident) => { false };
    (@has query query $($rest:ident)*) => { true };
    (@has data_phase data_phase $($rest:ident)*) => { true };
    (@has comma_less comma_less $($rest:ident)*) => { true };
    (@has $wanted:ident $other:ident $($rest:ident)*) => { commands!(@has $wanted $($rest)*) };
}

commands! {
    UserCfg c"AT+MQTTUSERCFG" [query] 8 of USER_CFG_PARAMS;
    ClientId c"AT+MQTTCLIENTID" [query comma_less] 2 of
        &[LINK, text("client_id", 256, false, Content::String, CLIENT_ID, "")];
    Username c"AT+MQTTUSERNAME" [query comma_less] 2 of
        &[LINK, text("username", 256, false, Content::String, USERNAME, "")];
    Password c"AT+MQTTPASSWORD" [query comma_less] 2 of
        &[LINK, text("password", 256, false, Content::Bytes, PASSWORD, "")];
    LongClientId c"AT+MQTTLONGCLIENTID" [data_phase] 2 of &[LINK, int("length", 1, 1024, None, CLIENT_ID, LONG_NOTE)];
    LongUsername c"AT+MQTTLONGUSERNAME" [data_phase] 2 of &[LINK, int("length", 1, 1024, None, USERNAME, LONG_NOTE)];
    LongPassword c"AT+MQTTLONGPASSWORD" [data_phase] 2 of &[LINK, int("length", 1, 1024, None, PASSWORD, LONG_NOTE)];
    ConnCfg c"AT+MQTTCONNCFG" [query] 7 of CONN_CFG_PARAMS;
    Alpn c"AT+MQTTALPN" [query] 2 of &[
        LINK,
        ParamSpec::new(
            "alpn_counts",
            ParamKind::Count { max: 5 },
            number(PREPARE, Code::ParameterCountsIsWrong),
            "how many names follow; 0 clears; the documents have no code for it",
        ),
        ALPN, ALPN, ALPN, ALPN, ALPN,
    ];
    Sni c"AT+MQTTSNI" [query] 2 of &[
        LINK,
        text("sni", LINE, true, Content::Name, number(PREPARE, PREPARE), "empty clears; the documents have no code for it"),
    ];
    Conn c"AT+MQTTCONN" [query] 4 of CONN_PARAMS;
    Pub c"AT+MQTTPUB" [] 5 of &[
        LINK,
        TOPIC_NAME,
        text("data", LINE, true, Content::Bytes, DATA, "no bound but the line's"),
        QOS,
        RETAIN,
        ACK_TIMEOUT,
    ];
    PubRaw c"AT+MQTTPUBRAW" [data_phase] 5 of &[LINK, TOPIC_NAME, PUB_RAW_LENGTH, QOS, RETAIN, ACK_TIMEOUT];
    Sub c"AT+MQTTSUB" [query] 3 of &[
        LINK,
        text("topic", 128, false, Content::Filter, TOPIC, "a misplaced wildcard answers as unreadable"),
        QOS,
        ACK_TIMEOUT,
    ];
    Unsub c"AT+MQTTUNSUB" [] 2 of &[LINK, text("topic", 128, false, Content::Name, TOPIC, "a filter"), ACK_TIMEOUT];
    Clean c"AT+MQTTCLEAN" [] 1 of &[LINK];
    Cert c"AT+MQTTCERT" [query data_phase] 3 of &[
        LINK,
        int(
            "kind",
            0,
            2,
            None,
            number(Code::CertKeyIdReadFailed, Code::CertKeyIdValueIsWrong),
            "0 CA certificates, 1 client certificate, 2 client key",
        ),
        int("length", 0, u32::MAX, None, number(PREPARE, PREPARE), "bytes of the data phase, at most 16384; 0 erases"),
    ];
    LastError c"AT+MQTTERR" [query] 0 of &[];
    Version c"AT+MQTTVER" [query] 0 of &[];
}

/// Writes a usage text, or only measures it where `out` is empty; runs while the table is compiled.
struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
}

impl Writer<'_> {
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "evaluated at compile time only, where a fault is a compile error"
    )]
    const fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            if !self.out.is_empty() {
                self.out[self.at] = *byte;
            }
            self.at += 1;
            rest = tail;
        }
    }

    const fn param(&mut self, param: &ParamSpec, optional: bool, first: bool) {
        if optional {
            self.add(b"[");
        }
        if !first {
            self.add(b",");
        }
        self.add(if param.is_text() { b"<\"" } else { b"<" });
        self.add(param.name.as_bytes());
        self.add(if param.is_text() { b"\">" } else { b">" });
        if optional {
            self.add(b"]");
        }
    }

    /// `AT+MQTTSUB=<LinkID>,<"topic">,<qos>[,<timeout_ms>]` and `AT+MQTTSUB?`, where there are such forms.
    #[expect(clippy::arithmetic_side_effects, reason = "evaluated at compile time only")]
    const fn usage(&mut self, row: &RowSpec) {
        if !row.params.is_empty() {
            self.add(row.name.to_bytes());
            self.add(b"=");
            let mut rest = row.params;
            let mut position = 0;
            while let [param, tail @ ..] = rest {
                self.param(param, position >= row.required, position == 0);
                position += 1;
                rest = tail;
            }
            self.add(b"\r\n");
        }
        if row.query {
            self.add(row.name.to_bytes());
            self.add(b"?\r\n");
        }
        self.add(b"\0");
    }
}

const fn usage_len(row: &RowSpec) -> usize {
    let mut writer = Writer { out: &mut [], at: 0 };
    writer.usage(row);
    writer.at
}

const fn usage<const N: usize>(row: &RowSpec) -> [u8; N] {
    let mut out = [0; N];
    let mut writer = Writer { out: &mut out, at: 0 };
    writer.usage(row);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_ids_say() {
        for (position, command) in COMMANDS.iter().enumerate() {
            assert_eq!(command.id as usize, position);
            assert_eq!(row(command.id).name, command.name);
        }
    }

    #[test]
    fn rows_are_sound() {
        for command in &COMMANDS {
            assert!(command.params.len() <= MAX_PARAMS);
            assert!(usize::from(command.required) <= command.params.len());
            assert!(!command.set() || command.params.first().is_some_and(|param| param.kind == ParamKind::LinkId));
            for (position, param) in command.params.iter().enumerate() {
                assert_eq!(position == 0, param.kind == ParamKind::LinkId);
                let optional = position >= usize::from(command.required);
                match param.kind {
                    ParamKind::Int { min, max, default } => {
                        assert!(min <= max);
                        assert!(default.is_none_or(|value| (min..=max).contains(&value)));
                        assert!(!optional || default.is_some());
                    }
                    ParamKind::Count { max } => {
                        assert_eq!(position, 1);
                        assert_eq!(usize::from(command.required), 2);
                        assert_eq!(max as usize, command.params.len() - 2);
                    }
                    ParamKind::Text { .. } => assert!(!optional || command.id == CommandId::Alpn),
                    ParamKind::LinkId => {}
                }
                if let Some((other, _)) = param.needs {
                    assert!(usize::from(other) < position);
                    assert!(
                        command
                            .params
                            .get(usize::from(other))
                            .is_some_and(|param| matches!(param.kind, ParamKind::Text { .. }))
                    );
                }
            }
        }
    }

    #[test]
    fn usage_texts() {
        let usage = |id| row(id).usage.to_str().unwrap();
        assert_eq!(
            usage(CommandId::Pub),
            "AT+MQTTPUB=<LinkID>,<\"topic\">,<\"data\">,<qos>,<retain>[,<timeout_ms>]\r\n"
        );
        assert_eq!(
            usage(CommandId::UserCfg),
            "AT+MQTTUSERCFG=<LinkID>,<scheme>,<\"client_id\">,<\"username\">,<\"password\">,<cert_key_ID>,<CA_ID>,<\"path\">\r\n\
             AT+MQTTUSERCFG?\r\n"
        );
        assert_eq!(
            usage(CommandId::Alpn),
            "AT+MQTTALPN=<LinkID>,<alpn_counts>[,<\"alpn\">][,<\"alpn\">][,<\"alpn\">][,<\"alpn\">][,<\"alpn\">]\r\n\
             AT+MQTTALPN?\r\n"
        );
        assert_eq!(usage(CommandId::Clean), "AT+MQTTCLEAN=<LinkID>\r\n");
    }

    #[test]
    fn row_heads() {
        assert_eq!(row(CommandId::Conn).row_head(), b"+MQTTCONN");
        assert_eq!(row(CommandId::UserCfg).name, c"AT+MQTTUSERCFG");
    }

    #[test]
    fn forms_are_the_contracts() {
        use CommandId::*;
        let with = |has: fn(&Command) -> bool| -> std::vec::Vec<CommandId> {
            COMMANDS.iter().filter(|row| has(row)).map(|row| row.id).collect()
        };
        assert_eq!(
            with(|row| row.query),
            [UserCfg, ClientId, Username, Password, ConnCfg, Alpn, Sni, Conn, Sub, Cert, LastError, Version]
        );
        assert_eq!(with(|row| !row.set()), [LastError, Version]);
        assert_eq!(with(|row| row.data_phase), [LongClientId, LongUsername, LongPassword, PubRaw, Cert]);
        assert_eq!(with(|row| row.comma_less), [ClientId, Username, Password]);
    }
}
