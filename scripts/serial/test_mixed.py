"""Mixed traffic for as long as one likes: several QoS, up to 20 KB, both ways, lost connections, TLS now and then.

Nothing is lost at QoS 1 and 2, nothing comes twice at QoS 2, and neither the board's heap nor its process grows.
`W800_MIXED_SECONDS` says how long (scripts/nightly.sh: an hour), `W800_MIXED_SEED` repeats a run.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections import Counter

import pytest

from broker import Witness
from link import Link
from peer import Relay
from resources import CLOSED_SECONDS, settled, settles
from secure import Brokers
from test_soak import FORGOTTEN_SECONDS, LEAVING_SECONDS, RESIDENT_GROWTH, memory
from traffic import SETTLING_SECONDS, Feed, Host, arrived, data_phase, judge
from waiting import until

SECONDS = int(os.environ.get("W800_MIXED_SECONDS", "20"))
LIFE_SECONDS = min(60, SECONDS / 3)
"""At most; then another scheme takes the session over."""

SCHEMES = (1, 3, 1)
LEVELS = (0, 1, 2)
SIZES = (0, 1, 20, 200, 1_500, 5_000, 20_000)
CUTS = (0.5, 6.0)
"""Seconds between two cuts, at least and at most."""

BOARD = ("--rtc", "host")
HEAP = 200 * 1024
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.clock,
    pytest.mark.virtual("figures of the heap and its process"),
    pytest.mark.timeout(2 * SECONDS + 3 * SETTLING_SECONDS + LEAVING_SECONDS + FORGOTTEN_SECONDS),
]


def test_nothing_is_lost_and_nothing_kept(board, link, brokers, record_property):
    seed = os.environ.get("W800_MIXED_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    dice, counts = random.Random(seed), Counter()
    brokers.equip(link)
    for scheme in set(SCHEMES):
        life(link, brokers, scheme, 2, dice, counts)
    before, resident = settled(link.port, LEAVING_SECONDS, CLOSED_SECONDS), memory(board)
    counts.clear()
    end, most = time.monotonic() + SECONDS, 0
    for scheme in itertools.cycle(SCHEMES):
        life(link, brokers, scheme, min(LIFE_SECONDS, end - time.monotonic()), dice, counts)
        most = max(most, memory(board) - resident)
        if time.monotonic() > end:
            break
    forget(link, brokers)
    settles(link.port, before, LEAVING_SECONDS)
    until(lambda: memory(board) - resident < RESIDENT_GROWTH, f"{most} bytes more resident", FORGOTTEN_SECONDS, 1)
    grown = memory(board) - resident
    record_property("told", f"{dict(counts)}; heap as before, {most} bytes more resident, {grown} at last; seed {seed}")
    assert counts["up"] > SECONDS and counts["down"] > SECONDS and counts["cuts"] > 0


def life(link: Link, brokers: Brokers, scheme: int, seconds: float, dice: random.Random, counts: Counter[str]) -> None:
    """One configuration in a session that the broker keeps, cut again and again."""
    broker = brokers.broker(scheme)
    with Relay(brokers.port(scheme), broker.address) as relay, Witness(broker, "up/+") as other:
        link.configure(scheme, client="mixed", persistent=True)
        link.connect(relay.port, reconnect=1)
        for qos in LEVELS:
            link.subscribe(f"down/{qos}", qos)
        host = Host(link, lambda number: payload(b"up", number), data_phase)
        feed = Feed(broker, lambda number: payload(b"down", number), LEVELS)
        feed.start()
        try:
            counts["cuts"] += live(host, relay, seconds, dice)
        finally:
            feed.stop()
        host.settle(feed)
        # The broker has the board's answers to all messages before it has this one.
        link.publish("up/1", "end", 1)
        judge(host, feed, arrived(other))
    link.clean()
    counts.update(up=len(host.confirmed), down=len(feed.sent), repeated=len(host.repeated), lives=1)


def live(host: Host, relay: Relay, seconds: float, dice: random.Random) -> int:
    """Messages up until the time is over, and after a moment of them a cut; how many cuts."""
    end, cuts = time.monotonic() + seconds, 0
    while (now := time.monotonic()) < end:
        cut = now + dice.uniform(*CUTS)
        while time.monotonic() < min(cut, end):
            host.publish(LEVELS[len(host.confirmed) % len(LEVELS)], end)
        if cut < end:
            relay.cut()
            cuts += 1
    return cuts


def payload(way: bytes, number: int) -> bytes:
    """Of one of the sizes; where there is room it begins with its number."""
    dice = random.Random(number)
    size = dice.choice(SIZES)
    return (b"%s %d " % (way, number) + dice.randbytes(size))[:size]


def forget(link: Link, brokers: Brokers) -> None:
    """The broker drops the session."""
    link.configure(client="mixed")
    link.connect(brokers.port(1))
    link.clean()
