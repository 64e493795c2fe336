//! What each command does, in words, and examples that the serial tests type and compare byte for byte.

use super::Given;
use w800_mqtt_core::at::CommandId;

/// A command in words.
pub struct About {
    /// What it does, in one paragraph.
    pub does: &'static str,
    /// What it answers besides `OK`, and what else is worth knowing: one item each.
    pub notes: &'static [&'static str],
    /// What may be typed, in this order, and what comes back.
    pub example: Example,
}

/// Lines typed one after the other.
pub struct Example {
    /// What the link must be like before.
    pub given: Given,
    /// What is sent, and the lines that come back: `>` is the prompt, which no line end follows.
    pub steps: &'static [(Send, &'static [&'static str])],
}

/// What the host sends.
pub enum Send {
    /// A command line.
    Line(&'static str),
    /// The bytes of a data phase.
    Data(&'static str),
}

const OK: &[&str] = &["", "OK"];
const PROMPT: &[&str] = &["", "OK", "", ">"];

const fn example(given: Given, steps: &'static [(Send, &'static [&'static str])]) -> Example {
    Example { given, steps }
}

/// The words for `command`.
pub const fn about(command: CommandId) -> About {
    use Given::{Configured, Connected, Fresh};
    use Send::{Data, Line};
    match command {
        CommandId::UserCfg => About {
            does: "Chooses the transport and who the device is to the broker. It comes first on every link; given again \
                   it forgets what CONNCFG, ALPN, SNI and the LONG… commands have set.",
            notes: &[
                "Schemes: 1 TCP; 2–5 TLS; 6 WebSocket; 7–10 WebSocket over TLS. Of 2–5 and 7–10 each, the first verifies \
                 nothing, the second the server's certificate, the third sends the client's, the fourth does both. See \
                 \"TLS, WebSocket and certificates\".",
                "A whole line has 256 bytes, so that a `client_id` of 256 never fits: AT+MQTTLONGCLIENTID takes it.",
                "All four strings stand in quotes, empty ones as `\"\"`.",
                "The query prints a row for a configured link, and only `OK` for one that is not; so do all queries except \
                 `AT+MQTTCONN?`, `AT+MQTTERR?` and `AT+MQTTVER?`. Passwords are printed.",
            ],
            example: example(
                Fresh,
                &[
                    (Line(r#"AT+MQTTUSERCFG=0,1,"w800","WinnerMicro","1234567890",0,0,"""#), OK),
                    (
                        Line("AT+MQTTUSERCFG?"),
                        &[r#"+MQTTUSERCFG:0,1,"w800","WinnerMicro","1234567890",0,0,"""#, "", "OK"],
                    ),
                ],
            ),
        },
        CommandId::ClientId => About {
            does: "Sets the client identifier in place of USERCFG's.",
            notes: &["The comma may be left out, as the older document prints it: `AT+MQTTCLIENTID=0\"w800\"`."],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTCLIENTID=0,"kitchen""#), OK),
                    (Line("AT+MQTTCLIENTID?"), &[r#"+MQTTCLIENTID:0,"kitchen""#, "", "OK"]),
                ],
            ),
        },
        CommandId::Username => About {
            does: "Sets the user name in place of USERCFG's.",
            notes: &["The comma may be left out, as with AT+MQTTCLIENTID."],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTUSERNAME=0,"user""#), OK),
                    (Line("AT+MQTTUSERNAME?"), &[r#"+MQTTUSERNAME:0,"user""#, "", "OK"]),
                ],
            ),
        },
        CommandId::Password => About {
            does: "Sets the password in place of USERCFG's.",
            notes: &[
                "The comma may be left out, as with AT+MQTTCLIENTID.",
                "A password without a user name is refused at CONN: MQTT 3.1.1 knows none.",
            ],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTPASSWORD=0,"se\"cret""#), OK),
                    (Line("AT+MQTTPASSWORD?"), &[r#"+MQTTPASSWORD:0,"se\"cret""#, "", "OK"]),
                ],
            ),
        },
        CommandId::LongClientId => About {
            does: "Sets a client identifier that a line cannot hold: takes it in a data phase.",
            notes: &["Shown by `AT+MQTTCLIENTID?`."],
            example: example(
                Configured,
                &[
                    (Line("AT+MQTTLONGCLIENTID=0,12"), PROMPT),
                    (Data("kitchen/east"), OK),
                    (Line("AT+MQTTCLIENTID?"), &[r#"+MQTTCLIENTID:0,"kitchen/east""#, "", "OK"]),
                ],
            ),
        },
        CommandId::LongUsername => About {
            does: "Sets a user name that a line cannot hold: takes it in a data phase.",
            notes: &["Shown by `AT+MQTTUSERNAME?`."],
            example: example(Configured, &[(Line("AT+MQTTLONGUSERNAME=0,4"), PROMPT), (Data("user"), OK)]),
        },
        CommandId::LongPassword => About {
            does: "Sets a password that a line cannot hold (a token, say): takes it in a data phase.",
            notes: &["Shown by `AT+MQTTPASSWORD?`.", "Any bytes are allowed."],
            example: example(Configured, &[(Line("AT+MQTTLONGPASSWORD=0,6"), PROMPT), (Data("secret"), OK)]),
        },
        CommandId::ConnCfg => About {
            does: "Sets keep alive, session and will. Without it: 120 s, a clean session, no will.",
            notes: &[
                "The query prints these defaults for a link that was configured without it.",
                "A will without a topic is refused; a topic with an empty message is a will of zero length.",
            ],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTCONNCFG=0,60,0,"w800/state","gone",1,1"#), OK),
                    (Line("AT+MQTTCONNCFG?"), &[r#"+MQTTCONNCFG:0,60,0,"w800/state","gone",1,1"#, "", "OK"]),
                ],
            ),
        },
        CommandId::Alpn => About {
            does: "Names the protocols that the TLS handshake offers (ALPN), in order of preference.",
            notes: &[
                "Exactly that many names must follow.",
                "The query prints one row for each name, and none when there are none.",
                "Without TLS it is stored and has no effect.",
            ],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTALPN=0,2,"mqtt-ca.cn","mqtt-ca.us""#), OK),
                    (Line("AT+MQTTALPN?"), &[r#"+MQTTALPN:0,"mqtt-ca.cn""#, r#"+MQTTALPN:0,"mqtt-ca.us""#, "", "OK"]),
                    (Line("AT+MQTTALPN=0,0"), OK),
                ],
            ),
        },
        CommandId::Sni => About {
            does: "Names the server in the TLS handshake (SNI) in place of CONN's host.",
            notes: &["Without TLS it is stored and has no effect."],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTSNI=0,"broker.example""#), OK),
                    (Line("AT+MQTTSNI?"), &[r#"+MQTTSNI:0,"broker.example""#, "", "OK"]),
                    (Line(r#"AT+MQTTSNI=0,"""#), OK),
                ],
            ),
        },
        CommandId::Conn => About {
            does: "Connects to a broker and waits for its CONNACK. `+MQTTCONNECTED` comes before the `OK`.",
            notes: &[
                "A first connection that fails leaves the link in state 1 or 2: correct what is wrong and try again.",
                "`timeout_ms` covers name lookup, TCP, TLS, WebSocket and CONNACK together. It holds for later reconnections \
                 too. A server that is silent for 10 s in the TLS handshake ends the attempt sooner.",
                "`reconnect` 1: a lost connection is made again, see \"Loss and reconnection\". 0: the link stays in \
                 state 3 until CLEAN.",
                "The query always prints a row for each link. What is not known yet is 0 or `\"\"`.",
                "The host is a name or an address: letters, digits and `-`, `.`, `:`, `_`; no `mqtt://`.",
            ],
            example: example(
                Configured,
                &[
                    (
                        Line(r#"AT+MQTTCONN=0,"<host>",<port>,0"#),
                        &[r#"+MQTTCONNECTED:0,1,"<host>",<port>,"",0"#, "", "OK"],
                    ),
                    (Line("AT+MQTTCONN?"), &[r#"+MQTTCONN:0,4,1,"<host>",<port>,"",0"#, "", "OK"]),
                ],
            ),
        },
        CommandId::Pub => About {
            does: "Publishes a message that fits the line.",
            notes: &[
                "`OK` means: written to the network (QoS 0), PUBACK received (1), PUBCOMP received (2).",
                "`timeout_ms` is how long that may take. See \"In flight\" for what becomes of a message after 0x600c.",
                "Data may be empty and need not be UTF-8. It cannot hold NUL, CR or LF: PUBRAW can.",
            ],
            example: example(
                Connected,
                &[
                    (Line(r#"AT+MQTTPUB=0,"topic","\"{\"timestamp\":\"20201121085253\"}\"",0,0"#), OK),
                    (Line(r#"AT+MQTTPUB=0,"topic","21.5",1,1,5000"#), OK),
                    (Line(r#"AT+MQTTPUB=0,"topic","",1,1"#), OK),
                ],
            ),
        },
        CommandId::PubRaw => About {
            does: "Publishes a message of any bytes, at QoS 0 of any length: takes it in a data phase.",
            notes: &[
                "Ends with `+MQTTPUB:OK` or `+MQTTPUB:FAIL` in place of `OK` and `ERROR`. `AT+MQTTERR?` has the code.",
                "At QoS 0 a message of more than 1,024 bytes goes to the network as it is typed, in constant memory, up to what \
                 MQTT can carry (268,435,455 bytes with the topic); a longer one answers 0x604c before the prompt. \
                 If the connection is lost meanwhile, the rest is taken and dropped, then \
                 `+MQTTPUB:FAIL`. If the host gives up in the middle, the packet cannot be completed, and the connection is closed.",
                "A host without flow control keeps to the network's pace when it streams so: the port takes 1,024 bytes ahead of \
                 the network, and what comes while it is full is lost on the line. On a network that keeps up nothing is lost \
                 at 115,200, 921,600 and 2,000,000 baud. For a slower one choose a baud rate below ten times its bytes a \
                 second, or send pieces of at most 1,024 bytes and let each have the time that the network takes for it. \
                 Where bytes were lost the message has no end: 20 s after the last byte comes `+MQTTPUB:FAIL`, and the \
                 connection ends, so that nobody gets a part of it. Send nothing before the result: it would be taken for \
                 what is missing. Messages of up to 1,024 bytes, and those of QoS 1 and 2, wait in memory: nothing of them \
                 is lost at any of these rates.",
                "At QoS 1 and 2 the message is kept until it is confirmed. What does not fit answers 0x6005 before the prompt: \
                 the message and 12 KiB to send it with must be free.",
                "`timeout_ms` begins with the last byte of data.",
            ],
            example: example(
                Connected,
                &[(Line(r#"AT+MQTTPUBRAW=0,"topic",11,1,0"#), PROMPT), (Data("hello world"), &["", "+MQTTPUB:OK"])],
            ),
        },
        CommandId::Sub => About {
            does: "Subscribes to a filter and waits for SUBACK. Messages come as `+MQTTSUBRECV`.",
            notes: &[
                "A filter that is subscribed at the same QoS: `ALREADY SUBSCRIBE`, `OK`; nothing is sent. At another QoS it \
                 is subscribed again.",
                "An 11th filter: `ALREADY FULL SUBSCRIBE`, `ERROR`, without an error code.",
                "The query prints a row for each filter in the order of subscription, with the QoS that the broker granted, \
                 which may be lower than the one asked for.",
            ],
            example: example(
                Connected,
                &[
                    (Line(r#"AT+MQTTSUB=0,"room/+",1"#), OK),
                    (Line(r#"AT+MQTTSUB=0,"room/+",1"#), &["ALREADY SUBSCRIBE", "", "OK"]),
                    (Line("AT+MQTTSUB?"), &[r#"+MQTTSUB:0,6,"room/+",1"#, "", "OK"]),
                ],
            ),
        },
        CommandId::Unsub => About {
            does: "Removes a subscription and waits for UNSUBACK.",
            notes: &[
                "A filter that is not subscribed: `NO UNSUBSCRIBE`, `OK`.",
                "When it fails (0x600e) the subscription stays in the list; try again.",
            ],
            example: example(
                Connected,
                &[
                    (Line(r#"AT+MQTTSUB=0,"topic",0"#), OK),
                    (Line(r#"AT+MQTTUNSUB=0,"topic""#), OK),
                    (Line(r#"AT+MQTTUNSUB=0,"topic""#), &["NO UNSUBSCRIBE", "", "OK"]),
                ],
            ),
        },
        CommandId::Clean => About {
            does: "Ends everything: says DISCONNECT where there is a connection, and gives back socket, task and memory. \
                   The link is in state 0 then.",
            notes: &[
                "The broker publishes no will, and no `+MQTTDISCONNECTED` is printed.",
                "What was in flight is dropped.",
            ],
            example: example(
                Connected,
                &[(Line("AT+MQTTCLEAN=0"), OK), (Line("AT+MQTTCONN?"), &[r#"+MQTTCONN:0,0,0,"",0,"",0"#, "", "OK"])],
            ),
        },
        CommandId::Cert => About {
            does: "An addition to the documents: stores a certificate or key for TLS in non-volatile memory, where it takes \
                   the place of the firmware's own. Takes it in a data phase.",
            notes: &[
                "`kind`: 0 certificates of the authorities to trust, 1 the client's certificate, followed by those between it \
                 and its authority, 2 the client's private key. PEM or DER; several certificates in one PEM text.",
                "It is read before it is stored: what cannot be read answers 0x6022, 0x6024 or 0x6026, and what was stored \
                 stays. Whether a key belongs to the certificate is looked at by CONN.",
                "`length` 0 erases, without a data phase: then the firmware's own is in effect again.",
                "Allowed in every state. A connection that stands is not touched; the next one takes what is stored then.",
                "The query prints a row for each kind in effect, stored or the firmware's: \
                 `+MQTTCERT:<LinkID>,<kind>,<length>,<\"digest\">`, the digest being the first 8 bytes of the SHA-256 of what \
                 was given. Nothing prints a key.",
            ],
            example: example(Fresh, &[(Line("AT+MQTTCERT=0,2,0"), OK), (Line("AT+MQTTCERT?"), OK)]),
        },
        CommandId::LastError => About {
            does: "An addition to the documents: why the last command or connection failed, for a host that got only \
                   `ERROR`, `+MQTTPUB:FAIL` or `+MQTTDISCONNECTED`.",
            notes: &[
                "Row: `+MQTTERR:<LinkID>,<code>,<stage>,<detail>,<\"text\">`, always one for each link.",
                "`code`: the error code as `ERR CODE:` prints it; 0x6051 for a connection that was lost, 0x0000 and stage 0 \
                 when nothing has failed yet.",
                "`stage`: how far things came. 0 the command itself, 1 name lookup, 2 TCP, 3 TLS, 4 WebSocket, 5 MQTT \
                 CONNACK, 6 the MQTT session.",
                "`detail`: at stage 2 lwIP's error number, at stage 3 Mbed TLS's (negative) or its verification flags (1 \
                 expired, 4 name, 8 not trusted, 512 not yet valid; their sum), at stage 4 the HTTP status, at stage 5 the CONNACK return code (1 protocol version, 2 client \
                 identifier, 3 server unavailable, 4 user name or password, 5 not authorised; others as the broker sent them), or lwIP's number \
                 of a connection that ended before it; at stage 6 SUBACK's 128, or the packet identifier of a message that \
                 the broker refuses by closing; 0 when there is no number, as after a time-out.",
                "`text`: one of `command refused`, `name not found`, `name server does not answer`, `no network`, `no memory`, \
                 `not connected`, `no answer`, `closed by the peer before CONNACK`, `connection lost before CONNACK`, `refused \
                 by the broker`, `refused by the broker by closing`, `message not printed: control characters in its topic` (code 0x6041), why TLS or a WebSocket could not be had, or why a connection ended. It is for people; programs read the \
                 numbers.",
                "It stays until the next failure; a command that succeeds does not clear it, nor does CLEAN, nor a command that \
                 answers 0x6051 because the connection was lost.",
            ],
            example: example(
                Configured,
                &[
                    (Line(r#"AT+MQTTCONN=0,"nowhere.invalid",1883,0"#), &["ERR CODE:0x0000600b", "", "ERROR"]),
                    (Line("AT+MQTTERR?"), &[r#"+MQTTERR:0,0x0000600b,1,0,"name not found""#, "", "OK"]),
                ],
            ),
        },
        CommandId::Version => About {
            does: "An addition to the documents: which version of this library the firmware has, and how it was built.",
            notes: &[
                "Row: `+MQTTVER:<\"version\">,<\"options\">,<\"SDK\">`, one whatever the number of links.",
                "`options`: every build option as `NAME=value`, then what follows the SDK's configuration: whether lwIP has IPv6, \
                 whether certificates' dates are looked at, whether `=?` prints usage texts.",
                "`SDK`: whose headers the library was built with.",
            ],
            example: example(
                Fresh,
                &[(
                    Line("AT+MQTTVER?"),
                    &[
                        concat!(
                            "+MQTTVER:\"",
                            env!("CARGO_PKG_VERSION"),
                            "\",\"LINKS=1 ARENA_BYTES=6144 TASK_STACK=8192 TASK_PRIORITY=6 ARGV=line ERROR_LINES=y TLS=y \
                             WEBSOCKET=y ADDITIONS=y IPV6=n DATES=y USAGE=y\",\"WM IoT SDK, commit cf963cd of 2025-05-26\""
                        ),
                        "",
                        "OK",
                    ],
                )],
            ),
        },
    }
}
