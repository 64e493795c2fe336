"""What the virtual board tells of its heap and its tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from atport import AtPort


def heap(at: AtPort) -> tuple[int, int, int]:
    """Free bytes, the fewest so far, and the number of blocks."""
    answer = at.command("AT+SYSHEAP?")
    assert answer.final == b"OK" and len(answer.lines) == 1, answer
    free, lowest, blocks = (int(field) for field in answer.lines[0].removeprefix(b"+SYSHEAP:").split(b","))
    return free, lowest, blocks


def tasks(at: AtPort) -> list[bytes]:
    answer = at.command("AT+SYSTASKS?")
    assert answer.final == b"OK", answer
    return sorted(answer.lines)


def snapshot(at: AtPort) -> tuple[int, int, list[bytes]]:
    """What `settles` compares."""
    free, _, blocks = heap(at)
    return free, blocks, tasks(at)


def settles(at: AtPort, before: tuple[int, int, list[bytes]], seconds: float = 5) -> None:
    """Back to where it was, or better: lwIP frees a closed connection when the other side has answered."""
    deadline = time.monotonic() + seconds
    while True:
        free, blocks, running = snapshot(at)
        if free >= before[0] and blocks <= before[1] and running == before[2]:
            return
        assert time.monotonic() < deadline, f"before: {before}, now: {(free, blocks, running)}"
        time.sleep(0.2)


CLOSED_SECONDS = 6
"""In which lwIP forgets a connection that the board has closed: twice `TCP_MSL` of the board's lwIP, and more."""


def settled(at: AtPort, seconds: float = 5, pause: float = 0.3) -> tuple[int, int, list[bytes]]:
    """Wait until nothing changes any more for a moment: connections that the peer has closed have left lwIP."""
    deadline = time.monotonic() + seconds
    before = None
    while (now := snapshot(at)) != before:
        assert time.monotonic() < deadline, f"{before} then {now}"
        before = now
        at.quiet(pause)
    return before


@dataclass(frozen=True)
class Share:
    """Bytes of the heap in one owner's hands, now and at most since `forget_peaks`."""

    used: int
    peak: int


def shares(at: AtPort) -> dict[str, Share]:
    answer = at.command("AT+SYSHEAPBY?")
    assert answer.final == b"OK" and answer.lines, answer
    rows = (line.removeprefix(b"+SYSHEAPBY:").decode().split(",") for line in answer.lines)
    return {name.strip('"'): Share(int(used), int(peak)) for name, used, peak in rows}


def forget_peaks(at: AtPort) -> None:
    assert at.command("AT+SYSHEAPBY=0").final == b"OK"
