//! Name lookup that can be given up: lwIP's resolver runs in its own task and calls back, or never does.

use super::bindings;
use super::clock::now;
use super::sync::{self, Critical, Semaphore};
use core::ffi::{CStr, c_char, c_int, c_void};
use heapless::Vec;
use w800_mqtt_core::time::Instant;

/// The longest host name, in bytes, without the NUL.
pub const LONGEST_NAME: usize = 128;

/// An answer of lwIP's that comes this late is none of a server's, in milliseconds: it asks four times, 1, 1 and 2 s apart, and
/// gives up 3 s after the last.
const SILENCE_MS: u64 = 5_500;

/// Room for the text of an address of either family.
const ADDRESS_TEXT: usize = 48;

/// What has become of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing yet.
    Waiting,
    /// The address in digits, NUL-terminated.
    Found(Vec<u8, ADDRESS_TEXT>),
    /// The name has no address.
    Failed,
    /// No name server has answered.
    Silence,
    /// No interface has an address, or no name server is known.
    NoNetwork,
    /// LwIP has no memory to ask.
    NoMemory,
}

#[derive(Debug)]
struct Inquiry {
    /// Counts lookups: an answer to an older one is none of ours.
    round: u16,
    name: Vec<u8, { LONGEST_NAME + 1 }>,
    resolution: Resolution,
    /// When lwIP was asked.
    asked: Instant,
}

/// One lookup at a time; each link has one of these.
#[derive(Debug)]
pub struct Lookup {
    inquiry: Critical<Inquiry>,
    /// Released when an answer is there, and by whoever wants to wake the task that waits for it.
    pub wake: Semaphore,
}

/// Static, because lwIP may call back long after the lookup was given up.
static LOOKUPS: [Lookup; crate::options::LINKS] = [const { Lookup::new() }; crate::options::LINKS];

/// The lookup of a link.
pub fn lookup(link: u8) -> Option<&'static Lookup> {
    LOOKUPS.get(usize::from(link))
}

impl Lookup {
    const fn new() -> Self {
        let inquiry =
            Inquiry { round: 0, name: Vec::new(), resolution: Resolution::Failed, asked: Instant::from_millis(0) };
        Self { inquiry: Critical::new(inquiry), wake: Semaphore::new(0) }
    }

    /// Starts to look up `name` (at most [`LONGEST_NAME`] bytes); when the answer is there, `wake` is released. `false`
    /// when it could not be started.
    pub fn start(&'static self, name: &[u8]) -> bool {
        let Some(place) = LOOKUPS.iter().position(|known| core::ptr::eq(known, self)) else { return false };
        let asked = now();
        let round = self.inquiry.with(|inquiry| {
            inquiry.round = inquiry.round.wrapping_add(1);
            inquiry.resolution = Resolution::Waiting;
            inquiry.asked = asked;
            inquiry.name.clear();
            inquiry.name.extend_from_slice(name).ok()?;
            inquiry.name.push(0).ok()?;
            Some(inquiry.round)
        });
        let Some(round) = round else { return false };
        sync::no_lock_held();
        // lwIP keeps a bare pointer for as long as it likes: place and round packed into one stay valid.
        let context = core::ptr::without_provenance_mut((place << 16) | usize::from(round));
        // SAFETY: the context is no pointer to anything.
        unsafe { bindings::tcpip_callback(Some(ask), context) == bindings::ERR_OK as bindings::err_t }
    }

    /// What has become of it.
    pub fn resolution(&self) -> Resolution {
        self.inquiry.with(|inquiry| inquiry.resolution.clone())
    }

    /// Forgets it: an answer that comes later is dropped.
    pub fn give_up(&self) {
        self.inquiry.with(|inquiry| {
            inquiry.round = inquiry.round.wrapping_add(1);
            inquiry.resolution = Resolution::Failed;
        });
    }

    fn conclude(&self, round: u16, resolution: Resolution) {
        let ours = self.inquiry.with(|inquiry| {
            let ours = inquiry.round == round && inquiry.resolution == Resolution::Waiting;
            if ours {
                inquiry.resolution = resolution;
            }
            ours
        });
        if ours {
            self.wake.release();
        }
    }
}

fn from_context(context: *mut c_void) -> Option<(&'static Lookup, u16)> {
    let packed = context.addr();
    Some((LOOKUPS.get(packed >> 16)?, (packed & 0xFFFF) as u16))
}

/// Runs in lwIP's task.
extern "C" fn ask(context: *mut c_void) {
    let Some((lookup, round)) = from_context(context) else { return };
    let name = lookup.inquiry.with(|inquiry| (inquiry.round == round).then(|| inquiry.name.clone()));
    let Some(name) = name else { return };
    let Ok(name) = CStr::from_bytes_with_nul(&name) else { return };
    if !is_on_a_network() {
        return lookup.conclude(round, Resolution::NoNetwork);
    }
    // SAFETY: all-zero is a valid address.
    let mut address: bindings::ip_addr_t = unsafe { core::mem::zeroed() };
    // SAFETY: this is lwIP's task; lwIP copies the name, and `address` is a valid place for the result.
    let status =
        i32::from(unsafe { bindings::dns_gethostbyname(name.as_ptr().cast(), &mut address, Some(found), context) });
    let answer = match status {
        bindings::ERR_OK => text(&raw const address),
        bindings::ERR_INPROGRESS => return,
        bindings::ERR_ARG => Resolution::Failed,
        bindings::ERR_VAL => Resolution::NoNetwork,
        _ => Resolution::NoMemory,
    };
    lookup.conclude(round, answer);
}

/// Whether a packet to an address of no network that is known would go anywhere; not asked where IPv6 may be what there
/// is. Runs in lwIP's task.
fn is_on_a_network() -> bool {
    let anywhere = bindings::ip4_addr { addr: 0 };
    // SAFETY: this is lwIP's task, and the address is valid.
    cfg!(lwip_ipv6) || !unsafe { bindings::ip4_route(&raw const anywhere) }.is_null()
}

/// Runs in lwIP's task.
extern "C" fn found(_: *const c_char, address: *const bindings::ip_addr_t, context: *mut c_void) {
    let Some((lookup, round)) = from_context(context) else { return };
    let asked = lookup.inquiry.with(|inquiry| inquiry.asked);
    let answer = match asked.until(now()) {
        _ if !address.is_null() => text(address),
        SILENCE_MS.. => Resolution::Silence,
        _ => Resolution::Failed,
    };
    lookup.conclude(round, answer);
}

fn text(address: *const bindings::ip_addr_t) -> Resolution {
    let mut digits = [0_u8; ADDRESS_TEXT];
    // SAFETY: the address is valid, and the text is cut to the buffer's length with its NUL.
    let end = unsafe { bindings::ipaddr_ntoa_r(address, digits.as_mut_ptr().cast(), ADDRESS_TEXT as c_int) };
    match digits.iter().position(|byte| *byte == 0) {
        Some(length) if !end.is_null() => {
            let used = digits.get(..length.saturating_add(1)).unwrap_or_default();
            Vec::from_slice(used).map_or(Resolution::Failed, Resolution::Found)
        }
        _ => Resolution::Failed,
    }
}
