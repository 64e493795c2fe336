"""What can be typed and what the codes mean, read from `docs/commands.json` and `docs/error-codes.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_CODE = re.compile(r"ERR CODE:0x([0-9a-f]{8})")
_REPORT = re.compile(r"\+MQTTERR:\d+,0x[0-9a-f]{8},([1-6]),")
SSID_BYTES = 32
SERVERS_OWN = {
    "CMD FORMAT ERR": "the AT server knows no such command (:help has those that there are), or not in this form",
    "CMD PARSE ERR": "the AT server cannot read the parameters: too many, an open quote, or more than 256 bytes in the line",
}
"""What the server says where the library is not asked."""

STAGES = (
    "the host's name was looked up",
    "TCP was to connect",
    "TLS was to be opened",
    "the WebSocket was to be opened",
    "the broker was to accept the client",
    "the connection stood",
)
"""Of `+MQTTERR`, from 1 on."""

REPORTING = frozenset({"AT+MQTTCONN", "AT+MQTTPUB", "AT+MQTTPUBRAW", "AT+MQTTSUB", "AT+MQTTUNSUB"})
"""Commands after whose failure `AT+MQTTERR?` may know more."""

REPORTED = frozenset({0x6005, 0x6009, 0x600B, 0x600C, 0x600D, 0x600E, *range(0x6021, 0x6027), 0x6051, 0x6052})
"""Codes of theirs that stand in a report; the others say that a line was wrong or came in the wrong state."""


@dataclass(frozen=True)
class Parameter:
    """One parameter. `values` are pairs of a number and its meaning; limits of a text are bytes."""

    name: str
    text: bool
    content: str = ""
    min: int = 0
    max: int = 0
    default: int | None = None
    unit: str = ""
    values: tuple[tuple[int, str], ...] = ()
    empty: bool = False
    secret: bool = False
    note: str = ""

    def hint(self, typed: str = "") -> str:
        """Range, unit, default, and what the value typed means; of a short choice what each does: one line."""
        if self.text:
            facts = [f"{self.content} in quotes, at most {self.max} bytes"]
        else:
            unit = f" {self.unit}" if self.unit else ""
            bounds = f"{self.min}" if self.min == self.max else f"{self.min}–{self.max}"
            facts = [bounds + unit if self.max < 2**32 - 1 else f"from {self.min}{unit}"]
            facts += [f"default {self.default}"] if self.default is not None and self.min != self.max else []
        meant = [(value, means) for value, means in self.values if typed in (str(value), "") or len(self.values) <= 3]
        if len(meant) <= 3:
            facts += [", ".join(f"{value} {means}" for value, means in meant)] if meant else []
        else:
            facts.append("Tab shows what they mean")
        note = self.note
        if self.unit and note.startswith(self.unit):
            # The bounds end in the unit already, and the note goes on from there.
            facts[0] += note.removeprefix(self.unit).partition(";")[0]
            note = note.partition("; ")[2]
        if note in facts or (self.min == self.max and note == f"{self.max} in the default build"):
            note = ""
        facts += [note] if note else []
        return "; ".join(facts)


@dataclass(frozen=True)
class Command:
    """One command. `data` says that a set takes bytes behind a prompt; `secret_data` that they may be secret."""

    name: str
    does: str
    forms: tuple[str, ...]
    params: tuple[Parameter, ...] = ()
    required: int = 0
    data: bool = False
    secret_data: bool = False
    comma_less: bool = False

    @property
    def has_secrets(self) -> bool:
        return any(param.secret for param in self.params)

    def position(self, name: str) -> int | None:
        """Where the parameter of that name stands."""
        return next((at for at, param in enumerate(self.params) if param.name == name), None)


def _text(name: str, secret: bool = False, most: int = 64) -> Parameter:
    return Parameter(name, text=True, content="text", max=most, secret=secret)


NEIGHBOURS = (
    Command("AT", "Does nothing: OK means that the port listens.", ("execute",)),
    Command("ATE0", "Turns the port's echo off.", ("execute",)),
    Command("ATE1", "Turns the port's echo on.", ("execute",)),
    Command("AT+GMR", "Shows the firmware's version.", ("execute",)),
    Command("AT+RST", "Restarts the chip.", ("execute",)),
    Command("AT+RESTORE", "Empties the storage, certificates included, and restarts the chip.", ("execute",)),
    Command("AT+CWMODE", "Chooses whether the Wi-Fi is joined or offered.", ("query", "set")),
    Command("AT+CWJAP", "Joins a Wi-Fi.", ("query", "set"), (_text("ssid", most=SSID_BYTES), _text("pwd", True)), 2),
    Command("AT+CWQAP", "Leaves the Wi-Fi.", ("execute",)),
    Command("AT+CWSTATE", "Shows whether the Wi-Fi is joined.", ("query",)),
    Command("AT+CIFSR", "Shows the board's addresses.", ("execute",)),
    Command("AT+PING", "Sends an echo request.", ("set",), (_text("host", most=128),), 1),
    Command("AT+CWSAP", "Offers a Wi-Fi.", ("query", "set"), (_text("ssid", most=SSID_BYTES), _text("pwd", True)), 2),
    Command("AT+CIPSNTPCFG", "Asks time servers for the time.", ("query", "set")),
    Command("AT+CIPSNTPTIME", "Shows the time.", ("query",)),
)
"""Commands of the AT server that a session on MQTT needs beside ours."""


class Reference:
    """The commands by name, and the codes' meanings."""

    def __init__(self, docs: Path = DOCS) -> None:
        table = json.loads((docs / "commands.json").read_text())
        self.line_max: int = table["line_max"]
        rows = [_command(row) for row in table["commands"]]
        self.commands = {command.name: command for command in (*rows, *NEIGHBOURS)}
        self.events = tuple(row["form"].partition(":")[0] + ":" for row in table["unsolicited"])
        codes = json.loads((docs / "error-codes.json").read_text())["codes"]
        self._codes = {int(row["code"], 16): (row["name"], row.get("when") or row["reserved"]) for row in codes}

    def explain(self, line: str) -> str | None:
        """What an `ERR CODE:` line means, a refusal of the server's own, or the stage in a report."""
        if line in SERVERS_OWN:
            return SERVERS_OWN[line]
        if report := _REPORT.match(line):
            return f"it failed when {STAGES[int(report[1]) - 1]}"
        match = _CODE.fullmatch(line)
        found = self._codes.get(int(match[1], 16)) if match else None
        return f"{found[0]}: {found[1]}" if found else None

    def find(self, name: str) -> Command | None:
        """A command as a person may name it: `AT+MQTTPUB`, `+mqttpub`, `MQTTPUB`."""
        name = name.upper()
        return next((self.commands[full] for full in (name, f"AT{name}", f"AT+{name}") if full in self.commands), None)

    def is_reported(self, line: str, said: list[str]) -> bool:
        """Whether `AT+MQTTERR?` knows more about the failure of `line`, on which the board `said` this."""
        if line.partition("=")[0].upper() not in REPORTING:
            return False
        codes = {int(match[1], 16) for text in said if (match := _CODE.fullmatch(text))}
        return bool(codes & REPORTED) or "+MQTTPUB:FAIL" in said


def _command(row: dict) -> Command:
    return Command(
        row["name"],
        row["does"],
        tuple(row["forms"]),
        tuple(map(_parameter, row["params"])),
        row["required"],
        row["data"] is not None,
        bool(row["data"] and row["data"]["secret"]),
        row["comma_less"],
    )


def _parameter(row: dict) -> Parameter:
    common = {"name": row["name"], "max": row["max"], "secret": row["secret"], "note": row["note"]}
    if row["kind"] == "text":
        return Parameter(text=True, content=row["content"], empty=row["empty"], **common)
    values = tuple((choice["value"], choice["means"]) for choice in row.get("values", ()))
    limits = {"min": row["min"], "default": row["default"], "unit": row["unit"] or ""}
    return Parameter(text=False, values=values, **limits, **common)
