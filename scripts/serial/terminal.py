"""A small terminal for an AT port: line editing, Enter sends CR LF, what comes is printed above the line being typed.

In a data phase (after `>`) a line is sent as it is, without CR LF, so that its length can be counted.
"""

from __future__ import annotations

import re
import readline
import sys
import threading
import time

import serial

_LAST_LINE = re.compile(rb"(?:^|\n)(OK|ERROR|CMD \w+ ERR|\+MQTTPUB:\w+)\r\n$")


class _Screen:
    """Prints what the port sends and knows whether it asks for data."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._tail = b""
        self._typing = sys.stdin.isatty()
        self.wants_data = False
        self.answered = threading.Event()
        self.closed = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.closed:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (OSError, TypeError, serial.SerialException):
                if not self.closed:
                    print("\nThe board is gone.", flush=True)
                return
            if data:
                self._follow(data)
                self._print(data)

    def _follow(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-64:]
        if self._tail.endswith(b"OK\r\n\r\n>"):
            self.wants_data = True
            self.answered.set()
        elif _LAST_LINE.search(self._tail):
            self.wants_data = False
            self.answered.set()

    def _print(self, data: bytes) -> None:
        text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        if not self._typing:
            print(text, end="", flush=True)
            return
        # Clear the line being typed, print, and show it again.
        newline = "" if text.endswith(("\n", ">")) else "\n"
        print(f"\r\x1b[K{text}{newline}{readline.get_line_buffer()}", end="", flush=True)


def converse(device: str) -> None:
    """Until end of input. Lines from a pipe wait for the answer to the line before."""
    with serial.Serial(device, 115200, timeout=0.05) as port:
        screen = _Screen(port)
        try:
            while True:
                try:
                    line = input()
                except EOFError:
                    return
                screen.answered.clear()
                port.write(line.encode() + (b"" if screen.wants_data else b"\r\n"))
                if not sys.stdin.isatty() and line:
                    screen.answered.wait(30)
        finally:
            time.sleep(0.2)
            screen.closed = True
