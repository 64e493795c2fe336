"""The driver for hosts in `host/`, in C and in Python: its parser, every kind of result, a flood, and the examples."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import deque

import pytest

from atport import quote
from board import HOST_LOOPBACK, REPOSITORY, VirtualBoard
from broker import Broker, Witness
from grammar import Message
from link import Code
from peer import Relay
from secure import node_packages
from test_flood import HOSTILE, Flood
from waiting import until

pytestmark = [pytest.mark.virtual("a port of its own"), pytest.mark.once, pytest.mark.timeout(240)]

HOST = REPOSITORY / "host"
LANGUAGES = ("c", "python")
MESSAGE, CONNECTED, DISCONNECTED, INCOMPLETE, READY, ROW = range(6)
ERROR, TIMEOUT, BUSY, NOT_SENT, TOO_LONG, IN_EVENT, RESTARTED = range(-1, -8, -1)
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion"]
SANITIZED = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
MOST_LINES = 500
FLOOD_SECONDS = 5


@pytest.fixture(scope="session")
def programs(tmp_path_factory) -> dict[str, list[str]]:
    """Commands that run the test's driver in each language, and the examples."""
    folder = tmp_path_factory.mktemp("host")
    common = [HOST / "mqtt_at.c", HOST / "posix_uart.c"]
    for name, source in (("driver", HOST / "tests/driver.c"), ("example", HOST / "example.c")):
        subprocess.run(["cc", *STRICT, *SANITIZED, "-o", folder / name, source, *common], check=True)
    return {
        "c": [str(folder / "driver")],
        "python": [sys.executable, str(HOST / "tests/driver.py")],
        "c example": [str(folder / "example")],
        "python example": [sys.executable, str(HOST / "example.py")],
    }


def test_on_micropython() -> None:
    """Against a board that answers from a script: the module keeps to what MicroPython has."""
    command = ["node", str(HOST / "tests/micropython.mjs")]
    environment = os.environ | {"NODE_FOLDER": str(node_packages())}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert shown.stdout.split() == ["passed", "micropython"], (shown.stdout + shown.stderr)[-2000:]


def events_of(lines: list[str]) -> list[tuple[int, int, int, int, bytes, bytes]]:
    """(kind, link, length, offset, topic, data) of each."""
    fields = [line.split(" ") for line in lines]
    return [(*map(int, numbers[:4]), *map(bytes.fromhex, numbers[4:6])) for numbers in fields]


def joined(events) -> list[Message | tuple]:
    """Pieces of messages put together; other events without their numbers' place."""
    out, parts = [], bytearray()
    for kind, link, length, offset, topic, data in events:
        if kind != MESSAGE:
            out.append((kind, link, length, data))
            continue
        assert offset == len(parts), "a piece is missing"
        parts += data
        if len(parts) == length:
            out.append(Message(link, topic, bytes(parts), b""))
            parts.clear()
    assert not parts, "the last message is cut"
    return out


class Driver:
    """A driver at the board's port, to be told what to do."""

    def __init__(self, command: list[str], device: str) -> None:
        self._process = subprocess.Popen([*command, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events: deque[tuple] = deque()
        self._results: deque[int] = deque()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            with self._changed:
                if line.startswith("="):
                    self._results.append(int(line[1:]))
                else:
                    self.events.append(events_of([line.removesuffix("\n")])[0])
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def run(self, *words: object, timeout: float = 90) -> int:
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        with self._changed:
            assert self._changed.wait_for(lambda: self._results or not self._reader.is_alive(), timeout), words
            assert self._results, f"the driver ended in {words}"
            return self._results.popleft()

    def ok(self, *words: object) -> None:
        assert self.run(*words) == 0, words

    def publish(self, topic: str, data: bytes, qos: int = 0) -> int:
        return self.run("publish", topic, qos, data.hex())

    def take(self) -> list[tuple]:
        with self._changed:
            events = list(self.events)
            self.events.clear()
        return events

    def poll_until(self, kind: int, seconds: float = 30) -> tuple:
        deadline = time.monotonic() + seconds
        while True:
            self.ok("poll", 50)
            found = [event for event in self.take() if event[0] == kind]
            if found:
                return found[0]
            assert time.monotonic() < deadline, f"no event of kind {kind}"

    def stop(self) -> None:
        self._process.stdin.close()
        try:
            assert self._process.wait(20) == 0
        finally:
            self._process.kill()
            self._reader.join(5)


@pytest.fixture(params=LANGUAGES)
def start(request, programs, tmp_path, argv):
    """Start boards with a driver at each: `start(board options…)`."""
    running = []

    def one(*options: str) -> tuple[Driver, VirtualBoard]:
        board = VirtualBoard(os.environ["W800_SIM"], tmp_path, argv, *options)
        running.append(board)
        driver = Driver(programs[request.param], board.device)
        running.append(driver)
        driver.ok("synchronise")
        return driver, board

    yield one
    for each in reversed(running):
        each.stop()


@pytest.fixture
def driver(start) -> Driver:
    return start()[0]


def connect(driver: Driver, port: int, reconnect: int = 0) -> None:
    driver.ok("configure", "driver")
    driver.ok("connect", HOST_LOOPBACK, port, reconnect)


def test_the_driver_in_c_is_short() -> None:
    lines = sum(len((HOST / name).read_text().splitlines()) for name in ("mqtt_at.c", "mqtt_at.h"))
    assert lines < MOST_LINES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("piece", (1, 7, 64))
def test_a_message_is_read_by_its_length(programs, language, piece) -> None:
    """Whatever is in it, and wherever the bytes are cut."""
    payloads = [b"", HOSTILE, b"\r\n", random.Random(5).randbytes(3000), HOSTILE[::-1]]
    topics = [b"plain", b'a"b\\c,d', "ü/°".encode(), b",5,", b"x" * 128]
    stream = b"noise\r\n+MQTTSUBRECV:x\r\n"
    for topic, payload in zip(topics, payloads, strict=True):
        printed = topic.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        stream += b'+MQTTSUBRECV:1,"%s",%d,%s\r\n' % (printed, len(payload), payload)
    stream += b'+MQTTINCOMPLETE:1,77\r\n\r\nOK\r\n+MQTTCONNECTED:2,1,"h",1883,"",1\r\nready\r\n+MQTTDISCONNECTED:2\r\n'
    command = [*programs[language], "--parse", str(piece)]
    shown = subprocess.run(command, input=stream, stdout=subprocess.PIPE, check=True, timeout=60)
    got = joined(events_of(shown.stdout.decode().splitlines()))
    messages = [event for event in got if isinstance(event, Message)]
    assert [(message.link, message.topic, message.data) for message in messages] == [
        (1, topic, payload) for topic, payload in zip(topics, payloads, strict=True)
    ]
    others = [event[:3] for event in got if not isinstance(event, Message) and event[0] != ROW]
    assert others == [(INCOMPLETE, 1, 77), (CONNECTED, 2, 0), (READY, 0, 0), (DISCONNECTED, 2, 0)]
    assert (ROW, 0, 0, b"OK") in got and (ROW, 0, 0, b"noise") in got


def test_results(driver, broker) -> None:
    """A code of the board's, its words without one, and what the driver itself refuses."""
    assert driver.publish("t", b"x") == Code.UNINITIATED
    assert driver.run("command", "AT+NONSENSE", 5000) == ERROR
    assert driver.run("command", "AT+MQTTSNI=0," + quote("x" * 250).decode(), 5000) == TOO_LONG
    driver.ok("clean")
    driver.ok("configure", 'quoted",\\client')
    driver.ok("command", "AT+MQTTCLIENTID?", 5000)
    assert (ROW, b'+MQTTCLIENTID:0,"quoted\\",\\\\client"') in [(event[0], event[5]) for event in driver.take()]
    assert driver.run("nested") == IN_EVENT
    driver.ok("data", "AT+MQTTLONGCLIENTID=0,8", b"by bytes".hex())
    driver.ok("connect", HOST_LOOPBACK, broker.port, 0)
    assert driver.run("connect", HOST_LOOPBACK, broker.port, 0) == Code.ALREADY_CONNECTED


def test_publish_and_subscribe(driver, broker, witness) -> None:
    observer = witness("out/#")
    connect(driver, broker.port)
    driver.ok("subscribe", "in/+", 2)
    for qos, payload in enumerate((b"", HOSTILE, random.Random(1).randbytes(20_000))):
        assert driver.publish("out/x", payload, qos) == 0
        assert observer.message(20).payload == payload
        observer.publish("in/x", payload, qos)
    got: list[Message] = []
    deadline = time.monotonic() + 60
    events: list[tuple] = []
    while len(got) < 3 and time.monotonic() < deadline:
        driver.ok("poll", 50)
        events += [event for event in driver.take() if event[0] == MESSAGE]
        got = joined(events) if events and events[-1][3] + len(events[-1][5]) == events[-1][2] else []
    assert [message.data for message in got] == [b"", HOSTILE, random.Random(1).randbytes(20_000)]
    driver.ok("unsubscribe", "in/+")
    driver.ok("clean")


def test_a_lost_connection(driver, broker) -> None:
    with Relay(broker.port) as relay:
        connect(driver, relay.port, 1)
        relay.cut()
        driver.poll_until(DISCONNECTED)
        driver.poll_until(CONNECTED)
        assert driver.publish("t", b"again", 1) == 0


def test_a_restart_of_the_board(driver) -> None:
    driver.ok("command", "AT+RST", 5000)
    driver.poll_until(READY)
    driver.ok("synchronise")
    assert driver.publish("t", b"x") == Code.UNINITIATED


def test_an_answer_that_comes_late(driver, broker) -> None:
    """It is not taken for the next command's: that first finds the board again."""
    driver.ok("configure", "driver")
    with Relay(broker.port) as relay:
        relay.silence()
        line = f'AT+MQTTCONN=0,"{HOST_LOOPBACK}",{relay.port},0,6000'
        assert driver.run("command", line, 1000) == TIMEOUT
        # Its error comes while the driver looks for the board.
        driver.ok("command", "AT+MQTTCONN?", 5000)
        rows = [event[5] for event in driver.take() if event[0] == ROW]
        assert b"ERR CODE:0x0000600b" in rows and rows[-2].startswith(b"+MQTTCONN:0,1,")


def test_from_a_data_phase(driver, broker) -> None:
    """A host that has restarted in the middle of one gets the port back."""
    connect(driver, broker.port)
    # As a plain command its OK ends it, and the board waits for data that the driver does not know of.
    driver.ok("command", 'AT+MQTTPUBRAW=0,"t",5000,1,0', 5000)
    driver.ok("synchronise")
    driver.ok("command", "AT+MQTTCONN?", 5000)
    assert driver.publish("t", b"x", 1) == 0


def test_under_flood(start, tmp_path) -> None:
    """Messages as fast as they come, of hostile bytes, between every kind of command: none is lost, cut or invented, and no
    command gets another's answer."""
    driver, _ = start("--heap", "100000")
    with Broker(tmp_path, extra="log_type none") as broker:
        observer = Witness(broker, "out")
        connect(driver, broker.port)
        for qos in (0, 1):
            driver.ok("subscribe", f"flood/{qos}", qos)
        flood, pieces = Flood(broker, (0, 1), 128 << 10, (0, 1, 20, 200, 1000, 1025, 5000)), []

        def take() -> None:
            pieces.extend(event for event in driver.take() if event[0] == MESSAGE)
            if pieces and pieces[-1][3] + len(pieces[-1][5]) == pieces[-1][2]:
                flood.take(joined(pieces))
                pieces.clear()

        end, number = time.monotonic() + FLOOD_SECONDS, 0
        while time.monotonic() < end:
            number += 1
            payload = HOSTILE + b"%d" % number
            assert driver.publish("out", payload, number % 3) == 0
            assert observer.message(20).payload == payload
            driver.ok("subscribe", "other", 0)
            driver.ok("unsubscribe", "other")
            driver.ok("command", "AT+MQTTCONN?", 12000)
            assert driver.run("command", "AT+MQTTPUB=0", 12000) == Code.COUNTS
            driver.ok("poll", 20)
            take()
        flood.stop()
        deadline = time.monotonic() + 60
        while flood.outstanding:
            assert time.monotonic() < deadline, f"{flood.outstanding} messages are missing"
            driver.ok("poll", 50)
            take()
        flood.close()
        observer.close()
        assert number > 1 and flood.count > number
        driver.ok("clean")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example(programs, language, tmp_path, argv, broker) -> None:
    """It goes on when the connection is cut, and when the board has started anew."""
    board = VirtualBoard(os.environ["W800_SIM"], tmp_path, argv)
    observer = Witness(broker, "example/reading")
    output = tmp_path / "output"
    with Relay(broker.port) as relay, output.open("wb") as sink:
        command = [*programs[f"{language} example"], board.device, HOST_LOOPBACK, str(relay.port), "2"]
        example = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        try:
            assert observer.message(60).payload == b'{"reading":1}'
            observer.publish("example/command", b"first", 1)
            until(lambda: b"example/command: first" in output.read_bytes(), output.read_text, 30)
            relay.cut()
            until(lambda: output.read_bytes().count(b"connected\n") == 2, output.read_text, 60)
            observer.publish("example/command", b"second", 1)
            assert example.wait(60) == 0, output.read_text()
        finally:
            example.kill()
            observer.close()
            board.stop()
