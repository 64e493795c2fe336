"""The clock that verification needs: schemes 3, 5, 8 and 10 fail at once where it was never set (at-contract §6)."""

import re
import time

import pytest

from certificates import NAME
from link import Code, Link
from secure import SECURE, VERIFYING, hosts
from timeserver import TimeServer

pytestmark = pytest.mark.virtual("a clock that is set to anything")

TLS_STAGE = 3
TIME = re.compile(rb"\+CIPSNTPTIME:(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})")
DAY = 86_400
IN_2019, IN_2020 = 1577836799, 1577836800


def link_of(board):
    return Link(board.port, board.host)


def fails_for_want_of_a_clock(link, port):
    answer = link.port.error(link.conn(port), Code.TLS_CONFIG)
    assert answer.seconds < 1
    report = link.report()
    assert (report.code, report.stage) == (Code.TLS_CONFIG, TLS_STAGE)
    assert "clock" in report.text
    assert link.state() == 1


def fetch_time(link):
    """AT+CIPSNTPCFG, and the time as soon as it is there."""
    link.port.ok('AT+CIPSNTPCFG=1,8,"ntp1.aliyun.com","ntp2.aliyun.com"')
    deadline = time.monotonic() + 20
    while (shown := shown_time(link)).endswith("1970"):
        assert time.monotonic() < deadline, "no time from the SNTP server"
        link.port.quiet(0.1)
    return shown


def shown_time(link):
    answer = link.port.command("AT+CIPSNTPTIME?")
    row = TIME.fullmatch(answer.lines[0])
    assert answer.final == b"OK" and len(answer.lines) == 1 and row, answer
    return row[1].decode()


@pytest.mark.parametrize("board_clock", ["unset", str(IN_2019)])
def test_verification_without_a_clock(new_board, peer, board_clock):
    """At once, before anything else is looked at: no authority is stored, and nothing reaches the server."""
    link = link_of(new_board("--rtc", board_clock))
    server = peer(lambda connection: connection.swallow())
    for scheme in VERIFYING:
        link.configure(scheme)
        fails_for_want_of_a_clock(link, server.port)
    link.port.quiet(0.3)
    assert not server.connections


def test_other_schemes_need_none(new_board, brokers):
    link = link_of(new_board())
    brokers.equip(link)
    for scheme in SECURE:
        if scheme not in VERIFYING:
            link.configure(scheme)
            link.connect(brokers.port(scheme, "expired"))
            link.publish("t", "x", 1)
            link.port.ok("AT+MQTTCLEAN=0")


def test_time_from_an_sntp_server(new_board, brokers):
    """As the documents tell it: CIPSNTPCFG, then CONN."""
    with TimeServer() as server:
        connects_once_it_has_the_time(link_of(new_board(*asking(server))), brokers)
        assert server.answered


def test_a_server_that_is_wrong(new_board, brokers):
    """What the server says is believed: five years on, the certificate's time is over."""
    with TimeServer(5 * 365 * DAY) as server:
        link = link_of(new_board(*asking(server)))
        brokers.equip(link)
        fetch_time(link)
        link.configure(3)
        link.port.error(link.conn(brokers.port(3)), Code.TLS_CONFIG)
        assert link.report().text == "certificate expired"


def asking(server):
    return ("--time-server", str(server.port), *hosts())


def connects_once_it_has_the_time(link, brokers):
    brokers.equip(link)
    link.configure(3)
    fails_for_want_of_a_clock(link, brokers.port(3))
    assert shown_time(link) == "Thu Jan  1 00:00:00 1970"
    shown = time.strptime(fetch_time(link), "%a %b %d %H:%M:%S %Y")
    ahead = time.mktime(shown) - time.mktime(time.gmtime()) - 8 * 3600
    assert abs(ahead) < 5
    for scheme in VERIFYING:
        link.port.ok("AT+MQTTCLEAN=0")
        link.configure(scheme)
        link.connect(brokers.port(scheme), host=NAME)
        link.publish("t", "x", 1)


def test_a_clock_that_is_set_but_wrong(new_board, brokers):
    """From 2020 on it is believed; the certificate decides."""
    link = link_of(new_board("--rtc", str(IN_2020)))
    brokers.equip(link)
    link.configure(3)
    link.port.error(link.conn(brokers.port(3)), Code.TLS_CONFIG)
    assert link.report().text == "certificate not yet valid"


def test_credentials_are_looked_at_after_the_clock(new_board, peer):
    """And in their order: authority, certificate, key. None of it needs the network."""
    server = peer(lambda connection: connection.swallow())
    link = link_of(new_board("--rtc", "host"))
    for scheme in SECURE:
        code = Code.CA_NONE if scheme in VERIFYING else Code.CERTIFICATE_NONE
        if scheme in (2, 7):
            continue
        link.configure(scheme)
        assert link.port.error(link.conn(server.port), code).seconds < 1
    assert not server.connections
