"""What has to be in order before the tests run on a board: each check says in a sentence what it found, or what to do.

They go from the plug to the network, and each relies on those before it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import serial

from atport import Answer, AtPort, Surprise, quote
from board import RealBoard
from link import CA, CERTIFICATE, KEY, Link
from transcript import Transcript, mask
from uart import Unusable, check_port

JOIN_SECONDS, REACH_MS, TIME_SECONDS = 40, 5000, 20
QUIET_SECONDS = 25
"""A data phase that somebody has left open ends within 20."""

UNKNOWN = b"CMD FORMAT ERR"
OFF_AT_MOST = timedelta(hours=12)
"""Of the board's clock; the tests' certificates are valid, or not, by a day."""

_TIME = re.compile(rb"\+CIPSNTPTIME:\w{3} (\w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})")
_ZONE = re.compile(rb"\+CIPSNTPCFG:\d+,([+-]?\d+)")


class Unmet(Exception):
    """What is not in order, and what to do about it."""


@dataclass(frozen=True)
class Wishes:
    """What the user said."""

    port: str
    baud: int
    broker: str
    listen: str
    ssid: str = ""
    password: str = ""
    sntp: str = ""
    replace: bool = False


@dataclass
class Found:
    """What the tests have to know of this board."""

    clock: bool = False


@dataclass
class Bench:
    """The board on the bench while it is checked."""

    wishes: Wishes
    transcript: Transcript
    found: Found = field(default_factory=Found)
    port: AtPort | None = None

    @property
    def at(self) -> AtPort:
        if self.port is None:
            raise Unmet(f"{self.wishes.port} is not open")
        return self.port

    @property
    def link(self) -> Link:
        return Link(self.at, self.wishes.broker)

    def close(self) -> None:
        if self.port is not None:
            self.port.close()


def port_opens(bench: Bench) -> str:
    wishes = bench.wishes
    try:
        check_port(wishes.port)
        bench.port = AtPort(wishes.port, wishes.baud, tap=bench.transcript.note, exclusive=True)
    except Unusable as error:
        raise Unmet(str(error)) from None
    except (OSError, ValueError, serial.SerialException) as error:
        raise Unmet(f"{wishes.port} cannot be opened at {wishes.baud} baud: {error}") from None
    return f"{wishes.port} opens at {wishes.baud} baud"


def board_answers(bench: Bench) -> str:
    try:
        bench.at.synchronise(QUIET_SECONDS)
    except Surprise:
        if bench.at.received:
            raise Unmet(
                f"{bench.wishes.port} brings {bench.at.received} bytes, but no OK to AT: is that the AT port "
                "(UART1 by default; UART0 carries the log), and is --baud its speed?"
            ) from None
        raise Unmet(
            f"nothing comes from {bench.wishes.port}: look at TX, RX (crossed) and ground, at the power, and whether "
            "this is the AT port (UART1 by default)"
        ) from None
    return "the board answers AT"


def version(bench: Bench) -> str:
    answer = bench.at.command("AT+GMR")
    shown = ", ".join(line.decode("utf-8", "replace") for line in answer.lines)
    return f"AT+GMR: {shown}" if answer.final == b"OK" else "AT+GMR is not known there"


def commands_are_there(bench: Bench) -> str:
    """AT+MQTTERR is this library's own; the SDK's MQTT commands have none."""
    if UNKNOWN in bench.at.command("AT+MQTTCONN?").lines:
        raise Unmet(
            "this firmware has no MQTT commands: it must be linked with libw800_mqtt_at.a and "
            "-Wl,-u,w800_mqtt_at_table (docs/component.md)"
        )
    if UNKNOWN in bench.at.command("AT+MQTTERR?").lines:
        raise Unmet("these are the SDK's own MQTT commands: turn CONFIG_WM_ATCMD_MQTT_ENABLE off")
    bench.link.clean()
    return "the MQTT commands are this library's"


def lines_reach_the_library(bench: Bench) -> str:
    """An AT server would stumble over quotes within quotes."""
    if bench.at.command('AT+MQTTUSERCFG=0,1,"{"id":1,"of":2}","","",0,0,""').final != b"OK":
        raise Unmet(
            "the library does not see lines as they are typed: this firmware must be linked with "
            "-Wl,--wrap=wm_atcmd_dev_register (docs/component.md)"
        )
    bench.link.clean()
    return "lines pass through the library"


def certificates_may_go(bench: Bench) -> str:
    """The tests store their own, and erase them at the end."""
    rows = [line for line in bench.at.command("AT+MQTTCERT?").lines if line.startswith(b"+MQTTCERT:")]
    if rows and not bench.wishes.replace:
        raise Unmet(
            "the board has stored certificates or keys (AT+MQTTCERT?), which the tests replace and erase: add "
            "--replace-certificates if they may"
        )
    return f"{len(rows)} stored certificates and keys will be replaced" if rows else "no certificates are stored"


def network_is_joined(bench: Bench) -> str:
    wishes = bench.wishes
    if wishes.ssid:
        bench.at.command("AT+CWMODE=1")
        _join(bench)
    row = _first_row(bench.at.command("AT+CWJAP?"), b"+CWJAP:")
    if not row:
        raise Unmet("the board has joined no network: give --ssid and --password")
    name = row.removeprefix(b"+CWJAP:").partition(b",")[0].decode("utf-8", "replace")
    return f"the board has joined {name}"


def _join(bench: Bench) -> None:
    """A failure is told without the port's words: the password may be among them."""
    wishes = bench.wishes
    cannot = f"the board cannot join {wishes.ssid!r}"
    line = b"AT+CWJAP=%b,%b" % (quote(wishes.ssid), quote(wishes.password))
    try:
        answer = bench.at.command(line, JOIN_SECONDS)
    except Surprise:
        if not bench.at.is_open:
            raise
        raise Unmet(f"{cannot}: no proper answer within {JOIN_SECONDS} s; look at the distance and the power") from None
    if answer.final != b"OK":
        raise Unmet(f"{cannot}: look at --ssid, the password and the distance")
    try:
        bench.at.got_ip(JOIN_SECONDS)
    except Surprise:
        raise Unmet(f"the board has joined {wishes.ssid!r}, and nobody there gives it an address (DHCP)") from None


def address_is_ours(bench: Bench) -> str:
    wishes = bench.wishes
    try:
        own = ipaddress.ip_address(wishes.broker).is_loopback
    except ValueError:
        raise Unmet(f"--broker wants an IPv4 address of this machine, not {wishes.broker!r}") from None
    if own:
        raise Unmet(f"{wishes.broker} is the board itself to a board: --broker wants this machine's address in its network")
    try:
        socket.create_server((wishes.listen, 0)).close()
    except OSError:
        raise Unmet(
            f"{wishes.listen} is no address of this machine (ip -4 address shows them); where a router forwards to it, "
            "--listen names the one to listen at"
        ) from None
    return f"this machine listens at {wishes.listen}"


def board_reaches_us(bench: Bench) -> str:
    bench.link.configure()
    with socket.create_server((bench.wishes.listen, 0)) as server:
        server.settimeout(REACH_MS / 1000)
        bench.at.send(bench.link.conn(server.getsockname()[1], timeout_ms=REACH_MS))
        try:
            visitor, _ = server.accept()
            visitor.close()
        except TimeoutError:
            visitor = None
        answer = bench.at.answer(REACH_MS / 1000 + 5)
    if visitor is None:
        raise Unmet(
            f"the board does not reach {bench.wishes.broker} (code 0x{answer.code or 0:04x}): are both in one network, does "
            "a firewall here or the access point's client isolation stop it?"
        )
    bench.link.clean()
    return f"the board reaches this machine at {bench.wishes.broker}"


def clock_is_set(bench: Bench) -> str:
    """Not all tests need one."""
    if _board_time(bench) is None:
        server = b"," + quote(bench.wishes.sntp) if bench.wishes.sntp else b""
        if bench.at.command(b"AT+CIPSNTPCFG=1,0" + server).final == b"OK":
            deadline = time.monotonic() + TIME_SECONDS
            while _board_time(bench) is None and time.monotonic() < deadline:
                time.sleep(0.5)
    shown = _board_time(bench)
    if shown is None:
        return "the board has got no time by SNTP (--sntp names a server): tests that need it are left out"
    if abs(datetime.now(UTC) - shown) > OFF_AT_MOST:
        return f"the board's time is wrong, {shown:%Y-%m-%d %H:%M} UTC: tests that need it are left out"
    bench.found.clock = True
    return f"the board knows the time: {shown:%Y-%m-%d %H:%M} UTC"


def _board_time(bench: Bench) -> datetime | None:
    """Its clock in UTC, once it is set."""
    row = _TIME.match(_first_row(bench.at.command("AT+CIPSNTPTIME?"), b"+CIPSNTPTIME:"))
    if row is None:
        return None
    shown = datetime.strptime(row[1].decode(), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    zone = _ZONE.match(_first_row(bench.at.command("AT+CIPSNTPCFG?"), b"+CIPSNTPCFG:"))
    return shown - _offset(int(zone[1]) if zone else 0) if shown.year >= 2020 else None


def _offset(zone: int) -> timedelta:
    """Hours, or hours and minutes as one number (1245)."""
    if abs(zone) <= 14:
        return timedelta(hours=zone)
    sign = 1 if zone > 0 else -1
    return sign * timedelta(hours=abs(zone) // 100, minutes=abs(zone) % 100)


def _first_row(answer: Answer, name: bytes) -> bytes:
    return next((line for line in answer.lines if line.startswith(name)), b"")


CHECKS: tuple[Callable[[Bench], str], ...] = (
    port_opens,
    board_answers,
    version,
    commands_are_there,
    lines_reach_the_library,
    certificates_may_go,
    network_is_joined,
    address_is_ours,
    board_reaches_us,
    clock_is_set,
)


def check(wishes: Wishes, transcript: Transcript) -> Found | None:
    """Run all in order and print what each found; None where one is not met."""
    bench = Bench(wishes, transcript)
    try:
        for one in CHECKS:
            transcript.title(one.__name__.replace("_", " "))
            print("ok    " + one(bench), flush=True)
    except Unmet as error:
        print(f"STOP  {error}", flush=True)
        return None
    except Surprise as error:
        print(f"STOP  {_told(bench, error)}", flush=True)
        return None
    except serial.SerialException:
        print(f"STOP  {_gone(wishes)}", flush=True)
        return None
    finally:
        bench.close()
    return bench.found


def _told(bench: Bench, error: Surprise) -> str:
    """Its first line. What is behind it are the port's last lines as they were, secrets in them."""
    if bench.port is not None and not bench.port.is_open:
        return _gone(bench.wishes)
    first = mask(str(error).partition("\n")[0].encode()).decode()
    if bench.wishes.password:
        first = first.replace(bench.wishes.password, "***")
    return f"the port does what no rule of docs/at-reference.md allows: {first} (the transcript has the lines before it)"


def _gone(wishes: Wishes) -> str:
    return f"{wishes.port} is gone: was the board unplugged, or does it lose its power?"


def tidy(wishes: Wishes, transcript: Transcript) -> None:
    """Leave nothing of the tests on the board."""
    transcript.title("tidy")
    board = RealBoard(wishes.port, wishes.baud, wishes.broker, transcript.note)
    try:
        port = board.open()
        for kind in (CA, CERTIFICATE, KEY):
            port.command(f"AT+MQTTCERT=0,{kind},0")
    except (Surprise, OSError, serial.SerialException):
        print("The board does not answer any more: the tests' certificates may still be stored there.")
    finally:
        board.stop()
