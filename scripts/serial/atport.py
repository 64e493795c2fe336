"""A host driver for the AT port: sends commands, waits for answers, collects unsolicited lines.

It reads the port with `grammar.py` and holds the board to contract §1: an answer is not interrupted, a data
phase is silent, each command gets one final line. Every wait is bounded; any surprise raises with a transcript.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import serial

from grammar import Grammar, Line, Message, Prompt, Token, Violation
from waiting import until

ANSWER_SECONDS = 12.0
"""Every command answers within 10 s (CONN has its own limit); the rest is slack for a loaded machine."""

FINALS = (b"OK", b"ERROR")
REFUSALS = (b"CMD PARSE ERR", b"CMD FORMAT ERR")
PUBLISH_RESULTS = (b"+MQTTPUB:OK", b"+MQTTPUB:FAIL")
RESTART, RESTORE, READY = b"AT+RST", b"AT+RESTORE", b"ready"
BUSY = b"busy ..."
_CONNECTED = re.compile(rb"\+MQTTCONNECTED:(\d+),(.*)")
_DISCONNECTED = re.compile(rb"\+MQTTDISCONNECTED:(\d+)")
_INCOMPLETE = re.compile(rb"\+MQTTINCOMPLETE:(\d+),(\d+)")
_DATA_PHASE = re.compile(rb"AT\+MQTT(?:(PUBRAW)=|LONG\w+=|CERT=(?!.*,0$))(?!\?)")
"""What opens one; a certificate of no length erases instead."""
_WIFI = re.compile(rb"WIFI (?:CONNECTED|DISCONNECT|GOT IP.*)")
"""What the SDK says of the network, when it likes."""
GOT_IP = b"WIFI GOT IP"
"""Comes behind the OK of AT+CWJAP, and may meet another command there."""
_CODE = re.compile(rb"ERR CODE:0x([0-9a-f]{8})")


class Surprise(AssertionError):
    """The port did something else than the test and the contract say."""


@dataclass(frozen=True)
class Connected:
    link: int
    fields: bytes


@dataclass(frozen=True)
class Disconnected:
    link: int


@dataclass(frozen=True)
class Incomplete:
    """Of the message just printed only the first `received` bytes came from the network; the rest is filling."""

    link: int
    received: int


Event = Message | Connected | Disconnected | Incomplete
Observer = Callable[[str, bytes], None]


@dataclass
class Answer:
    """What one command brought: `lines` without empty ones and without the final line."""

    command: bytes
    lines: list[bytes] = field(default_factory=list)
    final: bytes = b""
    raw: bytes = b""
    sent: float = 0.0
    seconds: float = 0.0

    @property
    def code(self) -> int | None:
        """The number of its `ERR CODE:` line."""
        codes = [int(match[1], 16) for line in self.lines if (match := _CODE.fullmatch(line))]
        return codes[0] if len(codes) == 1 else None


class _Pending:
    """A command whose answer is not complete. Its phase: waiting, answering, data, sent."""

    def __init__(self, command: bytes) -> None:
        self.answer = Answer(command, sent=time.monotonic())
        self.phase = "waiting"
        self.prompted = False


class AtPort:
    """One serial line. Not for concurrent use; the reading thread is its own.

    An `observer` is called with each piece sent and each line, message or prompt received, from two threads; a
    `tap` with all bytes of both directions as they are.
    """

    def __init__(
        self,
        device: str,
        baud: int = 115200,
        observer: Observer | None = None,
        tap: Observer | None = None,
        exclusive: bool = False,
    ) -> None:
        self._observer, self._tap = observer, tap
        self._serial = serial.Serial(device, baud, timeout=0.05, write_timeout=60, exclusive=exclusive or None)
        self._changed = threading.Condition()
        self._grammar: Grammar | None = None
        self._noise = bytearray()
        self._events: deque[Event] = deque()
        self._addresses = 0
        self._pending: deque[_Pending] = deque()
        self._done: deque[Answer] = deque()
        self._failure: Exception | None = None
        self._log: deque[tuple[float, str, bytes]] = deque(maxlen=40)
        self._started = time.monotonic()
        self._open = True
        self.received = 0
        """Bytes, of whatever kind."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # --- sending ---

    def command(self, text: str | bytes, timeout: float = ANSWER_SECONDS) -> Answer:
        """Send one line and wait for its answer."""
        self.send(text)
        return self.answer(timeout)

    def ok(self, text: str | bytes, *rows: str | bytes, timeout: float = ANSWER_SECONDS) -> Answer:
        """A command that must end with OK and print exactly `rows`."""
        answer = self.command(text, timeout)
        if answer.final != b"OK" or answer.lines != [_bytes(row) for row in rows]:
            raise self._surprise(f"{answer.command!r}: expected rows {rows} and OK, got {answer.lines} {answer.final!r}")
        return answer

    def error(self, text: str | bytes, *codes: int, timeout: float = ANSWER_SECONDS) -> Answer:
        """A command that must print one of `codes` (any when none is given) and ERROR, nothing else."""
        answer = self.command(text, timeout)
        right = answer.final == b"ERROR" and len(answer.lines) == 1 and answer.code is not None
        if not right or (codes and answer.code not in codes):
            wanted = " or ".join(f"0x{code:08x}" for code in codes) or "some code"
            raise self._surprise(f"{answer.command!r}: expected {wanted} and ERROR, got {answer.lines} {answer.final!r}")
        return answer

    def refused(self, text: str | bytes, timeout: float = ANSWER_SECONDS) -> Answer:
        """A line that must be refused: by the server's own words or by one documented code."""
        answer = self.command(text, timeout)
        by_server = answer.lines and answer.lines[0] in REFUSALS
        if not by_server and (answer.final != b"ERROR" or answer.code is None):
            raise self._surprise(f"{answer.command!r}: expected a refusal, got {answer.lines} {answer.final!r}")
        return answer

    def restart(self, timeout: float = 20.0, command: bytes = RESTART) -> Answer:
        """`AT+RST` or another that restarts: its OK, then nothing but `ready`, which is awaited."""
        answer = self.command(command, timeout)
        if answer.final != READY or answer.lines:
            raise self._surprise(f"{command!r}: expected OK and {READY!r}, got {answer.lines} {answer.final!r}")
        return answer

    def send(self, *lines: str | bytes, end: bytes = b"\r\n", behind: bytes = b"") -> None:
        """Send lines in one write without waiting, `behind` behind them; `answer` collects in order."""
        texts = [_bytes(line) for line in lines]
        with self._changed:
            self._pending.extend(map(_Pending, texts))
        self.write(b"".join(text + end for text in texts) + behind)

    def expect_line(self, whole: bytes, rest: bytes) -> None:
        """Complete a line whose beginning was written before; `whole` is what the board reads."""
        with self._changed:
            self._pending.append(_Pending(whole))
        self.write(rest)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._note("->", data)
        if self._observer and self._grammar:
            self._observer("->", data)
        self._serial.write(data)

    # --- the data phase ---

    def prompt(self, text: str | bytes, timeout: float = ANSWER_SECONDS) -> None:
        """Send a command that opens a data phase and wait for `>`."""
        self.send(text)
        self.await_prompt(timeout)

    def await_prompt(self, timeout: float = ANSWER_SECONDS) -> None:
        def prompted() -> bool:
            if self._done:
                answer = self._done[0]
                raise self._surprise(f"{answer.command!r}: expected a prompt, got {answer.lines} {answer.final!r}")
            return bool(self._pending) and self._pending[0].phase == "data"

        self._await(prompted, timeout, "a prompt")

    def prompted(self, timeout: float = ANSWER_SECONDS) -> bool:
        """Wait for `>` or for an answer without it; which of the two."""
        self._await(lambda: self._done or (self._pending and self._pending[0].phase == "data"), timeout, "a prompt or an answer")
        return not self._done

    def fill(self, data: bytes, extra: bytes = b"", keep_open: bool = False) -> None:
        """The last bytes of a data phase, or such that others follow if it is to be kept open; `extra` goes out in the
        same write and belongs to the next line."""
        with self._changed:
            if not self._pending or self._pending[0].phase != "data":
                raise self._surprise("no data phase to fill")
            if not keep_open:
                self._pending[0].phase = "sent"
            if extra:
                self._pending.append(_Pending(extra.rstrip(b"\r\n")))
        self.write(data + extra)

    def raw(self, text: str | bytes, payload: bytes, timeout: float = ANSWER_SECONDS) -> bytes:
        """A whole PUBRAW: prompt, payload, and the result, `b"OK"` or `b"FAIL"`."""
        self.prompt(text)
        self.fill(payload)
        return self.result(timeout)

    def result(self, timeout: float = ANSWER_SECONDS) -> bytes:
        """The end of a PUBRAW."""
        answer = self.answer(timeout)
        if answer.final not in PUBLISH_RESULTS or answer.lines:
            raise self._surprise(f"{answer.command!r}: expected +MQTTPUB:, got {answer.lines} {answer.final!r}")
        return answer.final.partition(b":")[2]

    # --- receiving ---

    def join(self, ssid: str = "virtual", password: str = "virtual") -> None:
        """Join a Wi-Fi, in the documented order: CONNECTED, OK, then the address."""
        answer = self.command(b"AT+CWJAP=%b,%b" % (quote(ssid), quote(password)), 20)
        if (answer.lines, answer.final) != ([b"WIFI CONNECTED"], b"OK"):
            raise self._surprise(f"AT+CWJAP brought {answer.lines} {answer.final!r}")
        self.got_ip()

    def got_ip(self, timeout: float = 20.0) -> None:
        """The next `WIFI GOT IP`."""
        self._await(lambda: self._addresses > 0, timeout, GOT_IP.decode())
        with self._changed:
            self._addresses -= 1

    def answer(self, timeout: float = ANSWER_SECONDS) -> Answer:
        """The next complete answer, in the order of commands."""
        self._await(lambda: bool(self._done), timeout, "an answer")
        return self._done.popleft()

    def message(self, timeout: float = 5.0) -> Message:
        """The next incoming MQTT message."""
        return self._take(Message, timeout)

    def incomplete(self, timeout: float = 5.0) -> int:
        """How much of the message before was real, from the next `+MQTTINCOMPLETE:`."""
        return self._take(Incomplete, timeout).received

    def connected(self, timeout: float = 5.0) -> bytes:
        """The fields of the next `+MQTTCONNECTED:` after its LinkID."""
        return self._take(Connected, timeout).fields

    def disconnected(self, timeout: float = 5.0) -> int:
        """The LinkID of the next `+MQTTDISCONNECTED:`."""
        return self._take(Disconnected, timeout).link

    def quiet(self, seconds: float) -> None:
        """Nothing whatever may come for this long."""
        with self._changed:
            self._check()
            if self._events:
                raise self._surprise(f"unexpected {_brief(self._events[0])}")
            self._changed.wait_for(lambda: self._events or self._failure, seconds)
            self._check()
            if self._events or (self._grammar and self._grammar.pending):
                raise self._surprise("expected silence")

    def await_bytes(self, count: int, timeout: float = 10.0) -> None:
        """Until so many have come in all: of a line that has begun and does not end, there is nothing else to see."""
        until(lambda: self.received >= count, lambda: f"{count} bytes; there are {self.received}", timeout)

    def events(self) -> list[Event]:
        """Unsolicited lines not taken yet, in order; they are forgotten."""
        with self._changed:
            events = list(self._events)
            self._events.clear()
            return events

    def synchronise(self, timeout: float = 10.0) -> None:
        """Make a port of unknown state answer `AT`, then hold it to the grammar from there on."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._grammar = None
        for line in (b"AT\r\n", b"ATE0\r\n"):
            while not self._answers(line):
                if time.monotonic() > deadline:
                    raise self._surprise("the port does not answer AT")
        with self._changed:
            self._grammar, self._failure = Grammar(), None
            self._events.clear()
            self._addresses = 0
            self._pending.clear()
            self._done.clear()

    @property
    def is_open(self) -> bool:
        return self._open

    def close(self) -> None:
        self._open = False
        self._reader.join(2)
        self._serial.close()

    def transcript(self) -> str:
        """The last lines in both directions, long ones cut."""
        with self._changed:
            return "\n".join(f"{when:9.3f} {way} {_shorten(data)}" for when, way, data in self._log)

    # --- inside ---

    def _answers(self, line: bytes) -> bool:
        """Send a line; true when OK comes and then nothing for a moment."""
        with self._changed:
            self._noise.clear()
        self.write(line)
        time.sleep(0.01)
        for _ in range(20):
            with self._changed:
                silent = not self._changed.wait(0.05)
                if silent and re.search(rb"(^|\n)OK\r\n$", bytes(self._noise)):
                    return True
        return False

    def _take(self, kind: type, timeout: float):
        def found():
            return next((event for event in self._events if isinstance(event, kind)), None)

        self._await(lambda: found() is not None, timeout, kind.__name__)
        with self._changed:
            event = found()
            self._events.remove(event)
            return event

    def _await(self, condition, timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                self._check()
                if condition():
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._surprise(f"no {what} within {timeout} s")
                if not self._open:
                    raise self._surprise(f"the port closed before {what}")
                self._changed.wait(min(left, 0.2))

    def _check(self) -> None:
        if self._failure is not None:
            raise self._surprise(str(self._failure))

    def _surprise(self, reason: str) -> Surprise:
        rest = self._grammar.pending if self._grammar else bytes(self._noise)
        return Surprise(f"{reason}\nunfinished: {_shorten(rest)}\n--- transcript ---\n{self.transcript()}")

    def _note(self, way: str, data: bytes) -> None:
        now = time.monotonic() - self._started
        if self._tap:
            self._tap(way, data)
        with self._changed:
            if self._log and self._log[-1][1] == way and now - self._log[-1][0] < 0.05:
                start, _, before = self._log.pop()
                self._log.append((start, way, before + data))
            else:
                self._log.append((now, way, data))

    def _read(self) -> None:
        while self._open:
            try:
                data = self._serial.read(max(1, min(self._serial.in_waiting, 65536)))
            except (OSError, serial.SerialException, TypeError):
                break
            if not data:
                continue
            self.received += len(data)
            self._note("<-", data)
            with self._changed:
                try:
                    self._feed(data)
                except (Violation, Surprise) as error:
                    self._failure = self._failure or error
                self._changed.notify_all()
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _feed(self, data: bytes) -> None:
        if self._grammar is None:
            self._noise += data
            return
        for token in self._grammar.feed(data):
            self._accept(token)

    def _accept(self, token: Token) -> None:
        if self._observer:
            self._observer("<-", token.raw)
        event = _event(token)
        current = self._pending[0] if self._pending else None
        if event is not None:
            if current and current.phase in ("answering", "data"):
                raise Violation(f"{_brief(event)} inside the answer to {current.answer.command!r}")
            if current and current.answer.raw.endswith(b">"):
                raise Violation(f"{_brief(event)} on the line of the prompt of {current.answer.command!r}")
            self._events.append(event)
        elif isinstance(token, Line) and token.text == GOT_IP:
            self._addresses += 1
        elif current is None and isinstance(token, Line) and _WIFI.fullmatch(token.text):
            return
        elif current is None:
            raise Violation(f"{token.raw!r} that no command asked for")
        elif isinstance(token, Prompt):
            current.phase, current.prompted = "data", True
            current.answer.raw += token.raw
        else:
            self._extend(current, token.text)

    def _extend(self, current: _Pending, text: bytes) -> None:
        answer = current.answer
        if text == BUSY:
            self._busy()
            return
        answer.raw += text + b"\r\n"
        if current.prompted and not text and answer.raw.endswith(b">\r\n"):
            # The end of the prompt's own line.
            return
        if text in _finals(current):
            self._finish(current, text)
        elif text in REFUSALS:
            answer.lines.append(text)
            self._finish(current, text)
        else:
            current.phase = "answering"
            if text and text != b"OK":
                answer.lines.append(text)

    def _busy(self) -> None:
        # Servers differ: some say it at once, in the middle of the first command, others behind its answer.
        if len(self._pending) == 1 and self._pending[0].phase != "waiting":
            raise Violation("busy although no second command was sent")
        rejected = self._pending.pop()
        rejected.answer.lines.append(BUSY)
        self._finish(rejected, BUSY, queued=False)

    def _finish(self, pending: _Pending, final: bytes, queued: bool = True) -> None:
        pending.answer.final = final
        pending.answer.seconds = time.monotonic() - pending.answer.sent
        if queued:
            self._pending.popleft()
        self._done.append(pending.answer)


def _finals(pending: _Pending) -> tuple[bytes, ...]:
    if pending.answer.command in (RESTART, RESTORE):
        return (READY, b"ERROR")
    opens = _DATA_PHASE.match(pending.answer.command)
    if opens and not pending.prompted:
        return (b"ERROR",)
    if opens and opens[1]:
        return (*PUBLISH_RESULTS, b"ERROR")
    return FINALS


def quote(text: str | bytes) -> bytes:
    """A string parameter as the documents ask: in quotes, with `\\`, `,` and `"` escaped."""
    return b'"' + re.sub(rb'([\\,"])', rb"\\\1", _bytes(text)) + b'"'


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _event(token: Token) -> Event | None:
    if isinstance(token, Message):
        return token
    if isinstance(token, Line) and (match := _CONNECTED.fullmatch(token.text)):
        return Connected(int(match[1]), match[2])
    if isinstance(token, Line) and (match := _DISCONNECTED.fullmatch(token.text)):
        return Disconnected(int(match[1]))
    if isinstance(token, Line) and (match := _INCOMPLETE.fullmatch(token.text)):
        return Incomplete(int(match[1]), int(match[2]))
    return None


def _brief(event: Event) -> str:
    if isinstance(event, Message):
        return f"message on {event.topic!r} of {len(event.data)} bytes"
    return str(event)


def _shorten(data: bytes, limit: int = 160) -> str:
    if len(data) <= limit:
        return repr(data)
    return f"{data[: limit // 2]!r} … {len(data)} bytes … {data[-limit // 4 :]!r}"
