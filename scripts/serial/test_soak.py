"""Connections made and cleaned thousands of times: the heap is where it was, to the block, and so is the process.

`W800_SOAK_ROUNDS` says how many over TCP, and a tenth of it over TLS (scripts/nightly.sh: 10,000).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resources import CLOSED_SECONDS, settled, settles, snapshot
from waiting import until

ROUNDS = int(os.environ.get("W800_SOAK_ROUNDS", "200"))
WARM_UP = 20
LEAVING_SECONDS = 60
"""In which lwIP has forgotten all closed connections (TIME-WAIT)."""

RESIDENT_GROWTH = 8 << 20
"""Bytes that the C library's own allocator and the stacks of threads may come to."""

FORGOTTEN_SECONDS = 120
"""In which the virtual network has given back the buffers of all closed connections: 160 KB each, outside the board's heap."""

BOARD = ("--rtc", "host")
HEAP = 200 * 1024
pytestmark = [
    pytest.mark.clock,
    pytest.mark.virtual("figures of the heap"),
    pytest.mark.timeout(LEAVING_SECONDS + FORGOTTEN_SECONDS + 120 + ROUNDS),
]


@pytest.mark.parametrize(("scheme", "rounds"), [(1, ROUNDS), (3, ROUNDS // 10)], ids=["TCP", "TLS"])
def test_nothing_is_left_of_connections(board, link, brokers, record_property, scheme, rounds):
    brokers.equip(link)
    port = brokers.port(scheme)
    for _ in range(WARM_UP):
        one(link, scheme, port)
    before, resident = settled(link.port, LEAVING_SECONDS, CLOSED_SECONDS), memory(board)
    for _ in range(rounds):
        one(link, scheme, port)
    at_once = snapshot(link.port)
    settles(link.port, before, LEAVING_SECONDS)
    now = snapshot(link.port)
    begin, most = time.monotonic(), memory(board) - resident
    until(lambda: memory(board) - resident < RESIDENT_GROWTH, f"{most} bytes more resident", FORGOTTEN_SECONDS)
    grown, seconds = memory(board) - resident, time.monotonic() - begin
    record_property(
        "told",
        f"{rounds} connections by scheme {scheme}: {before[0]} bytes free and {before[1]} blocks in use before, "
        f"{at_once[0]} and {at_once[1]} right behind the last, {now[0]} and {now[1]} when lwIP had forgotten it; {most} bytes more resident, {grown} after {seconds:.0f} s",
    )


def one(link, scheme: int, port: int) -> None:
    link.configure(scheme)
    link.connect(port)
    link.clean()


def memory(board) -> int:
    """Resident bytes of the board's process."""
    pages = int(Path(f"/proc/{board.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
