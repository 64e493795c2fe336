"""Keepalive (at-contract §5)."""

import time

from peer import PINGREQ, PONG


def test_the_broker_sees_pings(link, own_broker):
    link.configure(client="pinging", keepalive=2)
    link.connect(own_broker.port)
    link.port.quiet(9)
    assert link.state() == 4
    log = own_broker.log()
    assert log.count("Received PINGREQ from pinging") >= 4
    assert "has exceeded timeout" not in log


def test_never_more_silence_than_the_interval(link, peer):
    """Measured at the peer, with a publication in between."""

    def script(connection):
        connection.accept()
        connection.serve()

    peer = peer(script)
    link.configure(keepalive=2)
    link.connect(peer.port)
    start = time.monotonic()
    link.port.quiet(1.2)
    link.publish("t", "x")
    link.port.quiet(5)
    packets = peer.connection(0).packets
    times = [start, *(packet.when for packet in packets if packet.when > start), time.monotonic()]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert max(gaps) <= 2.2, gaps
    assert sum(packet.kind == PINGREQ for packet in packets) >= 2


def test_keepalive_field_of_connect(link, peer):

    def script(connection):
        connection.accept()
        connection.serve()

    accepting = peer(script)
    link.configure(keepalive=7200)
    link.connect(accepting.port)
    body = accepting.connection(0).packets[0].body
    assert body[:10] == b"\x00\x04MQTT\x04\x02" + (7200).to_bytes(2, "big")
    assert body[10:] == b"\x00\x04w800"


def test_no_pong_for_10_seconds_is_a_lost_connection(link, peer):
    def script(connection):
        connection.accept()
        connection.swallow()

    peer = peer(script)
    link.configure(keepalive=2)
    link.connect(peer.port)
    start = time.monotonic()
    assert link.port.disconnected(16) == 0
    assert 10 <= time.monotonic() - start <= 13.5
    assert link.state() == 3
    assert peer.connection(0).ended.wait(2)


def test_a_late_pong_keeps_the_connection(link, peer):
    def script(connection):
        connection.accept()
        connection.expect(PINGREQ)
        time.sleep(6)
        connection.send(PONG)
        connection.serve()

    link.configure(keepalive=2)
    link.connect(peer(script).port)
    link.port.quiet(11)
    assert link.state() == 4
