"""Nothing interleaves: commands of every kind while messages flood in (at-contract §1).

The port's reader accounts for each byte and refuses an unsolicited line inside an answer, so the tests only have to
keep both sides busy and to count.
"""

import random
import subprocess
import threading
import time

import pytest

from atport import Connected, Incomplete
from broker import program
from grammar import Message
from link import Link


class Flood:
    """mosquitto_pub sending numbered lines of random length for a while, so many a second."""

    def __init__(self, broker, topic, qos, seconds, rate):
        self.lines: list[bytes] = []
        self._pause = 1 / rate
        command = ["-h", broker.address, "-p", str(broker.port), "-t", topic, "-q", str(qos), "-l"]
        self._process = subprocess.Popen([program("mosquitto_pub"), *command], stdin=subprocess.PIPE)
        self._thread = threading.Thread(target=self._run, args=(seconds, random.Random(rate)), daemon=True)
        self._thread.start()

    def _run(self, seconds, dice):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line = b"%d:" % len(self.lines) + b"OK+>" * dice.randrange(1, 300)
            self.lines.append(line)
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
            time.sleep(self._pause)
        self._process.stdin.close()

    @property
    def running(self):
        return self._thread.is_alive()

    def stop(self):
        """However the test ended."""
        self._thread.join(30)
        self._process.kill()
        self._process.wait(10)

    def join(self):
        """What was sent, when all of it is with the broker."""
        self._thread.join(30)
        assert self._process.wait(60) == 0
        return self.lines


@pytest.fixture
def flood():
    """Start a flood."""
    running = []

    def start(*arguments):
        running.append(Flood(*arguments))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.mark.bulk
@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.timeout(150)
def test_commands_under_a_flood(link, broker, witness, flood, qos):
    other = witness("out", "raw")
    link.configure()
    link.connect(broker.port)
    topic = f"flood/{qos}"
    link.subscribe(topic, qos)
    running = flood(broker, topic, qos, 5, 150)
    sent, turn = [], 0
    while running.running:
        turn += 1
        link.port.ok("AT+MQTTSUB?", f'+MQTTSUB:0,6,"{topic}",{qos}')
        link.port.ok("AT+MQTTCONN?", f'+MQTTCONN:0,6,1,"{link.host}",{broker.port},"",0')
        payload = b"%d" % turn
        link.publish("out", payload, turn % 3)
        sent.append(payload)
        link.subscribe("more", turn % 2)
        payload = random.Random(turn).randbytes(500)
        link.publish_raw("raw", payload, turn % 3)
        sent.append(payload)
        link.port.ok('AT+MQTTUNSUB=0,"more"')
        link.port.ok('AT+MQTTUNSUB=0,"more"', "NO UNSUBSCRIBE")
        link.port.error('AT+MQTTPUB=0,"t","x",3,0', 0x6048)
    lines = running.join()
    received = [link.port.message(30).data for _ in lines]
    assert received == lines
    arrived = [other.message().payload for _ in sent]
    assert sorted(arrived) == sorted(sent)
    assert turn >= 3 and len(lines) > 100
    link.port.quiet(0.3)


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.timeout(120)
def test_at_115200_baud(new_board, broker, flood):
    """The same on a line as slow as a real one."""
    board = new_board("--baud", "115200")
    link = Link(board.port, board.host)
    link.configure()
    link.connect(broker.port)
    link.subscribe("flood/baud", 1)
    running = flood(broker, "flood/baud", 1, 3, 30)
    while running.running:
        link.port.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"flood/baud",1')
        link.publish_raw("raw", b"r" * 300, 1)
    lines = running.join()
    assert [link.port.message(60).data for _ in lines] == lines


def test_reconnections_under_commands(link, relay):
    """DISCONNECTED and CONNECTED lines do not cut answers either."""
    link.configure()
    link.connect(relay.port, reconnect=1)
    for _ in range(3):
        relay.cut()
        lost = False
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            state = link.state()
            lost = lost or state == 3
            if lost and state == 4:
                break
        link.port.disconnected(1)
        link.port.connected(1)


@pytest.mark.virtual("a network that can be left and joined at will")
@pytest.mark.bulk
@pytest.mark.timeout(150)
def test_wifi_taken_down_and_up(link, broker, flood):
    """`WIFI …` lines keep their place in the server's answers, and the link's lines stay out of those."""
    dice = random.Random(4)
    link.configure(client="roaming")
    link.connect(broker.port, reconnect=1)
    link.subscribe("flood/wifi", 0)
    running = flood(broker, "flood/wifi", 0, 12, 100)
    events = []
    for _ in range(3):
        end = time.monotonic() + dice.uniform(0.5, 1.5)
        while time.monotonic() < end:
            link.port.ok("AT")
            assert link.state() == 6
        down = link.port.command("AT+CWQAP")
        assert (down.lines, down.final) == ([b"WIFI DISCONNECT"], b"OK")
        link.port.ok("ATE0")
        link.port.join()
        events += back(link)
    lines = running.join()
    events += link.port.events()
    sound = whole(events)
    assert len(sound) > 50 and set(sound) <= set(lines)


def back(link, timeout=40):
    """What came until a connection was lost and made again."""
    events = []
    deadline = time.monotonic() + timeout
    while not any(isinstance(event, Connected) for event in events):
        assert time.monotonic() < deadline, "no connection"
        link.port.ok("AT")
        events += link.port.events()
    while link.state() != 6:
        assert time.monotonic() < deadline, "no subscription"
    return events


def whole(events):
    """The messages that the network did not cut off: a line behind such a one says so."""
    cut = [index - 1 for index, event in enumerate(events) if isinstance(event, Incomplete)]
    return [event.data for index, event in enumerate(events) if isinstance(event, Message) and index not in cut]
