"""What a confused host may send: a documented answer each time, and the next command works (issue 2, "Bad input")."""

import random
import re
import time

import pytest

from atport import REFUSALS
from link import Code

NAMES = b"USERCFG CONNCFG CONN PUB PUBRAW SUB UNSUB CLEAN".split()


@pytest.fixture
def works(link, broker, witness):
    """A connected link, and a check that it still does its work."""
    other = witness("proof")
    link.configure()
    link.connect(broker.port)

    def check():
        link.publish("proof", "still here", 1)
        assert other.message().payload == b"still here"

    yield check
    check()


LINES = {
    "one byte too long": b'AT+MQTTPUB=0,"t","' + b"x" * 232 + b'",1,0',
    "far too long": b'AT+MQTTPUB=0,"t","' + b"x" * 5000 + b'",1,0',
    "far too long without a name": b"x" * 70000,
    "no opening quote": b'AT+MQTTPUB=0,"t",x",1,0,1,1,1',
    "no closing quote": b'AT+MQTTPUB=0,"t","x,1,0',
    "only a quote": b'AT+MQTTPUB="',
    "no parameters": b"AT+MQTTPUB=",
    "only commas": b"AT+MQTTPUB=,,,,",
    "thirty commas": b"AT+MQTTPUB=" + b"," * 30,
    "two hundred commas": b"AT+MQTTPUB=" + b"," * 200,
    "a huge link": b'AT+MQTTPUB=999999999999999999999,"t","x",0,0',
    "a huge qos": b'AT+MQTTPUB=0,"t","x",18446744073709551616,0',
    "a huge length": b'AT+MQTTPUBRAW=0,"t",18446744073709551616,0,0',
    "a wrapping length": b'AT+MQTTPUBRAW=0,"t",4294967297,0,0',
    "a negative link": b'AT+MQTTPUB=-1,"t","x",0,0',
    "a negative qos": b'AT+MQTTPUB=0,"t","x",-1,0',
    "a negative length": b'AT+MQTTPUBRAW=0,"t",-1,0,0',
    "hexadecimal": b'AT+MQTTPUB=0,"t","x",0x1,0',
    "a number with a tail": b'AT+MQTTPUB=0,"t","x",1a,0',
    "a number with a space": b'AT+MQTTPUB=0,"t","x", 1,0',
    "a decimal point": b'AT+MQTTPUB=0,"t","x",1.0,0',
    "NUL in a topic": b'AT+MQTTPUB=0,"a\x00b","x",0,0',
    "NUL in a name": b'AT+MQTT\x00PUB=0,"t","x",0,0',
    "0xff in a name": b"AT+MQTT\xff\xff=0",
    "0xff in a topic": b'AT+MQTTPUB=0,"\xff","x",0,0',
    "0xff in a number": b'AT+MQTTPUB=0,"t","x",\xff,0',
    "an unknown command": b"AT+MQTTNONSENSE=0",
    "a cut name": b"AT+MQTTPU",
    "no name": b"AT+",
    "not AT": b"hello there",
    "a query that does not exist": b"AT+MQTTPUB?",
    "a query of CLEAN": b"AT+MQTTCLEAN?",
    "execute without parameters": b"AT+MQTTPUB",
    "execute CONN": b"AT+MQTTCONN",
    "a query with a tail": b"AT+MQTTCONN?x",
    "a test with a tail": b"AT+MQTTCONN=?x",
    "an escape at the end": b'AT+MQTTPUB=0,"t","x\\',
    "twenty parameters": b"AT+MQTTPUB=" + b",".join([b"1"] * 20),
    "a hundred parameters": b"AT+MQTTPUB=" + b",".join([b"1"] * 100),
    "percent signs": b'AT+MQTTPUB=%s%n,"t","x",0,0',
}


LONGEST = 254
"""Bytes of a line at most, without CR LF."""

SETS = re.compile(b"AT[+]MQTT(?:" + b"|".join(NAMES) + b")=(?![?])")


@pytest.mark.parametrize("name", LINES)
def test_lines(link, works, name):
    """What sets something of this library's is answered with a code, the rest in the server's words."""
    line = LINES[name]
    if SETS.match(line) and len(line) <= LONGEST:
        link.port.error(line)
    else:
        link.port.refused(line)
    works()


def test_nul_in_data(link, works, witness):
    """Published as it was typed."""
    other = witness("nul")
    link.publish("nul", b"a\x00b\x00", 1)
    assert other.message().payload == b"a\x00b\x00"


@pytest.mark.parametrize("noise", [b"\x00", b"\xff", b"\x00\x00\xff\xfe"])
@pytest.mark.parametrize("ends", [False, True], ids=["before a line", "a line of its own"])
def test_noise_between_lines(link, works, noise, ends):
    """It spoils the line that it is in, and no other."""
    spoilt = noise if ends else noise + b"AT+MQTTCONN?"
    link.port.send("AT", "AT+MQTTCONN?", spoilt, "AT+MQTTCONN?", "AT")
    answers = [link.port.answer() for _ in range(5)]
    assert answers[2].lines[0] in REFUSALS
    assert [answer.final for answer in answers if answer is not answers[2]] == [b"OK"] * 4


def test_empty_lines(link, works):
    """Nothing to answer."""
    link.port.write(b"\r\n\r\n\n\r\n")
    link.port.quiet(0.3)


def test_bare_lf_and_cr(link, works):
    """A bare LF ends a line too; a bare CR inside does not run anything twice."""
    link.port.expect_line(b"AT+MQTTCONN?", b"AT+MQTTCONN?\n")
    assert link.port.answer().final == b"OK"


def test_half_a_command_then_silence(link, works):
    link.port.write(b"AT+MQTTPUB=0,")
    time.sleep(3)
    link.port.quiet(0.5)
    link.port.expect_line(b"AT+MQTTPUB=0,", b"\r\n")
    assert link.port.answer().code == Code.COUNTS


@pytest.mark.virtual("a port that opens without a reset of the board")
def test_half_a_command_then_another_host(board, link, broker):
    """The old host's half line is still there: the new host's first `AT` completes it, its second is answered."""
    link.port.write(b"AT+MQTTPUB=0,")
    board.port.close()
    time.sleep(0.5)
    port = board.open()
    assert port.command("AT+MQTTCONN?").final == b"OK"


def test_lower_case_names(link, works):
    """Answered like the server answers its own commands: run, or refused."""
    answer = link.port.command("at+mqttconn?")
    assert answer.final == b"OK" or answer.lines


def test_many_commands_without_waiting(link, works):
    """A host on a timer: each line is kept and answered in its turn, up to 1 KiB of them."""
    for _ in range(40):
        link.port.send("AT+MQTTCONN?")
    for answer in [link.port.answer() for _ in range(40)]:
        assert answer.final == b"OK", answer
        assert len(answer.lines) == 1 and answer.lines[0].startswith(b"+MQTTCONN:0,4,1,")


@pytest.mark.parametrize("seed", range(4))
def test_random_parameters(link, broker, witness, seed):
    """Well-formed names with random tails: one answer each, no matter which."""
    dice = random.Random(seed)
    pieces = [b"0", b"1", b"2", b"10", b"65536", b"", b"-1", b'"t"', b'""', b'"a,b"', b'"a"b"', b'"\\"', b"\\", b'"',
              b'"\xff"', b"x", b"?", b"=", b" ", b"%s", b'"+/#"', b"99999999999", b'"' + b"y" * 130 + b'"']
    link.configure()
    link.connect(broker.port)
    for _ in range(150):
        name = dice.choice([name for name in NAMES if name not in (b"CLEAN", b"PUBRAW", b"CONN")])
        line = b"AT+MQTT" + name + b"=" + b",".join(dice.choice(pieces) for _ in range(dice.randrange(9)))
        answer = link.port.command(line)
        assert answer.final in ((b"OK", b"ERROR") if len(line) <= LONGEST else (b"CMD PARSE ERR",)), answer
        if answer.final == b"ERROR":
            assert answer.code is not None, answer
    link.port.events()
    assert link.state() >= 4


@pytest.mark.parametrize("seed", range(2))
def test_random_bytes(link, works, seed):
    """Noise without line ends, then CR LF: at most one refusal for it, then all is well."""
    dice = random.Random(seed)
    for _ in range(30):
        noise = bytes(byte for byte in dice.randbytes(dice.randrange(1, 400)) if byte not in b"\r\n")
        if not noise.strip():
            continue
        link.port.refused(b"#" + noise)
