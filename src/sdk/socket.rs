//! TCP sockets of lwIP, never blocking: waiting is always `lwip_poll` with a time.

use super::bindings;
use super::clock;
use super::heap;
use super::sync::no_lock_held;
use core::ffi::{CStr, c_int, c_void};
use heapless::Vec;
use w800_mqtt_core::digits::{DECIMAL_MAX, decimal};
use w800_mqtt_core::time::Instant;

/// Why a connection is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The peer has ended the stream.
    Ended,
    /// Anything else: lwIP's `SO_ERROR` or Mbed TLS's error, 0 where nothing names one.
    Failed(i32),
}

impl Broken {
    /// Whether the peer has closed the connection, by FIN or by RST. A network that is lost has another number.
    pub const fn is_by_peer(self) -> bool {
        match self {
            Self::Ended => true,
            Self::Failed(error) => error == bindings::W800_ECONNRESET as i32,
        }
    }

    /// Its number, 0 for none.
    pub const fn number(self) -> i32 {
        match self {
            Self::Ended => 0,
            Self::Failed(error) => error,
        }
    }
}

/// What a socket may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes, the end of the stream, or an error.
    Readable,
    /// Room to send, a finished connect, or an error.
    Writable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    No,
    Yes,
    Broken,
}

#[cfg(lwip_ipv6)]
const OFFSET_OF_IPV6: usize = core::mem::offset_of!(bindings::sockaddr_in6, sin6_addr);
#[cfg(not(lwip_ipv6))]
const OFFSET_OF_IPV6: usize = size_of::<bindings::sockaddr_storage>();

/// The address of a peer.
#[derive(Clone, Copy)]
pub struct Address {
    family: c_int,
    length: bindings::socklen_t,
    storage: bindings::sockaddr_storage,
}

impl Address {
    /// The address that `host` spells in digits; `None` when it is a name or no address at all.
    pub fn parse(host: &CStr, port: u16) -> Option<Self> {
        let mut service = [0_u8; 8];
        for (to, from) in service.iter_mut().zip(decimal(u32::from(port), &mut [0; DECIMAL_MAX])) {
            *to = *from;
        }
        // SAFETY: all-zero is a valid `addrinfo`: no flags, no pointers.
        let mut hints: bindings::addrinfo = unsafe { core::mem::zeroed() };
        hints.ai_flags = bindings::AI_NUMERICHOST as c_int;
        hints.ai_socktype = bindings::SOCK_STREAM as c_int;
        let mut list = core::ptr::null_mut();
        // SAFETY: both texts end in NUL (the port has 5 digits at most), and `list` is a valid place for the result.
        let status = unsafe {
            bindings::lwip_getaddrinfo(host.as_ptr().cast(), service.as_ptr().cast(), &raw const hints, &mut list)
        };
        if status != 0 || list.is_null() {
            return None;
        }
        // SAFETY: lwIP has returned a list with at least one element.
        let first = unsafe { &*list };
        let address = Self::copy(first);
        // SAFETY: the list came from `lwip_getaddrinfo` and is freed once.
        unsafe { bindings::lwip_freeaddrinfo(list) };
        address
    }

    /// The address without the port, as in a certificate: 4 bytes, or 16 for IPv6.
    pub fn octets(&self) -> Vec<u8, 16> {
        let mut octets = Vec::new();
        let (offset, length) = if self.family == bindings::AF_INET as c_int {
            (core::mem::offset_of!(bindings::sockaddr_in, sin_addr), 4)
        } else {
            (OFFSET_OF_IPV6, 16)
        };
        // SAFETY: the storage has room for either kind of address and was zeroed before one was copied in.
        let all = unsafe {
            core::slice::from_raw_parts((&raw const self.storage).cast::<u8>(), size_of::<bindings::sockaddr_storage>())
        };
        let _ = octets.extend_from_slice(all.get(offset..).and_then(|tail| tail.get(..length)).unwrap_or_default());
        octets
    }

    fn copy(info: &bindings::addrinfo) -> Option<Self> {
        let length = usize::try_from(info.ai_addrlen).ok()?;
        if info.ai_addr.is_null() || length > size_of::<bindings::sockaddr_storage>() {
            return None;
        }
        // SAFETY: all-zero is a valid `sockaddr_storage`.
        let mut storage: bindings::sockaddr_storage = unsafe { core::mem::zeroed() };
        // SAFETY: the source has `length` bytes, the target at least as many, and they do not overlap.
        unsafe {
            core::ptr::copy_nonoverlapping(info.ai_addr.cast::<u8>(), (&raw mut storage).cast::<u8>(), length);
        }
        Some(Self { family: info.ai_family, length: info.ai_addrlen, storage })
    }
}

/// A socket that is closed when dropped.
#[derive(Debug)]
pub struct Socket(c_int);

impl Socket {
    /// Opens a TCP socket for this peer; `None` when there is no memory for it.
    pub fn open(peer: &Address) -> Option<Self> {
        // SAFETY: no requirements.
        let fd = unsafe {
            bindings::lwip_socket(peer.family, bindings::SOCK_STREAM as c_int, bindings::IPPROTO_TCP as c_int)
        };
        if fd < 0 {
            return None;
        }
        let socket = Self(fd);
        if !socket.set_non_blocking() {
            return None;
        }
        socket.set_no_delay();
        Some(socket)
    }

    /// Starts to connect; wait for [`Interest::Writable`], then ask [`Socket::connected`].
    ///
    /// Where lwIP has no memory for it nothing happens, and only `errno` would tell: try again while nothing happens. A
    /// connect that is on its way does not mind.
    ///
    /// # Errors
    /// [`Broken`] when it fails at once.
    pub fn connect(&self, peer: &Address) -> Result<(), Broken> {
        // SAFETY: the address is valid for `length` bytes.
        let status = unsafe { bindings::lwip_connect(self.0, (&raw const peer.storage).cast(), peer.length) };
        match if status < 0 { self.error() } else { 0 } {
            0 => Ok(()),
            error => Err(Broken::Failed(error)),
        }
    }

    fn set_non_blocking(&self) -> bool {
        let mut on: c_int = 1;
        // SAFETY: the request takes an int that outlives the call.
        unsafe { bindings::lwip_ioctl(self.0, bindings::W800_FIONBIO as _, (&raw mut on).cast::<c_void>()) == 0 }
    }

    fn set_no_delay(&self) {
        let on: c_int = 1;
        // SAFETY: the option's value is an int that outlives the call.
        unsafe {
            bindings::lwip_setsockopt(
                self.0,
                bindings::IPPROTO_TCP as c_int,
                bindings::TCP_NODELAY as c_int,
                (&raw const on).cast::<c_void>(),
                size_of::<c_int>() as bindings::socklen_t,
            );
        }
    }

    /// The socket's pending error, which asking clears.
    fn error(&self) -> i32 {
        self.handle().error()
    }

    /// Whether a connect has succeeded, once the socket was writable or in error.
    ///
    /// # Errors
    /// [`Broken`] with the reason.
    pub fn connected(&self) -> Result<(), Broken> {
        match self.error() {
            0 if self.handle().wait(Interest::Writable, 0) != Ready::Broken => Ok(()),
            error => Err(Broken::Failed(error)),
        }
    }

    /// Waits at most `milliseconds`; `false` when nothing has happened.
    pub fn wait(&self, interest: Interest, milliseconds: u32) -> bool {
        self.handle().wait(interest, milliseconds) != Ready::No
    }

    /// The name of this socket, for another task. It must be gone before this socket is dropped.
    pub const fn handle(&self) -> SocketHandle {
        SocketHandle(self.0)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the socket is open and closed once.
        unsafe { bindings::lwip_close(self.0) };
    }
}

/// What a segment carries, in bytes, and what it costs of the heap with all that lwIP puts before and around it. A short one
/// costs the same: lwIP leaves room after it for what may follow.
const SEGMENT_BYTES: usize = 1460;
const SEGMENT_COST: usize = 2048;

/// The name of an open socket, to use it from another task (lwIP is full duplex). One task receives at a time.
///
/// What does not say that it waits is answered at once by lwIP's own task.
#[derive(Debug, Clone, Copy)]
pub struct SocketHandle(c_int);

impl SocketHandle {
    /// The name of no socket.
    #[cfg(test)]
    pub const CLOSED: Self = Self(-1);

    /// The pending error, which asking clears; 0 for none, and where lwIP has no memory for the answer: a socket that is
    /// over shows in a wait as well.
    pub fn error(self) -> i32 {
        let mut error: c_int = 0;
        let mut length = size_of::<c_int>() as bindings::socklen_t;
        // SAFETY: the option's value is an int, and both places are valid.
        let status = unsafe {
            bindings::lwip_getsockopt(
                self.0,
                bindings::SOL_SOCKET as c_int,
                bindings::SO_ERROR as c_int,
                (&raw mut error).cast::<c_void>(),
                &raw mut length,
            )
        };
        if status < 0 { 0 } else { error }
    }

    fn wait(self, interest: Interest, milliseconds: u32) -> Ready {
        if milliseconds > 0 {
            no_lock_held();
        }
        let events = match interest {
            Interest::Readable => bindings::POLLIN,
            Interest::Writable => bindings::POLLOUT,
        };
        let mut poll = bindings::pollfd { fd: self.0, events: events as _, revents: 0 };
        let time = c_int::try_from(milliseconds).unwrap_or(c_int::MAX);
        // SAFETY: `poll` is one valid element.
        if unsafe { bindings::lwip_poll(&raw mut poll, 1, time) } == 0 {
            return Ready::No;
        }
        let broken = (bindings::POLLERR | bindings::POLLHUP | bindings::POLLNVAL) as u32;
        if u32::from(poll.revents.cast_unsigned()) & broken != 0 { Ready::Broken } else { Ready::Yes }
    }

    /// Sends what lwIP takes at once: how many of `bytes`, 0 when there is no room. LwIP copies them to the heap; it is handed
    /// no more than it can copy without the heap's reserve.
    ///
    /// # Errors
    /// [`Broken`] when the peer is gone.
    pub fn send(self, bytes: &[u8]) -> Result<usize, Broken> {
        let segments = heap::available().div_euclid(SEGMENT_COST);
        let bytes = bytes.get(..segments.saturating_mul(SEGMENT_BYTES)).unwrap_or(bytes);
        if bytes.is_empty() {
            return self.wait_for_memory();
        }
        // SAFETY: `bytes` is valid for its length.
        let sent =
            unsafe { bindings::lwip_send(self.0, bytes.as_ptr().cast(), bytes.len(), bindings::MSG_DONTWAIT as c_int) };
        if let Ok(sent) = usize::try_from(sent) {
            return Ok(sent);
        }
        match self.error() {
            0 if self.wait(Interest::Writable, 0) != Ready::Broken => Ok(0),
            error => Err(Broken::Failed(error)),
        }
    }

    /// Whether lwIP would take some kilobytes at once, or does so within `milliseconds`; also when the peer is gone.
    #[inline(never)]
    pub fn has_room(self, milliseconds: u32) -> bool {
        self.wait(Interest::Writable, milliseconds) != Ready::No && heap::available() >= SEGMENT_COST
    }

    /// Nothing can be sent for want of memory: 0 bytes, unless the peer is gone.
    fn wait_for_memory(self) -> Result<usize, Broken> {
        match self.error() {
            0 => Ok(0),
            error => Err(Broken::Failed(error)),
        }
    }

    /// Receives what is there: how many bytes, 0 when there is nothing.
    ///
    /// # Errors
    /// [`Broken`] at the end of the stream or on an error.
    pub fn receive(self, into: &mut [u8]) -> Result<usize, Broken> {
        let mut error = 0;
        // A socket that is over is readable; so is one to which bytes have come after the first look.
        for _ in 0..2 {
            // SAFETY: `into` is valid for its length.
            let got = unsafe {
                bindings::lwip_recv(self.0, into.as_mut_ptr().cast(), into.len(), bindings::MSG_DONTWAIT as c_int)
            };
            match usize::try_from(got) {
                Ok(0) => return Err(Broken::Ended),
                Ok(got) => return Ok(got.min(into.len())),
                Err(_) if self.wait(Interest::Readable, 0) == Ready::No => return Ok(0),
                // Asked at once: the next look would take it away.
                Err(_) if error == 0 => error = self.error(),
                Err(_) => {}
            }
        }
        Err(Broken::Failed(error))
    }

    /// Waits until lwIP may take bytes again; a little longer where the attempt before was `in_vain` too.
    ///
    /// # Errors
    /// [`Broken`] when the peer is gone or takes nothing until `deadline`.
    pub fn wait_for_room(self, deadline: Instant, in_vain: bool) -> Result<(), Broken> {
        no_lock_held();
        let error = self.error();
        if error != 0 {
            return Err(Broken::Failed(error));
        }
        match self.wait(Interest::Writable, clock::left_ms(deadline)) {
            Ready::Yes if clock::left_ms(deadline) > 0 => {
                if in_vain {
                    // Room for bytes and yet none were taken: lwIP is short of memory for a moment.
                    clock::delay_ms(clock::TICK_MS);
                }
                Ok(())
            }
            _ => Err(Broken::Failed(self.error())),
        }
    }

    /// As [`SocketHandle::shutdown`], but throws away what the peer has not taken yet: a connection whose peer takes nothing
    /// would else keep the caller for 20 s.
    pub fn abort(self) {
        let linger = bindings::linger { l_onoff: 1, l_linger: 0 };
        // SAFETY: the option's value is a `linger` that outlives the call.
        unsafe {
            bindings::lwip_setsockopt(
                self.0,
                bindings::SOL_SOCKET as c_int,
                bindings::SO_LINGER as c_int,
                (&raw const linger).cast::<c_void>(),
                size_of::<bindings::linger>() as bindings::socklen_t,
            );
        }
        self.shutdown();
    }

    /// Ends the connection in both directions; a task that waits on the socket wakes.
    pub fn shutdown(self) {
        // SAFETY: the socket is open: its owner takes this name back before it closes it.
        unsafe { bindings::lwip_shutdown(self.0, bindings::SHUT_RDWR as c_int) };
    }
}

/// What lwIP keeps for a task that calls it, in bytes: a semaphore.
const TASK_BYTES: usize = 256;

/// Lets lwIP keep what it needs for the calling task, before the task's first call: without memory for it, that call would end
/// the program. `false` without memory.
pub fn welcome_this_task() -> bool {
    let room = heap::has_room_for(TASK_BYTES);
    if room {
        // SAFETY: no requirements; where lwIP has it already, nothing happens.
        unsafe { bindings::lwip_socket_thread_init() };
    }
    room
}

/// Gives back what lwIP keeps for the calling task, which [`welcome_this_task`] must have let in: lwIP would first make what
/// it then gives back. To be called at the task's end.
pub fn forget_this_task() {
    // SAFETY: the calling task makes no further socket call.
    unsafe { bindings::lwip_socket_thread_cleanup() };
}
