"""Link 0 as tests use it: the port plus the few steps that nearly all of them begin and end with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atport import Answer, AtPort, Surprise, quote
from waiting import until

CLEAN_STATE = 0x6003
CA, CERTIFICATE, KEY = 0, 1, 2
"""Kinds of AT+MQTTCERT."""


class Code:
    """The documented error codes that tests name (at-contract §7)."""

    NO_CONFIGURED = 0x6001
    NOT_IN_CONFIGURED_STATE = 0x6002
    UNINITIATED = 0x6003
    ALREADY_CONNECTED = 0x6004
    MALLOC_FAILED = 0x6005
    COUNTS = 0x6008
    TLS_CONFIG = 0x6009
    LENGTH_READ = 0x600A
    START_FAILED = 0x600B
    PUBLISH_FAILED = 0x600C
    SUBSCRIBE_FAILED = 0x600D
    UNSUBSCRIBE_FAILED = 0x600E
    LINK_READ = 0x6010
    LINK_VALUE = 0x6011
    KIND_READ = 0x601D
    KIND_VALUE = 0x601E
    CA_NONE = 0x6021
    CA_UNREADABLE = 0x6022
    CERTIFICATE_NONE = 0x6023
    CERTIFICATE_UNREADABLE = 0x6024
    KEY_NONE = 0x6025
    KEY_UNREADABLE = 0x6026
    DATA_PHASE = 0x604D
    DISCONNECTED = 0x6051
    WRONG_NAME = 0x6052


_REPORT = re.compile(rb'\+MQTTERR:0,0x([0-9a-f]{8}),(\d),(-?\d+),"(.*)"')


@dataclass(frozen=True)
class Report:
    """The row of `AT+MQTTERR?`."""

    code: int
    stage: int
    detail: int
    text: str


class Link:
    """Link 0 on one board."""

    def __init__(self, port: AtPort, host: str) -> None:
        self.port = port
        self.host = host
        self.scheme = 1
        self.path = ""

    def configure(
        self,
        scheme: int = 1,
        client: str = "w800",
        user: str = "",
        password: str = "",
        path: str = "",
        keepalive: int | None = None,
        persistent: bool = False,
        will: tuple[str, str, int, int] | None = None,
    ) -> None:
        """USERCFG, and CONNCFG where something of it is wanted."""
        self.scheme, self.path = scheme, path
        strings = b",".join(quote(value) for value in (client, user, password))
        self.port.ok(b"AT+MQTTUSERCFG=0,%d,%s,0,0,%s" % (scheme, strings, quote(path)))
        if keepalive is not None or persistent or will:
            topic, text, qos, retain = will or ("", "", 0, 0)
            numbers = (keepalive or 0, persistent, quote(topic), quote(text), qos, retain)
            self.port.ok(b"AT+MQTTCONNCFG=0,%d,%d,%s,%s,%d,%d" % numbers)

    def connect(self, port: int, reconnect: int = 0, timeout: float = 20, host: str = "") -> None:
        """CONN to a port of the host; the CONNECTED line must come before the OK."""
        self.port.ok(self.conn(port, reconnect, host), timeout=timeout)
        fields = self.port.connected(0)
        expected = self.target(port, reconnect, host)
        if fields != expected:
            raise Surprise(f"+MQTTCONNECTED says {fields!r}, expected {expected!r}")

    def conn(self, port: int, reconnect: int = 0, host: str = "", timeout_ms: int | None = None) -> str:
        """The command."""
        extra = "" if timeout_ms is None else f",{timeout_ms}"
        return f'AT+MQTTCONN=0,"{host or self.host}",{port},{reconnect}{extra}'

    def target(self, port: int, reconnect: int = 0, host: str = "") -> bytes:
        """What CONNECTED prints behind the LinkID, and the query behind the state."""
        return f'{self.scheme},"{host or self.host}",{port},"{self.path}",{reconnect}'.encode()

    def store(self, kind: int, data: bytes) -> None:
        """Give a certificate or key that must be accepted; erase it where there is none."""
        if not data:
            self.port.ok(f"AT+MQTTCERT=0,{kind},0")
            return
        answer = self.offer(kind, data)
        if answer.final != b"OK" or answer.lines:
            raise Surprise(f"AT+MQTTCERT of {len(data)} bytes brought {answer.lines} {answer.final!r}")

    def offer(self, kind: int, data: bytes) -> Answer:
        """Give a certificate or key, right or wrong."""
        self.port.prompt(f"AT+MQTTCERT=0,{kind},{len(data)}")
        self.port.fill(data)
        return self.port.answer()

    def report(self) -> Report:
        """Why something failed last."""
        answer = self.port.command("AT+MQTTERR?")
        row = _REPORT.fullmatch(answer.lines[0]) if len(answer.lines) == 1 else None
        if answer.final != b"OK" or row is None:
            raise Surprise(f"AT+MQTTERR? brought {answer.lines} {answer.final!r}")
        return Report(int(row[1], 16), int(row[2]), int(row[3]), row[4].decode())

    def state(self) -> int:
        """What `AT+MQTTCONN?` says."""
        answer = self.port.command("AT+MQTTCONN?")
        if answer.final != b"OK" or len(answer.lines) != 1:
            raise Surprise(f"AT+MQTTCONN? brought {answer.lines} {answer.final!r}")
        return int(answer.lines[0].split(b",")[1])

    def await_state(self, state: int, seconds: float = 5.0) -> None:
        until(lambda: self.state() == state, f"state {state}", seconds)

    def subscribe(self, name: str, qos: int = 0) -> None:
        self.port.ok(b"AT+MQTTSUB=0,%s,%d" % (quote(name), qos))

    def publish(self, topic: str, data: str | bytes, qos: int = 0, retain: int = 0) -> None:
        self.port.ok(b"AT+MQTTPUB=0,%s,%s,%d,%d" % (quote(topic), quote(data), qos, retain))

    def publish_raw(self, topic: str, payload: bytes, qos: int = 0, retain: int = 0, timeout: float = 30) -> None:
        command = b"AT+MQTTPUBRAW=0,%s,%d,%d,%d" % (quote(topic), len(payload), qos, retain)
        result = self.port.raw(command, payload, timeout)
        if result != b"OK":
            raise Surprise(f"PUBRAW of {len(payload)} bytes ended with {result!r}\n{self.port.transcript()}")

    def clean(self) -> None:
        """State 0, whatever was before, and nothing left unread."""
        answer = self.port.command("AT+MQTTCLEAN=0")
        if answer.final != b"OK" and answer.code != CLEAN_STATE:
            raise Surprise(f"CLEAN brought {answer.lines} {answer.final!r}")
        self.port.events()
