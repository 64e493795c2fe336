"""What a line is: data for an open data phase, a command of the console's own, a remark, or a command for the board."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from grammar import Message

from .completion import LOCAL
from .reference import Command, Reference
from .session import Answer, Refused, Session, quote, read_file, Payload
from .view import HEX_BYTES, View, hexadecimal

LONGEST_WAIT = 3600.0
BRIEF = 58
WHY = "AT+MQTTERR?"
KEYS = """
Tab completes, and the line below says what may stand at the cursor.
Arrow up and Ctrl-R bring what was typed before.
@FILE in the place of a length sends that file behind the prompt.
"***" in the place of a password asks for it."""


class Quit(Exception):
    """`:quit` was typed."""


async def dispatch(text: str, session: Session, view: View, reference: Reference) -> bool:
    """Do what the line says; false when it failed."""
    if text.startswith(":send "):
        return await _succeeded(await _send(text, session), session, view)
    if session.wanted:
        return await _succeeded(await session.fill(Payload(_data(text, session.wanted))), session, view)
    if not text.strip() or text.startswith("#"):
        return True
    if text.startswith(":"):
        return await _local(text, session, view, reference)
    return await _succeeded(await session.run(text.strip()), session, view)


async def _succeeded(answer: Answer, session: Session, view: View) -> bool:
    """After a failure a person is told what the board knows of it."""
    if not answer.failed:
        return True
    said = [item.text.decode(errors="replace") for item in answer.items]
    if view.person and session.reference.is_reported(answer.line, said):
        view.tell(WHY)
        await session.run(WHY)
    return False


def _data(text: str, wanted: int) -> bytes:
    """Enter is a line feed as long as bytes are wanted behind it."""
    data = text.encode(errors="surrogateescape")
    return data + b"\n" if len(data) < wanted else data


async def _send(text: str, session: Session) -> Answer:
    """`:send FILE` into the open data phase, `:send FILE TOPIC …` as a PUBRAW of its own."""
    words = _words(text)
    if len(words) == 2:
        if not session.wanted:
            raise Refused(":send FILE needs an open data phase; :send FILE TOPIC publishes the file")
        return await session.fill(read_file(words[1]))
    if session.wanted:
        raise Refused("a data phase is open: :send FILE, or Ctrl-C to end it")
    if len(words) not in (3, 4, 5) or not all(re.fullmatch(r"\d", word) for word in words[3:]):
        raise Refused(f":send {LOCAL[':send']}")
    qos, retain = [*words[3:], "0", "0"][:2]
    return await session.run(f'AT+MQTTPUBRAW=0,{quote(words[2])},@"{words[1]}",{qos},{retain}')


async def _local(text: str, session: Session, view: View, reference: Reference) -> bool:
    words = _words(text)
    match words:
        case [":quit"]:
            raise Quit
        case [":help"]:
            view.tell(_overview(reference))
        case [":help", name] if command := reference.find(name):
            view.tell(_details(command))
        case [":hex"]:
            _show_hexadecimal(_last(session).data, view)
        case [":save", path]:
            data = _last(session).data
            _save(path, data)
            view.tell(f"{len(data)} bytes in {path}")
        case [":wait", seconds] if re.fullmatch(r"\d{1,4}(\.\d+)?", seconds):
            await session.rest(min(float(seconds), LONGEST_WAIT))
        case _:
            raise Refused(f"no such command here: {text}   (:help)")
    return True


def _last(session: Session) -> Message:
    if session.message is None:
        raise Refused("no message has come yet")
    return session.message


def _show_hexadecimal(data: bytes, view: View) -> None:
    rows = "\n".join(hexadecimal(data[:HEX_BYTES]))
    rest = f"\n… {len(data) - HEX_BYTES} bytes more (:save FILE)" if len(data) > HEX_BYTES else ""
    view.write(rows + rest)


def _save(path: str, data: bytes) -> None:
    try:
        with Path(path).expanduser().open("xb") as file:
            file.write(data)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Refused(f"{text}: {error}") from error


def _overview(reference: Reference) -> str:
    rows = [(name, _brief(command.does)) for name, command in reference.commands.items()]
    rows += [(name, _brief(does)) for name, does in LOCAL.items()]
    return "\n".join(f"{name:20} {does}" for name, does in rows) + KEYS


def _brief(text: str) -> str:
    """The first sentence, as far as a row takes it."""
    text = re.split(r"\.(?= |$)", text.removeprefix("An addition to the documents: "))[0]
    return text if len(text) <= BRIEF else f"{text[: BRIEF - 1]}…"


def _details(command: Command) -> str:
    names = [f'"{param.name}"' if param.text else param.name for param in command.params]
    form = f"{command.name}={','.join(names)}" if names else command.name
    return "\n".join([form, command.does, *(f"  {param.name:22} {param.hint()}" for param in command.params)])
