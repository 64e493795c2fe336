//! What the session is held to.

/// A rule of MQTT 3.1.1 or of the AT contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `OK` at QoS 1 or 2 implies that the subscriber has the message.
    OkMeansDelivered,
    /// At QoS 2 nothing is delivered twice while the session is kept.
    ExactlyOnce,
    /// §4.6: PUBLISH again in the order of publishing, PUBREL in the order of the PUBRECs, acknowledgements in the
    /// order of what they acknowledge.
    Order,
    /// §2.3.1: a packet identifier stands for one message until its exchange is over.
    Identifier,
    /// Everything that is owed is sent.
    BoundedTime,
    /// Only what the broker refuses by closing is dropped.
    NothingElseDropped,
    /// What is sent is a packet that may come now, with the right flags.
    Packet,
}

/// A rule that was broken, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach(pub Rule, pub &'static str);

/// Holds `condition` to be true.
pub fn hold(condition: bool, rule: Rule, text: &'static str) -> Result<(), Breach> {
    if condition { Ok(()) } else { Err(Breach(rule, text)) }
}
