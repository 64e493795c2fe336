"""An SNTP server (RFC 4330) on a free port of the loopback, whose clock is `ahead` seconds of this machine's."""

from __future__ import annotations

import socket
import struct
import threading
import time

SECONDS_1900_TO_1970 = 2_208_988_800
VERSION, SERVER_MODE = 0x38, 4


class TimeServer:
    """Counts what it has answered."""

    def __init__(self, ahead: float = 0) -> None:
        self.ahead = ahead
        self.answered = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                question, client = self._socket.recvfrom(512)
            except OSError:
                return
            if len(question) >= 48:
                self._socket.sendto(self._answer(question), client)
                self.answered += 1

    def _answer(self, question: bytes) -> bytes:
        now = time.time() + self.ahead + SECONDS_1900_TO_1970
        stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
        head = bytes([question[0] & VERSION | SERVER_MODE, 1, 0, 0]) + bytes(8) + b"LOCL"
        return head + stamp + question[40:48] + stamp + stamp

    def __enter__(self) -> TimeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
