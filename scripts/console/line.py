"""A command line, or a row of an answer, split into parameters by the contract's rules for quotes; and its secrets."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from .reference import Command, Reference

_HEAD = re.compile(r"(?P<name>AT[+\w]*)(?P<form>=\?$|\?$|=|)", re.IGNORECASE)
_ROW = re.compile(r"\+(\w+):")
_LOOSE = re.compile(r"\s*(AT\+?\w+)\s*[=:,]", re.IGNORECASE)
"""A command's name however its parameters were begun: what is hidden must not depend on right typing."""

_COMMA_LESS = re.compile(r'\d+(?=")')
HIDDEN = '"***"'
"""Stands for a secret in a history; typed, it asks for the secret."""


@dataclass(frozen=True)
class Part:
    """A parameter as it was typed, quotes and escapes included, and where it begins in the line."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Typed:
    """A line: its command's name in upper case, `set`, `query`, `test` or `execute`, and the parameters of a set."""

    name: str
    form: str
    parts: tuple[Part, ...] = ()

    def number(self, position: int | None) -> int | None:
        """The decimal number at `position`."""
        if position is None or position >= len(self.parts):
            return None
        text = self.parts[position].text
        return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None


def split(text: str, comma_less: bool = False) -> Typed | None:
    """A line as far as it is typed; None for what is no command."""
    head = _HEAD.match(text)
    if head is None or head.end() < len(text) and head["form"] != "=":
        return None
    form = {"=?": "test", "?": "query", "=": "set", "": "execute"}[head["form"]]
    parts = tuple(parameters(text, head.end(), comma_less)) if form == "set" else ()
    return Typed(head["name"].upper(), form, parts)


def parameters(text: str, start: int, comma_less: bool = False) -> list[Part]:
    """What stands between the commas behind `start`. A string ends at an unescaped quote before a comma or the end."""
    found = []
    while True:
        end = _end(text, start)
        found.append(Part(text[start:end], start))
        if end >= len(text):
            break
        start = end + 1
    first = _COMMA_LESS.match(found[0].text) if comma_less else None
    if first:
        part = found[0]
        found[:1] = [Part(first[0], part.start), Part(part.text[first.end() :], part.start + first.end())]
    return found


def _end(text: str, start: int) -> int:
    quoted, at = False, start
    while at < len(text):
        letter = text[at]
        if quoted and letter == "\\":
            at += 1
        elif letter == '"' and not quoted:
            quoted = True
        elif letter == '"' and text[at + 1 : at + 2] in ("", ","):
            quoted = False
        elif letter == "," and not quoted:
            return at
        at += 1
    return len(text)


def is_inside_string(part: str) -> bool:
    """Whether the string that `part` begins with has not ended."""
    return part.startswith('"') and _end(part + ",", 0) > len(part)


def secrets(text: str, reference: Reference) -> list[Part]:
    """The secret parameters of a typed line or of a row that shows them. What cannot be told apart is secret to the end."""
    command, start = _owner(text, reference)
    if command is None:
        return []
    parts = parameters(text, start, command.comma_less)
    found = []
    for position, param in enumerate(command.params):
        if not param.secret or position >= len(parts):
            continue
        part = parts[position]
        if len(parts) != len(command.params):
            part = Part(text[part.start :], part.start)
        if part.text not in ("", '""') and not part.text.startswith("<"):
            found.append(part)
    return found


def _owner(text: str, reference: Reference) -> tuple[Command | None, int]:
    """Whose parameters a line has, a misspelt name being the nearest one's, and where they begin."""
    row = _ROW.match(text)
    if row:
        return reference.commands.get(f"AT+{row[1]}"), row.end()
    loose = _LOOSE.match(text)
    if loose is None:
        return None, 0
    name = loose[1].upper()
    if name not in reference.commands:
        secretive = [name for name, command in reference.commands.items() if any(param.secret for param in command.params)]
        name = next(iter(difflib.get_close_matches(name, secretive, 1, 0.8)), "")
    return reference.commands.get(name), loose.end()


def replace(text: str, parts: list[Part], by: str | list[str]) -> str:
    """`text` with each of `parts` exchanged."""
    texts = [by] * len(parts) if isinstance(by, str) else by
    for part, new in reversed(list(zip(parts, texts, strict=True))):
        text = text[: part.start] + new + text[part.end :]
    return text


def hide(text: str, reference: Reference) -> str:
    """`text` without its secrets."""
    return replace(text, secrets(text, reference), HIDDEN)
