"""Commands one after the other: a line goes out, its answer is awaited, a data phase is filled from a file or by hand."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grammar import Message

from .conversation import Conversation, Item, Kind, Pending, pending
from .line import HIDDEN, Part, Typed, is_hidden_whole, replace, secrets, split
from .reference import Command, Reference
from .wire import Gone, Wire

ANSWER_SECONDS = 15.0
"""Commands of ours answer within 10 s, but for a `timeout_ms` of their own."""

OTHER_SECONDS = 60.0
"""Commands of others, such as joining a Wi-Fi."""

ESCAPE, ESCAPE_PAUSE = b"+++", 1.0
"""What ends a data phase, and the silence around it."""

ESCAPES, ESCAPE_SECONDS = 4, 3.0
"""How often it is tried: bytes that a PTY still held would take the silence away."""

CUT_SECONDS = 3.0
"""A message of which no byte has come for so long need not be waited for."""

_FILE = re.compile(r"@(.+)", re.DOTALL)


class Refused(Exception):
    """What was typed cannot be done; nothing was sent."""


@dataclass(frozen=True)
class Payload:
    """Bytes for a data phase, and the file they are from."""

    data: bytes
    path: str | None = None
    secret: bool = False


@dataclass
class Answer:
    """A command as sent, with what came; `final` is None while its data phase waits for bytes."""

    line: str
    items: list[Item] = field(default_factory=list)
    final: Item | None = None

    @property
    def failed(self) -> bool:
        return self.final is not None and self.final.failed


class Observer(Protocol):
    """Sees all that happens, in order."""

    def typed(self, line: str) -> None:
        """A line is about to go out, secrets in it."""

    def filled(self, payload: Payload) -> None:
        """Bytes are about to go into a data phase."""

    def left(self) -> None:
        """The open data phase is about to be ended."""

    def came(self, item: Item) -> None:
        """An item came."""


Ask = Callable[[str], Awaitable[str]]


class Session:
    """A conversation on a wire. `ask` gets a secret from whoever is there."""

    def __init__(self, wire: Wire, reference: Reference, ask: Ask, *observers: Observer) -> None:
        self.reference = reference
        self.waiting_for: str | None = None
        self.progress: tuple[int, int, float] | None = None
        """Bytes taken, of so many, in so many seconds."""
        self.message: Message | None = None
        """The last one that came."""
        self.leaving = False
        self._wire = wire
        self._ask = ask
        self._observers = observers
        self._conversation = Conversation(reference)
        self._answer: Answer | None = None
        self._changed = asyncio.Event()
        self._filled = bytearray()
        self._received = 0.0
        """When a byte came last."""
        self._secrets: dict[tuple[str, int], str] = {}
        self.gone = asyncio.Event()
        wire.listen(self._receive, self._end)

    # --- what there is ---

    @property
    def _phase(self) -> Pending | None:
        """The command whose data phase waits for bytes."""
        current = self._conversation.pending
        return current if current and current.prompted and len(self._filled) < (current.length or 0) else None

    @property
    def wanted(self) -> int:
        """How many bytes the data phase still takes."""
        return (self._phase.length or 0) - len(self._filled) if self._phase else 0

    @property
    def data_is_secret(self) -> bool:
        return self._phase is not None and self._command_of(self._phase).secret_data

    # --- what can be done ---

    async def run(self, text: str) -> Answer:
        """Send a line and wait for its final line, or for a prompt that no file answers."""
        line, payload = self._with_file(await self._with_secrets(text))
        for observer in self._observers:
            observer.typed(line)
        self._answer = Answer(line)
        self._filled.clear()
        self._conversation.begin(pending(line, self.reference))
        await self._await(line.encode(errors="surrogateescape") + b"\r\n", self._limit(line), self._settled)
        if payload and self._phase:
            return await self.fill(payload)
        return self._finish()

    async def fill(self, payload: Payload) -> Answer:
        """Bytes for the data phase; with the last of them comes the final line."""
        phase, wanted = self._phase, self.wanted
        if phase is None or self._answer is None:
            raise Refused("no data phase is open")
        if len(payload.data) > wanted:
            raise Refused(f"{len(payload.data)} bytes are too many: {wanted} are wanted (Ctrl-C ends the data phase)")
        payload = Payload(payload.data, payload.path, self._command_of(phase).secret_data)
        for observer in self._observers:
            observer.filled(payload)
        with self._shown_progress(len(payload.data)) as taken:
            await self._wire.send(payload.data, taken)
        self._filled += payload.data
        if not self.wanted:
            await self._await(b"", self._limit(self._answer.line), self._settled)
        return self._finish()

    async def leave(self) -> Answer:
        """End the data phase without its bytes."""
        if self._answer is None:
            raise Refused("no data phase is open")
        self.leaving = True
        for observer in self._observers:
            observer.left()
        try:
            # What still waits in the device's queue is data.
            await self._wire.send(b"")
            for _ in range(ESCAPES):
                await asyncio.sleep(ESCAPE_PAUSE)
                with contextlib.suppress(Refused):
                    await self._await(ESCAPE, ESCAPE_SECONDS, lambda: self._conversation.pending is None)
                    return self._finish()
            await self._await(b"", ANSWER_SECONDS, lambda: self._conversation.pending is None)
        finally:
            self.leaving = False
        return self._finish()

    def cut(self) -> None:
        """Give up a message whose bytes have stopped coming, so that what comes is read as lines again."""
        if asyncio.get_running_loop().time() - self._received < CUT_SECONDS:
            return
        item = self._conversation.cut()
        if item is not None:
            for observer in self._observers:
                observer.came(item)

    async def quiet(self, seconds: float) -> None:
        """Until nothing has come for a while, or as long as that at the most ten times over."""
        for _ in range(10):
            self._changed.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def rest(self, seconds: float) -> None:
        """That long, or until the board is gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()

    # --- inside ---

    def _settled(self) -> bool:
        return self._conversation.pending is None or self._phase is not None

    def _finish(self) -> Answer:
        answer = self._answer or Answer("")
        if answer.final is not None:
            self._answer = None
        return answer

    async def _await(self, data: bytes, limit: float, done: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        self.waiting_for = self._answer.line.partition("=")[0] if self._answer else None
        try:
            await self._wire.send(data)
            deadline, received = loop.time() + limit, 0
            while not done():
                if self._conversation.receiving > received:
                    # A long message stands before the answer.
                    deadline = loop.time() + limit
                received = self._conversation.receiving
                if loop.time() >= deadline:
                    self.cut()
                    raise Refused(f"no answer within {limit:.0f} s")
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(1.0, limit)):
                        await self._changed.wait()
                if self.gone.is_set():
                    raise Gone("the board is gone")
        finally:
            # An answer that was not awaited to its end may still come, or a prompt: it is read as that command's.
            self.waiting_for = None

    def _receive(self, data: bytes) -> None:
        self._received = asyncio.get_running_loop().time()
        for item in self._conversation.receive(data):
            self.message = item.message or self.message
            if self._answer and item.kind in (Kind.INFO, Kind.FINAL):
                self._answer.items.append(item)
                self._answer.final = item if item.kind is Kind.FINAL else None
            for observer in self._observers:
                observer.came(item)
        self._changed.set()

    def _end(self) -> None:
        self.gone.set()
        self._changed.set()

    @contextlib.contextmanager
    def _shown_progress(self, whole: int) -> Iterator[Callable[[int], None]]:
        loop = asyncio.get_running_loop()
        since = loop.time()

        def taken(count: int) -> None:
            self.progress = (max(count, 0), whole, loop.time() - since)

        taken(0)
        try:
            yield taken
        finally:
            self.progress = None

    def _command_of(self, phase: Pending) -> Command:
        return self.reference.commands[phase.command.partition(b"=")[0].decode().upper()]

    def _limit(self, line: str) -> float:
        typed = split(line)
        command = self.reference.commands.get(typed.name) if typed else None
        if typed is None or command is None or not command.name.startswith("AT+MQTT"):
            return OTHER_SECONDS if typed and "+" in typed.name else ANSWER_SECONDS
        position = command.position("timeout_ms")
        own = typed.number(position)
        if own is None and position is not None:
            own = command.params[position].default
        return ANSWER_SECONDS + (own or 0) / 1000

    def _with_file(self, line: str) -> tuple[str, Payload | None]:
        """`@FILE` in the place of a length: the file's length, and its bytes for the data phase."""
        typed = split(line)
        part = self._length(typed) if typed and typed.form == "set" else None
        named = _FILE.fullmatch(part.text) if part else None
        if part is None or named is None:
            return line, None
        payload = read_file(named[1].strip('"'))
        return replace(line, [part], str(len(payload.data))), payload

    def _length(self, typed: Typed) -> Part | None:
        command = self.reference.commands.get(typed.name)
        position = command.position("length") if command and command.data else None
        return typed.parts[position] if position is not None and position < len(typed.parts) else None

    async def _with_secrets(self, line: str) -> str:
        """`"***"` in a secret's place: what was typed there before, else what is asked for."""
        parts = secrets(line, self.reference)
        if is_hidden_whole(line, self.reference):
            if parts[0].text.strip() == HIDDEN:
                raise Refused(f"{line}: the parameters of this line were hidden, and are to be typed again")
            return line
        texts = []
        for number, part in enumerate(parts):
            key = (line.partition("=")[0].upper(), number)
            if part.text == HIDDEN:
                known = self._secrets.get(key)
                texts.append(known or quote(await self._ask(f"{key[0]}, secret")))
            else:
                texts.append(part.text)
            self._secrets[key] = texts[-1]
        return replace(line, parts, texts)


def quote(text: str) -> str:
    """A parameter as the contract asks."""
    return '"' + re.sub(r'([\\,"])', r"\\\1", text) + '"'


def read_file(path: str) -> Payload:
    """A file's bytes for a data phase."""
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    if not data:
        raise Refused(f"{path} is empty")
    return Payload(data, path)
