"""The same scenarios with brokers of four authors, and what of them a broker itself gets wrong.

A scenario returns what was observed, by the board's own answers and by paho as a second client. `SCENARIOS` has what is
right; `FAULTS` has what a broker's own fault makes of it, with the evidence. Both are asserted, so that a fault that a
new version no longer has fails here too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker import Server, Witness
from grammar import Message
from link import Link
from peer import Relay
from products import PRODUCTS
from waiting import until

SECONDS = 30
"""For each single thing to happen."""

LARGE = 100_000
USER = "guest"
"""Name and password: RabbitMQ's own, and the others take any. For nameless clients amqtt keeps nothing."""

MARKER = "marker"
"""The topic of a message behind which nothing is awaited."""


@dataclass(frozen=True)
class Scene:
    """A link in state 0 and a broker that has nothing of it."""

    link: Link
    server: Server

    def connect(self, port: int = 0, reconnect: int = 0, **configuration: object) -> None:
        self.link.configure(**{"user": USER, "password": USER} | configuration)
        self.link.connect(port or self.server.port, reconnect)

    def witness(self, *filters: str) -> Witness:
        return Witness(self.server, *filters, MARKER, user=USER)

    def forget(self, client: str) -> None:
        """No session stays at the broker."""
        self.link.clean()
        self.connect(client=client)

    def publish(self, topic: str, qos: int) -> list[str]:
        """By both commands; how each ended, and why where it did not well."""
        by_pub = self.link.port.command(f'AT+MQTTPUB=0,"{topic}","by PUB",{qos},0')
        if by_pub.final != b"OK":
            return [f"{by_pub.code:#x} {self.link.report().text}"]
        self.link.publish_raw(topic, b"by PUBRAW", qos)
        return ["OK", "OK"]

    def arrived(self, last: bytes) -> list[bytes]:
        """The messages at the board up to this one."""
        came = []
        while not came or came[-1] != last:
            came.append(self.link.port.message(SECONDS).data)
        return came


def seen(other: Witness) -> list[tuple[bytes, int, bool]]:
    """What the second client got until now: payload, QoS, retained.

    A message at QoS 2 is there with its PUBREL, which a marker at QoS 1 may overtake. Another marker, sent when the first is
    there, is behind it: the broker has had the PUBREC before that.
    """
    messages = []
    for _ in range(2):
        other.publish(MARKER, b"", 1)
        while (message := other.message(SECONDS)).topic != MARKER:
            messages.append((message.payload, message.qos, message.retain))
    return messages


def up(qos: int) -> Callable[[Scene], object]:
    def run(scene: Scene) -> object:
        scene.connect()
        with scene.witness(f"up/{qos}") as other:
            return scene.publish(f"up/{qos}", qos), seen(other)

    return run


def down(qos: int) -> Callable[[Scene], object]:
    def run(scene: Scene) -> object:
        scene.connect()
        scene.link.subscribe(f"down/{qos}", qos)
        granted = [int(row.rpartition(b",")[2]) for row in scene.link.port.command("AT+MQTTSUB?").lines]
        with scene.witness() as other:
            for number in range(3):
                other.publish(f"down/{qos}", b"%d" % number, qos)
        return granted, scene.arrived(b"2")

    return run


def retained(scene: Scene) -> object:
    """Kept for whoever comes later, second client and board, and forgotten when it is empty."""
    scene.connect()
    scene.link.publish("retained", "kept", 1, 1)
    with scene.witness("retained") as other:
        late = other.message(SECONDS)
    scene.link.subscribe("retained", 1)
    at_board = scene.arrived(b"kept")
    scene.link.publish("retained", "", 1, 1)
    scene.arrived(b"")
    with scene.witness("retained") as other:
        return (late.payload, late.retain), at_board, seen(other)


def will(scene: Scene) -> object:
    with Relay(scene.server.port, scene.server.address) as relay, scene.witness("will") as other:
        scene.connect(relay.port, client="will", will=("will", "gone", 1, 0))
        relay.cut()
        message = other.message(SECONDS)
        return message.payload, message.qos, message.retain


def will_of_one_that_leaves(scene: Scene) -> object:
    with scene.witness("will") as other:
        scene.connect(client="leaving", will=("will", "gone", 1, 0))
        scene.link.clean()
        # A broker that would publish it does so before it takes the next connection of the same client.
        scene.connect(client="leaving")
        return seen(other)


def queued(scene: Scene) -> object:
    """What came while the board was off is there when it is back, in order."""
    with Relay(scene.server.port, scene.server.address) as relay:
        scene.connect(relay.port, reconnect=1, client="queued", persistent=True)
        scene.link.subscribe("queued", 1)
        relay.cut(refuse=True)
        scene.link.port.disconnected(SECONDS)
        with scene.witness() as other:
            for number in range(5):
                other.publish("queued", b"%d" % number, 1)
            relay.restore()
            scene.link.port.connected(SECONDS)
            # Not before: aedes takes them from its store one by one, and what is new goes past them.
            came = scene.arrived(b"4")
            other.publish("queued", b"and now", 1)
        came += scene.arrived(b"and now")
    scene.forget("queued")
    return came


def large(scene: Scene) -> object:
    """100,000 bytes each way, up at QoS 0: a heap of 100 KiB has no room for them."""
    payload = random.Random(LARGE).randbytes(LARGE)
    scene.connect()
    with scene.witness("large/up") as other:
        scene.link.publish_raw("large/up", payload)
        up = other.message(SECONDS).payload == payload
        scene.link.subscribe("large/down", 1)
        other.publish("large/down", payload, 1)
        return up, scene.link.port.message(SECONDS).data == payload


def restarted(scene: Scene) -> object:
    """The broker ends and comes back: the board finds it again, and its subscription works."""
    scene.connect(reconnect=1, client="restarted")
    scene.link.subscribe("restarted/down", 1)
    scene.server.stop()
    scene.link.port.disconnected(SECONDS)
    scene.server.start()
    scene.link.port.connected(2 * SECONDS)
    with scene.witness("restarted/up") as other:
        came: set[bytes] = set()

        def subscribed() -> bool:
            # The board asks again behind its connection; what is published before that is for nobody.
            other.publish("restarted/down", b"down", 1)
            came.update(event.data for event in scene.link.port.events() if isinstance(event, Message))
            return bool(came)

        until(subscribed, "a message at the board", SECONDS)
        return came, scene.publish("restarted/up", 1), seen(other)


BY_BOTH = ["OK", "OK"]


def both(qos: int) -> list[tuple[bytes, int, bool]]:
    return [(b"by PUB", qos, False), (b"by PUBRAW", qos, False)]


SCENARIOS: dict[str, tuple[Callable[[Scene], object], object]] = {
    "up at QoS 0": (up(0), (BY_BOTH, both(0))),
    "up at QoS 1": (up(1), (BY_BOTH, both(1))),
    "up at QoS 2": (up(2), (BY_BOTH, both(2))),
    "down at QoS 0": (down(0), ([0], [b"0", b"1", b"2"])),
    "down at QoS 1": (down(1), ([1], [b"0", b"1", b"2"])),
    "down at QoS 2": (down(2), ([2], [b"0", b"1", b"2"])),
    "retained": (retained, ((b"kept", True), [b"kept"], [])),
    "will": (will, (b"gone", 1, False)),
    "no will": (will_of_one_that_leaves, []),
    "queued while off": (queued, [b"0", b"1", b"2", b"3", b"4", b"and now"]),
    "100 KB both ways": (large, (True, True)),
    "broker restarted": (restarted, ({b"down"}, BY_BOTH, both(1))),
}
"""What is done, and what is right."""

FAULTS: dict[str, dict[str, object]] = {
    "mosquitto": {},
    "aedes": {},
    # It delivers at the QoS of the subscription, here 2, whatever the message was published at: [MQTT-3.8.4-6] wants the
    # lesser of the two. amqtt 0.12.1, broker.py, `_process_broadcast_message`: `qos = broadcast.get("qos", sub_qos)`, where
    # only retained messages of the broker's own bring a QoS.
    "amqtt": {
        "up at QoS 0": (BY_BOTH, both(2)),
        "up at QoS 1": (BY_BOTH, both(2)),
        "broker restarted": ({b"down"}, BY_BOTH, both(2)),
    },
    # It has no QoS 2. A subscription is granted QoS 1, as MQTT allows. A publication at QoS 2 (34 06 00 01 74 00 07 78) is
    # answered by PUBACK (40 02 00 07) where [MQTT-4.3.3-2] wants PUBREC: the board ends such a connection, although the
    # subscriber has got the message. RabbitMQ 3.10.8; by hand with a socket, without the board.
    "rabbitmq": {
        "up at QoS 2": (["0x600c packet out of turn"], both(1)[:1]),
        "down at QoS 2": ([1], [b"0", b"1", b"2"]),
    },
}
"""Brokers' own faults: what is observed because of them. Each is fixed where a new version of a broker no longer has it."""

ON_THE_CHIP = {"amqtt": ["up at QoS 2", "down at QoS 2"]}
"""What the code for the chip meets too: its link is the same, and mosquitto and aedes are met by all other tests."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everything = {name: list(SCENARIOS) for name in PRODUCTS}
    chosen = ON_THE_CHIP if metafunc.config.getoption("--cpu") == "xt804" else everything
    metafunc.parametrize(("product", "scenarios"), chosen.items(), ids=chosen)


@pytest.mark.timeout(400)
def test_a_broker(link: Link, product: str, scenarios: list[str], tmp_path: Path, address: str) -> None:
    """All scenarios in one process of the broker: some take longer to start than the scenarios do."""
    right = {name: SCENARIOS[name][1] for name in scenarios} | {
        name: fault for name, fault in FAULTS[product].items() if name in scenarios
    }
    with PRODUCTS[product](tmp_path, address) as server:
        assert {name: observed(link, server, name) for name in scenarios} == right


def observed(link: Link, server: Server, name: str) -> object:
    link.clean()
    try:
        return SCENARIOS[name][0](Scene(link, server))
    except AssertionError as error:
        error.add_note(f"in the scenario {name!r}; {server.name}:\n{server.log()[-2000:]}")
        raise
