"""Options, the board, and which front end it is."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import glob
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from board import NotStarted, VirtualBoard, build_virtual_board

from . import script
from .conversation import Item
from .record import Recorder
from .reference import Reference
from .replay import Difference, Listener, Malformed, Replay, Step, parse, variables
from .session import Payload, Refused, Session
from .view import View
from .wire import Gone, Wire

DESCRIPTION = """\
A console for the AT port of a board, or of the virtual one.

On a terminal: line editing, Tab, a history, errors explained. From a pipe: one command a line, plain lines out, exit
code 1 if any failed. docs/console.md has all of it.
"""


def options(arguments: list[str]) -> argparse.Namespace:
    own, rest = _cut(arguments)
    parser = argparse.ArgumentParser(
        "at.py", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s (--port PORT [--baud N] | --sim [--broker [--scheme N]] [-- OPTIONS OF w800-sim]) [--record FILE | --replay FILE]",
    )  # fmt: skip
    board = parser.add_mutually_exclusive_group(required=True)
    board.add_argument("--port", help=f"serial device ({_ports()})")
    board.add_argument(
        "--sim", action="store_true", help="start a virtual board, built if need be; W800_SIM names another program"
    )
    parser.add_argument("--broker", action="store_true", help="with --sim: a broker on free ports of the loopback, and the clock set")
    parser.add_argument(
        "--scheme", type=int, choices=range(1, 11), default=1, metavar="N",
        help="with --broker: its transport, 1 TCP to 10 WebSocket over TLS, with certificates where it has some",
    )  # fmt: skip
    parser.add_argument("--baud", type=int, default=115200, help="of --port (%(default)s)")
    session = parser.add_mutually_exclusive_group()
    session.add_argument("--record", metavar="FILE", help="write the session there, without secrets")
    session.add_argument(
        "--replay", metavar="FILE", help="type a recorded session and compare; exit code 1 at the first difference"
    )
    found = parser.parse_args(own)
    if rest and not found.sim:
        parser.error("options behind -- are for --sim")
    if found.broker and not found.sim:
        parser.error("--broker is for --sim")
    if found.scheme != 1 and not found.broker:
        parser.error("--scheme is for --broker")
    found.sim_options = rest
    return found


def _cut(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands before `--` and behind it."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _ports() -> str:
    there = sorted(glob.glob("/dev/ttyUSB*") + glob.glob("/dev/ttyACM*"))
    return "here: " + ", ".join(there) if there else "such as /dev/ttyUSB0"


@contextlib.contextmanager
def device(chosen: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """The serial device and what to call it; a virtual board is stopped at the end."""
    if chosen.port:
        yield chosen.port, f"{chosen.port} at {chosen.baud} baud"
        return
    program = os.environ.get("W800_SIM")
    if not program:
        print("Building the virtual board; the first time takes minutes.", file=sys.stderr, flush=True)
        program = build_virtual_board()
    argv, rest = _argv(chosen.sim_options)
    with tempfile.TemporaryDirectory(prefix="w800-console-") as folder, _broker(chosen) as ready:
        board = VirtualBoard(program, Path(folder), argv, *ready, *rest)
        try:
            yield board.device, f"virtual board on {board.device}"
            if not board.alive:
                print(board.log(), file=sys.stderr)
        finally:
            board.stop()


@contextlib.contextmanager
def _broker(chosen: argparse.Namespace) -> Iterator[list[str]]:
    """A broker for --broker, told how it is reached: the options of a board that finds all in place."""
    if not chosen.broker:
        yield []
        return
    # It takes a second to load, and makes certificates.
    from demo import explain, prompt_options, scene

    with scene(chosen.scheme) as here:
        print(explain(here), file=sys.stderr, flush=True)
        yield prompt_options(here)


def _argv(rest: list[str]) -> tuple[str, list[str]]:
    """The option that `VirtualBoard` passes itself."""
    if "--argv" not in rest[:-1]:
        return "decoded", rest
    at = rest.index("--argv")
    return rest[at + 1], rest[:at] + rest[at + 2 :]


async def converse(chosen: argparse.Namespace, port: str, place: str) -> int:
    """One of the front ends on an open port."""
    reference = Reference()
    person = sys.stdin.isatty() and sys.stdout.isatty() and not chosen.replay
    view = View(reference, lambda text: print(text, flush=True), person)
    wire = Wire(port, chosen.baud)
    try:
        if chosen.replay:
            return await replay(Path(chosen.replay), wire, reference)
        with _recorder(chosen.record, reference, view) as recorder:
            if not person:
                return await script.run(Session(wire, reference, script.ask, view, *recorder), view, reference)
            # It takes half a second to load, which a pipe need not wait for.
            from .prompt import Prompt

            prompt = Prompt(reference, view, f"{place}, recorded to {chosen.record}" if chosen.record else place)
            return await prompt.run(Session(wire, reference, prompt.ask, view, *recorder))
    finally:
        wire.close()


@contextlib.contextmanager
def _recorder(path: str | None, reference: Reference, view: View) -> Iterator[list[Recorder]]:
    if path is None:
        yield []
        return
    try:
        file = open(path, "x", encoding="utf-8")
    except FileExistsError:
        raise Refused(f"{path} is there already, and a record overwrites nothing") from None
    try:
        yield [Recorder(file, reference, Path(path).resolve().parent, view.problem)]
    finally:
        # What the recorder could not write it has told.
        with contextlib.suppress(OSError):
            file.close()


async def replay(path: Path, wire: Wire, reference: Reference) -> int:
    view = View(reference, print, person=sys.stdout.isatty(), discreet=True)
    try:
        steps = parse(path.read_text(encoding="utf-8"))
        values = variables(steps, _secret)
    except UnicodeDecodeError as error:
        raise Malformed(f"{path} is no text: {error}") from error
    listener = Listener(reference)
    session = Session(wire, reference, script.ask, _Steps(steps, view), view, listener)
    try:
        count = await Replay(session, listener, reference, values, path.resolve().parent).run(steps)
    except Difference as difference:
        print(f"{view.paint('bad', f'{path}: the board answered otherwise')}\n{_painted(str(difference), view)}")
        return 1
    print(view.paint("good", f"{path}: {count} commands, every answer as recorded"))
    return 0


class _Steps:
    """Shows what a replay types, as the record has it: without secrets."""

    def __init__(self, steps: list[Step], view: View) -> None:
        self._sent = iter([step for step in steps if step.kind])
        self._view = view

    def typed(self, line: str) -> None:
        self._show()

    def filled(self, payload: Payload) -> None:
        self._show()

    def _show(self) -> None:
        step = next(self._sent)
        print(self._view.paint("bold", f"{step.kind} {step.text}"))

    def left(self) -> None:
        """No replay does that."""

    def came(self, item: Item) -> None:
        """The view shows it."""


def _painted(diff: str, view: View) -> str:
    colours = {"-": "good", "+": "bad"}
    lines = [view.paint(colours[line[0]], line) if line[:1] in colours else line for line in diff.split("\n")]
    return "\n".join(lines)


def _secret(name: str) -> str | None:
    return getpass.getpass(f"{name}: ") if sys.stdin.isatty() else None


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with device(chosen) as (port, place):
            return asyncio.run(converse(chosen, port, place))
    except (Gone, Malformed, Refused, OSError) as error:
        print(f"at.py: {error}", file=sys.stderr)
        return 2
    except NotStarted as error:
        print(error.log or error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"at.py: {error.cmd[0]} failed", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
