"""CLEAN gives everything back: heap blocks, tasks, sockets (at-contract §2)."""

import time

import pytest

from link import Code, Link
from resources import settles, snapshot, tasks

pytestmark = pytest.mark.virtual("figures of heap and tasks")


@pytest.fixture
def used(link, broker):
    """A link on a board that has made its few permanent objects: the firmware's semaphores and its timer."""
    session(link, broker)
    link.clean()
    time.sleep(0.5)
    return link


def link_of(board):
    return Link(board.port, board.host)


def session(link, broker):
    link.configure(user="user", password="secret", keepalive=30, will=("lwt", "gone", 1, 0))
    link.connect(broker.port, reconnect=1)
    for number in range(10):
        link.subscribe(f"t/{number}", 2)
    link.publish("t/0", "x", 2)
    link.publish_raw("t/1", b"y" * 4096, 1)
    assert link.port.message().data == b"x"
    assert len(link.port.message().data) == 4096


def test_after_a_session(used, broker):
    before = snapshot(used.port)
    session(used, broker)
    assert len(tasks(used.port)) == len(before[2]) + 1
    used.port.ok("AT+MQTTCLEAN=0")
    settles(used.port, before)


def test_what_a_fresh_board_keeps_after_its_first_session(new_board, broker):
    """A handful of the SDK's objects, made at first use and kept; no task, no buffer."""
    link = link_of(new_board())
    free, blocks, running = snapshot(link.port)
    session(link, broker)
    link.clean()
    settles(link.port, (free - 512, blocks + 10, running))


def test_no_leak_over_many_sessions(used, broker):
    link, before = used, snapshot(used.port)
    for _ in range(10):
        session(link, broker)
        link.clean()
    settles(link.port, before)


def test_after_configuration_only(used):
    link = used
    before = snapshot(link.port)
    for _ in range(5):
        link.configure(client="c" * 100, user="u" * 60, keepalive=5, will=("t" * 100, "m", 0, 0))
        link.port.ok("AT+MQTTCLEAN=0")
    settles(link.port, before)


def test_after_configuring_again_and_again(used):
    link = used
    link.configure(client="c" * 100, will=("t", "m", 0, 0))
    before = snapshot(link.port)
    for _ in range(20):
        link.configure(client="c" * 100, will=("t", "m", 0, 0))
    assert snapshot(link.port) == before


def test_after_a_failed_connection(used, peer):
    link = used
    refusing = peer(lambda connection: connection.accept(5))
    link.configure()
    command = f'AT+MQTTCONN=0,"{link.host}",{refusing.port},0'
    link.port.error(command, Code.START_FAILED)
    time.sleep(0.5)
    before = snapshot(link.port)
    for _ in range(5):
        link.port.error(command, Code.START_FAILED)
    settles(link.port, before)


def test_clean_with_publications_in_flight(used, peer):
    """Payloads that were never acknowledged are given back too."""

    def script(connection):
        connection.accept()
        connection.swallow()

    link = used
    before = snapshot(link.port)
    link.configure()
    link.connect(peer(script).port, reconnect=1)
    link.port.prompt('AT+MQTTPUBRAW=0,"t",8000,1,0,3000')
    link.port.fill(b"z" * 8000)
    assert link.port.result(6) == b"FAIL"
    link.clean()
    settles(link.port, before)


def test_clean_in_a_back_off(used, relay):
    link = used
    before = snapshot(link.port)
    link.configure()
    link.connect(relay.port, reconnect=1)
    link.subscribe("t", 1)
    relay.cut(refuse=True)
    link.port.disconnected()
    # The first attempt has failed.
    relay.await_connections(2)
    link.clean()
    settles(link.port, before)


def test_an_aborted_data_phase_gives_its_buffer_back(used, broker):
    link = used
    link.configure()
    link.connect(broker.port)
    link.publish("t", "x", 1)
    time.sleep(0.3)
    before = snapshot(link.port)
    for _ in range(3):
        link.port.prompt('AT+MQTTPUBRAW=0,"t",20000,1,0')
        time.sleep(0.1)
        link.port.fill(b"+++")
        assert link.port.result() == b"FAIL"
    settles(link.port, before)


def test_no_memory_is_a_code_not_a_crash(new_board, broker):
    """A heap so small that little fits: refusals, and an honest port."""
    board = new_board("--heap", "40960")
    link = link_of(board)
    answer = link.port.command('AT+MQTTUSERCFG=0,1,"c","","",0,0,""')
    assert answer.final == b"OK" or answer.code == Code.MALLOC_FAILED
    answer = link.port.command(f'AT+MQTTCONN=0,"{link.host}",{broker.port},0', 20)
    assert answer.final == b"OK" or answer.code is not None
    link.port.events()
    if answer.final == b"OK":
        for size in (30000, 20000, 10000, 5000, 1000):
            command = f'AT+MQTTPUBRAW=0,"t",{size},1,0'
            link.port.send(command)
            try:
                link.port.await_prompt(2)
            except AssertionError:
                refused = link.port.answer()
                assert refused.code == Code.MALLOC_FAILED, refused
                continue
            link.port.fill(b"m" * size)
            link.port.result()
    assert board.alive
    assert link.port.command("AT+MQTTCONN?").final == b"OK"
