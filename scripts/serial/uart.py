"""Whether a serial port is there and free, asked before anything is sent to it."""

from __future__ import annotations

import array
import fcntl
import os
import stat
import termios
from pathlib import Path

_LOCKS = Path("/var/lock")
_TIOCGEXCL = 0x80045440
"""Linux: whether somebody has asked for the port alone. `termios` has no name for it before Python 3.13."""


class Unusable(Exception):
    """Why a port cannot be used; one sentence."""


def check_port(device: str) -> None:
    """Raise unless `device` is a serial port that this user may open and nobody else has."""
    path = os.path.realpath(device)
    try:
        if not stat.S_ISCHR(os.stat(path).st_mode):
            raise Unusable(f"{device} is no serial port")
        _try(device, path)
        holder = _holder(path)
        if holder:
            raise Unusable(f"{device} is in use by {holder}")
    except FileNotFoundError:
        raise Unusable(f"{device} does not exist: is the board connected? (ls /dev/ttyUSB* /dev/ttyACM*)") from None
    except PermissionError:
        raise Unusable(f"{device} may not be opened: join its group (usually dialout) and log in again") from None
    except OSError as error:
        raise Unusable(f"{device} cannot be opened: {error.strerror}") from None


def _try(device: str, path: str) -> None:
    """Open it for a moment, without a change to the line."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if not os.isatty(descriptor):
            raise Unusable(f"{device} is no serial port")
        exclusive = array.array("i", [0])
        fcntl.ioctl(descriptor, _TIOCGEXCL, exclusive)
        if exclusive[0]:
            raise Unusable(f"{device} is in use by another program")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(f"{device} is in use by another program") from None
        termios.tcgetattr(descriptor)
    finally:
        os.close(descriptor)


def _holder(path: str) -> str:
    """Who has it open or has left a lock file, as far as this user may see."""
    # The maker of a pseudo-terminal holds its other end, and may hold this one too.
    if not path.startswith("/dev/pts/"):
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) != os.getpid() and _has_open(process, path):
                return f"{_name(process)} (process {process.name})"
    lock = _LOCKS / f"LCK..{os.path.basename(path)}"
    try:
        process = Path("/proc") / lock.read_text().split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""
    return f"{_name(process)} (process {process.name}, by its lock file)" if process.exists() else ""


def _has_open(process: Path, path: str) -> bool:
    try:
        return any(os.readlink(descriptor) == path for descriptor in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "another program"
