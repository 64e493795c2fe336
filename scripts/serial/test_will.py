"""Wills: published when the board vanishes, not when it leaves (at-contract §3, §5)."""

import pytest

from link import Link


@pytest.mark.virtual("a board whose power can be cut")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_when_the_board_loses_power(new_board, broker, witness, qos):
    board = new_board()
    link = Link(board.port, board.host)
    other = witness("will/power")
    link.configure(client=f"power{qos}", will=("will/power", "gone, really", qos, 0))
    link.connect(broker.port)
    board.kill()
    message = other.message(10)
    assert (message.payload, message.qos, message.retain) == (b"gone, really", qos, False)


@pytest.mark.virtual("a network that can be left and joined at will")
def test_when_the_radio_is_lost(link, broker, witness):
    """CWQAP takes the link down under a connection: the broker's keepalive ends it, and the board notices too."""
    other = witness("will/radio")
    link.configure(client="radio", keepalive=2, will=("will/radio", "gone", 1, 0))
    link.connect(broker.port)
    assert link.port.command("AT+CWQAP").final == b"OK"
    try:
        assert other.message(20).payload == b"gone"
        assert link.port.disconnected(15) == 0
        assert link.state() == 3
    finally:
        link.clean()
        link.port.join()


def test_when_the_connection_is_cut(link, relay, witness):
    other = witness("will/cut")
    link.configure(client="cut", will=("will/cut", "gone", 2, 0))
    link.connect(relay.port)
    relay.cut()
    assert other.message().payload == b"gone"
    assert link.port.disconnected() == 0


def test_not_after_clean(link, broker, witness):
    other = witness("will/polite")
    link.configure(client="polite", will=("will/polite", "gone", 0, 0))
    link.connect(broker.port)
    link.port.ok("AT+MQTTCLEAN=0")
    other.quiet(1)


def test_retained_will(link, relay, witness):
    link.configure(client="retained", will=("will/retained", "gone", 1, 1))
    link.connect(relay.port)
    relay.cut()
    link.port.disconnected()
    other = witness("will/retained")
    message = other.message()
    assert (message.payload, message.retain) == (b"gone", True)
    other.publish("will/retained", b"", 1, retain=True)


def test_a_will_topic_without_message_is_an_empty_will(link, relay, witness):
    other = witness("will/empty")
    link.configure(client="empty", will=("will/empty", "", 0, 0))
    link.connect(relay.port)
    relay.cut()
    assert other.message().payload == b""
    link.port.disconnected()


def test_longest_will(link, relay, witness):
    topic, text = "t" * 128, "x" * 20
    other = witness(topic)
    link.configure(client="longest", will=(topic, text, 0, 0))
    link.connect(relay.port)
    relay.cut()
    assert other.message().payload == text.encode()
    link.port.disconnected()
