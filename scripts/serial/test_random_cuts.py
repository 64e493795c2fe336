"""Random cuts of the network, over and over: nothing is lost at QoS 1 and 2, and subscriptions come back.

`W800_CUTS_SECONDS` says how long (scripts/nightly.sh: half an hour), `W800_CUTS_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from air import Air
from broker import Broker, Witness
from link import Code, Link
from peer import Relay

SECONDS = int(os.environ.get("W800_CUTS_SECONDS", "60"))
SETTLING_SECONDS = 120
"""What may be outstanding when the network is sound again is there by then: back-off and resends included."""

pytestmark = [
    pytest.mark.virtual("a network that can be made a bad one"),
    pytest.mark.timeout(SECONDS + SETTLING_SECONDS + 180),
]


class Feed(threading.Thread):
    """Publishes numbered messages to the board all the time, at QoS 1 and 2 in turn; counts what the broker took."""

    def __init__(self, broker: Broker, topic: str) -> None:
        super().__init__(daemon=True)
        self._witness = Witness(broker)
        self._topic = topic
        self._over = threading.Event()
        self.sent: list[tuple[int, bytes]] = []

    def run(self) -> None:
        while not self._over.wait(0.2):
            qos = 1 + len(self.sent) % 2
            payload = b"down %d" % len(self.sent)
            self._witness.publish(f"{self._topic}/{qos}", payload, qos)
            self.sent.append((qos, payload))

    def stop(self) -> None:
        self._over.set()
        self.join(30)
        self._witness.close()


class Host:
    """Publishes as a careful host does: what was not confirmed is published again."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.confirmed: list[tuple[int, bytes]] = []
        self.repeated: set[bytes] = set()
        self.received: Counter[bytes] = Counter()
        self.events: Counter[str] = Counter()

    def publish(self, qos: int, until: float) -> None:
        payload = b"up %d" % len(self.confirmed)
        while time.monotonic() < until:
            answer = self._link.port.command(b'AT+MQTTPUB=0,"up","%s",%d,0' % (payload, qos))
            self.collect()
            if answer.final == b"OK":
                self.confirmed.append((qos, payload))
                return
            assert answer.code in (Code.PUBLISH_FAILED, Code.DISCONNECTED), answer
            if answer.code == Code.PUBLISH_FAILED:
                # It stays in flight, so that it may arrive beside the one that is published again.
                self.repeated.add(payload)
            time.sleep(0.1)

    def collect(self) -> None:
        for event in self._link.port.events():
            self.events[type(event).__name__] += 1
            if hasattr(event, "data"):
                self.received[event.data] += 1


def wait_for(condition: Callable[[], bool], what: str, act: Callable[[], None]) -> None:
    deadline = time.monotonic() + SETTLING_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SETTLING_SECONDS} s: {what}"
        act()
        time.sleep(0.1)


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
    with Relay(own_broker.port, own_broker.address) as relay, Witness(own_broker, "up") as other:
        link.configure(client="cut", persistent=True, keepalive=3)
        link.connect(relay.port, reconnect=1)
        for qos in (1, 2):
            link.subscribe(f"down/{qos}", qos)
        subscriptions = link.port.command("AT+MQTTSUB?").lines
        host, feed = Host(link), Feed(own_broker, "down")
        feed.start()
        try:
            run(host, air, faults(air, relay, dice), dice)
        finally:
            feed.stop()
        air.heal()
        settle(link, host, feed)
        told = f"{len(host.confirmed)} up, {len(feed.sent)} down, {dict(host.events)}, {len(host.repeated)} repeated, seed {seed}"
        print(told)
        record_property("told", told)
        judge(host, feed, arrived(other))
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


def settle(link: Link, host: Host, feed: Feed) -> None:
    """The link is back, and all that the broker took for it is there."""
    wait_for(lambda: link.state() == 6, "connected again", host.collect)
    expected = {payload for _, payload in feed.sent}
    wait_for(lambda: expected <= host.received.keys(), "every message to the board", host.collect)
    link.publish("up", "end", 1)


def arrived(other: Witness) -> Counter[bytes]:
    """What came up to the last message of all."""
    seen: Counter[bytes] = Counter()
    while (payload := other.message(20).payload) != b"end":
        seen[payload] += 1
    return seen


def judge(host: Host, feed: Feed, seen: Counter[bytes]) -> None:
    lost = [payload for _, payload in host.confirmed if payload not in seen]
    assert not lost, f"confirmed and never delivered: {lost}"
    twice = [payload for qos, payload in host.confirmed if qos == 2 and payload not in host.repeated and seen[payload] > 1]
    assert not twice, f"delivered twice at QoS 2: {twice}"
    twice = [payload for qos, payload in feed.sent if qos == 2 and host.received[payload] > 1]
    assert not twice, f"printed twice at QoS 2: {twice}"
    assert len(host.confirmed) > SECONDS / 10 and len(feed.sent) > SECONDS
