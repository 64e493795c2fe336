"""Who takes part: the broker, the feed that others receive, the virtual board with its host, and the Paho client.

Each measurement has processes of its own, so that a heap's peak belongs to it alone.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "serial"))
from broker import Broker  # noqa: E402

TOPIC = b"bench"
PAYLOAD = b"x"
"""As in measure.h."""

# Per-message logging would cost the broker more than the messages do.
BROKER_OPTIONS = "log_type none\nmax_packet_size 268435455"


@dataclass(frozen=True)
class Work:
    """`count` messages of `size` bytes, published by commands or data phases, or received."""

    kind: str
    count: int
    size: int
    qos: int = 0

    def arguments(self, kind: str | None = None) -> list[str]:
        return [kind or self.kind, str(self.count), str(self.size), str(self.qos)]


@dataclass(frozen=True)
class Result:
    """Of one measurement: seconds, seconds of processor time (the process under test, its driver), bytes of heap."""

    seconds: float
    processor: float
    driver: float
    heap: int


class Feed:
    """A publisher that sends everything in one go; the broker alone limits it."""

    def __init__(self, port: int, work: Work) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(_packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + _field(b"bench-feed")))
        assert self._socket.recv(4) == b"\x20\x02\x00\x00", "the broker refuses the feed"
        self._packets = _packet(0x30, _field(TOPIC) + PAYLOAD * work.size) * work.count

    def send(self) -> int:
        """Sends all; returns when it began, in nanoseconds."""
        began = time.monotonic_ns()
        self._socket.sendall(self._packets)
        return began

    def close(self) -> None:
        self._socket.close()


def _field(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def _packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (128 if length else 0))
        if not length:
            return bytes([first, *digits]) + body


@dataclass(frozen=True)
class Programs:
    """Paths of what scripts/bench.sh has built."""

    board: str
    host: str
    paho: str


def run_board(programs: Programs, broker: Broker, work: Work, baud: int | None = None) -> Result:
    """The library on the virtual board: standard input and output, or a PTY of that speed."""
    options = ["--baud", str(baud)] if baud else ["--uart", "stdio"]
    board = subprocess.Popen([programs.board, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        source, sink = (_open_line(board), None) if baud else (board.stdout, board.stdin)
        command = [programs.host, str(board.pid), str(broker.port), *work.arguments()]
        return _measure(command, broker, work, source, sink or source)
    finally:
        board.kill()
        board.wait()


def _open_line(board: subprocess.Popen):
    path = board.stdout.readline().removeprefix(b"PTY ").strip()
    return os.fdopen(os.open(path, os.O_RDWR | os.O_NOCTTY), "r+b", buffering=0)


def run_paho(programs: Programs, broker: Broker, work: Work, window: int = 1) -> Result:
    kind = "receive" if work.kind == "receive" else "publish"
    command = [programs.paho, str(broker.port), *work.arguments(kind), str(window)]
    return _measure(command, broker, work, subprocess.DEVNULL, subprocess.DEVNULL)


def _measure(command: list[str], broker: Broker, work: Work, source, sink) -> Result:
    feed = Feed(broker.port, work) if work.kind == "receive" else None
    driver = subprocess.Popen(command, stdin=source, stdout=sink, stderr=subprocess.PIPE, text=True)
    line = driver.stderr.readline()
    fed_at = None
    if feed and line == "ready\n":
        fed_at = feed.send()
        line = driver.stderr.readline()
    if driver.wait() != 0:
        raise RuntimeError(f"{command[0]}: {line}{driver.stderr.read()}")
    if feed:
        feed.close()
    figures = json.loads(line)
    nanoseconds = figures["ended"] - (fed_at or figures["began"])
    return Result(nanoseconds / 1e9, figures["processor"] / 1e9, figures["own"] / 1e9, figures["heap"])
