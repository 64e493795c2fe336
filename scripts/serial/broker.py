"""Debian's mosquitto on a free port, and the second client that sees what really arrived there."""

from __future__ import annotations

import os
import queue
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
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


PORTS = range(10_000, 30_000)
"""From which servers get theirs: none that the system gives a connection, which could take it before its server does, or while
the server is down."""


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Several at once: one after the other might be the same."""
    probes: list[socket.socket] = []
    while len(probes) < count:
        with suppress(OSError):
            probes.append(socket.create_server((address, random.choice(PORTS))))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def free_port(address: str = "127.0.0.1") -> int:
    return free_ports(1, address)[0]


def await_listening(process: subprocess.Popen, address: str, port: int, seconds: float, told: Callable[[], str]) -> None:
    """Until `process` takes connections; `told` is what it has said, for the failure."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            assert process.poll() is None, f"{process.args[0]} did not start:\n{told()[-3000:]}"
            assert time.monotonic() < deadline, f"{process.args[0]} does not listen:\n{told()[-3000:]}"
            time.sleep(0.02)


class Server:
    """A broker as a process of its own. Its port stays the same over `stop` and `start`."""

    start_seconds = 10.0

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = free_port(address)
        self._folder = folder
        self._log = folder / f"{self.name}.log"
        self._process: subprocess.Popen | None = None

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def command(self) -> list[str]:
        """What to run; files that it reads are written before."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What it needs besides this process's own."""
        return {}

    def start(self, timeout: float | None = None) -> Server:
        command, environment = self.command(), os.environ | self.environment()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        await_listening(self._process, self.address, self.port, timeout or self.start_seconds, self.log)
        return self

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def await_log(self, text: str, timeout: float = 5.0, count: int = 1) -> None:
        """Until the text is in the log so many times."""
        log = self.log
        until(lambda: log().count(text) >= count, lambda: f"{count} × {text!r} in the broker's log:\n{log()[-3000:]}", timeout)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def end(process: subprocess.Popen, seconds: float = 5) -> None:
    """Ask a process to end, and make it when it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


class Broker(Server):
    """One mosquitto; sessions do not survive `stop`."""

    name = "mosquitto"

    def __init__(self, folder: Path, address: str = "127.0.0.1", extra: str = "") -> None:
        super().__init__(folder, address)
        self._extra = extra

    def command(self) -> list[str]:
        # As root it would change to a user who may not read the folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(CONFIGURATION.format(port=self.port, address=self.address, user=user, extra=self._extra))
        return [program("mosquitto"), "-c", str(configuration)]


class Witness:
    """paho-mqtt as a second client of the broker; never the library under test."""

    def __init__(self, broker: Server, *filters: str, qos: int = 2, transport: str = "tcp", user: str = "") -> None:
        """`user` is name and password in one."""
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._ready = threading.Event()
        self._filters = [(name, qos) for name in filters]
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, transport=transport)
        self._client.max_queued_messages_set(0)
        if user:
            self._client.username_pw_set(user, user)
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
