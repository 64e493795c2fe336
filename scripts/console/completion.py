"""What Tab offers, and the hint for the parameter under the cursor."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from .line import Part, is_hidden_whole, is_inside_string, split
from .reference import Command, Parameter, Reference

LOCAL = {
    ":send": "FILE [TOPIC [QOS [RETAIN]]]: a file as data, or published",
    ":wait": "SECONDS: for messages",
    ":hex": "the last message's bytes as numbers",
    ":save": "FILE: the last message's bytes, into a new file",
    ":help": "[COMMAND]",
    ":quit": "ends the console (as Ctrl-D does)",
}
"""The console's own commands."""

_FORMS = {"set": ("=", "sets"), "query": ("?", "shows what is set"), "test": ("=?", "shows the forms")}
_REMEMBERED = 8


@dataclass(frozen=True)
class Choice:
    """A text that may take the place of the last `back` characters before the cursor."""

    text: str
    back: int
    means: str = ""


@dataclass(frozen=True)
class Place:
    """Where the cursor is: a command, and the position of one of its parameters with what is typed of it."""

    command: Command
    position: int | None = None
    part: Part | None = None

    @property
    def param(self) -> Parameter | None:
        if self.position is None or self.position >= len(self.command.params):
            return None
        return self.command.params[self.position]


def place(text: str, reference: Reference) -> Place | None:
    """Of a cursor behind `text`."""
    name = text.partition("=")[0].rstrip("?").upper()
    command = reference.commands.get(name)
    if command is None:
        return None
    typed = split(text, command.comma_less)
    if typed is None or typed.form != "set":
        return Place(command)
    return Place(command, len(typed.parts) - 1, typed.parts[-1])


class Memory:
    """Texts typed before, by the name of their parameter: topics, hosts. No secrets."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._texts: defaultdict[str, list[str]] = defaultdict(list)

    def learn(self, line: str) -> None:
        typed = split(line)
        command = self._reference.commands.get(typed.name) if typed else None
        if typed is None or command is None or is_hidden_whole(line, self._reference):
            return
        for param, part in zip(command.params, typed.parts, strict=False):
            # A choice is offered with its meanings anyway.
            if param.secret or param.values or not part.text or part.text.startswith("@"):
                continue
            texts = self._texts[param.name]
            if part.text in texts:
                texts.remove(part.text)
            texts.insert(0, part.text)
            del texts[_REMEMBERED:]

    def texts(self, parameter: str) -> list[str]:
        return self._texts[parameter]


def choices(text: str, reference: Reference, memory: Memory) -> list[Choice]:
    """What may be typed at the end of `text`."""
    if text.startswith(":"):
        return list(_local(text, reference))
    here = place(text, reference)
    if here is None or here.position is None:
        return list(_names(text, reference)) + (list(_forms(here.command, text)) if here else [])
    return list(_values(here, memory))


def _names(text: str, reference: Reference) -> Iterator[Choice]:
    for name, command in reference.commands.items():
        if name.startswith(text.upper()) and name != text.upper():
            yield Choice(name, len(text), command.does)


def _forms(command: Command, text: str) -> Iterator[Choice]:
    typed = len(text) - len(command.name)
    for form in command.forms:
        ending, means = _FORMS.get(form, ("", ""))
        if ending.startswith(text[len(command.name) :]) and len(ending) > typed:
            yield Choice(ending, typed, means)


def _values(here: Place, memory: Memory) -> Iterator[Choice]:
    param, part = here.param, here.part
    if param is None or part is None:
        return
    typed, back = part.text, len(part.text)
    if typed.startswith("@") and param.name == "length":
        yield from _paths(typed[1:])
        return
    offered = {str(value): means for value, means in param.values}
    offered |= {text: "as before" for text in memory.texts(param.name) if text not in offered}
    if not param.text and not param.values:
        bounds = [param.min] if param.min == param.max else [param.default] if param.default is not None else []
        offered |= {str(value): "default" if value == param.default else "" for value in bounds if str(value) not in offered}
    if param.name == "length" and here.command.data:
        offered["@"] = "a file's length, then the file"
    if param.text and not typed and not offered:
        offered['"'] = param.hint()
    for text, means in offered.items():
        if text.startswith(typed) and text != typed:
            yield Choice(text, back, means)
    # A number that is one already, or a string that has ended, can be followed.
    whole = typed in offered or (typed.endswith('"') and len(typed) > 1 and not is_inside_string(typed))
    if whole and here.position is not None and here.position + 1 < len(here.command.params):
        yield Choice(",", 0, here.command.params[here.position + 1].name)


def _paths(typed: str) -> Iterator[Choice]:
    folder, beginning = os.path.split(typed)
    try:
        names = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in names:
        if entry.name.startswith(beginning) and (beginning or not entry.name.startswith(".")):
            try:
                size = "" if entry.is_dir() else f"{entry.stat().st_size} bytes"
            except OSError:
                continue
            yield Choice(entry.name + ("/" if entry.is_dir() else ""), len(beginning), size)


def _local(text: str, reference: Reference) -> Iterator[Choice]:
    name, space, rest = text.partition(" ")
    if not space:
        yield from (Choice(local, len(text), means) for local, means in LOCAL.items() if local.startswith(name))
    elif name in (":send", ":save") and " " not in rest:
        yield from _paths(rest)
    elif name == ":help":
        yield from _names(rest, reference)


Styled = list[tuple[str, str]]


def hint(text: str, reference: Reference) -> Styled:
    """Two lines on where the cursor is: the command's form with the parameter marked, and what may stand there."""
    if text.startswith(":"):
        name = text.partition(" ")[0]
        return [("", f"{name} {LOCAL[name]}")] if name in LOCAL else []
    here = place(text, reference)
    if here is None:
        return []
    if here.position is None:
        return [("", here.command.does)]
    shown: Styled = [("", f"{here.command.name}=")]
    for position, param in enumerate(here.command.params):
        optional = here.command.required <= position
        name = f'"{param.name}"' if param.text else param.name
        style = "reverse" if position == here.position else ""
        shown += [("", "," if position else ""), (style, f"[{name}]" if optional else name)]
    shown.append(("", "\n"))
    if here.param:
        return [*shown, ("bold", here.param.name), ("", f"  {here.param.hint(here.part.text if here.part else '')}")]
    return [*shown, ("fg:ansired", "too many parameters")] if here.command.params else []
