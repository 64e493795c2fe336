"""Numbered messages in both directions for as long as a test likes, whatever becomes of the network, and the verdict on them.

A careful host publishes again what was not confirmed; nothing of QoS 1 and 2 may be lost then, and nothing of QoS 2 may come
twice. Topics are `up/<QoS>` and `down/<QoS>`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from atport import Answer
from broker import Broker, Witness
from link import Code, Link
from waiting import until

LEVELS = (1, 2)
"""Of which nothing may be lost."""

SETTLING_SECONDS = 120
"""What may be outstanding when the network is sound again is there by then: back-off and resends included."""

Payload = Callable[[int], bytes]
"""The payload of the message with this number."""

PUBLISHED = (b"OK", b"+MQTTPUB:OK")


class Feed(threading.Thread):
    """Publishes to the board all the time, at each QoS of `levels` in turn."""

    def __init__(self, broker: Broker, payload: Payload, levels: tuple[int, ...] = LEVELS) -> None:
        super().__init__(daemon=True)
        self._witness = Witness(broker)
        self._payload, self._levels = payload, levels
        self._over = threading.Event()
        self.sent: list[tuple[int, bytes]] = []

    def run(self) -> None:
        while not self._over.wait(0.2):
            qos = self._levels[len(self.sent) % len(self._levels)]
            payload = self._payload(len(self.sent))
            self._witness.publish(f"down/{qos}", payload, qos)
            self.sent.append((qos, payload))

    def stop(self) -> None:
        self._over.set()
        self.join(30)
        self._witness.close()


class Host:
    """Publishes as a careful host does: what was not confirmed is published again."""

    def __init__(self, link: Link, payload: Payload, send: Callable[[Link, bytes, bytes, int], Answer]) -> None:
        self._link, self._payload, self._send = link, payload, send
        self.confirmed: list[tuple[int, bytes]] = []
        self.repeated: set[bytes] = set()
        self.received: Counter[tuple[int, bytes]] = Counter()
        self.events: Counter[str] = Counter()

    def publish(self, qos: int, end: float) -> None:
        """The next message, until it is confirmed or the time is over."""
        payload = self._payload(len(self.confirmed))
        while time.monotonic() < end:
            answer = self._send(self._link, b"up/%d" % qos, payload, qos)
            self.collect()
            if answer.final in PUBLISHED:
                self.confirmed.append((qos, payload))
                return
            failed = answer.final == b"+MQTTPUB:FAIL" or answer.code == Code.PUBLISH_FAILED
            assert failed or answer.code == Code.DISCONNECTED, answer
            if failed:
                # It stays in flight, so that it may arrive beside the one that is published again.
                self.repeated.add(payload)
            time.sleep(0.1)

    def collect(self) -> None:
        for event in self._link.port.events():
            self.events[type(event).__name__] += 1
            if hasattr(event, "data"):
                self.received[int(event.topic[-1:]), event.data] += 1

    def settle(self, feed: Feed) -> None:
        """The link is back, and all that the broker took for it is there."""
        self._collect_until(lambda: self._link.state() == 6, "connected again")
        expected = Counter(one for one in feed.sent if one[0] in LEVELS)
        self._collect_until(lambda: expected <= self.received, "every message to the board")

    def _collect_until(self, condition: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            self.collect()
            return condition()

        until(holds, what, SETTLING_SECONDS, 0.1)


def command(link: Link, topic: bytes, payload: bytes, qos: int) -> Answer:
    """By PUB."""
    return link.port.command(b'AT+MQTTPUB=0,"%s","%s",%d,0' % (topic, payload, qos))


def data_phase(link: Link, topic: bytes, payload: bytes, qos: int) -> Answer:
    """By PUBRAW, where there is anything to send; in it a lost connection is seen by the result alone."""
    if not payload:
        return command(link, topic, payload, qos)
    at = link.port
    at.send(b'AT+MQTTPUBRAW=0,"%s",%d,%d,0' % (topic, len(payload), qos))
    if at.prompted():
        at.fill(payload)
    return at.answer(60)


def arrived(other: Witness) -> Counter[tuple[int, bytes]]:
    """What came up to the message `end` of QoS 1, which was published behind all others."""
    seen: Counter[tuple[int, bytes]] = Counter()
    while (message := other.message(20)).payload != b"end":
        seen[int(message.topic[-1:]), message.payload] += 1
    return seen


def judge(host: Host, feed: Feed, seen: Counter[tuple[int, bytes]]) -> None:
    """Nothing lost at QoS 1 and 2, nothing twice at QoS 2."""
    up = Counter(one for one in host.confirmed if one[0] in LEVELS)
    down = Counter(one for one in feed.sent if one[0] in LEVELS)
    for what, sent, came in (("confirmed and never delivered", up, seen), ("taken and never printed", down, host.received)):
        assert sent <= came, f"{what}: {[(qos, data[:40]) for qos, data in sent - came]}"
        twice = [data[:40] for qos, data in came - sent if qos == 2 and data not in host.repeated]
        assert not twice, f"twice at QoS 2, beside what was {what.split()[0]}: {twice}"
