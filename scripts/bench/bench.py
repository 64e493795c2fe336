"""Runs the measurements that scripts/bench.sh has built the programs for, and prints their table."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from parties import BROKER_OPTIONS, Broker, Programs, Result, Work, run_board, run_paho

MIB = 1 << 20
BITS_PER_BYTE = 10
"""A start bit, eight of data and a stop bit."""


@dataclass(frozen=True)
class Row:
    """One line of the table: each side does so much of it that it takes a while, and its unit of work is compared."""

    title: str
    board: Work
    paho: Work
    unit: int = 1
    window: int = 1


def rows() -> list[Row]:
    small = [(0, 3000, 40000), (1, 1000, 5000), (2, 1000, 5000)]
    publish = [
        Row(f"publish 100 bytes, QoS {qos}", Work("publish", board, 100, qos), Work("publish", paho, 100, qos))
        for qos, board, paho in small
    ]
    at_once = [
        Row(f"the same, QoS {row.board.qos}, Paho with 8 in flight", row.board, row.paho, window=8)
        for row in publish[1:]
    ]
    out, back = Work("raw", 64, MIB // 64), Work("receive", 4, MIB)
    return [
        *publish,
        *at_once,
        Row("receive 100 bytes, QoS 0", Work("receive", 40000, 100), Work("receive", 40000, 100)),
        Row("1 MiB out, in pieces of 16 KiB, QoS 0", out, Work("raw", 64 * 16, MIB // 64), unit=64),
        Row("1 MiB in, one message, QoS 0", back, Work("receive", 16, MIB)),
    ]


class Series:
    """What several rounds of one measurement gave, per unit of work."""

    def __init__(self, work: Work, unit: int) -> None:
        self._units = work.count / unit
        self._results: list[Result] = []

    def add(self, result: Result) -> None:
        self._results.append(result)

    def _all(self, figure: Callable[[Result], float]) -> list[float]:
        return sorted(figure(result) for result in self._results)

    @property
    def rates(self) -> list[float]:
        """Units per second, the slowest round first."""
        return self._all(lambda result: self._units / result.seconds)

    @property
    def processor(self) -> float:
        """Seconds for each unit."""
        return median(self._all(lambda result: result.processor / self._units))

    @property
    def heap(self) -> float:
        """KiB."""
        return median(self._all(lambda result: result.heap / 1024))

    @property
    def driver(self) -> float:
        """The most that the AT host's own work took of the time."""
        return max(self._all(lambda result: result.driver / result.seconds))


def compare(programs: Programs, broker: Broker, rounds: int) -> None:
    table = [(row, Series(row.board, row.unit), Series(row.paho, row.unit)) for row in rows()]
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        for row, board, paho in table:
            board.add(run_board(programs, broker, row.board))
            paho.add(run_paho(programs, broker, row.paho, row.window))
    print_table(table)
    busiest = max(board.driver for _, board, _ in table)
    print(CONDITIONS.format(rounds=rounds, driver=busiest))


def print_table(table: list[tuple[Row, Series, Series]]) -> None:
    print("\n| | board, per s (slowest–fastest) | Paho, per s (slowest–fastest) | ratio "
          "| processor for each: board | Paho | ratio | heap KiB: board | Paho | ratio |")
    print("|---|" + "--:|" * 9)
    for row, board, paho in table:
        cells = [
            row.title,
            *(spread(board.rates), spread(paho.rates), ratio(median(board.rates), median(paho.rates))),
            *(time_of(board.processor), time_of(paho.processor), ratio(board.processor, paho.processor)),
            *(f"{board.heap:,.0f}", f"{paho.heap:,.0f}", ratio(board.heap, paho.heap)),
        ]
        print(f"| {' | '.join(cells)} |")


def spread(rates: list[float]) -> str:
    figures = (median(rates), rates[0], rates[-1])
    middle, least, most = (f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}" for rate in figures)
    return f"{middle} ({least}–{most})"


def ratio(board: float, paho: float) -> str:
    return f"{board / paho:,.0f}" if board >= 100 * paho else f"{board / paho:.2g}"


def time_of(seconds: float) -> str:
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


CONDITIONS = """
Medians of {rounds} rounds against one mosquitto, in turns; a ratio is board / Paho. Each measurement is a process of
its own. Publishing ends with the broker's acknowledgement of one more message at QoS 1, receiving with the last byte,
counted from the feed's first.

- Board: the release build of w800-sim, unpaced, on standard input and output. A host in C sends a command and waits for
  its OK; that host was busy for at most {driver:.0%} of the time. Traffic goes through lwIP and libslirp, a network in
  user mode; the chip's tasks are threads that hand one processor on to each other.
- Paho: Debian's libpaho-mqtt3c, straight on the loopback; no serial line, no command to read. One message at a time is
  in flight as on the board, but for the rows that say 8; at QoS 0 it waits for nothing.
- Processor: user and system time of the process: the board's is all of it, network, task switches and AT server too.
- Heap: the peak above what was in use before the first MQTT command, or before the client was created. The board's is
  the chip's heap, with lwIP's buffers and the stack of the library's task; the library's static memory comes on top.
  Paho's is malloc alone, without its threads' stacks and the kernel's socket buffers; 128 KiB of it are its trace.
- Receiving: 100 bytes are a line of 129. The beginning of the burst overruns the board's mailboxes; what is lost comes
  again after libslirp's time-out of more than a second, mostly once a round, and that is in the board's rate."""


def line_share(programs: Programs, broker: Broker, rounds: int, baud: int) -> None:
    """The share of the line's time that is payload, in both directions."""
    works = {
        "out: PUBRAW of 1 MiB in pieces of 16 KiB, QoS 0": Work("raw", 64, MIB // 64),
        "in: one message of 1 MiB, QoS 0": Work("receive", 1, MIB),
    }
    print("\n| | bytes/s | share of the line | slowest | fastest |\n|---|--:|--:|--:|--:|")
    for title, work in works.items():
        speeds = sorted(MIB / run_board(programs, broker, work, baud).seconds for _ in range(rounds))
        middle, least, most = (speed * BITS_PER_BYTE / baud for speed in (median(speeds), speeds[0], speeds[-1]))
        print(f"| {title} | {median(speeds):,.0f} | {middle:.1%} | {least:.1%} | {most:.1%} |", flush=True)
    print(f"""
Medians of {rounds} on a PTY that is paced like a line of {baud:,} baud, ten bits a byte. The time is that of all:
commands, prompts and results in the one direction, the line's head in the other.""")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__)
    for name in ("board", "host", "paho"):
        parser.add_argument(name)
    parser.add_argument("--rounds", type=int, help="of each measurement (default 5, or 3 with --baud)")
    parser.add_argument("--baud", type=int, help="measure the share of a line of that speed, and nothing else")
    options = parser.parse_args()
    programs = Programs(options.board, options.host, options.paho)
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder), extra=BROKER_OPTIONS) as broker:
        if options.baud:
            line_share(programs, broker, options.rounds or 3, options.baud)
        else:
            compare(programs, broker, options.rounds or 5)


if __name__ == "__main__":
    main()
