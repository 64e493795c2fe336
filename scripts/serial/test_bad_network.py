"""A bad network between the board and its peers: what TCP mends the host never hears of, and what it does not mend is
told in time and made good on the next connection (at-contract §2, §5)."""

from __future__ import annotations

import threading
import time

import pytest

from air import Air
from atport import AtPort
from link import Code, Link
from peer import CONNECT, PUBACK, PUBLISH, Connection, publish
from test_trace import labels
from tls import over_tls, server_context

pytestmark = [pytest.mark.virtual("a network that can be made a bad one"), pytest.mark.timeout(180)]

PATIENCE_MS = 60000
"""The longest time-out of a command."""

ANSWERED_SECONDS = 12
"""Every command answers within 10 s; the rest is slack for a loaded machine."""

LARGE = bytes(range(256)) * 80


@pytest.fixture
def air(link):
    """The network of `link`'s board, which is sound again behind the test."""
    faults = Air(link.port)
    yield faults
    if link.port.is_open:
        link.port.events()
        faults.heal()


def serve(connection: Connection) -> None:
    connection.accept()
    connection.serve()


def lenient(script):
    """The script, whose connection may end at any place."""

    def run(connection: Connection) -> None:
        try:
            script(connection)
        except (OSError, AssertionError):
            connection.ended.set()

    return run


def connect(link: Link, port: int, reconnect: int = 1) -> None:
    """With all the time there is."""
    link.port.ok(link.conn(port, reconnect, timeout_ms=PATIENCE_MS), timeout=65)
    link.port.connected(0)


def publish_patiently(link: Link, topic: str, payload: bytes, qos: int) -> float:
    """PUBRAW that must succeed; how long it took."""
    start = time.monotonic()
    assert link.port.raw(f'AT+MQTTPUBRAW=0,"{topic}",{len(payload)},{qos},0,{PATIENCE_MS}', payload, 65) == b"OK"
    return time.monotonic() - start


# --- the options and the command ---


def test_faults_from_the_start(new_board):
    options = {"delay": "30,10", "reorder": "1", "dup": "2", "rate": "500000", "cut": "5000,6000", "seed": "9", "loss": "0"}
    board = new_board(*(part for name, value in options.items() for part in (f"--net-{name}", value)))
    rows = Air(board.port).rows()
    assert {name: rows[name] for name in options} == options


@pytest.mark.parametrize(
    "fields",
    ['"loss",101', '"loss",-1', '"loss"', '"cut",2,1', '"cut","after:"', '"delay",1,2', '"other",1', '"loss",1,2', '"none",1', ""],
)
def test_what_is_no_fault_changes_nothing(link, air, fields):
    air.set("loss", 3)
    before = air.rows()
    assert link.port.command(f"AT+SIMNET={fields}").final == b"ERROR"
    assert air.rows() == before


def test_the_trace_shows_what_was_dropped(new_board, tmp_path):
    path = tmp_path / "bad.html"
    board = new_board("--trace", str(path))
    link, air = Link(board.port, board.host), Air(board.port)
    link.configure()
    before = air.carried("out")
    air.set("loss", 100)
    link.port.error(link.conn(1, timeout_ms=3000), Code.START_FAILED)
    lost = air.carried("out").lost - before.lost
    air.heal()
    air.cut()
    link.port.error(link.conn(1, timeout_ms=3000), Code.START_FAILED)
    cut = air.carried("out").cut
    board.stop()
    shown = labels(path, "tcp", "out")
    assert shown.count("lost") == lost > 0
    assert shown.count("cut off") == cut > 0


# --- what TCP mends ---


def whole_message(port: AtPort, data: bytes) -> None:
    """The next message; one that TCP gave up is said to be incomplete, and comes again on the next connection."""
    while (message := port.message(90)).data != data:
        received = port.incomplete()
        assert message.data[:received] == data[:received]


@pytest.mark.timeout(300)
def test_a_fifth_of_all_frames_is_lost(link, air, broker, witness):
    """The chip's TCP sends a segment three times more at most, so connections are lost too; messages are not."""
    other = witness("up")
    link.configure(client="lossy", persistent=True)
    connect(link, broker.port)
    link.subscribe("down", 2)
    air.set("seed", 1)
    air.set("loss", 20)
    for number in range(3):
        payload = b"%d:" % number + LARGE[:3000]
        for qos in (1, 2):
            publish_patiently(link, "up", payload, qos)
            assert other.message(5).payload == payload
            other.publish("down", payload, qos)
            whole_message(link.port, payload)
    air.heal()
    assert air.carried("out").lost > 0 and air.carried("in").lost > 0
    forget(link, "lossy", broker.port)


def forget(link: Link, client: str, port: int) -> None:
    """Leave no session behind at the broker."""
    link.clean()
    link.configure(client=client)
    link.connect(port)


def test_reordered_and_doubled_frames(link, air, broker, witness):
    other = witness("up")
    link.configure()
    air.set("reorder", 30)
    air.set("dup", 30)
    connect(link, broker.port)
    link.subscribe("down", 2)
    for number in range(10):
        payload = b"%d:" % number + LARGE
        publish_patiently(link, "up", payload, 2)
        assert other.message(30).payload == payload
        other.publish("down", payload, 2)
        assert link.port.message(30).data == payload
    other.quiet()
    assert air.carried("in").doubled > 0 and air.carried("in").overtaken > 0


def test_two_seconds_each_way(link, air, broker, witness):
    other = witness("up")
    link.configure()
    link.connect(broker.port)
    link.clean()
    link.configure()
    air.set("delay", 2000, 100)
    start = time.monotonic()
    connect(link, broker.port)
    assert time.monotonic() - start > 4 * 1.9
    link.port.ok('AT+MQTTSUB=0,"down",1', timeout=ANSWERED_SECONDS)
    for qos, ways in ((1, 2), (2, 4)):
        answer = link.port.ok(f'AT+MQTTPUB=0,"up","{qos}",{qos},0,{PATIENCE_MS}', timeout=65)
        assert answer.seconds >= 1.9 * ways
        assert other.message(0.5).payload == b"%d" % qos
    other.publish("down", b"late", 1)
    assert link.port.message(8).data == b"late"
    other.quiet()


def test_a_thousand_bytes_a_second(link, air, broker, witness):
    other = witness("up")
    payload = LARGE[:4000]
    link.configure()
    connect(link, broker.port)
    link.subscribe("down", 1)
    air.set("rate", 1000)
    assert publish_patiently(link, "up", payload, 1) > len(payload) / 1000
    assert other.message().payload == payload
    other.publish("down", payload, 1)
    assert link.port.message(30).data == payload
    assert link.state() == 6


# --- what TCP does not mend ---


def test_half_open_the_peer_has_gone(link, air, peer):
    """Its end is lost in the air: the next publication finds out, and is delivered on a new connection."""
    gone = threading.Event()
    seen = []

    def leaves(connection):
        connection.accept()
        assert gone.wait(20)
        connection.abort()

    def returns(connection):
        connection.accept()
        seen.append(connection.expect(PUBLISH))
        connection.reply(seen[-1])
        connection.serve()

    server = peer(leaves, returns)
    link.configure()
    connect(link, server.port)
    air.cut()
    before = air.carried("in").cut
    gone.set()
    assert server.connection(0).ended.wait(5)
    deadline = time.monotonic() + 5
    while air.carried("in").cut == before:
        assert time.monotonic() < deadline, "the end of the connection never came into the cut"
    air.heal()
    assert link.state() == 4
    link.port.send(f'AT+MQTTPUB=0,"t","x",1,0,{PATIENCE_MS}')
    assert link.port.disconnected(ANSWERED_SECONDS) == 0
    link.port.connected(10)
    assert link.port.answer().final == b"OK"
    assert seen[0].payload == b"x"


def test_half_open_nobody_answers(link, air, peer):
    """The keep alive notices, and the network's return is enough."""
    link.configure(keepalive=2)
    connect(link, peer(serve).port)
    start = time.monotonic()
    air.cut()
    assert link.port.disconnected(16) == 0
    assert time.monotonic() - start < 14
    assert link.state() == 3
    air.heal()
    link.port.connected(40)
    link.publish("t", "x", 1)


@pytest.mark.parametrize("pause", [None, 1.0], ids=["nothing", "a byte a second"])
def test_a_window_that_stays_closed(link, peer, pause):
    """PUBRAW fails when its time is up, and the port goes on: nothing waits for the peer."""

    def script(connection):
        connection.accept()
        connection.close_window(pause)

    link.configure()
    link.connect(peer(lenient(script)).port)
    for _ in range(1000):
        link.port.prompt('AT+MQTTPUBRAW=0,"t",20480,0,0')
        link.port.fill(LARGE)
        if link.port.result(ANSWERED_SECONDS) == b"FAIL":
            break
    else:
        pytest.fail("20 MB went into a closed window")
    for command in ("AT+MQTTCONN?", "AT", 'AT+MQTTPUB=0,"t","x",1,0,3000', "AT+MQTTCONN?"):
        answer = link.port.command(command, ANSWERED_SECONDS)
        assert answer.final in (b"OK", b"ERROR")
        assert answer.seconds < 10
    assert link.port.ok("AT+MQTTCLEAN=0", timeout=ANSWERED_SECONDS).seconds < 10


# --- the radio goes ---


def test_radio_lost_inside_a_message(link, air, peer):
    """The line is filled to its length and said to be incomplete; the broker's second delivery is whole."""
    ready = threading.Event()
    message = publish(b"down", LARGE * 3, 1, 7)

    def first(connection):
        connection.accept()
        assert ready.wait(10)
        connection.send(message)
        connection.swallow()

    def second(connection):
        connection.accept(session_present=True)
        connection.send(publish(b"down", LARGE * 3, 1, 7, dup=True))
        assert connection.expect(PUBACK).identifier == 7
        connection.serve()

    link.configure(persistent=True, keepalive=2)
    connect(link, peer(first, second).port)
    air.cut_after(30_000)
    ready.set()
    broken = link.port.message(30)
    assert len(broken.data) == len(LARGE) * 3
    received = link.port.incomplete()
    assert 0 < received < len(LARGE) * 3
    assert broken.data[:received] == (LARGE * 3)[:received]
    assert link.port.disconnected(20) == 0
    air.heal()
    link.port.connected(40)
    assert link.port.message(10).data == LARGE * 3


def fill_slowly(link: Link, topic: str, qos: int, seconds: float) -> bytes:
    """PUBRAW of `LARGE` whose data the host takes so long to send; its result."""
    pieces = [LARGE[start : start + 256] for start in range(0, len(LARGE), 256)]
    link.port.prompt(f'AT+MQTTPUBRAW=0,"{topic}",{len(LARGE)},{qos},0,{PATIENCE_MS}')
    for piece in pieces[:-1]:
        link.port.write(piece)
        time.sleep(seconds / len(pieces))
    link.port.fill(pieces[-1])
    return link.port.result(65)


@pytest.mark.parametrize("qos", [1, 2])
def test_radio_lost_for_a_moment_inside_a_data_phase(link, air, broker, witness, qos):
    """It is back in time: the message is delivered, once."""
    other = witness("up")
    link.configure()
    connect(link, broker.port)
    air.cut(0.2, 3)
    assert fill_slowly(link, "up", qos, 2) == b"OK"
    assert other.message().payload == LARGE
    other.quiet(1)
    assert air.carried("out").cut > 0


@pytest.mark.parametrize("qos", [1, 2])
def test_radio_lost_inside_a_data_phase(link, air, broker, witness, qos):
    """The connection ends meanwhile: the data are taken, the host is told, and what it publishes again is delivered."""
    other = witness("up")
    link.configure(keepalive=2)
    connect(link, broker.port)
    air.cut(0.2)
    assert fill_slowly(link, "up", qos, 15) == b"FAIL"
    assert link.port.disconnected(1) == 0
    air.heal()
    link.port.connected(40)
    other.quiet(1)
    link.publish_raw("up", LARGE, qos)
    assert other.message().payload == LARGE
    other.quiet(1)


def test_radio_lost_for_a_moment_in_a_handshake(link, air, peer, certificates):
    server = peer(over_tls(server_context(certificates.files("good")), serve))
    link.configure(2)
    air.set("delay", 20)
    air.cut(0.1, 2)
    connect(link, server.port)
    link.publish("t", "x", 1)
    assert air.carried("out").cut > 0


@pytest.mark.parametrize("after", [400, 800, 1200])
def test_radio_lost_in_a_handshake(link, air, peer, certificates, after):
    """CONN fails in time, and the next one succeeds."""

    context = server_context(certificates.files("good"))
    link.configure(2)
    broken = peer(lenient(over_tls(context, serve)))
    air.cut_after(after)
    answer = link.port.error(link.conn(broken.port, timeout_ms=5000), Code.START_FAILED, Code.TLS_CONFIG)
    assert answer.seconds < 8
    assert link.state() == 1
    air.heal()
    connect(link, peer(over_tls(context, serve)).port)
    link.publish("t", "x", 1)


def test_radio_lost_inside_a_resend(link, air, peer):
    """What was to be sent again is sent again once more, whole, with DUP and the same packet identifier."""
    leave = threading.Event()
    seen = []

    def first(connection):
        connection.accept()
        seen.append(connection.expect(PUBLISH))
        assert leave.wait(20)

    def second(connection):
        connection.accept(session_present=True)
        connection.swallow()

    def third(connection):
        connection.accept(session_present=True)
        seen.append(connection.expect(PUBLISH, 30))
        connection.reply(seen[-1])
        connection.serve()

    server = peer(first, second, third)
    link.configure(persistent=True, keepalive=2)
    connect(link, server.port)
    assert link.port.raw(f'AT+MQTTPUBRAW=0,"up",{len(LARGE)},1,0,3000', LARGE) == b"FAIL"
    air.cut_after(9_000)
    leave.set()
    assert link.port.disconnected() == 0
    link.port.connected(20)
    assert link.port.disconnected(20) == 0
    assert server.connection(1).packets[0].kind == CONNECT
    assert not [got for got in server.connection(1).packets if got.kind == PUBLISH]
    air.heal()
    link.port.connected(40)
    link.publish("up", "after it", 1)
    before, after = seen
    assert not before.dup and after.dup
    assert (after.identifier, after.payload) == (before.identifier, LARGE) and before.payload == LARGE
