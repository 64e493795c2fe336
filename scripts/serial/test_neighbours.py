"""The virtual board's commands beside the library's own: in the documented forms, and with the effect they should have."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from atport import RESTORE
from link import Code, Link
from waiting import until

pytestmark = pytest.mark.virtual("commands of the virtual board's own")

REFUSED = (b"ERROR", b"CMD PARSE ERR", b"CMD FORMAT ERR")
KEPT = (
    ("CWMODE", "3", b"3"),
    ("CWRECONNCFG", "5,10", b"5,10"),
    ("CWCOUNTRY", '"JP",1,14', b'"JP",1,14'),
    ("CWHOSTNAME", '"shelf"', b'"shelf"'),
    ("CIPMUX", "1", b"1"),
    ("CIPMODE", "1", b"1"),
    ("CIPDINFO", "1", b"true"),
    ("CIPSNTPINTV", "600", b"600"),
    ("SYSSTORE", "0", b"0"),
    ("CWINIT", "1", b"1"),
    ("CWDHCP", "1,3", b"3"),
    ("CIPSTAMAC", '"18:6d:cd:55:e5:7b"', b'"18:6d:cd:55:e5:7b"'),
    ("CIPDNS", '1,"8.8.8.8"', b'1,"8.8.8.8","8.8.8.8"'),
)
"""Command, what is set, what is shown then."""

WRONG = (
    "AT+CWMODE=4",
    "AT+CWRECONNCFG=7201,1",
    'AT+CWCOUNTRY="JP",15,1',
    f'AT+CWHOSTNAME="{"h" * 33}"',
    f'AT+CWJAP="{"s" * 33}","password"',
    "AT+CIPMUX=2",
    "AT+CIPSNTPINTV=14",
    'AT+CIPSTA="10.0.2.300"',
    'AT+CIPSTAMAC="15:6d:cd:55:e5:7b"',
    'AT+CIPSTAMAC="00:00:00:00:00:00"',
    'AT+CIPDNS=1,"here"',
    'AT+PING=""',
    "AT+UART_DEF=100,8,1,0,0",
    "AT+UART_DEF=9600,7,1,0,0",
    "AT+CWLAPOPT=512",
    'AT+CIPDOMAIN="not.listed"',
)


@pytest.fixture
def port(new_board):
    return new_board().port


def rows(port, command):
    answer = port.command(command)
    assert answer.final == b"OK", (command, answer)
    return answer.lines


def test_what_is_set_is_shown(port):
    for name, value, shown in KEPT:
        port.ok(f"AT+{name}={value}")
        assert rows(port, f"AT+{name}?") == [b"+%b:%b" % (name.encode(), shown)]


def test_what_is_wrong_is_refused(port):
    for command in WRONG:
        answer = port.command(command)
        assert answer.final in REFUSED, command


def test_addresses(port):
    assert rows(port, "AT+CWSTATE?") == [b'+CWSTATE:2,"virtual"']
    assert rows(port, "AT+CIFSR") == [b'+CIFSR:STAIP,"10.0.2.15"', b'+CIFSR:STAMAC,"02:57:38:00:00:01"']
    port.ok('AT+CIPSTA="10.0.2.77"')
    assert rows(port, "AT+CIPSTA?")[0] == b'+CIPSTA:ip:"10.0.2.77"'
    assert rows(port, "AT+CWDHCP?") == [b"+CWDHCP:0"]
    pings(port, "10.0.2.2")
    port.ok("AT+CWDHCP=1,1")
    until(lambda: b'+CIFSR:STAIP,"10.0.2.15"' in rows(port, "AT+CIFSR"), "an address by DHCP", 20)


def pings(port, host):
    (row,) = rows(port, f'AT+PING="{host}"')
    assert re.fullmatch(rb"\+PING:\d+", row)


def test_names_and_echoes(new_board):
    port = new_board("--hosts", "broker.example=10.0.2.2").port
    assert rows(port, 'AT+CIPDOMAIN="broker.example"') == [b'+CIPDOMAIN:"10.0.2.2"']
    pings(port, "broker.example")
    answer = port.command('AT+PING="not.listed"')
    assert (answer.lines, answer.final) == ([b"+PING:TIMEOUT"], b"ERROR")


def test_the_address_comes_behind_the_answer(new_board, broker):
    """A driver that connects at the OK finds no network yet."""
    board = new_board("--wifi", "off", "--dhcp-delay", "3000")
    link = Link(board.port, board.host)
    link.configure()
    assert rows(link.port, "AT+CWSTATE?") == [b'+CWSTATE:0,"virtual"']
    joined = link.port.command('AT+CWJAP="home","password"')
    assert (joined.lines, joined.final) == ([b"WIFI CONNECTED"], b"OK")
    assert rows(link.port, "AT+CWSTATE?") == [b'+CWSTATE:1,"home"']
    link.port.error(link.conn(broker.port), Code.START_FAILED)
    assert link.report().text == "no network"
    link.port.got_ip()
    assert rows(link.port, "AT+CWSTATE?") == [b'+CWSTATE:2,"home"']
    link.connect(broker.port)


def test_leaving_ends_the_waiting_for_an_address(new_board):
    port = new_board("--wifi", "off", "--dhcp-delay", "1500").port
    for _ in range(2):
        assert rows(port, 'AT+CWJAP="home","password"') == [b"WIFI CONNECTED"]
        assert rows(port, "AT+CWQAP") == [b"WIFI DISCONNECT"]
    rows(port, "AT+CWJAP")
    port.got_ip()
    with pytest.raises(AssertionError, match="WIFI GOT IP"):
        port.got_ip(2)


def test_modes_take_the_station_down_and_up(port):
    assert rows(port, "AT+CWMODE=0") == [b"WIFI DISCONNECT"]
    assert port.command("AT+CWJAP").final == b"ERROR"
    assert rows(port, "AT+CWMODE=1") == [b"WIFI CONNECTED"]
    port.got_ip()
    assert rows(port, "AT+CWINIT=0") == [b"WIFI DISCONNECT"]
    assert port.command("AT+CWJAP").final == b"ERROR"


def test_a_scan_shows_what_was_asked_for(port):
    assert rows(port, "AT+CWLAP") == [b'+CWLAP:3,"virtual",-40,"02:00:00:00:00:01",6,4,4,5,0']
    port.ok("AT+CWLAPOPT=6")
    assert rows(port, "AT+CWLAP") == [b'+CWLAP:"virtual",-40']
    assert rows(port, 'AT+CWLAP="other"') == []
    port.ok("AT+CWLAPOPT=6,-30")
    assert rows(port, "AT+CWLAP") == []


def test_what_is_stored_and_what_restores(port):
    """Over a restart, unless AT+SYSSTORE=0 came before; AT+RESTORE empties the library's storage with it."""
    port.ok("AT+SYSSTORE=0")
    port.ok("AT+CWRECONNCFG=1,2")
    port.ok("AT+CWAUTOCONN=0")
    port.restart()
    assert rows(port, "AT+CWRECONNCFG?") == [b"+CWRECONNCFG:0,0"]
    assert rows(port, "AT+CWSTATE?") == [b'+CWSTATE:0,"virtual"']
    port.ok("AT+CWRECONNCFG=3,4")
    port.restart()
    assert rows(port, "AT+CWRECONNCFG?") == [b"+CWRECONNCFG:3,4"]
    port.restart(command=RESTORE)
    assert rows(port, "AT+CWRECONNCFG?") == [b"+CWRECONNCFG:0,0"]
    assert rows(port, "AT+CWSTATE?") == [b'+CWSTATE:2,"virtual"']


def test_restore_takes_the_certificates_along(new_board, certificates):
    board = new_board()
    link = Link(board.port, board.host)
    link.store(0, certificates.root.pem)
    assert rows(link.port, "AT+MQTTCERT?") != []
    link.port.restart(command=RESTORE)
    assert rows(link.port, "AT+MQTTCERT?") == []


def test_the_pace_of_the_port_changes(port):
    """Behind the OK, and again."""
    assert rows(port, "AT+UART_DEF?") == [b"+UART_DEF:115200,8,1,0,0"]
    port.ok("AT+UART_DEF=2400,8,1,0,0")
    slow = port.command("AT+SYSTASKS?")
    assert slow.final == b"OK" and slow.seconds > len(slow.raw) / 240 * 0.8
    port.ok("AT+UART_DEF=921600,8,1,0,0")
    assert rows(port, "AT+UART_DEF?") == [b"+UART_DEF:921600,8,1,0,0"]


@pytest.mark.parametrize(("zone", "offset"), [(-5, -300), (-530, -330), (-30, -30), (1245, 765), (14, 840)])
def test_any_time_server_in_any_zone(port, zone, offset):
    """Nobody lists its name; hours, or hours and minutes as one number."""
    port.ok(f'AT+CIPSNTPCFG=1,{zone},"ntp.of-anybody.example"')
    until(lambda: b"1970" not in port.command("AT+CIPSNTPTIME?").lines[0], "the time", 20)
    shown = rows(port, "AT+CIPSNTPTIME?")[0].decode().partition(":")[2]
    there = datetime.strptime(shown, "%a %b %d %H:%M:%S %Y").replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert abs(datetime.now(timezone.utc) - there) < timedelta(minutes=5)
