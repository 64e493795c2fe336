"""Plays a tutorial of docs/tutorials on virtual boards: types what it types and compares every line that comes.

A tutorial is Markdown. Its blocks fenced as `console` are played, one after the other; a word behind `console` names the
board (`console kitchen`), and each board is started when its name is first met.

    -> AT+MQTTCONN?       typed, with a line end; behind a prompt without one: there it is data
    <- +MQTTCONN:0,…      the next line that comes. `…` stands for anything; empty lines are not written down
    $ mosquitto_pub …     run on this machine
    (the broker stops)    one of ACTIONS

The ports 1883, 8883, 8884, 8083 and 8084 stand for those of brokers that are started for the tutorial, `broker.test` for
this machine. `<ca.pem>` and the other names of `Stage.files` stand for what is in them, `<size of ca.pem>` for its length.
Lines about Wi-Fi may come anywhere before the next command: firmwares differ in that.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import serial

from board import HOST_LOOPBACK, VirtualBoard, build_virtual_board
from certificates import NAME, Certificates
from secure import MUTUAL, NodeBroker, TlsBroker

FOLDER = Path(__file__).resolve().parents[2] / "docs/tutorials"
SECONDS = 40
"""For any line to come: a reconnection waits for up to 20."""

TIME_SERVER = "pool.ntp.org"
ANYTHING = "…"
_BLOCK = re.compile(r"^```console *(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SIZE = re.compile(r"<size of ([\w.]+)>")
_FILE = re.compile(rb"<([\w.]+)>")


class Differs(Exception):
    """The board did not say what the tutorial does."""


def blocks(tutorial: Path) -> list[tuple[str, list[str]]]:
    """(board, lines) of each console block."""
    return [(name, [line for line in text.splitlines() if line]) for name, text in _BLOCK.findall(tutorial.read_text())]


class Board:
    """A board, and what has come from it and is not read yet."""

    def __init__(self, virtual: VirtualBoard) -> None:
        self._virtual = virtual
        virtual.open()
        virtual.port.close()
        self._serial = serial.Serial(virtual.device, timeout=0.05)
        self._came = b""
        self._wifi: list[bytes] = []
        self._awaited: list[bytes] = []
        self._prompted = False

    def type(self, data: bytes) -> None:
        self.finish_wifi()
        self._serial.write(data if self._prompted else data + b"\r\n")
        self._prompted = False

    def expect(self, wanted: bytes) -> None:
        """One line, or a prompt."""
        if wanted.startswith(b"WIFI "):
            self._awaited.append(wanted)
            return
        self._to_the_next(wanted)
        self._prompted = wanted == b">"
        if self._prompted:
            came = self._take(1)
        else:
            # Data with line ends in it has no placeholder for anything: there its length is known.
            came = self._take(len(wanted)) if b"\r\n" in wanted else self._line()
        pattern = b".*".join(re.escape(part) for part in wanted.split(ANYTHING.encode()))
        if not re.fullmatch(pattern, came, re.DOTALL):
            raise Differs(f"the tutorial has {wanted[:200]!r}, the board {(came + self._came)[:200]!r}")

    def finish_wifi(self) -> None:
        """Every line about Wi-Fi that was awaited must have come."""
        while self._awaited:
            if self._awaited[0] in self._wifi:
                self._wifi.remove(self._awaited.pop(0))
                continue
            line = self._line()
            if not line:
                continue
            if not line.startswith(b"WIFI "):
                raise Differs(f"{line!r} where {self._awaited[0]!r} is awaited")
            self._wifi.append(line)

    def forget(self) -> None:
        """What comes up to a silence is not looked at."""
        while self._read():
            pass
        self._came = b""

    def finish(self) -> None:
        self.finish_wifi()
        while self._read():
            pass
        if self._came.strip():
            raise Differs(f"the tutorial says nothing of {self._came!r}")

    def off(self) -> None:
        self._serial.close()
        self._virtual.kill()

    def close(self) -> None:
        self._serial.close()
        self._virtual.stop()

    def _to_the_next(self, wanted: bytes) -> None:
        """Past empty lines and those about Wi-Fi."""
        while True:
            self._await(lambda: self._came.lstrip(b"\r\n"), wanted)
            self._came = self._came.lstrip(b"\r\n")
            if not self._came.startswith(b"W"):
                return
            self._wifi.append(self._line())

    def _line(self) -> bytes:
        self._await(lambda: b"\r\n" in self._came, b"a line")
        line, _, self._came = self._came.partition(b"\r\n")
        return line

    def _take(self, count: int) -> bytes:
        self._await(lambda: len(self._came) >= count, b"so many bytes")
        taken, self._came = self._came[:count], self._came[count:]
        return taken

    def _await(self, condition, wanted: bytes) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise Differs(f"no {wanted!r} within {SECONDS} s; there is {self._came!r}\n{self._virtual.log()}")
            self._read()

    def _read(self) -> bytes:
        data = self._serial.read(max(1, self._serial.in_waiting))
        self._came += data
        return data


class Stage:
    """Brokers, files and boards of one tutorial."""

    def __init__(self, program: str, folder: Path, text: str) -> None:
        self._program, self._folder, self._text = program, folder, text
        self._with_web = "8083" in text or "8084" in text
        self._boards: dict[str, Board] = {}
        certificates = Certificates(folder, HOST_LOOPBACK)
        self.broker = TlsBroker(folder, certificates, "127.0.0.1", "good", MUTUAL)
        self._web = NodeBroker(folder, certificates, "127.0.0.1", "good")
        self.files = {
            "ca.pem": certificates.root.pem,
            "client.pem": certificates.client.pem,
            "client.key": certificates.client.key,
            "photo.jpg": b"\xff\xd8" + random.Random(1).randbytes(5000) + b"\xff\xd9",
            "sas.txt": b"SharedAccessSignature sr=hub.example%2Fdevices%2Fw800&sig=" + b"k" * 200 + b"%3D&se=1893456000",
        }

    def __enter__(self) -> Stage:
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(self.broker)
        if self._with_web:
            self._stack.enter_context(self._web)
        return self

    def __exit__(self, *_: object) -> None:
        for board in self._boards.values():
            board.close()
        self._stack.close()

    def board(self, name: str) -> Board:
        if name not in self._boards:
            names = [f"{name}={HOST_LOOPBACK}" for name in (NAME, TIME_SERVER)]
            fresh = "AT+CWJAP=" in self._text
            options = ["--wifi", "off"] if fresh else ["--rtc", "host"]
            options += [part for one in names for part in ("--hosts", one)]
            self._boards[name] = Board(VirtualBoard(self._program, self._folder, "decoded", *options))
        return self._boards[name]

    def switch_off(self, name: str) -> None:
        self._boards.pop(name).off()

    def finish(self) -> None:
        for board in self._boards.values():
            board.finish()

    def real(self, text: str) -> bytes:
        """A line with what its placeholders stand for."""
        ports = {1883: self.broker.port, 8883: self.broker.ports["good"], 8884: self.broker.ports[MUTUAL]}
        if self._with_web:
            ports |= {8083: self._web.port, 8084: self._web.ports["good"]}
        for stands, port in ports.items():
            text = re.sub(rf"\b{stands}\b", str(port), text)
        text = _SIZE.sub(lambda match: str(len(self.files[match[1]])), text)
        return _FILE.sub(lambda match: self.files[match[1].decode()], text.encode())


class Player:
    def __init__(self, stage: Stage, show) -> None:
        self._stage, self._show = stage, show

    def play(self, name: str, lines: list[str]) -> None:
        for number, line in enumerate(lines):
            self._show(f"{name + ': ' if name else ''}{line}")
            if line == AGAIN:
                self._until(name, lines[number + 1 :])
                continue
            self._step(name, line)

    def _step(self, name: str, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "->":
            self._stage.board(name).type(self._stage.real(rest))
        elif kind == "<-":
            self._stage.board(name).expect(self._stage.real(rest))
        elif kind == "$":
            command = self._stage.real(rest).decode()
            subprocess.run(command, shell=True, check=True, timeout=SECONDS)
        elif line in ACTIONS:
            ACTIONS[line](self._stage)
        elif line.startswith("(") and line.endswith(" is switched off)"):
            self._stage.switch_off(line[1:].removesuffix(" is switched off)"))
        else:
            raise Differs(f"{line!r} is nothing that a tutorial can say")

    def _until(self, name: str, lines: list[str]) -> None:
        """Type the next command until its first line is right; it is played once more behind this."""
        deadline, board = time.monotonic() + SECONDS, self._stage.board(name)
        while True:
            try:
                self._step(name, lines[0])
                self._step(name, lines[1])
            except Differs:
                if time.monotonic() > deadline:
                    raise
                continue
            finally:
                board.forget()
            return


AGAIN = "(again and again, until the answer is this)"
ACTIONS = {
    "(the broker stops)": lambda stage: stage.broker.stop(),
    "(the broker starts again)": lambda stage: stage.broker.start(),
}


def play(tutorial: Path, program: str, folder: Path, show=lambda line: None) -> int:
    """Raises `Differs` where the boards do not say what the tutorial does; returns how many lines were compared."""
    parts = blocks(tutorial)
    with Stage(program, folder, tutorial.read_text()) as stage:
        player = Player(stage, show)
        for name, lines in parts:
            player.play(name, lines)
        stage.finish()
    return sum(line.startswith("<- ") for _, lines in parts for line in lines)


def main(arguments: list[str]) -> int:
    tutorials = [Path(argument) for argument in arguments] or sorted(FOLDER.glob("*.md"))
    program = os.environ.get("W800_SIM") or build_virtual_board()
    for tutorial in tutorials:
        print(f"\n{tutorial.stem}\n")
        with tempfile.TemporaryDirectory(prefix="w800-tutorial-") as folder:
            try:
                play(tutorial, program, Path(folder), lambda line: print(f"  {line}", flush=True))
            except Differs as error:
                print(f"\n{tutorial}: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
