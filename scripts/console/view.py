"""How things look: colours for a terminal, plain lines for a pipe. No control byte of a board reaches the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime

from .conversation import Item, Kind
from .line import hide
from .reference import Reference
from .session import Payload

HEX_ROW, HEX_BYTES = 16, 1024
"""Bytes in a row of the hexadecimal view, and in all of it."""

RATE_SECONDS = 0.5
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
        self.person = person
        self._discreet = discreet

    def typed(self, line: str) -> None:
        """The terminal shows it already."""

    def filled(self, payload: Payload) -> None:
        if self.person and payload.path is not None:
            self.write(self.paint("dim", f"{len(payload.data)} bytes of {payload.path}"))

    def left(self) -> None:
        """The board's answer says so."""

    def came(self, item: Item) -> None:
        text = self._data(item) if item.message else printable(item.text)
        text = hide(text, self._reference) if self._discreet else text
        if item.kind is Kind.CUT:
            text = f"a message was cut off after {len(item.text)} bytes: {text[:SHOWN_DATA]}"
        if item.kind in (Kind.EVENT, Kind.OTHER, Kind.CUT):
            now = self.paint("dim", datetime.now().strftime("%H:%M:%S ")) if self.person else ""
            self.write(now + self.paint("event" if item.kind is Kind.EVENT else "dim", text))
        elif item.kind is not Kind.PROMPT or not self.person:
            # A person's own prompt says how many bytes are wanted.
            self._line(item, text)

    def problem(self, text: str) -> None:
        """What the console itself has to complain about."""
        if self.person:
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
        if meaning and self.person:
            self.write(self.paint("dim", f"  {meaning}"))
        elif meaning:
            self.problem(f"{text}  {meaning}")

    def _data(self, item: Item) -> str:
        assert item.message is not None
        data = item.message.data
        head = printable(item.text[: len(item.text) - len(data)])
        rest = f" … {len(data) - SHOWN_DATA} bytes more" if self.person and len(data) > SHOWN_DATA else ""
        return head + printable(data[:SHOWN_DATA] if rest else data) + rest


def bar(taken: int, whole: int, seconds: float, width: int = 30) -> str:
    """Progress as text, with the rate and what is left of the time once half a second has shown them."""
    full = width * taken // whole if whole else width
    pace = taken / seconds if seconds >= RATE_SECONDS else 0
    rate = f"  {pace / 1000:.1f} KB/s, {(whole - taken) / pace:.0f} s left" if pace else ""
    return f"[{'█' * full}{'·' * (width - full)}] {100 * taken // max(whole, 1):3d} %  {taken}/{whole} bytes{rate}"


def hexadecimal(data: bytes) -> Iterator[str]:
    """Sixteen bytes a row: where they stand, their values, and those that are ASCII as such."""
    for at in range(0, len(data), HEX_ROW):
        row = data[at : at + HEX_ROW]
        plain = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{at:06x}  {row.hex(' '):{3 * HEX_ROW - 1}}  {plain}"
