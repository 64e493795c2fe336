"""The whole image: lwIP and Mbed TLS execute on the simulated chip as the library does, in the chip's RAM.

What it costs must not grow unnoticed, and what its RAM has no room for fails as on a chip and is told.
"""

import json
import os
import re

import pytest

import whole
from board import VirtualBoard
from certificates import LARGE
from link import Code, Link
from secure import hosts
from waiting import until

pytestmark = [pytest.mark.virtual("the simulated processor"), pytest.mark.once, pytest.mark.timeout(600)]

MOST = 1.05
NOISE = 5000
"""Instructions, or bytes, that lwIP's timers and a wake-up more may bring."""
MEASURED = ("TCP", "TLS, ECDSA", "TLS, RSA")


def grown(what, was, now, noise=NOISE):
    """What has become more than it may, by name."""
    if isinstance(was, dict):
        return [line for name in was for line in grown(f"{what}, {name}", was[name], now.get(name, 0), noise)]
    return [f"{what}: {was} -> {now}"] if now > was * MOST + noise else []


def test_what_it_costs():
    """At most 5 % more of instructions, RAM, stack, flash than recorded."""
    was, now = json.loads(whole.MEASURED.read_text()), whole.measure(MEASURED)
    worse = grown("flash", was["flash"], now["flash"], 0) + grown("static RAM", was["static"], now["static"], 40)
    for name in MEASURED:
        before, after = was["sessions"][name], now["sessions"][name]
        worse += grown(f"CONN, {name}", before["instructions"], after["instructions"])
        worse += grown(f"RAM, {name}", before["ram"], after["ram"], 2000)
        worse += grown(f"stack, {name}", before["stacks"], after["stacks"], 200)
        worse += grown(name, before["costs"], after["costs"], 1)
    assert not worse, "\n".join(worse)


@pytest.fixture
def chip(tmp_path):
    """Start boards of the whole image."""
    boards = []

    def start(*options, opened=True):
        image = ["--cpu", "xt804", "--image", whole.build_whole_image()]
        boards.append(VirtualBoard(os.environ["W800_SIM"], tmp_path, "decoded", *image, *hosts(), *options))
        if opened:
            boards[-1].open()
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


def test_no_room_for_a_handshake(chip, brokers):
    """The library keeps a reserve, and Mbed TLS may want more than that for one step, such as a large certificate: the
    connection fails, the log says for whom and what there was no room, the board goes on."""
    refused = re.compile(r'task "mqtt": no room in RAM for \d+ bytes for mbedtls/library/\w+\.c:\d+: \d+ bytes are free')
    for heap in range(80_000, 60_000, -2_000):
        board = chip("--heap", str(heap))
        link = Link(board.port, board.host)
        link.configure(2)
        answer = link.port.command(link.conn(brokers.port(2, f"{LARGE} bytes"), timeout_ms=60_000), 90)
        if answer.final == b"ERROR":
            assert answer.code == Code.MALLOC_FAILED
        if refused.search(board.log()):
            break
        board.stop()
    assert refused.search(board.log()), board.log()
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure()
    link.connect(brokers.mosquitto.port, timeout=60)
    link.port.ok("AT+MQTTCLEAN=0")


def test_no_room_for_a_task(chip):
    """The firmware does not even start: lwIP's task finds no room for its stack."""
    board = chip("--heap", "12000", opened=False)
    what = 'no room in RAM for the 4096 bytes of stack of task "tcpip"'
    until(lambda: what in board.log(), board.log, 60)
