"""How the server hands on its parameters is learnt from USERCFG, whatever the four strings hold (at-contract §1).

A server that decodes hands on the value `"a"` exactly as one that does not hands on the text `a`: USERCFG's strings
are chosen here to look like the other kind's.
"""

import pytest

from atport import quote
from link import Link

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
    "utf-8 in quotes": ('"größe ☀"', '"ü"', '"é"', "ü"),
}

IN_QUOTES = ('"w800"', '"user"', '"secret"', '"path"')


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
@pytest.mark.parametrize("name", ["all empty", "three in quotes", "a backslash before the last quote"])
def test_from_the_first_command_on(new_board, broker, witness, name):
    """Nothing was learnt before; what is learnt holds for all later commands."""
    board = new_board()
    link = Link(board.port, board.host, board.argv)
    link.port.ok(usercfg(HOSTILE[name]))
    link.port.ok("AT+MQTTUSERCFG?", row(HOSTILE[name]))
    others_are_read_alike(link, broker, witness)


@pytest.mark.virtual("a board of its own, started for it")
def test_after_a_restart(new_board, broker, witness):
    """What was learnt is forgotten and learnt again."""
    board = new_board()
    link = Link(board.port, board.host, board.argv)
    link.configure()
    link.port.restart()
    link.port.ok(usercfg(HOSTILE["three in quotes"]))
    others_are_read_alike(link, broker, witness)


@pytest.mark.parametrize("name", ["plain", "all empty", "three in quotes", "the rest empty", "backslashes"])
def test_what_is_learnt_holds_for_later_commands(link, broker, witness, name):
    link.port.ok(usercfg(HOSTILE[name]))
    others_are_read_alike(link, broker, witness)


def test_one_after_the_other(link):
    """Each USERCFG is read right, whatever the one before looked like."""
    for name in [*HOSTILE, *reversed(HOSTILE)]:
        link.port.ok(usercfg(HOSTILE[name]))
        link.port.ok("AT+MQTTUSERCFG?", row(HOSTILE[name]))


def test_a_refused_usercfg_teaches_nothing(link, broker, witness):
    link.port.ok(usercfg(HOSTILE["plain"]))
    link.port.error('AT+MQTTUSERCFG=0,11,"c","u","p",0,0,"/"', 0x6013)
    link.port.error('AT+MQTTUSERCFG=0,11,"\\"c\\"","\\"u\\"","\\"p\\"",0,0,"\\"/\\""', 0x6013)
    others_are_read_alike(link, broker, witness)


def test_all_four_in_quotes(link, connect_packet):
    """The one case that a decoding server's board cannot tell: it reads the texts without their quotes, until a
    USERCFG whose strings are in none. No resource of a WebSocket begins with a quote, so nobody needs it."""
    link.port.ok(usercfg(IN_QUOTES))
    if link.raw:
        link.port.ok("AT+MQTTUSERCFG?", row(IN_QUOTES))
        assert connect_packet() == body(*IN_QUOTES[:3])
        return
    link.port.ok("AT+MQTTUSERCFG?", row([value.strip('"') for value in IN_QUOTES]))
    link.port.ok(usercfg(HOSTILE["plain"]))
    link.port.ok(usercfg(HOSTILE["three in quotes"]))
    link.port.ok("AT+MQTTUSERCFG?", row(HOSTILE["three in quotes"]))
    assert connect_packet() == body(*HOSTILE["three in quotes"][:3])
