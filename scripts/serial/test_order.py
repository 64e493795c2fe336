"""Where a message is printed that comes in while PUB or PUBRAW is answered (at-contract §3, "Order at the end")."""

import pytest

from link import Link
from peer import PUBLISH, SUBSCRIBE, publish

pytestmark = pytest.mark.virtual("a board of its own, whose lines are seen in their order")

TOPIC = "own"
FITS, FITS_NOT = (0, 10, 900), (2000, 20_000)
"""Bytes of messages whose lines fit the 1,024 bytes that can wait, and of such whose lines do not."""


@pytest.fixture
def exchange(new_board, peer):
    """Publish at a QoS by a command, and get a message of a size before the acknowledgement: what the port printed."""
    board = new_board()
    board.port.close()
    printed = []
    board.open(lambda way, data: printed.append(data) if way == "<-" else None)
    link = Link(board.port, board.host)
    sizes = []

    def script(connection):
        connection.accept()
        connection.reply(connection.expect(SUBSCRIBE))
        while (got := connection.receive(60)) is not None:
            if got.kind == PUBLISH:
                connection.send(publish(TOPIC.encode(), b"m" * sizes[-1]))
            connection.reply(got)

    link.configure()
    link.connect(peer(script).port)
    link.subscribe(TOPIC)

    def run(command, qos, size):
        sizes.append(size)
        printed.clear()
        if command == "PUB":
            link.publish(TOPIC, "published", qos)
        else:
            link.publish_raw(TOPIC, b"published", qos)
        assert link.port.message().data == b"m" * size
        link.port.quiet(0.05)
        return printed

    return run


def places(printed, command):
    """Where the answer ended, and where the message was."""
    end = b"OK\r\n" if command == "PUB" else b"+MQTTPUB:OK\r\n"
    message = next(index for index, piece in enumerate(printed) if piece.startswith(b"+MQTTSUBRECV:"))
    return printed.index(end), message


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("command", ["PUB", "PUBRAW"])
def test_what_fits_comes_behind_the_answer(exchange, command, qos):
    for size in FITS:
        for _ in range(5):
            answered, message = places(exchange(command, qos, size), command)
            assert answered < message


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("command", ["PUB", "PUBRAW"])
def test_what_does_not_fit_comes_at_once(exchange, command, qos):
    """The acknowledgement comes behind it, so the message does not wait for the answer."""
    for size in FITS_NOT:
        answered, message = places(exchange(command, qos, size), command)
        assert message < answered
