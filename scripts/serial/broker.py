"""Debian's mosquitto on a free port, and the second client that sees what really arrived there."""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from waiting import until

CONFIGURATION = """\
listener {port} {address}
allow_anonymous true
persistence false
log_dest stderr
log_type all
connection_messages true
set_tcp_nodelay true
max_queued_messages 100000
max_inflight_messages 20
{user}{extra}
"""


def program(name: str) -> str:
    """The path of a program that the tests cannot do without."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed: run scripts/setup.sh"
    return found


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Several at once: one after the other might be the same."""
    probes = [socket.create_server((address, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Broker:
    """One mosquitto. Its port stays the same over `stop` and `start`; sessions do not survive that."""

    def __init__(self, folder: Path, address: str = "127.0.0.1", extra: str = "") -> None:
        self.address = address
        self.port = free_port(address)
        self._extra = extra
        self._configuration = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen | None = None

    def start(self, timeout: float = 10.0) -> Broker:
        # As root it would change to a user who may not read the folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        text = CONFIGURATION.format(port=self.port, address=self.address, user=user, extra=self._extra)
        self._configuration.write_text(text)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("mosquitto"), "-c", str(self._configuration)], stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + timeout
        while True:
            try:
                socket.create_connection((self.address, self.port), 1).close()
                return self
            except OSError:
                assert self._process.poll() is None, f"mosquitto did not start:\n{self.log()}"
                assert time.monotonic() < deadline, "mosquitto does not listen"
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def await_log(self, text: str, timeout: float = 5.0, count: int = 1) -> None:
        """Until the text is in the log so many times."""
        log = self.log
        until(lambda: log().count(text) >= count, lambda: f"{count} × {text!r} in the broker's log:\n{log()[-3000:]}", timeout)

    def __enter__(self) -> Broker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Witness:
    """paho-mqtt as a second client of the broker; never the library under test."""

    def __init__(self, broker: Broker, *filters: str, qos: int = 2, transport: str = "tcp") -> None:
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._ready = threading.Event()
        self._filters = [(name, qos) for name in filters]
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, transport=transport)
        self._client.max_queued_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self.messages.put(message)
        self._client.connect(broker.address, broker.port)
        self._client.loop_start()
        assert self._ready.wait(5), "the witness could not subscribe"

    def _on_connect(self, *_: object) -> None:
        if self._filters:
            self._client.subscribe(self._filters)
        else:
            self._ready.set()

    def publish(self, topic: str, payload: bytes = b"", qos: int = 0, retain: bool = False) -> None:
        """Publish and wait until the broker has it."""
        information = self._client.publish(topic, payload, qos, retain)
        information.wait_for_publish(20)
        assert information.is_published()

    def message(self, timeout: float = 5.0) -> paho.MQTTMessage:
        try:
            return self.messages.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"the witness saw no message within {timeout} s") from None

    def quiet(self, seconds: float = 0.5) -> None:
        """No message may come."""
        try:
            message = self.messages.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError(f"the witness saw {message.topic!r} {message.payload[:80]!r}")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Witness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
