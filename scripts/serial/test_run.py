"""`scripts/serial/run.sh` on the virtual board's port as if it were a UART: its checks, what it runs and what it records."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import tty
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import checks
from board import VirtualBoard
from scripted import Scripted
from transcript import Transcript

pytestmark = pytest.mark.virtual("a board of its own, started for it")

RUN = Path(__file__).with_name("run.sh")
UNMET, REFUSED = 69, 64
WIFI_PASSWORD, MQTT_PASSWORDS = "w1fi, quietly", ("pa,ss", r"pa\,ss", "p" * 256)
HERE = ("--broker", "10.0.2.2", "--listen", "127.0.0.1")
JOIN = ("--ssid", "virtual", "--password", WIFI_PASSWORD, "--sntp", "10.0.2.3")
CHOSEN = (
    "test_connect.py::test_what_connect_carries",
    "test_long_fields.py::test_in_connect[256]",
    "test_tls_schemes.py::test_a_servers_certificate[good as address-5]",
    "test_tls_schemes.py::test_a_servers_certificate[good as broker.test-5]",
    "test_will.py::test_when_the_board_loses_power",
)


@pytest.fixture
def newcomer(tmp_path: Path, argv: str):
    """The port of a board that has joined no network and knows no time."""
    board = VirtualBoard(os.environ["W800_SIM"], tmp_path, argv, "--wifi", "off")
    yield board.device
    board.stop()


@pytest.fixture
def run(tmp_path: Path):
    """The script, in an environment without this pytest's own variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    def start(*options: str) -> subprocess.CompletedProcess:
        command = [RUN, "--report", str(tmp_path / "report"), *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=80)

    return start


def stops(done: subprocess.CompletedProcess, words: str) -> None:
    """A check is not met: one sentence says so, and no test runs."""
    assert done.returncode == UNMET, done.stdout + done.stderr
    stop = [line for line in done.stdout.splitlines() if not line.startswith(("ok    ", "transcript: "))]
    assert len(stop) == 1 and stop[0].startswith("STOP  ") and words in stop[0], done.stdout


def test_on_a_board(newcomer, run, tmp_path):
    done = run("--port", newcomer, *HERE, *JOIN, "-q", *(str(RUN.with_name(name)) for name in CHOSEN))
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    checks = [line for line in said if line.startswith("ok    ")]
    assert len(checks) == 10 and "(virtual W800)" in checks[2]
    assert "3 passed, 4 deselected" in done.stdout
    assert "   1  names that are looked up in the virtual network: test_tls_schemes.py" in said
    assert "   3  a board whose power can be cut: test_will.py" in said
    assert f"transcript: {tmp_path}/report/transcript.txt" in said

    suite = ElementTree.parse(tmp_path / "report/junit.xml").getroot().find("testsuite")
    counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["3", "0", "0", "0"]
    left_out = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert "test_when_the_board_loses_power" in left_out["left out for want of a board whose power can be cut"]

    written = (tmp_path / "report/transcript.txt").read_text()
    lines = [line.split(" ", 1)[1] for line in written.splitlines()]
    at = lines.index("-> AT+MQTTLONGPASSWORD=0,256")
    assert lines[at + 1 : at + 5] == ["<- OK", "<- >", "-> (256 bytes)", "<- OK"]
    assert "-> AT+CWJAP=***" in lines and "<- WIFI GOT IP" in lines
    assert any(line.startswith("== ") and line.endswith(CHOSEN[0]) for line in lines)
    assert any(line.startswith('<- +MQTTCONNECTED:0,5,"10.0.2.2",') for line in lines)
    assert lines[-6::2] == [f"-> AT+MQTTCERT=0,{kind},0" for kind in range(3)]
    for secret in (WIFI_PASSWORD, *MQTT_PASSWORDS, "PRIVATE KEY"):
        assert secret not in written


def test_what_is_not_in_order(newcomer, run):
    """From the plug to the network, each with what to do about it."""
    stops(run("--port", "/dev/ttyNONE", *HERE), "/dev/ttyNONE does not exist")
    stops(run("--port", newcomer, *HERE), "give --ssid and --password")
    stops(run("--port", newcomer, "--broker", "127.0.0.1", *JOIN), "is the board itself to a board")
    stops(run("--port", newcomer, "--broker", "192.0.2.1", *JOIN), "192.0.2.1 is no address of this machine")
    unreachable = ("--broker", "10.0.2.99", "--listen", "127.0.0.1")
    stops(run("--port", newcomer, *unreachable, *JOIN), "the board does not reach 10.0.2.99")


@pytest.mark.parametrize(("log", "words"), [(b"[I] boot\r\n", "brings 10 bytes, but no OK"), (b"", "nothing comes from")])
def test_a_port_that_does_not_answer(log, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checks, "QUIET_SECONDS", 1)
    other, ours = pty.openpty()
    tty.setraw(ours)
    later = threading.Timer(0.3, os.write, (other, log))
    later.start()
    try:
        wishes = checks.Wishes(os.ttyname(ours), 115200, "10.0.2.2", "127.0.0.1")
        assert checks.check(wishes, Transcript(tmp_path / "transcript.txt")) is None
    finally:
        later.join()
        os.close(other)
        os.close(ours)
    assert words in capsys.readouterr().out


JOINING = checks.Wishes("", 115200, "10.0.2.2", "127.0.0.1", ssid="home", password=WIFI_PASSWORD)


@pytest.mark.parametrize(
    ("joins", "words"),
    [
        (b"", "cannot join 'home': no proper answer within 1 s"),
        (b"AT+CWJAP\xff=" + WIFI_PASSWORD.encode() + b"\r\nOK\r\n", "cannot join 'home': no proper answer"),
        (b"ERROR\r\n", "look at --ssid, the password and the distance"),
        (None, " is gone: was the board unplugged"),
    ],
)
def test_a_board_that_does_not_join(joins, words, tmp_path, monkeypatch, capsys):
    """What went over the port, the password in it, is not shown."""
    monkeypatch.setattr(checks, "JOIN_SECONDS", 1)
    monkeypatch.setattr(checks, "CHECKS", (checks.port_opens, checks.board_answers, checks.network_is_joined))
    board = Scripted(lambda line: joins if b"AT+CWJAP=" in line else b"\r\nOK\r\n")
    transcript = Transcript(tmp_path / "transcript.txt")
    assert checks.check(replace(JOINING, port=board.name), transcript) is None
    transcript.close()
    board.close()
    said = capsys.readouterr().out
    assert words in said and len(said.splitlines()) == 3
    assert WIFI_PASSWORD not in said and "***" in (tmp_path / "transcript.txt").read_text()


def test_a_surprise_is_told_in_one_line(tmp_path, capsys, monkeypatch):
    surprise = checks.Surprise(f"b'{WIFI_PASSWORD}' that no command asked for\n--- transcript ---\n{WIFI_PASSWORD}")

    def surprised(bench):
        raise surprise

    monkeypatch.setattr(checks, "CHECKS", (surprised,))
    assert checks.check(JOINING, Transcript(tmp_path / "transcript.txt")) is None
    said = capsys.readouterr().out
    assert said.endswith("b'***' that no command asked for (the transcript has the lines before it)\n")
    assert said.count("\n") == 1


def test_records_that_cannot_be_written(run):
    done = run("--port", "/dev/ttyNONE", *HERE, "--report", "/dev/null/report")
    assert done.returncode == REFUSED
    assert done.stderr.endswith("error: no records can be written to /dev/null/report: Not a directory\n")


def test_options(run):
    done = run("--port", "/dev/ttyNONE")
    assert done.returncode == REFUSED and done.stderr.endswith("error: the following arguments are required: --broker\n")
