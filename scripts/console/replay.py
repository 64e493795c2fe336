"""A record as a test: the same is typed again, and the answers must be the same.

Unsolicited lines may stand elsewhere than they stood, and others may come between; each recorded one must come, in
their order, before the next command is typed.
"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from .conversation import Item, Kind
from .line import hide
from .marks import MARK, decode, encode, encode_message, pattern
from .reference import Reference
from .session import Payload, Refused, Session, read_file

EVENT_SECONDS = 5.0
"""How long a recorded unsolicited line is waited for."""

ENVIRONMENT = "W800_"
"""Before a variable's name in the environment."""


class Malformed(Exception):
    """The file is no record, or something it needs is not there."""


class Difference(Exception):
    """The board did something else; the text shows it."""


@dataclass
class Step:
    """Something sent (`>`, `=` or `@`), and what came before the next; `~` is where the record has not all of it."""

    number: int
    kind: str
    text: str
    answers: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def parse(text: str) -> list[Step]:
    """The steps of a record."""
    steps = [Step(0, "", "")]
    for number, line in enumerate(text.split("\n"), 1):
        kind, rest = line[:1], line[2:]
        if kind in ("", "#"):
            continue
        if line[1:2] not in ("", " ") or kind not in "<!>=@~":
            raise Malformed(f"line {number} is none of a record: {line[:60]!r}")
        if kind == "~":
            # Data that did not go out whole is none to type again.
            while steps[-1].kind in ("=", "@"):
                steps.pop()
        if kind in ">=@~":
            steps.append(Step(number, kind, rest))
        else:
            (steps[-1].answers if kind == "<" else steps[-1].events).append(rest)
    if len(steps) == 1:
        raise Malformed("nothing is typed in this record")
    return steps


def variables(steps: list[Step], ask: Callable[[str], str | None]) -> dict[str, bytes]:
    """Values for all variables: from the environment, as recorded, or asked for."""
    texts = [text for step in steps for text in (step.text, *step.answers, *step.events)]
    marks = [match for text in texts for match in MARK.finditer(text) if match["name"]]
    recorded = {match["name"]: match["value"] for match in marks if match["value"] is not None}
    found = {}
    for name in dict.fromkeys(match["name"] for match in marks):
        value = os.environ.get(ENVIRONMENT + name, recorded.get(name))
        value = ask(name) if value is None else value
        if value is None:
            raise Malformed(f"{name} is not in the record: set {ENVIRONMENT}{name}")
        found[name] = value.encode(errors="surrogateescape")
    return found


class Listener:
    """Collects what comes, in the record's own words."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self.answers: list[str] = []
        self.events: list[str] = []
        self.changed = asyncio.Event()

    def typed(self, line: str) -> None:
        self.answers.clear()

    def filled(self, payload: Payload) -> None:
        self.answers.clear()

    def left(self) -> None:
        """The replay is at its end."""

    def came(self, item: Item) -> None:
        if item.kind is Kind.EVENT:
            self.events.append(encode_message(item.message) if item.message else encode(item.text))
        elif item.kind not in (Kind.OTHER, Kind.CUT):
            self.answers.append(encode(item.text))
        self.changed.set()

    async def event(self, wanted: re.Pattern[str]) -> bool:
        """Take the next event that is the wanted one; those before it are forgotten."""
        deadline = asyncio.get_running_loop().time() + EVENT_SECONDS
        passed = 0
        while True:
            for position in range(passed, len(self.events)):
                if wanted.fullmatch(self.events[position]):
                    del self.events[: position + 1]
                    return True
            passed = len(self.events)
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            self.changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self.changed.wait()
            except TimeoutError:
                return False


class Replay:
    """Runs the steps of one record."""

    def __init__(self, session: Session, listener: Listener, reference: Reference, values: dict[str, bytes], folder: Path):
        self._session = session
        self._listener = listener
        self._reference = reference
        self._values = values
        self._typed = {name: re.sub(rb'([\\,"])', rb"\\\1", value) for name, value in values.items()}
        self._printed = {name: re.sub(rb'([\\"])', rb"\\\1", value) for name, value in values.items()}
        self._folder = folder

    async def run(self, steps: list[Step]) -> int:
        """How many commands answered as recorded; a `Difference` ends it."""
        for step in steps:
            if step.kind == "~":
                await self._stop(step)
            if step.kind:
                await self._send(step)
                self._compare(step)
            for event in step.events:
                if not await self._listener.event(pattern(event, self._printed)):
                    raise self._difference(step, [f"! {event}"], [f"! {came}" for came in self._listener.events])
        return sum(step.kind == ">" for step in steps)

    async def _stop(self, step: Step) -> NoReturn:
        if self._session.wanted:
            await self._session.leave()
        raise Malformed(f"line {step.number}: the replay ends here, as the record has not all that was done: {step.text}")

    async def _send(self, step: Step) -> None:
        try:
            if step.kind == ">":
                line = decode(step.text, self._typed).decode(errors="surrogateescape")
                await self._session.run(line)
            else:
                await self._session.fill(self._payload(step))
        except Refused as error:
            raise Difference(f"line {step.number}: {step.kind} {step.text}\n  {error}") from error
        except ValueError as error:
            raise Malformed(f"line {step.number}: {error}") from error

    def _payload(self, step: Step) -> Payload:
        if step.kind == "=":
            return Payload(decode(step.text, self._values))
        match = re.fullmatch(r"(\d+) ([0-9a-f]{64}|-) (.+)", step.text)
        if match is None:
            raise Malformed(f"line {step.number}: no size, digest and path")
        try:
            payload = read_file(str(self._folder / match[3]))
        except Refused as error:
            raise Malformed(f"line {step.number}: {error}") from error
        same = match[2] in ("-", hashlib.sha256(payload.data).hexdigest())
        if len(payload.data) != int(match[1]) or not same:
            raise Malformed(f"line {step.number}: {match[3]} is not the file that was sent")
        return payload

    def _compare(self, step: Step) -> None:
        wanted = [pattern(answer, self._printed) for answer in step.answers]
        came = self._listener.answers
        if len(wanted) != len(came) or not all(map(re.Pattern.fullmatch, wanted, came)):
            raise self._difference(step, [f"< {line}" for line in step.answers], [f"< {line}" for line in came])

    def _difference(self, step: Step, wanted: list[str], came: list[str]) -> Difference:
        """What is alike is shown as recorded, so that only what differs stands out; without secrets."""
        patterns = [(line, pattern(line, self._printed)) for line in wanted]
        shown = [
            next((line for line, shape in patterns if shape.fullmatch(text)), text[:2] + hide(text[2:], self._reference))
            for text in came
        ]
        diff = [line for line in difflib.ndiff(wanted, shown) if not line.startswith("?")]
        return Difference("\n".join([f"line {step.number}: {step.kind} {step.text}", *diff]))
