"""The virtual network leads to this machine's loopback and nowhere else, unless `--net open` was given.

No test sends anything to an address outside 10.0.2.0/24 but against the closed network, where it is refused.
What the gate decides of other addresses is held by `wm_sdk/host/net/tests/gate_test.c`, which sends nothing.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import dpkt
import pytest

from link import Code, Link
from test_pcap import read

pytestmark = pytest.mark.virtual("its network")

OUTSIDE = ["1.2.3", "010.0.2.2", "203.0.113.1", "10.0.2.3"]
"""Typing errors that lwIP reads as addresses, an address of another machine, and the name server, which serves nothing else."""

FIRST_MS = 3000
"""The shortest time-out of CONN."""


@pytest.fixture
def captured(new_board, tmp_path: Path):
    """A link of a board whose packets are kept, and their file."""

    def start(*options: str) -> tuple[Link, Path]:
        path = tmp_path / "closed.pcap"
        board = new_board("--pcap", str(path), *options)
        link = Link(board.port, board.host)
        link.configure()
        return link, path

    return start


def remote_ends(process: int) -> set[str]:
    """Addresses that the process's own sockets are connected to."""
    inodes = {os.readlink(entry).removeprefix("socket:").strip("[]") for entry in Path(f"/proc/{process}/fd").iterdir()}
    ends = set()
    for table in ("tcp", "udp"):
        for row in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            remote = bytes.fromhex(fields[2].partition(":")[0])[::-1]
            if fields[9] in inodes and any(remote):
                ends.add(".".join(map(str, remote)))
    return ends


@pytest.mark.parametrize("host", OUTSIDE)
def test_another_address_is_unreachable(host, captured):
    link, path = captured()
    link.port.send(link.conn(1883, host=host, timeout_ms=FIRST_MS))
    answer = link.port.answer()
    assert answer.final == b"ERROR" and answer.code == Code.START_FAILED
    assert link.state() == 1
    packets = [packet for _, packet in read(path)]
    connects = [packet for packet in packets if isinstance(packet.data, dpkt.tcp.TCP)]
    refusals = [packet.data for packet in packets if isinstance(packet.data, dpkt.icmp.ICMP)]
    # No segment ever comes back, and each that goes out is answered by the network itself.
    assert all(packet.src == bytes([10, 0, 2, 15]) for packet in connects)
    assert len(refusals) == len(connects) > 0
    for packet, refusal in zip(connects, refusals):
        assert (refusal.type, refusal.code) == (dpkt.icmp.ICMP_UNREACH, dpkt.icmp.ICMP_UNREACH_NET)
        assert bytes(packet)[:20] == bytes(refusal.data.data)[:20]


def test_no_socket_leads_out(new_board, broker):
    """While the board tries an address outside and looks up a name, its process has no socket but to the loopback."""
    board = new_board()
    link = Link(board.port, board.host)
    link.configure()
    for host in ("203.0.113.1", "unmapped.example"):
        link.port.send(link.conn(1883, host=host, timeout_ms=FIRST_MS))
        deadline = time.monotonic() + FIRST_MS / 1000
        while time.monotonic() < deadline:
            assert remote_ends(board.process.pid) == set()
            time.sleep(0.05)
        assert link.port.answer().final == b"ERROR"
    assert "203.0.113.1 is outside this machine, which takes --net open" in board.log()
    # The same look finds a connection that there is.
    link.connect(broker.port)
    assert remote_ends(board.process.pid) == {"127.0.0.1"}


def test_an_unmapped_name_does_not_exist(captured):
    link, path = captured("--hosts", "mapped.example=10.0.2.2")
    answer = link.port.error(link.conn(1883, host="unmapped.example", timeout_ms=FIRST_MS), Code.START_FAILED)
    assert answer.seconds < FIRST_MS / 1000
    report = link.report()
    assert (report.stage, report.text) == (1, "name not found")
    answers = [dpkt.dns.DNS(ip.data.data) for _, ip in read(path) if isinstance(ip.data, dpkt.udp.UDP) and ip.data.sport == 53]
    assert [(answer.qd[0].name, answer.rcode) for answer in answers] == [("unmapped.example", dpkt.dns.DNS_RCODE_NXDOMAIN)]


@pytest.mark.parametrize("target", ["127.0.0.1", "10.0.2.2"])
def test_a_mapped_name_is_reached(target, captured, broker):
    link, _ = captured("--hosts", f"mapped.example={target}")
    link.connect(broker.port, host="mapped.example")


def test_a_silent_host_of_the_virtual_network(captured):
    """Nobody has the address: not even a segment goes out, only the question who has it."""
    link, path = captured("--hosts", "silent.example=10.0.2.99")
    for host in ("10.0.2.99", "silent.example"):
        link.port.error(link.conn(1883, host=host, timeout_ms=FIRST_MS), Code.START_FAILED)
    assert not [ip for _, ip in read(path) if isinstance(ip.data, dpkt.tcp.TCP)]


REFUSED = {
    "a=203.0.113.1": "the address is outside this machine, which takes --net open",
    "a=127.0.0.2": "of the loopback the board reaches 127.0.0.1 only",
    "a=::1": "the virtual network has no IPv6; let the server listen on 127.0.0.1 too",
    "a=010.0.2.2": "it is not name=address, name=address@<n>ms or name=drop",
    "a=1.2.3": "it is not name=address, name=address@<n>ms or name=drop",
}


@pytest.mark.parametrize("entry", REFUSED)
def test_a_target_that_is_not_reached_is_refused_at_the_start(entry):
    command = [os.environ["W800_SIM"], "--uart", "stdio", "--hosts", entry]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr == f'hosts: "{entry}": {REFUSED[entry]}\n'


def test_an_open_network_takes_targets_outside(new_board):
    """They are not connected to here."""
    board = new_board("--net", "open", "--hosts", "a=203.0.113.1", "--hosts", "b=127.0.0.1")
    board.port.ok("AT")
    assert board.log() == ""
