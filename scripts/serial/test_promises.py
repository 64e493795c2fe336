"""A session that keeps its word: what is said of messages, refusals, silence and losses is true (at-contract §5)."""

from __future__ import annotations

import time

import pytest

from link import Code, Link, Report
from peer import (
    CONNECT,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    PeerError,
    acknowledgement,
    connack,
    publish,
    suback,
)
from waiting import until

DNS, TCP, TLS, CONNACK, SESSION = 1, 2, 3, 5, 6
"""Stages."""

PATIENCE_MS = 60_000
ANSWERED_SECONDS = 2
"""In which comes what is known at once; the rest is slack for a loaded machine."""


def serve(connection, session_present=False):
    connection.accept(session_present=session_present)
    connection.serve()


# --- messages ---


@pytest.mark.parametrize("persistent", [False, True], ids=["clean", "persistent"])
def test_a_session_lost_behind_pubrel_publishes_again(link, peer, persistent):
    """The broker has forgotten the message: a PUBCOMP for its PUBREL would mean nothing."""
    seen = []

    def first(connection):
        connection.accept()
        connection.reply(connection.expect(PUBLISH))
        connection.expect(PUBREL)

    def second(connection):
        connection.accept(session_present=False)
        seen.append(connection.expect(PUBLISH))
        connection.reply(seen[-1])
        connection.reply(connection.expect(PUBREL))
        connection.serve()

    link.configure(persistent=persistent)
    link.connect(peer(first, second).port, reconnect=1)
    link.port.send('AT+MQTTPUB=0,"t","once",2,0')
    link.port.disconnected()
    link.port.connected(5)
    assert link.port.answer().final == b"OK"
    assert [(packet.payload, packet.qos) for packet in seen] == [(b"once", 2)]


# --- a broker that refuses by closing ---


def test_a_broker_that_closes_on_a_message_gets_one_at_a_time(link, peer):
    """Two are in flight, and the first one ends the connection that it is sent on, and two more in a row. From then on the
    second waits for the first one's acknowledgement, and is sent as soon as that has come."""
    order = []

    def closes(connection):
        connection.accept()
        connection.expect(PUBLISH)
        connection.expect(PUBLISH)

    def takes(connection):
        connection.accept()
        first = connection.expect(PUBLISH)
        order.append(first.payload)
        # Whatever else is sent is there by then.
        time.sleep(0.5)
        with pytest.raises(PeerError):
            connection.receive(0.1)
        order.append(b"acknowledged")
        connection.reply(first)
        second = connection.expect(PUBLISH)
        order.append(second.payload)
        connection.reply(second)
        connection.serve()

    def first(connection):
        connection.accept()
        assert [connection.expect(PUBLISH).payload for _ in range(2)] == [b"first", b"second"]

    link.configure()
    running = peer(first, closes, closes, takes)
    link.connect(running.port, reconnect=1)
    link.port.error('AT+MQTTPUB=0,"t","first",1,0,3000', Code.PUBLISH_FAILED)
    link.port.send(f'AT+MQTTPUB=0,"t","second",1,0,{PATIENCE_MS}')
    assert link.port.answer(20).final == b"OK"
    assert order == [b"first", b"acknowledged", b"second"]
    assert len(running.connections) == 4


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_message_that_the_broker_refuses_by_closing_is_dropped(link, peer):
    """The whole way, over the back-off of some seven connections: the culprit is found and dropped, once it is told, and
    what waits behind it arrives on the same link."""
    taken = []

    def script(connection):
        connection.accept()
        while True:
            packet = connection.receive(600)
            if packet is None or packet.payload == b"poison":
                return
            taken.append(packet.payload)
            connection.reply(packet)

    link.configure()
    link.connect(peer(script).port, reconnect=1)
    link.port.error('AT+MQTTPUB=0,"t","poison",1,0,3000', Code.PUBLISH_FAILED)
    link.port.send('AT+MQTTPUB=0,"t","behind it",1,0,3000')
    assert link.port.answer(20).code in (Code.PUBLISH_FAILED, Code.DISCONNECTED)
    until(lambda: link.report().text == "refused by the broker by closing", "the culprit's end", 500)
    report = link.report()
    assert (report.code, report.stage) == (Code.PUBLISH_FAILED, 6)
    link.await_state(4, 120)
    link.publish("t", "sound", 1)
    assert b"sound" in taken
    assert set(taken) <= {b"behind it", b"sound"}


# --- back-off ---


def pauses(link, peer, count, script):
    """How long the link waited before each of so many connections behind its first."""
    running = peer(script)
    link.configure()
    link.connect(running.port, reconnect=1)
    times = []
    for number in range(count):
        link.port.disconnected(20)
        lost = time.monotonic()
        times.append(running.connection(number + 1, 40).accepted - lost)
        link.port.connected(5)
    return times


def test_a_broker_that_closes_behind_connack_is_called_less_and_less(link, peer):
    for pause, expected in zip(pauses(link, peer, 4, lambda connection: connection.accept()), (1, 2, 4, 8)):
        assert 0.75 * expected <= pause <= 1.2 * expected + 0.5


def test_a_broker_with_a_wrong_acknowledgement_is_called_less_and_less(link, peer):
    """PUBACK to QoS 2: 24 copies in 24 seconds were seen."""
    copies = []

    def script(connection):
        connection.accept()
        copies.append(connection.expect(PUBLISH))
        connection.send(acknowledgement(PUBACK, copies[-1].identifier))
        connection.swallow(5)

    link.configure()
    link.connect(peer(script).port, reconnect=1)
    link.port.error('AT+MQTTPUB=0,"t","x",2,0,10000', Code.PUBLISH_FAILED, timeout=15)
    assert 3 <= len(copies) <= 5
    link.port.ok("AT+MQTTCLEAN=0", timeout=12)


@pytest.mark.timeout(90)
def test_the_back_off_begins_anew_behind_a_connection_that_stood(link, peer):
    """One short connection, then one of 30 s: the pause behind that is the first one's again."""

    def short(connection):
        connection.accept()

    def long(connection):
        connection.accept()
        connection.swallow(30.2)

    running = peer(short, long, serve)
    link.configure()
    link.connect(running.port, reconnect=1)
    link.port.disconnected()
    link.port.connected(5)
    link.port.disconnected(40)
    lost = time.monotonic()
    assert 0.75 <= running.connection(2).accepted - lost <= 1.5
    link.port.connected(5)


# --- subscriptions ---


def test_a_refused_resubscription_is_kept_shown_and_asked_again(link, peer):
    asked = []

    def granting(connection):
        connection.accept()
        connection.reply(connection.expect(SUBSCRIBE))
        connection.reply(connection.expect(SUBSCRIBE))

    def refusing(connection):
        connection.accept()
        for code in 0x80, 1:
            got = connection.expect(SUBSCRIBE)
            connection.send(suback(got.identifier, code))
        connection.expect(PUBLISH)

    def asked_again(connection):
        connection.accept(session_present=True)
        got = connection.expect(SUBSCRIBE)
        asked.append((got.body[4:-1], got.body[-1]))
        connection.reply(got)
        connection.serve()

    link.configure(persistent=True)
    link.connect(peer(granting, refusing, asked_again).port, reconnect=1)
    link.subscribe("a", 2)
    link.subscribe("b", 1)
    link.port.disconnected()
    link.port.connected(5)
    refused = Report(Code.SUBSCRIBE_FAILED, SESSION, 128, "refused by the broker")
    until(lambda: link.report() == refused, "the report of the refusal")
    link.port.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"a",128', '+MQTTSUB:0,6,"b",1')
    link.publish("t", "now close")
    link.port.disconnected()
    link.port.connected(5)
    until(lambda: asked, "another SUBSCRIBE")
    assert asked == [(b"a", 2)], "what was refused, at the QoS of before, and nothing else"
    until(lambda: b'"a",2' in link.port.command("AT+MQTTSUB?").lines[0], "the granted QoS")
    link.port.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"a",2', '+MQTTSUB:0,6,"b",1')


# --- a dead peer ---


def test_a_dead_peer_is_noticed_while_qos_0_is_sent(link, peer):
    """TCP goes on acknowledging; nothing of MQTT comes back."""

    def script(connection):
        connection.accept()
        connection.swallow()

    running = peer(script)
    link.configure(keepalive=1)
    link.connect(running.port)
    start = time.monotonic()
    while time.monotonic() - start < 20:
        if link.port.command('AT+MQTTPUB=0,"t","x",0,0').final != b"OK":
            break
        time.sleep(0.2)
    assert 9 <= time.monotonic() - start <= 14
    link.port.disconnected()
    assert link.report() == Report(Code.DISCONNECTED, SESSION, 0, "no PINGRESP")
    assert any(packet.kind == PINGREQ for packet in running.connection(0).packets)


# --- topics that are not printed ---


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_topic_with_a_control_character_is_taken_and_not_printed(link, peer, qos):
    acknowledged = []

    def script(connection):
        connection.accept()
        connection.send(publish(b"a/\tb", b"hidden", qos, 7))
        if qos:
            acknowledged.append(connection.expect(PUBACK if qos == 1 else PUBREC).identifier)
        if qos == 2:
            connection.send(acknowledgement(PUBREL, 7))
            connection.expect(PUBCOMP)
        connection.send(publish(b"a/b", b"shown"))
        connection.serve()

    link.configure()
    link.connect(peer(script).port, reconnect=1)
    message = link.port.message()
    assert (message.topic, message.data) == (b"a/b", b"shown")
    assert acknowledged == [7] * (qos > 0)
    assert link.report() == Report(0x6041, SESSION, 0, "message not printed: control characters in its topic")
    assert link.state() == 4


# --- why CONN failed ---


def failed(link, port, host="", timeout_ms=3000, code=Code.START_FAILED):
    """CONN must fail: how long it took, and why."""
    answer = link.port.error(link.conn(port, host=host, timeout_ms=timeout_ms), code, timeout=timeout_ms / 1000 + 5)
    return answer.seconds, link.report()


def test_closed_right_behind_connect(link, peer):
    link.configure()
    seconds, report = failed(link, peer(lambda connection: connection.expect(CONNECT)).port)
    assert report == Report(Code.START_FAILED, CONNACK, 0, "closed by the peer before CONNACK")
    assert seconds < ANSWERED_SECONDS


def test_reset_right_behind_connect(link, peer):
    """lwIP's number for a reset."""

    def script(connection):
        connection.expect(CONNECT)
        connection.abort()

    link.configure()
    seconds, report = failed(link, peer(script).port)
    assert report == Report(Code.START_FAILED, CONNACK, 104, "closed by the peer before CONNACK")
    assert seconds < ANSWERED_SECONDS


@pytest.mark.parametrize("code", [6, 128, 255])
def test_any_return_code_is_told(link, peer, code):
    link.configure()
    _, report = failed(link, peer(lambda connection: connection.accept(code)).port)
    assert report == Report(Code.START_FAILED, CONNACK, code, "refused by the broker")


def test_something_else_than_connack(link, peer):
    def script(connection):
        connection.expect(CONNECT)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.swallow(3)

    link.configure()
    seconds, report = failed(link, peer(script).port)
    assert report == Report(Code.START_FAILED, CONNACK, 0, "packet type or flags")
    assert seconds < ANSWERED_SECONDS


def test_a_silent_broker(link, peer):
    link.configure()
    seconds, report = failed(link, peer(lambda connection: connection.swallow()).port)
    assert report == Report(Code.START_FAILED, CONNACK, 0, "no answer")
    assert 2.8 <= seconds <= 4.5


# --- the reason stays ---


@pytest.mark.parametrize("command", ['AT+MQTTPUB=0,"t","x",0,0', 'AT+MQTTPUBRAW=0,"t",3,0,0', 'AT+MQTTSUB=0,"t",0'])
def test_a_command_without_a_connection_does_not_hide_why_it_was_lost(link, peer, command):
    def script(connection):
        connection.accept()
        connection.send(connack())
        connection.swallow(3)

    link.configure()
    link.connect(peer(script).port)
    link.port.disconnected()
    before = link.report()
    assert before == Report(Code.DISCONNECTED, SESSION, 0, "packet out of turn")
    link.port.error(command, Code.DISCONNECTED)
    assert link.report() == before


# --- names, network, memory ---


@pytest.fixture
def lonely(new_board):
    """A board that starts with options of its own, and its link 0."""

    def start(*options):
        board = new_board(*options)
        link = Link(board.port, board.host)
        link.configure()
        return link

    return start


@pytest.mark.virtual("a name server that does not answer")
@pytest.mark.parametrize("timeout_ms", [3000, 20_000], ids=["for as long as CONN waits", "for as long as lwIP asks"])
def test_a_silent_name_server_is_no_unknown_name(lonely, timeout_ms):
    link = lonely("--hosts", "silent.example=drop")
    _, report = failed(link, 1883, "silent.example", timeout_ms)
    assert report == Report(Code.START_FAILED, DNS, 0, "name server does not answer")
    seconds, report = failed(link, 1883, "unknown.example", timeout_ms)
    assert report == Report(Code.START_FAILED, DNS, 0, "name not found")
    assert seconds < ANSWERED_SECONDS


@pytest.mark.virtual("a board that has not joined its network")
@pytest.mark.parametrize(("host", "stage"), [("10.0.2.2", TCP), ("broker.example", DNS)])
def test_without_a_network_it_is_said_at_once(lonely, host, stage):
    link = lonely("--wifi", "off")
    seconds, report = failed(link, 1883, host, 20_000)
    assert report == Report(Code.START_FAILED, stage, 0, "no network")
    assert seconds < ANSWERED_SECONDS


@pytest.mark.virtual("a network that can be left at will")
@pytest.mark.parametrize(("host", "stage"), [("10.0.2.2", TCP), ("broker.example", DNS)])
def test_a_network_that_was_left_is_none(lonely, host, stage):
    link = lonely("--hosts", "broker.example=10.0.2.2")
    assert link.port.command("AT+CWQAP").final == b"OK"
    seconds, report = failed(link, 1883, host, 20_000)
    assert report == Report(Code.START_FAILED, stage, 0, "no network")
    assert seconds < ANSWERED_SECONDS


@pytest.mark.virtual("a heap that can be made small")
@pytest.mark.parametrize("host", ["10.0.2.2", "broker.example"])
@pytest.mark.parametrize("scheme", [1, 5])
def test_want_of_memory_is_told_at_once(lonely, peer, certificates, scheme, host):
    """Whatever is left of the heap: CONN succeeds or says what it lacks, and waits for nothing."""
    link = lonely("--hosts", "broker.example=10.0.2.2", "--heap", "200000", "--rtc", "host")
    link.port.ok("AT+MQTTCLEAN=0")
    for kind, text in enumerate((certificates.roots, certificates.client.pem, certificates.client.key)):
        link.store(kind, text)
    link.configure(scheme)
    running = peer(lambda connection: connection.abort() if scheme == 5 else serve(connection))
    lacking = set()
    for left in (18_000, 16_780, 16_500, 12_000, 10_000, 8_000, 7_000):
        assert link.port.command(f"AT+SYSHEAP={left}").final == b"OK"
        answer = link.port.command(link.conn(running.port, host=host, timeout_ms=10_000), 15)
        assert answer.seconds < ANSWERED_SECONDS, (left, link.report())
        if answer.final == b"OK":
            link.clean()
            link.configure(scheme)
            continue
        report = link.report()
        if report.text != "closed by the server":
            lacking.add(report.text)
            assert "no memory" in report.text, (left, report)
            assert answer.code in (Code.MALLOC_FAILED, Code.START_FAILED), (left, report)
    assert lacking
