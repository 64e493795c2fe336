"""The serial tests on a real board: checks first, then pytest with what they found, and where its records are.

`scripts/serial/run.sh` runs it.
"""

from __future__ import annotations

import argparse
import datetime
import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from board import REPOSITORY
from checks import Found, Wishes, check, tidy
from transcript import Transcript

REFUSED, UNMET = 64, 69
"""Exit codes of this program's own; others are pytest's."""

PASSWORD = "W800_WIFI_PASSWORD"
RECORD = "transcript.txt"
Result = TypeVar("Result")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"error: {message}\n")


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = Parser(
        prog="run.sh",
        allow_abbrev=False,
        description="Run the serial tests on a board.",
        epilog="All other options go to pytest: -k EXPRESSION, -x, files. Exit codes: pytest's; 64 for wrong "
        "options; 69 where something is not in order.",
    )
    parser.add_argument("--port", required=True, help="the board's AT port, such as /dev/ttyUSB0")
    parser.add_argument("--broker", required=True, help="this machine's IPv4 address as the board reaches it")
    parser.add_argument("--listen", help="where brokers listen, if that is another address (a router forwards)")
    parser.add_argument("--baud", type=int, default=115200, help="of the AT port (115200)")
    parser.add_argument("--ssid", help="join this network first")
    parser.add_argument("--password", help=f"its password (or in {PASSWORD}, or asked for)")
    parser.add_argument("--sntp", default="", help="a time server, where the firmware's own do not answer")
    parser.add_argument("--replace-certificates", action="store_true", help="those that AT+MQTTCERT has stored may go")
    parser.add_argument("--report", type=Path, help="a folder for the records (target/board/<time>)")
    return parser.parse_known_args()


def wishes_of(options: argparse.Namespace) -> Wishes:
    return Wishes(
        port=options.port,
        baud=options.baud,
        broker=options.broker,
        listen=options.listen or options.broker,
        ssid=options.ssid or "",
        password=_password(options) if options.ssid else "",
        sntp=options.sntp,
        replace=options.replace_certificates,
    )


def _password(options: argparse.Namespace) -> str:
    if options.password is not None:
        return options.password
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    return getpass.getpass(f"Password of {options.ssid}: ") if sys.stdin.isatty() else ""


def report_folder(chosen: Path | None) -> Path:
    now = datetime.datetime.now()
    folder = chosen or Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "board" / f"{now:%Y%m%d-%H%M%S}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).touch()
    except OSError as error:
        print(f"error: no records can be written to {folder}: {error.strerror}", file=sys.stderr)
        sys.exit(REFUSED)
    return folder.resolve()


def test(wishes: Wishes, found: Found, folder: Path, more: list[str]) -> int:
    """pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={Path(__file__).parent}"]
    command += [f"--port={wishes.port}", f"--baud={wishes.baud}"]
    command += [f"--broker={wishes.broker}", f"--listen={wishes.listen}"]
    command += [] if found.clock else ["--no-clock"]
    command += [f"--junitxml={folder / 'junit.xml'}", f"--transcript={folder / RECORD}"]
    command += more if any(_is_test(word) for word in more) else [*more, str(Path(__file__).parent)]
    # pytest has the board to leave in order; the password is none of its business.
    signal.signal(signal.SIGINT, lambda *_: None)
    environment = {name: value for name, value in os.environ.items() if name != PASSWORD}
    return subprocess.run(command, env=environment).returncode


def _is_test(word: str) -> bool:
    """Whether an argument names test files, so that all need not be named."""
    return not word.startswith("-") and Path(word.partition("::")[0]).exists()


def main() -> int:
    options, more = arguments()
    folder = report_folder(options.report)
    wishes = wishes_of(options)
    record = folder / RECORD
    found = _recorded(record, check, wishes)
    status = UNMET
    if found is not None:
        status = test(wishes, found, folder, more)
        _recorded(record, tidy, wishes)
        print(f"JUnit:      {folder / 'junit.xml'}")
    print(f"transcript: {record}")
    return status


def _recorded(path: Path, step: Callable[[Wishes, Transcript], Result], wishes: Wishes) -> Result:
    """A step whose lines go to the transcript; pytest writes there between two of them."""
    transcript = Transcript(path)
    try:
        return step(wishes, transcript)
    finally:
        transcript.close()


if __name__ == "__main__":
    sys.exit(main())
