//! The rows of the query forms (AT contract §3).

use super::output::Output;
#[cfg(additions)]
use super::report;
use super::{LinkRuntime, runtimes};
#[cfg(certificate_command)]
use crate::net::credentials;
#[cfg(certificate_command)]
use crate::options::LINKS;
#[cfg(additions)]
use crate::options::{BUILT_FOR, BUILT_WITH, VERSION};
use crate::sdk::heap::Bytes;
use heapless::Vec;
use w800_mqtt_core::at::answer::{self, Endpoint, LINE_BUFFER, Line, Sink};
use w800_mqtt_core::at::{Code, Command, CommandId};
use w800_mqtt_core::link::Link;
use w800_mqtt_core::link::config::DEFAULT_KEEP_ALIVE_S;
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::CredentialKind;
use w800_mqtt_core::link::subscriptions::{MOST_SUBSCRIPTIONS, Subscription};
use w800_mqtt_core::mqtt::qos_value;

/// Prints `row`'s query for every link.
///
/// # Errors
/// 0x6008 for a command without a query form, 0x6005 without memory to look at certificates.
#[inline(never)]
pub fn print(row: &'static Command) -> Result<(), Code> {
    if !row.query {
        return Err(Code::ParameterCountsIsWrong);
    }
    #[cfg(certificate_command)]
    if row.id == CommandId::Cert {
        return certificates(row);
    }
    let mut output = Output::claim();
    #[cfg(additions)]
    if row.id == CommandId::Version {
        version(&mut output, row);
        return Ok(());
    }
    for runtime in runtimes() {
        match row.id {
            #[cfg(additions)]
            CommandId::LastError => last_error(&mut output, row, runtime.index),
            CommandId::Sub => subscriptions(&mut output, row, runtime),
            _ => print_of(&mut output, runtime, &|link, sink| describe(sink, row, runtime.index, link)),
        }
    }
    Ok(())
}

/// What a link's lock gives out at once: one of the pieces in which a [`Line`] is written.
struct Piece {
    /// How many pieces come before it.
    skip: usize,
    bytes: Vec<u8, LINE_BUFFER>,
}

impl Sink for Piece {
    fn write(&mut self, bytes: &[u8]) {
        match self.skip.checked_sub(1) {
            Some(skip) => self.skip = skip,
            None if self.bytes.is_empty() => drop(self.bytes.extend_from_slice(bytes)),
            None => {}
        }
    }
}

/// The piece after the first `skip` ones of what `write` writes; empty where there is none.
fn piece(skip: usize, write: impl FnOnce(&mut dyn Sink)) -> Vec<u8, LINE_BUFFER> {
    let mut piece = Piece { skip, bytes: Vec::new() };
    write(&mut piece);
    piece.bytes
}

/// Prints what `describe` writes about a link. Each piece is copied under the link's lock and printed without it: a host
/// that holds the line must not keep the link's task from what is due. What is described must not change meanwhile but
/// in single characters; a command's own parameters are only changed by commands.
pub(super) fn print_of(output: &mut Output, runtime: &LinkRuntime, describe: &dyn Fn(&Link<Bytes>, &mut dyn Sink)) {
    let mut printed = 0_usize;
    loop {
        let piece = piece(printed, |sink| describe(&runtime.link.lock(), sink));
        if piece.is_empty() {
            return;
        }
        output.write(&piece);
        printed = printed.saturating_add(1);
    }
}

/// Writes the rows of all queries but those of a kind of their own.
fn describe(sink: &mut dyn Sink, row: &'static Command, index: u8, link: &Link<Bytes>) {
    if row.id == CommandId::Conn {
        return answer::connection(sink, index, link.state() as u8, &endpoint(link));
    }
    let index = u32::from(index);
    let Some(user) = link.user() else { return };
    match row.id {
        CommandId::UserCfg => Line::row(sink, row)
            .int(index)
            .int(u32::from(user.scheme))
            .quoted(user.client_id.as_ref())
            .quoted(user.username.as_ref())
            .quoted(user.password.as_ref())
            .int(0)
            .int(0)
            .quoted(user.path.as_ref())
            .end(),
        CommandId::ClientId => field(sink, row, index, user.client_id.as_ref()),
        CommandId::Username => field(sink, row, index, user.username.as_ref()),
        CommandId::Password => field(sink, row, index, user.password.as_ref()),
        CommandId::ConnCfg => connection_config(sink, row, index, link),
        CommandId::Alpn => link.tls.alpn.iter().for_each(|name| field(sink, row, index, name.as_ref())),
        CommandId::Sni => field(sink, row, index, link.tls.sni.as_ref().map_or(&[][..], AsRef::as_ref)),
        _ => {}
    }
}

#[cfg(additions)]
fn last_error(output: &mut Output, row: &'static Command, index: u8) {
    let report = report::last(index);
    let mut line = Line::row(output, row);
    line.int(u32::from(index)).code(report.code).int(report.stage_number());
    line.signed(report.detail).quoted(report.text.as_bytes()).end();
}

/// One row, whatever the number of links.
#[cfg(additions)]
fn version(output: &mut Output, row: &'static Command) {
    let mut line = Line::row(output, row);
    line.quoted(VERSION.as_bytes()).quoted(BUILT_WITH.as_bytes()).quoted(BUILT_FOR.as_bytes()).end();
}

/// Never what they hold. All are read before the first is printed.
#[cfg(certificate_command)]
fn certificates(row: &'static Command) -> Result<(), Code> {
    let mut known = [[None; CredentialKind::ALL.len()]; LINKS];
    for (runtime, known) in runtimes().iter().zip(&mut known) {
        for (place, kind) in known.iter_mut().zip(CredentialKind::ALL) {
            *place = credentials::describe(runtime.index, kind)?;
        }
    }
    let mut output = Output::claim();
    for (runtime, known) in runtimes().iter().zip(known) {
        for (kind, known) in CredentialKind::ALL.into_iter().zip(known) {
            if let Some((length, digest)) = known {
                let mut line = Line::row(&mut output, row);
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                line.int(u32::from(runtime.index)).int(kind as u32).int(length).quoted_hexadecimal(&digest).end();
            }
        }
    }
    Ok(())
}

fn field(sink: &mut dyn Sink, row: &'static Command, index: u32, text: &[u8]) {
    Line::row(sink, row).int(index).quoted(text).end();
}

/// What a link is or was connected to. Out of line: it is asked for in two places.
#[inline(never)]
pub(super) fn endpoint(link: &Link<Bytes>) -> Endpoint<'_> {
    let (user, target) = (link.user(), link.target());
    Endpoint {
        scheme: user.map_or(0, |user| user.scheme),
        host: target.map_or(&[][..], |target| target.host.as_ref()),
        port: target.map_or(0, |target| target.port),
        path: user.map_or(&[][..], |user| user.path.as_ref()),
        reconnect: target.is_some_and(|target| target.reconnect),
    }
}

fn connection_config(sink: &mut dyn Sink, row: &'static Command, index: u32, link: &Link<Bytes>) {
    let mut line = Line::row(sink, row);
    let line = line.int(index);
    match link.connection() {
        None => line.int(u32::from(DEFAULT_KEEP_ALIVE_S)).int(0).quoted(b"").quoted(b"").int(0).int(0).end(),
        Some(set) => line
            .int(u32::from(set.keep_alive_s))
            .int(u32::from(set.disable_clean_session))
            .quoted(set.will_topic.as_ref())
            .quoted(set.will_message.as_ref())
            .int(u32::from(qos_value(set.will_qos)))
            .int(u32::from(set.will_retain))
            .end(),
    }
}

/// The broker may refuse a subscription while the rows are printed: each is looked for by what does not move, the place of
/// its filter in memory.
fn subscriptions(output: &mut Output, row: &'static Command, runtime: &LinkRuntime) {
    let place = |known: &Subscription<Bytes>| known.filter.as_ref().as_ptr();
    let places: Vec<_, MOST_SUBSCRIPTIONS> = runtime.link.lock().subscriptions.iter().map(place).collect();
    for wanted in places {
        print_of(output, runtime, &|link, sink| {
            if let Some(known) = link.subscriptions.iter().find(|known| place(known) == wanted) {
                let mut line = Line::row(sink, row);
                line.int(u32::from(runtime.index)).int(u32::from(link.state() as u8));
                line.quoted(known.filter.as_ref()).int(u32::from(known.shown_qos())).end();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[derive(Default)]
    struct Whole(Vec<u8>);

    impl Sink for Whole {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }

    #[test]
    fn pieces_make_the_rows() {
        let texts = [&b""[..], b"a", &[b'"'; LINE_BUFFER], &[b'x'; 3 * LINE_BUFFER]];
        let describe = |sink: &mut dyn Sink| {
            for text in texts {
                Line::new(sink, b"+ROW:").int(7).quoted(text).end();
            }
        };
        let (mut whole, mut put_together) = (Whole::default(), Vec::new());
        describe(&mut whole);
        for skip in 0.. {
            let piece = piece(skip, describe);
            if piece.is_empty() {
                break;
            }
            put_together.extend_from_slice(&piece);
        }
        assert_eq!(put_together, whole.0);
    }
}
