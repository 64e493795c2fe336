//! The rows of the query forms (AT contract §3).

use super::output::Output;
#[cfg(additions)]
use super::report;
use super::{Slot, slots};
#[cfg(certificate_command)]
use crate::net::credentials;
#[cfg(certificate_command)]
use crate::options::LINKS;
use crate::sdk::heap::Bytes;
use w800_mqtt_core::at::answer::{self, Endpoint, Line};
use w800_mqtt_core::at::{Code, Command, CommandId};
use w800_mqtt_core::link::Link;
use w800_mqtt_core::link::config::DEFAULT_KEEP_ALIVE_S;
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::Kind;
use w800_mqtt_core::mqtt::qos_value;

/// Prints `row`'s query for every link.
///
/// # Errors
/// 0x6008 for a command without a query form, 0x6005 without memory to look at certificates.
pub fn print(row: &'static Command) -> Result<(), Code> {
    if !row.query {
        return Err(Code::ParameterCountsIsWrong);
    }
    #[cfg(certificate_command)]
    if row.id == CommandId::Cert {
        return certificates(row);
    }
    let mut output = Output::claim();
    for slot in slots() {
        print_link(&mut output, row, slot);
    }
    Ok(())
}

fn print_link(output: &mut Output, row: &'static Command, slot: &Slot) {
    let link = slot.link.lock();
    let index = u32::from(slot.index);
    match row.id {
        CommandId::Conn => return connection(output, slot.index, &link),
        #[cfg(additions)]
        CommandId::LastError => return last_error(output, row, slot.index),
        _ => {}
    }
    let Some(user) = link.user() else { return };
    match row.id {
        CommandId::UserCfg => Line::row(output, row)
            .int(index)
            .int(u32::from(user.scheme))
            .quoted(user.client_id.as_ref())
            .quoted(user.username.as_ref())
            .quoted(user.password.as_ref())
            .int(0)
            .int(0)
            .quoted(user.path.as_ref())
            .end(),
        CommandId::ClientId => field(output, row, index, &user.client_id),
        CommandId::Username => field(output, row, index, &user.username),
        CommandId::Password => field(output, row, index, &user.password),
        CommandId::ConnCfg => connection_config(output, row, index, &link),
        CommandId::Alpn => link.tls.alpn.iter().for_each(|name| field(output, row, index, name)),
        CommandId::Sni => {
            Line::row(output, row).int(index).quoted(link.tls.sni.as_ref().map_or(&[][..], AsRef::as_ref)).end()
        }
        CommandId::Sub => subscriptions(output, row, index, &link),
        _ => {}
    }
}

#[cfg(additions)]
fn last_error(output: &mut Output, row: &'static Command, index: u8) {
    let report = report::last(index);
    let mut line = Line::row(output, row);
    line.int(u32::from(index)).code(report.code).int(report.stage.map_or(0, |stage| stage as u32));
    line.signed(report.detail).quoted(report.text.as_bytes()).end();
}

/// Never what they hold. All are read before the first is printed.
#[cfg(certificate_command)]
fn certificates(row: &'static Command) -> Result<(), Code> {
    let mut known = [[None; Kind::ALL.len()]; LINKS];
    for (slot, known) in slots().iter().zip(&mut known) {
        for (place, kind) in known.iter_mut().zip(Kind::ALL) {
            *place = credentials::describe(slot.index, kind)?;
        }
    }
    let mut output = Output::claim();
    for (slot, known) in slots().iter().zip(known) {
        for (kind, known) in Kind::ALL.into_iter().zip(known) {
            if let Some((length, digest)) = known {
                let mut line = Line::row(&mut output, row);
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                line.int(u32::from(slot.index)).int(kind as u32).int(length).quoted_hexadecimal(&digest).end();
            }
        }
    }
    Ok(())
}

fn field(output: &mut Output, row: &'static Command, index: u32, text: &Bytes) {
    Line::row(output, row).int(index).quoted(text.as_ref()).end();
}

fn connection(output: &mut Output, index: u8, link: &Link<Bytes>) {
    let (user, target) = (link.user(), link.target());
    let endpoint = Endpoint {
        scheme: user.map_or(0, |user| user.scheme),
        host: target.map_or(&[][..], |target| target.host.as_ref()),
        port: target.map_or(0, |target| target.port),
        path: user.map_or(&[][..], |user| user.path.as_ref()),
        reconnect: target.is_some_and(|target| target.reconnect),
    };
    answer::connection(output, index, link.state() as u8, &endpoint);
}

fn connection_config(output: &mut Output, row: &'static Command, index: u32, link: &Link<Bytes>) {
    let mut line = Line::row(output, row);
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

fn subscriptions(output: &mut Output, row: &'static Command, index: u32, link: &Link<Bytes>) {
    let state = u32::from(link.state() as u8);
    for known in link.subscriptions.iter() {
        let mut line = Line::row(output, row);
        line.int(index).int(state).quoted(known.filter.as_ref()).int(u32::from(known.shown_qos())).end();
    }
}
