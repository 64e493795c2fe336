//! Brokers that answer twice, early, late, or what was not asked.

use super::super::in_flight::MOST_IN_FLIGHT;
use super::super::received::MOST_UNRELEASED;
use super::super::session::{NotMade, Resend};
use super::*;
use std::collections::HashSet;

fn read(client: &mut Client, bytes: &[u8]) -> Result<Vec<Happened>, Violation> {
    feed(client, bytes, START, &mut vec![])
}

/// Reads a packet that means nothing to the host; what is answered.
fn answer(client: &mut Client, bytes: &[u8]) -> Vec<u8> {
    assert_eq!(read(client, bytes), Ok(vec![]));
    transmitted(client, START)
}

/// Sends everything again; the packets in their order.
fn resumed(client: &mut Client) -> Vec<Vec<u8>> {
    let mut packets = vec![];

    loop {
        match client.resend(START) {
            Resend::Nothing => return packets,
            Resend::Replies => packets.push(transmitted(client, START)),
            Resend::Publish(identifier, publication) => {
                packets.push(publication.packet().to_vec());
                client.sent(identifier, publication, true, START);
            }
        }
    }
}

#[test]
fn puback_before_the_sender_has_given_the_publication_back() {
    let mut client = connected(0);
    let mut publication = publication(QoS::AtLeastOnce, b"x");
    let identifier = begin(&mut client, &mut publication, START);
    assert_eq!(
        read(&mut client, &acknowledgement(0x40, identifier.get())),
        Ok(vec![Happened::Published(identifier.get())])
    );
    client.sent(identifier, publication, true, START);
    assert_eq!(client.in_flight(), 0);
}

#[test]
fn pubrec_and_pubcomp_before_the_sender_has_given_the_publication_back() {
    for give_back_after_pubrec in [true, false] {
        let mut client = connected(0);
        let mut publication = publication(QoS::ExactlyOnce, b"x");
        let identifier = begin(&mut client, &mut publication, START);
        let mut publication = Some(publication);
        let number = identifier.get();
        let pubrel = acknowledgement(0x62, number);
        assert_eq!(answer(&mut client, &acknowledgement(0x50, number)), pubrel);
        if give_back_after_pubrec {
            client.sent(identifier, publication.take().unwrap(), true, START);
            lose(&mut client);
            reconnect(&mut client, 0, true, START);
            assert_eq!(resumed(&mut client), [pubrel]);
        }
        assert_eq!(read(&mut client, &acknowledgement(0x70, number)), Ok(vec![Happened::Published(number)]));
        if let Some(publication) = publication {
            client.sent(identifier, publication, true, START);
        }
        assert_eq!(client.in_flight(), 0);
    }
}

#[test]
fn a_publication_given_back_after_the_loss_is_sent_again() {
    for sent in [true, false] {
        let mut client = connected(0);
        let mut publication = publication(QoS::AtLeastOnce, b"x");
        let identifier = begin(&mut client, &mut publication, START);
        lose(&mut client);
        client.sent(identifier, publication, sent, START);
        reconnect(&mut client, 0, false, START);
        assert_eq!(resumed(&mut client), [b"\x3a\x06\x00\x01t\x00\x01x"]);
        assert_eq!(resumed(&mut client), Vec::<Vec<u8>>::new(), "only once on a connection");
    }
}

#[test]
fn a_failed_resend_is_done_on_the_next_connection() {
    let mut client = connected(0);
    publish(&mut client, QoS::AtLeastOnce, b"a", START);
    publish(&mut client, QoS::AtLeastOnce, b"b", START);
    lose(&mut client);
    reconnect(&mut client, 0, true, START);

    let Resend::Publish(identifier, publication) = client.resend(START) else { panic!("nothing to send again") };
    assert_eq!(identifier.get(), 1);
    client.sent(identifier, publication, false, START);
    lose(&mut client);
    reconnect(&mut client, 0, true, START);
    assert_eq!(resumed(&mut client), [b"\x3a\x06\x00\x01t\x00\x01a", b"\x3a\x06\x00\x01t\x00\x02b"]);
}

#[test]
fn acknowledgements_of_the_wrong_kind() {
    let suback = |identifier: u16| vec![0x90, 3, 0, identifier as u8, 0];
    let of_qos_1 = [acknowledgement(0x50, 1), acknowledgement(0x70, 1), suback(1), acknowledgement(0xB0, 1)];
    let of_qos_2 = [acknowledgement(0x40, 1), acknowledgement(0x70, 1), suback(1), acknowledgement(0xB0, 1)];
    for (qos, wrong) in [(QoS::AtLeastOnce, of_qos_1), (QoS::ExactlyOnce, of_qos_2)] {
        for bytes in wrong {
            let mut client = connected(0);
            let (_, mut packet) = publish(&mut client, qos, b"x", START);
            assert_eq!(read(&mut client, &bytes), Err(Violation::Unexpected), "{bytes:x?} for {qos:?}");
            lose(&mut client);
            reconnect(&mut client, 0, true, START);
            packet[0] |= 8;
            assert_eq!(resumed(&mut client), [packet]);
        }
    }
}

#[test]
fn puback_of_a_message_that_was_received() {
    let mut client = connected(0);
    publish(&mut client, QoS::ExactlyOnce, b"x", START);
    answer(&mut client, &acknowledgement(0x50, 1));
    assert_eq!(read(&mut client, &acknowledgement(0x40, 1)), Err(Violation::Unexpected));
}

#[test]
fn acknowledgements_of_nothing() {
    let mut client = connected(0);
    assert_eq!(answer(&mut client, b"\x40\x02\x00\x07"), b"");
    assert_eq!(answer(&mut client, b"\x70\x02\x00\x07"), b"");
    assert_eq!(answer(&mut client, b"\xd0\x00"), b"");
    assert_eq!(answer(&mut client, b"\x50\x02\x00\x07"), b"\x62\x02\x00\x07", "so that the broker may forget it");
    assert_eq!(answer(&mut client, b"\x62\x02\x00\x07"), b"\x70\x02\x00\x07", "so that the broker may forget it");
    assert_eq!(read(&mut client, b"\x90\x03\x00\x07\x80"), Ok(vec![Happened::Subscribed(7, None)]));
    assert_eq!(read(&mut client, b"\xb0\x02\x00\x07"), Ok(vec![Happened::Unsubscribed(7)]));
}

#[test]
fn acknowledgements_said_twice() {
    let mut client = connected(0);
    publish(&mut client, QoS::ExactlyOnce, b"x", START);
    for _ in 0..2 {
        assert_eq!(answer(&mut client, b"\x50\x02\x00\x01"), b"\x62\x02\x00\x01");
    }
    assert_eq!(read(&mut client, b"\x70\x02\x00\x01\x70\x02\x00\x01"), Ok(vec![Happened::Published(1)]));
    publish(&mut client, QoS::AtLeastOnce, b"x", START);
    assert_eq!(read(&mut client, b"\x40\x02\x00\x02\x40\x02\x00\x02"), Ok(vec![Happened::Published(2)]));
}

#[test]
fn a_message_repeated_without_dup_is_delivered_once() {
    let mut client = connected(0);
    let message = incoming("t", 2, 0, 5, b"x");
    assert_eq!(read(&mut client, &message).unwrap().len(), 3);
    for _ in 0..3 {
        assert_eq!(read(&mut client, &message), Ok(vec![]));
    }
    assert_eq!(transmitted(&mut client, START), b"\x50\x02\x00\x05".repeat(4));
    answer(&mut client, b"\x62\x02\x00\x05");
    assert_eq!(read(&mut client, &message).unwrap().len(), 3, "after PUBREL it is another message");
}

#[test]
fn what_was_delivered_is_remembered_as_long_as_the_session() {
    for (present, delivered) in [(true, 0), (false, 3)] {
        let mut client = connected(0);
        read(&mut client, &incoming("t", 2, 0, 5, b"x")).unwrap();
        lose(&mut client);
        reconnect(&mut client, 0, present, START);
        assert_eq!(read(&mut client, &incoming("t", 2, 8, 5, b"x")).unwrap().len(), delivered);
        assert_eq!(transmitted(&mut client, START), b"\x50\x02\x00\x05");
    }
}

#[test]
fn a_broker_that_claims_to_have_kept_a_clean_session() {
    let mut client = connected(0);
    read(&mut client, &incoming("t", 2, 0, 5, b"x")).unwrap();
    client.connect(&options(0, true), START).unwrap();
    assert_eq!(read(&mut client, b"\x20\x02\x01\x00"), Ok(vec![Happened::Connected(false)]));
    assert_eq!(read(&mut client, &incoming("t", 2, 0, 5, b"x")).unwrap().len(), 3);
}

#[test]
fn refusals() {
    for code in 1..=255 {
        let mut client = Client::new();
        client.connect(&options(1, true), START).unwrap();
        assert_eq!(read(&mut client, &[0x20, 2, 0, code]), Ok(vec![Happened::Refused(code)]));
        assert_eq!(client.deadline(), None);
    }
}

#[test]
fn connack_comes_first_and_once() {
    for before in [&b"\x40\x02\x00\x01"[..], b"\xd0\x00", b"\x30\x03\x00\x01t", b"\x90\x03\x00\x01\x00"] {
        let mut client = Client::new();
        client.connect(&options(0, true), START).unwrap();
        assert_eq!(read(&mut client, before), Err(Violation::Unexpected));
    }
    assert_eq!(read(&mut connected(0), b"\x20\x02\x00\x00"), Err(Violation::Unexpected));
}

#[test]
fn half_a_connack_is_forgotten_with_its_connection() {
    let mut client = Client::new();
    for cut in 0..4 {
        client.connect(&options(0, true), START).unwrap();
        assert_eq!(read(&mut client, &b"\x20\x02\x00\x00"[..cut]), Ok(vec![]));
        if cut % 2 == 0 {
            lose(&mut client);
        }
    }
    reconnect(&mut client, 0, false, START);
}

#[test]
fn half_a_message_is_forgotten_with_its_connection() {
    let message = incoming("topic", 2, 0, 5, b"payload");
    for cut in 1..message.len() {
        let mut client = connected(0);
        let begun = read(&mut client, &message[..cut]).unwrap();
        assert!(!begun.contains(&Happened::End));
        lose(&mut client);
        assert!(!client.has_replies());
        reconnect(&mut client, 0, true, START);
        let whole = read(&mut client, &message).unwrap();
        assert_eq!(whole.len(), 3, "cut at {cut}: {whole:?}");
    }
}

#[test]
fn identifiers_over_more_than_65_535_publications() {
    let mut client = connected(0);
    let mut packet = [0; LONGEST_CONTROL];
    let (oldest, _) = publish(&mut client, QoS::ExactlyOnce, b"", START);
    answer(&mut client, &acknowledgement(0x50, oldest));
    let mut next = oldest;
    for round in 0..crate::share_under_miri(140_000) {
        next = if next == u16::MAX { 1 } else { next + 1 };
        if next == oldest {
            next += 1;
        }
        let identifier = match round % 5 {
            0 => client.subscribe("f", QoS::AtMostOnce, &mut packet, START).unwrap().0.get(),
            1 => client.unsubscribe("f", &mut packet, START).unwrap().0.get(),
            _ => {
                let (identifier, _) = publish(&mut client, QoS::AtLeastOnce, b"", START);
                assert_eq!(client.in_flight(), 2);
                let confirmed = read(&mut client, &acknowledgement(0x40, identifier));
                assert_eq!(confirmed, Ok(vec![Happened::Published(identifier)]));
                identifier
            }
        };
        assert_eq!(identifier, next, "round {round}");
    }
}

#[test]
fn as_much_in_flight_as_there_may_be() {
    let mut client = connected(0);
    let identifiers: Vec<u16> =
        (0..MOST_IN_FLIGHT).map(|_| publish(&mut client, QoS::ExactlyOnce, b"x", START).0).collect();
    assert_eq!(identifiers.iter().collect::<HashSet<_>>().len(), MOST_IN_FLIGHT);
    let before = std::format!("{client:?}");
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        assert_eq!(client.publish(&mut publication(qos, b"x"), START.after(1)), Err(NotMade::Full));
    }
    assert_eq!(std::format!("{client:?}"), before);
    assert_eq!(publish(&mut client, QoS::AtMostOnce, b"x", START).0, 0);
    for identifier in &identifiers {
        answer(&mut client, &acknowledgement(0x50, *identifier));
    }
    assert_eq!(client.publish(&mut publication(QoS::AtLeastOnce, b"x"), START), Err(NotMade::Full));
    lose(&mut client);
    reconnect(&mut client, 0, true, START);
    let pubrels: Vec<Vec<u8>> = identifiers.iter().map(|identifier| acknowledgement(0x62, *identifier)).collect();
    assert_eq!(resumed(&mut client), pubrels);
    read(&mut client, &acknowledgement(0x70, 3)).unwrap();
    assert_eq!(publish(&mut client, QoS::AtLeastOnce, b"x", START).0, 9);
}

#[test]
fn a_full_store_is_sent_again_in_order() {
    let mut client = connected(0);
    let levels = [1, 2, 2, 1, 2, 1, 1, 2];
    for (n, qos) in levels.into_iter().enumerate() {
        publish(&mut client, LEVELS[qos], &[n as u8], START);
    }
    for received in [5, 2] {
        answer(&mut client, &acknowledgement(0x50, received));
    }
    read(&mut client, &acknowledgement(0x40, 4)).unwrap();
    let mut expected = vec![acknowledgement(0x62, 5), acknowledgement(0x62, 2)];
    for (n, qos) in [(0, 1), (2, 2), (5, 1), (6, 1), (7, 2)] {
        expected.push(incoming("t", qos, 8, u16::from(n) + 1, &[n]));
    }
    for _ in 0..3 {
        lose(&mut client);
        reconnect(&mut client, 0, true, START);
        assert_eq!(resumed(&mut client), expected);
    }
}

#[test]
fn as_many_unreleased_as_are_remembered() {
    let mut client = connected(0);
    let most = MOST_UNRELEASED as u16;
    for identifier in 1..=most {
        assert_eq!(read(&mut client, &incoming("t", 2, 0, identifier, b"x")).unwrap().len(), 3);
    }
    assert_eq!(read(&mut client, &incoming("t", 2, 8, most, b"x")), Ok(vec![]), "known, so no new one");
    assert_eq!(read(&mut client, &incoming("t", 1, 0, most + 1, b"x")).unwrap().len(), 3, "QoS 1 needs no memory");
    read(&mut client, &acknowledgement(0x62, 1)).unwrap();
    assert_eq!(read(&mut client, &incoming("t", 2, 0, most + 1, b"x")).unwrap().len(), 3);
    let one_more = incoming("t", 2, 0, most + 2, b"x");
    assert_eq!(read(&mut client, &one_more[..6]), Ok(vec![]));
    assert_eq!(read(&mut client, &one_more[6..7]), Err(Violation::TooManyUnreleased), "before the host sees any of it");
}

#[test]
fn any_number_unreleased_in_a_clean_session() {
    let mut client = Client::new();
    client.connect(&options(0, true), START).unwrap();
    read(&mut client, &[0x20, 2, 0, 0]).unwrap();
    let many = MOST_UNRELEASED as u16 * 3;
    for identifier in 1..=many {
        assert_eq!(read(&mut client, &incoming("t", 2, 0, identifier, b"x")).unwrap().len(), 3);
    }
    let again = answer(&mut client, &incoming("t", 2, 8, many, b"x"));
    assert_eq!(again, acknowledgement(0x50, many), "the newest are remembered");
    for identifier in 1..=many {
        assert_eq!(answer(&mut client, &acknowledgement(0x62, identifier)), acknowledgement(0x70, identifier));
    }
    assert_eq!(read(&mut client, &incoming("t", 2, 0, many, b"x")).unwrap().len(), 3, "released: a new one");
}

#[test]
fn no_reply_is_lost_when_many_are_due() {
    let mut client = connected(1);
    let mut input = vec![];
    let mut expected = vec![];
    for n in 1..=100_u16 {
        input.extend(incoming("t", 1 + (n % 2) as u8, 0, n, b""));
        expected.extend(acknowledgement(if n % 2 == 1 { 0x50 } else { 0x40 }, n));
    }
    let mut rest = &input[..];
    let mut ends = 0;
    while let Some(event) = client.receive(&mut rest, START).unwrap() {
        ends += usize::from(event == Event::MessageEnd);
    }
    assert!(!rest.is_empty() && client.has_replies(), "reading pauses");
    let now = START.after(750);
    assert_eq!(client.receive(&mut rest, now), Ok(None));
    client.tick(now, false).unwrap();
    let mut sent = transmitted(&mut client, now);
    assert_eq!(sent.drain(..2).collect::<Vec<_>>(), b"\xc0\x00", "PINGREQ finds its place all the same");
    let seen = feed(&mut client, rest, now, &mut sent).unwrap();
    sent.extend(transmitted(&mut client, now));
    ends += seen.iter().filter(|event| **event == Happened::End).count();
    assert_eq!((sent, ends), (expected, 100));
}

#[test]
fn no_pubrel_is_lost_when_many_replies_are_due() {
    let mut client = connected(0);
    publish(&mut client, QoS::ExactlyOnce, b"x", START);
    answer(&mut client, &acknowledgement(0x50, 1));
    lose(&mut client);
    reconnect(&mut client, 0, true, START);
    let message = incoming("t", 1, 0, 7, b"");
    let many = message.repeat(20);
    let mut rest = &many[..];
    while client.receive(&mut rest, START).unwrap().is_some() {}
    assert!(!rest.is_empty());

    assert!(matches!(client.resend(START), Resend::Replies));
    assert_eq!(transmitted(&mut client, START), acknowledgement(0x40, 7).repeat(16));
    assert_eq!(resumed(&mut client), [acknowledgement(0x62, 1)]);
}

/// A broker that has lost its session has lost the message: PUBREL alone would be answered, and nobody would get it.
#[test]
fn a_lost_session_begins_each_exchange_anew() {
    for clean in [true, false] {
        let mut client = Client::new();
        let accept = |client: &mut Client| {
            client.connect(&options(0, clean), START).unwrap();
            assert_eq!(read(client, b"\x20\x02\x00\x00"), Ok(vec![Happened::Connected(false)]));
        };
        accept(&mut client);
        for (qos, payload) in [(QoS::ExactlyOnce, b"a"), (QoS::AtLeastOnce, b"b"), (QoS::ExactlyOnce, b"c")] {
            publish(&mut client, qos, payload, START);
        }
        answer(&mut client, &acknowledgement(0x50, 3));
        answer(&mut client, &acknowledgement(0x50, 1));
        let again = [incoming("t", 2, 8, 1, b"a"), incoming("t", 1, 8, 2, b"b"), incoming("t", 2, 8, 3, b"c")];
        for _ in 0..2 {
            lose(&mut client);
            accept(&mut client);
            assert_eq!(resumed(&mut client), again, "in the order of publishing");
            answer(&mut client, &acknowledgement(0x50, 3));
        }
        answer(&mut client, &acknowledgement(0x50, 1));
        for (bytes, identifier) in [(0x70, 3), (0x40, 2), (0x70, 1)] {
            let confirmed = read(&mut client, &acknowledgement(bytes, identifier));
            assert_eq!(confirmed, Ok(vec![Happened::Published(identifier)]));
        }
    }
}

/// Nothing that is said before a publication was sent in the new session can be about it.
#[test]
fn acknowledgements_of_a_session_that_is_gone() {
    for (qos, before, acknowledgements) in
        [(QoS::AtLeastOnce, &[][..], &[0x40][..]), (QoS::ExactlyOnce, &[0x50], &[0x50, 0x70])]
    {
        for first in acknowledgements {
            let mut client = connected(0);
            publish(&mut client, qos, b"x", START);
            for first in before {
                answer(&mut client, &acknowledgement(*first, 1));
            }
            lose(&mut client);
            reconnect(&mut client, 0, false, START);
            assert_eq!(read(&mut client, &acknowledgement(*first, 1)), Err(Violation::Unexpected), "{first:x}");
            assert_eq!(client.in_flight(), 1);
        }
    }
}

#[test]
fn a_topic_with_control_characters_is_taken_and_not_delivered() {
    for (qos, flags) in [(0, 0), (1, 1), (2, 0)] {
        let mut client = connected(0);
        let message = incoming("a/\t", qos, flags, 5, b"payload");
        for piece in [&message[..], &message[..7]] {
            let seen = if piece.len() == message.len() { vec![Happened::Withheld] } else { vec![] };
            assert_eq!(read(&mut client, piece), Ok(seen));
            if qos == 2 {
                break;
            }
        }
        let reply: &[u8] = [&b""[..], b"\x40\x02\x00\x05", b"\x50\x02\x00\x05"][usize::from(qos)];
        assert_eq!(transmitted(&mut client, START), reply);
        if qos == 2 {
            assert_eq!(answer(&mut client, &message), reply, "counted once");
        } else {
            assert_eq!(read(&mut client, &message[7..]), Ok(vec![Happened::Withheld]));
        }
        assert_eq!(read(&mut client, &incoming("a/b", qos, 0, 6, b"x")).unwrap().len(), 3, "the next is delivered");
    }
}
