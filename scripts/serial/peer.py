"""Scripted TCP peers: brokers that misbehave on purpose, and a relay that can be cut.

A peer runs one script per connection, the last one for all further connections, and records what it was sent.
Packets are put together by hand from MQTT 3.1.1, with no library that would refuse to build a wrong one.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from waiting import until

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)


# --- packets ---


def remaining_length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def packet(kind: int, flags: int, body: bytes = b"") -> bytes:
    return bytes([kind << 4 | flags]) + remaining_length(len(body)) + body


def string(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def connack(code: int = 0, session_present: bool = False) -> bytes:
    return packet(CONNACK, 0, bytes([session_present, code]))


def acknowledgement(kind: int, identifier: int) -> bytes:
    return packet(kind, 2 if kind == PUBREL else 0, struct.pack(">H", identifier))


def suback(identifier: int, code: int) -> bytes:
    return packet(SUBACK, 0, struct.pack(">HB", identifier, code))


def publish(topic: bytes, payload: bytes, qos: int = 0, identifier: int = 0, dup: bool = False, retain: bool = False) -> bytes:
    body = string(topic) + (struct.pack(">H", identifier) if qos else b"") + payload
    return packet(PUBLISH, dup << 3 | qos << 1 | retain, body)


PONG = packet(PINGRESP, 0)


@dataclass(frozen=True)
class Packet:
    """A packet as it came in."""

    kind: int
    flags: int
    body: bytes
    when: float

    @property
    def dup(self) -> bool:
        return bool(self.flags & 8)

    @property
    def qos(self) -> int:
        return self.flags >> 1 & 3

    @property
    def topic(self) -> bytes:
        """Of a PUBLISH."""
        return self.body[2 : 2 + struct.unpack_from(">H", self.body)[0]]

    @property
    def identifier(self) -> int:
        at = 2 + len(self.topic) if self.kind == PUBLISH else 0
        return struct.unpack_from(">H", self.body, at)[0]

    @property
    def payload(self) -> bytes:
        """Of a PUBLISH."""
        return self.body[2 + len(self.topic) + (2 if self.qos else 0) :]


class PeerError(AssertionError):
    """The board sent a peer something that its script did not expect."""


class Connection:
    """One accepted connection, seen from a script."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._socket = sock
        self._stopping = stopping
        self._buffer = bytearray()
        self.accepted = time.monotonic()
        self.packets: list[Packet] = []
        self.ended = threading.Event()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def socket(self) -> socket.socket:
        """What carries the packets: the accepted socket, or the layer put over it."""
        return self._socket

    def put_over(self, layer: Callable) -> None:
        """Go on inside a layer such as TLS or WebSocket: `layer(socket)` gives what acts like a socket."""
        self._socket = layer(self._socket)

    def receive(self, timeout: float = 10.0) -> Packet | None:
        """The next whole packet; None when the board closed the connection."""
        deadline = time.monotonic() + timeout
        while True:
            parsed = self._parse()
            if parsed is not None:
                self.packets.append(parsed)
                return parsed
            if self._stopping.is_set():
                return None
            if time.monotonic() > deadline:
                raise PeerError(f"no packet within {timeout} s; before: {self.packets}")
            self._socket.settimeout(0.1)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            if not data:
                self.ended.set()
                return None
            self._buffer += data

    def await_packet(self, kind: int, timeout: float = 10.0) -> None:
        """For the test: until the script has received a packet of this kind."""
        until(lambda: any(packet.kind == kind for packet in self.packets), f"a packet of type {kind}", timeout)

    def expect(self, kind: int, timeout: float = 10.0) -> Packet:
        """The next packet, which must be of this kind; pings are answered on the way."""
        while True:
            got = self.receive(timeout)
            if got is None:
                raise PeerError(f"the connection ended before packet type {kind}; before: {self.packets}")
            if got.kind == PINGREQ and kind != PINGREQ:
                self.send(PONG)
                continue
            if got.kind != kind:
                raise PeerError(f"packet type {got.kind} where {kind} should come")
            return got

    def accept(self, code: int = 0, session_present: bool = False) -> Packet:
        """CONNECT and its answer."""
        connect = self.expect(CONNECT)
        self.send(connack(code, session_present))
        return connect

    def serve(self) -> None:
        """Be a decent broker without subscribers until the board leaves."""
        while not self._stopping.is_set():
            try:
                got = self.receive(3600)
            except PeerError:
                return
            if got is None or got.kind == DISCONNECT:
                return
            self.reply(got)

    def reply(self, got: Packet) -> None:
        """The answer that a decent broker gives to one packet."""
        if got.kind == PINGREQ:
            self.send(PONG)
        elif got.kind == PUBLISH and got.qos:
            self.send(acknowledgement(PUBACK if got.qos == 1 else PUBREC, got.identifier))
        elif got.kind == PUBREC:
            self.send(acknowledgement(PUBREL, got.identifier))
        elif got.kind == PUBREL:
            self.send(acknowledgement(PUBCOMP, got.identifier))
        elif got.kind == SUBSCRIBE:
            self.send(suback(got.identifier, got.body[-1]))
        elif got.kind == UNSUBSCRIBE:
            self.send(acknowledgement(UNSUBACK, got.identifier))

    def swallow(self, seconds: float = 3600) -> None:
        """Read and never answer, until the board leaves or the time is over."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                if self.receive(0.2) is None:
                    return
            except PeerError:
                continue

    def close_window(self, pause: float | None = None) -> None:
        """Read nothing any more, or one byte after each pause, into a buffer that is soon full."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while not self._stopping.wait(pause) and self._socket.recv(1):
            pass

    def send(self, data: bytes) -> None:
        self._socket.settimeout(30)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PeerError(f"could not send {len(data)} bytes: {error}") from error

    def trickle(self, data: bytes, pause: float = 0.0) -> None:
        """Send byte by byte, each in a segment of its own."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(pause)

    def close(self) -> None:
        """An orderly end (FIN)."""
        self._socket.close()

    def abort(self) -> None:
        """A reset (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _parse(self) -> Packet | None:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(self._buffer):
                return None
            digit = self._buffer[at]
            length |= (digit & 0x7F) << shift
            at += 1
            if not digit & 0x80:
                break
            shift += 7
            if shift > 21:
                raise PeerError("the board sent a malformed remaining length")
        if len(self._buffer) < at + length:
            return None
        head, body = self._buffer[0], bytes(self._buffer[at : at + length])
        del self._buffer[: at + length]
        return Packet(head >> 4, head & 15, body, time.monotonic())


Script = Callable[[Connection], None]


class Peer:
    """A listener that runs its scripts, each connection in a thread."""

    def __init__(self, *scripts: Script, address: str = "127.0.0.1") -> None:
        self._scripts = scripts
        self._stopping = threading.Event()
        self._errors: list[Exception] = []
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self.connections: list[Connection] = []
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._start(self._listen)

    def connection(self, number: int, timeout: float = 10.0) -> Connection:
        """The connection of this number, counted from 0, as soon as it is there."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.connections) > number, timeout), (
                f"no connection number {number} within {timeout} s"
            )
            return self.connections[number]

    def close(self) -> None:
        """Stop, and raise what a script did not like."""
        self._stopping.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        if self._errors:
            raise self._errors[0]

    def _start(self, target: Callable, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection = Connection(sock, self._stopping)
            with self._changed:
                script = self._scripts[min(len(self.connections), len(self._scripts) - 1)]
                self.connections.append(connection)
                self._changed.notify_all()
            self._start(self._run, script, connection)

    def _run(self, script: Script, connection: Connection) -> None:
        try:
            script(connection)
        except Exception as error:  # noqa: BLE001 - reported by close()
            if not self._stopping.is_set():
                self._errors.append(error)
        finally:
            connection.close()
            connection.ended.set()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:
                raise


class Relay:
    """A TCP path to a broker that can be cut, or can go silent, while the broker lives on."""

    def __init__(
        self,
        port: int,
        address: str = "127.0.0.1",
        piece: int = 65536,
        pause: float = 0.0005,
        limit: int | None = None,
    ) -> None:
        """So many bytes in each segment and seconds between them; after `limit` bytes nothing more reaches the board."""
        self._target = (address, port)
        self._piece, self._pause, self._limit = piece, pause, limit
        self._stopping = threading.Event()
        self._silent = threading.Event()
        self._refusing = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self.carried = {"up": 0, "down": 0}
        """Bytes to the broker and to the board."""
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, refuse: bool = False) -> None:
        """End all connections at once; with `refuse`, end new ones likewise until `restore`."""
        if refuse:
            self._refusing.set()
        for pair in self._pairs:
            for sock in pair:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self._pairs.clear()

    def silence(self) -> None:
        """Keep connections open and carry nothing any more."""
        self._silent.set()

    def restore(self) -> None:
        self._silent.clear()
        self._refusing.clear()

    def await_connections(self, count: int, timeout: float = 5.0) -> None:
        """Until so many were accepted in all."""
        until(lambda: self.accepted >= count, lambda: f"{count} connections; there are {self.accepted}", timeout)

    def await_carried(self, up: int, down: int, timeout: float = 10.0) -> None:
        """Until it has carried so many bytes to the broker and to the board: the last ones may still be on their way."""
        until(lambda: self.carried == {"up": up, "down": down}, lambda: f"{up} up, {down} down: {self.carried}", timeout)

    def close(self) -> None:
        self._stopping.set()
        self.cut()
        self._listener.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                near, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.accepted += 1
            if self._refusing.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(self._target, 5)
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for way in (near, far, "up", None), (far, near, "down", self._limit):
                threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, way: str, limit: int | None) -> None:
        source.settimeout(0.1)
        while not self._stopping.is_set():
            if self._silent.is_set():
                time.sleep(0.05)
                continue
            try:
                data = source.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            try:
                if not data:
                    sink.shutdown(socket.SHUT_RDWR)
                    break
                if limit is not None:
                    data, limit = data[:limit], limit - min(limit, len(data))
                self._pass_on(sink, data)
                self.carried[way] += len(data)
            except OSError:
                break
        source.close()

    def _pass_on(self, sink: socket.socket, data: bytes) -> None:
        for start in range(0, len(data), self._piece):
            sink.sendall(data[start : start + self._piece])
            if self._piece < len(data):
                # Otherwise the system would join them again.
                time.sleep(self._pause)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
