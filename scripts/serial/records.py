"""The server's side of TLS 1.2 record by record: of any type, empty or out of place, as no library would send them."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

APPLICATION = 23
SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
HELLO_REQUEST = bytes(4)
WARNING = bytes([1, 90])
"""An alert that ends nothing: user_canceled."""

_VERSION = bytes([3, 3])
_RANDOM = slice(11, 43)
"""The ServerHello's random bytes, in what the server sends."""
_EXPLICIT, _TAG = 8, 16
"""What a record carries beside its data: part of the nonce, and GCM's tag."""


@dataclass(frozen=True)
class Record:
    """A record as it came, decrypted."""

    kind: int
    data: bytes


class _Direction:
    """A key in use: AES-128-GCM with the implicit part of the nonce. Finished was record 0."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._cipher = AESGCM(key)
        self._salt = salt
        self._sequence = 1

    def seal(self, kind: int, data: bytes) -> bytes:
        explicit, covered = self._next(kind, len(data))
        return explicit + self._cipher.encrypt(self._salt + explicit, data, covered)

    def open(self, kind: int, body: bytes) -> bytes:
        _, covered = self._next(kind, len(body) - _EXPLICIT - _TAG)
        return self._cipher.decrypt(self._salt + body[:_EXPLICIT], body[_EXPLICIT:], covered)

    def _next(self, kind: int, length: int) -> tuple[bytes, bytes]:
        number = struct.pack(">Q", self._sequence)
        self._sequence += 1
        return number, number + _head(kind, length)


class Records:
    """A connection behind its handshake. What comes in must be the next record, each once (RFC 5246 §6.2.3.3)."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, folder: Path) -> None:
        self._socket = sock
        log = folder / f"keys-{id(self)}"
        context.keylog_filename = str(log)
        context.set_ciphers(SUITES)
        context.options |= ssl.OP_NO_TICKET
        server = _shake_hands(sock, context)[_RANDOM]
        client, master = _secrets(log)
        block = _expand(master, b"key expansion" + server + client, 40)
        self._theirs = _Direction(block[:16], block[32:36])
        self._ours = _Direction(block[16:32], block[36:])

    def seal(self, kind: int, data: bytes) -> bytes:
        """The next record to be sent; all must be, in this order."""
        sealed = self._ours.seal(kind, data)
        return _head(kind, len(sealed)) + sealed

    def send(self, kind: int, data: bytes) -> None:
        self._socket.sendall(self.seal(kind, data))

    def receive(self) -> Record | None:
        """The next record; None at the end of the stream."""
        head = self._exactly(5)
        if head is None:
            return None
        kind, length = head[0], struct.unpack(">H", head[3:])[0]
        body = self._exactly(length)
        return None if body is None else Record(kind, self._theirs.open(kind, body))

    def _exactly(self, count: int) -> bytes | None:
        data = bytearray()
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                return None
            data += more
        return bytes(data)


def _head(kind: int, length: int) -> bytes:
    return bytes([kind]) + _VERSION + struct.pack(">H", length)


def _shake_hands(sock: socket.socket, context: ssl.SSLContext) -> bytes:
    """All that the server has sent for it."""
    incoming, outgoing, sent = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
    session = context.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            session.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        flight = outgoing.read()
        sock.sendall(flight)
        sent += flight
        if done:
            return sent
        data = sock.recv(4096)
        assert data, "the board left in the handshake"
        incoming.write(data)


def _secrets(log: Path) -> tuple[bytes, bytes]:
    """The client's random bytes and the master secret."""
    line = next(line for line in log.read_text().splitlines() if line.startswith("CLIENT_RANDOM "))
    _, client, master = line.split()
    return bytes.fromhex(client), bytes.fromhex(master)


def _expand(secret: bytes, seed: bytes, length: int) -> bytes:
    """RFC 5246 §5: P_SHA256."""
    out, chain = b"", seed
    while len(out) < length:
        chain = hmac.digest(secret, chain, hashlib.sha256)
        out += hmac.digest(secret, chain + seed, hashlib.sha256)
    return out[:length]
