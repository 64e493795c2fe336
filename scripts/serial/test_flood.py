"""Messages as fast as they can be had while commands of every kind run (at-contract §1, "Nothing interleaves").

The port's reader gives each byte to one token of the grammar and refuses an unsolicited line inside an answer. Here
every message is compared with what was sent on its topic, in order: nothing is cut, lost or invented.

`W800_FLOOD_SECONDS` sets how long the long flood lasts (60).
"""

import os
import random
import re
import socket
import struct
import threading
import time
from collections import deque

import pytest

from atport import Disconnected, quote
from broker import Broker
from grammar import Message
from link import Code, Link
from peer import CONNECT, DISCONNECT, packet, publish, string

pytestmark = pytest.mark.bulk

SECONDS = float(os.environ.get("W800_FLOOD_SECONDS", "60"))

HOSTILE = (
    b"\r\nOK\r\n\r\n>+MQTTPUB:OK\r\nERROR\r\nbusy ...\r\n"
    b'+MQTTSUBRECV:0,"flood/0",5,x\r\n+MQTTDISCONNECTED:0\r\n\x00\xff"\\'
)
"""What payloads are made of, beside noise: a reader that does not go by the length goes astray."""

UNKNOWN = "AT+NONSENSE=1"

SERVERS = {
    "AT": rb"",
    "ATE0": rb"",
    "AT+GMR": rb"AT version.*\nSDK version.*\ncompile time.*",
    "AT+CWJAP?": rb"[+]CWJAP:\"virtual\",.*",
    "AT+CIPSNTPTIME?": rb"[+]CIPSNTPTIME:.*",
    UNKNOWN: rb"CMD FORMAT ERR",
}
"""Commands of the server's own, and what they print."""

SIZES = (0, 1, 20, 60, 100, 200, 300, 1000, 1023, 1024, 1025, 1460, 5000, 40_000, 100_000)
"""Small ones more often than large ones, and those around the size up to which a message is gathered."""


class Flood:
    """A client of the broker's that keeps `window` bytes on their way to the board, on one topic at each QoS given."""

    def __init__(self, broker, qos, window, sizes):
        self.topics = {f"flood/{level}".encode(): level for level in qos}
        self.count = 0
        self._window, self._sizes = window, sizes
        self._noise = (HOSTILE + random.Random(1).randbytes(len(HOSTILE))) * (max(sizes) // len(HOSTILE) + 2)
        self._expected = {topic: deque() for topic in self.topics}
        self._changed = threading.Condition()
        self._on_the_way = 0
        self._stop = threading.Event()
        self._error = None
        self._socket = socket.create_connection((broker.address, broker.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def expect(self, topic, payload):
        """A message on its way to the board."""
        with self._changed:
            self._expected.setdefault(topic, deque()).append(payload)
            self._on_the_way += len(payload) + 20
            self.count += 1

    def take(self, events):
        """Each must be the next message of its topic."""
        for event in events:
            assert isinstance(event, Message), event
            with self._changed:
                assert self._expected.get(event.topic), f"invented: {event.topic!r} {event.data[:80]!r}"
                wanted = self._expected[event.topic].popleft()
                self._on_the_way -= len(wanted) + 20
                self._changed.notify_all()
            assert event.data == wanted, f"{event.topic!r}: {event.data[:80]!r} where {wanted[:80]!r} was sent"
        assert self._error is None, self._error

    @property
    def outstanding(self):
        with self._changed:
            return sum(len(messages) for messages in self._expected.values())

    def stop(self):
        """Nothing more is sent; what is on its way remains expected."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._threads[0].join(10)
        assert not self._threads[0].is_alive()

    def close(self):
        self._stop.set()
        self._socket.close()

    def _send(self):
        connect = string(b"MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + string(b"flood")
        dice, number = random.Random(2), 0
        try:
            self._socket.sendall(packet(CONNECT, 0, connect))
            while not self._stop.is_set():
                number += 1
                topic = dice.choice(list(self.topics))
                size, start = dice.choice(self._sizes), dice.randrange(len(HOSTILE))
                payload = (b"%d:" % number + self._noise[start : start + size])[:size]
                with self._changed:
                    self._changed.wait_for(lambda: self._on_the_way < self._window or self._stop.is_set())
                if self._stop.is_set():
                    break
                self.expect(topic, payload)
                self._socket.sendall(publish(topic, payload, self.topics[topic], number % 65535 + 1))
            self._socket.sendall(packet(DISCONNECT, 0))
        except OSError as error:
            self._error = error

    def _read(self):
        """The broker's acknowledgements."""
        try:
            while self._socket.recv(65536):
                pass
        except OSError:
            pass


@pytest.fixture
def quick_broker(tmp_path, address):
    """A mosquitto that does not log every packet."""
    with Broker(tmp_path, address, "log_type none") as started:
        yield started


@pytest.fixture
def flood(link, quick_broker):
    """Connect a link and flood it; `flood(link, …)` for another than the file's."""
    running = []

    def start(of=link, qos=(0, 1), window=256 << 10, sizes=SIZES):
        of.configure()
        of.connect(quick_broker.port)
        for level in qos:
            of.subscribe(f"flood/{level}", level)
        running.append(Flood(quick_broker, qos, window, sizes))
        return running[-1]

    yield start
    for one in running:
        one.close()


class Commands:
    """One command of each kind after the other; `sent` holds what went to the topics `out` and `out/raw`."""

    def __init__(self, link, broker, flood, longest=2000):
        self.link, self.broker, self.flood = link, broker, flood
        self.sent = {"out": [], "out/raw": []}
        self.count = 0
        self._longest = longest
        self._dice = random.Random(3)
        self._kinds = [
            self._queries,
            self._publications,
            self._raw_publications,
            self._echo,
            self._subscriptions,
            self._refusals,
            self._without_waiting,
            self._servers,
        ]
        link.subscribe("echo", 1)

    def run(self, seconds):
        """All kinds again and again; the messages between them are checked."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._dice.shuffle(self._kinds)
            for kind in self._kinds:
                kind()
                self.flood.take(self.link.port.events())
        self._given_up_data_phase()

    def finish(self, timeout):
        """What is still on its way must arrive, and nothing else."""
        self.flood.stop()
        deadline = time.monotonic() + timeout
        while self.flood.outstanding:
            assert time.monotonic() < deadline, f"{self.flood.outstanding} messages are missing"
            self.flood.take([self.link.port.message(timeout)])
            self.flood.take(self.link.port.events())
        self.link.port.quiet(0.5)
        assert self.link.state() == 6

    def _ok(self, command, *rows):
        self.count += 1
        self.link.port.ok(command, *rows)

    def _queries(self):
        name = self._dice.choice("CONNCFG CLIENTID USERNAME PASSWORD ALPN SNI ERR".split())
        answer = self.link.port.command(f"AT+MQTT{name}?")
        assert answer.final == b"OK" and all(row.startswith(f"+MQTT{name}:0,".encode()) for row in answer.lines), answer
        subscribed = [*((topic.decode(), qos) for topic, qos in self.flood.topics.items()), ("echo", 1)]
        self._ok("AT+MQTTSUB?", *(f'+MQTTSUB:0,6,"{topic}",{qos}' for topic, qos in subscribed))
        self._ok("AT+MQTTCONN?", f'+MQTTCONN:0,6,1,"{self.link.host}",{self.broker.port},"",0')
        self._ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"w800","","",0,0,""')

    def _publications(self):
        for qos in (0, 1, 2):
            text = f"{len(self.sent['out'])}: \"quoted\", \\ {'x' * self._dice.randrange(80)}"
            self.sent["out"].append(text.encode())
            self._ok(b'AT+MQTTPUB=0,"out",%s,%d,0' % (quote(text), qos))

    def _raw_publications(self):
        qos = self._dice.randrange(3)
        payload = self._dice.randbytes(self._dice.randrange(1, self._longest))
        self.sent["out/raw"].append(payload)
        self.count += 1
        assert self.link.port.raw(b'AT+MQTTPUBRAW=0,"out/raw",%d,%d,0' % (len(payload), qos), payload) == b"OK"

    def _echo(self):
        """A publication that comes back."""
        text = f"echo {self.count}"
        self.flood.expect(b"echo", text.encode())
        self._ok(f'AT+MQTTPUB=0,"echo","{text}",1,0')

    def _subscriptions(self):
        qos = self._dice.randrange(3)
        self._ok(f'AT+MQTTSUB=0,"more/+",{qos}')
        self._ok(f'AT+MQTTSUB=0,"more/+",{qos}', "ALREADY SUBSCRIBE")
        self._ok('AT+MQTTUNSUB=0,"more/+"')
        self._ok('AT+MQTTUNSUB=0,"more/+"', "NO UNSUBSCRIBE")

    def _refusals(self):
        refused = [
            ('AT+MQTTUSERCFG=0,1,"c","","",0,0,""', Code.ALREADY_CONNECTED),
            ('AT+MQTTCONNCFG=0,1,0,"","",0,0', Code.ALREADY_CONNECTED),
            ("AT+MQTTLONGPASSWORD=0,5", Code.ALREADY_CONNECTED),
            ('AT+MQTTALPN=0,1,"a"', Code.ALREADY_CONNECTED),
            ('AT+MQTTCONN=0,"h",1883,0', Code.ALREADY_CONNECTED),
            ('AT+MQTTPUB=0,"t","x",3,0', 0x6048),
            ('AT+MQTTPUBRAW=0,"t",0,0,0', 0x604C),
            ("AT+MQTTCLEAN=1", Code.LINK_VALUE),
            ("AT+MQTTPUB?", Code.COUNTS),
        ]
        command, code = self._dice.choice(refused)
        self.count += 1
        self.link.port.error(command, code)

    def _without_waiting(self):
        """A host on a timer: each line is kept and answered in its turn."""
        lines = [self._dice.choice([*SERVERS, "AT+MQTTCONN?", "AT+MQTTCLIENTID?"]) for _ in range(8)]
        self.link.port.send(*lines[:4])
        for line in lines[4:]:
            self.link.port.send(line)
        for line in lines:
            self._check(line, self.link.port.answer())

    def _servers(self):
        """Commands that are not this library's, at any moment."""
        for line in self._dice.sample(list(SERVERS), len(SERVERS)):
            time.sleep(self._dice.random() * 0.01)
            self._check(line, self.link.port.command(line))

    def _check(self, line, answer):
        self.count += 1
        assert answer.command == line.encode()
        rows = SERVERS.get(line, rb"[+]MQTT(CONN|CLIENTID):0,.*")
        refused = line == UNKNOWN
        assert re.fullmatch(rows, b"\n".join(answer.lines), re.DOTALL) and (answer.final == b"OK") != refused, answer

    def _given_up_data_phase(self):
        self.link.port.prompt('AT+MQTTPUBRAW=0,"out/raw",1000,1,0')
        time.sleep(0.3)
        self.link.port.fill(b"+++")
        assert self.link.port.result() == b"FAIL"


def arrived(witness, sent):
    """The witness saw each publication once; those of different QoS may overtake each other."""
    seen = {topic: [] for topic in sent}
    for _ in range(sum(map(len, sent.values()))):
        message = witness.message(10)
        seen[message.topic].append(message.payload)
    for topic, payloads in sent.items():
        assert sorted(seen[topic]) == sorted(payloads)
    witness.quiet(0.1)


@pytest.mark.timeout(SECONDS + 120)
def test_all_commands_under_a_flood(link, flood, quick_broker, witness):
    """Messages small and large, at QoS 0 and 1, for a minute."""
    other = witness("out/#", of=quick_broker)
    running = flood()
    commands = Commands(link, quick_broker, running)
    commands.run(SECONDS)
    commands.finish(60)
    arrived(other, commands.sent)
    assert running.count >= 10 * SECONDS, "that was no flood"
    assert commands.count >= 2 * SECONDS


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.timeout(120)
def test_all_commands_under_a_flood_at_115200_baud(new_board, flood, quick_broker, witness):
    """The same where the line is the bottleneck: it never rests."""
    board = new_board("--baud", "115200")
    link = Link(board.port, board.host)
    other = witness("out/#", of=quick_broker)
    running = flood(link, window=6 << 10, sizes=[size for size in SIZES if size <= 1460])
    commands = Commands(link, quick_broker, running, longest=300)
    seconds = min(SECONDS, 10)
    commands.run(seconds)
    commands.finish(30)
    arrived(other, commands.sent)
    assert running.count >= 5 * seconds
    assert commands.count >= 2 * seconds


@pytest.mark.parametrize("size", [100, 20_000])
def test_usage_texts_under_a_flood(link, flood, size):
    """They are answers too."""
    running = flood(sizes=[size])
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for name in ("USERCFG", "LONGCLIENTID", "CONN", "PUB", "CLEAN", "ERR"):
            answer = link.port.command(f"AT+MQTT{name}=?")
            assert answer.final == b"OK" and answer.lines[0].startswith(f"AT+MQTT{name}".encode()), answer
        running.take(link.port.events())
    running.stop()


@pytest.mark.parametrize(
    "line", ["AT", "AT+MQTTNONSENSE=0", 'AT+MQTTPUB=0,"t","' + "x" * 300], ids=["AT", "unknown", "long"]
)
def test_answers_of_the_servers_own_under_a_flood(link, flood, line):
    """Not this library's, but they must not cut its lines: those that it prints at once, up to 1,024 bytes."""
    running = flood(sizes=[100, 500, 1000])
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for _ in range(20):
            link.port.command(line)
        running.take(link.port.events())
    running.stop()


def test_a_lost_connection_under_a_flood(link, flood, quick_broker):
    """The line that is open then is completed; DISCONNECTED comes behind it."""
    flood(qos=[1], sizes=[40_000])
    time.sleep(0.5)
    quick_broker.stop()
    link.port.disconnected(10)
    events = link.port.events()
    # The last one may be cut off by the network; its length holds even so.
    assert not any(isinstance(event, Disconnected) for event in events)
    assert all(len(event.data) == 40_000 for event in events if isinstance(event, Message))
    assert link.state() == 3
