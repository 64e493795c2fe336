"""The front end for a person: a line editor below, the conversation above it, what can be typed in the bar at the bottom."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.styles import Style

from .completion import LOCAL, Memory, choices, hint
from .conversation import pending
from .dispatch import Quit, dispatch
from .line import begins_as_secretive, hide, is_command
from .reference import Reference
from .session import Refused, Session
from .view import View, bar
from .wire import Gone

HISTORY_BYTES = 256 * 1024
"""A longer history is cut to its newer half."""

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse dim", "prompt": "bold", "data": "bold fg:ansiyellow"})


def history_file() -> Path:
    """Where what was typed is kept between sessions."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "w800-mqtt-at" / "history"


def _prepare(file: Path) -> None:
    """Make it, for its owner alone, and shorten it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    if file.stat().st_size > HISTORY_BYTES:
        newer = file.read_bytes()[-HISTORY_BYTES // 2 :]
        file.write_bytes(newer[max(newer.find(b"\n# "), 0) :])


class SafeHistory(FileHistory):
    """Keeps commands, not data, and never a secret: neither on disk nor for the arrow keys."""

    def __init__(
        self, file: Path, reference: Reference, keeps: Callable[[], bool], complain: Callable[[str], None]
    ) -> None:
        self._reference = reference
        self._keeps = keeps
        self._complain = complain
        self._is_written = True
        with self._watched():
            _prepare(file)
        super().__init__(str(file))

    def load_history_strings(self) -> Iterable[str]:
        with self._watched():
            return list(super().load_history_strings())
        return []

    def store_string(self, string: str) -> None:
        if self._is_written:
            with self._watched():
                super().store_string(string)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Where the file fails, the arrow keys still have what was typed in this session."""
        try:
            yield
        except OSError as error:
            if self._is_written:
                self._complain(f"What is typed is not kept for later: {error.filename or ''} {error.strerror}")
            self._is_written = False

    def append_string(self, string: str) -> None:
        if not self._keeps():
            return
        # What was pasted can have several lines.
        for line in map(str.strip, string.splitlines()):
            if self._is_kept(line):
                super().append_string(hide(line, self._reference))
            if opens_data(line, self._reference):
                return

    def _is_kept(self, line: str) -> bool:
        if line.startswith(":"):
            return line.partition(" ")[0] in LOCAL
        return is_command(line, self._reference) or begins_as_secretive(line, self._reference)


@contextlib.contextmanager
def _no_echo() -> Iterator[None]:
    """Between two lines the editor leaves the terminal to itself: it must not show keys then, secrets least."""
    before = termios.tcgetattr(sys.stdin)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def opens_data(line: str, reference: Reference) -> bool:
    """Whether what is typed behind that line is data."""
    return pending(line, reference).length is not None


class AtCompleter(Completer):
    """The choices of `completion` for the line editor."""

    def __init__(self, reference: Reference, memory: Memory, applies: Callable[[], bool]) -> None:
        self._reference = reference
        self._memory = memory
        self._applies = applies

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        if not self._applies():
            return
        for choice in choices(document.text_before_cursor, self._reference, self._memory):
            yield Completion(choice.text, start_position=-choice.back, display_meta=choice.means)


class Prompt:
    """Lines typed while an answer is awaited are sent behind it."""

    def __init__(self, reference: Reference, view: View, place: str) -> None:
        self.session: Session | None = None
        self._reference = reference
        self._view = view
        self._place = place
        self._memory = Memory(reference)
        self._lines: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._opens_data = False
        self._doing: asyncio.Task[bool] | None = None
        self._since = 0.0
        self._asked: tuple[str, asyncio.Future[str]] | None = None
        self._editor: PromptSession[str] = PromptSession(
            message=self._message,
            completer=AtCompleter(reference, self._memory, self._is_command),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            history=SafeHistory(history_file(), reference, self._is_command, view.problem),
            is_password=Condition(self._is_secret),
            bottom_toolbar=self._toolbar,
            key_bindings=self._keys(),
            style=_STYLE,
            refresh_interval=0.25,
            reserve_space_for_menu=6,
        )

    async def ask(self, what: str) -> str:
        """A secret, typed unseen."""
        self._asked = (what, asyncio.get_running_loop().create_future())
        self._editor.app.invalidate()
        try:
            return await self._asked[1]
        finally:
            self._asked = None

    async def run(self, session: Session) -> int:
        """Until Ctrl-D, `:quit` or the end of the board."""
        self.session = session
        with _no_echo(), StdoutProxy(sleep_between_writes=0.02, raw=True) as screen:

            def write(text: str) -> None:
                screen.write(f"{text}\n")

            self._view.write = write
            work = asyncio.create_task(self._work(session))
            gone = asyncio.create_task(session.gone.wait())
            read = asyncio.create_task(self._read())
            tasks: set[asyncio.Task[Any]] = {work, gone, read}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if gone in done:
                self._view.problem("The board is gone.")
        for task in done - {gone}:
            task.result()
        return 1 if gone in done else 0

    # --- lines ---

    async def _read(self) -> None:
        while True:
            try:
                text = await self._editor.prompt_async()
            except EOFError:
                return
            if self._asked:
                self._asked[1].set_result(text)
            elif self.session and self.session.wanted:
                self._queue(text)
            else:
                lines = text.splitlines()
                for line in lines:
                    self._queue(line, pasted=len(lines) > 1)

    def _queue(self, line: str, pasted: bool = False) -> None:
        ahead = pasted or self._is_busy()
        self._opens_data = opens_data(line, self._reference)
        self._lines.put_nowait((line, ahead))

    def _is_busy(self) -> bool:
        return self._doing is not None or not self._lines.empty()

    async def _work(self, session: Session) -> None:
        while True:
            text, ahead = await self._lines.get()
            self._since = time.monotonic()
            if not session.wanted:
                self._memory.learn(text)
            if ahead:
                # It stands further up, where it was typed.
                self._view.tell(f"→ {'…' if session.wanted else hide(text, self._reference)}")
            self._doing = asyncio.create_task(dispatch(text, session, self._view, self._reference))
            try:
                await asyncio.wait([self._doing])
                self._doing.result()
            except Quit:
                return
            except (Refused, Gone) as error:
                self._view.problem(str(error))
            except asyncio.CancelledError:
                if not self._doing.cancelled():
                    # The console ends.
                    self._doing.cancel()
                    await asyncio.gather(self._doing, return_exceptions=True)
                    raise
                await self._stopped(session)
            finally:
                self._doing = None

    async def _stopped(self, session: Session) -> None:
        self._view.problem("stopped waiting; the answer may still come")
        session.cut()
        while not self._lines.empty():
            self._lines.get_nowait()
        await self._leave(session)

    async def _leave(self, session: Session) -> None:
        if session.wanted and not session.leaving:
            self._view.tell("ending the data phase with +++ …")
            with contextlib.suppress(Refused):
                await session.leave()

    # --- looks ---

    def _is_command(self) -> bool:
        """Whether what is being typed is none of the secrets and data."""
        wanted = self.session is not None and self.session.wanted > 0
        return not (self._asked or wanted or (self._opens_data and self._is_busy()))

    def _is_secret(self) -> bool:
        return bool(self._asked or (self.session and self.session.data_is_secret))

    def _message(self) -> StyleAndTextTuples:
        if self._asked:
            return [("class:data", f"{self._asked[0]}: ")]
        if self.session and self.session.wanted:
            return [("class:data", f"{self.session.wanted} bytes> ")]
        return [("class:prompt", "at> ")]

    def _toolbar(self) -> StyleAndTextTuples:
        session = self.session
        if session is None:
            return []
        text = self._editor.default_buffer.text
        size = len(text.encode(errors="surrogateescape"))
        if self._asked:
            return [("", "What is typed now is neither shown nor kept.")]
        if session.progress:
            return [("", bar(*session.progress))]
        if session.wanted:
            return [("", f"{size} of {session.wanted} bytes   Enter sends   :send FILE   Ctrl-C ends the data phase")]
        if not text and session.waiting_for:
            return [("", f"{session.waiting_for} … {time.monotonic() - self._since:.0f} s   Ctrl-C stops waiting")]
        shown = hint(self._editor.default_buffer.document.text_before_cursor, self._reference)
        if size + 2 > self._reference.line_max:
            shown = [("fg:ansired", f"{size} bytes: the board takes {self._reference.line_max - 2}\n"), *shown]
        return [*shown] or [("", f"{self._place}   Tab completes   :help   Ctrl-D ends")]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self._asked and not self._asked[1].done() and self._doing:
                event.current_buffer.reset()
                self._doing.cancel()
            elif event.current_buffer.text:
                event.current_buffer.reset()
            elif self.session and self.session.wanted and not self.session.progress:
                event.app.create_background_task(self._leave(self.session))
            elif self._doing:
                self._doing.cancel()
            else:
                if self.session:
                    self.session.cut()
                self._view.tell("Ctrl-D ends the console")

        return keys
