"""The other configuration: Mbed TLS that looks at no dates (no MBEDTLS_HAVE_TIME_DATE) and has buffers of 4 and 2 KiB,
IPv6, no usage texts, and command rows without a place for one.

It is a build of its own (`wm_sdk/configs/opposite`), made here.
"""

from __future__ import annotations

import os

import pytest

from board import HOST_LOOPBACK, REPOSITORY, VirtualBoard, build_image, build_virtual_board
from link import Code, Link
from secure import NAME, SECURE, VERIFYING, hosts

pytestmark = [pytest.mark.virtual("a firmware of another configuration"), pytest.mark.timeout(600)]

CONFIGURATION = "wm_sdk/configs/opposite"


@pytest.fixture(scope="session")
def programs() -> tuple[str, str | None]:
    """The board and, where that is to run one, the image."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("W800_SIM_CONFIG", CONFIGURATION)
        environment.setenv("CARGO_TARGET_DIR", str(REPOSITORY / "target" / "opposite"))
        return build_virtual_board(), build_image() if "W800_SIM_IMAGE" in os.environ else None


@pytest.fixture
def link(programs, argv, tmp_path, monkeypatch):
    program, image = programs
    if image:
        monkeypatch.setenv("W800_SIM_IMAGE", image)
    board = VirtualBoard(program, tmp_path, argv, *hosts())
    board.open()
    yield Link(board.port, board.host)
    board.stop()


@pytest.mark.parametrize("scheme", VERIFYING)
def test_no_clock_is_needed(link, brokers, scheme):
    """Good certificates are accepted with the clock unset, and so are those whose time is over or has not begun."""
    brokers.equip(link)
    for certificate in ("good", "expired", "future"):
        link.configure(scheme)
        link.connect(brokers.port(scheme, certificate))
        link.publish("t", "x", 1)
        link.port.ok("AT+MQTTCLEAN=0")


def test_everything_else_is_verified(link, brokers):
    brokers.equip(link)
    for certificate, code in (("wrong name", Code.WRONG_NAME), ("stranger", Code.TLS_CONFIG)):
        link.configure(3)
        link.port.error(link.conn(brokers.port(3, certificate)), code)


@pytest.mark.parametrize("scheme", SECURE)
def test_large_messages_through_small_records(link, brokers, scheme):
    """The handshake asks the server for fragments that fit."""
    payload = bytes(range(256)) * 160
    brokers.equip(link)
    link.configure(scheme)
    link.connect(brokers.port(scheme))
    link.subscribe("undated", 1)
    link.publish_raw("undated", payload, 1)
    assert link.port.message(20).data == payload


@pytest.mark.parametrize("host", [HOST_LOOPBACK, NAME])
def test_addresses_that_carry_their_family(link, broker, host):
    """In digits and by name, over lwIP with IPv6."""
    link.configure(1)
    link.connect(broker.port, host=host)
    link.subscribe("other", 1)
    link.publish("other", "x", 1)
    assert link.port.message().data == b"x"


def test_an_address_of_ipv6_is_one(link):
    """There is no way to it on this network."""
    link.configure(1)
    link.port.error('AT+MQTTCONN=0,"fd00::99",1883,0,3000', Code.START_FAILED, timeout=30)


@pytest.mark.parametrize("name", ("USERCFG", "PUB", "CLEAN", "CERT", "ERR"))
def test_commands_have_no_usage_texts(link, name):
    """The server finds every row and calls its handler, which has nothing to print."""
    link.port.ok(f"AT+MQTT{name}=?")
