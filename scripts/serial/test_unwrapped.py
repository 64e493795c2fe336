"""A firmware whose serial line does not pass through the library (at-contract §8): built for the AT server's argv, or linked
without the wrap though it needs it. Boards of their own, made here."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from atport import AtPort
from board import REPOSITORY, VirtualBoard, build_virtual_board
from link import Link

pytestmark = [pytest.mark.virtual, pytest.mark.once, pytest.mark.timeout(900)]

BUILDS = {
    "raw": {"W800_MQTT_AT_ARGV": "raw"},
    "decoded": {"W800_MQTT_AT_ARGV": "decoded"},
    "unwrapped": {"W800_SIM_UNWRAPPED": "1"},
}
LIMITS = b"the line does not pass through this library: the AT server's limits apply"
REASON = b"link with --wrap=wm_atcmd_dev_register, or build for the server's argv"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Makes a board with the options of one of `BUILDS`: its program, which the next build replaces in cargo's folder."""
    folder = tmp_path_factory.mktemp("programs")

    def build(name: str) -> Path:
        program = folder / name
        if not program.exists():
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("CARGO_TARGET_DIR", str(REPOSITORY / "target" / "unwrapped"))
                for variable, value in BUILDS[name].items():
                    environment.setenv(variable, value)
                shutil.copy(build_virtual_board(), program)
        return program

    return build


@pytest.fixture
def start(build, tmp_path, monkeypatch):
    """Starts a board behind a server of one kind; it runs the library natively."""
    monkeypatch.delenv("W800_SIM_IMAGE", raising=False)
    boards = []

    def start(name: str, server: str) -> VirtualBoard:
        boards.append(VirtualBoard(str(build(name)), tmp_path, server))
        boards[-1].open()
        return boards[-1]

    yield start
    for board in boards:
        assert board.alive
        board.stop()


@pytest.fixture(params=["raw", "decoded"])
def board(request, start) -> VirtualBoard:
    return start(request.param, request.param)


@pytest.fixture
def link(board) -> Link:
    return Link(board.port, board.host)


@pytest.fixture
def connected(link, broker) -> Link:
    link.configure()
    link.connect(broker.port)
    return link


def test_the_log_says_so_once(board, link):
    link.configure(user="user", password="secret, as it is")
    link.port.ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"w800","user","secret, as it is",0,0,""')
    assert board.whole_log().count(LIMITS) == 1


def test_a_message_there_and_back(connected, witness):
    """By PUB and by PUBRAW, whatever the data are made of; and what comes in."""
    other, port = witness("out/#"), connected.port
    port.ok('AT+MQTTPUB=0,"out/a","21.5 C, and more",1,0')
    assert other.message().payload == b"21.5 C, and more"
    data = bytes(range(256)) * 12
    for qos in (0, 1, 2):
        assert port.raw(f'AT+MQTTPUBRAW=0,"out/b",{len(data)},{qos},0', data) == b"OK"
        assert other.message().payload == data
    port.ok('AT+MQTTSUB=0,"in",1')
    other.publish("in", data, qos=1)
    assert port.message().data == data


def test_a_line_right_behind_the_data(connected, witness):
    other, port = witness("out"), connected.port
    port.prompt('AT+MQTTPUBRAW=0,"out",5,1,0')
    port.fill(b"hello", b"AT+MQTTCONN?\r\n")
    assert port.result() == b"OK"
    assert port.answer().final == b"OK"
    assert other.message().payload == b"hello"


def test_long_fields(link):
    link.configure()
    name = b'a "name", with \\ and a comma'
    link.port.prompt(f"AT+MQTTLONGUSERNAME=0,{len(name)}")
    link.port.fill(name)
    assert link.port.answer().final == b"OK"
    link.port.ok("AT+MQTTUSERNAME?", '+MQTTUSERNAME:0,"a \\"name\\", with \\\\ and a comma"')
    link.port.prompt("AT+MQTTLONGCLIENTID=0,4")
    link.port.fill(b"a\0bc")
    answer = link.port.answer()
    assert (answer.code, answer.final) == (0x6014, b"ERROR")


def test_a_message_comes_behind_a_data_phase(connected, witness):
    """The right to print stays with an open phase, though the handler has returned."""
    other, port = witness("out"), connected.port
    port.ok('AT+MQTTSUB=0,"in",0')
    port.prompt('AT+MQTTPUBRAW=0,"out",4,0,0')
    other.publish("in", b"while it is open", qos=1)
    assert not port.events()
    port.fill(b"data")
    assert port.result() == b"OK"
    assert port.message().data == b"while it is open"
    assert other.message().payload == b"data"


def give_up(port: AtPort, command: str) -> None:
    """Sends the exit code, which the server takes for one behind silence only."""
    port.prompt(command)
    time.sleep(0.2)
    port.fill(b"+++")


def test_the_exit_code_ends_a_data_phase(connected):
    port = connected.port
    give_up(port, 'AT+MQTTPUBRAW=0,"out",9,0,0')
    assert port.result() == b"FAIL"
    assert connected.report().code == 0x604D
    port.ok("AT+MQTTCLEAN=0")
    connected.configure()
    give_up(port, "AT+MQTTLONGPASSWORD=0,32")
    answer = port.answer()
    assert (answer.code, answer.final) == (0x604D, b"ERROR")


def test_silence_ends_a_data_phase(connected):
    port = connected.port
    port.prompt('AT+MQTTPUBRAW=0,"out",9,0,0')
    port.fill(b"half")
    assert port.result(timeout=25) == b"FAIL"


def test_clean(connected):
    connected.port.ok("AT+MQTTCLEAN=0")
    assert connected.state() == 0
    connected.port.error("AT+MQTTCLEAN", 0x6008)
    connected.port.error('AT+MQTTUSERCFG=0,1,"w"', 0x6008)


def test_linked_without_the_wrap_it_needs(start):
    """Refused, and the log says why, once. What has no parameters needs no line."""
    board = start("unwrapped", "decoded")
    for _ in range(2):
        board.port.error('AT+MQTTUSERCFG=0,1,"w800","","",0,0,""', 0x600A)
        board.port.error("AT+MQTTCLEAN=0", 0x600A)
    assert board.port.command("AT+MQTTCONN?").final == b"OK"
    assert board.whole_log().count(REASON) == 1
