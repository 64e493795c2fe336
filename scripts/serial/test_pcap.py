"""`w800-sim --pcap FILE`: the packets of the virtual network, read by another program than wrote them."""

import os
import subprocess
import threading
import time

import dpkt
import pytest

from link import Link
from peer import CONNECT, packet, string

pytestmark = pytest.mark.virtual

SYN, SYN_ACK, ACK = dpkt.tcp.TH_SYN, dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK, dpkt.tcp.TH_ACK


def read(path):
    """Times and IP packets; what is no IP is ARP."""
    with path.open("rb") as file:
        capture = dpkt.pcap.Reader(file)
        assert capture.datalink() == dpkt.pcap.DLT_EN10MB
        frames = [(when, dpkt.ethernet.Ethernet(frame)) for when, frame in capture]
    assert {type(frame.data) for _, frame in frames} <= {dpkt.ip.IP, dpkt.arp.ARP}
    return [(when, frame.data) for when, frame in frames if isinstance(frame.data, dpkt.ip.IP)]


def checksums(packet):
    return packet.sum, packet.data.sum


def computed(packet):
    """The checksums as dpkt fills them in where there are none."""
    anew = dpkt.ip.IP(bytes(packet))
    anew.sum = anew.data.sum = 0
    return checksums(dpkt.ip.IP(bytes(anew)))


def conversation(packets, port):
    """The segments with a broker, and what each side said, once."""
    segments = [ip.data for _, ip in packets if isinstance(ip.data, dpkt.tcp.TCP) and port in (ip.data.sport, ip.data.dport)]
    said = {True: {}, False: {}}
    for segment in segments:
        if segment.data:
            said[segment.dport == port][segment.seq] = segment.data
    return segments, *(b"".join(data for _, data in sorted(said[way].items())) for way in (True, False))


def test_a_session_is_readable_though_the_board_was_killed(new_board, broker, tmp_path):
    before = time.time()
    path = tmp_path / "session.pcap"
    board = new_board("--pcap", str(path))
    link = Link(board.port, board.host)
    link.configure(1, client="captured", keepalive=60)
    link.connect(broker.port)
    link.publish_raw("captured/topic", bytes(range(256)) * 20, 1)
    board.kill()
    note = f"port {broker.port} speaks mqtt: tshark -d tcp.port=={broker.port},mqtt"
    assert board.log() == f"w800-sim: --pcap: {note}\n"

    packets = read(path)
    times = [when for when, _ in packets]
    assert times == sorted(times) and before < times[0] and times[-1] < time.time()
    assert [checksums(ip) for _, ip in packets] == [computed(ip) for _, ip in packets]
    segments, sent, received = conversation(packets, broker.port)
    assert [segment.flags & ~dpkt.tcp.TH_PUSH for segment in segments[:3]] == [SYN, SYN_ACK, ACK]
    body = string(b"MQTT") + b"\4\2\0\x3c" + string(b"captured")
    assert sent.startswith(packet(CONNECT, 0, body))
    assert string(b"captured/topic") in sent and bytes(range(256)) * 20 in sent
    assert received.startswith(b"\x20\2\0\0\x40\2")


def test_a_restarted_board_goes_on_in_the_same_file(new_board, broker, tmp_path):
    path = tmp_path / "restart.pcap"
    board = new_board("--pcap", str(path))
    link = Link(board.port, board.host)
    for name in ("first", "second"):
        link.configure(1, client=name)
        link.connect(broker.port)
        board.port.restart()
    segments, *_ = conversation(read(path), broker.port)
    assert sum(segment.flags == SYN for segment in segments) == 2
    assert all(any(string(name) in segment.data for segment in segments) for name in (b"first", b"second"))


def test_a_pipe_stays_open_over_restarts(new_board, broker, tmp_path):
    """Whoever reads it gets one stream with one header, and its end when the board ends."""
    pipe, path = tmp_path / "live", tmp_path / "read.pcap"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: path.write_bytes(pipe.read_bytes()), daemon=True)
    reader.start()
    board = new_board("--pcap", str(pipe))
    link = Link(board.port, board.host)
    for name in ("first", "second", "third"):
        link.configure(1, client=name)
        link.connect(broker.port)
        board.port.restart()
    board.stop()
    reader.join(10)
    assert not reader.is_alive() and board.process.returncode == 0
    segments, *_ = conversation(read(path), broker.port)
    assert sum(segment.flags == SYN for segment in segments) == 3
    assert all(any(string(name) in segment.data for segment in segments) for name in (b"first", b"second", b"third"))


def test_a_pipe_that_nobody_reads_any_more_ends_the_capture(new_board, tmp_path):
    pipe = tmp_path / "live"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.DEVNULL) as reader:
        board = new_board("--pcap", str(pipe))
        reader.kill()
    for _ in range(2):
        board.port.restart()
    assert board.log() == "w800-sim: --pcap ends here: Broken pipe (os error 32)\n"


@pytest.mark.parametrize("option", ["--pcap", "--trace"])
def test_a_file_that_was_removed_is_missed_once(option, new_board, tmp_path):
    path = tmp_path / "file"
    board = new_board(option, str(path))
    path.unlink()
    for _ in range(2):
        board.port.restart()
    board.port.ok("AT")
    assert board.log() == f"w800-sim: {option} ends here: the file was removed\n"
    assert not path.exists()


@pytest.mark.parametrize("option", ["--pcap", "--trace"])
def test_a_file_that_cannot_be_written_is_refused(option, tmp_path):
    path = tmp_path / "missing" / "file"
    command = [os.environ["W800_SIM"], "--uart", "stdio", option, str(path)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr == f"w800-sim: {option}: cannot write {path}: No such file or directory (os error 2)\n"
