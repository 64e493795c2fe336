"""The front end for a pipe: lines from standard input one after the other, plain lines out."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
from collections.abc import AsyncIterator

from .dispatch import Quit, dispatch
from .reference import Reference
from .session import Refused, Session
from .view import View

LATE_SECONDS = 0.3
"""How long nothing must come at the end, for messages behind the last answer."""


async def run(session: Session, view: View, reference: Reference) -> int:
    """0 when every command succeeded, else 1. A failed command does not stop those behind it."""
    status = 0
    async for line in _lines():
        try:
            if not await dispatch(line, session, view, reference):
                status = 1
        except Refused as error:
            view.problem(str(error))
            status = 1
        except Quit:
            break
    if session.wanted:
        view.problem(f"{session.wanted} bytes of data are missing")
        await session.leave()
        status = 1
    await session.quiet(LATE_SECONDS)
    return status


async def ask(what: str) -> str:
    raise Refused(f"{what}: nobody to ask")


async def _lines() -> AsyncIterator[str]:
    """A reader of its own, so that a board that goes need not wait for the next line."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None](1)

    def read() -> None:
        try:
            for line in sys.stdin.buffer:
                text = line.decode(errors="surrogateescape").rstrip("\r\n")
                asyncio.run_coroutine_threadsafe(lines.put(text), loop).result()
            asyncio.run_coroutine_threadsafe(lines.put(None), loop).result()
        except (RuntimeError, concurrent.futures.CancelledError):
            # The loop has ended before its input.
            return

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
