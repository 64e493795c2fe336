"""What a line means does not depend on the AT server behind the port (at-contract §1 "One reading", §8).

USERCFG's strings are chosen here to look like what another kind of server makes of other strings, and the same lines are
typed to boards of each kind, whose transcripts must not differ by a byte.
"""

import os

import pytest

from atport import quote
from board import SERVERS, VirtualBoard
from link import Link
from test_quoting import ESCAPED, REFUSED, TOLERANT

HOSTILE = {
    "plain": ("w800", "user", "secret", "path"),
    "all empty": ("", "", "", ""),
    "a client identifier in quotes": ('"w800"', "user", "secret", "path"),
    "a user name in quotes": ("w800", '"user"', "secret", "path"),
    "a password in quotes": ("w800", "user", '"secret"', "path"),
    "three in quotes": ('"w800"', '"user"', '"secret"', "path"),
    "three in quotes, no path": ('"w800"', '"user"', '"secret"', ""),
    "the rest empty": ('"w800"', "", "", ""),
    "a lone quote": ('"', '"', '"', ""),
    "two quotes": ('""', '""', '""', ""),
    "quotes around nothing but commas": ('","', '",,"', '","', ""),
    "one begins, the other ends with a quote": ('"w800', "user", 'secret"', "path"),
    "quotes inside": ('w"8"00', 'us"er', 's"e"c', 'p"a'),
    "quote and comma": ('",', '",0', ',"', ","),
    "backslashes": ("\\", "\\\\", "a\\", "\\b"),
    "a backslash before the last quote": ('"w800\\"', '"user\\"', '"secret\\"', ""),
    "what looks like the line's end": ('w",0,0,"', "user", 'secret",0,0,"p', ""),
    "json": ('{"id":"w800","n":1}', '["user"]', '{"a":[1,2]}', ""),
    "all four in quotes": ('"w800"', '"user"', '"secret"', '"path"'),
    "utf-8 in quotes": ('"größe ☀"', '"ü"', '"é"', "ü"),
}

def usercfg(values):
    client, user, password, path = (quote(value) for value in values)
    return b"AT+MQTTUSERCFG=0,1,%s,%s,%s,0,0,%s" % (client, user, password, path)


def escaped(text):
    """As the port prints strings."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def row(values):
    client, user, password, path = (escaped(value) for value in values)
    return f"+MQTTUSERCFG:0,1,{client},{user},{password},0,0,{path}"


def body(client, user, password):
    """A CONNECT of these and of nothing else (MQTT 3.1.1 §3.1)."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if password else 0)
    texts = [client, *filter(None, (user, password))]
    head = b"\x00\x04MQTT\x04" + bytes([flags]) + (120).to_bytes(2, "big")
    return head + b"".join(len(text.encode()).to_bytes(2, "big") + text.encode() for text in texts)


def others_are_read_alike(link, broker, witness):
    """Strings of later commands, escaped and not."""
    other = witness("styles/#")
    text = 'he said "a, b\\c"'
    link.port.ok(b"AT+MQTTCONNCFG=0,0,0," + quote("styles/" + text) + b"," + quote(text) + b",0,0")
    link.port.ok("AT+MQTTCONNCFG?", f"+MQTTCONNCFG:0,120,0,{escaped('styles/' + text)},{escaped(text)},0,0")
    link.port.ok(b"AT+MQTTCLIENTID=0," + quote('"new"'))
    link.port.ok("AT+MQTTCLIENTID?", '+MQTTCLIENTID:0,"\\"new\\""')
    link.port.ok('AT+MQTTCLIENTID=0,"plain"')
    link.port.ok("AT+MQTTCLIENTID?", '+MQTTCLIENTID:0,"plain"')
    link.port.ok('AT+MQTTUSERNAME=0,"user"')
    link.port.ok('AT+MQTTPASSWORD=0,"secret"')
    host = f'"{link.host}"'
    link.port.ok(f"AT+MQTTCONN=0,{host},{broker.port},0")
    link.port.connected(0)
    for payload in (text, '"x"', '""', "x", ""):
        link.publish("styles/" + text, payload, 1)
        message = other.message()
        assert (message.topic, message.payload) == ("styles/" + text, payload.encode())


@pytest.mark.parametrize("name", HOSTILE)
def test_connect_carries_exactly_what_usercfg_said(link, connect_packet, name):
    values = HOSTILE[name]
    link.port.ok(usercfg(values))
    link.port.ok("AT+MQTTUSERCFG?", row(values))
    assert connect_packet() == body(*values[:3])


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.parametrize("name", ["all empty", "all four in quotes", "a backslash before the last quote"])
def test_from_the_first_command_on(new_board, broker, witness, name):
    """A board that has seen no line yet reads the first one right, and all later ones."""
    board = new_board()
    link = Link(board.port, board.host)
    link.port.ok(usercfg(HOSTILE[name]))
    link.port.ok("AT+MQTTUSERCFG?", row(HOSTILE[name]))
    others_are_read_alike(link, broker, witness)


@pytest.mark.parametrize("name", ["plain", "all empty", "all four in quotes", "the rest empty", "backslashes"])
def test_no_line_changes_how_later_ones_are_read(link, broker, witness, name):
    link.port.ok(usercfg(HOSTILE[name]))
    others_are_read_alike(link, broker, witness)


def test_one_after_the_other(link):
    """Each USERCFG is read right, whatever the one before looked like."""
    for name in [*HOSTILE, *reversed(HOSTILE)]:
        link.port.ok(usercfg(HOSTILE[name]))
        link.port.ok("AT+MQTTUSERCFG?", row(HOSTILE[name]))


def test_a_refused_usercfg_changes_nothing(link, broker, witness):
    link.port.ok(usercfg(HOSTILE["plain"]))
    link.port.error('AT+MQTTUSERCFG=0,11,"c","u","p",0,0,"/"', 0x6013)
    link.port.error('AT+MQTTUSERCFG=0,11,"\\"c\\"","\\"u\\"","\\"p\\"",0,0,"\\"/\\""', 0x6013)
    others_are_read_alike(link, broker, witness)


def typed_lines(host, port):
    """Lines of every kind, in an order in which each makes sense."""
    for values in HOSTILE.values():
        yield usercfg(values)
        yield b"AT+MQTTUSERCFG?"
    yield usercfg(HOSTILE["plain"])
    for typed, _ in TOLERANT:
        yield b'AT+MQTTCONNCFG=0,60,0,"will",%s,1,0' % typed
        yield b"AT+MQTTCONNCFG?"
    yield b'AT+MQTTLONGPASSWORD=0,"128"'
    yield b'AT+MQTTCONN=0,"%s",%d,0' % (host.encode(), port)
    for typed, _ in ESCAPED + TOLERANT:
        yield b'AT+MQTTPUB=0,"t",%s,1,0' % typed
    for typed, _ in REFUSED:
        yield typed
    yield b"AT+MQTTCLEAN=0"


@pytest.mark.virtual("boards of each kind")
@pytest.mark.once
def test_every_server_gives_the_same_transcript(broker, tmp_path):
    transcripts = {}
    for kind in SERVERS:
        folder = tmp_path / kind
        folder.mkdir()
        board = VirtualBoard(os.environ["W800_SIM"], folder, kind)
        board.open()
        try:
            transcripts[kind] = [board.port.command(line).raw for line in typed_lines(board.host, broker.port)]
        finally:
            board.stop()
    first, *others = SERVERS
    for kind in others:
        for one, other in zip(transcripts[first], transcripts[kind], strict=True):
            assert one == other, kind
