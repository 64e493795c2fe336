"""A host without flow control: PUBRAW at QoS 0 while what comes too fast is lost (docs/at-reference.md, AT+MQTTPUBRAW).

The line is the virtual board's with `--overrun`: what comes while the port is behind is lost, as on a UART without RTS and
CTS. Where the board keeps up a message arrives whole. A machine with other things to do makes the board late, as nothing
does on a chip: then a message is sent again, and one of them has to arrive whole.
"""

import random
import time

import pytest

from air import Air
from link import Link
from secure import hosts
from waiting import until

pytestmark = [pytest.mark.once, pytest.mark.virtual("a line that counts what it loses")]

SCHEMES = {"TCP": 1, "TLS": 3, "WebSocket": 6, "WebSocket over TLS": 8}
LINE_SECONDS = 1
"""What a message takes on the line."""

ATTEMPTS = 10
LOST = b"bytes are lost"


@pytest.fixture
def paced(new_board):
    """A board's link, on a line of so many bits per second that loses what comes too fast."""

    def start(baud):
        board = new_board("--baud", str(baud), "--overrun", "--heap", str(100 * 1024), "--rtc", "host", *hosts())
        return board, Link(board.port, board.host)

    return start


def connect(link, brokers, scheme):
    link.clean()
    link.configure(scheme, path="mqtt" if scheme > 5 else "")
    link.connect(brokers.port(scheme))


def lost(board):
    return board.whole_log().count(LOST)


def stream(board, link, payload, piece=0, pause=0.0):
    """Whether the line has lost nothing of a message, sent at once or in pieces; it is given up where something is missing."""
    before = lost(board)
    link.port.prompt(b'AT+MQTTPUBRAW=0,"pace",%d,0,0' % len(payload))
    printed = link.port.received
    for start in range(0, len(payload), piece or len(payload)):
        part = payload[start : start + (piece or len(payload))]
        link.port.fill(part, keep_open=start + len(part) < len(payload))
        time.sleep(pause)
    until(lambda: link.port.received > printed or lost(board) > before, "the end of the message or a loss", 30)
    if lost(board) == before:
        return link.port.result() == b"OK"
    give_up(link, printed)
    return False


def give_up(link, printed):
    """End the data phase; what ends it may be lost too."""
    deadline = time.monotonic() + 30
    while link.port.received == printed and time.monotonic() < deadline:
        link.port.write(b"+++")
        again = time.monotonic() + 1
        while link.port.received == printed and time.monotonic() < again:
            time.sleep(0.01)
    assert link.port.result() == b"FAIL"


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("baud", [115_200, 921_600, 2_000_000])
def test_nothing_is_lost_where_the_network_keeps_up(paced, brokers, baud, scheme):
    board, link = paced(baud)
    brokers.equip(link)
    with brokers.witness(scheme, "pace", qos=0) as other:
        payload = random.Random(baud).randbytes(baud // 10 * LINE_SECONDS)
        for _ in range(ATTEMPTS):
            connect(link, brokers, scheme)
            if stream(board, link, payload):
                break
        assert other.message(20).payload == payload


def test_a_network_slower_than_the_line(paced, brokers):
    """It loses what is too fast, and the message fails; a host that keeps to the network's pace loses nothing."""
    board, link = paced(921_600)
    with brokers.witness(1, "pace", qos=0) as other:
        connect(link, brokers, 1)
        Air(link.port).set("rate", 20_000)
        assert not stream(board, link, bytes(60_000))
        link.await_state(3)
        payload = random.Random(1).randbytes(8_000)
        for _ in range(ATTEMPTS):
            connect(link, brokers, 1)
            if stream(board, link, payload, 400, 0.05):
                break
        assert other.message(20).payload == payload
