"""Incoming messages of any size go through a small heap, one line each (at-contract §4)."""

import random

import pytest

from peer import PUBACK, PUBCOMP, PUBREC, PUBREL, acknowledgement, publish

MEBIBYTE = 1 << 20


@pytest.mark.virtual("figures of heap and tasks")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_one_mebibyte_under_a_100_kibibyte_heap(link, broker, witness, qos):
    payload = random.Random(qos).randbytes(MEBIBYTE)
    link.configure()
    link.connect(broker.port)
    link.subscribe("large", qos)
    witness().publish("large", payload, qos)
    received = link.port.message(60)
    assert received.topic == b"large"
    assert len(received.data) == MEBIBYTE
    assert received.data == payload
    free, lowest, _ = heap(link.port)
    assert lowest > 0 and free < 100 * 1024
    link.publish("t", "still here", 1)
    link.port.quiet(0.2)


def heap(at):
    answer = at.command("AT+SYSHEAP?")
    return [int(field) for field in answer.lines[0].removeprefix(b"+SYSHEAP:").split(b",")]


@pytest.mark.virtual("figures of heap and tasks")
def test_memory_does_not_grow_with_the_message(link, broker, witness):
    """The low-water mark after 256 KiB is that after 16 KiB, give or take a few buffers."""
    link.configure()
    link.connect(broker.port)
    link.subscribe("large", 1)
    other, marks = witness(), []
    for size in (16 << 10, 256 << 10):
        other.publish("large", b"x" * size, 1)
        assert len(link.port.message(30).data) == size
        marks.append(heap(link.port)[1])
    assert marks[0] - marks[1] < 8192, marks


@pytest.mark.parametrize("size", [0, 1, 127, 128, 1023, 1024, 1025, 1460, 2048, 16383, 16384, 65536])
def test_sizes_at_borders(link, broker, witness, size):
    payload = random.Random(size).randbytes(size)
    link.configure()
    link.connect(broker.port)
    link.subscribe("border", 1)
    witness().publish("border", payload, 1)
    assert link.port.message(20).data == payload


def test_data_that_looks_like_answers(link, broker, witness):
    """The length says where the data ends; its content does not matter."""
    payload = b'\r\nOK\r\n\r\nERROR\r\n\r\n>+MQTTPUB:OK\r\n+MQTTSUBRECV:0,"t",5,x\r\nbusy ...\r\n\x00\xff"\\'
    link.configure()
    link.connect(broker.port)
    link.subscribe("look", 0)
    witness().publish("look", payload)
    assert link.port.message().data == payload
    link.publish("t", "next")


def test_tiny_segments(link, peer):
    """Header, topic and payload byte by byte, several packets long."""
    payload = bytes(range(256))

    def script(connection):
        connection.accept()
        connection.trickle(publish("tiny/é".encode(), payload, 1, 5), 0.001)
        assert connection.expect(PUBACK).identifier == 5
        connection.trickle(publish(b"t", b"", 0))
        connection.trickle(publish(b"t", b"two", 2, 6))
        assert connection.expect(PUBREC).identifier == 6
        connection.trickle(acknowledgement(PUBREL, 6))
        assert connection.expect(PUBCOMP).identifier == 6
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    assert link.port.message(10).data == payload
    assert link.port.message(10).data == b""
    assert link.port.message(10).data == b"two"


def test_many_packets_in_one_segment(link, peer):
    def script(connection):
        connection.accept()
        connection.send(b"".join(publish(b"t", b"%d" % number, number % 2, number + 1) for number in range(200)))
        acknowledged = [connection.expect(PUBACK).identifier for _ in range(100)]
        assert acknowledged == list(range(2, 202, 2))
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    assert [link.port.message().data for _ in range(200)] == [b"%d" % number for number in range(200)]


def test_a_message_right_behind_connack(link, peer):
    """A kept session's messages may share a segment with CONNACK; the line comes after CONNECTED and OK."""

    def script(connection):
        connection.expect(1)
        connection.send(b"\x20\x02\x01\x00" + publish(b"t", b"early", 1, 1))
        connection.expect(PUBACK)
        connection.serve()

    link.configure(persistent=True)
    link.connect(peer(script).port)
    assert link.port.message().data == b"early"


def test_a_long_topic(link, broker, witness):
    """A broker may send topics longer than any that this side may subscribe to by name."""
    name = "long/" + "x" * 1000
    link.configure()
    link.connect(broker.port)
    link.subscribe("long/+", 1)
    witness().publish(name, b"data", 1)
    received = link.port.message()
    assert (received.topic, received.data) == (name.encode(), b"data")
