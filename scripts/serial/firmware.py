"""What a W800's flash takes: one or more images (`.img`, and several in a row as `.fls`), read to refuse what is none.

Each image is a header of 64 bytes, little endian, and its data. Both have a CRC-32 without the usual last inversion.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0xA0FFFF9F
_HEADER = struct.Struct("<I2H6I16s4I")


class Unfit(Exception):
    """Why a file cannot be written to flash; one sentence."""


@dataclass(frozen=True)
class Image:
    """One image in a file: where its data goes, how long that is, and the version in its header."""

    address: int
    length: int
    version: str

    def __str__(self) -> str:
        return f"{self.length} bytes for 0x{self.address:08x}" + (f", version {self.version}" if self.version else "")


def read_images(path: Path) -> list[Image]:
    """All images of a file, each whole and unchanged since it was made."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unfit(f"{path}: {error.strerror}") from None
    images: list[Image] = []
    at = 0
    while at < len(data) or not images:
        image = _image(path, data, at)
        images.append(image)
        at += _HEADER.size + image.length
    return images


def _image(path: Path, data: bytes, at: int) -> Image:
    head, place = data[at : at + _HEADER.size], f"{path}: at byte {at}"
    if len(head) < 4 or struct.unpack_from("<I", head)[0] != MAGIC:
        raise Unfit(f"{path} is no W800 image (.img, .fls): at byte {at} there is no image header")
    if len(head) < _HEADER.size:
        raise Unfit(f"{place} the file ends inside an image header")
    _, _, _, address, length, _, _, checksum, _, version, _, _, _, head_checksum = _HEADER.unpack(head)
    if _crc(head[:-4]) != head_checksum:
        raise Unfit(f"{place} the checksum of the image header is wrong")
    body = data[at + _HEADER.size :][:length]
    if len(body) < length:
        raise Unfit(f"{place} an image of {length} bytes begins, of which the file has {len(body)}")
    if _crc(body) != checksum:
        raise Unfit(f"{place} the checksum of the image is wrong")
    return Image(address, length, version.partition(b"\0")[0].decode("ascii", "replace"))


def _crc(data: bytes) -> int:
    return zlib.crc32(data) ^ 0xFFFFFFFF


def make_image(data: bytes, address: int = 0x080D0400, version: str = "") -> bytes:
    """An image of these bytes; for tests."""
    head = _HEADER.pack(MAGIC, 1, 0, address, len(data), 0, 0, _crc(data), 0, version.encode(), 0, 0, 0, 0)[:-4]
    return head + struct.pack("<I", _crc(head)) + data
