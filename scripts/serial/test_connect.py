"""CONN: what it sends, and every way in which it can fail (at-contract §2, §3)."""

import time

import paho.mqtt.client as paho
import pytest

from broker import free_port
from link import Code
from peer import CONNECT, connack


def connect(link, port, host=None, reconnect=0, timeout_ms=None):
    extra = "" if timeout_ms is None else f",{timeout_ms}"
    return f'AT+MQTTCONN=0,"{host or link.host}",{port},{reconnect}{extra}'


def still_usable(link, broker):
    """The link is configured as before and connects elsewhere without CLEAN."""
    assert link.state() == 1
    link.connect(broker.port)
    link.publish("t", "x", 1)


@pytest.mark.parametrize("reconnect", [0, 1])
def test_a_closed_port(link, broker, address, reconnect):
    link.configure()
    port = free_port(address)
    answer = link.port.error(connect(link, port, reconnect=reconnect), Code.START_FAILED, timeout=20)
    assert answer.seconds < 16
    link.port.quiet(2.5)
    still_usable(link, broker)


@pytest.mark.parametrize("reconnect", [0, 1])
def test_an_unknown_name(link, broker, reconnect):
    link.configure()
    command = connect(link, 1883, "no-such-host.invalid", reconnect, 3000)
    answer = link.port.error(command, Code.START_FAILED, timeout=8)
    assert answer.seconds < 5
    still_usable(link, broker)


@pytest.mark.virtual("names that are looked up in the virtual network")
def test_a_known_name(link, broker):
    link.configure()
    link.port.ok(connect(link, broker.port, "broker.test"))
    assert link.port.connected(0) == f'1,"broker.test",{broker.port},"",0'.encode()
    link.port.ok("AT+MQTTCONN?", f'+MQTTCONN:0,4,1,"broker.test",{broker.port},"",0')
    link.publish("t", "x", 1)


def test_a_swallowing_peer(link, peer, broker):
    def script(connection):
        connection.swallow()

    link.configure()
    silent = peer(script)
    answer = link.port.error(connect(link, silent.port, timeout_ms=3000), Code.START_FAILED, timeout=8)
    assert 2.8 <= answer.seconds <= 4.5
    assert silent.connection(0).ended.wait(3)
    still_usable(link, broker)


def test_the_default_time_out(link, peer, broker):
    def script(connection):
        connection.swallow()

    link.configure()
    answer = link.port.error(connect(link, peer(script).port), Code.START_FAILED, timeout=20)
    assert 14 <= answer.seconds <= 16.5
    still_usable(link, broker)


def test_a_peer_that_closes_at_once(link, peer, broker):
    link.configure()
    answer = link.port.error(connect(link, peer(lambda _: None).port), Code.START_FAILED, timeout=20)
    assert answer.seconds < 5
    still_usable(link, broker)


def test_a_peer_that_resets(link, peer, broker):
    link.configure()
    link.port.error(connect(link, peer(lambda connection: connection.abort()).port), Code.START_FAILED, timeout=20)
    still_usable(link, broker)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_refusal(link, peer, broker, code):
    """With reconnect=1 as well: a first connection that fails is not tried again."""

    def script(connection):
        connection.accept(code)

    refusing = peer(script)
    link.configure()
    answer = link.port.error(connect(link, refusing.port, reconnect=1), Code.START_FAILED, timeout=20)
    assert answer.seconds < 5
    link.port.quiet(2)
    assert len(refusing.connections) == 1
    still_usable(link, broker)


def test_an_answer_byte_by_byte(link, peer):
    def script(connection):
        connection.expect(CONNECT)
        connection.trickle(connack(), 0.4)
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.publish("t", "x", 1)


def test_the_name_is_looked_up_again_after_a_failure(link, broker):
    link.configure()
    for _ in range(3):
        link.port.error(connect(link, 1, "no-such-host.invalid", 0, 3000), Code.START_FAILED, timeout=8)
    still_usable(link, broker)


def test_what_connect_carries(link, peer):
    """All fields of CONNECT, byte for byte (MQTT 3.1.1 §3.1)."""

    def script(connection):
        connection.accept()
        connection.serve()

    accepting = peer(script)
    link.configure(
        client="idé", user="user", password="pa,ss", keepalive=60, persistent=True, will=("will/t", "gone", 2, 1)
    )
    link.connect(accepting.port)
    body = accepting.connection(0).packets[0].body
    assert body == (
        b"\x00\x04MQTT\x04\xf4\x00\x3c"
        b"\x00\x04id\xc3\xa9"
        b"\x00\x06will/t\x00\x04gone"
        b"\x00\x04user\x00\x05pa,ss"
    )


def test_an_empty_username_is_not_sent(link, peer):

    def script(connection):
        connection.accept()
        connection.serve()

    accepting = peer(script)
    link.configure(client="")
    link.connect(accepting.port)
    body = accepting.connection(0).packets[0].body
    assert body == b"\x00\x04MQTT\x04\x02\x00\x78\x00\x00"


def test_a_taken_over_session(link, broker, witness):
    """A second client with the same identifier: the broker closes the first connection."""
    link.configure(client="contested")
    link.connect(broker.port)
    thief = paho.Client(paho.CallbackAPIVersion.VERSION2, "contested")
    thief.connect(broker.address, broker.port)
    thief.loop_start()
    assert link.port.disconnected() == 0
    thief.disconnect()
    thief.loop_stop()
    assert link.state() == 3


def test_connecting_again_and_again(link, broker):
    """Sockets are given back: there are only a few."""
    for _ in range(20):
        link.configure()
        link.connect(broker.port)
        link.port.ok("AT+MQTTCLEAN=0")


def test_failing_again_and_again(link, peer, broker):
    """Sockets of failed attempts are given back too."""
    refusing = peer(lambda connection: connection.accept(5))
    link.configure()
    for _ in range(20):
        link.port.error(connect(link, refusing.port), Code.START_FAILED)
    still_usable(link, broker)


def test_clean_while_connected_closes_the_connection(link, peer):
    def script(connection):
        connection.accept()
        connection.expect(14)
        assert connection.receive(3) is None

    running = peer(script)
    link.configure()
    link.connect(running.port)
    start = time.monotonic()
    link.port.ok("AT+MQTTCLEAN=0")
    assert running.connection(0).ended.wait(3)
    assert time.monotonic() - start < 3
