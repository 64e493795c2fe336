//! Lines in, answers out: the port, the command table, the parser, the link's states and the answers together, with a
//! server as simple as can be.

use w800_mqtt_core::at::answer::{self, Endpoint, Sink};
use w800_mqtt_core::at::command::{COMMANDS, Command, CommandId, LINE_MAX};
use w800_mqtt_core::at::parse;
use w800_mqtt_core::link::state::{Action, State};
use w800_mqtt_core::port::answer::{Answer, Progress};
use w800_mqtt_core::port::line::Line;
use w800_mqtt_core::port::typed::{Next, Typed};
use w800_mqtt_core::time::Instant;

use crate::bytes::cut;
use crate::line::{Owned, values};

/// Pieces of inputs.
pub const WORDS: &[&[u8]] = &[
    b"AT\r\n",
    b"AT+MQTTUSERCFG=0,1,\"w800\",\"\",\"\",0,0,\"\"\r\n",
    b"AT+MQTTPUB=0,\"t\",\"\\\"\\,\\\\\",1,0\r\n",
    b"AT+MQTTSUB=0,\"#\",1\r\n",
    b"AT+MQTTCONN?\r\n",
    b"AT+MQTTCLEAN=0\r\n",
    b"at+mqtt",
    b"=?\r\n",
];

/// The longest output of one command here: a row with all of a line's texts, each byte escaped.
const MOST_OUTPUT: usize = 4_096;
/// Longer lines than what the port keeps of an echo are shown as the server prints them.
const FORM_BYTES: usize = 40;

#[derive(Default)]
struct Output(Vec<u8>);

impl Sink for Output {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn action(id: CommandId) -> Action {
    match id {
        CommandId::UserCfg => Action::ConfigureUser,
        CommandId::Conn => Action::Connect,
        CommandId::Pub | CommandId::PubRaw | CommandId::Sub | CommandId::Unsub => Action::Exchange,
        CommandId::Clean => Action::Clean,
        CommandId::Cert => Action::StoreCredential,
        _ => Action::Configure,
    }
}

/// The state of the link behind a command that has succeeded, as the contract's table has it.
fn state_behind(id: CommandId, state: State) -> State {
    match id {
        CommandId::UserCfg => State::UserConfigured,
        CommandId::ConnCfg => State::ConnectionConfigured,
        CommandId::Conn => State::Connected,
        CommandId::Sub => State::Subscribed,
        CommandId::Unsub => State::Unsubscribed,
        CommandId::Clean => State::NotInitialised,
        _ => state,
    }
}

/// Prints what a command's set gave as a row, and what would come unasked. Whether it succeeded.
fn set(row: &'static Command, parameters: &mut [u8], state: &mut State, output: &mut Output) -> bool {
    let found =
        values(row, parse::split(row, parameters)).and_then(|values| action(row.id).permit(*state).map(|()| values));
    let values = match found {
        Ok(values) => values,
        Err(code) => {
            assert!((0x6001..=0x60ff).contains(&code.value()));
            answer::error(output, code);
            return false;
        }
    };
    *state = state_behind(row.id, *state);
    let mut line = answer::Line::row(output, row);
    for value in &values {
        match value {
            Owned::Int(number) => line.int(*number),
            Owned::Text(text) => line.quoted(text),
            Owned::Omitted => &mut line,
        };
    }
    line.end();
    unasked(row.id, &values, *state, output);
    true
}

/// Lines that a link prints because of it.
fn unasked(id: CommandId, values: &[Owned], state: State, output: &mut Output) {
    match (id, values) {
        (CommandId::Conn, [_, Owned::Text(host), Owned::Int(port), ..]) => {
            let endpoint = Endpoint { scheme: 10, host, port: *port as u16, path: b"/", reconnect: true };
            answer::connected(output, 0, &endpoint);
            answer::connection(output, 0, state as u8, &endpoint);
        }
        (CommandId::Pub, [_, Owned::Text(topic), Owned::Text(data), ..]) => {
            answer::received(output, 0, topic, data.len() as u32);
            output.0.extend(data.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'.' }));
            output.write(answer::LINE_END);
        }
        (CommandId::Clean, _) => answer::disconnected(output, 0),
        _ => {}
    }
}

/// What the server and the handler print for a line, and how it ends.
fn respond(line: &mut Line, state: &mut State) -> (Vec<u8>, Progress) {
    let mut output = Output::default();
    let text = line.text().to_vec();
    let end = text.iter().position(|byte| matches!(byte, b'=' | b'?')).unwrap_or(text.len());
    let name = text[..end].to_ascii_uppercase();
    let row = COMMANDS.iter().find(|row| row.name.to_bytes() == name);
    let succeeded = match (row, line.parameters_mut()) {
        (None, _) => {
            let plain = name == b"AT" && end == text.len();
            output.0.extend(if plain { &b"\r\nOK\r\n"[..] } else { b"\r\nCMD FORMAT ERR\r\n" });
            return (output.0, Progress::Ended);
        }
        (Some(row), Some(parameters)) if row.set() => set(row, parameters, state, &mut output),
        (Some(row), _) => {
            answer::Line::row(&mut output, row)
                .int(0)
                .signed(-1)
                .code(None)
                .quoted(b"\"")
                .quoted_hexadecimal(&text)
                .end();
            row.query
        }
    };
    if succeeded && row.is_some_and(|row| row.data_phase) && line.parameters().is_some() {
        answer::prompt(&mut output);
        return (output.0, Progress::Prompted);
    }
    output.0.extend(if succeeded { &b"\r\nOK\r\n"[..] } else { b"\r\nERROR\r\n" });
    (output.0, Progress::Ended)
}

/// The server echoes what it was handed, the host sees what it typed; the answer behind it ends once, at its end.
fn check(line: &Line, size: usize, printed: &[u8], ends: Progress, watch: &mut Answer) {
    let mut handed = [0; 2 * LINE_MAX];
    let length = line.hand(0, &mut handed);
    let mut host = Vec::new();
    watch.expect_echo();
    let mut last = Progress::Open;
    for piece in handed[..length].chunks(size).chain(printed.chunks(size)) {
        last = watch.print(piece, Some(line), &mut |bytes| host.extend_from_slice(bytes));
    }
    assert!(printed.len() <= MOST_OUTPUT);
    assert_eq!(last, ends, "{:?}", String::from_utf8_lossy(printed));
    if length <= FORM_BYTES {
        assert!(!watch.awaits_echo());
        assert_eq!(host, [line.text(), b"\r\n", printed].concat());
    }
    watch.expect_no_echo();
}

/// The first byte says how the output is cut; the rest is what the host types. Each line is answered at once.
///
/// # Panics
/// An answer breaks the grammar.
pub fn run(input: &[u8]) {
    let (mut typed, mut line, mut watch) = (Typed::new(), Line::new(), Answer::new());
    let mut state = State::NotInitialised;
    let (size, input) = cut(input);
    for (at, piece) in (0..).zip(input.chunks(64)) {
        typed.take(piece, Instant::from_millis(at));
        loop {
            match typed.next(&mut line, |_| false) {
                Next::Nothing => break,
                Next::Line => {
                    let before = line.text().to_vec();
                    let (printed, ends) = respond(&mut line, &mut state);
                    // Parameters are read in place; what was typed is what the host sees again.
                    let mut echoed = Line::new();
                    echoed.push(&before);
                    echoed.complete();
                    check(&echoed, size, &printed, ends, &mut watch);
                    typed.finished(false);
                }
                Next::TooLong | Next::Refused(_) => {}
            }
        }
    }
}
