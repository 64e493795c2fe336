"""A port that answers by a function, for what no right board does: it lies, falls silent or is unplugged."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
import tty
from collections.abc import Callable


class Scripted:
    """`answer` gets what was sent and gives what comes back; None unplugs the board. `name` is the serial device."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._board, self._port = pty.openpty()
        tty.setraw(self._port)
        self.name = os.ttyname(self._port)
        self._answer = answer
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while (said := self._answer(os.read(self._board, 4096))) is not None:
                os.write(self._board, said)
        os.close(self._board)

    def close(self) -> None:
        """Once nobody else has the port open, which ends the thread's read."""
        os.close(self._port)
        self._serving.join(5)
