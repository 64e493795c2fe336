"""The whole image: lwIP and Mbed TLS execute on the simulated chip as the library does, in the chip's RAM.

What it costs must not grow unnoticed, and what its RAM has no room for fails as on a chip and is told.
"""

import json
import os

import pytest

import whole
from board import VirtualBoard
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

    def start(*options):
        image = ["--cpu", "xt804", "--image", whole.build_whole_image()]
        boards.append(VirtualBoard(os.environ["W800_SIM"], tmp_path, "decoded", *image, *hosts(), *options))
        boards[-1].open()
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


def test_no_room_for_a_handshake(chip, brokers):
    """Mbed TLS asks for what is not there: the connection fails, the log says for whom and what, the board goes on."""
    board = chip("--heap", "50000")
    link = Link(board.port, board.host)
    link.configure(2)
    link.port.error(link.conn(brokers.port(2), timeout_ms=60_000), Code.MALLOC_FAILED, timeout=90)
    until(lambda: "no room in RAM" in board.log(), board.log)
    assert 'task "mqtt": no room in RAM for ' in board.log()
    assert "mbedtls/library/ssl_" in board.log()
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure()
    link.connect(brokers.mosquitto.port, timeout=60)
    link.port.ok("AT+MQTTCLEAN=0")


def test_no_room_for_a_task(chip):
    """What is left does not hold a link's stack: CONN fails, and the log says whose stack it was."""
    board = chip("--heap", "26000")
    link = Link(board.port, board.host)
    link.configure()
    link.port.error(link.conn(1), Code.START_FAILED)
    until(lambda: 'no room in RAM for the 8192 bytes of stack of task "mqtt"' in board.log(), board.log)
    link.port.ok("AT+MQTTCLEAN=0")
