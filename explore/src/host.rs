//! The host and the other side of the network: they do what a scenario says, and hold what comes back to what must be.

use std::collections::{BTreeMap, VecDeque};

use crate::kernel::Broken;
use crate::numbers::Numbers;
use crate::scenario::{End, Far, Host, Scenario};
use crate::serial::{Reader, Said};
use crate::world::{PER_MS, World};

/// Milliseconds within which a command must answer, but CONN, where connections are lost.
const ANSWER_MS: u64 = 11_000;
/// The same where none is.
const QUICK_ANSWER_MS: u64 = 2_000;
/// The same for CONN.
const CONNECT_MS: u64 = 17_000;
/// How long messages may take that a reconnection has to bring first.
const SETTLE_MS: u64 = 90_000;
/// The server's and lwIP's.
const SYSTEM_TASKS: usize = 3;
/// Longer than a link's task takes to be over.
const REST_MS: u64 = 50;

/// What the broker must have of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    qos: u8,
    /// Its answer was OK.
    confirmed: bool,
}

/// A command that is typed and not answered.
#[derive(Clone, Debug)]
struct Awaited {
    line: String,
    end: End,
    payload: Option<Vec<u8>>,
    qos: u8,
}

/// Where the whole run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Acting,
    Settling,
    Cleaning,
    Resting,
    Over,
}

/// Both ends.
#[derive(Debug)]
pub struct Ends {
    scenario: Scenario,
    phase: Phase,
    host: VecDeque<Host>,
    far: VecDeque<Far>,
    reader: Reader,
    awaited: VecDeque<Awaited>,
    /// When the answer that is awaited began to be: the time of its typing or of the answer before.
    since: u64,
    host_at: u64,
    far_at: u64,
    numbers: Numbers,
    tempo: u64,
    count: u32,
    sent: BTreeMap<Vec<u8>, Due>,
    /// Published to the links: at which QoS.
    expected: BTreeMap<Vec<u8>, u8>,
    printed: BTreeMap<Vec<u8>, u32>,
    blocks: Option<usize>,
    /// Everything that was said, for whoever looks at a failure.
    log: Vec<String>,
}

fn client(link: u8) -> Vec<u8> {
    format!("link-{link}").into_bytes()
}

fn topic(link: u8) -> String {
    format!("to/{link}")
}

fn configuring(keep_alive: u32) -> Vec<Host> {
    let lines = [0, 1].into_iter().flat_map(|link| {
        [
            format!("AT+MQTTUSERCFG={link},1,\"link-{link}\",\"\",\"\",0,0,\"\""),
            format!("AT+MQTTCONNCFG={link},{keep_alive},1,\"\",\"\",0,0"),
            format!("AT+MQTTCONN={link},\"10.0.2.2\",1883,1"),
            format!("AT+MQTTSUB={link},\"{}\",2", topic(link)),
        ]
    });
    lines.map(|line| Host::Type(line, End::Ok)).collect()
}

impl Ends {
    /// Both, before anything has been done.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut numbers = Numbers::new(seed ^ 0x686f_7374);
        let host = [Host::Type("AT+MQTTCONN?".to_owned(), End::Ok)].into_iter();
        Self {
            host: host.chain(configuring(scenario.keep_alive)).collect(),
            far: scenario.far.iter().copied().collect(),
            scenario: scenario.clone(),
            phase: Phase::Connecting,
            reader: Reader::default(),
            awaited: VecDeque::new(),
            since: 0,
            host_at: PER_MS,
            far_at: 0,
            tempo: numbers.tempo(),
            numbers,
            count: 0,
            sent: BTreeMap::new(),
            expected: BTreeMap::new(),
            printed: BTreeMap::new(),
            blocks: None,
            log: Vec::new(),
        }
    }

    /// Whether everything is done.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// What was typed and said so far.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// When one of them does something next.
    pub fn next_event(&self) -> Option<u64> {
        let host = self.may_act().then_some(self.host_at);
        let far = (self.phase == Phase::Acting && !self.far.is_empty()).then_some(self.far_at);
        let bound = self.awaited.front().map(|awaited| self.bound(awaited));
        [host, far, bound].into_iter().flatten().min()
    }

    fn bound(&self, awaited: &Awaited) -> u64 {
        let data_ms = match awaited.end {
            End::Data(_, late) | End::DataOrNot(_, late) => late,
            End::Ok | End::Either => 0,
        };
        let milliseconds = match self.scenario.lossy {
            true if awaited.line.contains("CONN=") => CONNECT_MS,
            true => ANSWER_MS,
            false => QUICK_ANSWER_MS,
        };
        self.since.saturating_add(milliseconds.saturating_add(data_ms).saturating_mul(PER_MS))
    }

    fn may_act(&self) -> bool {
        match self.host.front() {
            Some(Host::Ahead(..) | Host::Publish { ahead: true, .. }) => {
                self.phase == Phase::Acting || self.awaited.is_empty()
            }
            _ => self.awaited.is_empty(),
        }
    }

    fn pause(&mut self, now: u64) -> u64 {
        now.saturating_add(self.numbers.of_any_size(self.tempo))
    }

    /// Reads what was printed, and does what is due.
    pub fn act(&mut self, world: &mut World) -> Result<(), Broken> {
        if !world.uart.printed.is_empty() {
            let bytes = std::mem::take(&mut world.uart.printed);
            self.reader.add(&bytes);
            while let Some(said) = self.reader.take()? {
                self.hear(said, world)?;
            }
        }
        if let Some(awaited) = self.awaited.front().filter(|awaited| self.bound(awaited) <= world.now) {
            return Err(format!("{} is not answered; {}", awaited.line, world.kernel.describe()));
        }
        if self.phase == Phase::Acting
            && self.far_at <= world.now
            && let Some(step) = self.far.pop_front()
        {
            self.far_at = self.pause(world.now);
            self.act_far(step, world);
        }
        if self.host_at <= world.now && self.may_act() {
            self.act_host(world)?;
        }
        Ok(())
    }

    fn act_far(&mut self, step: Far, world: &mut World) {
        let now = world.now;
        match step {
            Far::Publish(link, qos) => {
                let payload = self.name("d");
                let (client, topic) = (client(link), topic(link));
                if world.network.publish(&client, topic.as_bytes(), &payload, qos, now) {
                    self.expected.insert(payload, qos);
                }
            }
            Far::Cut(link, reset) => {
                self.log.push(format!("{:>8} ms    link {link} is cut", world.milliseconds()));
                world.network.cut(&client(link), reset, now);
            }
            Far::Wait(milliseconds) => self.far_at = now.saturating_add(milliseconds.saturating_mul(PER_MS)),
        }
    }

    /// A payload that there is once.
    fn name(&mut self, kind: &str) -> Vec<u8> {
        self.count = self.count.saturating_add(1);
        format!("{kind}-{:04}-payload", self.count).into_bytes()
    }

    fn act_host(&mut self, world: &mut World) -> Result<(), Broken> {
        let now = world.now;
        self.host_at = self.pause(now);
        match self.host.pop_front() {
            Some(Host::Wait(milliseconds)) => {
                self.host_at = self.pause(now.saturating_add(milliseconds.saturating_mul(PER_MS)));
            }
            Some(Host::Type(line, end) | Host::Ahead(line, end)) => self.type_line(line, end, None, 0, world),
            Some(Host::Raw { link, qos, end }) => {
                let (End::Data(length, _) | End::DataOrNot(length, _)) = end else { return Ok(()) };
                let line = format!("AT+MQTTPUBRAW={link},\"raw/{link}\",{length},{qos},0");
                self.type_line(line, end, None, qos, world);
            }
            Some(Host::Publish { link, qos, end, .. }) => {
                let payload = self.name("u");
                let text = String::from_utf8_lossy(&payload).into_owned();
                let line = format!("AT+MQTTPUB={link},\"from/{link}\",\"{text}\",{qos},0");
                self.sent.insert(payload.clone(), Due { qos, confirmed: false });
                self.type_line(line, end, Some(payload), qos, world);
            }
            None => self.next_phase(world)?,
        }
        Ok(())
    }

    fn type_line(&mut self, line: String, end: End, payload: Option<Vec<u8>>, qos: u8, world: &mut World) {
        self.log.push(format!("{:>8} ms -> {line}", world.milliseconds()));
        world.uart.type_at(world.now, format!("{line}\r\n").as_bytes());
        if self.awaited.is_empty() {
            self.since = world.now;
            self.reader.takes_data = matches!(end, End::Data(..) | End::DataOrNot(..));
        }
        self.awaited.push_back(Awaited { line, end, payload, qos });
    }

    fn hear(&mut self, said: Said, world: &mut World) -> Result<(), Broken> {
        self.log.push(format!("{:>8} ms <- {said:?}", world.milliseconds()));
        match said {
            Said::Message { payload, link } => self.message(link, payload),
            Said::Prompt => self.give_data(world),
            Said::End(ok) | Said::Published(ok) => self.answered(ok, world),
            Said::Code(_) | Said::Event(_) => Ok(()),
        }
    }

    fn message(&mut self, link: u8, payload: Vec<u8>) -> Result<(), Broken> {
        if !self.expected.contains_key(&payload) {
            return Err(format!("link {link} prints a message that was not sent"));
        }
        let count = self.printed.entry(payload).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }

    fn give_data(&mut self, world: &mut World) -> Result<(), Broken> {
        let awaited = self.awaited.front_mut().ok_or("a prompt that nobody asked for")?;
        let (End::Data(length, late) | End::DataOrNot(length, late)) = awaited.end else {
            return Err("a prompt to a command that takes no data".to_owned());
        };
        self.count = self.count.saturating_add(1);
        let mut data = format!("r-{:04}-", self.count).into_bytes();
        data.resize(length, b'.');
        awaited.payload = Some(data.clone());
        self.sent.insert(data.clone(), Due { qos: awaited.qos, confirmed: false });
        let (first, rest) = data.split_at(usize::try_from(self.numbers.below(length as u64)).unwrap_or(0));
        let at = world.now.saturating_add(late.saturating_mul(PER_MS));
        world.uart.type_at(at, first);
        let then = self.pause(at);
        world.uart.type_at(then, rest);
        Ok(())
    }

    fn answered(&mut self, ok: bool, world: &World) -> Result<(), Broken> {
        let awaited = self.awaited.pop_front().ok_or("an answer that nobody asked for")?;
        if !ok && matches!(awaited.end, End::Ok | End::Data(..)) {
            return Err(format!("{} fails", awaited.line));
        }
        if let Some(due) = awaited.payload.and_then(|payload| self.sent.get_mut(&payload)) {
            due.confirmed = ok;
        }
        self.since = world.now;
        let next = self.awaited.front().map(|awaited| awaited.end);
        self.reader.takes_data = matches!(next, Some(End::Data(..) | End::DataOrNot(..)));
        Ok(())
    }

    /// The host's steps are done.
    fn next_phase(&mut self, world: &World) -> Result<(), Broken> {
        let later = |milliseconds: u64| world.now.saturating_add(milliseconds.saturating_mul(PER_MS));
        self.phase = match self.phase {
            Phase::Connecting => {
                self.host = self.scenario.host.iter().cloned().collect();
                self.far_at = self.pause(world.now);
                self.since = world.now;
                Phase::Acting
            }
            Phase::Acting if !self.far.is_empty() => {
                self.host_at = self.far_at.saturating_add(1);
                Phase::Acting
            }
            Phase::Acting => {
                self.since = world.now;
                Phase::Settling
            }
            Phase::Settling if !self.is_settled(world) => {
                if world.now > self.since.saturating_add(SETTLE_MS.saturating_mul(PER_MS)) {
                    return Err(format!("messages do not arrive: {}", self.missing()));
                }
                self.host_at = later(10);
                Phase::Settling
            }
            Phase::Settling => {
                let end = if self.scenario.cleans { End::Either } else { End::Ok };
                self.host = [0, 1].map(|link| Host::Type(format!("AT+MQTTCLEAN={link}"), end)).into();
                Phase::Cleaning
            }
            Phase::Cleaning => {
                self.host_at = later(REST_MS);
                Phase::Resting
            }
            Phase::Resting | Phase::Over => self.end(world).map(|()| Phase::Over)?,
        };
        Ok(())
    }

    fn is_settled(&self, world: &World) -> bool {
        self.scenario.cleans || (world.network.broker.all_confirmed() && self.missing().is_empty())
    }

    /// Messages that must have been printed and were not.
    fn missing(&self) -> String {
        let must = |qos: u8| qos > 0 || !self.scenario.lossy;
        let missing = self.expected.iter().filter(|(payload, qos)| must(**qos) && !self.printed.contains_key(*payload));
        missing.map(|(payload, _)| String::from_utf8_lossy(payload).into_owned()).collect::<Vec<String>>().join(", ")
    }

    /// Everything is done: nothing may be left, and every message must be where it belongs.
    fn end(&mut self, world: &World) -> Result<(), Broken> {
        if !self.reader.is_at_an_end() {
            return Err("a line is cut".to_owned());
        }
        let tasks = world.kernel.living().count();
        let sockets = world.network.open_sockets();
        let blocks = world.blocks.saturating_sub(self.blocks.unwrap_or(0));
        if (tasks, sockets, blocks) != (SYSTEM_TASKS, 0, 0) {
            return Err(format!("at the end there are {tasks} tasks, {sockets} sockets and {blocks} blocks too many"));
        }
        if world.network.broker.pings < self.scenario.pings {
            return Err("the broker got no ping".to_owned());
        }
        let once_at_most = |qos: u8| qos != 1 || !self.scenario.lossy;
        for (payload, qos) in &self.expected {
            let count = self.printed.get(payload).copied().unwrap_or(0);
            if count > 1 && once_at_most(*qos) {
                return Err(format!("{} is printed {count} times", String::from_utf8_lossy(payload)));
            }
        }
        for (payload, due) in &self.sent {
            let count = world.network.broker.received.get(payload).copied().unwrap_or(0);
            let needed = due.confirmed && (due.qos > 0 || !self.scenario.lossy);
            if (count == 0 && needed) || (count > 1 && once_at_most(due.qos)) {
                return Err(format!("the broker has {} {count} times", String::from_utf8_lossy(payload)));
            }
        }
        Ok(())
    }

    /// Notes what the heap holds before a link is used.
    pub fn note_blocks(&mut self, world: &World) {
        if self.blocks.is_none() && self.phase == Phase::Connecting && self.log.len() > 1 && self.awaited.is_empty() {
            self.blocks = Some(world.blocks);
        }
    }
}
