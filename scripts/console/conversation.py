"""What the port's bytes mean to the command that was sent (AT contract §1, §4). No time, no port.

It reads by the serial tests' grammar, but where that bears witness against a board this one goes on: what no rule
allows becomes an item of its own and the next line is read as ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from atport import BUSY, FINALS, PUBLISH_RESULTS, READY, REFUSALS, RESTART, RESTORE
from grammar import LONGEST_LINE, MESSAGE, Grammar, Line, Message, Prompt, Token, Violation

from .line import split
from .reference import Reference

PUBRAW = "AT+MQTTPUBRAW"


class Kind(Enum):
    """What an item is to the reader."""

    INFO = auto()
    FINAL = auto()
    PROMPT = auto()
    EVENT = auto()
    OTHER = auto()
    """A line that nobody asked for and the reference does not know: `ready`, another command's."""

    CUT = auto()
    """A message whose bytes have stopped coming, with whatever came since its beginning."""


@dataclass(frozen=True)
class Item:
    """One line of the port without its CR LF; `message` where it is one."""

    kind: Kind
    text: bytes
    message: Message | None = None

    @property
    def failed(self) -> bool:
        """Whether this final line says so."""
        return self.text not in (b"OK", PUBLISH_RESULTS[0], READY)


@dataclass
class Pending:
    """A command whose final line has not come. `length`: bytes of its data phase, None where it has none."""

    command: bytes
    length: int | None = None
    publishes: bool = False
    prompted: bool = False
    answered: bool = False

    def ends_with(self, text: bytes) -> bool:
        if text in (*REFUSALS, BUSY):
            return True
        if self.command.upper() in (RESTART, RESTORE):
            return text in (READY, b"ERROR")
        if self.length is not None and not self.prompted:
            return text == b"ERROR"
        return text in (*PUBLISH_RESULTS, b"ERROR") if self.publishes else text in FINALS


def pending(text: str, reference: Reference) -> Pending:
    """What to expect of a line about to be sent."""
    typed = split(text)
    command = reference.commands.get(typed.name) if typed else None
    length = None
    if typed and command and command.data and typed.form == "set":
        # A length of 0 erases a certificate, and asks for no data.
        length = typed.number(command.position("length")) or None
    return Pending(text.encode(errors="surrogateescape"), length, bool(command and command.name == PUBRAW))


class _Reader(Grammar):
    """The grammar that forgives."""

    def _next(self) -> Token | None:
        try:
            return super()._next()
        except Violation:
            return self._noise()

    def cut(self) -> bytes:
        """Take what has come of a message; none where nothing or the beginning of a line waits."""
        held = self.pending if self._rest.startswith(MESSAGE) else b""
        del self._rest[: len(held)]
        return held

    def _noise(self) -> Token | None:
        end = self._rest.find(b"\n")
        if end < 0 and len(self._rest) <= LONGEST_LINE:
            return None
        return _Noise(bytes(self._rest[: end + 1] if end >= 0 else self._rest))


class _Noise(Line):
    """Bytes up to a line end that are no proper line."""

    @property
    def raw(self) -> bytes:
        return self.text


class Conversation:
    """Feed it what the port sent; it says what each line was. One command at a time."""

    def __init__(self, reference: Reference) -> None:
        self._reader = _Reader()
        self._events = tuple(head.encode() for head in reference.events)
        self.pending: Pending | None = None

    def begin(self, command: Pending) -> None:
        self.pending = command

    def receive(self, data: bytes) -> list[Item]:
        return [item for token in self._reader.feed(data) if (item := self._item(token)) is not None]

    def cut(self) -> Item | None:
        """Wait no longer for the rest of a message: its board was reset, or has told a wrong length."""
        held = self._reader.cut()
        return Item(Kind.CUT, held.rstrip(b"\r\n")) if held else None

    @property
    def receiving(self) -> int:
        """How many bytes of an unfinished line have come: a long message takes its time."""
        return len(self._reader.pending)

    def _item(self, token: Token) -> Item | None:
        current = self.pending
        if isinstance(token, Message):
            return Item(Kind.EVENT, token.raw.removesuffix(b"\r\n"), token)
        if isinstance(token, Prompt):
            if current is None or current.length is None:
                return Item(Kind.OTHER, token.raw)
            current.prompted = True
            return Item(Kind.PROMPT, token.raw)
        text = re.sub(rb"[\r\n]+$", b"", token.text)
        if not text:
            return None
        if text.startswith(self._events):
            return Item(Kind.EVENT, text)
        restarted = text == READY and current is not None and not current.ends_with(text)
        if current is None or restarted:
            return Item(Kind.OTHER, text)
        if text == current.command and not current.answered:
            # The port's echo.
            return None
        current.answered = True
        if not current.ends_with(text):
            return Item(Kind.INFO, text)
        self.pending = None
        return Item(Kind.FINAL, text)
