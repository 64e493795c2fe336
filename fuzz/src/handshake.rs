//! The answer to WebSocket's opening handshake: the same in every cut, and agreed to only with all that it takes.

use w800_mqtt_core::ws::handshake::{
    LONGEST_REQUEST, Refusal, Resource, Response, accept, accept_source, key, request,
};

use crate::bytes::cut;

/// Pieces of inputs.
pub const WORDS: &[&[u8]] = &[
    b"HTTP/1.1 101 Switching Protocols\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: keep-alive, Upgrade\r\n",
    b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
    b"Sec-WebSocket-Protocol: mqtt\r\n",
    b"\r\n",
];

const ACCEPT: &[u8; 28] = b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What becomes of it, and how many bytes it took.
fn read(stream: &[u8], size: usize) -> (Result<bool, Refusal>, usize) {
    let mut response = Response::new(*ACCEPT);
    let mut taken = 0;
    for piece in stream.chunks(size) {
        let mut input = piece;
        let outcome = response.receive(&mut input);
        taken += piece.len() - input.len();
        if outcome != Ok(false) {
            return (outcome, taken);
        }
        assert!(input.is_empty(), "what is not needed is left");
    }
    (Ok(false), taken)
}

/// The values of a field of a head.
fn fields<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn elements(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(|one| one.trim_matches([' ', '\t']))
}

/// A host up to a blank, a path behind it: a request has them on its lines and nowhere else.
fn check_request(stream: &[u8]) {
    let mut random = [0; 16];
    random.iter_mut().zip(stream).for_each(|(to, from)| *to = *from);
    let key = key(&random);
    assert!(key.ends_with(b"==") && accept_source(&key).starts_with(&key));
    assert!(accept(&[stream.len() as u8; 20]).ends_with(b"="));
    let blank = stream.iter().position(|byte| *byte == b' ').unwrap_or(stream.len());
    let (host, path) = stream.split_at(blank);
    let secure = stream.len().is_multiple_of(2);
    let port = [80, 443, 8083][stream.len() % 3];
    let mut into = [0; LONGEST_REQUEST];
    let Some(length) = request(&mut into, &Resource { host, port, path, secure }, &key) else {
        assert!(!host.iter().all(u8::is_ascii_graphic) || host.len() + 3 * path.len() > 120);
        return;
    };
    let text = std::str::from_utf8(&into[..length]).unwrap();
    assert!(text.starts_with("GET /") && text.ends_with("\r\n\r\n"));
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 9);
    assert!(lines[0].ends_with(" HTTP/1.1") && lines[0].split(' ').count() == 3);
    assert!(text.replace("\r\n", "").chars().all(|character| character == ' ' || character.is_ascii_graphic()));
}

/// The first byte says how the stream is cut.
///
/// # Panics
/// A cut changes something, or too little is agreed to.
pub fn run(input: &[u8]) {
    let (size, stream) = cut(input);
    check_request(stream);
    let (outcome, taken) = read(stream, size);
    assert_eq!(read(stream, stream.len().max(1)), (outcome, taken));
    if outcome != Ok(true) {
        return;
    }
    let head = String::from_utf8_lossy(&stream[..taken]);
    assert!(head.starts_with("HTTP/1.1 101"));
    let accept = std::str::from_utf8(ACCEPT).unwrap();
    for (name, word) in [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-protocol", "mqtt"),
        ("sec-websocket-accept", accept),
    ] {
        let found = fields(&head, name).flat_map(elements).any(|one| one.eq_ignore_ascii_case(word));
        assert!(found, "{name}: {word} is not in {head:?}");
    }
    let extensions = fields(&head, "sec-websocket-extensions").flat_map(elements).find(|one| !one.is_empty());
    assert_eq!(extensions, None, "none was offered");
}
