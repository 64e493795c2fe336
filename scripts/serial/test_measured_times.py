"""Every time that the contract names, measured: time-outs, keep alive, back-off (at-contract §3, §5).

A time-out may be late by 200 ms and never early. The machine that runs the tests may be busy with others: a
measurement that fails is taken again, up to three times, each on a connection of its own.
"""

import time
from itertools import pairwise

import pytest

from link import Code
from peer import CONNECT, PINGREQ, PONG, SUBSCRIBE, publish

LATE = 0.2
EARLY = 0.02
"""Clocks that tick in milliseconds, and a line sent before it is looked at."""
ATTEMPTS = 3


def repeat(measure):
    """`measure()` must come out right once; it raises AssertionError otherwise."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return measure()
        except AssertionError:
            if attempt == ATTEMPTS:
                raise


def silent(connection):
    """Accepts the connection and never answers anything else."""
    connection.accept()
    connection.swallow()


def silent_but_once(connection):
    """Accepts the connection and a first subscription, and never answers anything else."""
    connection.accept()
    connection.reply(connection.expect(SUBSCRIBE))
    connection.swallow()


def connected(link, peer, *scripts, reconnect=0, **configuration):
    """From any state: a connection to a new peer."""
    link.clean()
    link.configure(**configuration)
    running = peer(*scripts)
    link.connect(running.port, reconnect)
    return running


def take_time(send, receive, due):
    """`receive()` must return `due` seconds after `send()` did."""
    send()
    sent = time.monotonic()
    receive()
    took = time.monotonic() - sent
    assert due - EARLY <= took <= due + LATE, f"{took:.3f} s instead of {due} s"


def fails(port, code, due):
    def receive():
        answer = port.answer(due + 5)
        assert (answer.final, answer.code) == (b"ERROR", code), answer

    return receive


# --- time-outs of commands ---

COMMANDS = {
    "PUB at QoS 1": ('AT+MQTTPUB=0,"t","x",1,0', Code.PUBLISH_FAILED),
    "PUB at QoS 2": ('AT+MQTTPUB=0,"t","x",2,0', Code.PUBLISH_FAILED),
    "SUB": ('AT+MQTTSUB=0,"t",1', Code.SUBSCRIBE_FAILED),
    "UNSUB": ('AT+MQTTUNSUB=0,"known"', Code.UNSUBSCRIBE_FAILED),
}


@pytest.mark.parametrize(("extra", "due"), [("", 10), (",3000", 3)], ids=["default", "3 s"])
@pytest.mark.parametrize("name", COMMANDS)
def test_time_out(link, peer, name, extra, due):
    command, code = COMMANDS[name]

    def measure():
        connected(link, peer, silent_but_once, keepalive=600)
        link.subscribe("known")
        take_time(lambda: link.port.send(command + extra), fails(link.port, code, due), due)
        assert link.state() == 6

    repeat(measure)


@pytest.mark.parametrize(
    ("qos", "extra", "due"),
    [(1, "", 10), (1, ",3000", 3), (2, ",4321", 4.321)],
    ids=["qos 1, default", "qos 1, 3 s", "qos 2, 4.3 s"],
)
def test_time_out_of_pubraw(link, peer, qos, extra, due):
    """It runs from the last byte of the data, however long that took."""

    def receive():
        assert link.port.result(due + 5) == b"FAIL"

    def measure():
        connected(link, peer, silent, keepalive=600)
        link.port.prompt(f'AT+MQTTPUBRAW=0,"t",5,{qos},0{extra}')
        time.sleep(0.7)
        take_time(lambda: link.port.fill(b"12345"), receive, due)

    repeat(measure)


@pytest.mark.parametrize(
    ("reconnect", "extra", "due"),
    [(0, "", 15), (0, ",3000", 3), (1, ",3000", 3)],
    ids=["default", "3 s", "3 s, reconnect"],
)
def test_time_out_of_conn(link, peer, reconnect, extra, due):
    """TCP stands, CONNACK does not come."""

    def measure():
        link.clean()
        link.configure()
        running = peer(lambda connection: connection.swallow())
        command = f'AT+MQTTCONN=0,"{link.host}",{running.port},{reconnect}{extra}'
        take_time(lambda: link.port.send(command), fails(link.port, Code.START_FAILED, due), due)
        assert running.connection(0).ended.wait(2)

    repeat(measure)


@pytest.mark.virtual("an address where certainly nobody is")
def test_time_out_of_conn_without_any_answer(link):
    """Nobody is at that address."""

    def measure():
        link.clean()
        link.configure()
        command = 'AT+MQTTCONN=0,"10.0.2.99",1883,0,3000'
        take_time(lambda: link.port.send(command), fails(link.port, Code.START_FAILED, 3), 3)

    repeat(measure)


def test_time_out_of_conn_whose_answer_drips(link, peer):
    """Half a CONNACK now and then does not make it longer."""

    def script(connection):
        connection.expect(CONNECT)
        connection.send(b"\x20")
        time.sleep(1)
        connection.send(b"\x02")
        connection.swallow()

    def measure():
        link.clean()
        link.configure()
        command = f'AT+MQTTCONN=0,"{link.host}",{peer(script).port},0,3000'
        take_time(lambda: link.port.send(command), fails(link.port, Code.START_FAILED, 3), 3)

    repeat(measure)


# --- CLEAN ---


def state_0(link, peer):
    link.clean()


def state_1(link, peer):
    link.clean()
    link.configure()


def state_2(link, peer):
    link.clean()
    link.configure(keepalive=60)


def lost(reconnect):
    def prepare(link, peer):
        connected(link, peer, lambda connection: connection.accept(), reconnect=reconnect)
        link.port.disconnected()

    return prepare


def in_an_attempt(link, peer):
    running = connected(
        link, peer, lambda connection: connection.accept(), lambda connection: connection.swallow(), reconnect=1
    )
    link.port.disconnected()
    running.connection(1, 5)
    time.sleep(0.3)


def state_4(link, peer):
    connected(link, peer, silent)


def state_6(link, peer):
    connected(link, peer, silent_but_once)
    link.subscribe("known")


def unanswered_publications(link, peer):
    state_4(link, peer)
    for qos in (1, 2):
        link.port.error(f'AT+MQTTPUB=0,"t","x",{qos},0,3000', Code.PUBLISH_FAILED)


def half_a_message(link, peer):
    """A message that has begun and does not go on holds no command back."""

    def script(connection):
        connection.accept()
        connection.send(publish(b"t", b"x" * 500)[:100])
        connection.swallow()

    connected(link, peer, script)
    time.sleep(0.3)


BEFORE_CLEAN = {
    "0": state_0,
    "1": state_1,
    "2": state_2,
    "3": lost(0),
    "3, between attempts": lost(1),
    "3, in an attempt": in_an_attempt,
    "4": state_4,
    "6": state_6,
    "4, with publications in flight": unanswered_publications,
    "4, in a message": half_a_message,
}


@pytest.mark.parametrize("state", BEFORE_CLEAN)
def test_clean_is_quick_in_every_state(link, peer, state):
    def measure():
        BEFORE_CLEAN[state](link, peer)
        answer = link.port.command("AT+MQTTCLEAN=0")
        assert answer.final == (b"ERROR" if state == "0" else b"OK"), answer
        assert answer.seconds < 0.5
        assert link.state() == 0

    repeat(measure)


# --- keep alive ---


def gaps(running, start, until):
    """The broker's view: seconds of silence, from its CONNACK on."""
    times = [start, *(packet.when for packet in running.connection(0).packets if start < packet.when < until), until]
    return [later - earlier for earlier, later in pairwise(times)]


def idle(link, seconds):
    link.port.quiet(seconds)


def publishing(link, seconds):
    """Publications at awkward moments."""
    end = time.monotonic() + seconds
    for pause in (0.1, 1.4, 1.6, 0.3, 1.7):
        if time.monotonic() + pause < end:
            time.sleep(pause)
            link.publish("t", "x")
    time.sleep(max(0, end - time.monotonic()))


def in_a_data_phase(link, seconds):
    """The host takes its time while the port is its own."""
    link.port.prompt('AT+MQTTPUBRAW=0,"t",4,0,0')
    time.sleep(seconds)
    link.port.fill(b"1234")
    assert link.port.result() == b"OK"


def waiting_for_an_answer(link, seconds):
    """A command waits for the broker, which answers pings alone."""
    milliseconds = int(seconds * 1000)
    link.port.error(f'AT+MQTTSUB=0,"t",0,{milliseconds}', Code.SUBSCRIBE_FAILED, timeout=seconds + 5)


def only_pongs(connection):
    connection.accept()
    while (got := connection.receive(3600)) is not None:
        if got.kind == PINGREQ:
            connection.send(PONG)


@pytest.mark.parametrize(
    ("keepalive", "seconds", "act"),
    [
        (1, 4, idle),
        (2, 7, idle),
        (4, 9, idle),
        (2, 7, publishing),
        (2, 7, in_a_data_phase),
        (2, 7, waiting_for_an_answer),
    ],
)
def test_the_broker_never_sees_more_silence_than_the_keep_alive(link, peer, keepalive, seconds, act):
    def measure():
        running = connected(link, peer, only_pongs, keepalive=keepalive)
        start = time.monotonic()
        act(link, seconds)
        seen = gaps(running, start, time.monotonic())
        assert max(seen) <= keepalive, seen
        pings = sum(packet.kind == PINGREQ for packet in running.connection(0).packets)
        assert 1 <= pings <= seconds / (keepalive * 0.5) + 1, "pings are no flood either"
        assert link.state() == 4

    repeat(measure)


def test_messages_that_come_in_are_no_sign_of_life_that_the_broker_sees(link, peer):
    def talk(connection):
        connection.accept()
        while True:
            connection.send(publish(b"t", b"chatter"))
            deadline = time.monotonic() + 0.1
            while time.monotonic() < deadline:
                try:
                    got = connection.receive(0.05)
                except AssertionError:
                    continue
                if got is None:
                    return
                connection.reply(got)

    def measure():
        running = connected(link, peer, talk, keepalive=2)
        start = time.monotonic()
        time.sleep(7)
        seen = gaps(running, start, time.monotonic())
        assert max(seen) <= 2, seen
        messages = link.port.events()
        assert len(messages) > 30 and all(message.data == b"chatter" for message in messages)

    repeat(measure)


def test_a_missing_pong_is_noticed_10_seconds_later(link, peer):
    """After the PINGREQ as the broker saw it."""

    def measure():
        running = connected(link, peer, silent, keepalive=1)
        assert link.port.disconnected(20) == 0
        noticed = time.monotonic()
        ping = next(packet for packet in running.connection(0).packets if packet.kind == PINGREQ)
        assert 10 - EARLY <= noticed - ping.when <= 10 + LATE

    repeat(measure)


# --- back-off ---


def accept_and_close(connection):
    pass


def refuse(connection):
    connection.accept(5)


@pytest.mark.parametrize("script", [accept_and_close, refuse])
def test_back_off(link, peer, script):
    """1, 2 and 4 s between attempts, each ±20 %, as the listener sees them."""

    def measure():
        running = connected(link, peer, lambda connection: connection.accept(), script, reconnect=1)
        link.port.disconnected()
        lost_at = time.monotonic()
        running.connection(3, 15)
        times = [lost_at, *(connection.accepted for connection in running.connections[1:4])]
        for gap, due in zip([later - earlier for earlier, later in pairwise(times)], (1, 2, 4)):
            assert 0.8 * due - EARLY <= gap <= 1.2 * due + LATE, (gap, due)
        assert link.port.events() == []

    repeat(measure)


def test_back_off_behind_attempts_that_take_their_time(link, peer):
    """CONN's own time-out bounds each attempt; the pause begins behind it."""

    def measure():
        link.clean()
        link.configure()
        running = peer(lambda connection: connection.accept(), lambda connection: connection.swallow())
        link.port.ok(f'AT+MQTTCONN=0,"{link.host}",{running.port},1,3000')
        link.port.connected(0)
        link.port.disconnected()
        first, second = running.connection(1, 5).accepted, running.connection(2, 12).accepted
        assert 3 + 1.6 - EARLY <= second - first <= 3 + 2.4 + LATE

    repeat(measure)
