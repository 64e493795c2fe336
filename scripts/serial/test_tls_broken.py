"""TLS servers that misbehave, in the handshake and after it: codes, reasons and times (at-contract §6)."""

import contextlib
import time

import pytest

from link import Code, Report
from peer import Relay, publish
from tls import (
    FATAL_ALERT,
    OVERSIZE_RECORD,
    RUBBISH,
    beneath,
    open_websocket,
    over_tls,
    read_hello,
    say_goodbye,
    server_context,
    shake_hands,
)

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

TLS_STAGE, SESSION = 3, 6
FAILED, CLOSED, NO_ANSWER, BY_ALERT = "TLS failed", "closed by the server", "no answer", "refused by an alert"
UNFINISHED_RECORD = bytes([22, 3, 3, 0, 100, 2, 0])
WRONG_MESSAGE = bytes([22, 3, 3, 0, 4, 14, 0, 0, 0])
WARNING = bytes([21, 3, 3, 0, 2, 1, 112])


@pytest.fixture
def context(certificates):
    return server_context(certificates.files("good"))


@pytest.fixture
def secured(link, brokers):
    """A link ready for a verified TLS connection."""
    brokers.equip(link)
    link.configure(3)
    return link


def hands_out(*pieces):
    """A server that answers the first flight with these bytes and ends the connection."""

    def script(connection):
        read_hello(connection)
        for piece in pieces:
            connection.send(piece)

    return script


def stalls(connection):
    connection.socket.settimeout(30)
    with contextlib.suppress(OSError):
        while connection.socket.recv(65536):
            pass


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((), CLOSED),
        ((RUBBISH,), FAILED),
        ((OVERSIZE_RECORD,), FAILED),
        ((UNFINISHED_RECORD,), CLOSED),
        ((WRONG_MESSAGE,), FAILED),
        ((FATAL_ALERT,), BY_ALERT),
        ((WARNING, FATAL_ALERT), BY_ALERT),
    ],
    ids=["nothing", "rubbish", "oversize", "unfinished", "wrong message", "alert", "warning and alert"],
)
def test_an_answer_that_is_no_handshake(secured, brokers, peer, answer, text):
    """Refused at once, and the link goes elsewhere."""
    refused = secured.port.error(secured.conn(peer(hands_out(*answer)).port), Code.TLS_CONFIG)
    assert refused.seconds < 5
    report = secured.report()
    assert (report.code, report.stage, report.text) == (Code.TLS_CONFIG, TLS_STAGE, text)
    assert (report.detail < 0) == (text != CLOSED)
    assert secured.state() == 1
    secured.connect(brokers.port(3))


def test_a_connection_that_is_reset(secured, peer):
    def script(connection):
        read_hello(connection)
        connection.abort()

    assert secured.port.error(secured.conn(peer(script).port), Code.TLS_CONFIG).seconds < 5


@pytest.mark.parametrize("after", [0, 40, 700], ids=["nothing", "half a ServerHello", "half a flight"])
def test_ten_seconds_without_progress(secured, brokers, address, after):
    """CONN would have waited for longer."""
    with Relay(brokers.port(3), address, limit=after) as half:
        answer = secured.port.error(secured.conn(half.port, timeout_ms=30000), Code.TLS_CONFIG, timeout=20)
    assert 9.5 <= answer.seconds <= 12.5
    assert secured.report() == Report(Code.TLS_CONFIG, TLS_STAGE, secured.report().detail, NO_ANSWER)


def test_conns_own_limit_is_shorter(secured, peer):
    answer = secured.port.error(secured.conn(peer(stalls).port, timeout_ms=3000), Code.TLS_CONFIG, timeout=8)
    assert 2.8 <= answer.seconds <= 4.5
    assert secured.report().text == NO_ANSWER


def test_conns_own_limit_bounds_a_slow_handshake(secured, brokers, address):
    """Progress all the time, too little of it."""
    with Relay(brokers.port(3), address, piece=1, pause=0.05) as slow:
        answer = secured.port.error(secured.conn(slow.port, timeout_ms=4000), Code.TLS_CONFIG, timeout=9)
    assert 3.8 <= answer.seconds <= 5.5


@pytest.mark.parametrize("scheme", [5, 10])
def test_every_byte_in_a_segment_of_its_own(link, brokers, address, scheme):
    """The server's whole flight, certificates included, and an MQTT session behind it."""
    brokers.equip(link)
    link.configure(scheme)
    with Relay(brokers.port(scheme), address, piece=1) as trickle:
        link.connect(trickle.port)
        link.subscribe("trickle", 1)
        link.publish_raw("trickle", bytes(range(256)) * 4, 2)
        assert link.port.message().data == bytes(range(256)) * 4
        link.port.ok("AT+MQTTCLEAN=0")


def session(context, ending):
    """A server that ends a connection which stood."""

    def script(connection):
        shake_hands(connection, context)
        connection.accept()
        ending(connection)

    return script


def fatal_alert(connection):
    """Not encrypted, as nothing may be now."""
    beneath(connection).sendall(FATAL_ALERT)
    stalls(connection)


def oversize_record(connection):
    beneath(connection).sendall(b"\x17" + OVERSIZE_RECORD[1:])
    stalls(connection)


def forged_record(connection):
    """Right in length and type, but nobody who has the key wrote it."""
    beneath(connection).sendall(bytes([23, 3, 3, 0, 40]) + bytes(40))
    stalls(connection)


def half_a_record(connection):
    beneath(connection).sendall(bytes([23, 3, 3, 0, 40]) + bytes(20))


def half_a_packet(connection):
    connection.send(publish(b"t", b"x" * 100)[:50])
    say_goodbye(connection)


@pytest.mark.parametrize(
    "ending",
    [
        say_goodbye,
        lambda connection: connection.close(),
        lambda connection: connection.abort(),
        fatal_alert,
        oversize_record,
        forged_record,
        half_a_record,
        half_a_packet,
    ],
    ids=["close_notify", "truncation", "reset", "alert", "oversize", "forged", "half a record", "half a packet"],
)
def test_the_end_of_a_connection_that_stood(secured, brokers, peer, context, ending):
    """It is lost, whatever the reason, and said so at once."""
    secured.connect(peer(session(context, ending)).port)
    start = time.monotonic()
    assert secured.port.disconnected(8) == 0
    assert time.monotonic() - start < 3
    report = secured.report()
    assert (report.code, report.stage) == (Code.DISCONNECTED, SESSION)
    assert report.text
    assert secured.state() == 3
    assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 3
    secured.configure(3)
    secured.connect(brokers.port(3))


@pytest.mark.parametrize("scheme", [2, 7])
def test_a_broker_that_refuses_or_is_silent_behind_tls(link, peer, context, scheme):
    """CONNACK's errors are the same as on TCP."""

    def behind(script):
        def inner(connection):
            if scheme == 7:
                open_websocket(connection)
            script(connection)

        return over_tls(context, inner)

    link.configure(scheme)
    link.port.error(link.conn(peer(behind(lambda connection: connection.accept(5))).port), Code.START_FAILED)
    assert link.report() == Report(Code.START_FAILED, 5, 5, "refused by the broker")
    silent = peer(behind(lambda connection: connection.swallow()))
    answer = link.port.error(link.conn(silent.port, timeout_ms=3000), Code.START_FAILED, timeout=8)
    assert 2.8 <= answer.seconds <= 4.5
    assert link.report() == Report(Code.START_FAILED, 5, 0, NO_ANSWER)


# --- CLEAN beside all that ---


def test_clean_during_a_handshake(secured, peer, context):
    """Of a reconnection, whose server does not answer."""
    server = peer(session(context, say_goodbye), stalls)
    secured.connect(server.port, 1)
    secured.port.disconnected()
    server.connection(1)
    secured.port.quiet(0.2)
    assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 3
    assert server.connection(1).ended.wait(3)


def test_clean_at_a_silent_server(secured, brokers, address):
    """Neither TLS nor TCP is answered any more in any useful way."""
    with Relay(brokers.port(3), address) as relay:
        secured.connect(relay.port)
        relay.silence()
        assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 10
        assert secured.state() == 0


def test_clean_while_a_record_is_unfinished(secured, peer, context):
    def script(connection):
        shake_hands(connection, context)
        connection.accept()
        beneath(connection).sendall(bytes([23, 3, 3, 1, 0]) + bytes(20))
        stalls(connection)

    secured.connect(peer(script).port)
    secured.port.quiet(0.2)
    assert secured.port.ok("AT+MQTTCLEAN=0").seconds < 10
