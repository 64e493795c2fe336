"""What the whole image costs: library, lwIP and Mbed TLS executed on the simulated chip, in its RAM.

`scripts/measure-target.sh` prints it as tables; `test_whole.py` holds a build to `docs/measured-whole.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from board import HOST_LOOPBACK, REPOSITORY, VirtualBoard, build_image, build_virtual_board
from certificates import Certificates
from link import Link
from measure import MEGAHERTZ, Meter, bring
from resources import heap
from secure import MUTUAL, Brokers, NodeBroker, TlsBroker, hosts

MEASURED = REPOSITORY / "docs/measured-whole.json"
RAM, RAM_BYTES = 0x2000_0000, 288 << 10
CREDENTIALS = 3 * 16384
"""Room for certificates that `scripts/build-image.sh` leaves in flash; no firmware has as much."""

PARTS = ("library", "mbedtls", "lwip", "chip")
"""Of an image: `chip` is what the others need of a C library and of the board."""

SMALL, LARGE = b"x" * 100, b"x" * 65536

LINE_BYTES = 200_000
"""Of a line of 2 Mbaud, in a second."""


@dataclass(frozen=True)
class Case:
    """A way to connect: the scheme, and the server's certificate."""

    scheme: int
    server: str = "good"
    client: str = "client"
    """Whose certificate the board has, by the name in `Certificates`."""
    costs: bool = False
    """Whether single messages are counted, too."""


CASES = {
    "TCP": Case(1, costs=True),
    "TLS, ECDSA": Case(3, "chain", costs=True),
    "TLS, RSA": Case(3, "rsa chain"),
    "TLS, mutual, ECDSA": Case(5, MUTUAL),
    "TLS, mutual, RSA client": Case(5, MUTUAL, "rsa_client"),
    "WebSocket": Case(6),
    "WSS, ECDSA": Case(8, "chain"),
    "WSS, mutual, ECDSA": Case(10, MUTUAL),
}
SERVERS = ("good", "chain", "rsa chain", MUTUAL)


# What is in the image


@cache
def _tool(name: str) -> str:
    script = "source scripts/setup/common.sh && csky_prefix"
    found = subprocess.run(["bash", "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True)
    return found.stdout.strip() + name


@cache
def _owners() -> dict[str, str]:
    """The part that each name in the archives belongs to; others are the library's."""
    script = REPOSITORY / "scripts/setup/csky-c.sh"
    folder = subprocess.run([script], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    owners = {}
    for part in PARTS[1:]:
        listed = subprocess.run(
            [_tool("nm"), "--defined-only", f"{folder}/lib{part}.a"], stdout=subprocess.PIPE, check=True, text=True
        )
        owners |= {fields[2]: part for line in listed.stdout.splitlines() if len(fields := line.split()) == 3}
    return owners


def sizes(image: str) -> dict[str, dict[str, int]]:
    """Bytes in flash and of static RAM: of all, and of what has a name by part."""
    listed = subprocess.run([_tool("nm"), "-S", image], stdout=subprocess.PIPE, check=True, text=True)
    flash, ram = Counter(), Counter()
    end = 0
    for fields in map(str.split, listed.stdout.splitlines()):
        if fields[-1] == "__ram_free_start":
            end = int(fields[0], 16)
        if len(fields) == 4 and not fields[3].startswith("mqtt_client_tls_"):
            kind, part = fields[2].lower(), _owners().get(fields[3], "library")
            flash[part] += int(fields[1], 16) if kind in "trdw" else 0
            ram[part] += int(fields[1], 16) if kind in "dbc" else 0
    return {"flash": {"all": _in_flash(image), **flash}, "static": {"all": end - RAM, **ram}}


def _in_flash(image: str) -> int:
    """Code, constants, and what variables begin with."""
    shown = subprocess.run([_tool("size"), "-A", image], stdout=subprocess.PIPE, check=True, text=True)
    rows = {fields[0]: int(fields[1]) for line in shown.stdout.splitlines() if len(fields := line.split()) == 3 and fields[0][0] == "."}
    return sum(rows.get(name, 0) for name in (".text", ".rodata", ".wm_at_table", ".data")) - CREDENTIALS


def shares(folded: Iterable[str]) -> Counter:
    """Instructions by part. What the others call of `chip` is theirs."""
    sums = Counter()
    for line in folded:
        stack, count = line.rsplit(" ", 1)
        owners = (_owners().get(name, "library") for name in reversed(stack.split(";")[1:]))
        sums[next((part for part in owners if part != "chip"), "chip")] += int(count)
    return sums


# What a session takes


class Bench:
    """Boards that run the image against the same brokers."""

    def __init__(self, program: str, image: str, folder: Path, brokers: Brokers) -> None:
        self._program, self._image, self._folder, self._brokers = program, image, folder, brokers
        self.static = sizes(image)["static"]["all"]

    def _board(self, case: Case) -> VirtualBoard:
        certificates = self._brokers.certificates
        authority = certificates.authority_of(case.server)
        client = getattr(certificates, case.client)
        files = {"ca": authority, "cert": client.pem, "key": client.key}
        options = ["--rtc", "host", *hosts(), "--profile", str(self._profile)]
        for name, data in files.items():
            path = self._folder / f"w800.{name}"
            path.write_bytes(data)
            options += [f"--{name}", str(path)]
        return VirtualBoard(self._program, self._folder, "decoded", "--cpu", "xt804", "--image", self._image, *options)

    @property
    def _profile(self) -> Path:
        return self._folder / "profile.folded"

    def session(self, case: Case, connects: bool = True) -> dict:
        """One on a board of its own: RAM at three moments, instructions, stacks; the profile of all of it."""
        board = self._board(case)
        link = Link(board.open(), board.host)
        meter = Meter(link)
        link.configure(case.scheme, path="mqtt" if case.scheme >= 6 else "")
        before, (idle, _, _) = meter.total(), heap(link.port)
        if connects:
            self._connect(link, case)
            connected, least, _ = heap(link.port)
            instructions = meter.total() - before
            self._use(link, case)
        stacks = {name: mark for name, (_, mark) in meter.figures().items()}
        board.stop()
        parts = shares(self._profile.read_text().splitlines())
        if not connects:
            return {"shares": parts}
        limit = RAM_BYTES - self.static
        ram = {"idle": idle, "connected": connected, "peak": least}
        taken = {name: self.static + limit - free for name, free in ram.items()}
        return {"instructions": instructions, "ram": taken, "stacks": stacks, "shares": parts}

    def _connect(self, link: Link, case: Case) -> None:
        """The board's time runs with the host's clock, and a busy host executes less than a chip does meanwhile."""
        link.port.ok(link.conn(self._brokers.port(case.scheme, case.server), timeout_ms=60_000), timeout=90)
        link.port.connected(0)

    def _use(self, link: Link, case: Case) -> None:
        """What else may need the most of a stack."""
        link.subscribe("in", 2)
        link.publish("t", SMALL, 2)
        with closing(self._brokers.witness(case.scheme)) as witness:
            bring(link, witness, SMALL)
        link.publish_raw("t", SMALL * 40, 1)

    def messages(self, case: Case) -> dict[str, float]:
        """Instructions of all tasks, of a message or of a byte of a long one."""
        board = self._board(case)
        link = Link(board.open(), board.host)
        meter = Meter(link)
        link.configure(case.scheme)
        self._connect(link, case)

        def per_byte(action: Callable[[], None]) -> float:
            return round(meter.cost(action, 2).instructions / len(LARGE), 2)

        costs = {
            f"PUB, 100 bytes, QoS {qos}": meter.cost(lambda qos=qos: link.publish("t", SMALL, qos)).instructions
            for qos in range(3)
        }
        link.subscribe("in", 0)
        with closing(self._brokers.witness(case.scheme)) as witness:
            costs["incoming message of 100 bytes"] = meter.cost(lambda: bring(link, witness, SMALL)).instructions
            costs["PUBRAW of 64 KiB, per byte"] = per_byte(lambda: link.publish_raw("t", LARGE, 0))
            costs["incoming message of 64 KiB, per byte"] = per_byte(lambda: bring(link, witness, LARGE))
        board.stop()
        return costs

    def connection(self, case: Case) -> dict:
        """CONN by itself has no profile: its shares are those of a session, that of the boot taken off."""
        measured, boot = self.session(case), self.session(case, connects=False)["shares"]
        session = {part: max(0, measured["shares"][part] - boot[part]) for part in PARTS}
        return {**measured, "shares": session, "costs": self.messages(case) if case.costs else {}}


def measure(names: Iterable[str] = CASES) -> dict:
    """All of it."""
    program, image = build_virtual_board(), build_whole_image()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates = Certificates(folder, HOST_LOOPBACK)
        with (
            TlsBroker(folder, certificates, "127.0.0.1", *SERVERS) as mosquitto,
            NodeBroker(folder, certificates, "127.0.0.1", *SERVERS) as node,
        ):
            bench = Bench(program, image, folder, Brokers(certificates, mosquitto, node))
            return {**sizes(image), "sessions": {name: bench.connection(CASES[name]) for name in names}}


def build_whole_image() -> str:
    return build_image("--whole")


def cost(what: str, instructions: float) -> str:
    """With the time that it takes, or the share of the core at a line's full speed."""
    if what.endswith("per byte"):
        return f"{instructions:.1f}, {100 * instructions * LINE_BYTES / MEGAHERTZ / 1e6:.1f} % at 2 Mbaud"
    return f"{instructions:,}, {instructions / MEGAHERTZ:.3g} µs"


def table(measured: dict) -> str:
    lines = ["| | instructions of CONN | ms at 240 MHz, at least | library | Mbed TLS | lwIP | RAM connected | RAM at the most |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, session in measured["sessions"].items():
        count, parts, ram = session["instructions"], session["shares"], session["ram"]
        total = sum(parts.values())
        percent = " | ".join(f"{100 * parts[part] / total:.1f} %" for part in ("library", "mbedtls", "lwip"))
        row = f"| {name} | {count:,} | {count / MEGAHERTZ / 1000:,.1f} | {percent} |"
        lines.append(f"{row} {ram['connected']:,} | {ram['peak']:,} |")
    counted = [name for name, session in measured["sessions"].items() if session["costs"]]
    lines += ["", "| | " + " | ".join(counted) + " |", "|---|" + "--:|" * len(counted)]
    for what in measured["sessions"][counted[0]]["costs"]:
        figures = (measured["sessions"][name]["costs"][what] for name in counted)
        lines.append(f"| {what} | " + " | ".join(cost(what, figure) for figure in figures) + " |")
    tasks = ("at proc", "at recv", "mqtt", "tcpip", "wifi", "main")
    lines += ["", "| most of the stack | " + " | ".join(tasks) + " |", "|---|" + "--:|" * len(tasks)]
    for name, session in measured["sessions"].items():
        lines.append(f"| {name} | " + " | ".join(f"{session['stacks'].get(task, 0):,}" for task in tasks) + " |")
    lines += ["", "| bytes | flash | static RAM |", "|---|--:|--:|"]
    for part in (*PARTS, "all"):
        lines.append(f"| {part} | {measured['flash'].get(part, 0):,} | {measured['static'].get(part, 0):,} |")
    return "\n".join(lines)


def main() -> None:
    measured = measure()
    if "--write" in sys.argv[1:]:
        MEASURED.write_text(json.dumps(measured, indent=2) + "\n")
    print(table(measured))


if __name__ == "__main__":
    main()
