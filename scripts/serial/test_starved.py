"""A long message that comes too slowly, from the network or to the host: commands are answered all the same."""

from __future__ import annotations

import time

import pytest
import serial
from link import Link
from peer import publish

LENGTH = 20_000
LONG = publish(b"t", b"x" * LENGTH)


@pytest.mark.parametrize("pause", [0.1, 0.45])
def test_a_trickling_broker_does_not_hold_the_port(link, peer, pause):
    """Bytes come more often than a silence is noticed: what counts is how long the command has waited."""

    def script(connection):
        connection.accept()
        connection.send(LONG[:4000])
        connection.trickle(LONG[4000:4000 + int(15 / pause)], pause)

    link.configure()
    before = link.port.received
    link.connect(peer(script).port)
    link.port.await_bytes(before + 3000)
    begin = time.monotonic()
    assert link.port.command("AT+MQTTCONN?", 10).final == b"OK"
    assert time.monotonic() - begin < 10
    assert len(link.port.message().data) == LENGTH
    assert 3_900 < link.port.incomplete() < LENGTH
    link.port.disconnected()


@pytest.mark.virtual("a board of its own, started for it")
def test_clean_inside_a_long_message_on_a_slow_line(new_board, peer):
    """What is missing is filled for a moment only, not for the seconds that a line of 2400 baud would want."""
    def script(connection):
        connection.accept()
        connection.send(LONG)
        connection.swallow()

    board = new_board("--baud", "2400")
    link = Link(board.port, board.host)
    link.configure()
    before = link.port.received
    link.connect(peer(script).port)
    # The message's line has begun.
    link.port.await_bytes(before + 200)
    board.port.close()
    assert b"\0\r\n+MQTTINCOMPLETE:0," in clean_by_hand(board.device)


def clean_by_hand(device: str) -> bytes:
    """What is printed up to CLEAN's OK: the line is not whole, so that no parser can take it."""
    with serial.Serial(device, timeout=0.1) as line:
        line.write(b"AT+MQTTCLEAN=0\r\n")
        printed, deadline = b"", time.monotonic() + 10
        while not printed.endswith(b"\r\nOK\r\n"):
            assert time.monotonic() < deadline, printed
            printed += line.read(4096)
    return printed
