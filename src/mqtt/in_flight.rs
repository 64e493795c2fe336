//! Outgoing publications between their first byte and the broker's last word (MQTT 3.1.1 §4.3, §4.4).

use super::QoS;
use super::publication::Publication;
use heapless::Vec;

/// How many publications may await their acknowledgement at once.
pub const MOST_IN_FLIGHT: usize = 8;

/// What a publication in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// The end of its own sending.
    Sending,
    /// A (re)connection: it must be sent (again).
    Resend,
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
    /// The acknowledgement does not belong to the publication's QoS or came before the message was sent.
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

/// The store, oldest first.
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
        self.0.push(Entry { identifier, qos, awaits: Awaits::Sending, publication: None }).is_ok()
    }

    /// Takes the publication back after it was sent, or after sending it failed (`sent` is false).
    pub fn sent(&mut self, identifier: u16, publication: Publication<B>, sent: bool) {
        if let Some(entry) = self.find(identifier) {
            entry.awaits = if sent { Awaits::Acknowledgement } else { Awaits::Resend };
            entry.publication = Some(publication);
        }
    }

    /// PUBACK.
    pub fn acknowledged(&mut self, identifier: u16) -> Outcome {
        self.conclude(identifier, QoS::AtLeastOnce, Awaits::Acknowledgement)
    }

    /// PUBREC.
    pub fn received(&mut self, identifier: u16) -> Outcome {
        let Some(entry) = self.find(identifier) else { return Outcome::Unknown };
        match (entry.qos, entry.awaits) {
            (QoS::ExactlyOnce, Awaits::Acknowledgement | Awaits::Completion) => {
                entry.awaits = Awaits::Completion;
                entry.publication = None;
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
            if entry.awaits == Awaits::Acknowledgement {
                entry.awaits = Awaits::Resend;
            }
        }
    }

    /// What is to be sent again from place `*at` on, in order; moves `*at` behind it. `None` behind the last.
    pub fn again(&mut self, at: &mut usize) -> Option<Again<B>>
    where
        B: crate::bytes::Buffer,
    {
        while let Some(entry) = self.0.get_mut(*at) {
            *at = at.saturating_add(1);
            if entry.awaits == Awaits::Completion {
                return Some(Again::Pubrel(entry.identifier));
            }
            if let Some(mut publication) = entry.publication.take() {
                entry.awaits = Awaits::Sending;
                publication.mark_duplicate();
                return Some(Again::Publish(entry.identifier, publication));
            }
        }
        None
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

    fn conclude(&mut self, identifier: u16, qos: QoS, awaits: Awaits) -> Outcome {
        let Some(at) = self.0.iter().position(|entry| entry.identifier == identifier) else {
            return Outcome::Unknown;
        };
        match self.0.get(at) {
            Some(entry) if entry.qos == qos && entry.awaits == awaits => {
                self.0.remove(at);
                Outcome::Confirmed
            }
            _ => Outcome::Wrong,
        }
    }
}
