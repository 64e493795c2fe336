//! How each error code is raised, or why it is not: exact inputs, which the serial tests type (AT contract §7).

use super::Given;
use w800_mqtt_core::at::Code;

/// Input that raises a code.
pub struct Way {
    /// What the link and its broker must be like before.
    pub given: Given,
    /// Typed in this order; the last answers the code, those before it `OK`.
    pub lines: &'static [&'static str],
    /// Bytes sent behind the prompt of the last line, which answers the code then.
    pub data: Option<&'static str>,
}

/// What becomes of a code.
pub enum Fate {
    /// It is raised.
    Raised {
        /// When, in a few words.
        when: &'static str,
        /// Each of these raises it.
        ways: Vec<Way>,
    },
    /// It is never raised here, for this reason.
    Reserved(&'static str),
}

const CONN: &str = r#"AT+MQTTCONN=0,"<host>",<port>,0"#;

const fn way(given: Given, lines: &'static [&'static str]) -> Way {
    Way { given, lines, data: None }
}

const fn with_data(given: Given, lines: &'static [&'static str], data: &'static str) -> Way {
    Way { given, lines, data: Some(data) }
}

fn raised<const N: usize>(when: &'static str, ways: [Way; N]) -> Fate {
    Fate::Raised { when, ways: Vec::from(ways) }
}

/// What becomes of `code`.
pub fn fate(code: Code) -> Fate {
    use Fate::Reserved;
    use Given::*;
    match code {
        // The state of the link.
        Code::NoConfigured => raised(
            "USERCFG comes first",
            [
                way(Fresh, &[r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
                way(Fresh, &[r#"AT+MQTTCONNCFG=0,60,0,"","",0,0"#]),
                way(Fresh, &[r#"AT+MQTTCLIENTID=0,"id""#]),
            ],
        ),
        Code::NotInConfiguredState => raised(
            "the connection was lost: only CLEAN leads out of state 3",
            [
                way(Lost, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,0,"""#]),
                way(Lost, &[r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
            ],
        ),
        Code::UninitiatedOrAlreadyClean => raised(
            "there is nothing to use or to clean",
            [way(Fresh, &["AT+MQTTCLEAN=0"]), way(Fresh, &[r#"AT+MQTTPUB=0,"t","x",0,0"#])],
        ),
        Code::AlreadyConnected => raised(
            "a connected link cannot be configured or connected",
            [
                way(Connected, &[r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
                way(Connected, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,0,"""#]),
            ],
        ),
        Code::InDisconnectedState => raised(
            "nothing can be sent without a connection",
            [way(Configured, &[r#"AT+MQTTPUB=0,"t","x",0,0"#]), way(Lost, &[r#"AT+MQTTSUB=0,"t",0"#])],
        ),
        // Memory and the SDK.
        Code::MallocFailed => raised(
            "what is to be sent does not fit the memory that is free",
            [way(Connected, &[r#"AT+MQTTPUBRAW=0,"t",300000,1,0"#])],
        ),
        Code::NullLink => Reserved("a LinkID in the range always has its link; one out of the range answers 0x6011"),
        Code::CreateSemaFailed => raised(
            "the first MQTT command after a reset finds no memory for the SDK's semaphores",
            [way(NoMemory, &["AT+MQTTCONN?"])],
        ),
        Code::CreateEventGroupFailed => Reserved("no event group is used: one semaphore wakes the command that waits"),
        // The line as a whole.
        Code::NullParameter => raised("an ALPN name is empty", [way(Configured, &[r#"AT+MQTTALPN=0,1,"""#])]),
        Code::ParameterCountsIsWrong => raised(
            "wrong number of parameters, or a form that the command does not have",
            [
                way(Fresh, &["AT+MQTTCLEAN"]),
                way(Fresh, &["AT+MQTTPUB?"]),
                way(Fresh, &["AT+MQTTCLEAN=0,0"]),
                way(Configured, &[r#"AT+MQTTALPN=0,2,"a""#]),
                way(Configured, &[r#"AT+MQTTALPN=0,6,"a","b","c","d","e""#]),
            ],
        ),
        Code::ParamPrepareError => raised(
            "a parameter that the documents have no code for (`timeout_ms`, `alpn_counts`, `alpn`, `sni`), or strings \
             that cannot be told apart",
            [
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",<port>,0,2999"#]),
                way(Connected, &[r#"AT+MQTTPUB=0,"t","x",1,0,60001"#]),
                way(Configured, &[r#"AT+MQTTALPN=0,x"#]),
                way(Configured, &["AT+MQTTSNI=0,\"\u{ff}\""]),
            ],
        ),
        Code::LinkIdReadFailed => raised(
            "the LinkID is missing or no number",
            [way(Fresh, &["AT+MQTTCLEAN=x"]), way(Fresh, &["AT+MQTTCLEAN="])],
        ),
        Code::LinkIdValueIsWrong => raised("there is no such link", [way(Fresh, &["AT+MQTTCLEAN=1"])]),
        // What the network did.
        Code::TlsConfigError => raised(
            "TLS failed for another reason than these codes' own: the server speaks none, its certificate is not to be \
             trusted or its time is over, the clock was never set, the client was refused; `AT+MQTTERR?` knows",
            [way(Fresh, &[r#"AT+MQTTUSERCFG=0,2,"w800","","",0,0,"""#, CONN])],
        ),
        Code::ClientStartFailed => raised(
            "the first connection could not be made: no such name, nobody listens, refused by the broker, no answer in \
             time, no memory for the client's task",
            [
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",1,0"#]),
                way(Configured, &[r#"AT+MQTTCONN=0,"nowhere.invalid",1883,0"#]),
                way(Refused, &[r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
                way(Mute, &[r#"AT+MQTTCONN=0,"<host>",<port>,0,3000"#]),
                way(LittleMemory, &[r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
            ],
        ),
        Code::ClientPublishFailed => raised(
            "the broker did not confirm in time, or 8 messages are in flight already",
            [
                way(Unanswered, &[r#"AT+MQTTPUB=0,"t","x",1,0,3000"#]),
                way(Unanswered, &[r#"AT+MQTTPUB=0,"t","x",2,0,3000"#]),
            ],
        ),
        Code::ClientSubscribeFailed => raised(
            "the broker refused (SUBACK 0x80), or did not answer in time",
            [way(Refusing, &[r#"AT+MQTTSUB=0,"t",1"#]), way(Unanswered, &[r#"AT+MQTTSUB=0,"t",1,3000"#])],
        ),
        Code::ClientUnsubscribeFailed => raised(
            "the broker did not answer in time",
            [way(Unanswering, &[r#"AT+MQTTSUB=0,"t",0"#, r#"AT+MQTTUNSUB=0,"t",3000"#])],
        ),
        Code::ClientDisconnectFailed => raised(
            "the link could not be closed within 8 s, because the port is still busy with a message's line; try again",
            [way(SlowLine, &["AT+MQTTCLEAN=0"])],
        ),
        // USERCFG and the commands that change a part of it.
        Code::SchemeReadFailed => raised(
            "no number",
            [
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,x,"w800","","",0,0,"""#]),
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,,"w800","","",0,0,"""#]),
            ],
        ),
        Code::SchemeValueIsWrong => raised(
            "not 1–10",
            [
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,0,"w800","","",0,0,"""#]),
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,11,"w800","","",0,0,"""#]),
            ],
        ),
        Code::ClientIdReadFailed => raised(
            "not in quotes, no UTF-8, or no length",
            [
                way(Configured, &["AT+MQTTCLIENTID=0,\"\u{ff}\""]),
                way(Configured, &["AT+MQTTLONGCLIENTID=0,x"]),
                with_data(Configured, &["AT+MQTTLONGCLIENTID=0,1"], "\u{ff}"),
                way(Configured, &["AT+MQTTCLIENTID=0,w800"]),
            ],
        ),
        Code::ClientIdIsNull => raised(
            "empty, which only USERCFG allows, and that only for clean sessions",
            [
                way(Configured, &[r#"AT+MQTTCLIENTID=0,"""#]),
                way(Configured, &["AT+MQTTLONGCLIENTID=0,0"]),
                way(
                    Fresh,
                    &[
                        r#"AT+MQTTUSERCFG=0,1,"","","",0,0,"""#,
                        r#"AT+MQTTCONNCFG=0,60,1,"","",0,0"#,
                        r#"AT+MQTTCONN=0,"<host>",<port>,0"#,
                    ],
                ),
            ],
        ),
        Code::ClientIdIsOverlength => raised(
            "longer than 1,024 bytes; a command line ends before the 256 bytes that CLIENTID takes",
            [way(Configured, &["AT+MQTTLONGCLIENTID=0,1025"])],
        ),
        Code::UsernameReadFailed => raised(
            "not in quotes, no UTF-8, or no length",
            [
                way(Configured, &["AT+MQTTUSERNAME=0,\"\u{ff}\""]),
                way(Configured, &["AT+MQTTLONGUSERNAME=0,x"]),
                with_data(Configured, &["AT+MQTTLONGUSERNAME=0,1"], "\u{ff}"),
                way(Configured, &["AT+MQTTUSERNAME=0,user"]),
            ],
        ),
        Code::UsernameIsNull => raised(
            "empty, which only USERCFG allows, and that only without a password",
            [
                way(Configured, &[r#"AT+MQTTUSERNAME=0,"""#]),
                way(Configured, &["AT+MQTTLONGUSERNAME=0,0"]),
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","secret",0,0,"""#, r#"AT+MQTTCONN=0,"<host>",<port>,0"#]),
            ],
        ),
        Code::UsernameIsOverlength => raised(
            "longer than 64 bytes in USERCFG, 1,024 in LONGUSERNAME",
            [
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","{x65}","",0,0,"""#]),
                way(Configured, &["AT+MQTTLONGUSERNAME=0,1025"]),
            ],
        ),
        Code::PasswordReadFailed => raised(
            "not in quotes, or no length",
            [way(Configured, &["AT+MQTTLONGPASSWORD=0,x"]), way(Configured, &["AT+MQTTPASSWORD=0,secret"])],
        ),
        Code::PasswordIsNull => raised(
            "empty, which only USERCFG allows",
            [way(Configured, &[r#"AT+MQTTPASSWORD=0,"""#]), way(Configured, &["AT+MQTTLONGPASSWORD=0,0"])],
        ),
        Code::PasswordIsOverlength => raised(
            "longer than 64 bytes in USERCFG, 1,024 in LONGPASSWORD",
            [
                way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","{x65}",0,0,"""#]),
                way(Configured, &["AT+MQTTLONGPASSWORD=0,1025"]),
            ],
        ),
        Code::CertKeyIdReadFailed => raised("no number", [way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",x,0,"""#])]),
        Code::CertKeyIdValueIsWrong => raised("not 0", [way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",1,0,"""#])]),
        Code::CaIdReadFailed => raised("no number", [way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,x,"""#])]),
        Code::CaIdValueIsWrong => raised("not 0", [way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,1,"""#])]),
        Code::CaLengthError => raised(
            "no CA certificate where one is needed (schemes 3, 5, 8, 10), or one of more than 16,384 bytes",
            [
                way(NoCredentials, &[r#"AT+MQTTUSERCFG=0,3,"w800","","",0,0,"""#, CONN]),
                way(Fresh, &["AT+MQTTCERT=0,0,16385"]),
            ],
        ),
        Code::CaReadFailed => raised(
            "no certificate in PEM or DER; at CONN, one that the firmware brings along",
            [with_data(Fresh, &["AT+MQTTCERT=0,0,5"], "hello")],
        ),
        Code::CertLengthError => raised(
            "no client certificate where one is needed (schemes 4, 5, 9, 10), one of more than 16,384 bytes, or a chain that \
             makes a longer message than the firmware's Mbed TLS can send",
            [
                way(NoCredentials, &[r#"AT+MQTTUSERCFG=0,4,"w800","","",0,0,"""#, CONN]),
                way(Fresh, &["AT+MQTTCERT=0,1,16385"]),
            ],
        ),
        Code::CertReadFailed => raised(
            "no certificate in PEM or DER; at CONN, one that the firmware brings along",
            [with_data(Fresh, &["AT+MQTTCERT=0,1,5"], "hello")],
        ),
        Code::KeyLengthError => raised(
            "no client key where one is needed (schemes 4, 5, 9, 10), or one of more than 16,384 bytes",
            [way(NoKey, &[CONN]), way(Fresh, &["AT+MQTTCERT=0,2,16385"])],
        ),
        Code::KeyReadFailed => raised(
            "no private key in PEM or DER; at CONN, one that does not belong to the certificate",
            [with_data(Fresh, &["AT+MQTTCERT=0,2,5"], "hello"), way(OtherKey, &[CONN])],
        ),
        Code::PathReadFailed => raised(
            "not in quotes, or no UTF-8",
            [
                way(Fresh, &["AT+MQTTUSERCFG=0,1,\"w800\",\"\",\"\",0,0,\"\u{ff}\""]),
                way(Configured, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,0,/mqtt"#]),
            ],
        ),
        Code::PathIsNull => Reserved("an empty path is allowed and means `/`"),
        Code::PathIsOverlength => {
            raised("longer than 32 bytes", [way(Fresh, &[r#"AT+MQTTUSERCFG=0,1,"w800","","",0,0,"{x33}""#])])
        }
        Code::VersionReadFailed => Reserved("no command takes a version: it is MQTT 3.1.1"),
        // CONNCFG.
        Code::KeepaliveReadFailed => raised("no number", [way(Configured, &[r#"AT+MQTTCONNCFG=0,x,0,"","",0,0"#])]),
        Code::KeepaliveIsNull => Reserved("0 or nothing at all is allowed and means 120 s"),
        Code::KeepaliveValueIsWrong => {
            raised("more than 7,200 s", [way(Configured, &[r#"AT+MQTTCONNCFG=0,7201,0,"","",0,0"#])])
        }
        Code::DisableCleanSessionReadFailed => raised(
            "missing or no number",
            [
                way(Configured, &[r#"AT+MQTTCONNCFG=0,60,x,"","",0,0"#]),
                way(Configured, &[r#"AT+MQTTCONNCFG=0,60,,"","",0,0"#]),
            ],
        ),
        Code::DisableCleanSessionValueIsWrong => {
            raised("neither 0 nor 1", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,2,"","",0,0"#])])
        }
        Code::LwtTopicReadFailed => raised(
            "not in quotes, no UTF-8, or with a wildcard",
            [
                way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"a/#","m",0,0"#]),
                way(Configured, &["AT+MQTTCONNCFG=0,60,0,\"\u{ff}\",\"m\",0,0"]),
                way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,t,"m",0,0"#]),
            ],
        ),
        Code::LwtTopicIsNull => raised(
            "empty although there is a will message",
            [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"","m",0,0"#])],
        ),
        Code::LwtTopicIsOverlength => {
            raised("longer than 128 bytes", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"{x129}","",0,0"#])])
        }
        Code::LwtMsgReadFailed => {
            raised("not in quotes; any bytes are allowed", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t",m,0,0"#])])
        }
        Code::LwtMsgIsNull => {
            Reserved("an empty will message is allowed: with a will topic it is a will of zero length")
        }
        Code::LwtMsgIsOverlength => {
            raised("longer than 128 bytes", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t","{x129}",0,0"#])])
        }
        Code::LwtQosReadFailed => raised("no number", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t","m",x,0"#])]),
        Code::LwtQosValueIsWrong => raised("not 0–2", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t","m",3,0"#])]),
        Code::LwtRetainReadFailed => raised("no number", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t","m",0,x"#])]),
        Code::LwtRetainValueIsWrong => {
            raised("neither 0 nor 1", [way(Configured, &[r#"AT+MQTTCONNCFG=0,60,0,"t","m",0,2"#])])
        }
        // CONN.
        Code::HostReadFailed => raised(
            "not in quotes, or no UTF-8",
            [
                way(Configured, &["AT+MQTTCONN=0,\"\u{ff}\",<port>,0"]),
                way(Configured, &["AT+MQTTCONN=0,<host>,<port>,0"]),
            ],
        ),
        Code::HostIsNull => raised("empty", [way(Configured, &[r#"AT+MQTTCONN=0,"",<port>,0"#])]),
        Code::HostIsOverlength => {
            raised("longer than 128 bytes", [way(Configured, &[r#"AT+MQTTCONN=0,"{x129}",<port>,0"#])])
        }
        Code::UriParseFailed => raised(
            "the host holds a character that neither a name nor an address has",
            [
                way(Configured, &[r#"AT+MQTTCONN=0,"mqtt://<host>",<port>,0"#]),
                way(Configured, &[r#"AT+MQTTCONN=0,"my broker",<port>,0"#]),
            ],
        ),
        Code::PortReadFailed => raised(
            "missing or no number",
            [way(Configured, &[r#"AT+MQTTCONN=0,"<host>",x,0"#]), way(Configured, &[r#"AT+MQTTCONN=0,"<host>",,0"#])],
        ),
        Code::PortValueIsWrong => raised(
            "not 1–65535",
            [
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",0,0"#]),
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",65536,0"#]),
            ],
        ),
        Code::ReconnectReadFailed => raised(
            "missing or no number",
            [
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",<port>,x"#]),
                way(Configured, &[r#"AT+MQTTCONN=0,"<host>",<port>,"#]),
            ],
        ),
        Code::ReconnectValueIsWrong => {
            raised("neither 0 nor 1", [way(Configured, &[r#"AT+MQTTCONN=0,"<host>",<port>,2"#])])
        }
        // PUB, PUBRAW, SUB, UNSUB.
        Code::TopicReadFailed => raised(
            "not in quotes, no UTF-8, or with a wildcard that may not stand there",
            [
                way(Connected, &[r#"AT+MQTTPUB=0,"a/+","x",0,0"#]),
                way(Connected, &[r#"AT+MQTTSUB=0,"a#",0"#]),
                way(Connected, &["AT+MQTTSUB=0,\"\u{ff}\",0"]),
                way(Connected, &["AT+MQTTSUB=0,t,0"]),
            ],
        ),
        Code::TopicIsNull => raised(
            "empty",
            [way(Connected, &[r#"AT+MQTTPUB=0,"","x",0,0"#]), way(Connected, &[r#"AT+MQTTUNSUB=0,"""#])],
        ),
        Code::TopicIsOverlength => raised(
            "longer than 128 bytes",
            [way(Connected, &[r#"AT+MQTTPUB=0,"{x129}","x",0,0"#]), way(Connected, &[r#"AT+MQTTSUB=0,"{x129}",0"#])],
        ),
        Code::DataReadFailed => raised(
            "not in quotes; or commas and quotes that were not escaped can be read in several ways",
            [
                way(Connected, &[r#"AT+MQTTPUB=0,"t",x,0,0"#]),
                way(Connected, &[r#"AT+MQTTPUB=0,"t","{"a":"x\ny"}",0,0"#]),
            ],
        ),
        Code::DataIsNull => Reserved("an empty message is allowed; retained, it deletes what the broker has retained"),
        Code::DataIsOverlength => {
            Reserved("data has no bound but the line's 256 bytes, and a longer line is refused by the server itself")
        }
        Code::QosReadFailed => raised(
            "no number",
            [
                way(Connected, &[r#"AT+MQTTPUB=0,"t","x",x,0"#]),
                way(Connected, &[r#"AT+MQTTSUB=0,"t",x"#]),
                way(Connected, &[r#"AT+MQTTPUB=0,"t","x","1",0"#]),
                way(Connected, &[r#"AT+MQTTPUB=0,"t","a","b",0,0"#]),
            ],
        ),
        Code::QosValueIsWrong => raised(
            "not 0–2",
            [way(Connected, &[r#"AT+MQTTPUB=0,"t","x",3,0"#]), way(Connected, &[r#"AT+MQTTSUB=0,"t",3"#])],
        ),
        Code::RetainReadFailed => raised("no number", [way(Connected, &[r#"AT+MQTTPUB=0,"t","x",0,x"#])]),
        Code::RetainValueIsWrong => raised("neither 0 nor 1", [way(Connected, &[r#"AT+MQTTPUB=0,"t","x",0,2"#])]),
        Code::PublishLengthReadFailed => {
            raised("missing or no number", [way(Connected, &[r#"AT+MQTTPUBRAW=0,"t",x,0,0"#])])
        }
        Code::PublishLengthValueIsWrong => raised(
            "0, or beyond 32 bits",
            [
                way(Connected, &[r#"AT+MQTTPUBRAW=0,"t",0,0,0"#]),
                way(Connected, &[r#"AT+MQTTPUBRAW=0,"t",4294967296,0,0"#]),
            ],
        ),
        Code::RecvLengthIsWrong => raised(
            "the data phase of a LONG… command ended early: exit code, or 20 s without a byte",
            [with_data(Configured, &["AT+MQTTLONGCLIENTID=0,10"], "+++")],
        ),
        Code::HostnameVerifyFailed => {
            raised("the server's certificate is good but for its name (schemes 3, 5, 8, 10)", [way(OtherName, &[CONN])])
        }
    }
}
