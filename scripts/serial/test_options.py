"""Build options at the serial port: a board of its own, made here with two links, no TLS, no additions and no error lines.

What each option does to the archive for the chip is held by `tests/options.rs`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

import pytest

from atport import AtPort, quote
from board import HOST_LOOPBACK, REPOSITORY, VirtualBoard, build_image, build_virtual_board
from broker import Broker, Witness
from peer import PUBACK, PUBLISH, Connection, Peer, acknowledgement, publish
from resources import heap, tasks

pytestmark = [pytest.mark.virtual, pytest.mark.timeout(600)]

STACK, DEFAULT_STACK = 6144, 8192
OPTIONS = {
    "LINKS": "2",
    "ARENA_BYTES": "2048",
    "TASK_STACK": str(STACK),
    "TASK_PRIORITY": "4",
    "ADDITIONS": "n",
    "ERROR_LINES": "n",
    "TLS": "n",
}
LINKS = (0, 1)
FLOOD = 60


@pytest.fixture(scope="session")
def programs() -> tuple[str, str | None]:
    """The board and, where that is to run one, the image."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in OPTIONS.items():
            environment.setenv(f"W800_MQTT_AT_{name}", value)
        environment.setenv("CARGO_TARGET_DIR", str(REPOSITORY / "target" / "options"))
        return build_virtual_board(), build_image() if "W800_SIM_IMAGE" in os.environ else None


@pytest.fixture
def at(programs, argv, tmp_path, monkeypatch) -> Iterator[AtPort]:
    program, image = programs
    if image:
        monkeypatch.setenv("W800_SIM_IMAGE", image)
    board = VirtualBoard(program, tmp_path, argv)
    yield board.open()
    assert board.alive
    board.stop()


@pytest.fixture
def both(at: AtPort, broker: Broker) -> AtPort:
    """Link n is connected as client `link-n` and has subscribed to `to/n`."""
    for link in LINKS:
        configure(at, link)
        at.ok(f'AT+MQTTCONN={link},"{HOST_LOOPBACK}",{broker.port},0', timeout=20)
        assert at.connected(0) == f'1,"{HOST_LOOPBACK}",{broker.port},"",0'.encode()
        at.ok(f'AT+MQTTSUB={link},"to/{link}",2')
    return at


def configure(at: AtPort, link: int, scheme: int = 1) -> None:
    at.ok(f'AT+MQTTUSERCFG={link},{scheme},"link-{link}","","",0,0,""')


def refused(at: AtPort, command: str) -> None:
    """ERROR, and no line before it."""
    answer = at.command(command)
    assert (answer.lines, answer.final) == ([], b"ERROR"), answer


def deliver(at: AtPort, sender: int, link: int, data: bytes) -> None:
    """What `sender` publishes at QoS 2 comes in on `link`, and nowhere else."""
    assert at.raw(f'AT+MQTTPUBRAW={sender},"to/{link}",{len(data)},2,0', data) == b"OK"
    message = at.message()
    assert (message.link, message.topic, message.data) == (link, f"to/{link}".encode(), data)
    assert not at.events()


def states(at: AtPort) -> dict[int, int]:
    rows = [re.match(rb"\+MQTTCONN:(\d),(\d),", line) for line in at.command("AT+MQTTCONN?").lines]
    return {int(row[1]): int(row[2]) for row in rows}


def test_two_links_keep_apart(both):
    for sender in LINKS:
        for link in LINKS:
            deliver(both, sender, link, bytes(range(256)) * 6)
    both.ok("AT+MQTTSUB?", *(f'+MQTTSUB:{link},6,"to/{link}",2' for link in LINKS))
    both.ok("AT+MQTTCLIENTID?", *(f'+MQTTCLIENTID:{link},"link-{link}"' for link in LINKS))
    both.ok('AT+MQTTUNSUB=1,"to/1"')
    assert states(both) == {0: 6, 1: 5}
    both.ok('AT+MQTTUNSUB=0,"to/1"', "NO UNSUBSCRIBE")


def test_an_end_of_one_link_is_not_the_others(both, broker):
    """Lost by one and cleaned by the other: each in turn goes on alone."""
    with Witness(broker) as usurper:
        usurper.publish("to/0", b"still here")
        assert both.message().link == 0
    both.ok("AT+MQTTCLEAN=0")
    assert states(both) == {0: 0, 1: 6}
    deliver(both, 1, 1, b"alone")
    configure(both, 0)
    refused(both, 'AT+MQTTPUB=0,"to/1","x",0,0')
    both.ok(f'AT+MQTTCONN=0,"{HOST_LOOPBACK}",{broker.port},0', timeout=20)
    both.connected(0)
    deliver(both, 0, 1, b"together")


def test_a_lost_link(both, broker):
    """The broker ends link 1 because another client takes its name."""
    refused(both, 'AT+MQTTUSERCFG=0,1,"link-1","","",0,0,""')
    both.ok("AT+MQTTCLEAN=0")
    both.ok('AT+MQTTUSERCFG=0,1,"link-1","","",0,0,""')
    both.ok(f'AT+MQTTCONN=0,"{HOST_LOOPBACK}",{broker.port},0', timeout=20)
    both.connected(0)
    assert both.disconnected() == 1
    assert states(both) == {0: 4, 1: 3}
    refused(both, 'AT+MQTTPUB=1,"to/0","x",0,0')
    both.ok('AT+MQTTSUB=0,"to/0",1')
    deliver(both, 0, 0, b"goes on")


def test_messages_of_both_do_not_mix(both, broker):
    """Long ones go to the port while they arrive: whole, and in their order on each link."""
    for link in LINKS:
        both.ok(f'AT+MQTTSUB={link},"all",1')
    with Witness(broker) as witness:
        for number in range(FLOOD):
            witness.publish("all", b"%04d" % number + bytes([number]) * 3000, qos=1)
        both.ok('AT+MQTTPUB=0,"elsewhere","x",1,0')
        got = [both.message(20) for _ in range(2 * FLOOD)]
    for link in LINKS:
        numbers = [int(message.data[:4]) for message in got if message.link == link]
        assert numbers == list(range(FLOOD))
    assert all(len(message.data) == 3004 for message in got)


def test_link_ids(at):
    for command in ('AT+MQTTUSERCFG=2,1,"w","","",0,0,""', "AT+MQTTCLEAN=2", "AT+MQTTCLEAN=255", 'AT+MQTTCLIENTID=2,"w"'):
        refused(at, command)
    configure(at, 1)
    assert states(at) == {0: 0, 1: 1}


@pytest.mark.parametrize("scheme", range(1, 11))
def test_schemes_without_tls(at, scheme):
    """A scheme that this build has not is out of range (0x6013, were there error lines)."""
    if scheme in (1, 6):
        configure(at, 0, scheme)
    else:
        refused(at, f'AT+MQTTUSERCFG=0,{scheme},"w","","",0,0,""')
        assert states(at)[0] == 0


def test_websocket_without_tls(at, brokers):
    """Its masks and its handshake need no TLS."""
    configure(at, 1, 6)
    at.ok(f'AT+MQTTCONN=1,"{HOST_LOOPBACK}",{brokers.port(6)},0', timeout=20)
    at.connected(0)
    at.ok('AT+MQTTSUB=1,"to/1",1')
    deliver(at, 1, 1, bytes(range(256)) * 8)
    at.ok("AT+MQTTCLEAN=1")


def test_no_additions(at):
    for command in ("AT+MQTTERR?", "AT+MQTTERR=?", "AT+MQTTVER?", "AT+MQTTCERT?", "AT+MQTTCERT=0,0,10"):
        assert at.command(command).lines == [b"CMD FORMAT ERR"]


def test_no_error_lines(at):
    """Neither where a command fails nor where its data phase does."""
    refused(at, "AT+MQTTCONN=0")
    refused(at, 'AT+MQTTPUB=0,"t","d",0,0')
    refused(at, "AT+MQTTSUB=0,0")
    configure(at, 0)
    at.prompt("AT+MQTTLONGCLIENTID=0,4")
    at.fill(b"a\0bc")
    answer = at.answer()
    assert (answer.lines, answer.final) == ([], b"ERROR")


def test_tasks(both, broker):
    """One task a link, of the priority and with the stack that were asked for."""
    rows = [row for row in tasks(both) if b'"mqtt"' in row]
    assert [row.rpartition(b",")[2] for row in rows] == [b"4", b"4"], tasks(both)
    both.ok("AT+MQTTCLEAN=1")
    without, *_ = heap(both)
    configure(both, 1)
    both.ok(f'AT+MQTTCONN=1,"{HOST_LOOPBACK}",{broker.port},0', timeout=20)
    both.connected(0)
    taken = without - heap(both)[0]
    assert STACK < taken < DEFAULT_STACK


LONG = publish(b"t", b"x" * 20_000)
STARTED = 3_000
"""So many bytes show that its line has begun."""


def starving(connection: Connection) -> None:
    """Most of a long message never comes: its line stays open."""
    connection.accept()
    time.sleep(1)
    connection.send(LONG[:4000])
    connection.trickle(LONG[4000:4200], 0.3)


def connect(at: AtPort, link: int, server: Peer, timeout: float = 30) -> float:
    """How long it has taken, in seconds."""
    configure(at, link)
    begin = time.monotonic()
    at.ok(f'AT+MQTTCONN={link},"{HOST_LOOPBACK}",{server.port},0', timeout=timeout)
    return time.monotonic() - begin


def test_a_starved_line_of_one_link_does_not_hold_the_others_clean(at, peer):
    def soon_over(connection: Connection) -> None:
        connection.accept()
        time.sleep(2)

    connect(at, 0, peer(soon_over))
    connect(at, 1, peer(starving))
    time.sleep(3)
    begin = time.monotonic()
    at.ok("AT+MQTTCLEAN=0", timeout=20)
    assert time.monotonic() - begin < 10
    assert states(at)[0] == 0


def test_a_starved_line_of_one_link_does_not_hold_the_others_connection(at, peer):
    """Within its 15 s, and announced before its OK."""
    before = at.received
    connect(at, 1, peer(starving))
    assert at.connected(1)
    at.await_bytes(before + STARTED)
    assert connect(at, 0, peer(lambda connection: (connection.accept(), connection.serve()))) < 15
    assert at.connected(0.2)


def test_a_starved_line_of_one_link_does_not_hold_the_others_publication(at, peer):
    """A message comes in on the link before the PUBACK that PUB waits for."""

    def server(connection: Connection) -> None:
        connection.accept()
        packet = connection.expect(PUBLISH)
        connection.send(publish(b"m", b"hello") + acknowledgement(PUBACK, packet.identifier))
        connection.serve()

    connect(at, 0, peer(server))
    before = at.received
    connect(at, 1, peer(starving))
    at.await_bytes(before + STARTED)
    at.ok('AT+MQTTPUB=0,"o","x",1,0', timeout=20)
