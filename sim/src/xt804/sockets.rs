//! lwIP. Structures without pointers have the same layout on both sides; `layout` holds them to it.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{c_int, c_long, c_void};

use w800_mqtt_at::sdk::bindings;

use super::call::{Outcome, Trouble, Words, pack, status, unpack};
use super::guest::{call, core, or_fail};
use super::layout::{ADDRINFO_BYTES, ADDRINFO_NEXT};
use super::memory::{self, buffer, fill, read, set_word, word, write};

/// More than the library ever waits for at once.
const MOST_POLLED: usize = 8;
/// No option's value is longer.
const MOST_OPTION_BYTES: usize = 64;
/// An IPv6 address with its zone, in digits, fits.
const ADDRESS_TEXT_BYTES: usize = 48;
/// `FIONBIO` but for the width of what it points to, which is a long's by name only.
const FIONBIO_MASK: u32 = 0xffff;

/// A structure that looks the same to the guest and to the host.
///
/// # Safety
/// It holds no pointer and no padding, any bytes are one, and the chip's C compiler lays it out as the host's does.
unsafe trait Plain: Copy {}

// SAFETY: four and two times two bytes.
unsafe impl Plain for bindings::pollfd {}

fn load<T: Plain>(at: u32) -> Result<T, Trouble> {
    let bytes = read(at, size_of::<T>() as u32)?;
    // SAFETY: there are as many bytes as it has, and any bytes are one.
    Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: it has no padding.
    unsafe { std::slice::from_raw_parts((&raw const *value).cast(), size_of::<T>()) }
}

fn int(word: u32) -> c_int {
    word.cast_signed()
}

/// A `ssize_t` as a result.
fn count(value: isize) -> Outcome {
    status(c_int::try_from(value).unwrap_or(-1))
}

pub fn socket([domain, kind, protocol, ..]: Words) -> Outcome {
    // SAFETY: no requirements.
    status(unsafe { bindings::lwip_socket(int(domain), int(kind), int(protocol)) })
}

pub fn close([socket, ..]: Words) -> Outcome {
    // SAFETY: no requirements.
    status(unsafe { bindings::lwip_close(int(socket)) })
}

pub fn shutdown([socket, how, ..]: Words) -> Outcome {
    // SAFETY: no requirements.
    status(unsafe { bindings::lwip_shutdown(int(socket), int(how)) })
}

pub fn thread_init(_: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::lwip_socket_thread_init() };
    Ok(0)
}

pub fn thread_cleanup(_: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::lwip_socket_thread_cleanup() };
    Ok(0)
}

pub fn connect([socket, address, length, ..]: Words) -> Outcome {
    let bytes = read(address, length)?;
    // SAFETY: the address has `length` bytes; C wants them aligned, which a vector's are.
    status(unsafe { bindings::lwip_connect(int(socket), bytes.as_ptr().cast(), length) })
}

pub fn send([socket, bytes, size, flags, ..]: Words) -> Outcome {
    let bytes = read(bytes, size)?;
    // SAFETY: the bytes are valid for their length.
    count(unsafe { bindings::lwip_send(int(socket), bytes.as_ptr().cast(), bytes.len(), int(flags)) })
}

pub fn recv([socket, at, size, flags, ..]: Words) -> Outcome {
    let mut bytes = buffer(at, size)?;
    // SAFETY: the buffer is valid for its length.
    let got = unsafe { bindings::lwip_recv(int(socket), bytes.as_mut_ptr().cast(), bytes.len(), int(flags)) };
    fill(at, &bytes, got)?;
    count(got)
}

pub fn poll([at, number, milliseconds, ..]: Words) -> Outcome {
    const NONE: bindings::pollfd = bindings::pollfd { fd: -1, events: 0, revents: 0 };
    let mut polled = [NONE; MOST_POLLED];
    let places = (at..).step_by(size_of::<bindings::pollfd>()).take(number as usize);
    if number as usize > MOST_POLLED {
        return Err(Trouble::Misuse(format!("{number} sockets are polled at once")));
    }
    for (entry, place) in polled.iter_mut().zip(places.clone()) {
        *entry = load(place)?;
    }
    // SAFETY: the list has `number` elements.
    let ready = unsafe { bindings::lwip_poll(polled.as_mut_ptr(), number, int(milliseconds)) };
    for (entry, place) in polled.iter().zip(places) {
        write(place, bytes_of(entry))?;
    }
    status(ready)
}

pub fn setsockopt([socket, level, option, value, length, ..]: Words) -> Outcome {
    let bytes = read(value, length)?;
    // SAFETY: the value has `length` bytes; C wants them aligned, which a vector's are.
    status(unsafe { bindings::lwip_setsockopt(int(socket), int(level), int(option), bytes.as_ptr().cast(), length) })
}

pub fn getsockopt([socket, level, option, value, length, ..]: Words) -> Outcome {
    let mut size = word(length)?;
    if size as usize > MOST_OPTION_BYTES {
        return Err(Trouble::Misuse(format!("an option of {size} bytes")));
    }
    let mut bytes = buffer(value, size)?;
    // SAFETY: the buffer has `size` bytes.
    let outcome = unsafe {
        bindings::lwip_getsockopt(int(socket), int(level), int(option), bytes.as_mut_ptr().cast(), &raw mut size)
    };
    fill(value, &bytes, size)?;
    set_word(length, size)?;
    status(outcome)
}

/// Requests that take an `int`, and no others.
pub fn ioctl([socket, request, argument, ..]: Words) -> Outcome {
    let native = bindings::W800_FIONBIO as c_long;
    if u64::from(request & FIONBIO_MASK) != native.cast_unsigned() & u64::from(FIONBIO_MASK) {
        return Err(Trouble::Misuse(format!("ioctl request {request:#x}")));
    }
    let mut value = word(argument)?;
    // SAFETY: the request takes an int that outlives the call.
    status(unsafe { bindings::lwip_ioctl(int(socket), native, (&raw mut value).cast()) })
}

/* Names and addresses */

/// lwIP's `ip_addr_t`, with its family behind it where the configuration has IPv6.
type IpAddress = [u32; size_of::<bindings::ip_addr_t>() / 4];

fn load_address(at: u32) -> Result<IpAddress, Trouble> {
    let mut address = IpAddress::default();
    for (place, value) in (at..).step_by(4).zip(&mut address) {
        *value = word(place)?;
    }
    Ok(address)
}

pub fn getaddrinfo([node, service, hints, result, ..]: Words) -> Outcome {
    let (node, service) = (memory::optional_text(node)?, memory::optional_text(service)?);
    let pointer = |text: &Option<std::ffi::CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    // SAFETY: all-zero is a valid `addrinfo`: no flags, no pointers.
    let mut native: bindings::addrinfo = unsafe { std::mem::zeroed() };
    if hints != 0 {
        native.ai_flags = int(word(hints)?);
        native.ai_family = int(word(hints.wrapping_add(4))?);
        native.ai_socktype = int(word(hints.wrapping_add(8))?);
        native.ai_protocol = int(word(hints.wrapping_add(12))?);
    }
    let hints = if hints == 0 { std::ptr::null() } else { &raw const native };
    let mut list = std::ptr::null_mut();
    // SAFETY: the texts are NULL or end in NUL, and the place is valid.
    let outcome = unsafe { bindings::lwip_getaddrinfo(pointer(&node), pointer(&service), hints, &raw mut list) };
    set_word(result, copy_list(list)?)?;
    if !list.is_null() {
        // SAFETY: the list came from lwIP and is freed once.
        unsafe { bindings::lwip_freeaddrinfo(list) };
    }
    status(outcome)
}

/// The guest's copy of a list, without canonical names: its first element, 0 for none.
fn copy_list(list: *const bindings::addrinfo) -> Result<u32, Trouble> {
    // SAFETY: lwIP's lists end in NULL.
    let Some(info) = (unsafe { list.as_ref() }) else { return Ok(0) };
    let next = copy_list(info.ai_next)?;
    // SAFETY: an element's address has the length that the element tells.
    let address = unsafe { std::slice::from_raw_parts(info.ai_addr.cast::<u8>(), info.ai_addrlen as usize) };
    let at = core().allocate(ADDRINFO_BYTES.saturating_add(info.ai_addrlen))?;
    let behind = at.saturating_add(ADDRINFO_BYTES);
    let numbers = [info.ai_flags, info.ai_family, info.ai_socktype, info.ai_protocol].map(i32::cast_unsigned);
    let words = numbers.into_iter().chain([info.ai_addrlen, behind, 0, next]);
    for (place, value) in (at..).step_by(4).zip(words) {
        set_word(place, value)?;
    }
    write(behind, address)?;
    Ok(at)
}

pub fn freeaddrinfo([list, ..]: Words) -> Outcome {
    let mut at = list;
    while at != 0 {
        let next = word(at.wrapping_add(ADDRINFO_NEXT))?;
        core().release(at)?;
        at = next;
    }
    Ok(0)
}

pub fn tcpip_callback([function, context, ..]: Words) -> Outcome {
    // SAFETY: the callback takes what is packed for it.
    status(i32::from(unsafe { bindings::tcpip_callback(Some(called_back), pack(function, context)) }))
}

extern "C" fn called_back(packed: *mut c_void) {
    let (function, context) = unpack(packed);
    call(function, &[context]);
}

pub fn dns_gethostbyname([name, place, callback, context, ..]: Words) -> Outcome {
    let name = memory::text(name)?;
    let mut address = load_address(place)?;
    // SAFETY: the name ends in NUL, the place is valid, and the callback takes what is packed for it.
    let outcome = unsafe {
        bindings::dns_gethostbyname(name.as_ptr(), address.as_mut_ptr().cast(), Some(found), pack(callback, context))
    };
    for (at, value) in (place..).step_by(4).zip(address) {
        set_word(at, value)?;
    }
    status(i32::from(outcome))
}

/// The guest's callback gets no name: it has to know by its argument.
extern "C" fn found(_: *const std::ffi::c_char, address: *const bindings::ip_addr_t, packed: *mut c_void) {
    let (callback, context) = unpack(packed);
    if address.is_null() {
        call(callback, &[0, 0, context]);
        return;
    }
    // SAFETY: lwIP's address is valid during the call, the bytes between its members are C's and have some value.
    let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), size_of::<bindings::ip_addr_t>()) };
    or_fail(memory::lend(&mut bytes.to_vec(), |at| call(callback, &[0, at, context])));
}

/// The guest looks at nothing but whether there is one: it gets no address that would mean anything to it.
pub fn ip4_route([destination, ..]: Words) -> Outcome {
    let destination = bindings::ip4_addr_t { addr: word(destination)? };
    // SAFETY: this is lwIP's task, and the address is valid.
    Ok(u64::from(!unsafe { bindings::ip4_route(&raw const destination) }.is_null()))
}

/// `ip4addr_ntoa_r` where addresses have no family.
pub fn ipaddr_ntoa_r([address, text, size, ..]: Words) -> Outcome {
    let address = load_address(address)?;
    let mut digits = [0_u8; ADDRESS_TEXT_BYTES];
    let room = int(size).clamp(0, ADDRESS_TEXT_BYTES as c_int);
    // SAFETY: the address is valid, and the buffer has room for what is asked for.
    let end = unsafe { bindings::ipaddr_ntoa_r(address.as_ptr().cast(), digits.as_mut_ptr().cast(), room) };
    if end.is_null() {
        return Ok(0);
    }
    let length = digits.iter().position(|byte| *byte == 0).unwrap_or(0);
    fill(text, &digits, length.saturating_add(1))?;
    Ok(u64::from(text))
}
