"""The serial device, without blocking: bytes are taken as the line takes them, and each wait has a bound."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

import serial

STALL_SECONDS = 20.0
"""A line that takes no byte for so long is gone."""

PIECE = 4096


class Gone(Exception):
    """The port cannot be had, or any more."""


class Wire:
    """An open device. `on_bytes` gets what comes, `on_gone` is called once when it ends."""

    def __init__(self, device: str, baud: int) -> None:
        try:
            self._serial = serial.Serial(device, baud, timeout=0, write_timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            raise Gone(f"{device}: {error}") from error
        self._file: int = self._serial.fileno()
        self.device = device
        self.open = True

    def listen(self, on_bytes: Callable[[bytes], None], on_gone: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def readable() -> None:
            try:
                data = os.read(self._file, 65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                on_bytes(data)
                return
            loop.remove_reader(self._file)
            self.open = False
            on_gone()

        loop.add_reader(self._file, readable)

    async def send(self, data: bytes, taken: Callable[[int], None] | None = None) -> None:
        """All of `data`; `taken` is told how many bytes have left the queue of the device."""
        sent = 0
        while sent < len(data):
            await self._writable()
            try:
                sent += os.write(self._file, data[sent : sent + PIECE])
            except BlockingIOError:
                continue
            except OSError as error:
                raise Gone(f"{self.device}: {error}") from error
            if taken:
                taken(sent - self._queued())
        await self._drain(lambda queued: taken(sent - queued) if taken else None)

    async def _writable(self) -> None:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        if not self.open:
            raise Gone(f"{self.device} is gone")
        loop.add_writer(self._file, ready.set)
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await ready.wait()
        except TimeoutError:
            raise Gone(f"{self.device} has taken no byte for {STALL_SECONDS:.0f} s") from None
        finally:
            loop.remove_writer(self._file)

    async def _drain(self, tell: Callable[[int], None]) -> None:
        loop, before = asyncio.get_running_loop(), self._queued()
        since = loop.time()
        while queued := self._queued():
            tell(queued)
            if queued < before:
                before, since = queued, loop.time()
            if loop.time() - since > STALL_SECONDS:
                raise Gone(f"{self.device} has taken no byte for {STALL_SECONDS:.0f} s")
            await asyncio.sleep(0.05)
        tell(0)

    def _queued(self) -> int:
        try:
            return self._serial.out_waiting
        except OSError:
            return 0

    def close(self) -> None:
        if self._serial.is_open:
            with contextlib.suppress(RuntimeError, ValueError):
                asyncio.get_running_loop().remove_reader(self._file)
        self.open = False
        self._serial.close()
