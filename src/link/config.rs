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
