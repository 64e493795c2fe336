"""A command line, or a row of an answer, split into parameters by the contract's rules for quotes; and its secrets."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from .reference import Command, Parameter, Reference

_HEAD = re.compile(r"(?P<name>AT[+\w]*)(?P<form>=\?$|\?$|=|)", re.IGNORECASE)
_SHOWN = re.compile(r"AT(\+[A-Z0-9]{1,24})?(\?|=\?)?", re.IGNORECASE)
"""A line that has no parameters; its name may be one the reference does not know."""

_NAMED = re.compile(r"(?P<at>AT\s*\+?\s*|\+)(?P<name>\w+)(?P<by>\s*[=:,;.]?\s*)", re.IGNORECASE)
"""A name and what follows, wherever it stands and however its parameters were begun: hiding must not need right typing."""

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
    """The secrets of a typed line or of a row that shows them. Where they cannot be told apart, all parameters are one."""
    found = _secretive(text, reference)
    if found is None:
        return []
    command, start, proper = found
    parts = parameters(text, start, command.comma_less)
    if text[start:] in ("", "?") or _names_them(command, text[start:]):
        return []
    if not proper or not _fits(command, parts):
        return [Part(text[start:], start)]
    pairs = zip(command.params, parts, strict=True)
    return [part for param, part in pairs if param.secret and part.text not in ("", '""')]


def is_hidden_whole(text: str, reference: Reference) -> bool:
    """Whether all the parameters of the line are hidden, as its secrets cannot be told apart from them."""
    owner, found = _secretive(text, reference), secrets(text, reference)
    return owner is not None and bool(found) and found[0].start == owner[1]


def is_command(text: str, reference: Reference) -> bool:
    """Whether a typed line may be shown without its secrets; the parameters of an unknown command may be anything."""
    typed = split(text)
    return typed is not None and (typed.name in reference.commands or _SHOWN.fullmatch(text) is not None)


def begins_as_secretive(text: str, reference: Reference) -> bool:
    """Whether the line begins with the name, right or misspelt, of a command that has secrets."""
    match = _NAMED.match(text)
    return match is not None and _nearest(match["name"].upper(), reference) is not None


def _secretive(text: str, reference: Reference) -> tuple[Command, int, bool] | None:
    """The command with secrets that `text` names, where its parameters begin, and whether they begin as they must."""
    typed = split(text)
    own = reference.commands.get(typed.name) if typed else None
    for match in _NAMED.finditer(text):
        command = _nearest(match["name"].upper(), reference)
        if command is not None and (own is None or own is command):
            printed = match["at"] == "+" and match["by"] == ":"
            sent = match.start() == 0 and match["at"].upper() == "AT+" and match["by"] == "="
            return command, match.end(), printed or sent
    return None


def _nearest(name: str, reference: Reference) -> Command | None:
    """The command with secrets of that name; a misspelt one is the nearest's."""
    secretive = {command.name: command for command in reference.commands.values() if command.has_secrets}
    if f"AT+{name}" in reference.commands:
        return secretive.get(f"AT+{name}")
    near = difflib.get_close_matches(f"AT+{name}", secretive, 1, 0.8)
    return secretive[near[0]] if near else None


def _fits(command: Command, parts: list[Part]) -> bool:
    """Whether there are as many as there should be, each of its kind."""
    return len(parts) == len(command.params) and all(map(_fits_one, command.params, parts))


def _fits_one(param: Parameter, part: Part) -> bool:
    kind = r'(".*)?' if param.text else r"\d*"
    return param.secret or re.fullmatch(kind, part.text, re.DOTALL | re.ASCII) is not None


def _names_them(command: Command, text: str) -> bool:
    """The answer to a test names the parameters: `<LinkID>,<"password">`."""
    return text.replace('"', "") == ",".join(f"<{param.name}>" for param in command.params)


def replace(text: str, parts: list[Part], by: str | list[str]) -> str:
    """`text` with each of `parts` exchanged."""
    texts = [by] * len(parts) if isinstance(by, str) else by
    for part, new in reversed(list(zip(parts, texts, strict=True))):
        text = text[: part.start] + new + text[part.end :]
    return text


def hide(text: str, reference: Reference) -> str:
    """`text` without its secrets."""
    return replace(text, secrets(text, reference), HIDDEN)
