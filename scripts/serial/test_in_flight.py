"""QoS 1 and 2 publications in flight over a loss (at-contract §5)."""

import threading
import time

import pytest

from link import Code
from peer import PUBCOMP, PUBLISH, PUBREC, PUBREL, acknowledgement, publish
from waiting import until

SESSIONS = pytest.mark.parametrize("persistent", [False, True], ids=["clean", "persistent"])


def start(link, peer, persistent, *scripts):
    running = peer(*scripts)
    link.configure(persistent=persistent)
    link.connect(running.port, reconnect=1)
    return running


def lose_and_return(link):
    assert link.port.disconnected() == 0
    link.port.connected(5)


@SESSIONS
def test_qos_1_is_sent_again_with_dup(link, peer, persistent):
    seen = []

    def first(connection):
        connection.accept()
        seen.append(connection.expect(PUBLISH))

    def second(connection):
        connection.accept(session_present=persistent)
        seen.append(connection.expect(PUBLISH))
        connection.reply(seen[-1])
        connection.serve()

    start(link, peer, persistent, first, second)
    link.port.send('AT+MQTTPUB=0,"t","once",1,0')
    lose_and_return(link)
    assert link.port.answer().final == b"OK"
    before, after = seen
    assert not before.dup and after.dup
    assert (after.identifier, after.topic, after.payload, after.qos) == (before.identifier, b"t", b"once", 1)


@SESSIONS
def test_qos_2_before_pubrec_is_sent_again_with_dup(link, peer, persistent):
    seen = []

    def first(connection):
        connection.accept()
        seen.append(connection.expect(PUBLISH))

    def second(connection):
        connection.accept(session_present=persistent)
        seen.append(connection.expect(PUBLISH))
        connection.reply(seen[-1])
        connection.reply(connection.expect(PUBREL))
        connection.serve()

    start(link, peer, persistent, first, second)
    link.port.send('AT+MQTTPUB=0,"t","once",2,0')
    lose_and_return(link)
    assert link.port.answer().final == b"OK"
    before, after = seen
    assert after.dup and (after.identifier, after.payload, after.qos) == (before.identifier, b"once", 2)


@pytest.mark.parametrize("lost_at", ["PUBREL", "PUBCOMP"])
def test_qos_2_after_pubrec_sends_only_pubrel_again(link, peer, lost_at):
    """PUBLISH must not come again: the broker has the message."""
    identifiers = []

    def first(connection):
        connection.accept()
        got = connection.expect(PUBLISH)
        identifiers.append(got.identifier)
        connection.send(acknowledgement(PUBREC, got.identifier))
        if lost_at == "PUBCOMP":
            connection.expect(PUBREL)

    def second(connection):
        connection.accept(session_present=True)
        got = connection.expect(PUBREL)
        identifiers.append(got.identifier)
        connection.send(acknowledgement(PUBCOMP, got.identifier))
        connection.serve()

    def script(connection):
        first(connection)
        if lost_at == "PUBREL":
            # Let PUBREC arrive; whether PUBREL still gets out is not waited for.
            time.sleep(0.3)

    start(link, peer, True, script, second)
    link.port.send('AT+MQTTPUB=0,"t","once",2,0')
    lose_and_return(link)
    assert link.port.answer().final == b"OK"
    assert identifiers[0] == identifiers[1]


def test_several_in_flight_are_sent_again_in_order(link, peer):
    """Each PUB gives up waiting after its time-out; the publication stays in flight."""
    seen = []
    given_up = threading.Event()

    def first(connection):
        connection.accept()
        for _ in range(3):
            seen.append(connection.expect(PUBLISH))
        # The last PUB waits 3 s, and the loss comes after that.
        assert given_up.wait(20)

    def second(connection):
        connection.accept(session_present=True)
        for _ in range(3):
            seen.append(connection.expect(PUBLISH))
            connection.reply(seen[-1])
        connection.serve()

    start(link, peer, True, first, second)
    for number in range(3):
        link.port.error(f'AT+MQTTPUB=0,"t","{number}",1,0,3000', Code.PUBLISH_FAILED)
    given_up.set()
    lose_and_return(link)
    until(lambda: len(seen) == 6, "three publications more")
    assert [packet.payload for packet in seen] == [b"0", b"1", b"2"] * 2
    assert [packet.dup for packet in seen] == [False] * 3 + [True] * 3
    assert [packet.identifier for packet in seen[:3]] == [packet.identifier for packet in seen[3:]]


def test_pubraw_is_sent_again(link, peer):
    payload = bytes(range(256)) * 8
    seen = []

    def first(connection):
        connection.accept()
        seen.append(connection.expect(PUBLISH))

    def second(connection):
        connection.accept(session_present=True)
        seen.append(connection.expect(PUBLISH))
        connection.reply(seen[-1])
        connection.serve()

    start(link, peer, True, first, second)
    link.port.prompt(f'AT+MQTTPUBRAW=0,"t",{len(payload)},1,0')
    link.port.fill(payload)
    assert link.port.result() == b"OK"
    assert [packet.payload for packet in seen] == [payload, payload]
    assert [packet.dup for packet in seen] == [False, True]


def test_without_reconnect_a_loss_fails_the_publication(link, peer):
    def script(connection):
        connection.accept()
        connection.expect(PUBLISH)

    link.configure()
    link.connect(peer(script).port)
    answer = link.port.error('AT+MQTTPUB=0,"t","x",1,0', Code.PUBLISH_FAILED, Code.DISCONNECTED)
    assert answer.seconds < 5
    link.port.disconnected()
    assert link.state() == 3


def test_incoming_qos_2_is_delivered_once_over_a_loss(link, peer):
    """The identifier is remembered until PUBREL, also over a reconnection into the same session."""

    def first(connection):
        connection.accept()
        connection.send(publish(b"t", b"once", 2, 9))
        connection.expect(PUBREC)

    def second(connection):
        connection.accept(session_present=True)
        connection.send(publish(b"t", b"once", 2, 9, dup=True))
        connection.expect(PUBREC)
        connection.send(acknowledgement(PUBREL, 9))
        connection.expect(PUBCOMP)
        connection.send(publish(b"t", b"next", 2, 9))
        connection.expect(PUBREC)
        connection.serve()

    start(link, peer, True, first, second)
    assert link.port.message().data == b"once"
    lose_and_return(link)
    assert link.port.message().data == b"next"
    link.port.quiet(0.3)


def test_a_new_session_may_use_old_identifiers(link, peer):
    """Session not present: what was remembered of the old one must not swallow a new message."""

    def first(connection):
        connection.accept()
        connection.send(publish(b"t", b"old", 2, 9))
        connection.expect(PUBREC)

    def second(connection):
        connection.accept(session_present=False)
        connection.send(publish(b"t", b"new", 2, 9))
        connection.expect(PUBREC)
        connection.serve()

    start(link, peer, False, first, second)
    assert link.port.message().data == b"old"
    lose_and_return(link)
    assert link.port.message().data == b"new"


@pytest.mark.timeout(120)
def test_no_loss_and_no_duplicate_through_a_real_broker(link, relay, witness):
    """QoS 2 while the connection is cut again and again, behind pauses that grow: each message arrives exactly once, in
    order."""
    other = witness("exact", qos=2)
    link.configure(client="exact", persistent=True)
    link.connect(relay.port, reconnect=1)
    sent = []
    for number in range(8):
        if number % 4 == 3:
            relay.cut()
            link.port.disconnected()
            link.port.connected(20)
        payload = f"message {number}"
        link.port.send(f'AT+MQTTPUB=0,"exact","{payload}",2,0,60000')
        if number % 4 == 1:
            relay.cut()
            link.port.disconnected()
            link.port.connected(20)
        answer = link.port.answer(65)
        # The cut may come before the command: then it was refused and nothing was sent.
        assert answer.final == b"OK" or answer.code == Code.DISCONNECTED, answer
        if answer.final == b"OK":
            sent.append(payload.encode())
    received = [other.message(5).payload for _ in sent]
    assert received == sent
    other.quiet()
