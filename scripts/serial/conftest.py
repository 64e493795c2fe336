"""Fixtures: a board, a broker, a witness. See `pytest --help`, group "AT port", for the options.

Without `--port` each test file gets a fresh virtual board; between tests the link is cleaned.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from atport import Surprise
from board import HOST_LOOPBACK, SERVERS, RealBoard, VirtualBoard, build_image, build_virtual_board
from broker import Broker, Witness
from certificates import Certificates
from link import Link
from peer import Peer, Relay
from secure import VERIFYING, Brokers, NodeBroker, TlsBroker, hosts
from transcript import Transcript

HEAP = 100 * 1024
BULK_BAUD = 921600
SERVER_FILES = (
    "test_bad_input.py",
    "test_busy.py",
    "test_codes.py",
    "test_flood.py",
    "test_identity.py",
    "test_in_flight.py",
    "test_interleaving.py",
    "test_limits.py",
    "test_long_fields.py",
    "test_parameters.py",
    "test_port.py",
    "test_pubraw.py",
    "test_queries.py",
    "test_quoting.py",
    "test_session.py",
    "test_styles.py",
)
"""What the kind of AT server could matter to: these get the marker `server`."""

FAILED = pytest.StashKey[bool]()
LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()
"""Tests that a real board cannot run, by the reason."""

TRANSCRIPT = pytest.StashKey[Transcript]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("AT port")
    group.addoption("--port", help="UART of a real board that has joined a network (default: the virtual board)")
    group.addoption("--broker", help="with --port: this machine's address as the board reaches it")
    group.addoption("--listen", help="with --port: where brokers listen on this machine (default: --broker's address)")
    group.addoption("--baud", type=int, default=115200, help="of --port")
    group.addoption("--no-clock", action="store_true", help="with --port: the board does not know the time")
    group.addoption("--transcript", type=Path, help="with --port: a file for all lines of the port, without passwords")
    group.addoption("--argv", choices=SERVERS, default=SERVERS[0], help="the kind of AT server in the virtual board")
    group.addoption("--sim", help="path of w800-sim (default: cargo builds it)")
    group.addoption("--cpu", choices=("native", "xt804"), default="native", help="what runs the library in w800-sim")
    group.addoption("--share", help="run one part of so many, such as 3/10; which tests these are follows from their names")
    group.addoption("--image", help="with --cpu xt804: the program (default: scripts/build-image.sh builds it)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--port"):
        if not config.getoption("--broker"):
            raise pytest.UsageError("--port needs --broker")
        if os.environ.get("PYTEST_XDIST_WORKER") or config.getoption("numprocesses", None):
            raise pytest.UsageError("one real board cannot serve several workers: drop -n")
        if config.getoption("--transcript"):
            config.stash[TRANSCRIPT] = Transcript(config.getoption("--transcript"))
    elif not config.getoption("collectonly") and "W800_SIM" not in os.environ:
        # Workers inherit the environment, so the controller builds once for all.
        os.environ["W800_SIM"] = config.getoption("--sim") or build_virtual_board()
        if config.getoption("--cpu") == "xt804":
            os.environ["W800_SIM_IMAGE"] = config.getoption("--image") or build_image()


def pytest_unconfigure(config: pytest.Config) -> None:
    if TRANSCRIPT in config.stash:
        config.stash[TRANSCRIPT].close()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.name in SERVER_FILES:
        item.add_marker("server")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the tests that were asked for, leave out what a real board cannot run, and what needs no other run."""
    option = config.getoption
    if option("--share"):
        _keep(config, items, _in_share(option("--share")))
    if option("--argv") != SERVERS[0] or option("--cpu") == "xt804":
        _keep(config, items, lambda item: not item.get_closest_marker("once"))
    if option("--port"):
        reasons = {item: _why_not(item, config) for item in items}
        left_out = config.stash[LEFT_OUT] = {}
        for item, reason in reasons.items():
            if reason:
                left_out.setdefault(reason, []).append(item.nodeid)
        _keep(config, items, lambda item: not reasons[item])


def _keep(config: pytest.Config, items: list[pytest.Item], is_kept: Callable[[pytest.Item], bool]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if not is_kept(item)])
    items[:] = [item for item in items if is_kept(item)]


def _in_share(share: str) -> Callable[[pytest.Item], bool]:
    """Whether a test is in the part that `3/10` names."""
    part, _, parts = share.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise pytest.UsageError(f"--share {share}: a part of so many, such as 3/10")
    return lambda item: crc32(f"{item.path.name} {item.name}".encode()) % int(parts) == int(part) - 1


def _why_not(item: pytest.Item, config: pytest.Config) -> str:
    """Why a real board cannot run the test; empty where it can."""
    virtual = item.get_closest_marker("virtual")
    if virtual:
        return virtual.args[0] if virtual.args else "a power that only the virtual board has"
    if item.get_closest_marker("bulk") and config.getoption("--baud") < BULK_BAUD:
        return f"a line of {BULK_BAUD} baud or more"
    if config.getoption("--no-clock") and item.get_closest_marker("clock"):
        # Of tests of several schemes those that look at no date need no clock.
        scheme = item.callspec.params.get("scheme") if hasattr(item, "callspec") else None
        return "" if isinstance(scheme, int) and scheme not in VERIFYING else "a clock, which this board has not"
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What a passed test has to tell, such as a count; and what was left out."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(value)
    left_out = config.stash.get(LEFT_OUT, {})
    if left_out:
        terminalreporter.section("left out on a real board, and what they need")
    for reason, tests in sorted(left_out.items(), key=lambda pair: -len(pair[1])):
        terminalreporter.write_line(f"{len(tests):4d}  {reason}: {', '.join(_files(tests))}")


def _files(tests: list[str]) -> list[str]:
    """Test files by name, each once."""
    return list(dict.fromkeys(Path(test.partition("::")[0]).name for test in tests))


@pytest.fixture(scope="session", autouse=True)
def _left_out(request: pytest.FixtureRequest, record_testsuite_property) -> None:
    """The same in a JUnit file."""
    for reason, tests in request.config.stash.get(LEFT_OUT, {}).items():
        record_testsuite_property(f"left out for want of {reason}", " ".join(tests))


@pytest.fixture(autouse=True)
def _titled(request: pytest.FixtureRequest) -> None:
    """The test's name in the transcript, before its lines."""
    if TRANSCRIPT in request.config.stash:
        request.config.stash[TRANSCRIPT].title(request.node.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if (report.when == "call" or report.failed) and TRANSCRIPT in item.config.stash:
        item.config.stash[TRANSCRIPT].title(report.outcome)
    if report.failed:
        item.stash[FAILED] = True
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, (VirtualBoard, RealBoard)):
                report.sections.append((f"{name}: log", value.log()))
                if value.port is not None and not call.excinfo.errisinstance(Surprise):
                    report.sections.append((f"{name}: transcript", value.port.transcript()))
    return report


@pytest.fixture(scope="session")
def argv(request: pytest.FixtureRequest) -> str:
    return request.config.getoption("--argv")


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest) -> str:
    """Where brokers and peers listen."""
    option = request.config.getoption
    return (option("--listen") or option("--broker")) if option("--port") else "127.0.0.1"


@pytest.fixture
def new_board(request: pytest.FixtureRequest, tmp_path: Path, argv: str):
    """Start virtual boards with options of their own; for tests marked `virtual`."""
    boards = []

    def start(*options: str) -> VirtualBoard:
        boards.append(VirtualBoard(os.environ["W800_SIM"], tmp_path, argv, *options))
        boards[-1].open()
        return boards[-1]

    yield start
    for started in boards:
        started.stop()


@pytest.fixture
def new_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A board of its own that runs the chip's code on the simulated processor, behind a server that decodes."""
    monkeypatch.setenv("W800_SIM_IMAGE", os.environ.get("W800_SIM_IMAGE") or build_image())
    board = VirtualBoard(os.environ["W800_SIM"], tmp_path, "decoded")
    board.open()
    yield board
    board.stop()


@pytest.fixture(scope="module")
def _boards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, argv: str):
    """The file's board, with the options in the file's `BOARD`; a broken one is replaced."""
    current = None

    def get():
        nonlocal current
        if current is None or not current.alive or current.port is None or not current.port.is_open:
            if current is not None:
                current.stop()
            if request.config.getoption("--port"):
                option = request.config.getoption
                transcript = request.config.stash.get(TRANSCRIPT, None)
                tap = transcript.note if transcript else None
                current = RealBoard(option("--port"), option("--baud"), option("--broker"), tap)
            else:
                options = ["--heap", str(getattr(request.module, "HEAP", HEAP)), *hosts(), *getattr(request.module, "BOARD", ())]
                folder = tmp_path_factory.mktemp("board")
                current = VirtualBoard(os.environ["W800_SIM"], folder, argv, *options)
            current.open()
        return current

    def discard() -> None:
        nonlocal current
        if current is not None:
            current.stop()
            current = None

    yield get, discard
    discard()


@pytest.fixture
def board(request: pytest.FixtureRequest, _boards):
    """A board whose port answers, in state 0. It must still be sound after the test."""
    get, discard = _boards
    current = get()
    yield current
    if request.node.stash.get(FAILED, False):
        # What this test broke must not fail the next one.
        discard()
        return
    try:
        assert current.alive, "the board died"
        Link(current.port, current.host).clean()
    except BaseException:
        discard()
        raise


@pytest.fixture
def link(board) -> Link:
    """Link 0 in state 0."""
    return Link(board.port, board.host)


@pytest.fixture
def at(link: Link):
    """The bare port of `link`'s board."""
    return link.port


@pytest.fixture(scope="session")
def _session_broker(tmp_path_factory: pytest.TempPathFactory, address: str):
    with Broker(tmp_path_factory.mktemp("broker"), address) as started:
        yield started


@pytest.fixture
def broker(_session_broker: Broker) -> Broker:
    """A mosquitto shared by all tests; leave no retained message there."""
    return _session_broker


@pytest.fixture
def own_broker(tmp_path: Path, address: str):
    """A mosquitto of the test's own, to be stopped and restarted at will."""
    with Broker(tmp_path, address) as started:
        yield started


@pytest.fixture(scope="session")
def certificates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Authorities, servers and clients, made for this run."""
    option = request.config.getoption
    board = option("--broker") if option("--port") else HOST_LOOPBACK
    return Certificates(tmp_path_factory.mktemp("certificates"), board)


@pytest.fixture(scope="session")
def brokers(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory, address: str):
    """Brokers behind TLS and WebSocket with every certificate, shared by all tests; leave no retained message there."""
    with (
        TlsBroker(tmp_path_factory.mktemp("tls-broker"), certificates, address) as mosquitto,
        NodeBroker(tmp_path_factory.mktemp("node-broker"), certificates, address) as node,
    ):
        yield Brokers(certificates, mosquitto, node)


@pytest.fixture
def witness(broker: Broker):
    """Start second clients of the shared broker: `witness("filter", …)`."""
    clients = []

    def start(*filters: str, qos: int = 2, of: Broker | None = None) -> Witness:
        clients.append(Witness(of or broker, *filters, qos=qos))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def peer(address: str):
    """Start scripted peers: `peer(script, …)`; what a script disliked fails the test at its end."""
    peers = []

    def start(*scripts) -> Peer:
        peers.append(Peer(*scripts, address=address))
        return peers[-1]

    yield start
    for started in peers:
        started.close()


@pytest.fixture
def connect_packet(link, peer):
    """CONN to a decent broker: the body of the CONNECT that came."""

    def connect():
        def script(connection):
            connection.accept()
            connection.serve()

        running = peer(script)
        link.port.ok(f'AT+MQTTCONN=0,"{link.host}",{running.port},0', timeout=20)
        link.port.connected(0)
        return running.connection(0).packets[0].body

    return connect


@pytest.fixture
def relay(broker: Broker):
    """A path to the shared broker that can be cut."""
    with Relay(broker.port, broker.address) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _mosquitto() -> None:
    """Without mosquitto this suite fails; it never skips."""
    for name in ("mosquitto", "mosquitto_pub", "mosquitto_sub"):
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        assert found, f"{name} is not installed: run scripts/setup.sh"
