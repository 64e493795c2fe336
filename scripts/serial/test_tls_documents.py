"""The documents' session with TLS as it is printed (its broker's address and port apart), and the same on each scheme."""

import time

import pytest

from certificates import NAME
from link import Link
from secure import MUTUAL, hosts, over_websocket
from tls import server_context, shake_hands

pytestmark = pytest.mark.virtual("a board of its own that has joined no network")

BEFORE = ("AT+CWMODE=1", 'AT+CWJAP="ssid","password"', 'AT+CIPSNTPCFG=1,8,"ntp1.aliyun.com","ntp2.aliyun.com"')


@pytest.fixture
def newcomer(new_board, brokers):
    """A board that has not joined a network and knows no time, with the credentials that the brokers want."""
    board = new_board("--wifi", "off", *hosts())
    link = Link(board.port, board.host)
    brokers.equip(link)
    for line in BEFORE:
        assert link.port.command(line, 20).final == b"OK", line
        if "CWJAP" in line:
            link.port.got_ip()
    await_time(link)
    return link


def await_time(link):
    """The documents ask for it: `please ensure that has obtained the current time`."""
    deadline = time.monotonic() + 20
    while b"1970" in link.port.command("AT+CIPSNTPTIME?").lines[0]:
        assert time.monotonic() < deadline, "no time from the SNTP server"
        link.port.quiet(0.1)


def test_tls_with_alpn(newcomer, peer, certificates):
    """Scheme 5, two names of ALPN, reconnection: the W800 document's example, which ends with CONN."""
    seen = []

    def script(connection):
        secured = shake_hands(connection, context)
        seen.append((secured.selected_alpn_protocol(), dict(secured.getpeercert()["subject"][0])["commonName"]))
        connection.accept()
        connection.serve()

    context = server_context(certificates.files("good"), certificates.roots, ("mqtt-ca.us",))
    at, port = newcomer.port, peer(script).port
    at.ok('AT+MQTTUSERCFG=0,5,"w800","WinnerMicro","1234567890",0,0,""')
    at.ok('AT+MQTTALPN=0,2,"mqtt-ca.cn","mqtt-ca.us"')
    at.ok(f'AT+MQTTCONN=0,"{newcomer.host}",{port},1')
    assert at.connected(0) == f'5,"{newcomer.host}",{port},"",1'.encode()
    at.ok("AT+MQTTCONN?", f'+MQTTCONN:0,4,5,"{newcomer.host}",{port},"",1')
    assert seen == [("mqtt-ca.us", "w800")]


def test_each_scheme_as_the_documents_write_it(newcomer, brokers):
    """USERCFG and CONN with a host name, SUB, PUB with the documents' escapes, and back."""
    at = newcomer.port
    for scheme in range(1, 11):
        path = "/mqtt" if over_websocket(scheme) else ""
        port = brokers.port(scheme, MUTUAL if scheme in (4, 5, 9, 10) else "good")
        at.ok(f'AT+MQTTUSERCFG=0,{scheme},"w800","WinnerMicro","1234567890",0,0,"{path}"')
        at.ok(f'AT+MQTTCONN=0,"{NAME}",{port},0')
        assert at.connected(0) == f'{scheme},"{NAME}",{port},"{path}",0'.encode()
        at.ok('AT+MQTTSUB=0,"topic",1')
        at.ok(r'AT+MQTTPUB=0,"topic","\"{\"timestamp\":\"20201121085253\"}\"",0,0')
        assert at.message().data == b'"{"timestamp":"20201121085253"}"'
        at.ok("AT+MQTTCLEAN=0")
