"""The server's side of a WebSocket (RFC 6455) by hand, so that it can be wrong on purpose and record what it was sent."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocketError(AssertionError):
    """The board broke RFC 6455."""


@dataclass(frozen=True)
class Request:
    """The opening handshake; names of headers in lower case."""

    line: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass(frozen=True)
class Frame:
    """As it came in; the payload unmasked."""

    final: bool
    reserved: int
    opcode: int
    mask: bytes | None
    payload: bytes
    head: bytes
    """The first two bytes and the longer length, where there is one."""


def frame(opcode: int, payload: bytes = b"", final: bool = True, reserved: int = 0, mask: bytes | None = None) -> bytes:
    """One frame as a server sends it; a mask is wrong there."""
    first = final << 7 | reserved << 4 | opcode
    masked = 0x80 if mask is not None else 0
    if len(payload) < 126:
        head = bytes([first, masked | len(payload)])
    elif len(payload) < 1 << 16:
        head = struct.pack(">BBH", first, masked | 126, len(payload))
    else:
        head = struct.pack(">BBQ", first, masked | 127, len(payload))
    return head + (mask + apply_mask(mask, payload) if mask is not None else payload)


def apply_mask(mask: bytes, payload: bytes) -> bytes:
    if not payload:
        return b""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT).digest()).decode()


def switching(key: str, *headers: str) -> bytes:
    """The answer that opens the WebSocket."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {key}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


class WebSocket:
    """A WebSocket over an accepted socket. Acts like a socket itself that carries the binary frames' payload."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = bytearray()
        self._data = bytearray()
        self.frames: list[Frame] = []
        self.request = self._read_request()

    def open(self, *headers: str, key: str | None = None) -> None:
        """Say yes, by default with all that RFC 6455 and MQTT 3.1.1 §6 ask for."""
        answer = accept_key(self.request.headers.get("sec-websocket-key", "")) if key is None else key
        self._socket.sendall(switching(answer, *(headers or ("Sec-WebSocket-Protocol: mqtt",))))

    def send_raw(self, data: bytes) -> None:
        self._socket.settimeout(30)
        self._socket.sendall(data)

    def send(self, opcode: int, payload: bytes = b"", **form) -> None:
        self.send_raw(frame(opcode, payload, **form))

    def next_frame(self, timeout: float = 10.0) -> Frame | None:
        """The next frame, checked for what every client's frame must be; None when the board has left."""
        self._socket.settimeout(timeout)
        while (got := self._parse()) is None:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                return None
            if not data:
                return None
            self._buffer += data
        self._check(got)
        self.frames.append(got)
        return got

    def expect(self, opcode: int, timeout: float = 10.0) -> Frame:
        got = self.next_frame(timeout)
        if got is None or got.opcode != opcode:
            raise WebSocketError(f"{got} where a frame of type {opcode} should come")
        return got

    def await_pong(self, payload: bytes, timeout: float = 10.0) -> None:
        """The pong with this payload, wherever it comes between frames of data, which `recv` gets."""
        while not any(got.opcode == PONG and got.payload == payload for got in self.frames):
            if not self._read_on(timeout):
                raise WebSocketError(f"no pong with {payload!r}: {self.frames[-5:]}")

    def _read_on(self, timeout: float | None) -> bool:
        """One frame more; false when no data can follow."""
        got = self.next_frame(timeout)
        if got is None:
            return False
        if got.opcode == CLOSE:
            self.send(CLOSE, got.payload)
            return False
        if got.opcode == PING:
            self.send(PONG, got.payload)
        elif got.opcode in (BINARY, CONTINUATION):
            self._data += got.payload
        elif got.opcode != PONG:
            raise WebSocketError(f"no MQTT: {got}")
        return True

    def _check(self, got: Frame) -> None:
        if got.mask is None:
            raise WebSocketError(f"an unmasked frame: {got}")
        if got.reserved:
            raise WebSocketError(f"reserved bits are set: {got}")
        if got.opcode in (CLOSE, PING, PONG) and (not got.final or len(got.payload) > 125):
            raise WebSocketError(f"a control frame in pieces or too long: {got}")
        if len(got.head) > 2 and len(got.payload) < (126 if len(got.head) == 4 else 1 << 16):
            raise WebSocketError(f"a length not in its shortest form: {got.head!r}")

    # --- like a socket ---

    def settimeout(self, timeout: float) -> None:
        self._socket.settimeout(timeout)

    def recv(self, size: int) -> bytes:
        """Payload of data frames; nothing after the board's close. Pings are answered."""
        while not self._data:
            if not self._read_on(self._socket.gettimeout()):
                return b""
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(frame(BINARY, data))

    def setsockopt(self, *arguments: int | bytes) -> None:
        self._socket.setsockopt(*arguments)

    def close(self) -> None:
        self._socket.close()

    # --- inside ---

    def _read_request(self) -> Request:
        self._socket.settimeout(10)
        while b"\r\n\r\n" not in self._buffer:
            data = self._socket.recv(65536)
            if not data:
                raise WebSocketError(f"the connection ended in the handshake: {bytes(self._buffer)!r}")
            self._buffer += data
        text, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        line, *fields = text.decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if len(headers) != len(fields):
            raise WebSocketError(f"a header comes twice: {fields}")
        return Request(line, headers)

    def _parse(self) -> Frame | None:
        """A whole frame from the buffer; nothing is taken from it before."""
        if len(self._buffer) < 2:
            return None
        longer = {126: 2, 127: 8}.get(self._buffer[1] & 0x7F, 0)
        masked = 4 if self._buffer[1] & 0x80 else 0
        head, start = bytes(self._buffer[: 2 + longer]), 2 + longer + masked
        length = int.from_bytes(head[2:]) if longer else head[1] & 0x7F
        if len(self._buffer) < start + length:
            return None
        mask = bytes(self._buffer[start - masked : start])
        payload = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        plain = apply_mask(mask, payload) if mask else payload
        return Frame(bool(head[0] & 0x80), head[0] >> 4 & 7, head[0] & 15, mask or None, plain, head)
