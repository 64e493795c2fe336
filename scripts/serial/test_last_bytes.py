"""With ever less of the heap the board lives on (at-contract §2).

LwIP's timers, semaphores and mailboxes are on the heap, and where one of them finds no memory an assertion of lwIP's ends the
program, on the virtual board as on a chip. The library leaves a reserve for them and refuses before.
"""

import pytest

from link import Code, Link
from resources import heap
from secure import MUTUAL
from waiting import until

pytestmark = pytest.mark.virtual("little heap")
BOARD = ("--rtc", "host")
STEP = 8
"""What the heap rounds blocks to."""

ALL = 1 << 30
"""As many free bytes give back what `AT+SYSHEAP` has taken."""

ENOUGH = 72_000
"""Free bytes for any connection."""

WANTING = (Code.MALLOC_FAILED, Code.START_FAILED, Code.TLS_CONFIG)
"""What CONN answers for want of memory: what is missing, a task, or a connection in its time."""

WHOLE = [range(29_160, 29_200, STEP), range(29_380, 29_420, STEP), range(29_864, 29_920, STEP), range(36_000, 36_040, STEP)]
"""Heaps of which a board that has just started leaves so little that lwIP's first call of a task, its first timer, or
nothing at all found none."""


def use(link: Link) -> None:
    """What takes memory on a connection: some of it may be refused, each time with an answer."""
    for command in ('SUB=0,"t",1', 'PUB=0,"t","x",1', 'PUB=0,"t","x",2', 'UNSUB=0,"t"', "CONN?"):
        link.port.command(f"AT+MQTT{command}", 15)
    link.port.events()


def attempt(link: Link, port: int) -> bool:
    """CONN, use of the connection, CLEAN; whether there was a connection."""
    answer = link.port.command(link.conn(port, timeout_ms=3000), 10)
    connected = answer.final == b"OK"
    if connected:
        use(link)
    else:
        assert answer.code in WANTING, answer
    link.clean()
    return connected


@pytest.mark.parametrize("sizes", WHOLE, ids=[f"{sizes.start}" for sizes in WHOLE])
def test_a_board_that_has_just_started(new_board, broker, sizes):
    for size in sizes:
        board = new_board("--heap", str(size))
        link = Link(board.port, board.host)
        link.configure()
        attempt(link, broker.port)
        assert board.alive, (size, board.log())
        board.stop()


SWEEPS = {
    "TCP": (1, range(5_000, 18_000, STEP)),
    "WebSocket": (6, range(14_000, 18_000, 2 * STEP)),
    "TLS, little": (5, [*range(10_400, 10_440, STEP), *range(17_080, 17_160, STEP)]),
    "TLS": (5, range(24_000, 68_000, 17 * STEP)),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scheme", "left"), SWEEPS.values(), ids=SWEEPS.keys())
def test_a_board_that_runs(new_board, brokers, scheme, left, record_property):
    """From the most downwards, and the board is as good as before when there is memory again."""
    board = new_board(*BOARD)
    link = Link(board.port, board.host)
    brokers.equip(link)
    port = brokers.port(scheme, MUTUAL if scheme == 5 else "good")
    connected = 0
    for size in reversed(left):
        link.configure(scheme, path="mqtt" if scheme == 6 else "")
        link.port.ok(f"AT+SYSHEAP={size}")
        connected += attempt(link, port)
        assert board.alive, (size, board.log())
    record_property("told", f"{len(left)} heaps of {left[0]} bytes and more: {connected} connections")
    link.port.ok(f"AT+SYSHEAP={ALL}")
    # LwIP keeps what is left of each connection for four seconds.
    until(lambda: heap(link.port)[0] > ENOUGH, lambda: f"more than {ENOUGH} bytes; it is {heap(link.port)}", 30)
    link.configure(scheme, path="mqtt" if scheme == 6 else "")
    link.connect(port)
    link.publish("t", "still here", 1)
