"""What `w800_mqtt_at_get_statistics()` counts, read by `AT+SYSSTAT?`: on the simulated processor the archive's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

import pytest

from link import Link
from measure import Meter
from peer import Relay

pytestmark = pytest.mark.virtual("AT+SYSSTAT?")


@dataclass
class Statistics:
    """In the order of the structure in C."""

    bytes_sent: int
    bytes_received: int
    messages_sent: int
    messages_received: int
    reconnections: int
    stack_size: int
    stack_peak: int
    heap_used: int
    heap_peak: int
    arena_size: int
    arena_used: int
    arena_peak: int


def statistics(link: Link) -> Statistics:
    (row,) = link.port.command("AT+SYSSTAT?").lines
    numbers = re.fullmatch(rb"\+SYSSTAT:0((?:,\d+){%d})" % len(fields(Statistics)), row)[1]
    return Statistics(*map(int, numbers.split(b",")[1:]))


def test_nothing_yet(new_board):
    board = new_board()
    now = statistics(Link(board.port, board.host))
    assert now == Statistics(0, 0, 0, 0, 0, 0, 0, 0, 0, now.arena_size, 0, 0)


def test_a_publication_whose_first_packet_broke_counts_once(new_board, peer):
    board = new_board()
    link = Link(board.port, board.host)

    def first(connection):
        connection.accept()
        connection.swallow(0.5)
        connection.abort()

    def second(connection):
        connection.accept()
        again = connection.expect(3, 20)
        assert again.dup and len(again.payload) == 60_000
        connection.reply(again)
        connection.serve()

    link.configure()
    link.connect(peer(first, second).port, 1)
    assert link.port.raw('AT+MQTTPUBRAW=0,"o",60000,1,0,30000', bytes(60_000), 40) == b"OK"
    now = statistics(link)
    assert (now.messages_sent, now.reconnections) == (1, 1)


def test_the_wire_has_as_many_bytes(new_board, broker):
    board = new_board()
    link, relay = Link(board.port, board.host), Relay(broker.port)
    link.configure()
    link.connect(relay.port, 1)
    link.subscribe("t", 2)
    for qos in range(3):
        link.publish("t", b"x" * 100, qos)
        assert link.port.message().data == b"x" * 100
    # The last PUBREL.
    link.port.quiet(0.3)
    link.clean()
    now = statistics(link)
    relay.await_carried(now.bytes_sent, now.bytes_received)
    relay.close()
    assert (now.messages_sent, now.messages_received, now.reconnections) == (3, 3, 0)
    assert now.heap_used == 0 < now.arena_peak <= now.arena_size
    assert now.arena_used == 0


def test_the_stacks_mark_is_the_processors(new_chip, broker):
    """As deep as the simulated processor has seen the stack pointer, and what stands above the first frame."""
    link = Link(new_chip.port, new_chip.host)
    link.configure()
    link.connect(broker.port)
    link.publish("t", b"x" * 100, 2)
    link.clean()
    now, (_, seen) = statistics(link), Meter(link).figures()["mqtt"]
    assert now.stack_size == 8192
    assert seen - 64 <= now.stack_peak <= seen + 256, (now, seen)
