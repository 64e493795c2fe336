"""What the chip's code costs must not grow unnoticed: `docs/measured.json` says what it was.

Instructions are counted on the simulated processor, so that no clock is in it. A change that is worth it writes the file
anew: `scripts/measure-target.sh --write`.
"""

import json

import pytest

import measure
from link import Link

pytestmark = [pytest.mark.virtual("the simulated processor's counts"), pytest.mark.timeout(300)]

MOST = 1.05
NOISE = 40
"""Instructions, or bytes, that a wake-up more may bring."""


def grown(name, was, now):
    return [f"{name} {what}: {was[what]} -> {now[what]}" for what in was if now[what] > was[what] * MOST + NOISE]


def test_commands_and_heap(new_chip, broker):
    """At most 5 % more of instructions, stack and heap than recorded."""
    was = json.loads(measure.MEASURED.read_text())
    now = measure.rounds(Link(new_chip.port, new_chip.host), broker, min)
    worse = grown("heap", was["heap"], now["heap"])
    for name, cost in was["commands"].items():
        worse += grown(name, cost, now["commands"][name])
    per_byte = "incoming message of 64 KiB, per byte"
    assert now["commands"][per_byte]["instructions"] <= was["commands"][per_byte]["instructions"] * MOST
    assert not worse, "\n".join(worse)


def test_flash_by_room():
    was = json.loads(measure.MEASURED.read_text())["flash"]
    now = measure.flash()
    names = ("text", "rodata", "data", "bss")
    rooms = [(room, *(dict(zip(names, sizes)) for sizes in (was[room], now.get(room, [0] * 4)))) for room in was]
    assert not [line for room, before, after in rooms for line in grown(room, before, after)]
