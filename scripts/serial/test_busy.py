"""A second command before the first is answered (at-contract §1)."""

import time

import pytest

from link import Code


def silent(connection):
    connection.swallow()


@pytest.mark.parametrize("second", ["AT", "AT+MQTTCONN?", "AT+MQTTCLEAN=0", 'AT+MQTTPUB=0,"t","x",0,0'])
def test_while_conn_hangs(link, peer, second):
    """The second line is told `busy ...` and has no effect; the first gets its own answer."""
    link.configure()
    link.port.send(f'AT+MQTTCONN=0,"{link.host}",{peer(silent).port},0,3000')
    time.sleep(0.5)
    link.port.send(second)
    answers = [link.port.answer(8) for _ in range(2)]
    first = next(answer for answer in answers if answer.command.startswith(b"AT+MQTTCONN=0"))
    other = next(answer for answer in answers if answer is not first)
    assert (first.final, first.code) == (b"ERROR", Code.START_FAILED)
    assert other.final == b"busy ..."
    assert link.state() == 1


def test_several_while_conn_hangs(link, peer):
    link.configure()
    link.port.send(f'AT+MQTTCONN=0,"{link.host}",{peer(silent).port},0,3000')
    for _ in range(5):
        time.sleep(0.2)
        link.port.send("AT")
    finals = sorted(link.port.answer(8).final for _ in range(6))
    assert finals == [b"ERROR", *[b"busy ..."] * 5]
    assert link.port.command("AT").final == b"OK"


def test_while_pub_waits(link, peer):
    def script(connection):
        connection.accept()
        got = connection.expect(3)
        time.sleep(1.5)
        connection.reply(got)
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.port.send('AT+MQTTPUB=0,"t","x",1,0')
    time.sleep(0.3)
    link.port.send('AT+MQTTPUB=0,"t","y",1,0')
    assert sorted(link.port.answer().final for _ in range(2)) == [b"OK", b"busy ..."]
    link.publish("t", "z", 1)


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
