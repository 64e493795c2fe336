//! Faults that are put into the operating system on purpose, to see that they are found.

/// One of them, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// The system is as it should be.
    #[default]
    None,
    /// The right to send is given to everybody who wants it.
    MissingLock,
    /// A link's task wants its right to send before it gives up the right to print. PUBRAW at QoS 0 takes the right to send
    /// first.
    SwappedOrder,
    /// A release that comes between a task's look at a semaphore and its sleep does not wake it.
    LostWakeUp,
}

impl Fault {
    /// All that are faults, by the names that the command line has for them.
    pub const ALL: [(&'static str, Self); 3] = [
        ("missing-lock", Self::MissingLock),
        ("swapped-order", Self::SwappedOrder),
        ("lost-wake-up", Self::LostWakeUp),
    ];
}
