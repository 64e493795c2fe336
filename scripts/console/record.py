"""A session as a text file that people can read and `replay` can run.

| a line begins with | |
|---|---|
| `>` | a command line |
| `=` | bytes for a data phase |
| `@` | a file for a data phase: its size and digest, then its path |
| `<` | a line of the answer; empty ones are left out |
| `!` | an unsolicited line |
| `#` | a remark |
| `~` | what was done there is not in the record: a replay ends |

Secrets are variables without a value: they are never written. A line that is no command may be one, a refused data
phase's say: only its length is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from .conversation import Item, Kind
from .line import Part, hide, is_command, is_hidden_whole, parameters, secrets, split
from .marks import encode, encode_message, mark_numbers, mark_times
from .reference import Reference
from .session import Payload

HEAD = """\
# A session with an AT port, {date}. Replay: ./scripts/at.py --sim --replay FILE
# > sent, = data, @ a file as data, < answered, ! unsolicited. {{{{…}}}} varies: see docs/console.md.
"""
ADDRESS = ("host", "port")
"""Parameters that differ from one broker to another."""

_MEASURED = ("AT+SYSHEAP", "AT+SYSHEAPBY", "AT+SYSCPU", "AT+SYSTASKS")
_WHERE = ("+MQTTCONN:", "+MQTTCONNECTED:")
_INLINE = 1024


class Variables:
    """Names for the values that vary, each value once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def name(self, kind: str, value: str) -> str:
        """Of a value of that parameter: `PORT`, then `PORT_2`."""
        same = [name for (known, _), name in self._names.items() if known == kind]
        first = kind.upper() if not same else f"{kind.upper()}_{len(same) + 1}"
        return self._names.setdefault((kind, value), first)

    def known(self, kind: str, value: str) -> str | None:
        return self._names.get((kind, value))


class Recorder:
    """Writes what it sees. Each line is flushed, so that a crash loses none."""

    def __init__(self, file: TextIO, reference: Reference, folder: Path, complain: Callable[[str], None]) -> None:
        self._file: TextIO | None = file
        self._complain = complain
        self._reference = reference
        self._folder = folder
        self._variables = Variables()
        self._command = ""
        self._unwritten = False
        """Of the command that is being answered only a remark was written."""
        self._append(HEAD.format(date=datetime.now().strftime("%Y-%m-%d %H:%M")))

    def typed(self, line: str) -> None:
        typed = split(line)
        self._command = typed.name if typed else ""
        found = secrets(line, self._reference)
        named = is_command(line, self._reference)
        self._unwritten = not named or is_hidden_whole(line, self._reference)
        if self._unwritten:
            what = f"{self._command}, its parameters hidden" if named else "no command"
            self._write("\n#", f"({what}, {len(line.encode(errors='surrogateescape'))} bytes)")
            return
        marks = self._passwords(found)
        command = self._reference.commands.get(self._command)
        if typed and command and typed.form == "set":
            for name in ADDRESS:
                position = command.position(name)
                if position is not None and position < len(typed.parts):
                    marks.append(self._address(typed.parts[position], name))
        self._write("\n>", _marked(line, marks))

    def filled(self, payload: Payload) -> None:
        digest = "-" if payload.secret else hashlib.sha256(payload.data).hexdigest()
        if payload.path is not None and (payload.secret or len(payload.data) > _INLINE):
            self._write("@", f"{len(payload.data)} {digest} {self._relative(payload.path)}")
        elif payload.secret:
            name = self._variables.name("password", payload.data.decode(errors="surrogateescape"))
            self._write("=", f"{{{{{name}}}}}")
        else:
            self._write("=", encode(payload.data))

    def left(self) -> None:
        self._write("~", "the data phase was ended without all its bytes")

    def came(self, item: Item) -> None:
        text = item.text.decode(errors="surrogateescape")
        if item.kind is Kind.CUT:
            self._write("#", f"a message that was cut off: {len(item.text)} bytes")
        elif item.kind is Kind.OTHER:
            self._write("#", encode(hide(text, self._reference).encode(errors="surrogateescape")))
        elif item.message:
            self._write("!", encode_message(item.message))
        elif item.kind is Kind.EVENT:
            self._write("!", self._row(text))
        elif self._unwritten:
            self._answered_unwritten(item)
        else:
            row = mark_times(self._row(text))
            self._write("<", mark_numbers(row) if self._command in _MEASURED else row)

    def _answered_unwritten(self, item: Item) -> None:
        """A refused line has changed nothing; behind one that was carried out all may depend on it."""
        if item.kind is Kind.FINAL and item.failed:
            self._write("#", f"< {encode(item.text)}")
        elif item.kind in (Kind.FINAL, Kind.PROMPT):
            self._write("~", "the line that is not written was carried out")

    def _row(self, text: str) -> str:
        found = secrets(text, self._reference)
        if is_hidden_whole(text, self._reference):
            marks = [(part, "{{any}}") for part in found]
        else:
            marks = self._passwords(found)
        head = next((head for head in _WHERE if text.startswith(head)), None)
        for part in parameters(text, len(head)) if head else ():
            for name in ADDRESS:
                known = self._variables.known(name, part.text.strip('"'))
                if known and (name == "host") == part.text.startswith('"'):
                    marks.append((_inner(part), f"{{{{{known}}}}}"))
        return _marked(text, marks)

    def _passwords(self, parts: list[Part]) -> list[tuple[Part, str]]:
        found = []
        for inner in map(_inner, parts):
            name = self._variables.name("password", re.sub(r"\\(.)", r"\1", inner.text))
            found.append((inner, f"{{{{{name}}}}}"))
        return found

    def _address(self, part: Part, name: str) -> tuple[Part, str]:
        inner = _inner(part)
        return inner, f"{{{{{self._variables.name(name, inner.text)}={encode(inner.text.encode())}}}}}"

    def _relative(self, path: str) -> str:
        """As the record's reader finds it."""
        full = Path(path).expanduser().resolve()
        return str(full.relative_to(self._folder)) if full.is_relative_to(self._folder) else str(full)

    def _write(self, kind: str, text: str) -> None:
        self._append(f"{kind} {text}\n")

    def _append(self, text: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            self._file = None
            self._complain(f"The record ends here, as it cannot be written: {error.strerror}")


def _inner(part: Part) -> Part:
    """What stands between the quotes."""
    if len(part.text) >= 2 and part.text[0] == part.text[-1] == '"':
        return Part(part.text[1:-1], part.start + 1)
    return part


def _marked(text: str, marks: list[tuple[Part, str]]) -> str:
    """`text` encoded, with marks in the place of those parts."""
    found, at = "", 0
    for part, mark in sorted(marks, key=lambda pair: pair[0].start):
        found += encode(text[at : part.start].encode(errors="surrogateescape")) + mark
        at = part.end
    return found + encode(text[at:].encode(errors="surrogateescape"))
