//! A broker that refuses a message by closing (AT contract §5).

use super::super::refusal::{MOST_REFUSALS, REFUSAL_MS};
use super::super::session::Resend;
use super::*;

/// A new connection with the session present.
fn reconnected(client: &mut Client, now: Instant) {
    reconnect(client, 0, true, now);
}

/// Sends again what may be sent now: the payloads of the publications, and `PUBREL`s as their packets.
fn resent(client: &mut Client, now: Instant) -> Vec<Vec<u8>> {
    let mut packets = vec![];
    while client.has_resend(now) || client.has_replies() {
        match client.resend(now) {
            Resend::Nothing => break,
            Resend::Replies => packets.push(transmitted(client, now)),
            Resend::Publish(identifier, publication) => {
                packets.push(publication.packet().last().map(|byte| vec![*byte]).unwrap());
                client.sent(identifier, publication, true, now);
            }
        }
    }
    packets
}

fn closed(client: &mut Client, now: Instant) -> Option<u16> {
    client.connection_lost(Loss::PeerClosed, now).map(PacketIdentifier::get)
}

/// `a`, `b` and `c` in flight at QoS 1, and two connections that the peer closed on them.
fn suspicious() -> Client {
    let mut client = connected(0);
    for payload in [b"a", b"b", b"c"] {
        publish(&mut client, QoS::AtLeastOnce, payload, START);
    }
    assert_eq!(closed(&mut client, START), None);
    for _ in 0..2 {
        reconnected(&mut client, START);
        assert_eq!(resent(&mut client, START), [b"a", b"b", b"c"], "all at once");
        assert_eq!(closed(&mut client, START.after(REFUSAL_MS)), None);
    }
    client
}

#[test]
fn the_culprit_is_found_and_dropped() {
    let mut client = suspicious();
    reconnected(&mut client, START);
    assert_eq!(resent(&mut client, START), [b"a"], "one at a time");
    let confirmed = feed(&mut client, &acknowledgement(0x40, 1), START, &mut vec![]);
    assert_eq!(confirmed, Ok(vec![Happened::Published(1)]));
    for refusal in 1..=MOST_REFUSALS {
        assert_eq!(resent(&mut client, START), [b"b"]);
        let dropped = closed(&mut client, START.after(REFUSAL_MS));
        assert_eq!(dropped, (refusal == MOST_REFUSALS).then_some(2));
        reconnected(&mut client, START);
    }
    assert_eq!(resent(&mut client, START), [b"c"], "the link lives on");
    feed(&mut client, &acknowledgement(0x40, 3), START, &mut vec![]).unwrap();
    assert_eq!(client.in_flight(), 0);
    publish(&mut client, QoS::AtLeastOnce, b"d", START);
    publish(&mut client, QoS::AtLeastOnce, b"e", START);
    assert_eq!(client.in_flight(), 2, "and nobody is suspected any more");
}

#[test]
fn no_other_loss_ever_drops_anything() {
    let mut client = suspicious();
    for n in 0..50 {
        reconnected(&mut client, START);
        assert_eq!(resent(&mut client, START), [b"a"]);
        let dropped = if n % 2 == 0 {
            client.connection_lost(Loss::Other, START)
        } else {
            client.connection_lost(Loss::PeerClosed, START.after(REFUSAL_MS + 1))
        };
        assert_eq!(dropped, None);
    }
    for n in 0..50 {
        reconnected(&mut client, START);
        assert_eq!(closed(&mut client, START), None, "nothing was sent again the {n}th time");
        client.connect(&options(0, false), START).unwrap();
        assert_eq!(closed(&mut client, START), None, "no CONNACK");
    }
    assert_eq!(client.in_flight(), 3);
}

/// What the network and the peer do between counts neither for nor against it.
#[test]
fn five_times_need_not_be_in_a_row() {
    let mut client = suspicious();
    for refusal in 1..=MOST_REFUSALS {
        reconnected(&mut client, START);
        resent(&mut client, START);
        assert_eq!(client.connection_lost(Loss::Other, START), None);
        reconnected(&mut client, START);
        resent(&mut client, START);
        assert_eq!(closed(&mut client, START), (refusal == MOST_REFUSALS).then_some(1));
    }
}

#[test]
fn a_publication_that_must_wait_its_turn() {
    let mut client = suspicious();
    reconnected(&mut client, START);
    assert_eq!(resent(&mut client, START), [b"a"]);
    let mut waiting = publication(QoS::ExactlyOnce, b"d");
    let Ok(Begun::Wait(identifier)) = client.publish(&mut waiting, START) else { panic!("it goes out at once") };
    client.sent(identifier, waiting, false, START);
    assert_eq!(closed(&mut client, START), None);
    reconnected(&mut client, START);
    for (payload, acknowledged) in [(b"a", 1), (b"b", 2), (b"c", 3)] {
        assert_eq!(resent(&mut client, START), [payload]);
        feed(&mut client, &acknowledgement(0x40, acknowledged), START, &mut vec![]).unwrap();
    }
    let Resend::Publish(given, publication) = client.resend(START) else { panic!("its turn") };
    assert_eq!((given, publication.packet()), (identifier, &incoming("t", 2, 0, 4, b"d")[..]), "without DUP");
    client.sent(given, publication, true, START);
    assert_eq!(closed(&mut client, START), None);
    reconnected(&mut client, START);
    assert_eq!(resent(&mut client, START), [b"d"]);
}

/// The whole exchange belongs to one message.
#[test]
fn an_exchange_of_qos_2_ends_before_the_next_begins() {
    let mut client = connected(0);
    publish(&mut client, QoS::ExactlyOnce, b"a", START);
    publish(&mut client, QoS::ExactlyOnce, b"b", START);
    for _ in 0..3 {
        assert_eq!(closed(&mut client, START), None);
        reconnected(&mut client, START);
        resent(&mut client, START);
    }
    let pubrel = acknowledgement(0x62, 1);
    let mut sent = vec![];
    feed(&mut client, &acknowledgement(0x50, 1), START, &mut sent).unwrap();
    sent.extend(transmitted(&mut client, START));
    assert_eq!((sent, client.has_resend(START)), (pubrel.clone(), false));
    assert_eq!(closed(&mut client, START), None);
    reconnected(&mut client, START);
    assert_eq!(resent(&mut client, START), [pubrel]);
    feed(&mut client, &acknowledgement(0x70, 1), START, &mut vec![]).unwrap();
    assert_eq!(resent(&mut client, START), [b"b"]);
}

/// The broker may close on a SUBSCRIBE as well: its answer is waited for, but not for ever.
#[test]
fn subscriptions_are_answered_first() {
    let subscribe = |client: &mut Client| {
        client.subscribe("f", QoS::AtMostOnce, &mut [0; LONGEST_CONTROL], START).unwrap().0.get() as u8
    };
    let mut client = suspicious();
    for _ in 0..20 {
        reconnected(&mut client, START);
        subscribe(&mut client);
        assert_eq!(resent(&mut client, START), Vec::<Vec<u8>>::new());
        assert_eq!(closed(&mut client, START), None, "that was the SUBSCRIBE");
    }
    reconnected(&mut client, START);
    let identifier = subscribe(&mut client);
    feed(&mut client, &[0x90, 3, 0, identifier, 0], START, &mut vec![]).unwrap();
    assert_eq!(resent(&mut client, START), [b"a"]);
    assert_eq!(closed(&mut client, START), None);

    reconnected(&mut client, START);
    subscribe(&mut client);
    let deadline = START.after(REFUSAL_MS);
    assert_eq!(client.deadline(), Some(deadline));
    client.tick(deadline, true).unwrap();
    assert_eq!((resent(&mut client, deadline), client.deadline()), (vec![b"a".to_vec()], None));
}
