//! lwIP's sockets as streams in memory to the broker. Bytes take their time in either direction, and keep their order; a
//! connection can be cut, and what is on its way then is lost.

use std::collections::VecDeque;

use crate::broker::{Broker, Connection};
use crate::numbers::Numbers;

/// lwIP's numbers for what a poll waits for and finds.
pub const READABLE: u16 = 1;
/// Room to send.
pub const WRITABLE: u16 = 2;
/// Something is wrong.
pub const FAILED: u16 = 4;
/// The peer has reset the connection.
const RESET: i32 = 104;
/// What a socket takes without the broker having got it.
const ROOM: usize = 2048;

/// What goes over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    /// Nothing more comes.
    End,
}

#[derive(Clone, Debug, Default)]
struct Socket {
    open: bool,
    /// When the connection stands; not yet without one.
    stands: Option<u64>,
    peer: Connection,
    to_broker: VecDeque<(u64, Piece)>,
    to_client: VecDeque<(u64, Piece)>,
    /// Arrived.
    input: Vec<u8>,
    ended: bool,
    error: i32,
    /// The error lasts; asking for it clears the number alone.
    broken: bool,
    shut: bool,
    /// lwIP is short of memory until then.
    full_until: u64,
    /// The broker looks at it no more.
    gone: bool,
}

/// All sockets, and the broker behind them.
#[derive(Clone, Debug)]
pub struct Network {
    sockets: Vec<Socket>,
    /// The broker.
    pub broker: Broker,
    numbers: Numbers,
    tempo: u64,
}

fn last(queue: &VecDeque<(u64, Piece)>) -> u64 {
    queue.back().map_or(0, |(at, _)| *at)
}

/// How much of what is sent a socket takes now.
fn room(socket: &Socket) -> usize {
    let waiting = socket.to_broker.iter().map(|(_, piece)| match piece {
        Piece::Bytes(bytes) => bytes.len(),
        Piece::End => 0,
    });
    ROOM.saturating_sub(waiting.sum())
}

impl Network {
    /// A broker that nobody is connected to.
    pub fn new(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed ^ 0x6e65_7477);
        Self { sockets: Vec::new(), broker: Broker::default(), tempo: numbers.tempo(), numbers }
    }

    fn socket(&mut self, number: u32) -> Result<&mut Socket, String> {
        let found = usize::try_from(number).ok().and_then(|number| self.sockets.get_mut(number));
        found.filter(|socket| socket.open).ok_or_else(|| format!("{number} is no open socket"))
    }

    fn later(&mut self, now: u64) -> u64 {
        now.saturating_add(self.numbers.of_any_size(self.tempo))
    }

    /// A new socket's number.
    pub fn open(&mut self) -> u32 {
        self.sockets.push(Socket { open: true, ..Socket::default() });
        u32::try_from(self.sockets.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// How many are open.
    pub fn open_sockets(&self) -> usize {
        self.sockets.iter().filter(|socket| socket.open).count()
    }

    /// Begins to connect.
    pub fn connect(&mut self, number: u32, now: u64) -> Result<(), String> {
        let at = self.later(now);
        self.socket(number)?.stands = Some(at);
        Ok(())
    }

    /// Ends both directions.
    pub fn shut(&mut self, number: u32, now: u64) -> Result<(), String> {
        let at = self.later(now);
        let socket = self.socket(number)?;
        if !socket.shut {
            socket.shut = true;
            socket.ended = true;
            let at = at.max(last(&socket.to_broker));
            socket.to_broker.push_back((at, Piece::End));
        }
        Ok(())
    }

    /// Closes it.
    pub fn close(&mut self, number: u32, now: u64) -> Result<(), String> {
        self.shut(number, now)?;
        self.socket(number)?.open = false;
        Ok(())
    }

    /// Takes as many bytes as there is room for, or nothing at a connection that is no more.
    pub fn send(&mut self, number: u32, bytes: &[u8], now: u64) -> Result<Option<usize>, String> {
        let (at, full_until) = (self.later(now), self.later(now));
        let part = if self.numbers.once_in(6) { self.numbers.below(bytes.len() as u64) } else { u64::MAX };
        let socket = self.socket(number)?;
        if socket.broken || socket.shut || socket.full_until > now {
            return Ok(None);
        }
        // lwIP may be short of memory at any time, and takes a part then.
        let count = bytes.len().min(room(socket)).min(usize::try_from(part).unwrap_or(usize::MAX));
        if count < bytes.len() {
            socket.full_until = full_until;
        }
        if count == 0 {
            return Ok(None);
        }
        let at = at.max(last(&socket.to_broker));
        socket.to_broker.push_back((at, Piece::Bytes(bytes.get(..count).unwrap_or_default().to_vec())));
        Ok(Some(count))
    }

    /// Takes what has arrived, up to so many bytes; nothing where none has.
    pub fn receive(&mut self, number: u32, room: usize) -> Result<Option<Vec<u8>>, String> {
        let socket = self.socket(number)?;
        if socket.input.is_empty() {
            return Ok((socket.ended && !socket.broken).then(Vec::new));
        }
        let count = socket.input.len().min(room);
        Ok(Some(socket.input.drain(..count).collect()))
    }

    /// The error, which asking clears.
    pub fn error(&mut self, number: u32) -> Result<i32, String> {
        Ok(std::mem::take(&mut self.socket(number)?.error))
    }

    /// What of these events there is.
    pub fn events(&self, number: u32, wanted: u16, now: u64) -> u16 {
        let socket = usize::try_from(number).ok().and_then(|number| self.sockets.get(number));
        let Some(socket) = socket.filter(|socket| socket.open) else { return FAILED };
        let readable = !socket.input.is_empty() || socket.ended || socket.broken;
        let stands = socket.stands.is_some_and(|at| at <= now) && socket.full_until <= now;
        let writable = stands && (room(socket) > 0 || socket.broken);
        // lwIP tells everybody of a connection that was shut in both directions as of an error.
        let failed = if socket.broken || socket.shut { FAILED } else { 0 };
        let found = if readable { READABLE } else { 0 } | if writable { WRITABLE } else { 0 };
        found & wanted | failed
    }

    /// When something comes next.
    pub fn next_event(&self, now: u64) -> Option<u64> {
        let connecting = self.sockets.iter().filter_map(|socket| socket.stands.filter(|at| *at > now));
        let pieces = self.sockets.iter().flat_map(|socket| [socket.to_broker.front(), socket.to_client.front()]);
        let full = self.sockets.iter().map(|socket| socket.full_until).filter(|at| *at > now);
        connecting.chain(full).chain(pieces.flatten().map(|(at, _)| *at)).min()
    }

    /// Brings what is due.
    pub fn deliver(&mut self, now: u64) -> Result<(), String> {
        for index in 0..self.sockets.len() {
            while let Some(piece) = self.due(index, now, |socket| &mut socket.to_broker) {
                let Some(socket) = self.sockets.get_mut(index) else { break };
                match piece {
                    Piece::Bytes(bytes) if !socket.gone => self.broker.take(&mut socket.peer, &bytes)?,
                    Piece::Bytes(_) => {}
                    Piece::End => socket.gone = true,
                }
            }
            self.answer(index, now);
            while let Some(piece) = self.due(index, now, |socket| &mut socket.to_client) {
                let Some(socket) = self.sockets.get_mut(index) else { break };
                match piece {
                    Piece::Bytes(bytes) => socket.input.extend(bytes),
                    Piece::End => socket.ended = true,
                }
            }
        }
        Ok(())
    }

    fn due(
        &mut self,
        index: usize,
        now: u64,
        queue: impl FnOnce(&mut Socket) -> &mut VecDeque<(u64, Piece)>,
    ) -> Option<Piece> {
        let queue = queue(self.sockets.get_mut(index)?);
        queue.pop_front_if(|(at, _)| *at <= now).map(|(_, piece)| piece)
    }

    /// Sends what the broker has for a client.
    fn answer(&mut self, index: usize, now: u64) {
        let at = self.later(now);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if !socket.peer.output.is_empty() {
            let at = at.max(last(&socket.to_client));
            let bytes = std::mem::take(&mut socket.peer.output);
            socket.to_client.push_back((at, Piece::Bytes(bytes)));
        }
    }

    fn of_client(&mut self, client: &[u8]) -> Option<usize> {
        self.sockets.iter().position(|socket| Broker::is_of(&socket.peer, client) && !socket.gone)
    }

    /// The broker publishes to a client; whether it will get it.
    pub fn publish(&mut self, client: &[u8], topic: &[u8], payload: &[u8], qos: u8, now: u64) -> bool {
        let index = self.of_client(client);
        let connection = index.and_then(|index| self.sockets.get_mut(index)).map(|socket| &mut socket.peer);
        let sent = self.broker.send(client, connection, topic, payload, qos);
        if let Some(index) = index {
            self.answer(index, now);
        }
        sent
    }

    /// Cuts a client's connection: what is on its way is lost. By the peer's reset, or with an end that comes in order.
    pub fn cut(&mut self, client: &[u8], reset: bool, now: u64) {
        let Some(socket) = self.of_client(client).and_then(|index| self.sockets.get_mut(index)) else { return };
        socket.gone = true;
        socket.to_broker.clear();
        if reset {
            socket.to_client.clear();
            socket.broken = true;
            socket.error = RESET;
        } else {
            socket.to_client.push_back((now.max(last(&socket.to_client)), Piece::End));
        }
    }
}
