"""Brokers of other authors beside Debian's mosquitto, each a process of its own with its data in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from board import REPOSITORY
from broker import Broker, Server, await_listening, end, free_ports, program
from secure import node_packages


class Aedes(Server):
    """The Node.js broker over TCP; sessions and retained messages do not survive `stop`."""

    def command(self) -> list[str]:
        listener = {"name": "tcp", "kind": "tcp", "address": self.address, "port": self.port}
        return [program("node"), str(Path(__file__).with_name("node") / "broker.js"), json.dumps([listener])]

    def environment(self) -> dict[str, str]:
        return {"NODE_PATH": str(node_packages() / "node_modules")}


class Amqtt(Server):
    """PyPI's amqtt, which lets in whoever has a name, and keeps sessions for these only; none survives `stop`."""

    start_seconds = 40

    def command(self) -> list[str]:
        configuration = self._folder / "amqtt.yaml"
        # JSON is YAML.
        configuration.write_text(
            json.dumps(
                {
                    "listeners": {"default": {"type": "tcp", "bind": f"{self.address}:{self.port}"}},
                    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
                }
            )
        )
        return [str(_python_of_amqtt() / "bin/amqtt"), "-c", str(configuration)]


@cache
def _python_of_amqtt() -> Path:
    setup = REPOSITORY / "scripts/setup"
    script, list_of_packages = setup / "python.sh", REPOSITORY / "scripts/serial/amqtt-requirements.txt"
    installed = subprocess.run([script, list_of_packages], stdout=subprocess.PIPE, check=True, text=True)
    return Path(installed.stdout.strip())


RABBITMQ_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Not the one on the PATH, which changes to a user and a folder of the system's."""

RABBITMQ_CONFIGURATION = """\
listeners.tcp = none
mqtt.listeners.tcp.1 = {address}:{port}
mqtt.allow_anonymous = true
mqtt.default_user = guest
mqtt.default_pass = guest
loopback_users = none
log.console = true
log.file = false
"""


class Rabbitmq(Server):
    """Debian's RabbitMQ with its MQTT plugin: persistent sessions, their queues and retained messages survive `stop`.

    Nothing of it is the system's: data, cookie, port mapper and distribution port, the last two on the loopback only.
    """

    start_seconds = 80

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        super().__init__(folder, address)
        self._distribution, self._mapper_port = free_ports(2)
        self._mapper: subprocess.Popen | None = None

    def command(self) -> list[str]:
        assert os.path.exists(RABBITMQ_SERVER), f"{RABBITMQ_SERVER} is not installed: run scripts/setup.sh"
        text = RABBITMQ_CONFIGURATION.format(address=self.address, port=self.port)
        (self._folder / "rabbitmq.conf").write_text(text)
        (self._folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        return [RABBITMQ_SERVER]

    def environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "HOME": folder,
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # The server in the place of its shell, so that the process that is started is the one to be stopped.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_NODENAME": f"mqtt{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
        }

    def start(self, timeout: float | None = None) -> Server:
        if self._mapper is None:
            command = [program("epmd"), "-port", str(self._mapper_port), "-address", "127.0.0.1"]
            self._mapper = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            # A node that does not find it ends.
            await_listening(self._mapper, "127.0.0.1", self._mapper_port, self.start_seconds, str)
        return super().start(timeout)

    def stop(self) -> None:
        """In an orderly way: what it keeps is on the disk then."""
        if self._process is not None:
            end(self._process, 30)
            self._process = None

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._mapper is not None:
            end(self._mapper)
            self._mapper = None


PRODUCTS = {"mosquitto": Broker, "aedes": Aedes, "amqtt": Amqtt, "rabbitmq": Rabbitmq}
