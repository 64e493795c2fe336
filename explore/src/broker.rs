//! A broker in memory: sessions that outlive connections, exactly what MQTT 3.1.1 asks of it and no more. What a client
//! must not do ends the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::packet::{
    self, CONNECT, DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, Packet, Publication, SUBSCRIBE,
    UNSUBSCRIBE, reply,
};

const CONNACK: u8 = 2;
const SUBACK: u8 = 9;
const UNSUBACK: u8 = 11;
const PINGRESP: u8 = 13;

/// What the broker keeps of a client.
#[derive(Clone, Debug, Default)]
struct Session {
    subscribed: BTreeSet<Vec<u8>>,
    /// Sent to the client and not confirmed, in their order; released ones without what they published.
    outgoing: Vec<(u16, Option<Publication>)>,
    last_identifier: u16,
    /// Of QoS 2, received and not released.
    incoming: BTreeSet<u16>,
    keeps: bool,
}

/// A connection as the broker sees it.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    client: Option<Vec<u8>>,
    input: Vec<u8>,
    /// For the client.
    pub output: Vec<u8>,
    /// The client has taken its leave.
    pub over: bool,
}

/// The broker.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    sessions: BTreeMap<Vec<u8>, Session>,
    /// What was published, and how often each.
    pub received: BTreeMap<Vec<u8>, u32>,
    /// How many pings it got.
    pub pings: u32,
}

impl Broker {
    /// Acts on bytes from a client.
    pub fn take(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), String> {
        connection.input.extend(bytes);
        while let Some(packet) = packet::take(&mut connection.input)? {
            if connection.over {
                return Err("a client goes on after DISCONNECT".to_owned());
            }
            self.act(connection, &packet).ok_or_else(|| format!("the broker cannot read {packet:02x?}"))??;
        }
        Ok(())
    }

    fn act(&mut self, connection: &mut Connection, packet: &Packet) -> Option<Result<(), String>> {
        if packet.kind() == CONNECT {
            return self.connect(connection, packet).map(Ok);
        }
        let Some(name) = connection.client.clone() else {
            return Some(Err("a client does not begin with CONNECT".into()));
        };
        let session = self.sessions.get_mut(&name)?;
        let identifier = packet.number(0);
        match packet.kind() {
            PUBLISH => return self.publish(connection, &name, Publication::read(packet)?).map(Ok),
            PUBREL => {
                session.incoming.remove(&identifier?);
                connection.output.extend(reply(PUBCOMP, identifier?));
            }
            PUBACK | PUBCOMP => session.outgoing.retain(|(known, _)| Some(*known) != identifier),
            PUBREC => {
                for (_, publication) in session.outgoing.iter_mut().filter(|(known, _)| Some(*known) == identifier) {
                    *publication = None;
                }
                connection.output.extend(reply(PUBREL, identifier?));
            }
            SUBSCRIBE => {
                let (filter, end) = packet.text(2)?;
                session.subscribed.insert(filter.to_vec());
                let [high, low] = identifier?.to_be_bytes();
                connection.output.extend(packet::packet(SUBACK << 4, &[high, low, *packet.body.get(end)?]));
            }
            UNSUBSCRIBE => {
                session.subscribed.remove(packet.text(2)?.0);
                connection.output.extend(reply(UNSUBACK, identifier?));
            }
            PINGREQ => {
                self.pings = self.pings.saturating_add(1);
                connection.output.extend(packet::packet(PINGRESP << 4, &[]));
            }
            DISCONNECT => connection.over = true,
            kind => return Some(Err(format!("a client sends a packet of type {kind}"))),
        }
        Some(Ok(()))
    }

    fn connect(&mut self, connection: &mut Connection, packet: &Packet) -> Option<()> {
        let (name, _) = packet.text(10)?;
        let clean = packet.body.get(7)? & 2 != 0;
        if connection.client.replace(name.to_vec()).is_some() {
            return None;
        }
        let present = !clean && self.sessions.get(name).is_some_and(|session| session.keeps);
        if !present {
            self.sessions.insert(name.to_vec(), Session::default());
        }
        let session = self.sessions.get_mut(name)?;
        session.keeps = !clean;
        connection.output.extend(packet::packet(CONNACK << 4, &[u8::from(present), 0]));
        for (identifier, publication) in &session.outgoing {
            connection.output.extend(match publication {
                Some(publication) => Publication { again: true, ..publication.clone() }.bytes(),
                None => reply(PUBREL, *identifier),
            });
        }
        Some(())
    }

    fn publish(&mut self, connection: &mut Connection, name: &[u8], publication: Publication) -> Option<()> {
        let session = self.sessions.get_mut(name)?;
        let known = publication.qos == 2 && !session.incoming.insert(publication.identifier?);
        if !known {
            let count = self.received.entry(publication.payload).or_default();
            *count = count.saturating_add(1);
        }
        match publication.qos {
            1 => connection.output.extend(reply(PUBACK, publication.identifier?)),
            2 => connection.output.extend(reply(PUBREC, publication.identifier?)),
            _ => {}
        }
        Some(())
    }

    /// Publishes to whoever has subscribed to the topic: by the connection, if there is one, and kept above QoS 0.
    /// Whether anybody has.
    pub fn send(
        &mut self,
        client: &[u8],
        connection: Option<&mut Connection>,
        topic: &[u8],
        payload: &[u8],
        qos: u8,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(client) else { return false };
        if !session.subscribed.contains(topic) {
            return false;
        }
        let identifier = (qos > 0).then(|| {
            session.last_identifier = session.last_identifier.saturating_add(1);
            session.last_identifier
        });
        let publication =
            Publication { qos, again: false, identifier, topic: topic.to_vec(), payload: payload.to_vec() };
        let there = connection.map(|connection| connection.output.extend(publication.bytes())).is_some();
        if let Some(identifier) = identifier {
            session.outgoing.push((identifier, Some(publication)));
        }
        there || qos > 0
    }

    /// Whether a connection is that client's.
    pub fn is_of(connection: &Connection, client: &[u8]) -> bool {
        connection.client.as_deref() == Some(client) && !connection.over
    }

    /// Whether everything that was sent to a client is confirmed.
    pub fn all_confirmed(&self) -> bool {
        self.sessions.values().all(|session| session.outgoing.is_empty())
    }
}
