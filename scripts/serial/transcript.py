"""All lines of a serial port in a file, with the time, in both directions; passwords and keys are not written.

A line is written when it is complete, so that nothing is masked by halves. Of a data phase only the length is.
"""

from __future__ import annotations

import datetime
import re
import threading
from dataclasses import dataclass
from pathlib import Path

MASK = b"***"
SHOWN = 400
"""Bytes of a longer line that are written."""

_KEPT = 8192
"""Bytes of a line that are looked at; no line that holds a secret is longer."""

_PARAMETER = rb'(?:"(?:[^"\\]|\\.)*"|[^,"]*)'
_USERCFG = re.compile(rb"(\+MQTTUSERCFG[=:](?:%b,){4})(%b)(,.*)?" % (_PARAMETER, _PARAMETER), re.IGNORECASE | re.DOTALL)
_REST = re.compile(
    rb"(\+MQTTUSERCFG[=:](?:[^,]*,){4}|\+MQTTPASSWORD[=:]\d*,?|\+CW[JS]AP=)(?!\?)..*", re.IGNORECASE | re.DOTALL
)
_DATA_PHASE = re.compile(
    rb'AT\+MQTT(?:LONG\w+=\d+,|CERT=\d+,\d+,|PUBRAW=.*",)0*([1-9]\d{0,8})(?:,|$)', re.IGNORECASE | re.DOTALL
)
_MESSAGE = re.compile(rb'\+MQTTSUBRECV:\d+,"(?:[^"\\]|\\.)*",(\d{1,9}),', re.DOTALL)
_REFUSED = re.compile(rb"ERROR|CMD \w+ ERR|busy \.\.\.")


def mask(line: bytes) -> bytes:
    """A line without the passwords of USERCFG, PASSWORD, CWJAP and CWSAP, of what is sent as of what is printed."""
    whole = _USERCFG.search(line)
    if whole and (whole[3] is not None or whole.end() == len(line)):
        return line[: whole.start(2)] + (MASK if whole[2] not in (b"", b'""') else whole[2]) + line[whole.end(2) :]
    return _REST.sub(rb"\1" + MASK, line)


@dataclass
class _Line:
    """What has come of a line; of a long one only the beginning is kept."""

    start: bytes = b""
    length: int = 0

    def add(self, data: bytes) -> None:
        self.start += data[: _KEPT - len(self.start)]
        self.length += len(data)

    @property
    def complete(self) -> bool:
        """A message's data may hold line ends; a prompt has none."""
        message = _MESSAGE.match(self.start)
        return message is None or self.length >= message.end() + int(message[1]) + 2


class Transcript:
    """An open file. Two threads may write, one for each direction."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._lines = {"->": _Line(), "<-": _Line()}
        self._data_left = 0

    def note(self, way: str, data: bytes) -> None:
        """Bytes as they came or went."""
        with self._lock:
            while data:
                if way == "->" and self._data_left:
                    data = self._skip(data)
                    continue
                text, end, data = data.partition(b"\n")
                line = self._lines[way]
                line.add(text + end)
                if (end and line.complete) or line.start == b">":
                    self._finish(way)

    def title(self, text: str) -> None:
        """What the lines behind it belong to."""
        with self._lock:
            self._finish("->")
            self._finish("<-")
            self._write("==", text)

    def close(self) -> None:
        with self._lock:
            self._finish("->")
            self._finish("<-")
            self._file.close()

    def _skip(self, data: bytes) -> bytes:
        """What is left behind the bytes of a data phase."""
        skipped = min(len(data), self._data_left)
        self._data_left -= skipped
        self._write("->", f"({skipped} bytes)")
        return data[skipped:]

    def _finish(self, way: str) -> None:
        line, self._lines[way] = self._lines[way], _Line()
        text = line.start.rstrip(b"\r\n")
        if not text:
            return
        if way == "->" and (phase := _DATA_PHASE.match(text)):
            self._data_left = int(phase[1])
        elif way == "<-" and _REFUSED.match(text):
            self._data_left = 0
        shown = mask(text)
        more = f" … {line.length} bytes" if max(line.length - _KEPT, len(shown) - SHOWN) > 0 else ""
        self._write(way, _readable(shown[:SHOWN]) + more)

    def _write(self, way: str, text: str) -> None:
        self._file.write(f"{datetime.datetime.now():%H:%M:%S.%f}"[:12] + f" {way} {text}\n")


def _readable(data: bytes) -> str:
    """UTF-8 as it is; what is none, and control bytes, as `\\x..`."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
