"""One allocation fails, whichever: the documented code, no crash, nothing leaked, and everything works afterwards.

`AT+SYSHEAPFAIL` arms the n-th allocation behind it, of whoever asks: the library, Mbed TLS, lwIP, the AT server. Each
scenario is run for one n after the other until it ends without reaching it: a sample of them, `W800_HEAP_FAIL_SAMPLES` in each
scenario (scripts/nightly.sh: all).
"""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from atport import Answer, Surprise
from board import VirtualBoard
from broker import Witness
from link import CA, Code, Link
from peer import Relay
from resources import CLOSED_SECONDS, settled, settles
from secure import MUTUAL, PRESENTING, Brokers
from waiting import until

SECONDS = 60
"""For each single thing to happen: a lost connection is looked for again after seconds."""

OPTIONS = ("--rtc", "host", "--heap", str(200 * 1024))
BATCH = 50
"""After so many it is looked whether something was kept: lwIP takes seconds to forget a closed connection."""

SAMPLES = int(os.environ.get("W800_HEAP_FAIL_SAMPLES", "4"))
pytestmark = [
    pytest.mark.virtual("a heap that fails at will"),
    pytest.mark.timeout(300 + 10 * SAMPLES),
]

OK = "OK"
NO_MEMORY = "0x6005"
"""With whatever text."""

NO_TASK = "0x600b 0 no memory for a task"
UNTRUSTED = "0x6009 3 certificate not trusted"
"""Mbed TLS tells of a signature only that it could not be verified, not why."""

BOARDS_OWN = "an assertion of lwIP's"
_OWN = re.compile(r"^lwIP: .*(?:no memory for a (?:semaphore|mailbox)|MEMP_SYS_TIMEOUT is empty)", re.MULTILINE)
"""Where lwIP finds no memory for a timer, a semaphore or a mailbox the chip ends in an assertion, as the board does; the
library leaves them room, which does not help against a single allocation that fails."""

_ROW = re.compile(rb'\+SYSHEAPFAIL:(\d+),(\d+),"(.*)"')


@dataclass(frozen=True)
class Point:
    """What came of one failing allocation: how many were asked for, how many failed, and where the first."""

    outcome: str
    asked: int = 1
    failed: int = 1
    place: str = ""


@dataclass
class Scene:
    """A board, the broker of one scheme behind a path that can be cut, and a second client."""

    start: Callable[[], VirtualBoard]
    brokers: Brokers
    scheme: int
    relay: Relay
    other: Witness
    board: VirtualBoard | None = None
    before: tuple[int, int, list[bytes]] = (0, 0, [])
    count: int = 0

    @property
    def link(self) -> Link:
        return Link(self.board.port, self.board.host)

    def configure(self, **more: object) -> None:
        self.link.configure(self.scheme, client="failing", path="mqtt" if self.scheme > 5 else "", **more)

    def connect(self, reconnect: int = 0, **more: object) -> None:
        self.configure(**more)
        self.link.port.ok(self.link.conn(self.relay.port, reconnect), timeout=SECONDS)
        self.link.port.connected(SECONDS)

    def fresh(self) -> bytes:
        """A payload that nobody has seen."""
        self.count += 1
        return b"message %d" % self.count

    def outcome(self, answer: Answer) -> str:
        """`OK`, or code, stage and reason."""
        if answer.final in (b"OK", b"+MQTTPUB:OK"):
            return OK
        report = self.link.report()
        return NO_MEMORY if report.code == Code.MALLOC_FAILED else f"{report.code:#x} {report.stage} {report.text}"

    def run(self, scenario: Scenario, nth: int) -> Point:
        """Let the n-th allocation fail; then everything works."""
        if self.board is None or not self.board.alive:
            self.board = self.start()
            self.brokers.equip(self.link)
            self.works()
            self.before = settled(self.link.port, SECONDS, CLOSED_SECONDS / 2)
        scenario.prepare(self)
        try:
            point = self.fail(scenario, nth)
        except Surprise:
            if not self.ended_by_lwip():
                raise
            return Point(BOARDS_OWN)
        self.works()
        return point

    def ended_by_lwip(self) -> bool:
        """Whether the board has come to such an end; its port is closed a moment before."""
        with suppress(subprocess.TimeoutExpired):
            self.board.process.wait(5)
        return not self.board.alive and bool(_OWN.search(self.board.log()))

    def fail(self, scenario: Scenario, nth: int) -> Point:
        at = self.link.port
        at.ok(f"AT+SYSHEAPFAIL={nth}")
        outcome = scenario.act(self)
        row = _ROW.fullmatch(at.command("AT+SYSHEAPFAIL?").lines[0])
        at.ok("AT+SYSHEAPFAIL=0")
        return Point(outcome, int(row[1]), int(row[2]), row[3].decode())

    def works(self) -> None:
        """The link does what it should, and leaves no session behind."""
        self.link.clean()
        self.connect()
        self.link.subscribe("works", 1)
        payload = self.fresh()
        self.link.publish("works", payload, 1)
        assert self.link.port.message(SECONDS).data == payload
        self.link.clean()

    def kept_nothing(self) -> None:
        """As before, when lwIP has forgotten the closed connections."""
        if self.board.alive:
            settles(self.link.port, self.before, SECONDS)


def command(text: str) -> Callable[[Scene], str]:
    return lambda scene: scene.outcome(scene.link.port.command(text, SECONDS))


def conn(scene: Scene) -> str:
    return scene.outcome(scene.link.port.command(scene.link.conn(scene.relay.port), SECONDS))


def raw(qos: int, size: int) -> Callable[[Scene], str]:
    def act(scene: Scene) -> str:
        at = scene.link.port
        at.send(f'AT+MQTTPUBRAW=0,"raw",{size},{qos},0')
        if at.prompted(SECONDS):
            at.fill(random.Random(size).randbytes(size))
        return scene.outcome(at.answer(SECONDS))

    return act


def subscribed(scene: Scene) -> None:
    scene.connect(1, persistent=True)
    scene.link.subscribe("in", 1)


def receive(scene: Scene) -> str:
    """At QoS 1, in a session that the broker keeps: it comes, whatever fails on the way."""
    payload = scene.fresh()
    scene.other.publish("in", payload, 1)
    while scene.link.port.message(SECONDS).data != payload:
        pass
    return "OK"


def reconnect(scene: Scene) -> str:
    scene.relay.cut()
    scene.link.port.disconnected(SECONDS)
    scene.link.port.connected(SECONDS)
    return receive(scene)


def certificate(scene: Scene) -> str:
    at, data = scene.link.port, scene.brokers.certificates.authority_of("good")
    at.send(f"AT+MQTTCERT=0,{CA},{len(data)}")
    if at.prompted(SECONDS):
        at.fill(data)
    return scene.outcome(at.answer(SECONDS))


@dataclass(frozen=True)
class Scenario:
    """What is done when an allocation is about to fail, after what; `outcomes` may come of it besides OK and 0x6005."""

    prepare: Callable[[Scene], object]
    act: Callable[[Scene], str]
    outcomes: tuple[str, ...] = ()
    scheme: int = 1


SCENARIOS = {
    "USERCFG": Scenario(lambda scene: None, command('AT+MQTTUSERCFG=0,1,"failing","u","p",0,0,"path"')),
    "CONN": Scenario(Scene.configure, conn, (NO_TASK,)),
    "CONN by mutual TLS": Scenario(Scene.configure, conn, (NO_TASK, UNTRUSTED), 5),
    "CONN by WSS": Scenario(Scene.configure, conn, (NO_TASK, UNTRUSTED), 8),
    "SUB": Scenario(Scene.connect, command('AT+MQTTSUB=0,"in",2')),
    "UNSUB": Scenario(subscribed, command('AT+MQTTUNSUB=0,"in"')),
    **{f"PUB {qos}": Scenario(Scene.connect, command(f'AT+MQTTPUB=0,"out","x",{qos},0')) for qos in range(3)},
    **{f"PUBRAW {qos}": Scenario(Scene.connect, raw(qos, 600)) for qos in range(3)},
    "PUBRAW streamed": Scenario(Scene.connect, raw(0, 20_000)),
    "PUBRAW 1 of 20 KB": Scenario(Scene.connect, raw(1, 20_000)),
    "receive": Scenario(subscribed, receive),
    "reconnect": Scenario(subscribed, reconnect),
    "reconnect by mutual TLS": Scenario(subscribed, reconnect, (), 5),
    "CERT": Scenario(lambda scene: None, certificate),
    "CLEAN": Scenario(subscribed, command("AT+MQTTCLEAN=0")),
}


GROUPS = {
    "connecting": ["USERCFG", "CONN", "reconnect", "CLEAN", "CERT"],
    "commands": ["SUB", "UNSUB", "PUB 0", "PUB 1", "PUB 2", "receive"],
    "data phases": ["PUBRAW 0", "PUBRAW 1", "PUBRAW 2", "PUBRAW streamed", "PUBRAW 1 of 20 KB"],
    "mutual TLS": ["CONN by mutual TLS"],
    "WebSocket over TLS": ["CONN by WSS"],
    "mutual TLS again": ["reconnect by mutual TLS"],
}
"""Scenarios of one scheme, run on one board one after the other."""


def test_no_scenario_is_left_out():
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(SCENARIOS)


@pytest.mark.parametrize("names", GROUPS.values(), ids=GROUPS)
def test_an_allocation_fails(new_board, brokers, record_property, names):
    scheme = SCENARIOS[names[0]].scheme
    port = brokers.port(scheme, MUTUAL if scheme in PRESENTING else "good")
    with Relay(port, brokers.broker(scheme).address) as relay, brokers.witness(scheme) as other:
        scene = Scene(lambda: new_board(*OPTIONS), brokers, scheme, relay, other)
        told = [f"{name}: {sweep(scene, SCENARIOS[name])}" for name in names]
        scene.kept_nothing()
    record_property("told", "; ".join(told))


def sweep(scene: Scene, scenario: Scenario) -> str:
    """All points of one scenario, or a sample; what came of them."""
    asked = scene.run(scenario, 0).asked
    step = max(1, asked // SAMPLES)
    outcomes: Counter[str] = Counter()
    for number in itertools.count():
        point = scene.run(scenario, 1 + number * step)
        outcomes[point.outcome] += 1
        right = (OK, NO_MEMORY, BOARDS_OWN, *scenario.outcomes)
        assert point.outcome in right, f"allocation {1 + number * step}: {point}"
        if not point.failed:
            break
        if number % BATCH == BATCH - 1:
            scene.kept_nothing()
    return f"each {step} of {asked} allocations failed, {dict(outcomes)}"
