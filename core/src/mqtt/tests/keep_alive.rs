//! The session with a clock: PINGREQ, PINGRESP and packets that stall (§3.1.2.10, AT contract §5).

use super::super::session::{Lost, Resend, SILENCE_MS};
use super::*;
use proptest::prelude::*;

const PINGREQ: &[u8] = b"\xc0\x00";
const PINGRESP: &[u8] = b"\xd0\x00";

fn after(ms: u64) -> Instant {
    START.after(ms)
}

/// Lets the time come to `ms` after the start; what is sent then.
fn tick(client: &mut Client, ms: u64) -> Result<Vec<u8>, Lost> {
    client.tick(after(ms), true)?;
    Ok(transmitted(client, after(ms)))
}

fn read(client: &mut Client, bytes: &[u8], ms: u64) {
    let mut sent = vec![];
    feed(client, bytes, after(ms), &mut sent).unwrap();
    assert_eq!(sent, b"");
}

#[test]
fn pingreq_comes_at_three_quarters() {
    for (keep_alive_s, due) in [(1, 750), (2, 1_500), (10, 7_500), (120, 90_000), (7200, 5_400_000)] {
        let mut client = connected(keep_alive_s);
        assert_eq!(client.deadline(), Some(after(due)));
        assert_eq!(tick(&mut client, due - 1), Ok(vec![]));
        assert_eq!(tick(&mut client, due), Ok(PINGREQ.to_vec()));
        read(&mut client, PINGRESP, due + 5);
        assert_eq!(client.deadline(), Some(after(2 * due)));
    }
}

#[test]
fn no_keep_alive_and_no_ping_without_a_connection() {
    assert_eq!(connected(0).deadline(), None);
    let mut client = Client::new();
    assert_eq!(client.deadline(), None);
    client.connect(&options(1, true), START).unwrap();
    assert_eq!(client.deadline(), None);
    assert_eq!(tick(&mut client, 1_000_000), Ok(vec![]));
    let mut client = connected(1);
    client.tick(after(750), true).unwrap();
    lose(&mut client);
    assert_eq!(client.deadline(), None);
    assert_eq!(tick(&mut client, 1_000_000), Ok(vec![]));
}

/// Until the whole keep alive has passed in which nothing was received.
#[test]
fn everything_that_is_sent_postpones_the_ping() {
    type Act = fn(&mut Client, Instant);
    let acts: [Act; 7] = [
        |client, now| client.sent_unconfirmed(now),
        |client, now| drop(publish(client, QoS::AtMostOnce, b"", now)),
        |client, now| drop(publish(client, QoS::AtLeastOnce, b"", now)),
        |client, now| assert!(client.subscribe("f", QoS::AtMostOnce, &mut [0; LONGEST_CONTROL], now).is_ok()),
        |client, now| assert!(client.unsubscribe("f", &mut [0; LONGEST_CONTROL], now).is_ok()),
        |client, now| {
            feed(client, &incoming("t", 1, 0, 1, b""), now, &mut vec![]).unwrap();
            transmitted(client, now);
        },
        |client, now| {
            publish(client, QoS::AtLeastOnce, b"", START);
            lose(client);
            reconnect(client, 4, true, START);
            let Resend::Publish(identifier, publication) = client.resend(now) else { panic!("nothing") };
            client.sent(identifier, publication, true, now);
        },
    ];
    for act in acts {
        let mut client = connected(4);
        act(&mut client, after(800));
        assert_eq!(client.deadline(), Some(after(3_800)));
        assert_eq!(tick(&mut client, 3_799), Ok(vec![]));
        assert_eq!(tick(&mut client, 3_800), Ok(PINGREQ.to_vec()));
    }
}

#[test]
fn a_long_sending_counts_from_its_end() {
    let mut client = connected(4);
    let mut publication = publication(QoS::AtLeastOnce, b"");
    let identifier = begin(&mut client, &mut publication, after(100));
    client.sent(identifier, publication, true, after(900));
    assert_eq!(client.deadline(), Some(after(3_900)));
}

/// TCP alone takes minutes to notice that nobody is there.
#[test]
fn a_dead_peer_while_messages_are_sent_at_qos_0() {
    let mut client = connected(20);
    let mut pings = vec![];
    let lost = (1..).find_map(|second| {
        let now = second * 1_000;
        publish(&mut client, QoS::AtMostOnce, b"x", after(now));
        match tick(&mut client, now) {
            Ok(sent) if sent.is_empty() => None,
            Ok(sent) => {
                assert_eq!(sent, PINGREQ);
                pings.push(second);
                None
            }
            Err(lost) => Some((second, lost)),
        }
    });
    assert_eq!((pings, lost), (vec![20], Some((30, Lost::NoPingResponse))));
}

/// A broker that answers is asked once in a keep alive, whatever is sent.
#[test]
fn a_peer_that_lives_while_messages_are_sent_at_qos_0() {
    let mut client = connected(20);
    let mut pings = vec![];
    for second in 1..=100 {
        publish(&mut client, QoS::AtMostOnce, b"x", after(second * 1_000));
        if tick(&mut client, second * 1_000).unwrap() == PINGREQ {
            pings.push(second);
            read(&mut client, PINGRESP, second * 1_000);
        }
        if second == 50 {
            read(&mut client, &incoming("t", 0, 0, 0, b"x"), 50_000);
        }
    }
    assert_eq!(pings, [20, 40, 70, 90], "and what it sends of itself counts");
}

#[test]
fn what_is_received_does_not_postpone_the_ping() {
    let mut client = connected(4);
    read(&mut client, &incoming("t", 0, 0, 0, b"x"), 2_999);
    assert_eq!(tick(&mut client, 3_000), Ok(PINGREQ.to_vec()));
}

#[test]
fn no_pingresp_within_ten_seconds() {
    let mut client = connected(40);
    assert_eq!(tick(&mut client, 30_000), Ok(PINGREQ.to_vec()));
    assert_eq!(client.deadline(), Some(after(40_000)));
    assert_eq!(tick(&mut client, 39_999), Ok(vec![]));
    assert_eq!(client.tick(after(40_000), false), Ok(()), "nobody has looked whether it is there");
    assert_eq!(tick(&mut client, 40_000), Err(Lost::NoPingResponse));
    read(&mut client, PINGRESP, 40_001);
    assert_eq!(tick(&mut client, 50_000), Ok(vec![]), "it was there after all");
}

#[test]
fn an_unanswered_ping_is_forgotten_with_its_connection() {
    let mut client = connected(40);
    assert_eq!(tick(&mut client, 30_000), Ok(PINGREQ.to_vec()));
    lose(&mut client);
    reconnect(&mut client, 40, true, after(35_000));
    assert_eq!(client.deadline(), Some(after(65_000)));
    assert_eq!(tick(&mut client, 64_999), Ok(vec![]));
}

#[test]
fn silence_is_counted_from_the_last_byte() {
    let mut client = connected(40);
    assert_eq!(tick(&mut client, 30_000), Ok(PINGREQ.to_vec()));
    read(&mut client, &incoming("t", 0, 0, 0, b"x"), 35_000);
    assert_eq!(client.deadline(), Some(after(45_000)));
    assert_eq!(tick(&mut client, 44_999), Ok(vec![]));
    assert_eq!(tick(&mut client, 45_000), Err(Lost::NoPingResponse));
}

/// The keep alive can be shorter than the broker's time to answer.
#[test]
fn pings_go_on_while_one_is_unanswered() {
    let mut client = connected(4);
    for due in [3_000, 6_000, 9_000, 12_000] {
        assert_eq!(client.deadline(), Some(after(due)));
        assert_eq!(tick(&mut client, due), Ok(PINGREQ.to_vec()));
    }
    assert_eq!(client.deadline(), Some(after(13_000)), "ten seconds after the first");
    assert_eq!(tick(&mut client, 13_000), Err(Lost::NoPingResponse));
}

#[test]
fn a_message_longer_than_the_keep_alive() {
    let mut client = connected(5);
    read(&mut client, b"\x30\xe3\x12\x00\x01t", 0);
    let mut pings = vec![];
    for second in 1..=600 {
        read(&mut client, b"four", second * 1_000);
        client.tick(after(second * 1_000), false).unwrap();
        if !transmitted(&mut client, after(second * 1_000)).is_empty() {
            pings.push(second);
        }
    }
    let expected: Vec<u64> = (1..=150).map(|n| n * 4).collect();
    assert_eq!(pings, expected, "3.75 s, seen once a second");
}

#[test]
fn a_packet_that_stalls() {
    let message = incoming("topic", 2, 0, 5, b"payload");
    for cut in 1..message.len() {
        let mut client = connected(0);
        read(&mut client, &message[..cut], 500);
        assert_eq!(client.deadline(), Some(after(500 + SILENCE_MS)));
        assert_eq!(client.tick(after(499 + SILENCE_MS), true), Ok(()));
        assert_eq!(client.tick(after(500 + SILENCE_MS), false), Ok(()), "nobody has looked whether it goes on");
        assert_eq!(client.tick(after(500 + SILENCE_MS), true), Err(Lost::StalledPacket), "cut at {cut}");
    }
    let mut client = connected(0);
    read(&mut client, &message, 500);
    assert_eq!(client.deadline(), None);
}

#[test]
fn a_connack_that_stalls() {
    let mut client = Client::new();
    client.connect(&options(60, true), START).unwrap();
    read(&mut client, b"\x20", 100);
    assert_eq!(tick(&mut client, 10_100), Err(Lost::StalledPacket));
}

/// Another task is sending: PINGREQ is due, and cannot go out yet.
#[test]
fn a_ping_that_must_wait_for_its_turn() {
    let mut client = connected(4);
    for due in [3_000, 6_000, 9_000] {
        assert_eq!(client.deadline(), Some(after(due)), "looked at again, but not at once");
        client.tick(after(due), true).unwrap();
        assert!(client.has_replies());
    }
    assert_eq!(transmitted(&mut client, after(9_500)), PINGREQ, "one, however often it was due");
    assert_eq!(client.deadline(), Some(after(12_500)));
    assert_eq!(tick(&mut client, 12_500), Ok(PINGREQ.to_vec()));
    assert_eq!(tick(&mut client, 15_500), Ok(PINGREQ.to_vec()));
    assert_eq!(tick(&mut client, 19_500), Err(Lost::NoPingResponse), "ten seconds after it was sent");

    let mut client = connected(400);
    client.tick(after(300_000), true).unwrap();
    assert_eq!(client.deadline(), Some(after(310_000)), "it may have gone out meanwhile, and its answer be missing");
}

/// What happens between two looks at the clock.
#[derive(Debug, Clone, Copy)]
enum Act {
    Publish(usize),
    Subscribe,
    Message(u8),
    /// Only a part of a message; the rest comes with the next act, and PINGRESP waits after it.
    Half,
    Nothing,
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let act = prop_oneof![
        (0..3_usize).prop_map(Act::Publish),
        Just(Act::Subscribe),
        (0..3_u8).prop_map(Act::Message),
        Just(Act::Half),
        Just(Act::Nothing),
    ];
    proptest::collection::vec((0..6_000_u64, act), 0..12)
}

/// A client, a broker that answers every PINGREQ after `delay`, and a clock.
struct Simulation {
    client: Client,
    now: u64,
    keep_alive_ms: u64,
    delay: u64,
    mute_from: u64,
    /// When its answers arrive.
    answers: Vec<u64>,
    last_sent: u64,
    half: bool,
}

impl Simulation {
    /// Runs until `end`, or until the connection is lost; when and why.
    fn run(&mut self, end: u64) -> Result<(), (u64, Lost)> {
        loop {
            let deadline = self.client.deadline().map(|at| START.until(at));
            assert!(deadline.is_none_or(|at| at > self.now), "a deadline that has passed");
            let arrival = self.answers.iter().copied().min().filter(|_| !self.half);
            let next = [deadline, arrival, Some(end)].into_iter().flatten().min().unwrap_or(end).max(self.now);
            self.now = next;
            let arrived = arrival.is_some_and(|at| at <= next);
            if arrived {
                read(&mut self.client, PINGRESP, next);
                self.answers.retain(|at| *at > next);
            }
            self.client.tick(after(next), !arrived).map_err(|lost| (next, lost))?;
            self.flush();
            if next == end {
                return Ok(());
            }
        }
    }

    fn flush(&mut self) {
        let silence = self.now - self.last_sent;
        assert!(silence < self.keep_alive_ms, "{silence} ms of silence at {}", self.now);
        let sent = transmitted(&mut self.client, after(self.now));
        if !sent.is_empty() {
            self.last_sent = self.now;
        }
        if sent.ends_with(PINGREQ) || sent.starts_with(PINGREQ) {
            let answer = self.now + self.delay;
            if answer < self.mute_from {
                self.answers.push(answer);
            }
        }
    }

    fn act(&mut self, act: Act) {
        let now = after(self.now);
        match act {
            Act::Publish(qos) => {
                if publish_if_possible(&mut self.client, LEVELS[qos], now) {
                    self.last_sent = self.now;
                }
            }
            Act::Subscribe => {
                self.client.subscribe("f", QoS::AtMostOnce, &mut [0; LONGEST_CONTROL], now).unwrap();
                self.last_sent = self.now;
            }
            Act::Message(qos) => {
                let message = incoming("t", qos, 0, 7, b"x");
                feed(&mut self.client, &message, now, &mut vec![]).unwrap();
            }
            Act::Half => {
                let message = incoming("t", 0, 0, 0, b"x");
                let (head, tail) = message.split_at(4);
                feed(&mut self.client, if self.half { tail } else { head }, now, &mut vec![]).unwrap();
                self.half = !self.half;
            }
            Act::Nothing => {}
        }
        self.flush();
    }
}

/// `false` when as much is in flight as there may be.
fn publish_if_possible(client: &mut Client, qos: QoS, now: Instant) -> bool {
    let mut publication = publication(qos, b"");
    match client.publish(&mut publication, now) {
        Ok(Begun::Send(identifier)) => client.sent(identifier, publication, true, now),
        Ok(Begun::Unconfirmed) => {}
        Ok(Begun::Wait(_)) => panic!("nothing is due"),
        Err(_) => return false,
    }
    true
}

proptest! {
    #![proptest_config(config(300))]

    /// Whatever happens: the broker never sees the whole keep alive in silence, a broker that answers is never given
    /// up, and one that falls silent is, soon.
    #[test]
    fn silence_both_ways(keep_alive_s in 1..30_u16, delay in 0..9_900_u64, acts in acts(), mute in any::<bool>()) {
        let mut world = Simulation {
            client: connected(keep_alive_s),
            now: 0,
            keep_alive_ms: u64::from(keep_alive_s) * 1000,
            delay,
            mute_from: u64::MAX,
            answers: vec![],
            last_sent: 0,
            half: false,
        };
        for (pause, act) in acts {
            prop_assert_eq!(world.run(world.now + pause), Ok(()));
            if world.half {
                world.act(Act::Half);
            }
            world.act(act);
        }
        if world.half {
            world.act(Act::Half);
        }
        if !mute {
            prop_assert_eq!(world.run(world.now + 200_000), Ok(()));
            return Ok(());
        }
        let silent = world.now;
        world.mute_from = silent;
        world.answers.clear();
        let (at, lost) = world.run(silent + 200_000).unwrap_err();
        prop_assert_eq!(lost, Lost::NoPingResponse);
        prop_assert!(at <= silent + world.keep_alive_ms * 3 / 4 + SILENCE_MS);
    }

    /// Before the deadline there is nothing to do; at the deadline there is.
    #[test]
    fn the_deadline_is_right(keep_alive_s in 0..30_u16, acts in acts(), idle in any::<bool>(), early in 1..9_000_u64) {
        let replay = || {
            let mut client = connected(keep_alive_s);
            let mut now = 0;
            for (pause, act) in &acts {
                now += pause;
                if client.tick(after(now), true).is_err() {
                    return None;
                }
                transmitted(&mut client, after(now));
                match act {
                    Act::Publish(qos) => {
                        publish_if_possible(&mut client, LEVELS[*qos], after(now));
                    }
                    Act::Message(_) => read(&mut client, PINGRESP, now),
                    // From here on the client is inside a packet.
                    Act::Half => {
                        feed(&mut client, b"\x30\xff\xff\xff\x7f\x00\x01t", after(now), &mut vec![]).unwrap();
                        break;
                    }
                    Act::Subscribe | Act::Nothing => {}
                }
            }
            Some((client, now))
        };
        let Some((client, now)) = replay() else { return Ok(()) };
        let Some(deadline) = client.deadline().map(|at| START.until(at)) else {
            let (mut client, now) = replay().unwrap();
            prop_assert_eq!(tick(&mut client, now + 1_000_000), Ok(vec![]));
            return Ok(());
        };
        prop_assert!(deadline > now);
        let before = (deadline - early.min(deadline - now)).max(now);
        let (mut client, _) = replay().unwrap();
        prop_assert_eq!(client.tick(after(before), idle), Ok(()));
        prop_assert!(!client.has_replies());
        prop_assert_eq!(client.deadline(), Some(after(deadline)));
        let (mut client, _) = replay().unwrap();
        if let Ok(sent) = tick(&mut client, deadline) {
            prop_assert_eq!(sent, PINGREQ);
            prop_assert!(client.deadline() > Some(after(deadline)));
        }
    }
}
