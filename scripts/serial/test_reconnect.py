"""Losing a connection and making it again (at-contract §2, §5)."""

import time

import pytest

from broker import Witness
from peer import CONNECT, SUBSCRIBE
from waiting import until


def test_a_restarted_broker_is_found_again(link, own_broker):
    at = link.port
    link.configure()
    link.connect(own_broker.port, reconnect=1)
    link.subscribe("a/+", 1)
    link.subscribe("b", 2)
    own_broker.stop()
    assert at.disconnected() == 0
    assert link.state() == 3
    own_broker.start()
    expected = f'1,"{link.host}",{own_broker.port},"",1'.encode()
    assert at.connected(10) == expected
    assert link.state() == 6
    with Witness(own_broker, "back") as other:
        # The board subscribes again right after its connection; the broker has lost everything.
        own_broker.await_log("Sending SUBACK to w800", count=4)
        other.publish("a/x", b"1", 1)
        other.publish("b", b"2", 2)
        assert [at.message().data for _ in range(2)] == [b"1", b"2"]
        link.publish("back", "again", 2)
        assert other.message().payload == b"again"
    at.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"a/+",1', '+MQTTSUB:0,6,"b",2')


def test_resubscribing_asks_for_each_filter(link, peer):
    filters = []

    def first(connection):
        connection.accept()
        for _ in range(2):
            connection.reply(connection.expect(SUBSCRIBE))
        connection.close()

    def second(connection):
        connection.accept(session_present=False)
        for _ in range(2):
            request = connection.expect(SUBSCRIBE)
            filters.append((request.body[4:-1], request.body[-1]))
            connection.reply(request)
        connection.serve()

    link.configure()
    link.connect(peer(first, second).port, reconnect=1)
    link.subscribe("one", 1)
    link.subscribe("two", 2)
    link.port.disconnected()
    link.port.connected(4)
    until(lambda: len(filters) == 2, "two subscriptions")
    assert sorted(filters) == [(b"one", 1), (b"two", 2)]


def test_a_present_session_needs_no_resubscription(link, relay, witness, broker):
    """Clean session off: the broker kept the subscription and what came meanwhile."""
    at = link.port
    before = broker.log().count("Received SUBSCRIBE from persistent")
    link.configure(client="persistent", persistent=True)
    link.connect(relay.port, reconnect=1)
    link.subscribe("kept", 1)
    relay.cut(refuse=True)
    at.disconnected()
    witness().publish("kept", b"while away", 1)
    relay.restore()
    at.connected(10)
    assert at.message().data == b"while away"
    subscribes = broker.log().count("Received SUBSCRIBE from persistent")
    assert subscribes - before == 1
    # Leave no session behind at the broker.
    link.clean()
    link.configure(client="persistent")
    link.connect(broker.port)


def test_without_reconnect_the_link_stays_lost(link, relay):
    link.configure()
    link.connect(relay.port)
    relay.cut()
    assert link.port.disconnected() == 0
    link.port.quiet(4)
    assert relay.accepted == 1
    assert link.state() == 3
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure()
    link.connect(relay.port)


def test_back_off(link, peer):
    """1, 2, 4 s and so on between attempts, each ±20 %."""

    def first(connection):
        connection.accept()
        time.sleep(0.2)

    def closes(connection):
        connection.receive()

    peer = peer(first, closes)
    link.configure()
    link.connect(peer.port, reconnect=1)
    link.port.disconnected()
    lost = time.monotonic()
    last = peer.connection(4, 25)
    assert last.accepted > lost
    times = [lost, *(connection.accepted for connection in peer.connections[1:5])]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    for gap, expected in zip(gaps, (1, 2, 4, 8)):
        assert 0.75 * expected <= gap <= 1.25 * expected + 0.5, gaps
    # Failed attempts are not announced.
    assert link.port.events() == []
    assert link.state() == 3


def test_clean_ends_reconnecting(link, peer):
    def first(connection):
        connection.accept()
        time.sleep(0.2)

    def closes(connection):
        connection.receive()

    peer = peer(first, closes)
    link.configure()
    link.connect(peer.port, reconnect=1)
    link.port.disconnected()
    peer.connection(1)
    answer = link.port.ok("AT+MQTTCLEAN=0")
    assert answer.seconds < 2
    attempts = len(peer.connections)
    link.port.quiet(4)
    assert len(peer.connections) == attempts
    assert link.state() == 0


def test_clean_during_an_attempt(link, peer):
    """The second connection is accepted and never answered: CLEAN must not wait for it."""

    def first(connection):
        connection.accept()

    def silent(connection):
        connection.expect(CONNECT)
        connection.swallow()

    peer = peer(first, silent)
    link.configure()
    link.connect(peer.port, reconnect=1)
    link.port.disconnected()
    peer.connection(1).await_packet(CONNECT)
    answer = link.port.ok("AT+MQTTCLEAN=0")
    assert answer.seconds < 2
    assert peer.connection(1).ended.wait(3)


def test_a_refusal_while_reconnecting_is_tried_again(link, peer):
    def first(connection):
        connection.accept()

    def refuses(connection):
        connection.accept(3)

    def accepts(connection):
        connection.accept()
        connection.serve()

    link.configure()
    link.connect(peer(first, refuses, accepts).port, reconnect=1)
    link.port.disconnected()
    link.port.connected(10)
    assert link.state() == 4


@pytest.mark.virtual("a network that can be left and joined at will")
@pytest.mark.timeout(120)
def test_radio_lost_and_back(link, broker, witness):
    """CWQAP, then CWJAP: the link comes back by itself."""
    link.configure(client="roaming", keepalive=2)
    link.connect(broker.port, reconnect=1)
    link.subscribe("roam", 1)
    acknowledged = "Sending SUBACK to roaming"
    before = broker.log().count(acknowledged)
    assert link.port.command("AT+CWQAP").final == b"OK"
    assert link.port.disconnected(15) == 0
    link.port.quiet(2)
    link.port.join()
    link.port.connected(40)
    link.await_state(6)
    broker.await_log(acknowledged, count=before + 1)
    witness().publish("roam", b"back", 1)
    assert link.port.message().data == b"back"
