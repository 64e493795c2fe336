//! What host and broker do, as data: two lists of steps that go on side by side.

/// How a command is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With OK.
    Ok,
    /// With OK or an error: the connection may be lost meanwhile.
    Either,
    /// In a prompt, and then with `+MQTTPUB:OK` for this many bytes of data that begin so late.
    Data(usize, u64),
    /// The same, and it may fail.
    DataOrNot(usize, u64),
}

/// A step of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Types a line when the answer before has come, and reads its answer.
    Type(String, End),
    /// Types a line at once: the answers of those before are still to come.
    Ahead(String, End),
    /// Publishes at a QoS, and knows afterwards what the broker must have.
    Publish {
        /// Which link.
        link: u8,
        /// 0 to 2.
        qos: u8,
        /// As above.
        end: End,
        /// Typed at once.
        ahead: bool,
    },
    /// Publishes by a data phase.
    Raw {
        /// Which link.
        link: u8,
        /// 0 to 2.
        qos: u8,
        /// How much data there is, and when it comes.
        end: End,
    },
    /// Does nothing for so many milliseconds.
    Wait(u64),
}

/// A step of the broker's, or of the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// Publishes to a link.
    Publish(u8, u8),
    /// Resets a link's connection, or ends it.
    Cut(u8, bool),
    /// Does nothing for so many milliseconds.
    Wait(u64),
}

/// What happens in a run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// For the command line.
    pub name: &'static str,
    /// The host's steps, behind the connecting of both links.
    pub host: Vec<Host>,
    /// The other side's, begun at the same time.
    pub far: Vec<Far>,
    /// Connections are lost, or links are cleaned in the middle: messages may come twice at QoS 1, and not at all at QoS 0.
    pub lossy: bool,
    /// Links are cleaned in the middle: what the broker has for them stays there.
    pub cleans: bool,
    /// Milliseconds that the product's hook takes for each line.
    pub hook_ms: u32,
    /// Of the links, in seconds.
    pub keep_alive: u32,
    /// Pings that the broker gets at least.
    pub pings: u32,
}

/// A plain one.
const fn scenario(name: &'static str, host: Vec<Host>, far: Vec<Far>) -> Scenario {
    Scenario { name, host, far, lossy: false, cleans: false, hook_ms: 0, keep_alive: 120, pings: 0 }
}

fn publish(link: u8, qos: u8) -> Host {
    Host::Publish { link, qos, end: End::Ok, ahead: false }
}

fn may_fail(link: u8, qos: u8, ahead: bool) -> Host {
    Host::Publish { link, qos, end: End::Either, ahead }
}

fn clean(link: u8) -> Host {
    Host::Type(format!("AT+MQTTCLEAN={link}"), End::Ok)
}

const fn raw(link: u8, qos: u8, end: End) -> Host {
    Host::Raw { link, qos, end }
}

fn subscribe(link: u8, name: &str, ahead: bool) -> Host {
    let line = format!("AT+MQTTSUB={link},\"{name}\",1");
    if ahead { Host::Ahead(line, End::Either) } else { Host::Type(line, End::Either) }
}

/// Every QoS to both links, as fast as it goes.
fn incoming() -> Vec<Far> {
    [0, 1, 2, 1, 0, 2].into_iter().flat_map(|qos| [Far::Publish(0, qos), Far::Publish(1, qos)]).collect()
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    vec![
        scenario(
            "stream",
            vec![raw(0, 0, End::Data(1_500, 1)), raw(1, 0, End::Data(1_100, 0)), raw(0, 1, End::Data(20, 0))],
            incoming(),
        ),
        scenario(
            "publish",
            [0, 1, 2].into_iter().flat_map(|qos| [publish(0, qos), publish(1, qos)]).collect(),
            incoming(),
        ),
        Scenario {
            lossy: true,
            ..scenario(
                "loss",
                vec![may_fail(0, 1, false), may_fail(1, 2, true), may_fail(0, 2, true), may_fail(1, 0, false)],
                vec![Far::Publish(0, 2), Far::Cut(0, true), Far::Publish(1, 1), Far::Publish(0, 1), Far::Cut(1, false)],
            )
        },
        Scenario {
            lossy: true,
            cleans: true,
            ..scenario(
                "clean",
                vec![may_fail(0, 1, false), clean(1), may_fail(0, 2, false), clean(0)],
                [incoming(), vec![Far::Cut(0, true)]].concat(),
            )
        },
        Scenario {
            lossy: true,
            ..scenario(
                "subscribe",
                vec![
                    may_fail(0, 1, false),
                    may_fail(0, 2, true),
                    subscribe(0, "more", true),
                    subscribe(1, "more", false),
                ],
                vec![Far::Cut(0, true), Far::Publish(1, 2), Far::Publish(0, 1)],
            )
        },
        Scenario {
            keep_alive: 4,
            pings: 1,
            ..scenario(
                "keep-alive",
                vec![raw(0, 1, End::Data(100, 5_000)), publish(1, 1)],
                vec![Far::Publish(0, 1), Far::Wait(3_000), Far::Publish(1, 2), Far::Publish(0, 0)],
            )
        },
        Scenario {
            lossy: true,
            cleans: true,
            ..scenario(
                "reconnection",
                vec![may_fail(0, 1, true), Host::Wait(900), clean(0), Host::Wait(500), clean(1)],
                vec![Far::Cut(1, false), Far::Cut(0, true), Far::Publish(0, 2), Far::Publish(1, 1)],
            )
        },
        Scenario {
            hook_ms: 3,
            ..scenario(
                "hook",
                vec![publish(0, 2), raw(1, 1, End::Data(40, 0)), raw(0, 0, End::Data(1_500, 2)), publish(1, 0)],
                incoming(),
            )
        },
        Scenario {
            lossy: true,
            ..scenario(
                "data",
                vec![raw(0, 2, End::DataOrNot(700, 10)), raw(1, 0, End::DataOrNot(1_300, 0)), may_fail(0, 1, false)],
                vec![Far::Publish(0, 1), Far::Publish(1, 2), Far::Wait(5), Far::Cut(1, true), Far::Publish(0, 2)],
            )
        },
    ]
}
