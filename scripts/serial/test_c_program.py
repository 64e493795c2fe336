"""A product in C, linked with the archive as firmware is: the version, the statistics and the hook for unsolicited lines.

The program is `wm_sdk/host/tests/c_program.c`; it runs under the sanitizers, and tells on standard error what it sees.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from board import REPOSITORY, VirtualBoard
from broker import Witness
from link import Link
from peer import Relay

pytestmark = [pytest.mark.virtual("a firmware of its own"), pytest.mark.once, pytest.mark.timeout(300)]

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def built(*arguments: str) -> list[dict]:
    """What cargo says of a build."""
    command = ["cargo", *arguments, "--quiet", "--message-format=json-render-diagnostics"]
    output = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def archive() -> str:
    """libw800_mqtt_at.a for this machine."""
    records = built("rustc", "-p", "w800-mqtt-at", "--lib", "--crate-type", "staticlib")
    return next(name for record in records for name in record.get("filenames", []) if name.endswith("w800_mqtt_at.a"))


def libraries() -> list[str]:
    """The linker's options for the board's C code."""
    records = built("build", "-p", "wm-sdk-host")
    record = next(record for record in records if "static=wm_sdk_host" in record.get("linked_libs", ()))
    paths = [f"-L{path.removeprefix('native=')}" for path in record["linked_paths"]]
    return [*paths, *(f"-l{library.removeprefix('static=')}" for library in record["linked_libs"])]


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> str:
    host = REPOSITORY / "wm_sdk/host"
    path = tmp_path_factory.mktemp("c") / "c_program"
    sources = [host / "tests/c_program.c", archive()]
    includes = [f"-I{folder}" for folder in (REPOSITORY / "include", REPOSITORY / "wm_sdk/include", host)]
    options = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", *SANITIZERS, *includes]
    linked = ["-Wl,--start-group", *libraries(), "-Wl,--end-group", "-lm", "-ldl", f"-Wl,-T,{host / 'at_table.ld'}"]
    linked.append(str(REPOSITORY / "linker/no_wrap.ld"))
    subprocess.run(["cc", *options, *sources, *linked, "-o", path], check=True)
    return str(path)


class Product:
    """The program on its board, and what it has told so far."""

    def __init__(self, program: str, folder: Path, argv: str) -> None:
        self.board = VirtualBoard(program, folder, argv, argv)
        self.board.open()
        self.link = Link(self.board.port, self.board.host)

    def told(self) -> list[dict]:
        return [json.loads(line) for line in self.board.whole_log().splitlines()]

    def line(self, start: str) -> dict:
        """The newest line that begins so, once it is told."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [line for line in self.told()[1:] if line["head"].startswith(start)]
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"{start} was not told: {self.told()}")


@pytest.fixture
def product(program, tmp_path, argv):
    running = Product(program, tmp_path, argv)
    yield running
    running.board.stop()


def test_what_is_refused(product):
    assert product.told() == [{"version": "0.1.0", "agrees": True, "refused": True, "nobody": True}]


def test_the_line_that_the_product_registers(product, broker):
    """Linked without `--wrap`: lines are read as they were typed, and one behind another waits for it."""
    link, payload = product.link, '{"a":1,"b":"5\\" TV"}'
    link.configure()
    link.connect(broker.port)
    link.subscribe("in")
    quoted = payload.replace("\\", "\\\\").replace('"', '\\"')
    link.port.send(f'AT+MQTTPUB=0,"in","{quoted}",0,0')
    link.port.send('AT+MQTTPUB=0,"in","second",0,0')
    assert [link.port.answer().final, link.port.answer().final] == [b"OK", b"OK"]
    assert [link.port.message().data, link.port.message().data] == [payload.encode(), b"second"]


def test_lines_and_statistics(product, broker):
    """Every unsolicited line is told with all of its bytes, and the counts are those of the wire."""
    relay, witness, link = Relay(broker.port), Witness(broker), product.link
    link.configure()
    link.connect(relay.port, 1)
    assert product.line("+MQTTCONNECTED:0,1,")["statistics"]["messages_sent"] == 0
    link.subscribe("in", 1)
    for qos in range(3):
        link.publish("out", b"%d" % qos, qos)
    for payload in (b"short", bytes(range(32, 96)) * 100):
        witness.publish("in", payload)
        assert link.port.message(10).data == payload
        told = product.line(f'+MQTTSUBRECV:0,"in",{len(payload)}')
        whole = b'+MQTTSUBRECV:0,"in",%d,%s\r\n' % (len(payload), payload)
        assert (told["link"], told["length"], told["sum"]) == (0, len(whole), sum(whole))
        assert (told["pieces"] > 1) == (len(payload) > 1024)
    relay.cut()
    link.port.disconnected()
    link.port.connected(10)
    link.publish("out", b"again", 1)
    product.line("+MQTTDISCONNECTED:0")
    product.board.port.close()
    product.board.process.terminate()
    assert product.board.process.wait(10) == 0
    end = product.told()[-1]
    assert (end["messages_sent"], end["messages_received"], end["reconnections"]) == (4, 2, 1)
    relay.await_carried(end["bytes_sent"], end["bytes_received"])
    relay.close()


def test_marks(product, broker):
    """Used, at the most, size: in this order; what CLEAN gives back is no longer in use."""
    link = product.link
    link.configure()
    link.connect(broker.port)
    during = product.line("+MQTTCONNECTED:")["statistics"]
    assert 0 < during["stack_peak"] <= during["stack_size"] == 8192
    assert 0 < during["arena_used"] <= during["arena_peak"] <= during["arena_size"]
    link.publish_raw("out", bytes(16384), 1)
    link.clean()
    product.board.port.close()
    product.board.process.terminate()
    assert product.board.process.wait(10) == 0
    end = product.told()[-1]
    assert (end["heap_used"], end["arena_used"]) == (0, 0)
    assert end["heap_peak"] >= 16384 and end["stack_peak"] >= during["stack_peak"]
