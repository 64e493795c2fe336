//! What a command does: parse the line, ask the link's state, act, answer (AT contract §3).

#[cfg(argv_line)]
use super::answer::published_raw;
use super::answer::{Answer, ServerResult, conclude};
#[cfg(argv_line)]
use super::data_phase::take;
use super::job::{Job, set_field};
use super::output::{self, Output};
#[cfg(not(argv_line))]
use super::passthrough::take;
use super::sending::SendRight;
#[cfg(argv_line)]
use super::stream;
use super::task::{LinkTask, stack_bytes};
use super::{LinkRuntime, exchange, queries, report, runtimes};
#[cfg(certificate_command)]
use crate::net::credentials;
use crate::options::{self, LINKS};
use crate::sdk::clock::now;
use crate::sdk::heap::Bytes;
#[cfg(certificate_command)]
use crate::sdk::heap::Secret;
use crate::sdk::socket;
use crate::sdk::task::Task;
use w800_mqtt_core::at::answer;
use w800_mqtt_core::at::parse::Split;
use w800_mqtt_core::at::{Code, Command, CommandId, Values};
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::link::Reply;
use w800_mqtt_core::link::config::{ConnectionConfig, DEFAULT_KEEP_ALIVE_S, Target, TlsConfig, Transport, UserConfig};
#[cfg(certificate_command)]
use w800_mqtt_core::link::credential::{self, CredentialKind};
use w800_mqtt_core::link::state::{Action, State};
use w800_mqtt_core::link::subscriptions::SubscribeDecision;
use w800_mqtt_core::mqtt::publication::Publication;
use w800_mqtt_core::mqtt::session::DISCONNECT;
use w800_mqtt_core::mqtt::{QoS, qos_from};
use w800_mqtt_core::report::Report;
use w800_mqtt_core::time::Instant;

/// How a command was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `?`
    Query,
    /// `=?`
    Test,
    /// `=…` or nothing
    Execute,
}

const DONE: Result<Answer, Code> = Ok(Answer::Ok(b""));

/// LWIP's stack, CONN's task and its reply may each take a moment longer than CONN's own time, in milliseconds.
const CONNECT_GRACE_MS: u64 = 500;

/// How long a task that has nothing more to do may take to end, in milliseconds.
const TASK_END_MS: u64 = 3_000;

/// How long CLEAN waits for the link's task, in milliseconds: with the rest it stays below 10 s.
const CLEAN_MS: u64 = 8_000;

/// How long CLEAN tries to say DISCONNECT, in milliseconds.
const DISCONNECT_MS: u64 = 1_000;

/// A message at QoS 0 with more payload than this many bytes is sent as it is typed. A shorter one is kept until it is whole,
/// so that a host that gives up in the middle costs no connection.
#[cfg(argv_line)]
const MOST_KEPT_BYTES: usize = 1024;

/// SDK heap that a publication must leave free for lwIP to send it with, in bytes, besides what is always left: its send
/// buffer.
const LWIP_RESERVE_BYTES: usize = 8 * 1024;

// Each command is a function out of line: the stack that one needs is not for the others to carry.

/// Runs one command and prints what comes before the server's `OK` or `ERROR`. `parameters` are those after `=`, or
/// what is wrong with their number. The right to print is for the rest of the answer: nothing may come before what the server prints.
pub fn execute(
    row: &'static Command,
    form: Form,
    parameters: Option<Result<Split<'_>, Code>>,
) -> (ServerResult, Output) {
    report::command_begins();
    let mut prompted = None;
    let answer = super::prepare().and_then(|()| match form {
        Form::Test => Ok(Answer::Ok(row.usage.to_bytes())),
        Form::Query => queries::print(row).map(|()| Answer::Ok(b"")),
        Form::Execute => set(row, parameters, &mut prompted),
    });
    conclude(answer, prompted)
}

fn set(
    row: &'static Command,
    parameters: Option<Result<Split<'_>, Code>>,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let mut about = None;
    set_link(row, parameters, &mut about, prompted).inspect_err(|code| {
        if !is_told(about, *code) {
            report::command_failed(about, *code);
        }
    })
}

/// Whether a command fails for nothing else than a connection that was lost: why it was lost is what is of interest.
fn is_told(about: Option<u8>, code: Code) -> bool {
    let runtime = about.and_then(|index| runtimes().get(usize::from(index)));
    code == Code::InDisconnectedState && runtime.is_some_and(|runtime| runtime.link.lock().state() == State::Lost)
}

/// As [`set`]; tells which link the line was about as soon as that is known.
fn set_link(
    row: &'static Command,
    parameters: Option<Result<Split<'_>, Code>>,
    about: &mut Option<u8>,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let Some(parameters) = parameters.filter(|_| row.set()) else {
        return Err(Code::ParameterCountsIsWrong);
    };
    let split = parameters?;
    let index = split.link_id(LINKS as u8)?;
    let runtime = runtimes().get(usize::from(index)).ok_or(Code::NullLink)?;
    *about = Some(index);
    runtime.reap();
    runtime.link.lock().permit(action(row.id))?;
    let values = split.values()?;
    match row.id {
        CommandId::UserCfg => user_config(runtime, &values),
        CommandId::ClientId | CommandId::Username | CommandId::Password => field(runtime, row.id, &values),
        CommandId::LongClientId | CommandId::LongUsername | CommandId::LongPassword => {
            long_field(runtime, row.id, &values, prompted)
        }
        CommandId::ConnCfg => connection_config(runtime, &values),
        CommandId::Alpn => alpn(runtime, &values),
        CommandId::Sni => sni(runtime, &values),
        CommandId::Conn => connect(runtime, &values),
        CommandId::Pub => publish(runtime, &values),
        CommandId::PubRaw => publish_raw(runtime, &values, prompted),
        CommandId::Sub => subscribe(runtime, &values),
        CommandId::Unsub => unsubscribe(runtime, &values),
        CommandId::Clean => clean(runtime),
        #[cfg(certificate_command)]
        CommandId::Cert => certificate(runtime, &values, prompted),
        #[cfg(not(certificate_command))]
        CommandId::Cert => Err(Code::ParameterCountsIsWrong),
        CommandId::LastError | CommandId::Version => Err(Code::ParameterCountsIsWrong),
    }
}

/// The row of the contract's state table that a command belongs to.
const fn action(id: CommandId) -> Action {
    match id {
        CommandId::UserCfg => Action::ConfigureUser,
        CommandId::Conn => Action::Connect,
        CommandId::Pub | CommandId::PubRaw | CommandId::Sub | CommandId::Unsub => Action::Exchange,
        CommandId::Clean => Action::Clean,
        CommandId::Cert | CommandId::LastError | CommandId::Version => Action::StoreCredential,
        CommandId::ClientId
        | CommandId::Username
        | CommandId::Password
        | CommandId::LongClientId
        | CommandId::LongUsername
        | CommandId::LongPassword
        | CommandId::ConnCfg
        | CommandId::Alpn
        | CommandId::Sni => Action::Configure,
    }
}

fn copy(text: &[u8]) -> Result<Bytes, Code> {
    Bytes::copy_of(text).ok_or(Code::MallocFailed)
}

fn size(length: u32) -> Result<usize, Code> {
    usize::try_from(length).map_err(|_| Code::MallocFailed)
}

fn qos(value: u32) -> Result<QoS, Code> {
    qos_from(value).ok_or(Code::QosValueIsWrong)
}

fn field(runtime: &LinkRuntime, id: CommandId, values: &Values<'_>) -> Result<Answer, Code> {
    set_field(runtime, id, copy(values.text(1))?)?;
    DONE
}

fn long_field(
    runtime: &'static LinkRuntime,
    id: CommandId,
    values: &Values<'_>,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let field = Bytes::allocate(size(values.int(1))?).ok_or(Code::MallocFailed)?;
    take(runtime, Job::Field(id, field), prompted)
}

#[inline(never)]
fn user_config(runtime: &LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let transport = Transport::of(values.int(1) as u8);
    if !options::has(transport.tls, transport.websocket) {
        return Err(Code::SchemeValueIsWrong);
    }
    let user = UserConfig {
        scheme: values.int(1) as u8,
        client_id: copy(values.text(2))?,
        username: copy(values.text(3))?,
        password: copy(values.text(4))?,
        path: copy(values.text(7))?,
    };
    let mut link = runtime.link.lock();
    link.configure_user(user);
    link.session.begin_identifiers_behind(Instant::default().until(now()) as u16);
    DONE
}

#[inline(never)]
fn connection_config(runtime: &LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let connection = ConnectionConfig {
        keep_alive_s: match values.int(1) {
            0 => DEFAULT_KEEP_ALIVE_S,
            seconds => u16::try_from(seconds).map_err(|_| Code::KeepaliveValueIsWrong)?,
        },
        disable_clean_session: values.int(2) == 1,
        will_topic: copy(values.text(3))?,
        will_message: copy(values.text(4))?,
        will_qos: qos_from(values.int(5)).ok_or(Code::LwtQosValueIsWrong)?,
        will_retain: values.int(6) == 1,
    };
    runtime.link.lock().configure_connection(connection);
    DONE
}

#[inline(never)]
fn alpn(runtime: &LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let mut names = TlsConfig::new().alpn;
    for name in 0..values.int(1) as usize {
        let text = copy(values.text(name.saturating_add(2)))?;
        names.push(text).map_err(|_| Code::ParameterCountsIsWrong)?;
    }
    runtime.link.lock().tls.alpn = names;
    DONE
}

fn sni(runtime: &LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let name = values.text(1);
    let sni = if name.is_empty() { None } else { Some(copy(name)?) };
    runtime.link.lock().tls.sni = sni;
    DONE
}

#[cfg(certificate_command)]
#[inline(never)]
fn certificate(
    runtime: &'static LinkRuntime,
    values: &Values<'_>,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let kind = CredentialKind::of(values.int(1)).ok_or(Code::CertKeyIdValueIsWrong)?;
    match values.int(2) {
        0 => credentials::erase(runtime.index, kind).map(|()| Answer::Ok(b"")),
        length @ ..=credential::LONGEST => {
            // One byte more, for the NUL that Mbed TLS wants after a PEM text.
            let text = Bytes::allocate(size(length)?.saturating_add(1)).ok_or(Code::MallocFailed)?;
            take(runtime, Job::Credential(kind, Secret(text)), prompted)
        }
        _ => Err(kind.length_code()),
    }
}

#[inline(never)]
fn connect(runtime: &'static LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let host = values.text(1);
    if !is_host(host) {
        return Err(Code::UriParseFailed);
    }
    let transport = runtime.link.lock().user().map_or(Transport::of(1), |user| Transport::of(user.scheme));
    let timeout_ms = values.int(4);
    let target = Target {
        host: copy(host)?,
        port: u16::try_from(values.int(2)).map_err(|_| Code::PortValueIsWrong)?,
        reconnect: values.int(3) == 1,
        timeout_ms,
    };
    let deadline = now().after(u64::from(timeout_ms));
    if !runtime.reap_until(deadline) {
        return Err(Code::ClientStartFailed);
    }
    runtime.link.lock().begin_connection(target)?;
    for semaphore in [&runtime.done, &runtime.lookup()?.wake, &runtime.ended] {
        semaphore.drain();
    }
    // This task sends on the connection as well.
    let spawned = socket::welcome_this_task()
        .then(|| Task::spawn::<LinkTask>(c"mqtt", usize::from(runtime.index), stack_bytes(transport)));
    match spawned.flatten() {
        Some(task) => drop(runtime.task.with(|place| place.replace(task))),
        None => {
            runtime.link.lock().connection_failed();
            report::failed(runtime.index, Report::no_task());
            return Err(Code::ClientStartFailed);
        }
    }
    match exchange::wait(runtime, deadline.after(CONNECT_GRACE_MS)) {
        Some(Reply::Connected) => DONE,
        Some(Reply::NotConnected(code)) => {
            runtime.reap_until(now().after(TASK_END_MS));
            Err(code)
        }
        _ => Err(Code::ClientStartFailed),
    }
}

/// Whether this can be a host name or an address at all; what it means is the resolver's business.
fn is_host(host: &[u8]) -> bool {
    host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_'))
}

fn publication(values: &Values<'_>, length: usize) -> Result<Publication<Bytes>, Code> {
    Publication::new(values.text(1), length, qos(values.int(3))?, values.int(4) == 1).map_err(|_| Code::MallocFailed)
}

#[inline(never)]
fn publish(runtime: &'static LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let data = values.text(2);
    let mut publication = publication(values, data.len())?;
    publication.payload_mut().copy_from_slice(data);
    output::await_answer();
    exchange::publish(runtime, publication, values.int(5)).map(|()| Answer::Ok(b""))
}

#[inline(never)]
fn publish_raw(
    runtime: &'static LinkRuntime,
    values: &Values<'_>,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let length = size(values.int(2))?;
    #[cfg(argv_line)]
    if qos(values.int(3))? == QoS::AtMostOnce && length > MOST_KEPT_BYTES {
        return stream::publish(runtime, values.text(1), length, values.int(4) == 1, prompted)
            .map(|published| published_raw(runtime, published));
    }
    publish_kept(runtime, values, length, prompted)
}

/// Takes a whole payload, then publishes it: it may have to be sent again.
///
/// # Errors
/// Before the prompt: 0x6005 without memory for it.
#[inline(never)]
fn publish_kept(
    runtime: &'static LinkRuntime,
    values: &Values<'_>,
    length: usize,
    prompted: &mut Option<Output>,
) -> Result<Answer, Code> {
    let publication = publication(values, length)?;
    // What is allocated must also be sent: not with the last byte of the heap.
    drop(Bytes::allocate(LWIP_RESERVE_BYTES).ok_or(Code::MallocFailed)?);
    take(runtime, Job::Publication(publication, values.int(5)), prompted)
}

#[inline(never)]
fn subscribe(runtime: &'static LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let deadline = now().after(u64::from(values.int(3)));
    let asked = qos(values.int(2))?;
    let decision = runtime.link.lock().subscriptions.decide(values.text(1), asked);
    match decision {
        SubscribeDecision::Already => return Ok(Answer::Ok(answer::ALREADY_SUBSCRIBE)),
        SubscribeDecision::Full => {
            report::failed(runtime.index, Report::list_is_full());
            return Ok(Answer::Refused(answer::ALREADY_FULL_SUBSCRIBE));
        }
        SubscribeDecision::New | SubscribeDecision::Change => {}
    }
    let filter = copy(values.text(1))?;
    let reply = exchange::request(runtime, deadline, &|session, packet| {
        session.subscribe(values.str(1), asked, packet, now())
    })?;
    match reply {
        Some(Reply::Subscribed(Some(granted))) if runtime.link.lock().subscriptions.granted(filter, asked, granted) => {
            DONE
        }
        Some(Reply::Subscribed(None)) => {
            report::failed(runtime.index, Report::subscription_refused());
            Err(Code::ClientSubscribeFailed)
        }
        _ => Err(Code::ClientSubscribeFailed),
    }
}

#[inline(never)]
fn unsubscribe(runtime: &'static LinkRuntime, values: &Values<'_>) -> Result<Answer, Code> {
    let deadline = now().after(u64::from(values.int(2)));
    if !runtime.link.lock().subscriptions.contains(values.text(1)) {
        return Ok(Answer::Ok(answer::NO_UNSUBSCRIBE));
    }
    let reply =
        exchange::request(runtime, deadline, &|session, packet| session.unsubscribe(values.str(1), packet, now()))?;
    if reply != Some(Reply::Unsubscribed) {
        return Err(Code::ClientUnsubscribeFailed);
    }
    runtime.link.lock().subscriptions.remove(values.text(1));
    DONE
}

fn clean(runtime: &'static LinkRuntime) -> Result<Answer, Code> {
    runtime.stop.set(true);
    let politely = now().after(DISCONNECT_MS);
    say_goodbye(runtime, politely);
    runtime.lookup()?.wake.release();
    // If it takes longer it still shall end.
    if !runtime.reap_until(now().after(CLEAN_MS)) {
        return Err(Code::ClientDisconnectFailed);
    }
    runtime.link.lock().clean();
    DONE
}

/// Tells the broker that the connection ends, or ends it without.
fn say_goodbye(runtime: &'static LinkRuntime, deadline: Instant) {
    match SendRight::claim(runtime, deadline).map(SendRight::on_established) {
        Some(Ok(sending)) if sending.send(&DISCONNECT, deadline).is_ok() => sending.farewell(deadline),
        _ => runtime.break_connection(),
    }
}
