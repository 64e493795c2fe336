//! What the host has set on a link (AT contract §3).

use crate::at::code::Code;
use crate::bytes::Buffer;
use crate::mqtt::QoS;
use crate::mqtt::session::{ConnectOptions, Will};
use heapless::Vec;

/// Keep alive when the host asks for 0, in seconds.
pub const DEFAULT_KEEP_ALIVE_S: u16 = 120;

/// ALPN names at most.
pub const MOST_ALPN_NAMES: usize = 5;

/// USERCFG, as CLIENTID, USERNAME and PASSWORD may have changed it since.
#[derive(Debug)]
pub struct UserConfig<B> {
    /// Transport and verification, 1–10 (contract §6).
    pub scheme: u8,
    /// Client identifier, UTF-8.
    pub client_id: B,
    /// User name, UTF-8; empty sends none.
    pub username: B,
    /// Password; empty sends none.
    pub password: B,
    /// The resource of a WebSocket.
    pub path: B,
}

/// What a scheme stands for (AT contract §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// TLS over TCP.
    pub tls: bool,
    /// The server's certificate is verified.
    pub verify: bool,
    /// The client shows a certificate.
    pub certificate: bool,
    /// WebSocket over that.
    pub websocket: bool,
}

impl Transport {
    /// The transport of `scheme`, 1–10.
    pub const fn of(scheme: u8) -> Self {
        let kind = scheme.saturating_sub(1) % 5;
        Self { tls: kind > 0, verify: matches!(kind, 2 | 4), certificate: matches!(kind, 3 | 4), websocket: scheme > 5 }
    }
}

/// CONNCFG.
#[derive(Debug)]
pub struct ConnectionConfig<B> {
    /// Keep alive in seconds, not 0.
    pub keep_alive_s: u16,
    /// Whether the broker shall keep the session.
    pub disable_clean_session: bool,
    /// Will topic; empty for no will.
    pub will_topic: B,
    /// Will message.
    pub will_message: B,
    /// Will QoS.
    pub will_qos: QoS,
    /// Will retain flag.
    pub will_retain: bool,
}

/// ALPN and SNI.
#[derive(Debug)]
pub struct TlsConfig<B> {
    /// Protocol names for ClientHello, in order.
    pub alpn: Vec<B, MOST_ALPN_NAMES>,
    /// Server name; `None` takes the host name.
    pub sni: Option<B>,
}

impl<B> TlsConfig<B> {
    /// Nothing set.
    pub const fn new() -> Self {
        Self { alpn: Vec::new(), sni: None }
    }
}

impl<B> Default for TlsConfig<B> {
    fn default() -> Self {
        Self::new()
    }
}

/// CONN.
#[derive(Debug)]
pub struct Target<B> {
    /// Host name or address.
    pub host: B,
    /// TCP port, not 0.
    pub port: u16,
    /// Whether a lost connection is made again.
    pub reconnect: bool,
    /// What each attempt may take, in milliseconds.
    pub timeout_ms: u32,
}

/// Whether these settings can make a connection.
///
/// # Errors
/// 0x6015 for a kept session without a client identifier, 0x6018 for a password without a user name (contract §3).
pub fn check<B: Buffer>(user: &UserConfig<B>, connection: Option<&ConnectionConfig<B>>) -> Result<(), Code> {
    if is_empty(&user.client_id) && connection.is_some_and(|connection| connection.disable_clean_session) {
        return Err(Code::ClientIdIsNull);
    }
    if is_empty(&user.username) && !is_empty(&user.password) {
        return Err(Code::UsernameIsNull);
    }
    Ok(())
}

/// The CONNECT that these settings ask for.
///
/// # Errors
/// The read code of a text that is not UTF-8; the commands refuse such texts before.
pub fn connect_options<'a, B: Buffer>(
    user: &'a UserConfig<B>,
    connection: Option<&'a ConnectionConfig<B>>,
) -> Result<ConnectOptions<'a>, Code> {
    let username = text(&user.username, Code::UsernameReadFailed)?;
    let password = user.password.as_ref();
    Ok(ConnectOptions {
        client_id: text(&user.client_id, Code::ClientIdReadFailed)?,
        clean_session: !connection.is_some_and(|connection| connection.disable_clean_session),
        keep_alive_s: connection.map_or(DEFAULT_KEEP_ALIVE_S, |connection| connection.keep_alive_s),
        username: (!username.is_empty()).then_some(username),
        password: (!password.is_empty()).then_some(password),
        will: connection.map(will).transpose()?.flatten(),
    })
}

fn will<B: Buffer>(connection: &ConnectionConfig<B>) -> Result<Option<Will<'_>>, Code> {
    let topic = text(&connection.will_topic, Code::LwtTopicReadFailed)?;
    Ok((!topic.is_empty()).then_some(Will {
        topic,
        message: connection.will_message.as_ref(),
        qos: connection.will_qos,
        retain: connection.will_retain,
    }))
}

fn text<B: Buffer>(bytes: &B, code: Code) -> Result<&str, Code> {
    core::str::from_utf8(bytes.as_ref()).map_err(|_| code)
}

fn is_empty<B: Buffer>(bytes: &B) -> bool {
    bytes.as_ref().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn user(client_id: &[u8], username: &[u8], password: &[u8]) -> UserConfig<Vec<u8>> {
        UserConfig {
            scheme: 1,
            client_id: client_id.to_vec(),
            username: username.to_vec(),
            password: password.to_vec(),
            path: Vec::new(),
        }
    }

    fn connection(disable_clean_session: bool, will_topic: &[u8], will_message: &[u8]) -> ConnectionConfig<Vec<u8>> {
        ConnectionConfig {
            keep_alive_s: 30,
            disable_clean_session,
            will_topic: will_topic.to_vec(),
            will_message: will_message.to_vec(),
            will_qos: QoS::ExactlyOnce,
            will_retain: true,
        }
    }

    #[test]
    fn transports_are_the_contracts() {
        let rows = [(1, ""), (2, "t"), (3, "tv"), (4, "tc"), (5, "tvc")];
        for (scheme, layers) in rows {
            for websocket in [false, true] {
                let has = |layer| layers.contains(layer);
                let expected = Transport { tls: has('t'), verify: has('v'), certificate: has('c'), websocket };
                assert_eq!(Transport::of(if websocket { scheme + 5 } else { scheme }), expected);
            }
        }
    }

    #[test]
    fn what_can_make_a_connection() {
        let kept = connection(true, b"", b"");
        let clean = connection(false, b"", b"");
        for client_id in [&b""[..], b"id"] {
            for username in [&b""[..], b"u"] {
                for password in [&b""[..], b"p"] {
                    let user = user(client_id, username, password);
                    let nameless = username.is_empty() && !password.is_empty();
                    let expected = if nameless { Err(Code::UsernameIsNull) } else { Ok(()) };
                    assert_eq!(check(&user, None), expected);
                    assert_eq!(check(&user, Some(&clean)), expected);
                    let expected = if client_id.is_empty() { Err(Code::ClientIdIsNull) } else { expected };
                    assert_eq!(check(&user, Some(&kept)), expected);
                }
            }
        }
        assert_eq!((Code::ClientIdIsNull.value(), Code::UsernameIsNull.value()), (0x6015, 0x6018));
    }

    #[test]
    fn without_conncfg_its_defaults() {
        let user = user(b"id", b"", b"");
        let options = connect_options(&user, None).unwrap();
        assert_eq!((options.client_id, options.clean_session, options.keep_alive_s), ("id", true, 120));
        assert!(options.username.is_none() && options.password.is_none() && options.will.is_none());
    }

    #[test]
    fn empty_fields_are_not_sent() {
        for (username, password) in [(&b""[..], &b""[..]), (b"u", b""), (b"u", b"p\0\xff"), (b"", b"p")] {
            let user = user(b"", username, password);
            let options = connect_options(&user, None).unwrap();
            assert_eq!(options.username.map(str::as_bytes), Some(username).filter(|name| !name.is_empty()));
            assert_eq!(options.password, Some(password).filter(|password| !password.is_empty()));
        }
    }

    #[test]
    fn wills() {
        let user = user(b"id", b"", b"");
        for (topic, message) in [(&b"w"[..], &b""[..]), (b"w", b"gone\0\xff")] {
            let connection = connection(false, topic, message);
            let options = connect_options(&user, Some(&connection)).unwrap();
            let will = options.will.unwrap();
            assert_eq!(
                (will.topic.as_bytes(), will.message, will.qos, will.retain),
                (topic, message, QoS::ExactlyOnce, true)
            );
            assert!(options.clean_session);
            assert_eq!(options.keep_alive_s, 30);
        }
        let connection = connection(true, b"", b"a message without a topic");
        let options = connect_options(&user, Some(&connection)).unwrap();
        assert!(options.will.is_none() && !options.clean_session);
    }

    #[test]
    fn texts_that_are_not_utf_8() {
        let right = connection(false, b"w", b"\xff");
        let wrong = connection(false, b"\xff", b"");
        let cases = [
            (user(b"\xc3", b"u", b"p"), &right, Code::ClientIdReadFailed),
            (user(b"id", b"\xff", b"p"), &right, Code::UsernameReadFailed),
            (user(b"id", b"u", b"p"), &wrong, Code::LwtTopicReadFailed),
        ];
        for (user, connection, code) in cases {
            assert_eq!(connect_options(&user, Some(connection)).unwrap_err(), code);
        }
        assert!(connect_options(&user(b"id", b"u", b"\xff"), Some(&right)).is_ok(), "a password is binary");
    }
}
