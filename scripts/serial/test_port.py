"""The line between the host and the AT server: lines and data as they are typed, echo (at-contract §1, §3 and §8).

`W800_FLOOD_SECONDS` sets how long lines come faster than they can run (20).
"""

import os
import random
import time

import pytest

from link import Code, Link
from resources import settles, snapshot

SECONDS = float(os.environ.get("W800_FLOOD_SECONDS", "20"))
QUERY = "AT+MQTTCONN?"
BUSY = b"busy ..."


@pytest.fixture
def connected(link, broker):
    link.configure()
    link.connect(broker.port)
    return link


def served(at, *lines, timeout=12.0):
    """The answers to lines that were sent, which must come in their order and all be OK."""
    answers = [at.answer(timeout) for _ in lines]
    wanted = [line.encode() if isinstance(line, str) else line for line in lines]
    assert [(answer.command, answer.final) for answer in answers] == [(line, b"OK") for line in wanted]
    return answers


# --- several lines in one write ---


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\n\r\n", b"\r\r\n", b"\n\n\r\n"], ids=repr)
def test_three_lines_in_one_write(at, end):
    lines = ("AT+GMR", QUERY, "AT")
    for _ in range(10):
        at.send(*lines, end=end)
        served(at, *lines)
    at.quiet(0.2)


def test_lines_behind_conn(link, broker):
    """They wait until it has its answer."""
    link.configure()
    lines = (link.conn(broker.port), 'AT+MQTTSUB=0,"t",1', 'AT+MQTTPUB=0,"t","x",2,0', QUERY)
    link.port.send(*lines)
    answers = served(link.port, *lines, timeout=20)
    assert answers[-1].lines == [b"+MQTTCONN:0,6," + link.target(broker.port)]
    link.port.connected(0)
    assert link.port.message().data == b"x"


def test_lines_behind_a_publication(connected, witness):
    other = witness("t")
    lines = [f'AT+MQTTPUB=0,"t","{number}",2,0' for number in range(12)]
    connected.port.send(*lines, QUERY)
    served(connected.port, *lines, QUERY)
    assert [other.message().payload for _ in lines] == [b"%d" % number for number in range(12)]


@pytest.mark.parametrize("size", [1, 400, 1500])
def test_a_line_right_behind_data(connected, witness, size):
    """In the same write as the last byte: not data, and not forgotten, whichever task has received it."""
    other = witness("t")
    for number in range(30):
        payload = random.Random(number).randbytes(size)
        connected.port.prompt(f'AT+MQTTPUBRAW=0,"t",{size},0,0')
        connected.port.fill(payload[: size // 2], keep_open=True)
        connected.port.fill(payload[size // 2 :], QUERY.encode() + b"\r\n")
        assert connected.port.result() == b"OK"
        served(connected.port, QUERY)
        assert other.message().payload == payload


def test_data_before_the_prompt(connected, witness):
    """A host that does not wait for `>`."""
    other = witness("t")
    for size in (1, 100, 700):
        payload = random.Random(size).randbytes(size)
        connected.port.send(f'AT+MQTTPUBRAW=0,"t",{size},1,0', behind=payload)
        assert connected.port.result() == b"OK"
        assert other.message().payload == payload


# --- echo ---


@pytest.fixture
def echoing(connected):
    answer = connected.port.command("ATE1")
    assert answer.final == b"OK" and answer.lines in ([], [b"ATE1"])
    yield connected
    assert connected.port.command("ATE0").final == b"OK"
    connected.port.ok("AT")


@pytest.mark.parametrize(
    "line",
    [
        "AT",
        QUERY,
        'AT+MQTTPUB=0,"t","{"a":1,"b":2}",1,0',
        r'AT+MQTTPUB=0,"t","\"a\,b\\",1,0',
        'at+mqttpub=0,"t","x",0,0',
        'AT+MQTTPUB=0,"t","' + "x" * 230 + '",1,0',
        "AT+MQTTPUB=?",
    ],
)
def test_echo_shows_what_was_typed(echoing, line):
    """Not what the server was handed; together with its neighbours too."""
    for lines in ([line], ["AT", line, line, QUERY]):
        echoing.port.send(*lines)
        answers = served(echoing.port, *lines)
        assert [answer.lines[0] for answer in answers] == [answer.command for answer in answers]
        assert all(answer.raw.count(b"AT+MQTTPUB=0\r") == 0 for answer in answers)


def test_echo_of_refused_lines(echoing):
    line = b'AT+MQTTPUB=0,"t","x",3,0'
    answer = echoing.port.command(line)
    assert answer.final == b"ERROR" and answer.lines == [line, b"ERR CODE:0x00006048"]


def test_echo_and_a_data_phase(echoing, witness):
    """Of the line, and not of the data."""
    other = witness("t")
    line = b'AT+MQTTPUBRAW=0,"t",5,1,0'
    echoing.port.prompt(line)
    echoing.port.fill(b"a\r\nb,", b"AT\r\n")
    first, second = echoing.port.answer(), echoing.port.answer()
    assert (first.lines, first.final) == ([line], b"+MQTTPUB:OK")
    assert (second.lines, second.final) == ([b"AT"], b"OK")
    assert other.message().payload == b"a\r\nb,"


# --- how long a line may be ---


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=repr)
@pytest.mark.parametrize("size", [255, 256, 257, 258])
def test_the_longest_line(connected, witness, size, end):
    """256 bytes with its end; its neighbours are served whatever becomes of it."""
    other = witness("t")
    frame = 'AT+MQTTPUB=0,"t","{}",1,0'
    data = "d" * (size - len(frame) + 2 - len(end))
    connected.port.send("AT", frame.format(data), QUERY, end=end)
    before, answer, after = (connected.port.answer() for _ in range(3))
    assert (before.final, after.final) == (b"OK", b"OK")
    if size <= 256:
        assert answer.final == b"OK" and other.message().payload == data.encode()
    else:
        assert answer.final == b"CMD PARSE ERR"
        other.quiet(0.2)


@pytest.mark.virtual("a line that is not paced, and its heap")
@pytest.mark.timeout(240)
def test_a_line_that_never_ends(connected):
    """10 MB: no answer and no memory; when it does end it was one line that is too long."""
    before = snapshot(connected.port)
    block = b"x" * 100_000
    for _ in range(100):
        connected.port.write(block)
    connected.port.quiet(0.3)
    connected.port.expect_line(b"x", b"\r\n")
    assert connected.port.answer(60).final == b"CMD PARSE ERR"
    settles(connected.port, before)


@pytest.mark.virtual("a line that is not paced, and its heap")
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("line, waits", [("AT", False), ('AT+MQTTPUB=0,"fast","%s",1,0' % ("x" * 100), True)])
def test_lines_faster_than_they_can_run(connected, line, waits, record_property):
    """Each is answered, in its own words or, where one waits for the network, with `busy ...`; memory stays."""
    at = connected.port
    at.ok(line)
    before = snapshot(at)
    sent, finals = 0, {b"OK": 0, BUSY: 0}
    end = time.monotonic() + SECONDS / 2
    while time.monotonic() < end:
        at.send(*[line] * 100)
        sent += 100
        while sent - sum(finals.values()) > 2000:
            finals[at.answer(30).final] += 1
    while sum(finals.values()) < sent:
        finals[at.answer(30).final] += 1
    record_property("told", f"{sent / SECONDS * 2:.0f} lines a second came, {finals[b'OK'] / SECONDS * 2:.0f} ran")
    assert finals[b"OK"] > 50 and (finals[BUSY] > 50) == waits
    at.quiet(0.3)
    settles(at, before)


# --- data phases ---


@pytest.mark.parametrize("size", [3, 4, 10, 600])
def test_the_exit_code_in_data(connected, witness, size):
    """`+++` with more bytes of the message behind it, or as all of it, is data."""
    other = witness("t")
    payload = (b"+++" + b"data" * size)[:size]
    connected.port.prompt(f'AT+MQTTPUBRAW=0,"t",{size},1,0')
    time.sleep(0.05)
    connected.port.fill(payload[:3], keep_open=size > 3)
    if size > 3:
        time.sleep(0.05)
        connected.port.fill(payload[3:])
    assert connected.port.result() == b"OK"
    assert other.message().payload == payload


def test_the_exit_code_alone(connected):
    """Whatever came before; the next line may follow at once."""
    for begun in (b"", b"some of it"):
        connected.port.prompt('AT+MQTTPUBRAW=0,"t",100,1,0')
        connected.port.write(begun)
        time.sleep(0.3)
        connected.port.fill(b"+++")
        assert connected.port.result() == b"FAIL"
        connected.port.ok("AT")


def test_data_byte_by_byte(connected, witness):
    """Exact at any speed."""
    other = witness("t")
    payload = b"+a+++\r\nAT\r\n\x00\xff+++ busy ...\r\n"
    connected.port.prompt(f'AT+MQTTPUBRAW=0,"t",{len(payload)},1,0')
    for byte in payload[:-1]:
        connected.port.write(bytes([byte]))
        time.sleep(0.03)
    connected.port.fill(payload[-1:], b"AT\r\n")
    assert connected.port.result() == b"OK"
    served(connected.port, "AT")
    assert other.message().payload == payload


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.parametrize("baud", [9600, 115200])
def test_on_a_slow_line(new_board, broker, witness, baud):
    """Lines in one write, and data with a line behind it."""
    board = new_board("--baud", str(baud))
    link, other = Link(board.port, board.host), witness("t")
    link.configure()
    link.connect(broker.port)
    lines = ("AT", 'AT+MQTTPUB=0,"t","{"a":1,"b":2}",2,0', QUERY)
    link.port.send(*lines)
    served(link.port, *lines)
    assert other.message().payload == b'{"a":1,"b":2}'
    for size in (1, 500, 1500):
        payload = random.Random(size).randbytes(size)
        link.port.prompt(f'AT+MQTTPUBRAW=0,"t",{size},1,0')
        link.port.fill(payload, QUERY.encode() + b"\r\n")
        assert link.port.result() == b"OK"
        served(link.port, QUERY)
        assert other.message().payload == payload


# --- one reading ---


@pytest.mark.parametrize(
    "typed",
    ['{"a":1,"b":2}', '5" TV', '"', '{"list":["a","b"],"text":"x, y"}', "a,b", '""', "it's", "{}"],
)
def test_quotes_and_commas_in_data(connected, witness, typed):
    """As typed, without an escape, wherever the line can be read in one way only."""
    other = witness("t")
    for qos in (0, 1):
        connected.port.ok(f'AT+MQTTPUB=0,"t","{typed}",{qos},0')
        assert other.message().payload == typed.encode()


def test_quotes_and_commas_in_a_will(link, relay, witness):
    """It is configured as typed, and sent so."""
    other = witness("w/#")
    link.configure()
    will = '{"gone":true,"who":["a","b"]}'
    link.port.ok(f'AT+MQTTCONNCFG=0,60,0,"w/1","{will}",1,0')
    shown = will.replace('"', r"\"")
    link.port.ok("AT+MQTTCONNCFG?", f'+MQTTCONNCFG:0,60,0,"w/1","{shown}",1,0')
    link.connect(relay.port)
    relay.cut()
    assert other.message().payload == will.encode()
    link.port.disconnected()


def test_what_cannot_be_read_is_refused_with_a_code(connected, witness):
    """Never published as something else, never in the server's own words."""
    other = witness("#")
    connected.port.error('AT+MQTTPUB=0,"t","x', Code.COUNTS, 0x6044)
    connected.port.error('AT+MQTTPUB=0,t,"x",0,0', 0x6041)
    other.quiet(0.2)
