"""The text of a record: bytes as readable text, and marks in double braces for what is no text or varies.

| mark | stands for |
|---|---|
| `{{0x0d0a}}` | these bytes |
| `{{sha256:…}}` | the data of a long message, by its digest |
| `{{time}}`, `{{number}}`, `{{any}}` | whatever is printed there |
| `{{PORT=1883}}` | a variable and its value when nobody gives another |
| `{{PASSWORD}}` | a variable; a secret has no value here |
"""

from __future__ import annotations

import hashlib
import re
from itertools import groupby

from grammar import Message

LONGEST_DATA = 1024
"""More than this of a message is written as a digest."""

WILD = {"time": r".+?", "number": r"-?[0-9]+(?:\.[0-9]+)?", "any": r".*"}
MARK = re.compile(
    r"\{\{(?:0x(?P<hex>(?:[0-9a-f]{2})+)|(?P<wild>time|number|any)|sha256:(?P<digest>[0-9a-f]{64})"
    r"|(?P<name>[A-Z][A-Z0-9_]*)(?:=(?P<value>[^{}]*))?)\}\}"
)
_TIME = re.compile(
    r"(?:\w{3} )?\w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}|\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}\S*)?|\b\d{2}:\d{2}:\d{2}\b"
)


def encode(data: bytes) -> str:
    """Bytes as text that `decode` gives back."""
    text = data.decode(errors="surrogateescape")
    braces = {at for match in re.finditer(r"\{{2,}", text) for at in range(*match.span())}
    found = ""
    for plain, places in groupby(range(len(text)), lambda at: text[at].isprintable() and at not in braces):
        piece = "".join(text[at] for at in places)
        found += piece if plain else f"{{{{0x{piece.encode(errors='surrogateescape').hex()}}}}}"
    return found


def encode_message(message: Message) -> str:
    """A message's line."""
    line = message.raw.removesuffix(b"\r\n")
    if len(message.data) <= LONGEST_DATA:
        return encode(line)
    digest = hashlib.sha256(message.data).hexdigest()
    return f"{encode(line[: -len(message.data)])}{{{{sha256:{digest}}}}}"


def decode(text: str, variables: dict[str, bytes]) -> bytes:
    """What to send: bytes, with the values of variables."""

    def value(match: re.Match[str]) -> bytes:
        if match["hex"]:
            return bytes.fromhex(match["hex"])
        if match["name"]:
            return variables[match["name"]]
        raise ValueError(f"{match[0]} cannot be sent")

    found, at = b"", 0
    for match in MARK.finditer(text):
        found += text[at : match.start()].encode() + value(match)
        at = match.end()
    return found + text[at:].encode()


def pattern(text: str, variables: dict[str, bytes]) -> re.Pattern[str]:
    """What an encoded line must look like to be the one that `text` records."""
    found, at = "", 0
    for match in MARK.finditer(text):
        found += re.escape(text[at : match.start()])
        if match["wild"]:
            found += WILD[match["wild"]]
        elif match["name"]:
            found += re.escape(encode(variables[match["name"]]))
        else:
            found += re.escape(match[0])
        at = match.end()
    return re.compile(found + re.escape(text[at:]), re.DOTALL)


def mark_times(text: str) -> str:
    """Dates and times of day as marks."""
    return _TIME.sub("{{time}}", text)


def mark_numbers(text: str) -> str:
    """Every number that stands alone as a mark."""
    return re.sub(r"(?<![\w{])\d+(?:\.\d+)?(?!\w)", "{{number}}", text)
