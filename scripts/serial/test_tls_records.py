"""Records that bring nothing, in floods or at the wrong moment: times, and what the board writes meanwhile."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest

from atport import Surprise
from link import CA, Code
from peer import Connection, Peer, connack, publish
from records import APPLICATION, HELLO_REQUEST, WARNING, Record, Records
from tls import ALERT, HANDSHAKE, read_hello, server_context

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

PLAIN_WARNINGS = bytes([ALERT, 3, 3, 0, len(WARNING), *WARNING]) * 10_000
IN_ONE_PIECE = 1000
"""Encrypted records that are sent at once."""


@pytest.fixture
def secured(link, certificates):
    """A link ready for a verified TLS connection."""
    link.store(CA, certificates.root.pem)
    link.configure(3)
    return link


@pytest.fixture
def records(certificates, tmp_path):
    """An MQTT connection that stands, on the server's side: `records(connection)`."""

    def accept(connection: Connection) -> Records:
        connection.socket.settimeout(15)
        opened = Records(connection.socket, server_context(certificates.files("good")), tmp_path)
        assert opened.receive().kind == APPLICATION
        opened.send(APPLICATION, connack())
        return opened

    return accept


def test_a_flood_of_warnings_in_the_handshake(secured, brokers, peer):
    """Plain ones, as any host on the way can send them: CONN ends in time, and the link goes elsewhere."""

    def flood(connection: Connection) -> None:
        read_hello(connection)
        with contextlib.suppress(OSError):
            while True:
                connection.socket.sendall(PLAIN_WARNINGS)

    port = peer(flood).port
    answer = secured.port.error(secured.conn(port, timeout_ms=5000), Code.TLS_CONFIG, timeout=8)
    assert answer.seconds < 6.5
    assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 3
    secured.configure(3)
    secured.connect(brokers.port(3))


def test_a_flood_of_warnings_on_a_connection_that_stands(secured, brokers, peer, records):
    """Commands are answered; whether the connection survives is a matter of how fast the records come."""
    flooded = threading.Event()

    def flood(connection: Connection) -> None:
        opened = records(connection)
        with contextlib.suppress(OSError):
            while True:
                piece = b"".join(opened.seal(ALERT, WARNING) for _ in range(IN_ONE_PIECE))
                connection.socket.sendall(piece)
                flooded.set()

    running = peer(flood)
    secured.connect(running.port)
    assert flooded.wait(10)
    answer = secured.port.command('AT+MQTTPUB=0,"t","x",0,0')
    assert answer.seconds < 10
    assert answer.final == b"OK" or answer.code in (Code.DISCONNECTED, Code.UNINITIATED), answer
    assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 10
    assert running.connection(0).ended.wait(5)
    secured.port.events()
    secured.configure(3)
    secured.connect(brokers.port(3))


class Narrow(Peer):
    """A peer whose network holds little of what is sent to it."""

    def __init__(self, script, address: str) -> None:
        super().__init__(script, address=address)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)


SIZE, AFTERWARDS, LAST = 8000, 300, b"last"


def payload(number: int) -> bytes:
    return b"%08d" % number + bytes([97 + number % 26]) * (SIZE - 8)


@pytest.mark.bulk
def test_hello_requests_while_a_write_is_stuck(secured, address, records):
    """Each is answered by a warning, but none of the records that wait is written twice or mixed with it."""
    stuck, complete = threading.Event(), threading.Event()
    came: list[Record] = []

    def script(connection: Connection) -> None:
        opened = records(connection)
        assert stuck.wait(60)
        opened.send(HANDSHAKE, HELLO_REQUEST)
        while (record := opened.receive()) is not None:
            came.append(record)
            if record.data.endswith(LAST):
                complete.set()
            elif record.kind == APPLICATION:
                opened.send(HANDSHAKE, HELLO_REQUEST)

    with Narrow(script, address) as running:
        secured.connect(running.port)
        sent = publish_until(secured, stuck, AFTERWARDS)
        secured.publish("t", LAST)
        assert complete.wait(15), "the stream broke off"
        secured.clean()
    stream = b"".join(record.data for record in came if record.kind == APPLICATION)
    expected = b"".join(publish(b"t", payload(number)) for number in range(sent)) + publish(b"t", LAST)
    right = len(os.path.commonprefix([stream, expected]))
    assert right == len(expected), f"of {len(expected)} bytes {right} are right, then {stream[right:right + 20]} comes"
    assert any(record.kind == ALERT for record in came)


def publish_until(link, stuck: threading.Event, afterwards: int) -> int:
    """Publish until the board waits for the network, say so, and publish so many more: how many in all."""
    number, last = 0, None
    while number != last:
        link.port.prompt(f'AT+MQTTPUBRAW=0,"t",{SIZE},0,0,60000')
        link.port.fill(payload(number))
        try:
            result = link.port.result(30 if stuck.is_set() else 0.5)
        except Surprise:
            if stuck.is_set():
                raise
            stuck.set()
            last = number + 1 + afterwards
            result = link.port.result(30)
        assert result == b"OK"
        number += 1
    return number
