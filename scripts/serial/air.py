"""The virtual board's bad network: `AT+SIMNET`, which the virtual board alone has (docs/debugging.md)."""

from __future__ import annotations

from dataclasses import dataclass

from atport import AtPort, Surprise

FOREVER = 100_000


@dataclass(frozen=True)
class Carried:
    """What became of the frames of one direction."""

    passed: int
    lost: int
    cut: int
    no_room: int
    doubled: int
    overtaken: int


class Air:
    """The faults of one board's network. Between two settings nothing changes but by time or bytes."""

    def __init__(self, port: AtPort) -> None:
        self._port = port

    def set(self, name: str, *values: float | str) -> None:
        text = ",".join(f'"{value}"' if isinstance(value, str) else f"{round(value, 3)}" for value in values)
        self._port.ok(f'AT+SIMNET="{name}",{text}')

    def cut(self, start: float = 0, end: float = FOREVER) -> None:
        """Between two times from now, in seconds."""
        self.set("cut", start, end)

    def cut_after(self, count: int) -> None:
        """Behind so many bytes of frames."""
        self.set("cut", f"after:{count}")

    def heal(self) -> None:
        self._port.ok('AT+SIMNET="none"')

    def rows(self) -> dict[str, str]:
        answer = self._port.command("AT+SIMNET?")
        if answer.final != b"OK":
            raise Surprise(f"AT+SIMNET? brought {answer.lines} {answer.final!r}")
        fields = [line.decode().removeprefix("+SIMNET:").partition(",") for line in answer.lines]
        return {name.strip('"'): value for name, _, value in fields}

    def carried(self, way: str) -> Carried:
        """`way` is "in" or "out", as the board sees it."""
        return Carried(*map(int, self.rows()[way].split(",")))
