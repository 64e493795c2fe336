"""Peers that break the protocol: the connection ends, the port goes on (at-contract §5)."""

import time

import pytest

from link import Code
from peer import CONNACK, CONNECT, PINGREQ, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK
from peer import acknowledgement, connack, packet, publish, string, suback

BEFORE_CONNACK = {
    "an http answer": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "a publication": publish(b"t", b"x"),
    "a suback": suback(1, 0),
    "a pingresp": packet(13, 0),
    "connack too long": packet(CONNACK, 0, b"\x00\x00\x00"),
    "connack too short": packet(CONNACK, 0, b"\x00"),
    "connack with flags": b"\x21\x02\x00\x00",
    "connack with reserved bits": packet(CONNACK, 0, b"\x02\x00"),
    "connack with an unknown code": packet(CONNACK, 0, b"\x00\x06"),
    "half a connack": connack()[:3],
    "a remaining length of five bytes": b"\x20\xff\xff\xff\xff\x01",
}

AFTER_CONNACK = {
    "packet type 0": packet(0, 0),
    "packet type 15": packet(15, 0),
    "a connect": packet(CONNECT, 0, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"),
    "a second connack": connack(),
    "a pingreq": packet(PINGREQ, 0),
    "a subscribe": packet(8, 2, b"\x00\x01" + string(b"t") + b"\x00"),
    "an unsubscribe": packet(10, 2, b"\x00\x01" + string(b"t")),
    "a disconnect": packet(14, 0),
    "puback with flags": packet(PUBACK, 1, b"\x00\x01"),
    "pubrec with flags": packet(PUBREC, 2, b"\x00\x01"),
    "pubrel without its flags": packet(PUBREL, 0, b"\x00\x01"),
    "pubcomp with flags": packet(PUBCOMP, 4, b"\x00\x01"),
    "suback with flags": packet(SUBACK, 2, b"\x00\x01\x00"),
    "pingresp with flags": packet(13, 3),
    "pingresp with a body": packet(13, 0, b"x"),
    "puback too short": packet(PUBACK, 0, b"\x00"),
    "puback too long": packet(PUBACK, 0, b"\x00\x01\x00"),
    "suback without a code": packet(SUBACK, 0, b"\x00\x01"),
    "a remaining length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "qos 3": packet(PUBLISH, 6, string(b"t") + b"\x00\x01x"),
    "dup at qos 0": packet(PUBLISH, 8, string(b"t") + b"x"),
    "packet identifier 0": publish(b"t", b"x", 1, 0),
    "an empty topic": publish(b"", b"x"),
    "a topic of invalid UTF-8": publish(b"\xff\xfe", b"x"),
    "a topic with a surrogate": publish(b"a\xed\xa0\x80", b"x"),
    "a topic cut inside a character": publish(b"a\xc3", b"x"),
    "a topic with NUL": publish(b"a\x00b", b"x"),
    "a topic with a wildcard": publish(b"a/#", b"x"),
    "a topic longer than the packet": packet(PUBLISH, 0, b"\x00\x40abc"),
    "no room for the topic's length": packet(PUBLISH, 0, b"\x00"),
    "no room for the packet identifier": packet(PUBLISH, 2, string(b"t") + b"\x00"),
    "text": b"GET / HTTP/1.1\r\n\r\n",
}


def usable(link, broker):
    link.clean()
    link.configure()
    link.connect(broker.port)
    link.subscribe("t", 1)
    link.publish("t", "x", 1)
    assert link.port.message().data == b"x"


@pytest.mark.parametrize("name", BEFORE_CONNACK)
def test_instead_of_connack(link, peer, broker, name):
    def script(connection):
        connection.expect(CONNECT)
        connection.send(BEFORE_CONNACK[name])
        if not name.startswith("half"):
            connection.swallow()

    link.configure()
    link.port.error(f'AT+MQTTCONN=0,"{link.host}",{peer(script).port},0,3000', Code.START_FAILED)
    assert link.state() == 1
    usable(link, broker)


@pytest.mark.parametrize("name", AFTER_CONNACK)
def test_after_connack(link, peer, broker, name):
    def script(connection):
        connection.accept()
        time.sleep(0.1)
        connection.send(AFTER_CONNACK[name])
        connection.swallow()

    violating = peer(script)
    link.configure()
    link.connect(violating.port)
    assert link.port.disconnected() == 0
    assert violating.connection(0).ended.wait(2)
    assert link.state() == 3
    link.port.quiet(0.2)
    usable(link, broker)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ('AT+MQTTPUB=0,"t","x",1,0', lambda number: acknowledgement(PUBREC, number)),
        ('AT+MQTTPUB=0,"t","x",2,0', lambda number: acknowledgement(PUBACK, number)),
        ('AT+MQTTSUB=0,"t",1', lambda number: suback(number, 3)),
        ('AT+MQTTSUB=0,"t",1', lambda number: packet(SUBACK, 0, number.to_bytes(2, "big") + b"\x00\x00")),
    ],
    ids=["pubrec for qos 1", "puback for qos 2", "suback of qos 3", "suback of two"],
)
def test_a_wrong_answer_to_a_command(link, peer, broker, command, answer):
    def script(connection):
        connection.accept()
        connection.send(answer(connection.receive().identifier))
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    link.port.error(command)
    assert link.port.disconnected() == 0
    usable(link, broker)


@pytest.mark.parametrize("kind", [PUBACK, PUBREC, PUBCOMP, 11])
def test_an_acknowledgement_of_nothing_does_no_harm(link, peer, kind):
    """It may be a late one; whether the connection stands it is left open, the port does."""

    def script(connection):
        connection.accept()
        connection.send(acknowledgement(kind, 4711))
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    time.sleep(0.3)
    answer = link.port.command('AT+MQTTPUB=0,"t","x",0,0')
    assert answer.final == b"OK" or answer.code in (Code.DISCONNECTED, Code.PUBLISH_FAILED)


@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_that_is_cut_off(link, peer, broker, qos):
    """The announced length holds even so: what is missing is filled up, how much is said, then the loss."""
    payload = bytes(range(1, 251)) * 40
    whole = publish(b"cut", payload, qos, 1)

    def script(connection):
        connection.accept()
        connection.send(whole[:5000])
        time.sleep(0.3)

    link.configure()
    link.connect(peer(script).port)
    received = link.port.message()
    arrived = 5000 - (len(whole) - len(payload))
    assert len(received.data) == len(payload)
    assert received.data[:arrived] == payload[:arrived]
    assert link.port.incomplete() == arrived
    assert link.port.disconnected() == 0
    usable(link, broker)


def test_a_message_that_never_ends(link, peer, broker):
    """Half a message, then silence: commands are answered within 10 s and the grammar holds."""
    payload = b"x" * 3000
    whole = publish(b"endless", payload)

    def script(connection):
        connection.accept()
        connection.send(whole[:1500])
        connection.swallow()

    link.configure()
    before = link.port.received
    link.connect(peer(script).port)
    link.port.await_bytes(before + 1000)
    answer = link.port.command("AT+MQTTCONN?", 11)
    assert answer.final == b"OK"
    assert len(link.port.message(12).data) == 3000
    assert link.port.incomplete() == 1500 - (len(whole) - len(payload))
    assert link.port.disconnected(12) == 0
    usable(link, broker)


def test_a_message_that_pauses(link, peer):
    """A command in the pause of an unfinished message: its answer does not cut the line."""
    payload = bytes(range(256)) * 12
    whole = publish(b"pause", payload, 1, 1)

    def script(connection):
        connection.accept()
        connection.send(whole[:1000])
        time.sleep(3)
        connection.send(whole[1000:])
        connection.serve()

    link.configure()
    before = link.port.received
    link.connect(peer(script).port)
    # The message's line has begun.
    link.port.await_bytes(before + 500)
    assert link.port.command("AT+MQTTCONN?").final == b"OK"
    link.publish("t", "x", 1)
    assert link.port.message().data == payload


def test_half_a_header_then_silence(link, peer, broker):
    """A packet that began and does not go on is a lost connection after 10 s."""

    def script(connection):
        connection.accept()
        connection.send(b"\x30\x80")
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    assert link.port.disconnected(14) == 0
    usable(link, broker)


@pytest.mark.bulk
def test_a_reset_in_a_message(link, peer, broker):
    def script(connection):
        connection.accept()
        connection.send(publish(b"t", b"x" * 100_000)[:50_000])
        time.sleep(0.3)
        connection.abort()

    link.configure()
    link.connect(peer(script).port)
    assert len(link.port.message(10).data) == 100_000
    assert 0 < link.port.incomplete() < 50_000
    assert link.port.disconnected() == 0
    usable(link, broker)


@pytest.mark.virtual("a port faster than any line")
def test_a_flood_of_packets_without_reading(link, peer, board):
    """The peer sends QoS 1 messages as fast as it can and never reads the acknowledgements."""

    def script(connection):
        connection.accept()
        block = b"".join(publish(b"t", b"y" * 10, 1, number) for number in range(1, 2001))
        connection.send(block)
        time.sleep(2)

    link.configure()
    link.connect(peer(script).port)
    for number in range(2000):
        assert link.port.message().data == b"y" * 10
    assert board.alive


def test_more_unreleased_qos_2_messages_than_may_be(link, peer, broker):
    """A peer that never sends PUBREL: all are delivered, or the connection is given up; never a duplicate."""

    def script(connection):
        connection.accept()
        for number in range(1, 201):
            connection.send(publish(b"t", b"%d" % number, 2, number))
        connection.swallow(3)

    link.configure()
    link.connect(peer(script).port)
    time.sleep(2)
    data = [event.data for event in link.port.events() if hasattr(event, "data")]
    assert data == [b"%d" % number for number in range(1, len(data) + 1)]
    assert len(data) >= 10
    usable(link, broker)
