"""Random cuts of the network, over and over: nothing is lost at QoS 1 and 2, and subscriptions come back.

`W800_CUTS_SECONDS` says how long (scripts/nightly.sh: half an hour), `W800_CUTS_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest

from air import Air
from broker import Witness
from peer import Relay
from traffic import LEVELS, SETTLING_SECONDS, Feed, Host, arrived, command, judge

SECONDS = int(os.environ.get("W800_CUTS_SECONDS", "60"))

pytestmark = [
    pytest.mark.virtual("a network that can be made a bad one"),
    pytest.mark.timeout(SECONDS + SETTLING_SECONDS + 180),
]


def faults(air: Air, relay: Relay, dice: random.Random) -> list[Callable[[], None]]:
    """What may happen next."""
    return [
        lambda: air.cut(dice.uniform(0, 0.5), dice.uniform(0.6, 4)),
        lambda: air.cut(0, dice.uniform(10, 16)),
        lambda: air.cut_after(dice.randrange(4000)),
        lambda: air.set("loss", dice.randrange(40)),
        lambda: air.set("reorder", dice.randrange(50)),
        lambda: air.set("dup", dice.randrange(50)),
        lambda: air.set("delay", dice.randrange(100, 300), dice.randrange(100)),
        relay.cut,
        relay.cut,
        lambda: (air.cut(0, dice.uniform(0.5, 3)), relay.cut()),
    ]


def test_nothing_is_lost(link, own_broker, record_property):
    seed = os.environ.get("W800_CUTS_SEED") or str(random.SystemRandom().randrange(1 << 32))
    dice = random.Random(seed)
    air = Air(link.port)
    air.set("seed", dice.randrange(1 << 32))
    with Relay(own_broker.port, own_broker.address) as relay, Witness(own_broker, "up/+") as other:
        link.configure(client="cut", persistent=True, keepalive=3)
        link.connect(relay.port, reconnect=1)
        for qos in LEVELS:
            link.subscribe(f"down/{qos}", qos)
        subscriptions = link.port.command("AT+MQTTSUB?").lines
        host = Host(link, lambda number: b"up %d" % number, command)
        feed = Feed(own_broker, lambda number: b"down %d" % number)
        feed.start()
        try:
            run(host, air, faults(air, relay, dice), dice)
        finally:
            feed.stop()
        air.heal()
        host.settle(feed)
        link.publish("up/1", "end", 1)
        told = f"{len(host.confirmed)} up, {len(feed.sent)} down, {dict(host.events)}, {len(host.repeated)} repeated, seed {seed}"
        print(told)
        record_property("told", told)
        judge(host, feed, arrived(other))
        assert len(host.confirmed) > SECONDS / 10 and len(feed.sent) > SECONDS
        assert link.port.command("AT+MQTTSUB?").lines == subscriptions
        assert host.events["Disconnected"] > 0
        with Witness(own_broker) as last:
            last.publish("down/1", b"still subscribed", 1)
        assert link.port.message().data == b"still subscribed"


def run(host: Host, air: Air, choices: list[Callable[[], None]], dice: random.Random) -> None:
    """Faults of a few seconds, one or two at a time, with a moment of a sound network between them."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for fault in dice.sample(choices, dice.randint(1, 2)):
            fault()
        publish(host, min(end, time.monotonic() + dice.uniform(0.5, 5)))
        air.heal()
        publish(host, min(end, time.monotonic() + dice.uniform(0.5, 3)))


def publish(host: Host, until: float) -> None:
    while time.monotonic() < until:
        host.publish(1 + len(host.confirmed) % 2, until)
        time.sleep(0.02)
