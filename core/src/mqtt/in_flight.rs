//! Outgoing publications between their first byte and the broker's last word (MQTT 3.1.1 §4.3, §4.4).
//!
//! Every publication is kept until PUBACK or PUBCOMP, at QoS 2 also after PUBREC: a broker that loses its session
//! loses what it has not handed on yet, and then only this side still has the message. What that costs is the packet,
//! for one round trip longer than until PUBREC: 5 to 7 bytes, topic and payload.

use super::QoS;
use super::identifier::PacketIdentifier;
use super::publication::Publication;
use super::refusal::MOST_REFUSALS;
use heapless::Vec;

/// How many publications may await their acknowledgement at once.
pub const MOST_IN_FLIGHT: usize = 8;

/// What a publication in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// To be sent for the first time in the session that the broker holds now: it cannot have acknowledged it.
    Sending,
    /// PUBACK at QoS 1, PUBREC at QoS 2.
    Acknowledgement,
    /// PUBCOMP; so many PUBRELs of others go first, in the order of the PUBRECs (§4.6).
    Completion { behind: u8 },
}

/// How far a publication has come on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Here {
    /// Its next packet must be sent.
    Due,
    /// It was sent for the first time.
    Sent,
    /// It was sent again.
    Resent,
}

#[derive(Debug)]
struct Entry<B> {
    identifier: PacketIdentifier,
    qos: QoS,
    awaits: Awaits,
    here: Here,
    /// Whether its PUBLISH was sent before, or sending it was tried: it carries DUP from then on (§3.3.1.1).
    tried: bool,
    /// How often the peer has closed when this was sent alone.
    refusals: u8,
    /// Absent while its packet is being sent.
    publication: Option<Publication<B>>,
}

/// What an acknowledgement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The broker has the message for good: it is no longer in flight.
    Confirmed,
    /// PUBREC came: PUBREL is due.
    Released,
    /// No such publication is in flight.
    Unknown,
    /// The acknowledgement does not belong to the publication's QoS, or to what the broker was sent in its session.
    Wrong,
}

/// What is to be sent on a new connection, in order.
#[derive(Debug)]
pub enum Again<B> {
    /// The PUBLISH; give it back with [`InFlight::sent`].
    Publish(PacketIdentifier, Publication<B>),
    /// The PUBREL of this packet identifier.
    Pubrel(PacketIdentifier),
}

/// The store, in the order of publishing.
///
/// An acknowledgement may come while the publication's sender has not yet given it back, and in a session that the
/// broker has kept before it was sent again: what the broker says it has, it has.
#[derive(Debug)]
pub struct InFlight<B>(Vec<Entry<B>, MOST_IN_FLIGHT>);

impl<B> Default for InFlight<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> InFlight<B> {
    /// An empty store.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Enters a publication that is about to be sent, or one that `waits` until [`InFlight::again`] gives it out;
    /// `false` when the store is full.
    pub fn begin(&mut self, identifier: PacketIdentifier, qos: QoS, waits: bool) -> bool {
        let (awaits, here) = if waits { (Awaits::Sending, Here::Due) } else { (Awaits::Acknowledgement, Here::Sent) };
        self.0.push(Entry { identifier, qos, awaits, here, tried: !waits, refusals: 0, publication: None }).is_ok()
    }

    /// Takes the publication back after it was sent or sending it failed. If its last acknowledgement was faster, it
    /// is dropped.
    pub fn sent(&mut self, identifier: PacketIdentifier, publication: Publication<B>) {
        if let Some(entry) = self.find(identifier) {
            entry.publication = Some(publication);
        }
    }

    /// PUBACK.
    pub fn acknowledged(&mut self, identifier: PacketIdentifier) -> Outcome {
        let right = |entry: &Entry<B>| entry.qos == QoS::AtLeastOnce && entry.awaits == Awaits::Acknowledgement;
        self.conclude(identifier, right)
    }

    /// PUBREC.
    pub fn received(&mut self, identifier: PacketIdentifier) -> Outcome {
        let behind = self.0.iter().filter(|entry| matches!(entry.awaits, Awaits::Completion { .. })).count();
        let Some(entry) = self.find(identifier) else { return Outcome::Unknown };
        if entry.qos != QoS::ExactlyOnce || entry.awaits == Awaits::Sending {
            return Outcome::Wrong;
        }
        if entry.here == Here::Due {
            entry.here = Here::Resent;
        }
        if entry.awaits == Awaits::Acknowledgement {
            entry.awaits = Awaits::Completion { behind: u8::try_from(behind).unwrap_or(u8::MAX) };
        }
        Outcome::Released
    }

    /// PUBCOMP.
    pub fn completed(&mut self, identifier: PacketIdentifier) -> Outcome {
        self.conclude(identifier, |entry| matches!(entry.awaits, Awaits::Completion { .. }))
    }

    /// The connection is lost: everything must be sent again.
    pub fn connection_lost(&mut self) {
        for entry in &mut self.0 {
            entry.here = Here::Due;
        }
    }

    /// The broker has begun a new session: it has nothing of what it was sent, wherever the exchange stood.
    pub fn session_lost(&mut self) {
        for entry in &mut self.0 {
            entry.awaits = Awaits::Sending;
        }
    }

    /// Whether something must be sent: everything, or only when nothing else is on its way (`one_at_a_time`).
    pub fn has_due(&self, one_at_a_time: bool) -> bool {
        self.next_due(one_at_a_time).is_some()
    }

    /// The next that must be sent, in order; `None` after the last.
    pub fn again(&mut self, one_at_a_time: bool) -> Option<Again<B>>
    where
        B: crate::bytes::Buffer,
    {
        let at = self.next_due(one_at_a_time)?;
        let entry = self.0.get_mut(at)?;
        let identifier = entry.identifier;
        if matches!(entry.awaits, Awaits::Completion { .. }) {
            entry.here = Here::Resent;
            return Some(Again::Pubrel(identifier));
        }
        let mut publication = entry.publication.take()?;
        entry.awaits = Awaits::Acknowledgement;
        entry.here = Here::Sent;
        if core::mem::replace(&mut entry.tried, true) {
            entry.here = Here::Resent;
            publication.mark_duplicate();
        }
        Some(Again::Publish(identifier, publication))
    }

    /// What must be sent next: the PUBRELs in the order of the PUBRECs, then the rest in the order of publishing
    /// (§4.6). A publication that its sender has not given back yet holds up those after it.
    fn next_due(&self, one_at_a_time: bool) -> Option<usize> {
        if one_at_a_time && self.0.iter().any(|entry| entry.here != Here::Due) {
            return None;
        }
        let due = || self.0.iter().enumerate().filter(|(_, entry)| entry.here == Here::Due);
        let pubrel = due().filter_map(|(at, entry)| match entry.awaits {
            Awaits::Completion { behind } => Some((behind, at)),
            _ => None,
        });
        if let Some((_, at)) = pubrel.min() {
            return Some(at);
        }
        due().next().filter(|(_, entry)| entry.publication.is_some()).map(|(at, _)| at)
    }

    /// Whether the next publication must wait for others: while some are due, and with `one_at_a_time` for any.
    pub fn must_wait(&self, one_at_a_time: bool) -> bool {
        self.0.iter().any(|entry| one_at_a_time || entry.here == Here::Due)
    }

    /// Whether something that was sent again on this connection is unconfirmed.
    pub fn has_resent(&self) -> bool {
        self.0.iter().any(|entry| entry.here == Here::Resent)
    }

    /// Whether this publication was sent again on this connection.
    pub fn is_resent(&self, identifier: PacketIdentifier) -> bool {
        self.0.iter().any(|entry| entry.identifier == identifier && entry.here == Here::Resent)
    }

    /// The peer has closed on what was sent again alone on this connection: drops it when that was once too often.
    pub fn refused(&mut self) -> Option<PacketIdentifier> {
        let at = self.0.iter().position(|entry| entry.here == Here::Resent)?;
        let entry = self.0.get_mut(at)?;
        entry.refusals = entry.refusals.saturating_add(1);
        if entry.refusals < MOST_REFUSALS {
            return None;
        }
        Some(self.remove(at))
    }

    /// Whether a packet identifier is in use.
    pub fn uses(&self, identifier: PacketIdentifier) -> bool {
        self.0.iter().any(|entry| entry.identifier == identifier)
    }

    /// Whether nothing more can be in flight.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Publications in flight.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&mut self, identifier: PacketIdentifier) -> Option<&mut Entry<B>> {
        self.0.iter_mut().find(|entry| entry.identifier == identifier)
    }

    fn conclude(&mut self, identifier: PacketIdentifier, right: impl FnOnce(&Entry<B>) -> bool) -> Outcome {
        match self.0.iter().position(|entry| entry.identifier == identifier) {
            None => Outcome::Unknown,
            Some(at) if self.0.get(at).is_some_and(right) => {
                self.remove(at);
                Outcome::Confirmed
            }
            Some(_) => Outcome::Wrong,
        }
    }

    /// Takes out the entry at this place, which exists; whose PUBRELs were after its own moves up.
    fn remove(&mut self, at: usize) -> PacketIdentifier {
        let removed = self.0.remove(at);
        if let Awaits::Completion { behind: gone } = removed.awaits {
            for entry in &mut self.0 {
                if let Awaits::Completion { behind } = &mut entry.awaits
                    && *behind > gone
                {
                    *behind = behind.saturating_sub(1);
                }
            }
        }
        removed.identifier
    }
}
