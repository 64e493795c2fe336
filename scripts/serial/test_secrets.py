"""Passwords, payloads and keys appear in no log and in no answer that does not have to show them."""

import pytest

from link import Link
from peer import PUBACK, publish

pytestmark = pytest.mark.virtual("the board's whole log")

PASSWORD, LONG_PASSWORD = "pa55word-Quietly", b"l0ng-password-Quietly" * 20
PAYLOAD, RAW_PAYLOAD, INCOMING = "payl0ad-Quietly", b"raw-payl0ad-Quietly" * 50, b"inc0ming-Quietly" * 10
WILL = "w1ll-Quietly"


@pytest.fixture
def listened(new_board):
    """A talkative board, and all that its port prints."""
    printed = bytearray()
    board = new_board("--rtc", "host", "--log", "debug")
    board.port.close()
    board.open(lambda way, data: printed.extend(data if way == "<-" else b""))
    return board, Link(board.port, board.host), printed


def parts(text):
    """Pieces long enough to be told from chance, as text and as a dump of hexadecimal digits."""
    data = text.encode() if isinstance(text, str) else text
    pieces = [data[at : at + 12] for at in range(0, max(len(data) - 11, 1), 12)]
    return [form for piece in pieces for form in (piece, piece.hex().encode(), piece.hex(" ").encode())]


def leaks(log, *secrets):
    lower = log.lower()
    return [part for secret in secrets for part in parts(secret) if part in log or part.lower() in lower]


@pytest.mark.parametrize("scheme", [1, 5, 10])
def test_a_whole_session(listened, brokers, scheme):
    board, link, printed = listened
    client = brokers.certificates.client
    brokers.equip(link)
    link.configure(scheme, user="user", password=PASSWORD, keepalive=30, will=("will/t", WILL, 1, 0))
    link.connect(brokers.port(scheme))
    link.subscribe("in", 1)
    link.publish("out", PAYLOAD, 1)
    link.publish_raw("out", RAW_PAYLOAD, 2)
    link.publish_raw("in", INCOMING, 1)
    assert link.port.message().data == INCOMING
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure(scheme, user="user")
    link.port.prompt(f"AT+MQTTLONGPASSWORD=0,{len(LONG_PASSWORD)}")
    link.port.fill(LONG_PASSWORD)
    assert link.port.answer().final == b"OK"
    link.connect(brokers.port(scheme))
    link.port.ok("AT+MQTTCLEAN=0")
    key = b"".join(client.key.splitlines()[1:-1])
    assert not leaks(board.whole_log(), PASSWORD, LONG_PASSWORD, PAYLOAD, RAW_PAYLOAD, INCOMING, WILL, key, client.key_der)
    assert not leaks(bytes(printed), PASSWORD, LONG_PASSWORD, key, client.key_der)


def test_when_things_go_wrong(listened, brokers, peer):
    """Refusals and broken connections tempt to log what was at hand."""
    board, link, printed = listened
    certificates = brokers.certificates
    brokers.equip(link)
    key = certificates.strange_client.key
    assert link.offer(2, key[:150]).final == b"ERROR"
    link.store(2, key)
    assert link.port.command("AT+MQTTCERT?").final == b"OK"
    link.configure(5, user="user", password=PASSWORD)
    assert link.port.command(link.conn(brokers.port(5))).final == b"ERROR"
    link.configure(1, user="user", password=PASSWORD)
    assert link.port.command(link.conn(peer(lambda connection: connection.accept(5)).port)).final == b"ERROR"

    def script(connection):
        connection.accept()
        connection.send(publish(b"in", INCOMING, 1, 7))
        connection.expect(PUBACK)
        connection.send(publish(b"\xff", INCOMING))
        connection.swallow()

    link.connect(peer(script).port)
    assert link.port.message().data == INCOMING
    link.port.disconnected()
    assert link.port.command(f'AT+MQTTPUB=0,"out","{PAYLOAD}",9,0').final == b"ERROR"
    assert link.port.command(f'AT+MQTTPUB=0,"out","{PAYLOAD}",1,0').final == b"ERROR"
    body = b"".join(key.splitlines()[1:-1])
    log = board.whole_log()
    assert log, "nothing was logged at all"
    assert not leaks(log, PASSWORD, PAYLOAD, INCOMING, body)
    assert not leaks(bytes(printed), PASSWORD, body)
