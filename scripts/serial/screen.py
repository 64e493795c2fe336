"""A program on a terminal of its own: keys go in, and the screen is what a person sees (`pyte`)."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

import pyte

TAB, ENTER, UP, CTRL_C, CTRL_D = "\t", "\r", "\x1b[A", "\x03", "\x04"


class Screen:
    """Runs `command` in `folder`. Every wait is bounded; a failed one shows the screen."""

    def __init__(
        self, command: list[str], environment: dict[str, str], folder: Path, columns: int = 110, lines: int = 40
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    def text(self) -> str:
        return "\n".join(self.lines()).rstrip()

    def see(self, *texts: str, timeout: float = 20.0) -> None:
        """All of `texts` are on the screen."""
        self._until(lambda: all(text in self.text() for text in texts), f"{texts} on the screen", timeout)

    def miss(self, text: str, timeout: float = 20.0) -> None:
        """`text` has left the screen."""
        self._until(lambda: text not in self.text(), f"no {text!r} on the screen", timeout)

    def colour(self, text: str) -> str:
        """The colour in which the lowest such text begins."""
        row = max(number for number, line in enumerate(self.lines()) if text in line)
        return self._screen.buffer[row][self.lines()[row].index(text)].fg

    def ended(self, timeout: float = 20.0) -> int:
        """The exit code."""
        self._until(lambda: self.process.poll() is not None, "the program's end", timeout)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        os.close(self._master)

    def _until(self, condition, what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"expected {what}:\n{self.text()}"
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    self._feed(os.read(self._master, 65536))
                except OSError:
                    # The program has closed its side.
                    time.sleep(0.05)

    def _feed(self, data: bytes) -> None:
        self._stream.feed(data)
        if b"\x1b[6n" in data:
            # Where the cursor is, which line editors ask for.
            os.write(self._master, f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R".encode())
