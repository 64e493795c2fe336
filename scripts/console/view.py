"""How things look: colours for a terminal, plain lines for a pipe. No control byte of a board reaches the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime

from .conversation import Item, Kind
from .line import hide
from .reference import Reference
from .session import Payload

SHOWN_DATA = 500
"""Bytes of a message that are shown; the rest is counted."""

COLOURS = {"good": "32", "bad": "31", "event": "36", "dim": "2", "bold": "1"}


def printable(data: bytes) -> str:
    """Text as it is, line ends as `\\r` and `\\n`, all else as `\\xNN`; a backslash of the text stays single."""

    def shown(char: str) -> str:
        if char.isprintable():
            return char
        short = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}.get(char)
        return short or "".join(f"\\x{byte:02x}" for byte in char.encode(errors="surrogateescape"))

    return "".join(map(shown, data.decode(errors="surrogateescape")))


class View:
    """Prints what came. `write` gets whole lines: for a `person` with time, meanings and colours, `discreet` no secrets."""

    def __init__(
        self, reference: Reference, write: Callable[[str], None], person: bool = False, discreet: bool = False
    ) -> None:
        self._reference = reference
        self.write = write
        self._coloured = person and "NO_COLOR" not in os.environ
        self._person = person
        self._discreet = discreet

    def typed(self, line: str) -> None:
        """The terminal shows it already."""

    def filled(self, payload: Payload) -> None:
        if self._person and payload.path is not None:
            self.write(self.paint("dim", f"{len(payload.data)} bytes of {payload.path}"))

    def left(self) -> None:
        """The board's answer says so."""

    def came(self, item: Item) -> None:
        text = self._data(item) if item.message else printable(item.text)
        text = hide(text, self._reference) if self._discreet else text
        if item.kind is Kind.CUT:
            text = f"a message was cut off after {len(item.text)} bytes: {text[:SHOWN_DATA]}"
        if item.kind in (Kind.EVENT, Kind.OTHER, Kind.CUT):
            now = self.paint("dim", datetime.now().strftime("%H:%M:%S ")) if self._person else ""
            self.write(now + self.paint("event" if item.kind is Kind.EVENT else "dim", text))
        elif item.kind is not Kind.PROMPT or not self._person:
            # A person's own prompt says how many bytes are wanted.
            self._line(item, text)

    def problem(self, text: str) -> None:
        """What the console itself has to complain about."""
        if self._person:
            self.write(self.paint("bad", text))
        else:
            print(text, file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        self.write(self.paint("dim", text))

    def paint(self, colour: str, text: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self._coloured else text

    def _line(self, item: Item, text: str) -> None:
        meaning = self._reference.explain(text)
        if item.text == b"OK" or item.kind is Kind.FINAL and not item.failed:
            self.write(self.paint("good", text))
        elif meaning or item.kind is Kind.FINAL:
            self.write(self.paint("bad", text))
        else:
            self.write(text)
        if meaning and self._person:
            self.write(self.paint("dim", f"  {meaning}"))
        elif meaning:
            self.problem(f"{text}  {meaning}")

    def _data(self, item: Item) -> str:
        assert item.message is not None
        data = item.message.data
        head = printable(item.text[: len(item.text) - len(data)])
        rest = f" … {len(data) - SHOWN_DATA} bytes more" if self._person and len(data) > SHOWN_DATA else ""
        return head + printable(data[:SHOWN_DATA] if rest else data) + rest


def bar(taken: int, whole: int, width: int = 30) -> str:
    """Progress as text."""
    full = width * taken // whole if whole else width
    return f"[{'█' * full}{'·' * (width - full)}] {100 * taken // max(whole, 1):3d} %  {taken}/{whole} bytes"
