"""What the chip's code costs: instructions and stack of each command, counted on the simulated processor, flash and RAM.

`scripts/measure-target.sh` prints it as a table; `test_measured.py` holds a build to `docs/measured.json`.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from board import REPOSITORY, VirtualBoard, build_image, build_virtual_board
from broker import Broker, Witness
from link import Link

MEASURED = REPOSITORY / "docs/measured.json"
MEGAHERTZ = 240
TIMES = 20
ROUNDS, ROUNDS_TO_RECORD = 3, 12
SMALL, LARGE = b"x" * 100, b"x" * 65536

_ROW = re.compile(rb'\+SYSCPU:"(.*)",(\d+),\d+,\d+,\d+,(\d+)')
_SHARE = re.compile(rb'\+SYSHEAPBY:"other",(\d+),(\d+)')


@dataclass
class Cost:
    """Of one action: instructions of all tasks, and the most bytes of two tasks' stacks."""

    instructions: int
    at_stack: int
    link_stack: int


class Meter:
    """A board whose processor counts."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def figures(self) -> dict[str, tuple[int, int]]:
        """Instructions and high-water mark by task."""
        rows = (_ROW.fullmatch(line) for line in self.link.port.command("AT+SYSCPU?").lines)
        return {row[1].decode(): (int(row[2]), int(row[3])) for row in rows if row}

    def total(self) -> int:
        return sum(instructions for instructions, _ in self.figures().values())

    def cost(self, action: Callable[[], None], times: int = TIMES) -> Cost:
        """The mean of so many."""
        self.link.port.ok("AT+SYSCPU=0")
        before = self.total()
        for _ in range(times):
            action()
        after = self.figures()
        executed = sum(instructions for instructions, _ in after.values()) - before
        stack = {name: mark for name, (_, mark) in after.items()}
        return Cost(round(executed / times), stack.get("at proc", 0), stack.get("mqtt", 0))


def measure(link: Link, broker: Broker) -> dict:
    """All of it, of a link that is not configured."""
    meter = Meter(link)
    link.configure()
    link.port.ok("AT+SYSHEAPBY=0")
    idle, _ = heap(link)
    costs = {"CONN on TCP": meter.cost(lambda: link.connect(broker.port), 1)}
    used, peak = heap(link)
    for qos in range(3):
        costs[f"PUB, 100 bytes, QoS {qos}"] = meter.cost(lambda qos=qos: link.publish("t", SMALL, qos))
    costs["SUB"] = meter.cost(lambda: link.subscribe("in", 0), 1)
    witness = Witness(broker)
    costs["incoming message of 100 bytes"] = meter.cost(lambda: bring(link, witness, SMALL))
    large = meter.cost(lambda: bring(link, witness, LARGE), 4)
    costs["incoming message of 64 KiB, per byte"] = Cost(
        round(large.instructions / len(LARGE), 2), large.at_stack, large.link_stack
    )
    return {"commands": {name: vars(cost) for name, cost in costs.items()}, "heap": {"used": used - idle, "peak": peak - idle}}


def combined(one: dict | float, other: dict | float, choose: Callable) -> dict | float:
    """Figure by figure, of two measurements."""
    return {name: combined(one[name], other[name], choose) for name in one} if isinstance(one, dict) else choose(one, other)


def rounds(link: Link, broker: Broker, choose: Callable, count: int = ROUNDS) -> dict:
    """A task that is woken at another moment takes another path: of some rounds the least or the most of each figure."""
    all_of_them = []
    for _ in range(count):
        all_of_them.append(measure(link, broker))
        link.clean()
    return functools.reduce(lambda one, other: combined(one, other, choose), all_of_them)


def bring(link: Link, witness: Witness, payload: bytes) -> None:
    witness.publish("in", payload)
    assert link.port.message(20).data == payload


def heap(link: Link) -> tuple[int, int]:
    """Bytes of the chip's heap in use, and the most since the marks were begun anew."""
    rows = (_SHARE.fullmatch(line) for line in link.port.command("AT+SYSHEAPBY?").lines)
    row = next(row for row in rows if row)
    return int(row[1]), int(row[2])


def flash() -> dict[str, list[int]]:
    """Bytes by room: text, rodata, data, bss."""
    built = subprocess.run([REPOSITORY / "scripts/build-target.sh"], stdout=subprocess.PIPE, check=True, text=True)
    rows = (line.split() for line in built.stdout.splitlines()[2:])
    return {row[0]: [int(number) for number in row[1:]] for row in rows}


def table(measured: dict) -> str:
    lines = ["| | instructions | µs at 240 MHz, at least | stack of the AT task | stack of the link's task |"]
    lines.append("|---|--:|--:|--:|--:|")
    for name, cost in measured["commands"].items():
        count = cost["instructions"]
        lines.append(f"| {name} | {count:,} | {count / MEGAHERTZ:.3g} | {cost['at_stack']} | {cost['link_stack']} |")
    lines += ["", "| room | text | rodata | data | bss |", "|---|--:|--:|--:|--:|"]
    lines += [f"| {room} | " + " | ".join(f"{size:,}" for size in sizes) + " |" for room, sizes in measured["flash"].items()]
    share = measured["heap"]
    lines += ["", f"Heap of one connection on TCP: {share['used']:,} bytes in use, {share['peak']:,} at the most."]
    return "\n".join(lines)


def main() -> None:
    program, image = build_virtual_board(), build_image()
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        board = VirtualBoard(program, Path(folder), "decoded", "--cpu", "xt804", "--image", image)
        board.open()
        try:
            measured = {**rounds(Link(board.port, board.host), broker, max, ROUNDS_TO_RECORD), "flash": flash()}
        finally:
            board.stop()
    if "--write" in sys.argv[1:]:
        MEASURED.write_text(json.dumps(measured, indent=2) + "\n")
    print(table(measured))


if __name__ == "__main__":
    main()
