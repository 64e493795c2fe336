"""The reference page, typed: every error code that is not reserved is provoked by each input that the page names for
it, and every example brings exactly the answer that the page prints (at-contract §7).

Both come from docs/error-codes.json, which is made from the same tables as docs/at-reference.md.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from board import REPOSITORY
from link import Link
from peer import SUBSCRIBE, UNSUBSCRIBE, publish, suback
from secure import equip

TABLE = json.loads((REPOSITORY / "docs/error-codes.json").read_text())
CODES = TABLE["codes"]


@dataclass
class Place:
    """A link in the state that an input needs, and the broker's port where it will connect."""

    link: Link
    broker: int

    def fill_in(self, text: str) -> bytes:
        """The table's strings hold one byte in each character."""
        return text.replace("<host>", self.link.host).replace("<port>", str(self.broker)).encode("latin-1")


class Bench:
    """Brings links to where inputs need them. What only the virtual board can do is `None` on a real one."""

    def __init__(self, board, broker, relay, peer, brokers, new_board) -> None:
        self._link = Link(board.port, board.host)
        self._broker, self._relay, self._peer, self._brokers = broker, relay, peer, brokers
        self._new_board = new_board if board.virtual else None

    def bring(self, given: str) -> Place | None:
        self._link.clean()
        return getattr(self, given.replace(" ", "_"))()

    def fresh(self) -> Place:
        return Place(self._link, self._broker.port)

    def configured(self) -> Place:
        self._link.configure()
        return self.fresh()

    def connected(self) -> Place:
        self._link.configure()
        self._link.connect(self._broker.port)
        return self.fresh()

    def lost(self) -> Place:
        self._link.configure()
        self._link.connect(self._relay.port)
        self._relay.cut()
        self._link.port.disconnected()
        return self.fresh()

    def refused(self) -> Place:
        return self._configured_for(lambda connection: connection.accept(5))

    def mute(self) -> Place:
        return self._configured_for(lambda connection: connection.swallow())

    def unanswered(self) -> Place:
        return self._connected_to(lambda connection: connection.swallow())

    def refusing(self) -> Place:
        def refuse(connection) -> None:
            while (got := connection.receive()) is not None:
                if got.kind == SUBSCRIBE:
                    connection.send(suback(got.identifier, 0x80))

        return self._connected_to(refuse)

    def unanswering(self) -> Place:
        def serve(connection) -> None:
            while (got := connection.receive()) is not None:
                if got.kind != UNSUBSCRIBE:
                    connection.reply(got)

        return self._connected_to(serve)

    def slow_line(self) -> Place | None:
        if self._new_board is None:
            return None
        begin = threading.Event()

        def send(connection) -> None:
            begin.wait(20)
            connection.send(publish(b"t", b"x" * 1024))
            connection.swallow()

        place = self._connected_to(send, self._start("--baud", "900"))
        before = place.link.port.received
        begin.set()
        # Its line has begun and takes 12 s.
        place.link.port.await_bytes(before + 40)
        return place

    def little_memory(self) -> Place | None:
        if self._new_board is None:
            return None
        link = self._start("--heap", "28000")
        link.configure()
        return Place(link, self._broker.port)

    def no_memory(self) -> Place | None:
        if self._new_board is None:
            return None
        link = self._start()
        assert link.port.command("AT+SYSHEAP=0").final == b"OK"
        return Place(link, self._broker.port)

    def no_credentials(self) -> Place | None:
        link = self._clocked()
        return link and Place(link, self._broker.port)

    def no_key(self) -> Place | None:
        return self._certified(b"")

    def other_key(self) -> Place | None:
        return self._certified(self._brokers.certificates.strange_client.key)

    def other_name(self) -> Place | None:
        link = self._clocked()
        if link:
            self._brokers.equip(link, "wrong name")
            link.configure(3)
        return link and Place(link, self._brokers.port(3, "wrong name"))

    def _certified(self, key: bytes) -> Place | None:
        link = self._clocked()
        if link:
            equip(link, certificate=self._brokers.certificates.client.pem, key=key)
            link.configure(4)
        return link and Place(link, self._brokers.port(4))

    def _clocked(self) -> Link | None:
        """A board of its own, without certificates; a real one may have some."""
        return self._start("--rtc", "host") if self._new_board else None

    def _start(self, *options: str) -> Link:
        board = self._new_board(*options)
        return Link(board.port, board.host)

    def _configured_for(self, script: Callable, link: Link | None = None) -> Place:
        link = link or self._link
        link.configure()
        return Place(link, self._peer(script).port)

    def _connected_to(self, script: Callable, link: Link | None = None) -> Place:
        def accept(connection) -> None:
            connection.accept()
            script(connection)

        place = self._configured_for(accept, link)
        place.link.connect(place.broker)
        return place


@pytest.fixture
def bench(board, broker, relay, peer, brokers, new_board) -> Bench:
    return Bench(board, broker, relay, peer, brokers, new_board)


def provoke(place: Place, code: str, way: dict) -> str:
    """What is wrong with an input; nothing when it raises its code."""
    *before, last = (place.fill_in(line) for line in way["lines"])
    for line in before:
        place.link.port.ok(line)
    if "data" in way:
        place.link.port.prompt(last)
        # The exit code is one only after a pause.
        time.sleep(0.1)
        place.link.port.fill(place.fill_in(way["data"]))
        answer = place.link.port.answer()
    else:
        answer = place.link.port.command(last, 30)
    expected = [f"ERR CODE:{int(code, 16):#010x}".encode()]
    right = answer.final == b"ERROR" and answer.lines == expected
    return "" if right else f"{way}: {answer.lines} {answer.final!r}"


@pytest.mark.timeout(300)
def test_every_code_that_is_not_reserved(bench, board, record_property):
    """Each input from the state that it needs. All are tried, so that a failure tells all that is wrong."""
    provoked, wrong, beyond = set(), [], set()
    for entry in CODES:
        for way in entry.get("ways", []):
            place = bench.bring(way["given"])
            if place is None:
                beyond.add(entry["code"])
                continue
            fault = provoke(place, entry["code"], way)
            if fault:
                wrong.append(f"{entry['code']}: {fault}")
            else:
                provoked.add(entry["code"])
    raised = {entry["code"] for entry in CODES if "ways" in entry}
    beyond -= provoked
    told = [f"{len(provoked)} of {len(CODES)} codes provoked, {len(CODES) - len(raised)} reserved"]
    if beyond:
        told.append(f"beyond this board's power: {', '.join(sorted(beyond))}")
    record_property("told", "; ".join(told))
    assert not wrong, "\n" + "\n".join(wrong)
    assert provoked | beyond == raised


@pytest.mark.virtual("a board of its own, started for it")
def test_examples(board, broker, relay, peer, brokers, new_board):
    """Byte for byte what the page prints, unsolicited lines included."""
    printed = bytearray()
    board.port.close()
    board.open(lambda way, data: printed.extend(data if way == "<-" else b""))
    bench = Bench(board, broker, relay, peer, brokers, new_board)
    for example in TABLE["examples"]:
        place = bench.bring(example["given"])
        for step in example["steps"]:
            expected = place.fill_in("".join(line if line == ">" else f"{line}\r\n" for line in step["prints"]))
            printed.clear()
            take(place, step)
            assert bytes(printed) == expected, step
            place.link.port.events()


def take(place: Place, step: dict) -> None:
    port = place.link.port
    if "data" in step:
        port.fill(place.fill_in(step["data"]))
        port.answer()
    elif step["prints"][-1] == ">":
        port.prompt(place.fill_in(step["line"]))
    else:
        port.command(place.fill_in(step["line"]), 20)
