"""Brokers that do not acknowledge: the command's time-out, and the port afterwards (at-contract §3, §5)."""

import threading

import pytest

from link import Code
from peer import PUBLISH, PUBREC, acknowledgement


def silent(connection):
    """Accepts the connection and never answers anything else."""
    connection.accept()
    connection.swallow()


@pytest.fixture
def unanswered(link, peer):
    link.configure(keepalive=600)
    link.connect(peer(silent).port)
    return link


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('AT+MQTTPUB=0,"t","x",1,0', Code.PUBLISH_FAILED),
        ('AT+MQTTPUB=0,"t","x",2,0', Code.PUBLISH_FAILED),
        ('AT+MQTTSUB=0,"t",0', Code.SUBSCRIBE_FAILED),
    ],
)
def test_10_seconds_by_default(unanswered, command, code):
    answer = unanswered.port.error(command, code, timeout=15)
    assert 8.5 <= answer.seconds <= 11
    assert unanswered.port.command("AT+MQTTCONN?").final == b"OK"


@pytest.mark.parametrize("qos", [1, 2])
def test_the_commands_own_time_out(unanswered, qos):
    answer = unanswered.port.error(f'AT+MQTTPUB=0,"t","x",{qos},0,3000', Code.PUBLISH_FAILED)
    assert 2.8 <= answer.seconds <= 6
    answer = unanswered.port.error(f'AT+MQTTSUB=0,"t",{qos},3000', Code.SUBSCRIBE_FAILED)
    assert 2.8 <= answer.seconds <= 6


def test_pubraw(unanswered):
    unanswered.port.prompt('AT+MQTTPUBRAW=0,"t",3,1,0,3000')
    unanswered.port.fill(b"abc")
    assert unanswered.port.result(6) == b"FAIL"
    assert unanswered.port.command("AT+MQTTCONN?").final == b"OK"


def test_pubrec_without_pubcomp(link, peer):
    def script(connection):
        connection.accept()
        connection.send(acknowledgement(PUBREC, connection.expect(PUBLISH).identifier))
        connection.swallow()

    link.configure()
    link.connect(peer(script).port)
    link.port.error('AT+MQTTPUB=0,"t","x",2,0,3000', Code.PUBLISH_FAILED)


def test_unsubscribe(link, peer):
    def script(connection):
        connection.accept()
        connection.reply(connection.expect(8))
        connection.swallow()

    link.configure(keepalive=600)
    link.connect(peer(script).port)
    link.subscribe("t")
    answer = link.port.error('AT+MQTTUNSUB=0,"t",3000', Code.UNSUBSCRIBE_FAILED)
    assert 2.8 <= answer.seconds <= 6


def test_a_late_acknowledgement_does_no_harm(link, peer):
    """PUBACK after the command gave up: nothing is printed, the next publication has its own."""
    given_up = threading.Event()

    def script(connection):
        connection.accept()
        late = connection.expect(PUBLISH)
        assert given_up.wait(10)
        connection.reply(late)
        connection.serve()

    link.configure()
    link.connect(peer(script).port)
    link.port.error('AT+MQTTPUB=0,"t","late",1,0,3000', Code.PUBLISH_FAILED)
    given_up.set()
    link.port.quiet(1.5)
    link.publish("t", "next", 1)


def test_qos_0_does_not_wait(unanswered):
    answer = unanswered.port.ok('AT+MQTTPUB=0,"t","x",0,0')
    assert answer.seconds < 1
