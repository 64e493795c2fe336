"""TLS as scripted peers speak it: Python's ssl over their sockets, and the parts of a ClientHello by hand."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass

from certificates import Files
from peer import Connection, Script
from websocket import WebSocket

HANDSHAKE, ALERT = 22, 21
RUBBISH = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
FATAL_ALERT = bytes([ALERT, 3, 3, 0, 2, 2, 40])
OVERSIZE_RECORD = bytes([HANDSHAKE, 3, 3, 0x48, 1]) + bytes(0x4801)
_SERVER_NAME, _ALPN = 0, 16


def server_context(files: Files, authorities: bytes = b"", alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """TLS 1.2 with this certificate; with `authorities` it wants a client's certificate of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    if authorities:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authorities.decode())
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def shake_hands(connection: Connection, context: ssl.SSLContext) -> ssl.SSLSocket:
    """The server's side of the handshake; packets go through TLS from then on."""
    connection.socket.settimeout(15)
    connection.put_over(lambda sock: context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False))
    return connection.socket


def say_goodbye(connection: Connection) -> None:
    """close_notify, and the board's when it sends one."""
    connection.socket.settimeout(5)
    with contextlib.suppress(OSError):
        connection.socket.unwrap()


def over_tls(context: ssl.SSLContext, script: Script) -> Script:
    """The script, inside TLS."""

    def run(connection: Connection) -> None:
        shake_hands(connection, context)
        script(connection)

    return run


def open_websocket(connection: Connection, *headers: str) -> WebSocket:
    """Answer the opening handshake; packets go in frames from then on."""
    connection.put_over(WebSocket)
    connection.socket.open(*headers)
    return connection.socket


def over_websocket(script: Script) -> Script:
    """The script, inside a WebSocket."""

    def run(connection: Connection) -> None:
        open_websocket(connection)
        script(connection)

    return run


def beneath(connection: Connection) -> socket.socket:
    """The TCP connection under TLS, to write to it what TLS never would."""
    return socket.socket(fileno=socket.dup(connection.socket.fileno()))


@dataclass(frozen=True)
class ClientHello:
    """What tests look at; texts as they came."""

    version: int
    session: bytes
    server_name: bytes | None
    alpn: tuple[bytes, ...]


def read_hello(connection: Connection) -> ClientHello:
    """Take the first flight from the connection."""
    sock = connection.socket
    sock.settimeout(10)
    kind, _, length = struct.unpack(">BHH", _exactly(sock, 5))
    assert kind == HANDSHAKE, f"a record of type {kind} comes first"
    return parse_hello(_exactly(sock, length))


def parse_hello(body: bytes) -> ClientHello:
    """RFC 5246 §7.4.1.2, with its header."""
    assert body[0] == 1, f"a handshake message of type {body[0]} comes first"
    version, at = struct.unpack_from(">H", body, 4)[0], 4 + 2 + 32
    session, at = _vector(body, at, 1)
    _, at = _vector(body, at, 2)
    _, at = _vector(body, at, 1)
    extensions = dict(_extensions(_vector(body, at, 2)[0])) if at < len(body) else {}
    return ClientHello(version, session, _name(extensions.get(_SERVER_NAME)), _protocols(extensions.get(_ALPN)))


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        assert more, f"the connection ended after {data!r}"
        data += more
    return data


def _vector(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size + int.from_bytes(data[at : at + size])
    return data[at + size : end], end


def _extensions(data: bytes):
    at = 0
    while at < len(data):
        kind = int.from_bytes(data[at : at + 2])
        body, at = _vector(data, at + 2, 2)
        yield kind, body


def _name(extension: bytes | None) -> bytes | None:
    return _vector(extension, 3, 2)[0] if extension else None


def _protocols(extension: bytes | None) -> tuple[bytes, ...]:
    names, at = [], 2
    while extension and at < len(extension):
        name, at = _vector(extension, at, 1)
        names.append(name)
    return tuple(names)
