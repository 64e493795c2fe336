"""Writes an image to a W800 with the vendor's own download tool, once it is sure that image and port are right.

`scripts/flash.sh` runs it. Two tools are known: the SDK's `tools/wm/flash.py` and the older stand-alone `wm_tool`. The
former ends with 0 when it was interrupted or the transfer broke off, so the words it ends with are looked at too.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from firmware import Unfit, read_images
from uart import Unusable, check_port

REFUSED, NO_TOOL, TOOL_FAILED = 64, 69, 1
"""Exit codes of this program's own; others are the tool's."""

BAUDS = (115200, 460800, 921600, 1000000, 2000000)
"""Those at which the chip's boot loader takes an image."""

MODULES = ("serial", "xmodem", "pyprind", "colorama")
WHERE = """\
no download tool: set WM_IOT_SDK_PATH to a checkout of the WM IoT SDK
(https://github.com/winnermicro/wm_iot_sdk, it has tools/wm/flash.py), or put its wm.py or the vendor's wm_tool on PATH"""
SETUP = Path(__file__).resolve().parents[1] / "setup/python.sh"


class NoTool(Exception):
    """There is nothing to write with; what to do about it."""


@dataclass(frozen=True)
class Tool:
    """How one is called, and what it says at the end of a good run."""

    command: list[str]
    success: bytes


def find_tool(port: str, baud: int, image: Path) -> Tool:
    """WM_IOT_SDK_PATH comes first, then what is on PATH."""
    script = _sdk_script()
    if script:
        options = ["-p", port, "-b", str(baud), "-i", str(image)]
        return Tool([_python(), "-u", str(script), *options], b"flash device complete")
    alone = shutil.which("wm_tool")
    if alone:
        rate = f"{baud // 1000000}M" if baud >= 1000000 else str(baud)
        return Tool([alone, "-c", port, "-ds", rate, "-rs", "rts", "-dl", str(image)], b"")
    raise NoTool(WHERE)


def _sdk_script() -> Path | None:
    sdk = os.environ.get("WM_IOT_SDK_PATH")
    if sdk:
        script = Path(sdk) / "tools/wm/flash.py"
        if not script.is_file():
            raise NoTool(f"WM_IOT_SDK_PATH is {sdk}, which has no tools/wm/flash.py")
        return script
    beside = shutil.which("wm.py")
    found = Path(beside).resolve().with_name("flash.py") if beside else None
    return found if found and found.is_file() else None


def _python() -> str:
    """One that has what the SDK's tool imports: the user's own, or one that is made for it."""
    if all(importlib.util.find_spec(name) for name in MODULES):
        return sys.executable
    requirements = Path(__file__).with_name("flash-requirements.txt")
    made = subprocess.run([SETUP, requirements], stdout=subprocess.PIPE, text=True)
    if made.returncode != 0:
        raise NoTool(f"the SDK's tool needs the Python packages {', '.join(MODULES)}, which cannot be installed")
    return f"{made.stdout.strip()}/bin/python"


def run(tool: Tool) -> int:
    """Show what it prints as it comes; its exit code, or 1 where it failed and said 0."""
    # On Ctrl-C, which reaches the tool as well, it has the port to leave in order.
    signal.signal(signal.SIGINT, lambda *_: None)
    # Without a terminal the SDK's tool shows no progress.
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with subprocess.Popen(tool.command, stdout=theirs) as process:
        os.close(theirs)
        said = _pass_on(ours)
    os.close(ours)
    if process.returncode == 0 and tool.success not in said:
        return TOOL_FAILED
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _pass_on(terminal: int) -> bytes:
    """Until its other end is closed; what came last."""
    said = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            return said
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        said = (said + piece)[-65536:]


def flash(port: str, baud: int, image: Path) -> int:
    for part in read_images(image):
        print(f"{image.name}: {part}", flush=True)
    check_port(port)
    with tempfile.TemporaryDirectory() as folder:
        # The SDK's tool wants to open the file for writing, and what was checked is what shall be written.
        copy = Path(folder) / image.name
        shutil.copyfile(image, copy)
        tool = find_tool(port, baud, copy)
        print(f"at {baud} baud to {port} with {_title(tool)}", flush=True)
        return run(tool)


def _title(tool: Tool) -> str:
    return next(word for word in tool.command if Path(word).name in ("flash.py", "wm_tool"))


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"error: {message}\n")


def arguments() -> argparse.Namespace:
    parser = Parser(prog="flash.sh", description="Write an image to a W800 over its download UART (UART0).")
    parser.add_argument("--port", required=True, help="the download UART, such as /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, default=2000000, choices=BAUDS, help="while the image goes over (2000000)")
    parser.add_argument("image", type=Path, help="a .fls or .img file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    try:
        status = flash(options.port, options.baud, options.image)
    except (Unfit, Unusable) as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except NoTool as error:
        print(f"error: {error}", file=sys.stderr)
        return NO_TOOL
    if status != 0:
        print(f"error: the download tool failed (exit code {status})", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
