"""The board under test: the virtual one on a PTY of its own, or a real one on a UART."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from pathlib import Path

from atport import AtPort, Observer

HOST_LOOPBACK = "10.0.2.2"
"""Where the virtual board finds the host's loopback."""

SERVERS = ("decoded", "raw", "strict")
"""Kinds of AT servers (`w800-sim --argv`): they remove quotes and escapes, keep them, or refuse most of them."""

RECOVERY_SECONDS = 60
"""In which a real board that was left in any state answers again; a data phase alone lasts for 20."""

REPOSITORY = Path(__file__).resolve().parents[2]


def build_virtual_board() -> str:
    """Build `w800-sim` and return the program's path."""
    command = ["cargo", "build", "--quiet", "-p", "w800-sim", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    for line in built.stdout.splitlines():
        record = json.loads(line)
        if record.get("target", {}).get("name") == "w800-sim" and record.get("executable"):
            return record["executable"]
    raise RuntimeError("cargo named no w800-sim executable")


def build_image(*options: str) -> str:
    """Build what `w800-sim --cpu xt804` runs and return its path."""
    built = subprocess.run([REPOSITORY / "scripts/build-image.sh", *options], stdout=subprocess.PIPE, check=True, text=True)
    return built.stdout.splitlines()[-1]


def processor() -> list[str]:
    """The options of `w800-sim` that choose what runs the library."""
    image = os.environ.get("W800_SIM_IMAGE")
    return ["--cpu", "xt804", "--image", image] if image else []


class NotStarted(RuntimeError):
    """The virtual board has ended before it had a port; `log` is what it said."""

    def __init__(self, printed: bytes, log: str) -> None:
        super().__init__(f"the virtual board did not start: {printed!r}\n{log}")
        self.log = log.strip()


class VirtualBoard:
    """A running `w800-sim --uart pty`. Its log goes to a file in `folder`."""

    virtual = True
    host = HOST_LOOPBACK

    def __init__(self, program: str, folder: Path, argv: str = "decoded", *options: str) -> None:
        self.port: AtPort | None = None
        self._log = folder / f"board-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "--uart", "pty", "--argv", argv, *processor(), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.device = self._await_device(20)

    def _await_device(self, timeout: float) -> str:
        out = self.process.stdout
        os.set_blocking(out.fileno(), False)
        deadline = time.monotonic() + timeout
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while b"\n" not in text.partition(b"PTY ")[2]:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise NotStarted(text, self.log())
                if selector.select(0.2):
                    text += out.read() or b""
        return text.partition(b"PTY ")[2].partition(b"\n")[0].decode().strip()

    def open(self, observer: Observer | None = None) -> AtPort:
        self.port = AtPort(self.device, observer=observer)
        self.port.synchronise()
        return self.port

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Power off, with no farewell to anyone."""
        self.process.kill()
        self.process.wait(5)

    def stop(self) -> None:
        if self.port is not None:
            self.port.close()
            self.port = None
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()

    def log(self) -> str:
        return self.whole_log().decode(errors="replace")[-6000:]

    def whole_log(self) -> bytes:
        return self._log.read_bytes()


class RealBoard:
    """A board on a UART that is joined to a network already; `tap` gets all bytes of its port."""

    virtual = False

    def __init__(self, device: str, baud: int, host: str, tap: Observer | None = None) -> None:
        self.host = host
        self.alive = True
        self._device, self._baud, self._tap = device, baud, tap
        self.port: AtPort | None = None

    def open(self, observer: Observer | None = None) -> AtPort:
        """It may be in the middle of anything: a data phase, a long message, a connection."""
        self.port = AtPort(self._device, self._baud, observer, self._tap, exclusive=True)
        # Against a stream of messages no silence would ever come.
        self.port.write(b"\r\nAT+MQTTCLEAN=0\r\n")
        self.port.synchronise(RECOVERY_SECONDS)
        self.port.command("AT+MQTTCLEAN=0")
        self.port.events()
        return self.port

    def stop(self) -> None:
        if self.port is not None:
            self.port.close()
            self.port = None

    def log(self) -> str:
        return ""
