//! An incoming message as one `+MQTTSUBRECV` line, however it arrives (AT contract §4).
//!
//! A message that fits [`MOST_GATHERED`] is gathered first, so that a line is only opened when all of it is there. A
//! longer one goes to the port in the pieces in which it arrives, in constant memory. If the connection is lost inside
//! such a message, a host that reads by length must not take what follows for payload: the line is filled with NUL up
//! to its length ([`Delivery::fill`]), and another line says how many bytes were real.
//!
//! While the host waits for the answer to a publication, lines that fit [`MOST_GATHERED`] bytes of payload together are
//! held until it is printed: hosts look for the answer right after their data (AT contract §3).

use crate::at::answer::{self, LINE_END, Line, Sink};
use crate::bytes::Buffer;
use crate::mqtt::decoder::Head;
use heapless::Vec;

/// How long a command may wait for an open line that waits for the network, in milliseconds. What the port takes to
/// print does not count.
pub const MOST_STARVED_MS: u64 = 4_000;

/// NUL bytes that one call of [`Delivery::fill`] prints.
const FILLING: [u8; 64] = [0; 64];

/// `+MQTTINCOMPLETE:<LinkID>,<received>`: the message above was cut off by the network. One of this project's additions.
const INCOMPLETE: &[u8] = b"+MQTTINCOMPLETE:";

/// Messages up to this many bytes are gathered before they are printed.
pub const MOST_GATHERED: u32 = 1024;

/// Lines that are held at most.
const MOST_HELD: usize = 8;

/// The right to print, as long as it is held; dropping it ends the line.
pub trait Printer: Sink {
    /// The line is whole; another one may follow.
    fn end_line(&mut self);
}

enum Progress<P, B> {
    /// No message is coming in.
    Idle,
    /// The whole line grows in memory.
    Gathering(Gathered<B>),
    /// The line is open.
    Printing {
        printer: P,
        length: u32,
        /// Payload bytes that have come.
        received: u32,
        /// Bytes printed in the place of those that will not.
        filled: u32,
        /// Milliseconds for which a command has waited for the port and the port for the network.
        starved_ms: u64,
    },
}

/// A line in memory, printed by one call: not even what the AT server prints by itself can cut it.
struct Gathered<B> {
    line: B,
    have: usize,
    payload_length: u32,
}

/// What a line has besides its topic and payload, in bytes.
const LINE_OVERHEAD: usize = 48;

impl<B: Buffer> Gathered<B> {
    fn new(link: u8, head: &Head<'_, B>) -> Option<Self> {
        let topic = head.topic.as_ref();
        let payload = usize::try_from(head.payload_length).ok()?;
        let length = topic.len().checked_mul(2)?.checked_add(payload)?.checked_add(LINE_OVERHEAD)?;
        let line = B::allocate(length)?;
        let mut gathered = Self { line, have: 0, payload_length: head.payload_length };
        answer::received_in_parts(link, topic, head.payload_length, &mut |part| gathered.write(part));
        Some(gathered)
    }

    fn bytes(&self) -> &[u8] {
        self.line.as_ref().get(..self.have).unwrap_or_default()
    }
}

impl<B: Buffer> Sink for Gathered<B> {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.have.saturating_add(bytes.len());
        if let Some(place) = self.line.as_mut().get_mut(self.have..end) {
            place.copy_from_slice(bytes);
            self.have = end;
        }
    }
}

/// The message that is coming in on one link.
pub struct Delivery<P, B> {
    link: u8,
    progress: Progress<P, B>,
    /// Lines that wait for an answer to be printed.
    held: Vec<Gathered<B>, MOST_HELD>,
}

impl<P: Printer, B: Buffer> Delivery<P, B> {
    /// No message is coming in.
    pub const fn new(link: u8) -> Self {
        Self { link, progress: Progress::Idle, held: Vec::new() }
    }

    /// A message begins. `claim` gives the right to print, or why the connection is to be given up; it is asked at once
    /// for a long message and at the end of a short one.
    ///
    /// # Errors
    /// What `claim` says.
    pub fn begin<E>(&mut self, head: Head<'_, B>, claim: impl FnOnce() -> Result<P, E>) -> Result<(), E> {
        if head.payload_length <= MOST_GATHERED
            && let Some(gathered) = Gathered::new(self.link, &head)
        {
            self.progress = Progress::Gathering(gathered);
            return Ok(());
        }
        let mut printer = claim()?;
        self.print_held_before(&mut printer);
        let length = head.payload_length;
        answer::received(&mut printer, self.link, head.topic.as_ref(), length);
        self.progress = Progress::Printing { printer, length, received: 0, filled: 0, starved_ms: 0 };
        Ok(())
    }

    /// The next bytes of its payload.
    pub fn payload(&mut self, piece: &[u8]) {
        match &mut self.progress {
            Progress::Idle => {}
            Progress::Gathering(gathered) => gathered.write(piece),
            Progress::Printing { printer, received, .. } => {
                printer.write(piece);
                *received = received.saturating_add(piece.len() as u32);
            }
        }
    }

    /// Whether a line is open on the port.
    pub const fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Printing { .. })
    }

    /// It took the network so long to bring more, while a command was waiting for the port or not. `true` when one has
    /// waited too long for an open line by that.
    pub const fn waited(&mut self, milliseconds: u64, command_waits: bool) -> bool {
        let Progress::Printing { starved_ms, .. } = &mut self.progress else { return false };
        *starved_ms = if command_waits { starved_ms.saturating_add(milliseconds) } else { 0 };
        *starved_ms >= MOST_STARVED_MS
    }

    /// The message is complete. Its line is printed, or held where that is wanted (`hold`) and it fits.
    ///
    /// # Errors
    /// What `claim` says.
    pub fn end<E>(&mut self, hold: bool, claim: impl FnOnce() -> Result<P, E>) -> Result<(), E> {
        if let Progress::Gathering(_) = self.progress
            && let Progress::Gathering(mut gathered) = core::mem::replace(&mut self.progress, Progress::Idle)
        {
            gathered.write(LINE_END);
            let unheld = if hold && self.can_hold(&gathered) { self.held.push(gathered).err() } else { Some(gathered) };
            if let Some(gathered) = unheld {
                let mut printer = claim()?;
                self.print_held_before(&mut printer);
                printer.write(gathered.bytes());
            }
        }
        self.break_off(false);
        Ok(())
    }

    fn can_hold(&self, gathered: &Gathered<B>) -> bool {
        let held = self.held.iter().map(|line| line.payload_length).fold(0_u32, u32::saturating_add);
        held.saturating_add(gathered.payload_length) <= MOST_GATHERED
    }

    /// Whether lines are held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Prints the lines that are held. The last one is the printer's to end, where there is any: then `true`.
    pub fn print_held(&mut self, printer: &mut P) -> bool {
        let held = core::mem::take(&mut self.held);
        for (position, gathered) in held.iter().enumerate() {
            if position > 0 {
                printer.end_line();
            }
            printer.write(gathered.bytes());
        }
        !held.is_empty()
    }

    fn print_held_before(&mut self, printer: &mut P) {
        if self.print_held(printer) {
            printer.end_line();
        }
    }

    /// The rest of the message will not come: prints some of the filling in its place. `false` when none is left.
    pub fn fill(&mut self) -> bool {
        let Progress::Printing { printer, length, received, filled, .. } = &mut self.progress else { return false };
        let left = length.saturating_sub(*received).saturating_sub(*filled);
        let piece = FILLING.get(..left as usize).unwrap_or(&FILLING);
        if piece.is_empty() {
            return false;
        }
        printer.write(piece);
        *filled = filled.saturating_add(piece.len() as u32);
        true
    }

    /// Ends an open line; where the host shall know, a line says how much has come of a message that is cut off.
    pub fn break_off(&mut self, tells_incomplete: bool) {
        let Progress::Printing { mut printer, length, received, .. } =
            core::mem::replace(&mut self.progress, Progress::Idle)
        else {
            return;
        };
        printer.write(LINE_END);
        if tells_incomplete && received < length {
            printer.end_line();
            Line::new(&mut printer, INCOMPLETE).int(u32::from(self.link)).int(received).end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::decoder::{Delivery as MessageDelivery, Topic};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// What was printed by each call; an empty entry is the end of a line.
    type Calls = Rc<RefCell<Vec<Vec<u8>>>>;

    struct Port(Calls);

    impl Sink for Port {
        fn write(&mut self, bytes: &[u8]) {
            self.0.borrow_mut().push(bytes.to_vec());
        }
    }

    impl Printer for Port {
        fn end_line(&mut self) {
            self.0.borrow_mut().push(Vec::new());
        }
    }

    type Messages = Delivery<Port, Vec<u8>>;

    fn head(payload_length: u32) -> Head<'static, Vec<u8>> {
        Head {
            topic: Topic::Received(b"a\"b"),
            delivery: MessageDelivery::AtMostOnce,
            has_control_characters: false,
            payload_length,
        }
    }

    fn port(calls: &Calls) -> Result<Port, ()> {
        Ok(Port(Rc::clone(calls)))
    }

    fn never() -> Result<Port, ()> {
        panic!("claimed");
    }

    #[test]
    fn a_short_message_is_one_call_when_it_is_whole() {
        for length in [0, 1, MOST_GATHERED] {
            let (calls, mut delivery) = (Calls::default(), Messages::new(1));
            delivery.begin(head(length), never).unwrap();
            for piece in std::vec![b'x'; length as usize].chunks(300) {
                delivery.payload(piece);
                assert!(!delivery.is_open() && !delivery.waited(MOST_STARVED_MS, true));
            }
            delivery.end(false, || port(&calls)).unwrap();
            let line = [
                b"+MQTTSUBRECV:1,\"a\\\"b\",",
                std::format!("{length},").as_bytes(),
                &std::vec![b'x'; length as usize],
                b"\r\n",
            ]
            .concat();
            assert_eq!(*calls.borrow(), [line]);
        }
    }

    /// A message of so many bytes comes in whole.
    fn message(delivery: &mut Messages, length: u32, hold: bool, calls: &Calls) {
        delivery.begin(head(length), || port(calls)).unwrap();
        delivery.payload(&std::vec![b'x'; length as usize]);
        delivery.end(hold, || port(calls)).unwrap();
    }

    #[test]
    fn what_fits_is_held_and_what_does_not_lets_it_out_before() {
        for too_much in [MOST_GATHERED - 99, MOST_GATHERED, MOST_GATHERED + 1] {
            let (calls, mut delivery) = (Calls::default(), Messages::new(0));
            message(&mut delivery, 60, true, &calls);
            message(&mut delivery, 40, true, &calls);
            assert!(delivery.holds() && calls.borrow().is_empty());
            message(&mut delivery, too_much, true, &calls);
            assert!(!delivery.holds());
            let lengths: Vec<String> = lengths(&calls);
            assert_eq!(lengths, ["60", "40", &too_much.to_string()]);
        }
    }

    #[test]
    fn what_is_held_comes_out_line_by_line() {
        let (calls, mut delivery) = (Calls::default(), Messages::new(0));
        message(&mut delivery, 500, true, &calls);
        message(&mut delivery, 524, true, &calls);
        let mut printer = Port(Rc::clone(&calls));
        assert!(delivery.print_held(&mut printer) && !delivery.print_held(&mut printer));
        assert_eq!(lengths(&calls), ["500", "524"]);
        assert_eq!(calls.borrow().iter().filter(|call| call.is_empty()).count(), 1, "an end between the two");
    }

    /// The lengths that the lines on the port announce.
    fn lengths(calls: &Calls) -> Vec<String> {
        let printed = String::from_utf8(calls.borrow().concat()).unwrap();
        printed.lines().map(|line| line.split(',').nth(2).unwrap().to_string()).collect()
    }

    #[test]
    fn a_short_message_that_is_cut_off_was_never_there() {
        let mut delivery = Messages::new(0);
        delivery.begin(head(10), never).unwrap();
        delivery.payload(b"12345");
        assert!(!delivery.fill());
        delivery.break_off(true);
    }

    #[test]
    fn a_long_message_goes_out_as_it_comes() {
        let (calls, mut delivery) = (Calls::default(), Messages::new(0));
        delivery.begin(head(MOST_GATHERED + 1), || port(&calls)).unwrap();
        assert!(delivery.is_open());
        let payload = std::vec![7; MOST_GATHERED as usize + 1];
        for piece in payload.chunks(500) {
            delivery.payload(piece);
        }
        assert!(!delivery.fill(), "all of it has come");
        delivery.end(false, never).unwrap();
        assert!(!delivery.is_open());
        let line = [b"+MQTTSUBRECV:0,\"a\\\"b\",1025,", &payload[..], b"\r\n"].concat();
        assert_eq!(calls.borrow().concat(), line);
    }

    #[test]
    fn a_long_message_that_is_cut_off_keeps_its_length() {
        for tells in [false, true] {
            let (calls, mut delivery) = (Calls::default(), Messages::new(2));
            delivery.begin(head(2000), || port(&calls)).unwrap();
            delivery.payload(&[b'x'; 700]);
            while delivery.fill() {}
            delivery.break_off(tells);
            let line = [b"+MQTTSUBRECV:2,\"a\\\"b\",2000,", &[b'x'; 700][..], &[0; 1300], b"\r\n"].concat();
            let told: &[u8] = if tells { b"+MQTTINCOMPLETE:2,700\r\n" } else { b"" };
            assert_eq!(calls.borrow().concat(), [&line, told].concat());
            assert_eq!(calls.borrow().iter().filter(|call| call.is_empty()).count(), usize::from(tells));
        }
    }

    #[test]
    fn filling_may_be_cut_short() {
        let (calls, mut delivery) = (Calls::default(), Messages::new(0));
        delivery.begin(head(2000), || port(&calls)).unwrap();
        assert!(delivery.fill());
        delivery.break_off(true);
        let line = [b"+MQTTSUBRECV:0,\"a\\\"b\",2000,", &[0; 64][..], b"\r\n+MQTTINCOMPLETE:0,0\r\n"].concat();
        assert_eq!(calls.borrow().concat(), line);
    }

    #[test]
    fn a_line_starves_only_while_a_command_waits() {
        let (calls, mut delivery) = (Calls::default(), Messages::new(0));
        delivery.begin(head(2000), || port(&calls)).unwrap();
        assert!(!delivery.waited(60_000, false));
        assert!(!delivery.waited(MOST_STARVED_MS - 1, true));
        assert!(!delivery.waited(1, false), "the command has gone");
        assert!(!delivery.waited(MOST_STARVED_MS - 1, true));
        assert!(delivery.waited(1, true));
    }

    #[test]
    fn who_may_not_print_gives_up() {
        let mut delivery = Messages::new(0);
        assert_eq!(delivery.begin(head(2000), || Err(7)), Err(7));
        assert!(!delivery.is_open());
        delivery.begin(head(1), never).unwrap();
        assert_eq!(delivery.end(false, || Err(8)), Err(8));
    }

    #[test]
    fn without_memory_to_gather_in_the_line_is_opened_at_once() {
        struct None;
        impl AsRef<[u8]> for None {
            fn as_ref(&self) -> &[u8] {
                b"t"
            }
        }
        impl AsMut<[u8]> for None {
            fn as_mut(&mut self) -> &mut [u8] {
                &mut []
            }
        }
        impl Buffer for None {
            fn allocate(_: usize) -> Option<Self> {
                Option::None
            }
        }
        let (calls, mut delivery) = (Calls::default(), Delivery::<Port, None>::new(0));
        let head = Head {
            topic: Topic::Kept(None),
            delivery: MessageDelivery::AtMostOnce,
            has_control_characters: false,
            payload_length: 1,
        };
        delivery.begin(head, || port(&calls)).unwrap();
        assert!(delivery.is_open());
        delivery.payload(b"x");
        delivery.end(false, || Err(())).unwrap();
        assert_eq!(calls.borrow().concat(), b"+MQTTSUBRECV:0,\"t\",1,x\r\n");
    }
}
