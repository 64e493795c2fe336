"""`AT+MQTTERR?`: why the last command or connection failed (an addition to the AT contract).

The row: `+MQTTERR:<LinkID>,<code>,<stage>,<detail>,<"text">`.
"""

import re
import time

import pytest

from broker import free_port
from link import Code, Link
from peer import CONNECT, PINGREQ, PUBLISH, SUBSCRIBE, connack, packet, publish, suback

COMMAND, DNS, TCP, CONNACK, SESSION = 0, 1, 2, 5, 6
"""Stages."""

ROW = re.compile(rb'\+MQTTERR:0,0x([0-9a-f]{8}),(\d),(-?\d+),"(.*)"')
NOTHING = '+MQTTERR:0,0x00000000,0,0,""'


def report(link):
    """Code, stage, detail and text."""
    answer = link.port.command("AT+MQTTERR?")
    assert answer.final == b"OK" and len(answer.lines) == 1, answer
    row = ROW.fullmatch(answer.lines[0])
    assert row, answer
    return int(row[1], 16), int(row[2]), int(row[3]), row[4].decode()


def connect(link, port, host=None, extra=""):
    return f'AT+MQTTCONN=0,"{host or link.host}",{port},0{extra}'


def lost(link):
    """What is said of a connection that stood: its text."""
    assert link.port.disconnected(20) == 0
    code, stage, detail, text = report(link)
    assert (code, stage, detail) == (Code.DISCONNECTED, SESSION, 0)
    return text


@pytest.mark.virtual("a board of its own, started for it")
def test_nothing_has_failed_after_boot(new_board):
    board = new_board()
    link = Link(board.port, board.host)
    link.port.ok("AT+MQTTERR?", NOTHING)
    link.configure()
    link.port.ok("AT+MQTTERR?", NOTHING)
    link.port.error("AT+MQTTCLEAN=1", Code.LINK_VALUE)
    assert report(link)[:3] == (Code.LINK_VALUE, COMMAND, 0)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('AT+MQTTCONNCFG=0,7201,0,"","",0,0', 0x602D),
        ('AT+MQTTCONN=0,"",1883,0', 0x603B),
        ('AT+MQTTPUB=0,"t","x",0,0', Code.DISCONNECTED),
        ("AT+MQTTCLEAN=0,0", Code.COUNTS),
        ("AT+MQTTCLEAN=x", Code.LINK_READ),
        ("AT+MQTTLONGCLIENTID=0,1025", 0x6016),
    ],
)
def test_a_refused_command(link, command, code):
    link.configure()
    link.port.error(command, code)
    failed, stage, detail, text = report(link)
    assert (failed, stage, detail) == (code, COMMAND, 0)
    assert text


def test_it_stays_until_the_next_failure(link, broker):
    link.port.error("AT+MQTTCLEAN=0", Code.UNINITIATED)
    before = report(link)
    assert before[:3] == (Code.UNINITIATED, COMMAND, 0)
    link.configure()
    link.connect(broker.port)
    link.publish("t", "x", 1)
    link.port.ok("AT+MQTTCLEAN=0")
    assert report(link) == before
    link.port.error("AT+MQTTCLEAN=1", Code.LINK_VALUE)
    assert report(link)[0] == Code.LINK_VALUE


def test_an_unknown_name(link):
    link.configure()
    link.port.error(connect(link, 1883, "no-such-host.invalid", ",3000"), Code.START_FAILED, timeout=8)
    assert report(link) == (Code.START_FAILED, DNS, 0, "name not found")


def test_a_closed_port(link, address):
    """The detail is lwIP's number for a connection that was reset: 104."""
    link.configure()
    link.port.error(connect(link, free_port(address)), Code.START_FAILED, timeout=20)
    assert report(link) == (Code.START_FAILED, TCP, 104, "not connected")


@pytest.mark.virtual("an address where certainly nobody is")
def test_an_address_where_nobody_is(link):
    link.configure()
    link.port.error(connect(link, 1883, "10.0.2.99", ",3000"), Code.START_FAILED, timeout=8)
    assert report(link) == (Code.START_FAILED, TCP, 0, "no answer")


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_connack_refuses(link, peer, code):
    link.configure()
    refusing = peer(lambda connection: connection.accept(code))
    link.port.error(connect(link, refusing.port), Code.START_FAILED, timeout=20)
    assert report(link) == (Code.START_FAILED, CONNACK, code, "refused by the broker")


def test_connack_does_not_come(link, peer):
    link.configure()
    silent = peer(lambda connection: connection.swallow())
    link.port.error(connect(link, silent.port, extra=",3000"), Code.START_FAILED, timeout=8)
    assert report(link) == (Code.START_FAILED, CONNACK, 0, "no answer")


@pytest.mark.parametrize(
    "instead", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", connack(6)], ids=["end", "http", "code 6"]
)
def test_no_connack_but_something_else(link, peer, instead):
    def script(connection):
        connection.expect(CONNECT)
        connection.send(instead)

    link.configure()
    link.port.error(connect(link, peer(script).port), Code.START_FAILED, timeout=20)
    code, stage, _, text = report(link)
    assert (code, stage) == (Code.START_FAILED, CONNACK)
    assert text


def test_a_success_after_a_failure_and_a_failure_after_that(link, peer, broker):
    """Each failure replaces the one before as a whole."""
    link.configure()
    link.port.error(connect(link, peer(lambda connection: connection.accept(5)).port), Code.START_FAILED)
    assert report(link)[2] == 5
    link.connect(broker.port)
    assert report(link)[2] == 5
    link.port.error('AT+MQTTPUB=0,"t","x",3,0', 0x6048)
    assert report(link)[:3] == (0x6048, COMMAND, 0)


def test_suback_refuses(link, peer):
    def script(connection):
        connection.accept()
        connection.send(suback(connection.expect(SUBSCRIBE).identifier, 0x80))
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.port.error('AT+MQTTSUB=0,"t",1', Code.SUBSCRIBE_FAILED)
    assert report(link) == (Code.SUBSCRIBE_FAILED, SESSION, 128, "refused by the broker")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('AT+MQTTPUB=0,"t","x",1,0,3000', Code.PUBLISH_FAILED),
        ('AT+MQTTPUB=0,"t","x",2,0,3000', Code.PUBLISH_FAILED),
        ('AT+MQTTSUB=0,"t",0,3000', Code.SUBSCRIBE_FAILED),
        ('AT+MQTTUNSUB=0,"known",3000', Code.UNSUBSCRIBE_FAILED),
    ],
)
def test_no_acknowledgement(link, peer, command, code):
    def script(connection):
        connection.accept()
        connection.reply(connection.expect(SUBSCRIBE))
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    link.subscribe("known")
    link.port.error(command, code)
    assert report(link) == (code, SESSION, 0, "no answer")


def test_pubraw_without_acknowledgement(link, peer):
    def script(connection):
        connection.accept()
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    assert link.port.raw('AT+MQTTPUBRAW=0,"t",3,1,0,3000', b"abc") == b"FAIL"
    assert report(link) == (Code.PUBLISH_FAILED, SESSION, 0, "no answer")


@pytest.mark.parametrize("command", ['AT+MQTTPUBRAW=0,"t",50,1,0', "AT+MQTTLONGCLIENTID=0,50"])
def test_a_data_phase_that_was_given_up(link, broker, command):
    link.configure()
    if "RAW" in command:
        link.connect(broker.port)
    link.port.prompt(command)
    time.sleep(0.1)
    link.port.fill(b"+++")
    answer = link.port.answer()
    assert answer.final == (b"+MQTTPUB:FAIL" if "RAW" in command else b"ERROR")
    assert report(link)[:3] == (0x604D, COMMAND, 0)


def test_the_peer_closes(link, relay):
    link.configure()
    link.connect(relay.port)
    relay.cut()
    assert lost(link) == "closed by the peer or the network"


@pytest.mark.parametrize(
    ("violation", "text"),
    [
        (packet(PINGREQ, 0), "packet type or flags"),
        (b"\x30\xff\xff\xff\xff\x01", "remaining length"),
        (connack(), "packet out of turn"),
        (publish(b"\xff", b"x"), "topic name"),
        (publish(b"t", b"x", 1, 0), "packet identifier or return code"),
    ],
    ids=["flags", "length", "turn", "topic", "value"],
)
def test_the_peer_breaks_the_protocol(link, peer, violation, text):
    def script(connection):
        connection.accept()
        connection.send(violation)
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    assert lost(link) == text


def test_the_peer_does_not_answer_a_ping(link, peer):
    def script(connection):
        connection.accept()
        connection.swallow()

    link.configure(keepalive=1)
    link.connect(peer(script).port)
    assert lost(link) == "no PINGRESP"


def test_the_peer_stalls_in_a_packet(link, peer):
    def script(connection):
        connection.accept()
        connection.send(b"\x30\x80")
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    assert lost(link) == "a packet stalled"


def test_a_loss_while_a_publication_waits(link, peer):
    """The command's code, with what befell the connection as its reason."""

    def script(connection):
        connection.accept()
        connection.expect(PUBLISH)

    link.configure()
    link.connect(peer(script).port)
    link.port.error('AT+MQTTPUB=0,"t","x",1,0', Code.PUBLISH_FAILED)
    link.port.disconnected()
    assert report(link) == (Code.PUBLISH_FAILED, SESSION, 0, "closed by the peer or the network")


def test_attempts_of_a_reconnection(link, peer):
    """Each failed attempt is the last failure, though no command was given."""

    def first(connection):
        connection.accept()

    def refuses(connection):
        connection.accept(3)

    running = peer(first, refuses)
    link.configure()
    link.connect(running.port, reconnect=1)
    link.port.disconnected()
    assert running.connection(1, 5).ended.wait(2)
    link.port.quiet(0.2)
    assert report(link) == (Code.START_FAILED, CONNACK, 3, "refused by the broker")


def test_clean_is_no_failure(link, broker):
    link.port.error("AT+MQTTCLEAN=1", Code.LINK_VALUE)
    link.configure()
    link.connect(broker.port)
    link.port.ok("AT+MQTTCLEAN=0")
    assert report(link)[0] == Code.LINK_VALUE


def test_the_eleventh_subscription(link, broker):
    """It ends with ERROR and without a code; its reason is there all the same."""
    link.port.error("AT+MQTTCLEAN=1", Code.LINK_VALUE)
    link.configure()
    link.connect(broker.port)
    for number in range(10):
        link.subscribe(f"t/{number}")
    answer = link.port.command('AT+MQTTSUB=0,"t/10",0')
    assert (answer.lines, answer.final) == ([b"ALREADY FULL SUBSCRIBE"], b"ERROR")
    code, stage, _, text = report(link)
    assert stage == COMMAND and text
    assert code != Code.LINK_VALUE, "it still tells of the command before"


def test_its_forms(link):
    """Only the query and the usage text."""
    link.port.error("AT+MQTTERR=0", Code.COUNTS)
    link.port.error("AT+MQTTERR", Code.COUNTS)
    assert link.port.command("AT+MQTTERR=?").lines == [b"AT+MQTTERR?"]
