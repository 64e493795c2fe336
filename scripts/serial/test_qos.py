"""QoS 0, 1 and 2 in both directions through a real broker, retained messages, subscriptions."""

import itertools
import time

import pytest

from atport import quote
from link import Code
from peer import PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE, acknowledgement, publish, suback

LEVELS = [0, 1, 2]


@pytest.mark.parametrize("qos", LEVELS)
def test_out(link, broker, witness, qos):
    other = witness("out")
    link.configure()
    link.connect(broker.port)
    link.publish("out", "by PUB", qos)
    link.publish_raw("out", b"by PUBRAW", qos)
    for payload in (b"by PUB", b"by PUBRAW"):
        message = other.message()
        assert (message.payload, message.qos, message.retain) == (payload, qos, False)
    other.quiet(0.2)


@pytest.mark.parametrize(("sent", "granted"), list(itertools.product(LEVELS, LEVELS)))
def test_in(link, broker, witness, sent, granted):
    link.configure()
    link.connect(broker.port)
    link.subscribe("in", granted)
    other = witness()
    for number in range(3):
        other.publish("in", b"%d" % number, sent)
    assert [link.port.message().data for _ in range(3)] == [b"0", b"1", b"2"]
    link.port.quiet(0.2)


@pytest.mark.parametrize("qos", LEVELS)
def test_to_itself(link, broker, qos):
    link.configure()
    link.connect(broker.port)
    link.subscribe("loop", qos)
    for number in range(5):
        link.publish("loop", f"{number}", qos)
        assert link.port.message().data == b"%d" % number


def test_more_messages_than_packet_identifiers_of_a_byte(link, broker, witness):
    other = witness("many")
    link.configure()
    link.connect(broker.port)
    for number in range(300):
        link.publish("many", f"{number}", 1 + number % 2)
    # Between QoS levels a broker keeps no order.
    assert {other.message().payload for _ in range(300)} == {b"%d" % number for number in range(300)}
    other.quiet(0.3)


@pytest.mark.parametrize("by", ["PUB", "PUBRAW"])
def test_retained(link, broker, witness, by):
    topic = f"retained/{by}"
    link.configure()
    link.connect(broker.port)
    if by == "PUB":
        link.publish(topic, "kept", 1, 1)
    else:
        link.publish_raw(topic, b"kept", 1, 1)
    message = witness(topic).message()
    assert (message.payload, message.retain) == (b"kept", True)
    link.subscribe(topic, 1)
    assert link.port.message().data == b"kept"
    link.publish(topic, "", 1, 1)
    assert link.port.message().data == b""
    witness(topic).quiet(0.3)


def test_already_subscribed(link, broker):
    link.configure()
    link.connect(broker.port)
    link.subscribe("t", 1)
    link.port.ok('AT+MQTTSUB=0,"t",1', "ALREADY SUBSCRIBE")
    link.subscribe("t", 2)
    link.port.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"t",2')


def test_ten_subscriptions(link, broker, witness):
    link.configure()
    link.connect(broker.port)
    for number in range(10):
        link.subscribe(f"t/{number}")
    answer = link.port.command('AT+MQTTSUB=0,"t/10",0')
    assert (answer.lines, answer.final) == ([b"ALREADY FULL SUBSCRIBE"], b"ERROR")
    link.port.ok('AT+MQTTSUB=0,"t/9",0', "ALREADY SUBSCRIBE")
    rows = [f'+MQTTSUB:0,6,"t/{number}",0' for number in range(10)]
    link.port.ok("AT+MQTTSUB?", *rows)
    other = witness()
    for number in range(11):
        other.publish(f"t/{number}", b"x")
    assert [link.port.message().topic for _ in range(10)] == [b"t/%d" % number for number in range(10)]
    link.port.quiet(0.3)
    link.port.ok('AT+MQTTUNSUB=0,"t/4"')
    link.subscribe("t/10")
    other.publish("t/4", b"x")
    link.port.quiet(0.3)


def test_unsubscribe_what_is_not_subscribed(link, broker):
    link.configure()
    link.connect(broker.port)
    link.port.ok('AT+MQTTUNSUB=0,"t"', "NO UNSUBSCRIBE")
    assert link.state() == 4


def test_wildcards(link, broker, witness):
    link.configure()
    link.connect(broker.port)
    other = witness()
    for name in ("+", "a/+/c", "deep/#", "$SYS/broker/version", "#"):
        link.port.ok(b"AT+MQTTSUB=0,%s,0" % quote(name))
        if name.startswith("$SYS"):
            assert link.port.message().topic == b"$SYS/broker/version"
        link.port.ok(b"AT+MQTTUNSUB=0,%s" % quote(name))
    link.subscribe("a/+/c")
    other.publish("a/b/c", b"1")
    other.publish("a/b/d", b"2")
    other.publish("a//c", b"3")
    assert [link.port.message().topic for _ in range(2)] == [b"a/b/c", b"a//c"]


def test_a_lower_granted_qos_is_shown(link, peer):
    def script(connection):
        connection.accept()
        request = connection.expect(SUBSCRIBE)
        connection.send(suback(request.identifier, 0))
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.subscribe("t", 2)
    link.port.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"t",0')


def test_a_refused_subscription(link, peer):
    def script(connection):
        connection.accept()
        request = connection.expect(SUBSCRIBE)
        connection.send(suback(request.identifier, 0x80))
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.port.error('AT+MQTTSUB=0,"t",1', Code.SUBSCRIBE_FAILED)
    link.port.ok("AT+MQTTSUB?")
    assert link.state() == 4


@pytest.mark.parametrize("delayed", ["PUBACK", "PUBREC", "PUBCOMP"])
def test_ok_waits_for_the_last_acknowledgement(link, peer, delayed):
    """OK for PUB means PUBACK or PUBCOMP received, not sent (contract §3)."""
    def script(connection):
        connection.accept()
        got = connection.expect(PUBLISH)
        if delayed != "PUBCOMP":
            time.sleep(1)
        connection.reply(got)
        if got.qos == 2:
            got = connection.expect(PUBREL)
            if delayed == "PUBCOMP":
                time.sleep(1)
            connection.reply(got)
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    qos = 1 if delayed == "PUBACK" else 2
    answer = link.port.ok(f'AT+MQTTPUB=0,"t","x",{qos},0')
    assert 0.9 < answer.seconds < 3


def test_incoming_qos_2_is_delivered_once(link, peer):
    """A second copy before PUBREL is acknowledged and not printed; after PUBCOMP the identifier is free."""

    def script(connection):
        connection.accept()
        for dup in (False, True, True):
            connection.send(publish(b"t", b"one", 2, 7, dup))
            assert connection.expect(PUBREC).identifier == 7
        for _ in range(2):
            connection.send(acknowledgement(PUBREL, 7))
            assert connection.expect(PUBCOMP).identifier == 7
        connection.send(publish(b"t", b"two", 2, 7))
        assert connection.expect(PUBREC).identifier == 7
        connection.send(acknowledgement(PUBREL, 7))
        assert connection.expect(PUBCOMP).identifier == 7
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    assert link.port.message().data == b"one"
    assert link.port.message().data == b"two"
    link.port.quiet(0.3)
