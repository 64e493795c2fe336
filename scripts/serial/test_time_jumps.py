"""The counter of milliseconds wraps, and the real-time clock jumps: neither is what a wait goes by in its own way (at-contract §5).

Each board's counter starts a few seconds before its end, and each wait goes on for longer than that; on the board that runs the
library for this machine and on the one that runs the chip's code.
"""

import threading
import time

import pytest

from board import build_image
from certificates import NAME
from link import Code, Link
from peer import PINGREQ, Relay
from test_tls_clock import DAY, asking, shown_time
from timeserver import TimeServer

pytestmark = [pytest.mark.virtual("a counter that is about to wrap"), pytest.mark.timeout(120)]

END = 1 << 32
LEFT_MS = 6_000
"""From the board's start to the wrap."""

YEARS = 5 * 365 * DAY
"""Fewer than are left of what SNTP can say, more than a certificate lasts."""


@pytest.fixture(params=["native", "xt804"])
def late(request, new_board, monkeypatch):
    """A link on a board whose counter is about to wrap, and when it was started."""
    if request.param == "xt804":
        monkeypatch.setenv("W800_SIM_IMAGE", build_image())
    else:
        monkeypatch.delenv("W800_SIM_IMAGE", raising=False)
    board = new_board("--uptime", str(END - LEFT_MS))
    link = Link(board.port, board.host)
    yield link
    assert board.alive


def test_keep_alive(late, peer):
    """Of a second: the pauses between PINGREQs stay what they are."""
    times = []
    whole = threading.Event()

    def script(connection):
        connection.accept()
        while len(times) < 14:
            connection.reply(connection.expect(PINGREQ, 10))
            times.append(time.monotonic())
        whole.set()
        connection.serve()

    late.configure(keepalive=1)
    late.connect(peer(script).port)
    assert whole.wait(40)
    late.publish("t", "x", 1)
    pauses = [second - first for first, second in zip(times, times[1:], strict=False)]
    assert sum(pauses) > LEFT_MS / 1000 and max(pauses) < 3 and min(pauses) > 0.1, pauses


def test_a_data_phase_that_stalls(late, broker):
    """For 20 s, no more and not much less; the port is the host's again."""
    late.configure()
    late.connect(broker.port)
    late.port.prompt('AT+MQTTPUBRAW=0,"t",100,1,0')
    late.port.write(b"half of it")
    begin = time.monotonic()
    assert late.port.answer(40).final == b"+MQTTPUB:FAIL"
    assert 19 < time.monotonic() - begin < 30
    late.publish("t", "x", 1)


def test_a_back_off(late, broker):
    """After 1, 2, 4 s and so on: the wrap is in one of these pauses."""
    with Relay(broker.port) as relay:
        late.configure()
        late.connect(relay.port, 1)
        relay.cut(refuse=True)
        late.port.disconnected()
        relay.await_connections(4, 30)
        relay.restore()
        late.port.connected(40)
        late.publish("t", "x", 1)


def test_conn(late, peer, broker):
    """To a server that accepts and stays silent: as long as CONN is told, no longer."""
    late.configure()
    answer = late.port.command(late.conn(peer(lambda connection: connection.swallow(30)).port, timeout_ms=9000), 30)
    assert answer.code == Code.START_FAILED
    assert 8.5 < answer.seconds < 15
    late.connect(broker.port)
    late.publish("t", "x", 1)


def jump(link: Link, server: TimeServer, seconds: float) -> None:
    """The board's clock is so far ahead from now on."""
    answered, server.ahead = server.answered, seconds
    link.port.ok('AT+CIPSNTPCFG=1,0,"ntp1.aliyun.com"')
    year = time.gmtime(time.time() + seconds).tm_year
    deadline = time.monotonic() + 20
    while not shown_time(link).endswith(str(year)):
        assert time.monotonic() < deadline, f"not {year}"
        link.port.quiet(0.1)
    assert server.answered > answered


@pytest.fixture
def clocked(new_board, brokers):
    """A board with credentials, and the server that tells it the time."""
    with TimeServer() as server:
        board = new_board("--rtc", "host", *asking(server))
        link = Link(board.port, board.host)
        brokers.equip(link)
        yield link, server


def test_the_clock_jumps_during_a_session_of_tls(clocked, brokers):
    """Forward and back: the session stands, pings go on; the next one judges by the new time."""
    link, server = clocked
    port = brokers.port(3)
    link.configure(3, keepalive=2)
    link.connect(port, host=NAME)
    for seconds in (YEARS, -YEARS, 0):
        jump(link, server, seconds)
        link.publish("t", "x", 1)
        # Longer than the keep alive: the broker would end a connection that forgets it.
        link.port.quiet(3.5)
    for seconds, why in ((YEARS, "certificate expired"), (-YEARS, "certificate not yet valid")):
        jump(link, server, seconds)
        link.clean()
        link.configure(3)
        link.port.error(link.conn(port, host=NAME), Code.TLS_CONFIG)
        assert link.report().text == why
    jump(link, server, 0)
    link.connect(port, host=NAME)
    link.publish("t", "x", 1)
