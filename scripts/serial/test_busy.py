"""Further commands before the first is answered: kept, in order, up to 1 KiB (at-contract §1)."""

import time

import pytest

from link import Code

KEPT = 1024
"""Bytes of lines, with their ends, that wait at most."""

QUERY = "AT+MQTTCONN?"


def silent(connection):
    connection.swallow()


@pytest.fixture
def hanging(link, peer):
    """A CONN that its peer leaves without an answer for 3 s."""
    link.configure()
    link.port.send(f'AT+MQTTCONN=0,"{link.host}",{peer(silent).port},0,3000')
    time.sleep(0.5)
    yield
    assert link.port.command("AT").final == b"OK"


def first_fails(link):
    answer = link.port.answer(8)
    assert answer.command.startswith(b"AT+MQTTCONN=0")
    assert (answer.final, answer.code) == (b"ERROR", Code.START_FAILED)


@pytest.mark.parametrize(
    "second, code, state",
    [("AT", None, 1), (QUERY, None, 1), ("AT+MQTTCLEAN=0", None, 0), ('AT+MQTTPUB=0,"t","x",0,0', Code.DISCONNECTED, 1)],
)
def test_while_conn_hangs(link, hanging, second, code, state):
    """The second line is served when the first has its answer, and has its effect."""
    link.port.send(second)
    first_fails(link)
    answer = link.port.answer()
    assert (answer.command, answer.code) == (second.encode(), code)
    assert answer.final == (b"OK" if code is None else b"ERROR")
    assert link.state() == state


def test_several_while_conn_hangs(link, hanging):
    lines = [b"AT", b"AT+GMR", b"AT+MQTTCONN?", b'AT+MQTTCLIENTID=0,"a"', b"AT+MQTTCLIENTID?"]
    for line in lines:
        time.sleep(0.1)
        link.port.send(line)
    first_fails(link)
    answers = [link.port.answer() for _ in lines]
    assert [(answer.command, answer.final) for answer in answers] == [(line, b"OK") for line in lines]
    assert answers[-1].lines == [b'+MQTTCLIENTID:0,"a"']


@pytest.mark.parametrize("in_one_write", [False, True])
def test_more_than_is_kept(link, hanging, in_one_write):
    """Each line that finds no room is told `busy ...` at the end of the command that runs; the others are served."""
    kept = KEPT // len(QUERY + "\r\n")
    lines = [QUERY] * (kept + 27)
    if in_one_write:
        link.port.send(*lines)
    else:
        for line in lines:
            link.port.send(line)
    first_fails(link)
    finals = [link.port.answer().final for _ in lines]
    assert finals == [b"busy ..."] * 27 + [b"OK"] * kept


def test_a_line_that_ends_behind_the_command(link, hanging):
    """More than is kept without an end, which comes when no command runs: `busy ...` at once."""
    start = b"x" * 2 * KEPT
    link.port.write(start)
    first_fails(link)
    link.port.quiet(0.2)
    link.port.expect_line(start, b"\r\n")
    assert link.port.answer().final == b"busy ..."


def test_while_pub_waits(link, peer):
    """Further publications go out in their order, each behind the acknowledgement of the one before."""

    def script(connection):
        connection.accept()
        for payload in (b"x", b"y", b"z"):
            got = connection.expect(3)
            assert got.body.endswith(payload)
            time.sleep(0.7)
            connection.reply(got)
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    for payload in "xyz":
        link.port.send(f'AT+MQTTPUB=0,"t","{payload}",1,0')
    for payload in b"xyz":
        answer = link.port.answer()
        assert answer.final == b"OK" and answer.command == b'AT+MQTTPUB=0,"t","%c",1,0' % payload


@pytest.mark.bulk
def test_while_a_large_message_comes_in(link, broker, witness):
    """Commands in the middle of a large message are answered before or after it, never inside."""
    link.configure()
    link.connect(broker.port)
    link.subscribe("large", 1)
    other = witness()
    for size in (100_000, 300_000):
        payload = bytes(size)
        other.publish("large", payload, 1)
        for _ in range(5):
            assert link.port.command("AT+MQTTCONN?").final == b"OK"
        assert link.port.message(20).data == payload
