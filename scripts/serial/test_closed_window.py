"""A peer that takes nothing and goes on sending: what the board owes it cannot go out (at-contract §5).

No command waits for that. A line that is open on the port ends as one that starves, the connection at the latest when nothing has
gone out for as long as a network may be silent, and the reason says that it was the sending side.
"""

import threading

import pytest

from link import Link
from peer import PUBREL, Connection, acknowledgement, publish
from test_bad_network import lenient
from tls import server_context, shake_hands

BOARD = ("--rtc", "host")
ANSWERED_SECONDS = 8
"""An open line may keep a command for 4 s; the rest is for a machine that has much to do."""

PAYLOAD = b"x" * 1100
"""More than the library gathers: the port is taken from the line's first byte to its last."""

RELEASES = b"".join(acknowledgement(PUBREL, 1 + number) for number in range(1000))
"""Each of four bytes is owed as many: the path to the peer is soon almost full."""

MESSAGES = b"".join(publish(b"t", PAYLOAD, 1, 1 + number) + RELEASES[:16] for number in range(100))
"""What is owed for each becomes due while the line of the next is open."""


def flood(connection: Connection, thousands: int) -> None:
    """For longer than the board has patience."""
    connection.accept()
    connection.socket.settimeout(25)
    for _ in range(thousands):
        connection.socket.sendall(RELEASES)
    while True:
        connection.socket.sendall(MESSAGES)


def answered(link: Link) -> None:
    """Until the connection has ended: each command is answered in its time."""
    while link.state() != 3:
        for command in ("AT+MQTTCONN?", "AT", "AT+MQTTSUB?"):
            answer = link.port.command(command, 30)
            assert answer.final == b"OK"
            assert answer.seconds < ANSWERED_SECONDS, answer


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("scheme", "thousands"), [(1, 20), (3, 3)], ids=["TCP", "TLS"])
def test_behind_a_closed_window(link, brokers, certificates, peer, scheme, thousands):
    context = server_context(certificates.files("good"))

    def script(connection):
        if scheme == 3:
            shake_hands(connection, context)
        flood(connection, thousands)

    brokers.equip(link)
    link.configure(scheme, keepalive=7200)
    link.connect(peer(lenient(script)).port)
    answered(link)
    assert link.report().text == "the peer takes nothing"
    link.port.ok("AT+MQTTCLEAN=0", timeout=30)


@pytest.mark.timeout(120)
@pytest.mark.virtual("little heap")
def test_for_want_of_memory(new_board, broker, peer):
    """LwIP has none for what is to be sent; what is received finds some."""
    served = threading.Event()

    def script(connection):
        connection.accept()
        assert served.wait(10)
        connection.send(MESSAGES)
        connection.swallow(20)

    board = new_board(*BOARD)
    link = Link(board.port, board.host)
    link.configure(keepalive=7200)
    link.connect(peer(lenient(script)).port)
    link.port.ok("AT+SYSHEAP=6000")
    served.set()
    answered(link)
    assert link.report().text == "the peer takes nothing"
    link.clean()
    link.port.ok("AT+SYSHEAP=1000000")
    link.configure()
    link.connect(broker.port)
    link.publish("t", "still here", 1)
