"""Brokers behind TLS and WebSocket: a mosquitto and a Node.js broker with a listener for each certificate."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from functools import cache
from pathlib import Path

from board import HOST_LOOPBACK, REPOSITORY
from broker import Broker, Witness, free_ports, program
from certificates import NAME, WILD, Certificates, Files
from link import CA, CERTIFICATE, KEY, Link
from waiting import until

TCP, TLS, WS, WSS = (1,), (2, 3, 4, 5), (6,), (7, 8, 9, 10)
VERIFYING, PRESENTING = (3, 5, 8, 10), (4, 5, 9, 10)
SECURE = TLS + WSS

MUTUAL = "mutual"
"""The listener with the good certificate that wants one of the client."""


_RUNNING = " running\n"
_LISTENING = re.compile(r"^listening (.*)$", re.MULTILINE)

HOSTS = (NAME, WILD, f"a.{WILD}", f"a.b.{WILD}")
"""Names of this machine."""


def hosts() -> list[str]:
    """These names, as options of the virtual board."""
    return [part for name in HOSTS for part in ("--hosts", f"{name}={HOST_LOOPBACK}")]


def over_websocket(scheme: int) -> bool:
    return scheme in WS + WSS


class TlsBroker(Broker):
    """A mosquitto: plain on `port`, TLS on `ports[certificate]`."""

    def __init__(self, folder: Path, certificates: Certificates, address: str = "127.0.0.1", *servers: str) -> None:
        super().__init__(folder, address)
        self._certificates = certificates
        self._servers = servers or (*certificates.servers, MUTUAL)
        self._choose_ports()

    def _choose_ports(self) -> None:
        self.port, *others = free_ports(1 + len(self._servers), self.address)
        self.ports = dict(zip(self._servers, others, strict=True))
        blocks = [_listener(self._certificates, name, port, self.address) for name, port in self.ports.items()]
        self._extra = "\n".join(blocks)

    def start(self, timeout: float = 10.0) -> TlsBroker:
        """It listens on its first port long before it has read its last certificate."""
        before = self.log().count(_RUNNING)
        super().start(timeout)
        deadline = time.monotonic() + timeout
        while self.log().count(_RUNNING) == before:
            assert self._process.poll() is None, f"mosquitto did not start:\n{self.log()[-3000:]}"
            assert time.monotonic() < deadline, "mosquitto is not ready"
            time.sleep(0.02)
        return self

    def __enter__(self) -> TlsBroker:
        """Of so many ports one may be taken by others between choice and use."""
        for _ in range(5):
            try:
                return self.start()
            except AssertionError:
                self._choose_ports()
        return self.start()


def _listener(certificates: Certificates, name: str, port: int, address: str) -> str:
    files = _files(certificates, name)
    lines = [f"listener {port} {address}", f"certfile {files.certificate}", f"keyfile {files.key}"]
    if name == MUTUAL:
        lines += [f"cafile {certificates.roots_file}", "require_certificate true"]
    return "\n".join(lines)


def _files(certificates: Certificates, name: str) -> Files:
    return certificates.files("good" if name == MUTUAL else name)


@cache
def node_packages() -> Path:
    """Where the packages of the Node.js broker are, installed when they are missing."""
    script = REPOSITORY / "scripts/setup/node.sh"
    installed = subprocess.run([str(script)], stdout=subprocess.PIPE, check=True, text=True)
    return Path(installed.stdout.strip())


class NodeBroker:
    """Aedes: WebSocket on `port`, over TLS on `ports[certificate]`, plain TCP on `tcp`; they survive `stop`."""

    def __init__(self, folder: Path, certificates: Certificates, address: str = "127.0.0.1", *servers: str) -> None:
        self.address = address
        self._listeners = [_plain("ws", address), _plain("tcp", address)]
        self._listeners += [_wrapped(certificates, name, address) for name in servers or (*certificates.servers, MUTUAL)]
        self._log = folder / "node.log"
        self._process: subprocess.Popen | None = None

    def start(self, timeout: float = 20.0) -> NodeBroker:
        command = [program("node"), str(Path(__file__).with_name("node") / "broker.js"), json.dumps(self._listeners)]
        environment = os.environ | {"NODE_PATH": str(node_packages() / "node_modules")}
        before = len(_LISTENING.findall(self.log()))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        deadline = time.monotonic() + timeout
        while len(found := _LISTENING.findall(self.log())) == before:
            assert self._process.poll() is None, f"the Node.js broker did not start:\n{self.log()[-3000:]}"
            assert time.monotonic() < deadline, "the Node.js broker does not listen"
            time.sleep(0.02)
        self._keep(json.loads(found[-1]))
        return self

    def _keep(self, ports: dict[str, int]) -> None:
        for listener in self._listeners:
            listener["port"] = ports[listener["name"]]
        self.port, self.tcp = ports.pop("ws"), ports.pop("tcp")
        self.ports = ports

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def await_log(self, text: str, timeout: float = 5.0) -> None:
        log = self.log
        until(lambda: text in log(), lambda: f"{text!r} in the broker's log:\n{log()[-3000:]}", timeout)

    def __enter__(self) -> NodeBroker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _plain(kind: str, address: str) -> dict:
    return {"name": kind, "kind": kind, "address": address, "port": 0}


def _wrapped(certificates: Certificates, name: str, address: str) -> dict:
    files = _files(certificates, name)
    tls = {"cert": str(files.certificate), "key": str(files.key)}
    if name == MUTUAL:
        tls["ca"] = str(certificates.roots_file)
    return {"name": name, "kind": "wss", "address": address, "port": 0, "tls": tls}


class Brokers:
    """Every broker that a scheme can want, and the credentials that fit."""

    def __init__(self, certificates: Certificates, mosquitto: TlsBroker, node: NodeBroker) -> None:
        self.certificates = certificates
        self.mosquitto = mosquitto
        self.node = node

    def broker(self, scheme: int) -> TlsBroker | NodeBroker:
        return self.node if over_websocket(scheme) else self.mosquitto

    def port(self, scheme: int, server: str = "good") -> int:
        """Where a broker listens for this scheme with this certificate."""
        broker = self.broker(scheme)
        return broker.ports[server] if scheme in SECURE else broker.port

    def equip(self, link: Link, server: str = "good") -> None:
        """All that any scheme needs to connect to a server with this certificate."""
        client = self.certificates.client
        equip(link, self.certificates.authority_of(server), client.pem, client.key)

    def witness(self, scheme: int, *filters: str, qos: int = 2) -> Witness:
        """A second client of the scheme's broker, by that broker's plain transport."""
        broker = self.broker(scheme)
        return Witness(broker, *filters, qos=qos, transport="websockets" if over_websocket(scheme) else "tcp")


def equip(link: Link, authority: bytes = b"", certificate: bytes = b"", key: bytes = b"") -> None:
    """Store exactly these, and nothing where one is empty."""
    for kind, data in ((CA, authority), (CERTIFICATE, certificate), (KEY, key)):
        link.store(kind, data)
