"""The bytes of an AT port as a grammar, written from docs alone (at-contract §1, §4).

Bytes go in, tokens come out: an ordinary line, one incoming MQTT message, or the data prompt. Every byte
belongs to exactly one token; a byte that fits nowhere raises `Violation`. It knows nothing of commands or time,
and shares no code with the firmware, so that it can bear witness against it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MESSAGE = b"+MQTTSUBRECV:"
LONGEST_LINE = 2048
_HEAD = re.compile(rb'\+MQTTSUBRECV:(\d{1,3}),"((?:[^"\\]|\\["\\])*)",(\d{1,9}),', re.DOTALL)
_LONGEST_HEAD = len(MESSAGE) + 4 + 2 * 65535 + 3 + 10


class Violation(Exception):
    """The port printed something that no rule of its documentation allows."""


@dataclass(frozen=True)
class Line:
    """A line without its CR LF; `raw` has it."""

    text: bytes

    @property
    def raw(self) -> bytes:
        return self.text + b"\r\n"


@dataclass(frozen=True)
class Message:
    """One `+MQTTSUBRECV:` line: topic unescaped, data cut by its printed length."""

    link: int
    topic: bytes
    data: bytes
    raw: bytes


@dataclass(frozen=True)
class Prompt:
    """The `>` after `OK` and an empty line."""

    raw: bytes = b">"


Token = Line | Message | Prompt


def unescape(text: bytes) -> bytes:
    """Undo the port's own escapes: `\\"` and `\\\\`, nothing else."""
    return re.sub(rb'\\(["\\])', rb"\1", text)


class Grammar:
    """Feed it what the port sent; it yields whole tokens and keeps the rest."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._last_lines: tuple[bytes, bytes] = (b"", b"")

    @property
    def pending(self) -> bytes:
        """Bytes that do not make a token yet."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> list[Token]:
        self._rest += data
        tokens = []
        while (token := self._next()) is not None:
            del self._rest[: len(token.raw)]
            if isinstance(token, Line):
                self._last_lines = (self._last_lines[1], token.text)
            else:
                self._last_lines = (b"", token.raw)
            tokens.append(token)
        return tokens

    def _next(self) -> Token | None:
        rest = self._rest
        if not rest:
            return None
        if rest[:1] == b">":
            if self._last_lines != (b"OK", b""):
                raise Violation("a prompt that does not follow OK and an empty line")
            return Prompt()
        if MESSAGE.startswith(bytes(rest[: len(MESSAGE)])):
            return self._message() if len(rest) >= len(MESSAGE) else None
        return self._line()

    def _line(self) -> Line | None:
        end = self._rest.find(b"\r\n")
        text = bytes(self._rest if end < 0 else self._rest[:end])
        if end < 0 and text.endswith(b"\r"):
            text = text[:-1]
        if len(text) > LONGEST_LINE:
            raise Violation(f"a line of more than {LONGEST_LINE} bytes")
        bad = [byte for byte in text if byte < 0x20 or byte == 0x7F]
        if bad:
            raise Violation(f"control bytes {bytes(bad)!r} inside a line")
        if end < 0:
            return None
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Violation(f"a line that is no UTF-8: {text!r}") from error
        return Line(text)

    def _message(self) -> Message | None:
        head = _HEAD.match(self._rest)
        if head is None:
            if b"\r\n" in self._rest[:_LONGEST_HEAD] or len(self._rest) > _LONGEST_HEAD:
                raise Violation(f"a malformed message line: {bytes(self._rest[:120])!r}")
            return None
        start = head.end()
        end = start + int(head[3])
        tail = bytes(self._rest[end : end + 2])
        if not b"\r\n".startswith(tail):
            raise Violation(f"message data is followed by {tail!r}, not by CR LF")
        if len(tail) < 2:
            return None
        topic = unescape(head[2])
        try:
            topic.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Violation(f"a topic that is no UTF-8: {topic!r}") from error
        return Message(int(head[1]), topic, bytes(self._rest[start:end]), bytes(self._rest[: end + 2]))
