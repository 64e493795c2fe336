//! Any bytes, cut anywhere, answered at any time.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

/// Feeds `bytes` cut at `cuts`, sending replies now and then; all that happened and all that was sent.
fn run(client: &mut Client, bytes: &[u8], cuts: &[usize]) -> (Vec<Happened>, Option<Violation>, Vec<u8>) {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    let (mut seen, mut sent, mut wrong) = (vec![], vec![], None);
    for (n, ends) in places.windows(2).enumerate() {
        match receive(client, &bytes[ends[0]..ends[1]], &mut seen, &mut sent) {
            Ok(()) => {}
            Err(violation) => {
                wrong = Some(violation);
                break;
            }
        }
        if n % 3 == 0 {
            sent.extend(transmitted(client, START));
        }
    }
    sent.extend(transmitted(client, START));
    (seen, wrong, sent)
}

/// As [`feed`], but what happened before a violation is kept.
fn receive(
    client: &mut Client,
    mut input: &[u8],
    seen: &mut Vec<Happened>,
    sent: &mut Vec<u8>,
) -> Result<(), Violation> {
    loop {
        match client.receive(&mut input, START)? {
            Some(event) => match (happened(event), seen.last_mut()) {
                (Happened::Payload(more), Some(Happened::Payload(payload))) => payload.extend_from_slice(&more),
                (event, _) => seen.push(event),
            },
            None if input.is_empty() => return Ok(()),
            None => sent.extend(transmitted(client, START)),
        }
    }
}

/// A session that has something of every kind in flight.
fn busy() -> Client {
    let mut client = connected(30);
    publish(&mut client, QoS::AtLeastOnce, b"1", START);
    publish(&mut client, QoS::ExactlyOnce, b"2", START);
    publish(&mut client, QoS::ExactlyOnce, b"3", START);
    feed(&mut client, &acknowledgement(0x50, 3), START, &mut vec![]).unwrap();
    feed(&mut client, &incoming("t", 2, 0, 4, b"4"), START, &mut vec![]).unwrap();
    client
}

/// One to `longest` of these characters.
fn topic(characters: impl Iterator<Item = char>, longest: usize) -> impl Strategy<Value = String> {
    let character = proptest::sample::select(characters.collect::<Vec<_>>());
    proptest::collection::vec(character, 1..=longest).prop_map(String::from_iter)
}

/// A packet that a broker may send to [`busy`], or one very like it.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let short = proptest::sample::select(vec![0x40_u8, 0x50, 0x62, 0x70, 0xB0]);
    let payload = proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => (short, 0..6_u16).prop_map(|(first, identifier)| acknowledgement(first, identifier)),
        4 => (topic("abc/é".chars(), 5), 0..3_u8, 0..2_u8, 1..6_u16, payload)
            .prop_map(|(topic, qos, flags, identifier, payload)| incoming(&topic, qos, flags, identifier, &payload)),
        1 => (0..6_u8, 0..4_u8).prop_map(|(identifier, code)| vec![0x90, 3, 0, identifier, code]),
        1 => Just(vec![0xD0, 0]),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let damage = proptest::option::of((any::<usize>(), any::<u8>()));
    (proptest::collection::vec(packet(), 0..30), damage).prop_map(|(packets, damage)| {
        let mut bytes = packets.concat();
        if let (Some((at, byte)), false) = (damage, bytes.is_empty()) {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes
    })
}

/// What a well-behaved broker sends that has nothing of the client in its memory.
#[derive(Debug, Clone)]
enum Sent {
    Message { topic: String, qos: u8, retain: bool, identifier: u16, payload: Vec<u8> },
    Pubrel(u16),
    Suback(u16, u8),
    Unsuback(u16),
    Pingresp,
}

fn sent() -> impl Strategy<Value = Sent> {
    let payload = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..20),
        1 => proptest::collection::vec(any::<u8>(), 100..400),
        1 => (16_370..16_390_usize).prop_map(|length| vec![7; length]),
    ];
    let characters = (' '..='~').filter(|character| !"#+".contains(*character)).chain("äß€\t\u{85}".chars());
    prop_oneof![
        6 => (topic(characters, 12), 0..3_u8, any::<bool>(), 1..20_u16, payload).prop_map(
            |(topic, qos, retain, identifier, payload)| Sent::Message { topic, qos, retain, identifier, payload }
        ),
        3 => (1..20_u16).prop_map(Sent::Pubrel),
        1 => (1..=65_535_u16, proptest::sample::select(vec![0, 1, 2, 0x80_u8])).prop_map(|(n, code)| Sent::Suback(n, code)),
        1 => (1..=65_535_u16).prop_map(Sent::Unsuback),
        1 => Just(Sent::Pingresp),
    ]
}

/// The bytes of `packets`, what they mean to the host and what must be answered.
fn expected(packets: &[Sent]) -> (Vec<u8>, Vec<Happened>, Vec<u8>) {
    let (mut bytes, mut events, mut replies) = (vec![], vec![], vec![]);
    let mut unreleased = HashSet::new();
    for packet in packets {
        match packet {
            Sent::Message { topic, qos, retain, identifier, payload } => {
                bytes.extend(incoming(topic, *qos, u8::from(*retain), *identifier, payload));
                let identifier = if *qos == 0 { 0 } else { *identifier };
                match qos {
                    1 => replies.extend(acknowledgement(0x40, identifier)),
                    2 => replies.extend(acknowledgement(0x50, identifier)),
                    _ => {}
                }
                if *qos == 2 && !unreleased.insert(identifier) {
                    continue;
                }
                if topic.contains(char::is_control) {
                    events.push(Happened::Withheld);
                    continue;
                }
                events.push(Happened::Message(topic.clone(), *qos, identifier, payload.len() as u32));
                if !payload.is_empty() {
                    events.push(Happened::Payload(payload.clone()));
                }
                events.push(Happened::End);
            }
            Sent::Pubrel(identifier) => {
                bytes.extend(acknowledgement(0x62, *identifier));
                replies.extend(acknowledgement(0x70, *identifier));
                unreleased.remove(identifier);
            }
            Sent::Suback(identifier, code) => {
                let [high, low] = identifier.to_be_bytes();
                bytes.extend([0x90, 3, high, low, *code]);
                events.push(Happened::Subscribed(*identifier, (*code != 0x80).then_some(*code)));
            }
            Sent::Unsuback(identifier) => {
                bytes.extend(acknowledgement(0xB0, *identifier));
                events.push(Happened::Unsubscribed(*identifier));
            }
            Sent::Pingresp => bytes.extend([0xD0, 0]),
        }
    }
    (bytes, events, replies)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), 0..40)
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300), cuts in cuts(), accepted in any::<bool>()) {
        let client = || if accepted { busy() } else { Client::new() };
        let whole = run(&mut client(), &bytes, &[]);
        prop_assert_eq!(run(&mut client(), &bytes, &cuts), whole);
    }

    #[test]
    fn nearly_right_packets(bytes in stream(), cuts in cuts()) {
        let whole = run(&mut busy(), &bytes, &[]);
        prop_assert_eq!(&run(&mut busy(), &bytes, &cuts), &whole);
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&run(&mut busy(), &bytes, &every), &whole);
    }

    /// After a violation, or in the middle of anything, a new connection starts afresh.
    #[test]
    fn a_new_connection_after_any_bytes(bytes in stream(), packets in proptest::collection::vec(sent(), 0..8)) {
        let mut client = busy();
        run(&mut client, &bytes, &[]);
        reconnect(&mut client, 30, false, START);
        client.tick(START.after(1), true).unwrap();
        let (bytes, events, replies) = expected(&packets);
        // Its SUBACKs and UNSUBACKs are of identifiers that may be in flight: only where nothing is.
        prop_assume!(client.in_flight() == 0 || !events.iter().any(|event| matches!(
            event,
            Happened::Subscribed(1..=3, _) | Happened::Unsubscribed(1..=3)
        )));
        prop_assert_eq!(run(&mut client, &bytes, &[]), (events, None, replies));
    }

    #[test]
    fn right_packets(packets in proptest::collection::vec(sent(), 0..40), cuts in cuts()) {
        let (bytes, events, replies) = expected(&packets);
        prop_assert_eq!(run(&mut connected(30), &bytes, &cuts), (events, None, replies));
    }
}
