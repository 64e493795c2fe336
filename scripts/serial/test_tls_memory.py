"""What TLS and WebSocket cost of the heap, and that all of it is given back (at-contract §2)."""

import ssl
import statistics
import time

import pytest

from certificates import NAME
from link import Code, Link
from peer import DISCONNECT, PUBLISH, Connection, publish
from resources import forget_peaks, heap, settled, settles, shares, snapshot, tasks
from secure import MUTUAL, PRESENTING, SECURE, equip, hosts, over_websocket
from tls import FATAL_ALERT, open_websocket, read_hello, say_goodbye, server_context, shake_hands

pytestmark = pytest.mark.virtual("figures of heap and tasks")
BOARD = ("--rtc", "host")

ROUNDS = 200
MORE_THAN_TCP = 4 * 1024
MEBIBYTE = 1 << 20


@pytest.fixture
def used(link, brokers):
    """A link on a board that has made its few permanent objects, with credentials that stay stored."""
    brokers.equip(link)
    for scheme in (1, 10):
        session(link, brokers, scheme)
    settled(link.port)
    return link


def session(link, brokers, scheme):
    link.configure(scheme, user="user", password="secret", keepalive=30, will=("lwt", "gone", 1, 0))
    link.connect(brokers.port(scheme, MUTUAL if scheme in PRESENTING else "good"), 1)
    link.subscribe("memory", 2)
    link.publish_raw("memory", b"y" * 4096, 1)
    assert len(link.port.message().data) == 4096
    link.port.ok("AT+MQTTCLEAN=0")


@pytest.mark.parametrize("scheme", SECURE)
def test_after_sessions(used, brokers, scheme):
    before = settled(used.port)
    for _ in range(3):
        session(used, brokers, scheme)
    settles(used.port, before)
    assert shares(used.port)["mbedtls"].used == 0


@pytest.mark.timeout(240)
def test_two_hundred_rounds(used, brokers, peer, certificates):
    """Of every outcome, each to its end: the heap is to the byte where it was."""
    context = server_context(certificates.files("good"))

    def alert(connection: Connection) -> None:
        read_hello(connection)
        connection.send(FATAL_ALERT)

    def leave(connection: Connection) -> None:
        shake_hands(connection, context)
        say_goodbye(connection)

    outcomes = [
        (lambda scheme: brokers.port(scheme), 0),
        (lambda scheme: brokers.port(scheme, "wrong name"), Code.WRONG_NAME),
        (lambda scheme: brokers.port(scheme, "expired"), Code.TLS_CONFIG),
        (lambda _: peers["alert"], Code.TLS_CONFIG),
        (lambda _: peers["close"], Code.TLS_CONFIG),
        (lambda _: peers["leave"], Code.START_FAILED),
    ]
    peers = {
        "alert": peer(alert).port,
        "close": peer(lambda connection: read_hello(connection)).port,
        "leave": peer(leave).port,
    }

    def one(number: int) -> None:
        port, code = outcomes[number % len(outcomes)]
        scheme = (3, 5, 8, 10)[number // len(outcomes) % 4]
        used.configure(scheme)
        command = used.conn(port(scheme), host=NAME)
        if code:
            used.port.error(command, code)
        else:
            used.port.ok(command)
            used.publish("t", "x", 1)
        used.clean()

    for number in range(24):
        one(number)
    before = settled(used.port)
    for number in range(ROUNDS):
        one(number)
    settles(used.port, before, 10)
    assert shares(used.port)["mbedtls"].used == 0


@pytest.fixture
def echo(peer, certificates):
    """The port of a broker for a scheme that sends each message back, every packet in a segment of its own."""
    context = server_context(certificates.files("good"), certificates.roots)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET

    def start(scheme):
        def script(connection: Connection) -> None:
            if scheme in SECURE:
                shake_hands(connection, context)
            if over_websocket(scheme):
                open_websocket(connection)
            connection.accept()
            while (got := connection.receive(30)) is not None and got.kind != DISCONNECT:
                connection.reply(got)
                if got.kind == PUBLISH:
                    connection.send(publish(b"peak", got.payload))

        return peer(script).port

    return start


def peak(link, port, scheme):
    """The most that others than Mbed TLS took during a connection with traffic both ways."""
    forget_peaks(link.port)
    before = shares(link.port)["other"].used
    link.configure(scheme, keepalive=30)
    link.connect(port)
    link.subscribe("peak", 1)
    for _ in range(3):
        link.publish_raw("peak", b"p" * 2000, 1)
        assert len(link.port.message().data) == 2000
    link.port.ok("AT+MQTTCLEAN=0")
    return shares(link.port)["other"].peak - before


def usual_peak(link, port, scheme):
    """The most frequent of several: a segment more or less in lwIP's hands makes a difference."""
    settled(link.port)
    return statistics.mode(peak(link, port, scheme) for _ in range(9))


def test_the_peak_beyond_mbed_tls(used, echo, record_property):
    """Apart from Mbed TLS's own blocks, TLS costs at most 4 KiB more than the same connection without it."""
    peaks = {scheme: usual_peak(used, echo(scheme), scheme) for scheme in (1, 3, 5, 6, 8, 10)}
    mbedtls = shares(used.port)["mbedtls"].peak
    record_property("told", f"heap peaks by scheme, without Mbed TLS's blocks: {peaks}; Mbed TLS in scheme 10: {mbedtls}")
    assert max(peaks[3], peaks[5]) - peaks[1] <= MORE_THAN_TCP, peaks
    assert max(peaks[8], peaks[10]) - peaks[6] <= MORE_THAN_TCP, peaks


@pytest.mark.parametrize("scheme", [3, 8])
def test_memory_does_not_grow_with_the_message(used, brokers, scheme, record_property):
    """1 MiB costs what 16 KiB cost, whatever TLS records and frames bring it."""
    used.configure(scheme)
    used.connect(brokers.port(scheme))
    used.subscribe(f"large/{scheme}", 1)
    peaks = []
    with brokers.witness(scheme) as other:
        for size in (16 << 10, MEBIBYTE):
            forget_peaks(used.port)
            other.publish(f"large/{scheme}", b"x" * size, 1)
            assert len(used.port.message(60).data) == size
            peaks.append(sum(share.peak for share in shares(used.port).values()))
    record_property("told", f"scheme {scheme}: heap peak at 16 KiB {peaks[0]}, at 1 MiB {peaks[1]}")
    assert peaks[1] - peaks[0] < 8192, peaks


def test_a_failed_handshake_keeps_nothing(used, brokers):
    """While the link stays configured, without CLEAN."""
    used.configure(3)
    used.port.error(used.conn(brokers.port(3, "expired")), Code.TLS_CONFIG)
    before = settled(used.port)
    for _ in range(10):
        used.port.error(used.conn(brokers.port(3, "expired")), Code.TLS_CONFIG)
    settles(used.port, before)
    assert shares(used.port)["mbedtls"].used == 0


def test_clean_in_a_back_off_after_tls(used, peer, certificates):
    """The kept session goes as well."""
    context = server_context(certificates.files("good"))

    def first(connection: Connection) -> None:
        shake_hands(connection, context)
        connection.accept()
        say_goodbye(connection)

    before = settled(used.port)
    used.configure(3)
    server = peer(first, lambda connection: read_hello(connection))
    used.connect(server.port, 1)
    used.port.disconnected()
    assert server.connection(1).ended.wait(5)
    used.clean()
    settles(used.port, before)
    assert shares(used.port)["mbedtls"].used == 0


@pytest.mark.parametrize("left", [1000, 4000, 12000, 24000, 32000, 40000, 48000])
def test_too_little_memory_for_tls(new_board, brokers, left):
    """A code, an honest port, and nothing kept."""
    board = new_board(*BOARD)
    link = Link(board.port, board.host)
    brokers.equip(link)
    link.configure(5)
    assert link.port.command(f"AT+SYSHEAP={left}").final == b"OK"
    free, _, blocks = heap(link.port)
    running = tasks(link.port)
    for _ in range(3):
        answer = link.port.command(link.conn(brokers.port(5, MUTUAL)), 20)
        if answer.final == b"OK":
            link.clean()
            link.configure(5)
        else:
            assert answer.code in (Code.MALLOC_FAILED, Code.TLS_CONFIG, Code.START_FAILED), answer
    assert board.alive
    settles(link.port, (free - 512, blocks + 10, running))


LEAST, MOST, STEP = 26_500, 62_000, 500
"""Free bytes: where TLS finds too little, and where it finds enough."""

BLAMELESS = (Code.MALLOC_FAILED, Code.TLS_CONFIG, Code.START_FAILED)
BLAMED = ("unreadable", "certificate", "host name", "key")
"""Words of reasons that find fault with a certificate or a key."""


def test_no_certificate_is_blamed_for_want_of_memory(new_board, brokers):
    """With ever less of it, several authorities and a client's chain: it is what fails, not what was stored or sent."""
    board = new_board(*BOARD, *hosts())
    link = Link(board.port, board.host)
    made = brokers.certificates
    client = made.chained_client
    equip(link, made.roots + made.intermediate.pem + made.stranger.pem, client.pem, client.key)
    outcomes = {}
    for left in range(MOST, LEAST, -STEP):
        link.configure(5)
        assert link.port.command(f"AT+SYSHEAP={left}").final == b"OK"
        answer = link.port.command(link.conn(brokers.port(5, MUTUAL), host=NAME, timeout_ms=3000))
        outcomes[left] = "OK"
        if answer.final != b"OK":
            assert answer.code in BLAMELESS, (left, answer.lines, link.report())
            outcomes[left] = link.report().text
        assert not any(word in outcomes[left] for word in BLAMED), (left, outcomes[left])
        link.clean()
    assert board.alive
    assert outcomes[MOST] == "OK"
    assert len(set(outcomes.values())) > 1, outcomes


def test_too_little_memory_to_describe_certificates(new_board, certificates):
    """A code in place of rows that are left out."""
    board = new_board(*BOARD)
    link = Link(board.port, board.host)
    equip(link, certificates.roots, certificates.client.pem, certificates.client.key)
    rows = link.port.command("AT+MQTTCERT?").lines
    assert len(rows) == 3
    for left in (4000, 2000, 1000, 500):
        assert link.port.command(f"AT+SYSHEAP={left}").final == b"OK"
        answer = link.port.command("AT+MQTTCERT?")
        if answer.final == b"OK":
            assert answer.lines == rows
    assert answer.final == b"ERROR"
    assert answer.code == Code.MALLOC_FAILED
