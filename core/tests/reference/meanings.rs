//! What the table of commands leaves to words: the meaning of each value of a choice, units, what is secret, and the lines
//! that come unasked. For `docs/commands.json` and those who type commands with its help.

use w800_mqtt_core::at::CommandId;

/// A line that no command asked for.
pub struct Unsolicited {
    /// As the reference page shows it.
    pub form: &'static str,
    /// When it comes.
    pub when: &'static str,
}

/// All of them.
pub const UNSOLICITED: [Unsolicited; 4] = [
    Unsolicited {
        form: r#"+MQTTCONNECTED:<LinkID>,<scheme>,<"host">,<port>,<"path">,<reconnect>"#,
        when: "connected, by CONN or again after a loss",
    },
    Unsolicited { form: "+MQTTDISCONNECTED:<LinkID>", when: "an established connection has ended, except by CLEAN" },
    Unsolicited {
        form: r#"+MQTTSUBRECV:<LinkID>,<"topic">,<data_length>,<data>"#,
        when: "a message; its data has data_length bytes of any kind",
    },
    Unsolicited {
        form: "+MQTTINCOMPLETE:<LinkID>,<received>",
        when: "of the message before only the first received bytes are real",
    },
];

const SCHEMES: &[&str] = &[
    "TCP",
    "TLS, nothing verified",
    "TLS, the server's certificate verified",
    "TLS, the client's certificate shown",
    "TLS, verified both ways",
    "WebSocket",
    "WebSocket over TLS, nothing verified",
    "WebSocket over TLS, the server's certificate verified",
    "WebSocket over TLS, the client's certificate shown",
    "WebSocket over TLS, verified both ways",
];
const QOS: &[&str] = &["at most once", "at least once", "exactly once"];
const RETAIN: &[&str] = &["for present subscribers only", "the broker keeps it for later ones"];
const SESSION: &[&str] = &["clean session: the broker forgets it at a loss", "the broker keeps the session"];
const RECONNECT: &[&str] = &["a lost connection stays lost", "a lost connection is made again"];
const CREDENTIALS: &[&str] = &["CA certificates", "client certificate", "client key"];

/// The meanings of a number's values, the first that of its minimum; none where any number means itself.
pub fn values(parameter: &str) -> &'static [&'static str] {
    match parameter {
        "scheme" => SCHEMES,
        "qos" | "lwt_qos" => QOS,
        "retain" | "lwt_retain" => RETAIN,
        "disable_clean_session" => SESSION,
        "reconnect" => RECONNECT,
        "kind" => CREDENTIALS,
        _ => &[],
    }
}

/// What a number counts.
pub fn unit(parameter: &str) -> Option<&'static str> {
    match parameter {
        "keepalive" => Some("s"),
        "timeout_ms" => Some("ms"),
        "length" => Some("bytes"),
        _ => None,
    }
}

/// Whether a parameter must not reach a log or a history.
pub fn is_secret(parameter: &str) -> bool {
    parameter == "password"
}

/// Whether the bytes of a data phase can be secret.
pub fn is_data_secret(command: CommandId) -> bool {
    matches!(command, CommandId::LongPassword | CommandId::Cert)
}
