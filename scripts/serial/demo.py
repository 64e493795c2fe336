"""The documents' session over a serial line, shown as it happens.

Any of the ten schemes, with a broker and certificates made for it. `scripts/demo.sh` installs what this needs and runs
it.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atport import Surprise
from board import HOST_LOOPBACK, SERVERS, VirtualBoard, build_virtual_board
from broker import Broker
from certificates import NAME, Certificates
from link import CA, CERTIFICATE, KEY, Link
from secure import MUTUAL, PRESENTING, SECURE, VERIFYING, NodeBroker, TlsBroker, hosts, over_websocket

TTY = sys.stdout.isatty()
STEPS = 8
"""Those that every scheme has."""

NTP_SERVER = "ntp.test"
CREDENTIALS = {
    CA: "Whom to trust: the authority's certificate",
    CERTIFICATE: "This client's certificate",
    KEY: "And its key",
}
SCHEMES = {
    1: "TCP",
    2: "TLS",
    3: "TLS, the server verified",
    4: "TLS, with a client certificate",
    5: "TLS, the server verified, with a client certificate",
    6: "WebSocket",
    7: "WebSocket over TLS",
    8: "WebSocket over TLS, the server verified",
    9: "WebSocket over TLS, with a client certificate",
    10: "WebSocket over TLS, the server verified, with a client certificate",
}


def colour(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if TTY else text


def show(way: str, data: bytes) -> None:
    """One piece of the conversation; long data is abbreviated."""
    arrow = colour("1;36", "→") if way == "->" else colour("1;32", "←")
    body = data.removesuffix(b"\r\n")
    if not body:
        return
    if body.startswith(b"-----BEGIN "):
        shown = colour("2", f"({len(body)} bytes of PEM)")
    elif len(body) > 200:
        shown = printable(body[:48]) + colour("2", f" … ({len(body)} bytes)")
    else:
        shown = printable(body)
    print(f"  {arrow} {shown}", flush=True)


def printable(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


@dataclass(frozen=True)
class Scene:
    """A broker for a scheme, and how the board reaches it."""

    scheme: int
    broker: Broker | NodeBroker
    certificates: Certificates
    folder: Path

    @property
    def port(self) -> int:
        if self.scheme not in SECURE:
            return self.broker.port
        return self.broker.ports[MUTUAL if self.scheme in PRESENTING else "good"]

    @property
    def host(self) -> str:
        return NAME if self.scheme in SECURE else HOST_LOOPBACK

    @property
    def path(self) -> str:
        return "/mqtt" if over_websocket(self.scheme) else ""

    def credentials(self) -> dict[int, bytes]:
        """What the scheme needs, by its kind in AT+MQTTCERT."""
        client = self.certificates.client
        authority = {CA: self.certificates.root.pem} if self.scheme in VERIFYING else {}
        return authority | ({CERTIFICATE: client.pem, KEY: client.key} if self.scheme in PRESENTING else {})

    def in_firmware(self) -> list[str]:
        """The same, as options of a board that brings them along."""
        client = self.certificates.write("client", self.certificates.client)
        authority = ["--ca", str(self.certificates.roots_file)] if self.scheme in VERIFYING else []
        own = ["--cert", str(client.certificate), "--key", str(client.key)] if self.scheme in PRESENTING else []
        return [*authority, *own]


@contextlib.contextmanager
def scene(scheme: int) -> Iterator[Scene]:
    """The broker runs as long as this is open."""
    with tempfile.TemporaryDirectory(prefix="w800-demo-") as name:
        folder = Path(name)
        certificates = Certificates(folder, HOST_LOOPBACK)
        kind = NodeBroker if over_websocket(scheme) else TlsBroker
        with kind(folder, certificates, "127.0.0.1", "good", MUTUAL) as broker:
            yield Scene(scheme, broker, certificates, folder)


def session(board: VirtualBoard, here: Scene) -> None:
    """USERCFG to CLEAN. Each answer is compared with what the documents say; a wrong one raises."""
    total = STEPS + (here.scheme in VERIFYING) + len(here.credentials())
    numbers = iter(range(1, total + 1))

    def step(title: str) -> None:
        print(f"\n{colour('1', f'[{next(numbers)}/{total}] {title}')}", flush=True)

    at = board.open(show)
    link = Link(at, here.host)
    target = f'{here.scheme},"{here.host}",{here.port},"{here.path}",0'

    if here.scheme in VERIFYING:
        step("Fetch the time, without which no certificate is valid")
        fetch_time(link)
    for kind, data in here.credentials().items():
        step(CREDENTIALS[kind])
        link.store(kind, data)
    step("Who this client is")
    at.ok(f'AT+MQTTUSERCFG=0,{here.scheme},"w800","WinnerMicro","1234567890",0,0,"{here.path}"')
    step("Keepalive of 60 s, and a will in case it vanishes")
    at.ok('AT+MQTTCONNCFG=0,60,0,"lwt","gone",1,0')
    step("Connect to the broker")
    at.ok(f'AT+MQTTCONN=0,"{here.host}",{here.port},0', timeout=20)
    expect(at.connected(0), target.encode())
    step("Subscribe")
    at.ok('AT+MQTTSUB=0,"topic",1')
    at.ok("AT+MQTTCONN?", f"+MQTTCONN:0,6,{target}")
    step("Publish a line and get it back")
    at.ok(r'AT+MQTTPUB=0,"topic","{\"temperature\":21.5\,\"unit\":\"°C\"}",1,0')
    expect(at.message().data, '{"temperature":21.5,"unit":"°C"}'.encode())
    step("Publish 4 KiB of random bytes and get them back")
    payload = random.Random(4096).randbytes(4096)
    link.publish_raw("topic", payload, 1)
    expect(at.message().data, payload)
    step("Unsubscribe")
    at.ok('AT+MQTTUNSUB=0,"topic"')
    at.ok("AT+MQTTCONN?", f"+MQTTCONN:0,5,{target}")
    step("Leave")
    at.ok("AT+MQTTCLEAN=0")
    at.quiet(0.3)


def fetch_time(link: Link) -> None:
    link.port.ok(f'AT+CIPSNTPCFG=1,8,"{NTP_SERVER}"')
    deadline = time.monotonic() + 20
    while b"1970" in link.port.command("AT+CIPSNTPTIME?").lines[0]:
        if time.monotonic() > deadline:
            raise Surprise("no time from the SNTP server")
        link.port.quiet(0.3)


def expect(got: bytes, wanted: bytes) -> None:
    if got != wanted:
        raise Surprise(f"expected {wanted[:80]!r}, got {got[:80]!r}")


def explain(here: Scene) -> str:
    """What a person can type on a board with `prompt_options`."""
    broker = here.broker
    credentials = "What the scheme needs is in the firmware. " if here.credentials() else ""
    plain = f"{broker.address} -p {broker.tcp if isinstance(broker, NodeBroker) else broker.port}"
    return f"""\
A broker listens on {broker.address}:{here.port}; the board sees it at {here.host}:{here.port}. {credentials}Try:

  AT+MQTTUSERCFG=0,{here.scheme},"w800","","",0,0,"{here.path}"
  AT+MQTTCONN=0,"{here.host}",{here.port},1
  AT+MQTTSUB=0,"topic",1
  AT+MQTTPUB=0,"topic","hello",1,0

and from another terminal:

  mosquitto_pub -h {plain} -t topic -m "hello, board"
"""


def prompt_options(here: Scene) -> list[str]:
    """Options of a board on which all is in place: the clock, the names, what the scheme needs."""
    return [*hosts(), "--rtc", "host", *here.in_firmware()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scheme", type=int, choices=SCHEMES, default=1, help="of AT+MQTTUSERCFG: 1 TCP … 10 WSS")
    parser.add_argument("--argv", choices=SERVERS, default=SERVERS[0], help="the kind of AT server")
    parser.add_argument("--sim", help="path of w800-sim (default: cargo builds it)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    program = options.sim or build_virtual_board()
    with scene(options.scheme) as here:
        # As one leaves the factory.
        board = VirtualBoard(program, here.folder, options.argv, *hosts())
        where = f"broker on {here.broker.address}:{here.port}, virtual board on {board.device}"
        print(f"Scheme {here.scheme}, {SCHEMES[here.scheme]}: {where}", flush=True)
        try:
            session(board, here)
            print(f"\n{colour('1;32', 'Every answer was right.')}")
        except (Surprise, AssertionError) as error:
            print(f"\n{colour('1;31', 'A wrong answer:')} {error}\n--- board log ---\n{board.log()}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            board.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
