"""PUBRAW at QoS 0 sends what is typed as it comes, in constant memory (at-contract §3, "PUBRAW length")."""

import random

import pytest

from test_statistics import statistics

pytestmark = [pytest.mark.clock, pytest.mark.virtual("figures of the heap")]
BOARD = ("--rtc", "host")
HEAP = 48 * 1024
MEBIBYTE = 1 << 20
PIECE = 64 * 1024
SCHEMES = {"TCP": 1, "WebSocket": 6}


@pytest.mark.bulk
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())
def test_16_mebibytes_under_a_48_kibibyte_heap(link, brokers, scheme):
    stream(link, brokers, scheme)


def stream(link, brokers, scheme):
    """A message of 16 KiB, then one of 16 MiB: the library's own peaks are the same. lwIP's buffers come and go besides."""
    brokers.equip(link)
    link.configure(scheme, path="mqtt" if scheme > 5 else "")
    link.connect(brokers.port(scheme))
    other = brokers.witness(scheme, "large", qos=0)
    peaks = []
    for size in (16 * 1024, 16 * MEBIBYTE):
        payload = random.Random(size).randbytes(size)
        link.port.prompt(b'AT+MQTTPUBRAW=0,"large",%d,0,0' % size)
        # Piece by piece: each has a time of its own to be taken by the network.
        for start in range(0, size, PIECE):
            link.port.fill(payload[start : start + PIECE], keep_open=start + PIECE < size)
        assert link.port.result(60) == b"OK"
        assert other.message(60).payload == payload
        now = statistics(link)
        peaks.append((now.heap_peak, now.arena_peak))
    assert peaks[0] == peaks[1], "the peak does not depend on the length"
    link.publish("large", "still here", 1)
    assert other.message().payload == b"still here"


def test_what_a_packet_cannot_carry_is_refused_before_the_prompt(link, broker):
    link.configure()
    link.connect(broker.port)
    # 268,435,455 bytes with the topic's length and the topic.
    link.port.error('AT+MQTTPUBRAW=0,"t",268435453,0,0', 0x604C)
    link.publish("t", "still here", 1)


def test_a_connection_lost_in_the_middle(link, peer):
    """The rest is taken and dropped, then `+MQTTPUB:FAIL`; the port is the host's again."""

    def script(connection):
        connection.accept()
        connection.socket.recv(4096)
        connection.close()

    server = peer(script)
    link.configure()
    link.connect(server.port)
    link.port.prompt('AT+MQTTPUBRAW=0,"t",300000,0,0')
    link.port.write(bytes(300_000))
    assert link.port.answer(30).final == b"+MQTTPUB:FAIL"
    link.await_state(3)


def test_a_host_that_gives_up_ends_the_connection_but_not_before_it_has_begun(link, broker, witness):
    link.configure()
    link.connect(broker.port)
    other = witness("t")
    link.port.prompt('AT+MQTTPUBRAW=0,"t",5000,0,0')
    link.port.write(b"+++")
    assert link.port.answer(5).final == b"+MQTTPUB:FAIL"
    link.publish("t", "nothing had been sent", 1)
    assert other.message().payload == b"nothing had been sent"
    link.port.prompt('AT+MQTTPUBRAW=0,"t",5000,0,0')
    link.port.write(b"a beginning")
    other.quiet(0.3)
    link.port.write(b"+++")
    assert link.port.answer(5).final == b"+MQTTPUB:FAIL"
    link.await_state(3)
    other.quiet()
