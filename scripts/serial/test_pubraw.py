"""PUBRAW's data phase (at-contract §3)."""

import random
import time

import pytest

from link import Code

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def other(link, broker, witness):
    """A connected link and the second client that sees its publications."""
    link.configure()
    link.connect(broker.port)
    return witness("raw", "next")


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 255, 256, 257, 1460, 4096, 20000])
def test_sizes(link, other, qos, size):
    payload = random.Random(size).randbytes(size)
    link.publish_raw("raw", payload, qos)
    assert other.message().payload == payload


def test_every_byte_value(link, other):
    payload = EVERY_BYTE + bytes(reversed(EVERY_BYTE)) + b"\r\n\r\nAT\r\n+++\r\n\x00\x00"
    link.publish_raw("raw", payload, 1)
    assert other.message().payload == payload


def test_data_in_small_pieces(link, other):
    payload = random.Random(1).randbytes(600)
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",600,1,0')
    for start in range(0, 597, 3):
        link.port.write(payload[start : start + 3])
        time.sleep(0.002)
    link.port.fill(payload[597:])
    assert link.port.result() == b"OK"
    assert other.message().payload == payload


@pytest.mark.parametrize("qos", [0, 1])
def test_bytes_beyond_the_length_begin_the_next_command(link, other, qos):
    link.port.prompt(f'AT+MQTTPUBRAW=0,"raw",5,{qos},0')
    link.port.fill(b"12345", b'AT+MQTTPUB=0,"next","after",0,0\r\n')
    assert link.port.result() == b"OK"
    assert other.message().payload == b"12345"
    answer = link.port.answer()
    # Never lost: either it ran or it was told that the port is busy.
    assert answer.final in (b"OK", b"busy ..."), answer
    if answer.final == b"OK":
        assert other.message().payload == b"after"
    link.publish("next", "end")
    assert other.message().payload == b"end"


def test_half_of_the_next_command_beyond_the_length(link, other):
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",5,0,0')
    link.port.fill(b"")
    link.port.write(b"12345AT+MQ")
    assert link.port.result() == b"OK"
    time.sleep(0.3)
    # The rest of the line completes it; the driver has to be told what it is.
    link.port.expect_line(b"AT+MQTTCONN?", b"TTCONN?\r\n")
    assert link.port.answer().lines[0].startswith(b"+MQTTCONN:0,4,")


def test_plus_signs_inside_the_data_are_data(link, other):
    for payload in (b"+++", b"a+++b", b"+" * 64):
        link.port.prompt(f'AT+MQTTPUBRAW=0,"raw",{len(payload) + 2},1,0')
        link.port.fill(b"<" + payload + b">")
        assert link.port.result() == b"OK"
        assert other.message().payload == b"<" + payload + b">"


def test_the_exit_code_ends_the_phase(link, other):
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",100,1,0')
    link.port.write(b"only a part")
    time.sleep(1.2)
    link.port.fill(b"+++")
    assert link.port.result() == b"FAIL"
    other.quiet(0.3)
    link.publish("next", "end", 1)
    assert other.message().payload == b"end"


def test_a_stall_of_20_seconds_ends_the_phase(link, other):
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",100,1,0')
    start = time.monotonic()
    time.sleep(5)
    link.port.fill(b"only a part")
    # Silence is counted from the last byte, not from the prompt.
    assert link.port.result(35) == b"FAIL"
    assert 5 + 19 <= time.monotonic() - start <= 5 + 22.5
    other.quiet(0.3)
    link.publish("next", "end", 1)
    assert other.message().payload == b"end"


def test_a_slow_host_is_not_a_stalled_one(link, other):
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",6,1,0')
    for byte in b"slowly"[:5]:
        link.port.write(bytes([byte]))
        time.sleep(5)
    link.port.fill(b"y")
    assert link.port.result() == b"OK"
    assert other.message().payload == b"slowly"


@pytest.mark.virtual("a port that opens without a reset of the board")
def test_a_host_that_vanishes(board, link, other):
    """The host closes its end in the middle of the data; a new host finds a port that answers."""
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",100,1,0')
    link.port.write(b"part")
    board.port.close()
    time.sleep(23)
    port = board.open()
    port.ok("AT+MQTTCLEAN=0")
    other.quiet(0.3)


@pytest.mark.virtual("a heap of known size")
@pytest.mark.parametrize("length", [150_000, 10_000_000, 268_435_455])
def test_what_does_not_fit_is_refused_before_the_prompt(link, other, length):
    link.port.error(f'AT+MQTTPUBRAW=0,"raw",{length},1,0', Code.MALLOC_FAILED)
    link.publish("next", "end", 1)
    assert other.message().payload == b"end"


@pytest.mark.virtual("a heap of known size")
def test_more_than_half_of_the_heap(link, other):
    payload = random.Random(2).randbytes(40_000)
    link.publish_raw("raw", payload, 1)
    assert other.message(10).payload == payload


def test_a_connection_lost_in_the_data_phase(link, relay, witness):
    """The phase still takes its bytes, then says FAIL; DISCONNECTED comes after it, not inside."""
    link.configure()
    link.connect(relay.port)
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",10,1,0')
    link.port.write(b"12345")
    relay.cut()
    time.sleep(1.5)
    assert link.port.events() == []
    link.port.fill(b"67890")
    assert link.port.result() == b"FAIL"
    assert link.port.disconnected() == 0
    assert link.state() == 3


def test_messages_are_held_back_in_the_data_phase(link, other, witness):
    """Nothing may come between `>` and the last byte of data."""
    link.subscribe("in", 1)
    link.port.prompt('AT+MQTTPUBRAW=0,"raw",10,1,0')
    link.port.write(b"12345")
    sender = witness()
    for number in range(20):
        sender.publish("in", b"%d" % number, 1)
    time.sleep(1)
    assert link.port.events() == []
    link.port.fill(b"67890")
    assert link.port.result() == b"OK"
    assert [link.port.message().data for _ in range(20)] == [b"%d" % number for number in range(20)]
    assert other.message().payload == b"1234567890"
