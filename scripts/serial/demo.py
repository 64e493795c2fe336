"""The documents' session over a serial line, shown as it happens; or, with --interactive, a prompt on that board.

`scripts/demo.sh` installs what this needs and runs it.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from atport import Surprise
from board import VirtualBoard, build_virtual_board
from broker import Broker
from link import Link
from terminal import converse

TTY = sys.stdout.isatty()
STEPS = 8


def colour(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if TTY else text


def show(way: str, data: bytes) -> None:
    """One piece of the conversation; long data is abbreviated."""
    arrow = colour("1;36", "→") if way == "->" else colour("1;32", "←")
    body = data.removesuffix(b"\r\n")
    if not body:
        return
    if len(body) > 200:
        shown = printable(body[:48]) + colour("2", f" … ({len(body)} bytes)")
    else:
        shown = printable(body)
    print(f"  {arrow} {shown}", flush=True)


def printable(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def session(board: VirtualBoard, broker: Broker) -> None:
    """USERCFG to CLEAN. Each answer is compared with what the documents say; a wrong one raises."""
    steps = iter(range(1, STEPS + 1))

    def step(title: str) -> None:
        print(f"\n{colour('1', f'[{next(steps)}/{STEPS}] {title}')}", flush=True)

    at = board.open(show)
    link = Link(at, board.host, board.argv)
    target = f'1,"{board.host}",{broker.port},"",0'

    step("Who this client is")
    at.ok('AT+MQTTUSERCFG=0,1,"w800","WinnerMicro","1234567890",0,0,""')
    step("Keepalive of 60 s, and a will in case it vanishes")
    at.ok('AT+MQTTCONNCFG=0,60,0,"lwt","gone",1,0')
    step("Connect to the broker")
    at.ok(f'AT+MQTTCONN=0,"{board.host}",{broker.port},0')
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


def expect(got: bytes, wanted: bytes) -> None:
    if got != wanted:
        raise Surprise(f"expected {wanted[:80]!r}, got {got[:80]!r}")


def explain(board: VirtualBoard, broker: Broker) -> None:
    print(
        f"""
A broker listens on {broker.address}:{broker.port}; the board sees it at {board.host}:{broker.port}. Try:

  AT+MQTTUSERCFG=0,1,"w800","","",0,0,""
  AT+MQTTCONN=0,"{board.host}",{broker.port},1
  AT+MQTTSUB=0,"topic",1
  AT+MQTTPUB=0,"topic","hello",1,0

and from another terminal:

  mosquitto_pub -h {broker.address} -p {broker.port} -t topic -m "hello, board"

Another serial program may use {board.device} instead. Ctrl-D ends all of it.
""",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactive", action="store_true", help="an AT prompt on the virtual board")
    parser.add_argument("--argv", choices=("decoded", "raw"), default="decoded", help="how the AT server hands on parameters")
    parser.add_argument("--sim", help="path of w800-sim (default: cargo builds it)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    program = options.sim or build_virtual_board()
    with tempfile.TemporaryDirectory(prefix="w800-demo-") as folder, Broker(Path(folder)) as broker:
        board = VirtualBoard(program, Path(folder), options.argv)
        print(f"mosquitto on {broker.address}:{broker.port}, virtual board on {board.device}", flush=True)
        try:
            if options.interactive:
                explain(board, broker)
                converse(board.device)
            else:
                session(board, broker)
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
