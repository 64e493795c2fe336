//! Outgoing publications between their first byte and the broker's last word (MQTT 3.1.1 §4.3, §4.4).

use super::QoS;
use super::publication::Publication;
use heapless::Vec;

/// How many publications may await their acknowledgement at once.
pub const MOST_IN_FLIGHT: usize = 8;

/// What a publication in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// PUBACK at QoS 1, PUBREC at QoS 2.
    Acknowledgement,
    /// PUBCOMP.
    Completion,
}

#[derive(Debug)]
struct Entry<B> {
    identifier: u16,
    qos: QoS,
    awaits: Awaits,
    /// Whether the connection was lost since it was last sent.
    again: bool,
    /// Absent while it is being sent, and once PUBREC has come: the message is the broker's then.
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
    /// The acknowledgement does not belong to the publication's QoS, or is PUBCOMP and PUBREC never came.
    Wrong,
}

/// What is to be sent again after a reconnection, in order.
#[derive(Debug)]
pub enum Again<B> {
    /// The PUBLISH; give it back with [`InFlight::sent`].
    Publish(u16, Publication<B>),
    /// The PUBREL of this packet identifier.
    Pubrel(u16),
}

/// The store: what awaits PUBCOMP in the order of the PUBRECs, then what awaits PUBACK or PUBREC in the order of
/// sending (§4.6).
///
/// An acknowledgement may come while the publication's sender has not yet given it back, and on a new connection
/// before it was sent again: what the broker says it has, it has.
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

    /// Enters a publication that is about to be sent; `false` when the store is full.
    pub fn begin(&mut self, identifier: u16, qos: QoS) -> bool {
        let entry = Entry { identifier, qos, awaits: Awaits::Acknowledgement, again: false, publication: None };
        self.0.push(entry).is_ok()
    }

    /// Takes the publication back after it was sent or sending it failed. If its acknowledgement was faster, it is
    /// dropped.
    pub fn sent(&mut self, identifier: u16, publication: Publication<B>) {
        if let Some(entry) = self.find(identifier)
            && entry.awaits == Awaits::Acknowledgement
        {
            entry.publication = Some(publication);
        }
    }

    /// PUBACK.
    pub fn acknowledged(&mut self, identifier: u16) -> Outcome {
        self.conclude(identifier, QoS::AtLeastOnce, Awaits::Acknowledgement)
    }

    /// PUBREC.
    pub fn received(&mut self, identifier: u16) -> Outcome {
        let Some(at) = self.position(identifier) else { return Outcome::Unknown };
        match self.0.get_mut(at) {
            Some(entry) if entry.qos == QoS::ExactlyOnce => {
                entry.again = false;
                entry.publication = None;
                if entry.awaits == Awaits::Acknowledgement {
                    entry.awaits = Awaits::Completion;
                    self.move_behind_completions(at);
                }
                Outcome::Released
            }
            _ => Outcome::Wrong,
        }
    }

    /// PUBCOMP.
    pub fn completed(&mut self, identifier: u16) -> Outcome {
        self.conclude(identifier, QoS::ExactlyOnce, Awaits::Completion)
    }

    /// The connection is lost: everything must be sent again.
    pub fn connection_lost(&mut self) {
        for entry in &mut self.0 {
            entry.again = true;
        }
    }

    /// The next that must be sent again, in order; `None` behind the last.
    pub fn again(&mut self) -> Option<Again<B>>
    where
        B: crate::bytes::Buffer,
    {
        let due =
            |entry: &&mut Entry<B>| entry.again && (entry.awaits == Awaits::Completion || entry.publication.is_some());
        let entry = self.0.iter_mut().find(due)?;
        entry.again = false;
        Some(match entry.publication.take() {
            None => Again::Pubrel(entry.identifier),
            Some(mut publication) => {
                publication.mark_duplicate();
                Again::Publish(entry.identifier, publication)
            }
        })
    }

    /// Whether a packet identifier is in use.
    pub fn uses(&self, identifier: u16) -> bool {
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

    /// Drops everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn find(&mut self, identifier: u16) -> Option<&mut Entry<B>> {
        self.0.iter_mut().find(|entry| entry.identifier == identifier)
    }

    fn position(&self, identifier: u16) -> Option<usize> {
        self.0.iter().position(|entry| entry.identifier == identifier)
    }

    /// PUBRELs go out in the order of the PUBRECs, also when they are sent again (§4.6).
    fn move_behind_completions(&mut self, at: usize) {
        let others = self.0.iter().filter(|entry| entry.awaits == Awaits::Completion).count().saturating_sub(1);
        if let Some(between) = self.0.get_mut(others..=at) {
            between.rotate_right(1);
        }
    }

    fn conclude(&mut self, identifier: u16, qos: QoS, awaits: Awaits) -> Outcome {
        let Some(at) = self.position(identifier) else { return Outcome::Unknown };
        match self.0.get(at) {
            Some(entry) if entry.qos == qos && entry.awaits == awaits => {
                self.0.remove(at);
                Outcome::Confirmed
            }
            _ => Outcome::Wrong,
        }
    }
}
