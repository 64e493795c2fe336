"""`AT+RST` restarts everything: no link is half alive behind it (at-contract §2)."""

import os
import signal
import time

import pytest

from atport import READY
from link import Code
from peer import CONNECT, PUBLISH

pytestmark = pytest.mark.virtual("a network that is back after a restart")


def restart(link):
    """Restart the board; not a line of its old life may come behind its OK, and the link is as after power-on."""
    assert link.port.restart().raw == b"\r\nOK\r\n\r\nready\r\n"
    link.port.ok("AT+MQTTCONN?", '+MQTTCONN:0,0,0,"",0,"",0')
    for name in ("USERCFG", "CONNCFG", "CLIENTID", "USERNAME", "PASSWORD", "ALPN", "SNI", "SUB"):
        link.port.ok(f"AT+MQTT{name}?")
    link.port.ok("AT+MQTTERR?", '+MQTTERR:0,0x00000000,0,0,""')
    link.port.error('AT+MQTTPUB=0,"t","x",0,0', Code.UNINITIATED)
    link.port.error("AT+MQTTCLEAN=0", Code.UNINITIATED)
    tasks = link.port.command("AT+SYSTASKS?").lines
    assert not any(b"mqtt" in row for row in tasks), tasks


def test_in_state_0(link):
    restart(link)


@pytest.mark.parametrize("connection", [False, True], ids=["state 1", "state 2"])
def test_while_configured(link, broker, connection):
    link.configure(client="long gone", user="u", password="p", path="/p", keepalive=30 if connection else None)
    link.port.ok('AT+MQTTALPN=0,1,"mqtt"')
    link.port.ok('AT+MQTTSNI=0,"broker.example"')
    link.port.error('AT+MQTTCONN=0,"",1883,0')
    restart(link)
    link.configure()
    link.connect(broker.port)


@pytest.mark.parametrize("reconnect", [0, 1])
def test_while_connected(link, relay, witness, reconnect):
    """The broker sees the connection end without DISCONNECT: it publishes the will and delivers no more."""
    other = witness("will/reset")
    link.configure(client="reset", keepalive=600, will=("will/reset", "gone", 1, 0))
    link.connect(relay.port, reconnect)
    link.subscribe("old", 1)
    link.publish("t", "x", 2)
    restart(link)
    assert other.message().payload == b"gone"
    other.publish("old", b"nobody listens", 1)
    link.port.quiet(2.5)
    assert relay.accepted == 1
    link.configure(client="reset")
    link.connect(relay.port)
    link.port.ok("AT+MQTTSUB?")
    link.subscribe("new", 1)
    link.publish("new", "hello", 1)
    assert link.port.message().data == b"hello"


def test_the_connection_ends_at_once(link, peer):
    def script(connection):
        connection.accept()
        connection.receive(20)

    running = peer(script)
    link.configure(keepalive=600)
    link.connect(running.port)
    restart(link)
    assert running.connection(0).ended.wait(2)
    assert [packet.kind for packet in running.connection(0).packets] == [CONNECT]


def test_while_a_publication_waits(link, peer):
    """The line comes while PUB runs: it is kept. Behind PUB it works, and what was in flight is no more."""
    published = []

    def old_life(connection):
        connection.accept()
        connection.expect(PUBLISH)
        connection.swallow()

    def new_life(connection):
        connection.accept(session_present=True)
        published.append(connection.expect(PUBLISH))
        connection.reply(published[0])
        connection.serve()

    running = peer(old_life, new_life)
    link.configure(persistent=True, keepalive=600)
    link.connect(running.port, reconnect=1)
    link.port.send('AT+MQTTPUB=0,"t","old",1,0,3000')
    running.connection(0).await_packet(PUBLISH)
    link.port.send("AT+RST")
    assert [link.port.answer().final for _ in range(2)] == [b"ERROR", READY]
    assert link.state() == 0
    assert running.connection(0).ended.wait(2)
    link.port.quiet(2)
    assert len(running.connections) == 1
    link.configure(persistent=True)
    link.connect(running.port)
    link.publish("t", "new", 1)
    assert (published[0].payload, published[0].dup) == (b"new", False)


def test_between_the_attempts_of_a_reconnection(link, relay):
    link.configure()
    link.connect(relay.port, reconnect=1)
    link.subscribe("t", 1)
    relay.cut(refuse=True)
    link.port.disconnected()
    # The first attempt has failed.
    relay.await_connections(2)
    restart(link)
    relay.restore()
    attempts = relay.accepted
    link.port.quiet(4)
    assert relay.accepted == attempts
    link.configure()
    link.connect(relay.port)
    assert link.state() == 4


def test_in_an_attempt_of_a_reconnection(link, peer):
    """TCP stands, CONNACK is owed."""

    def first(connection):
        connection.accept()

    def silent(connection):
        connection.expect(CONNECT)
        connection.swallow()

    running = peer(first, silent)
    link.configure()
    link.connect(running.port, reconnect=1)
    link.port.disconnected()
    running.connection(1, 5).await_packet(CONNECT)
    restart(link)
    assert running.connection(1).ended.wait(2)
    link.port.quiet(3)
    assert len(running.connections) == 2


def test_in_state_3(link, relay):
    link.configure()
    link.connect(relay.port)
    relay.cut()
    link.port.disconnected()
    assert link.state() == 3
    restart(link)
    link.configure()
    link.connect(relay.port)


def test_again_and_again(link, broker):
    """Nothing piles up: the heap after each restart is the same."""
    heaps = set()
    for _ in range(4):
        link.configure()
        link.connect(broker.port, reconnect=1)
        link.subscribe("t", 1)
        restart(link)
        free, _, blocks = link.port.command("AT+SYSHEAP?").lines[0].rsplit(b":")[-1].split(b",")
        heaps.add((free, blocks))
    assert len(heaps) == 1, heaps


def hold_up_a_reader(fifo, seconds=10):
    """Wait until somebody opens it to read, and give them nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline, "nobody reads"
            time.sleep(0.02)


def test_a_restart_that_waits_can_be_ended(new_board, tmp_path):
    """The program that is executed anew waits for a file, and SIGTERM ends it as it would have the first time."""
    path = tmp_path / "ca.pem"
    path.touch()
    board = new_board("--set-ca", str(path))
    path.unlink()
    os.mkfifo(path)
    board.port.send("AT+RST")
    writer = hold_up_a_reader(path)
    try:
        board.process.terminate()
        assert board.process.wait(5) == -signal.SIGTERM
    finally:
        os.close(writer)
