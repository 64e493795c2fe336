//! What the library's code may call, served by this program's models: the SDK's operating system, sockets, storage that
//! holds nothing, the C library. What is not in the table ends the run when it is called.

use xt804::operation::Access;

use crate::kernel::{Broken, Got, Kernel, On};
use crate::network::FAILED;
use crate::world::{Answer, Function, Outcome, Role, Row, Words, World};

const fn row(name: &'static str, function: Function) -> Row {
    Row { name, function }
}

static ROWS: &[Row] = &[
    row("__real_wm_atcmd_dev_register", register),
    row("uart_send", uart_send),
    row("uart_recv", uart_recv),
    row("wm_log_printf", nothing),
    row("wm_os_internal_get_time_ms", |world, _, _| Ok(Answer::Done(world.milliseconds()))),
    row("wm_os_internal_time_delay_ms", |_, words, over| Ok(wait_or(over, words[0], 0))),
    row("wm_os_internal_set_critical", |world, _, _| world.kernel.critical(true).map(|()| Answer::Done(0))),
    row("wm_os_internal_release_critical", |world, _, _| world.kernel.critical(false).map(|()| Answer::Done(0))),
    row("wm_os_internal_sem_create", |world, words, _| {
        let handle = world.kernel.create_semaphore(words[1]);
        world.put_word(words[0], handle).map(|()| Answer::Done(0))
    }),
    row("wm_os_internal_sem_acquire_ms", |world, words, over| {
        let got = world.kernel.acquire(words[0], over)?;
        Ok(got_or_wait(got, words[1]))
    }),
    row("wm_os_internal_sem_release", |world, words, _| {
        let got = world.kernel.release(words[0])?;
        Ok(got_or_wait(got, FOREVER))
    }),
    row("wm_os_internal_mutex_create", |world, words, _| {
        let handle = world.kernel.create_mutex();
        world.put_word(words[0], handle).map(|()| Answer::Done(0))
    }),
    row("wm_os_internal_mutex_acquire", |world, words, over| {
        let got = world.kernel.lock(words[0], over)?;
        Ok(got_or_wait(got, words[1]))
    }),
    row("wm_os_internal_mutex_release", |world, words, _| world.kernel.unlock(words[0]).map(|()| Answer::Done(0))),
    row("wm_os_internal_task_create", task_create),
    row("wm_os_internal_task_del", task_delete),
    row("wm_os_internal_task_id", |world, _, _| done(Kernel::task_handle(world.kernel.current))),
    row("socket", |world, _, _| done(world.network.open())),
    row("ioctl", nothing),
    row("setsockopt", nothing),
    row("getsockopt", getsockopt),
    row("connect", |world, words, _| world.network.connect(words[0], world.now).map(|()| Answer::Done(0))),
    row("shutdown", |world, words, _| world.network.shut(words[0], world.now).map(|()| Answer::Done(0))),
    row("close", |world, words, _| world.network.close(words[0], world.now).map(|()| Answer::Done(0))),
    row("send", send),
    row("recv", receive),
    row("poll", poll),
    row("tcpip_callback", |world, words, _| {
        world.server.callbacks.push_back((words[0], words[1]));
        done(0)
    }),
    row("ip4_route", |_, _, _| done(1)),
    row("dns_gethostbyname", |world, words, _| world.put(words[1], &BROKER).map(|()| Answer::Done(0))),
    row("ip4addr_ntoa_r", |world, words, _| {
        world.put(words[1], b"10.0.2.2\0").map(|()| Answer::Done(u64::from(words[1])))
    }),
    row("lwip_socket_thread_init", nothing),
    row("lwip_socket_thread_cleanup", nothing),
    // More than the library leaves to lwIP.
    row("wm_heap_get_free_size", |_, _, _| done(100_000)),
    row("lwip_getaddrinfo", getaddrinfo),
    row("lwip_freeaddrinfo", free),
    row("mbedtls_entropy_init", nothing),
    row("mbedtls_entropy_free", nothing),
    row("mbedtls_ctr_drbg_init", nothing),
    row("mbedtls_ctr_drbg_free", nothing),
    row("mbedtls_ctr_drbg_seed", nothing),
    row("mbedtls_ctr_drbg_random", random),
    row("wm_nvs_open", |_, _, _| done(NOT_FOUND.cast_unsigned())),
    row("malloc", |world, words, _| done(allocate(world, words[0])?)),
    row("calloc", calloc),
    row("free", free),
    row("memcmp", memcmp),
    row("memcpy", memmove),
    row("memmove", memmove),
    row("memset", memset),
    row("strlen", |world, words, _| done(size(world.machine.memory().c_string(words[0]).map_err(told)?.len()))),
    row("__muldi3", muldi3),
];

/// `WM_NVS_ERR_NOT_FOUND`: nothing is stored.
const NOT_FOUND: i32 = -20006;
/// An `int` of C's that says no.
const MINUS_ONE: u64 = 0xffff_ffff;
/// For ever.
const FOREVER: u32 = u32::MAX;
/// `struct addrinfo` in words, and the address behind it.
const ADDRINFO_BYTES: u32 = 32;
const ADDRESS_BYTES: u32 = 16;
const AF_INET: u32 = 2;
/// Where every name and address leads.
const BROKER: [u8; 4] = [10, 0, 2, 2];
/// `struct pollfd`: socket, what is looked for, what is found.
const POLL_BYTES: usize = 8;

/// The row of a function; one that ends the run where there is none.
pub fn find(name: &str) -> Row {
    let missing = row("", |_, _, _| Err("a function is called that this program does not have".to_owned()));
    ROWS.iter().find(|row| row.name == name).copied().unwrap_or(missing)
}

fn done(value: u32) -> Outcome {
    Ok(Answer::Done(u64::from(value)))
}

fn nothing(_: &mut World, _: &Words, _: bool) -> Outcome {
    Ok(Answer::Done(0))
}

fn told(kind: xt804::fault::FaultKind) -> Broken {
    kind.to_string()
}

fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn limit(milliseconds: u32) -> Option<u32> {
    (milliseconds != FOREVER).then_some(milliseconds)
}

fn wait_or(over: bool, milliseconds: u32, value: u64) -> Answer {
    if over { Answer::Done(value) } else { Answer::Wait(On::Time, Some(milliseconds)) }
}

/// `WM_OS_STATUS_SUCCESS` or an error.
fn got_or_wait(got: Got, milliseconds: u32) -> Answer {
    match got {
        Got::Done(true) => Answer::Done(0),
        Got::Done(false) => Answer::Done(MINUS_ONE),
        Got::Wait(on) => Answer::Wait(on, limit(milliseconds)),
    }
}

/* The serial line */

fn register(world: &mut World, words: &Words, _: bool) -> Outcome {
    world.server.functions = Some([words[1], words[2]]);
    done(0)
}

/// The bytes are gone at once, and the task goes on when they are out.
fn uart_send(world: &mut World, words: &Words, over: bool) -> Outcome {
    let current = world.kernel.current;
    if over {
        return done(words[1]);
    }
    if !world.kernel.task(current)?.in_call {
        let bytes = world.machine.memory().bytes(words[0], words[1]).map_err(told)?;
        world.uart.printed.extend(bytes);
    }
    let milliseconds = u64::from(words[1]).saturating_mul(world.uart.pace) / crate::world::PER_MS;
    match u32::try_from(milliseconds).unwrap_or(0) {
        0 => done(words[1]),
        milliseconds => Ok(Answer::Wait(On::Time, Some(milliseconds))),
    }
}

fn uart_recv(world: &mut World, words: &Words, over: bool) -> Outcome {
    let room = usize::try_from(world.word(words[1])?).unwrap_or(0);
    let count = world.uart.arrived.len().min(room);
    if count == 0 && !over && words[2] != 0 {
        return Ok(Answer::Wait(On::Typed, limit(words[2])));
    }
    let bytes: Vec<u8> = world.uart.arrived.drain(..count).collect();
    world.put(words[0], &bytes)?;
    world.put_word(words[1], size(count))?;
    done(size(count))
}

/* Tasks */

fn task_create(world: &mut World, words: &Words, _: bool) -> Outcome {
    let [place, name, entry, parameter, stack, priority, ..] = *words;
    let name = String::from_utf8_lossy(world.machine.memory().c_string(name).map_err(told)?).into_owned();
    // The library's tasks have one name, and their link as the parameter.
    let task = world.add_task(&format!("{name} {parameter}"), priority, stack, Role::Library)?;
    world.put_word(place, Kernel::task_handle(task))?;
    world.enter(task, entry, &[parameter])?;
    done(0)
}

fn task_delete(world: &mut World, words: &Words, _: bool) -> Outcome {
    let task = world.kernel.delete(words[0])?;
    world.end_task(task);
    done(0)
}

/* Sockets */

fn getsockopt(world: &mut World, words: &Words, _: bool) -> Outcome {
    let error = world.network.error(words[0])?;
    world.put_word(words[3], error.cast_unsigned())?;
    done(0)
}

fn send(world: &mut World, words: &Words, _: bool) -> Outcome {
    let bytes = world.machine.memory().bytes(words[1], words[2]).map_err(told)?;
    let sent = world.network.send(words[0], bytes, world.now)?;
    Ok(Answer::Done(sent.map_or(MINUS_ONE, |count| u64::from(size(count)))))
}

fn receive(world: &mut World, words: &Words, _: bool) -> Outcome {
    let got = world.network.receive(words[0], usize::try_from(words[2]).unwrap_or(0))?;
    let Some(bytes) = got else { return Ok(Answer::Done(MINUS_ONE)) };
    world.put(words[1], &bytes)?;
    done(size(bytes.len()))
}

/// The sockets of a list with what is looked for in each, and where to put what is found.
fn polled(world: &World, list: u32, count: u32) -> impl Iterator<Item = Result<(u32, u16, u32), Broken>> {
    (list..).step_by(POLL_BYTES).take(usize::try_from(count).unwrap_or(0)).map(|at| {
        let memory = world.machine.memory();
        let socket = memory.load(at, Access::Word).map_err(told)?;
        let wanted = memory.load(at.wrapping_add(4), Access::Half).map_err(told)?;
        Ok((socket, u16::try_from(wanted).unwrap_or(0), at.wrapping_add(6)))
    })
}

fn poll(world: &mut World, words: &Words, over: bool) -> Outcome {
    let [list, count, milliseconds, ..] = *words;
    if !over && milliseconds != 0 && !world.any_event(list, count) {
        return Ok(Answer::Wait(On::Sockets(list, count), limit(milliseconds)));
    }
    let entries: Vec<(u32, u16, u32)> = polled(world, list, count).collect::<Result<_, Broken>>()?;
    let mut found = 0_u32;
    for (socket, wanted, place) in entries {
        let events = world.network.events(socket, wanted | FAILED, world.now);
        world.put(place, &events.to_le_bytes())?;
        found = found.saturating_add(u32::from(events != 0));
    }
    done(found)
}

/// Any host is the broker, at an address in digits.
fn getaddrinfo(world: &mut World, words: &Words, _: bool) -> Outcome {
    let at = allocate(world, ADDRINFO_BYTES.saturating_add(ADDRESS_BYTES))?;
    let behind = at.saturating_add(ADDRINFO_BYTES);
    for (place, value) in (at..).step_by(4).zip([0, AF_INET, 1, 0, ADDRESS_BYTES, behind, 0, 0]) {
        world.put_word(place, value)?;
    }
    world.put(behind, &[[16, 2, 7, 91], BROKER, [0; 4], [0; 4]].concat())?;
    world.put_word(words[3], at)?;
    done(0)
}

/* The C library */

fn random(world: &mut World, words: &Words, _: bool) -> Outcome {
    for at in words[1]..words[1].saturating_add(words[2]) {
        let [byte, ..] = world.numbers.draw().to_be_bytes();
        world.put(at, &[byte])?;
    }
    done(0)
}

/// A block that the library has to give back.
fn allocate(world: &mut World, size: u32) -> Result<u32, Broken> {
    world.blocks = world.blocks.saturating_add(1);
    world.take_block(size)
}

fn free(world: &mut World, words: &Words, _: bool) -> Outcome {
    if words[0] != 0 {
        world.give_block_back(words[0])?;
        world.blocks = world.blocks.saturating_sub(1);
    }
    done(0)
}

fn calloc(world: &mut World, words: &Words, _: bool) -> Outcome {
    let Some(bytes) = words[0].checked_mul(words[1]) else { return done(0) };
    let at = allocate(world, bytes)?;
    world.machine.memory_mut().bytes_mut(at, bytes).map_err(told)?.fill(0);
    done(at)
}

fn memcmp(world: &mut World, words: &Words, _: bool) -> Outcome {
    let memory = world.machine.memory();
    let (one, other) = (memory.bytes(words[0], words[2]), memory.bytes(words[1], words[2]));
    let order = one.map_err(told)?.cmp(other.map_err(told)?) as i32;
    done(order.cast_unsigned())
}

fn memmove(world: &mut World, words: &Words, _: bool) -> Outcome {
    let bytes = world.machine.memory().bytes(words[1], words[2]).map_err(told)?.to_vec();
    world.put(words[0], &bytes)?;
    done(words[0])
}

fn memset(world: &mut World, words: &Words, _: bool) -> Outcome {
    let [byte, ..] = words[1].to_le_bytes();
    world.machine.memory_mut().bytes_mut(words[0], words[2]).map_err(told)?.fill(byte);
    done(words[0])
}

fn muldi3(_: &mut World, words: &Words, _: bool) -> Outcome {
    let long = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(Answer::Done(long(words[0], words[1]).wrapping_mul(long(words[2], words[3]))))
}

/* The guest's memory */

impl World {
    /// Whether a poll of this list would find something.
    pub(crate) fn any_event(&self, list: u32, count: u32) -> bool {
        let mut entries = polled(self, list, count).flatten();
        entries.any(|(socket, wanted, _)| self.network.events(socket, wanted, self.now) != 0)
    }

    /// A block of the heap; what is in it is nobody's.
    pub(crate) fn take_block(&mut self, size: u32) -> Result<u32, Broken> {
        let at = self.arena.take(size).ok_or_else(|| format!("the RAM has no {size} bytes left"))?;
        self.machine.memory_mut().bytes_mut(at, size).map_err(told)?.fill(0xa5);
        Ok(at)
    }

    /// Takes a block back, and spoils what was in it.
    pub(crate) fn give_block_back(&mut self, at: u32) -> Result<(), Broken> {
        let size = self.arena.give_back(at).ok_or_else(|| format!("{at:#010x} is freed and is no block"))?;
        self.machine.memory_mut().bytes_mut(at, size).map_err(told)?.fill(0xdd);
        Ok(())
    }

    pub(crate) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Broken> {
        self.machine.memory_mut().write(at, bytes).map_err(told)
    }

    pub(crate) fn put_word(&mut self, at: u32, value: u32) -> Result<(), Broken> {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn word(&self, at: u32) -> Result<u32, Broken> {
        self.machine.memory().load(at, Access::Word).map_err(told)
    }
}
