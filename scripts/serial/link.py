"""Link 0 as tests use it: the port plus the few steps that nearly all of them begin and end with."""

from __future__ import annotations

from atport import AtPort, Surprise, quote

CLEAN_STATE = 0x6003


class Code:
    """The documented error codes that tests name (at-contract §7)."""

    NO_CONFIGURED = 0x6001
    NOT_IN_CONFIGURED_STATE = 0x6002
    UNINITIATED = 0x6003
    ALREADY_CONNECTED = 0x6004
    MALLOC_FAILED = 0x6005
    COUNTS = 0x6008
    TLS_CONFIG = 0x6009
    START_FAILED = 0x600B
    PUBLISH_FAILED = 0x600C
    SUBSCRIBE_FAILED = 0x600D
    UNSUBSCRIBE_FAILED = 0x600E
    LINK_READ = 0x6010
    LINK_VALUE = 0x6011
    DISCONNECTED = 0x6051


class Link:
    """Link 0 on one board."""

    def __init__(self, port: AtPort, host: str, argv: str) -> None:
        self.port = port
        self.host = host
        self.argv = argv

    @property
    def raw(self) -> bool:
        return self.argv == "raw"

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
        strings = b",".join(quote(value) for value in (client, user, password))
        self.port.ok(b"AT+MQTTUSERCFG=0,%d,%s,0,0,%s" % (scheme, strings, quote(path)))
        if keepalive is not None or persistent or will:
            topic, text, qos, retain = will or ("", "", 0, 0)
            numbers = (keepalive or 0, persistent, quote(topic), quote(text), qos, retain)
            self.port.ok(b"AT+MQTTCONNCFG=0,%d,%d,%s,%s,%d,%d" % numbers)

    def connect(self, port: int, reconnect: int = 0, timeout: float = 20) -> None:
        """CONN to a port of the host; the CONNECTED line must come before the OK."""
        self.port.ok(f'AT+MQTTCONN=0,"{self.host}",{port},{reconnect}', timeout=timeout)
        fields = self.port.connected(0)
        expected = f'1,"{self.host}",{port},"",{reconnect}'.encode()
        if fields != expected:
            raise Surprise(f"+MQTTCONNECTED says {fields!r}, expected {expected!r}")

    def state(self) -> int:
        """What `AT+MQTTCONN?` says."""
        answer = self.port.command("AT+MQTTCONN?")
        if answer.final != b"OK" or len(answer.lines) != 1:
            raise Surprise(f"AT+MQTTCONN? brought {answer.lines} {answer.final!r}")
        return int(answer.lines[0].split(b",")[1])

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
