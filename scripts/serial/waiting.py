"""Waits for an event instead of a time that is long enough most of the time."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE = 0.01
"""Between two looks, in seconds."""


def until(condition: Callable[[], object], what: str | Callable[[], str], seconds: float = 5.0, pause: float = PAUSE) -> None:
    """Return as soon as `condition` holds; fail with `what` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(pause)
