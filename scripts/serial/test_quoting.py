"""Escapes, tolerant quoting and UTF-8 in string parameters (at-contract §1)."""

import pytest

from atport import quote

TOLERANT = [
    (rb'"{"a":1,"b":2}"', b'{"a":1,"b":2}'),
    (rb'"{"a":"x"}"', b'{"a":"x"}'),
    (rb'"a,b"', b"a,b"),
    (rb'"say "hi""', b'say "hi"'),
    (rb'"[{"a":[1,2]},{"b":null}]"', b'[{"a":[1,2]},{"b":null}]'),
]
"""Written without escapes, and what can only be meant."""

ESCAPED = [
    (rb'"\"{\"timestamp\":\"20201121085253\"}\""', b'"{"timestamp":"20201121085253"}"'),
    (rb'"{\"a\":1\,\"b\":2}"', b'{"a":1,"b":2}'),
    (rb'"a\\b"', b"a\\b"),
    (rb'"a\\"', b"a\\"),
    (rb'"a\nb\tc"', b"anbtc"),
    (rb'"\,\,"', b",,"),
    (rb'"\"\""', b'""'),
    (rb'" spaced "', b" spaced "),
    ('"größe ☀ 21,5 °C"'.replace(",", r"\,").encode(), "größe ☀ 21,5 °C".encode()),
]


@pytest.fixture
def other(link, broker, witness):
    """A connected link and the second client that sees its publications."""
    link.configure()
    link.connect(broker.port)
    return witness("t", "end")


@pytest.mark.parametrize(("typed", "meant"), ESCAPED)
def test_escapes(link, other, typed, meant):
    link.port.ok(b'AT+MQTTPUB=0,"t",%s,1,0' % typed)
    assert other.message().payload == meant


@pytest.mark.parametrize(("typed", "meant"), TOLERANT)
def test_unescaped_commas_and_quotes(link, other, typed, meant):
    """Published as meant, or refused where the server has taken the quotes away; never something else."""
    answer = link.port.command(b'AT+MQTTPUB=0,"t",%s,1,0' % typed)
    if link.raw:
        assert answer.final == b"OK", answer
    if answer.final == b"OK":
        assert other.message().payload == meant
    else:
        assert answer.code is not None or answer.lines, answer
    link.publish("end", "", 1)
    assert other.message().topic == "end"


def test_decoded_json_is_refused_with_a_parameter_code(link, other):
    if link.raw:
        link.port.ok(b'AT+MQTTPUB=0,"t","{"a":1,"b":2}",1,0')
        assert other.message().payload == b'{"a":1,"b":2}'
    else:
        link.port.refused(b'AT+MQTTPUB=0,"t","{"a":1,"b":2}",1,0')
        other.quiet()


@pytest.mark.parametrize(
    "typed",
    [
        b'AT+MQTTPUB=0,"t","x","1",0',
        b'AT+MQTTPUB=0,"t","open,1,0',
        b'AT+MQTTPUB=0,"t,"x",1',
        b'AT+MQTTPUB=0,"t","x"y"z,1,0',
        b'AT+MQTTPUB=0,"t","ends with a backslash\\',
        b'AT+MQTTPUB=0,"t","x\\",1,0',
        b'AT+MQTTPUB=0,"t","x",1,0,',
        b'AT+MQTTPUB="0","t","x",1,0',
    ],
)
def test_nothing_else_is_published_than_was_typed(link, other, typed):
    """Lines that cannot be read, or not in one way only."""
    answer = link.port.command(typed)
    if answer.final == b"OK":
        # Readable after all, e.g. a quoted number where the server removes the quotes.
        assert other.message().payload in (b"x", b'x"y"z')
    else:
        assert answer.code is not None or answer.lines, answer
        other.quiet()
    link.publish("end", "", 1)
    assert other.message().topic == "end"


def test_utf8_topics(link, other, broker, witness):
    name = "straße/☀/温度"
    second = witness(name)
    link.subscribe(name, 1)
    link.publish(name, "x", 1)
    assert second.message().topic == name
    assert link.port.message().topic == name.encode()
    link.port.ok("AT+MQTTSUB?", f'+MQTTSUB:0,6,"{name}",1')


@pytest.mark.parametrize("command", ["PUB", "SUB"])
@pytest.mark.parametrize("topic", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"])
def test_a_topic_that_is_no_utf8_is_refused(link, other, topic, command):
    tail = b',"x",0,0' if command == "PUB" else b",0"
    link.port.refused(b'AT+MQTT%s=0,"%s"%s' % (command.encode(), topic, tail))
    link.publish("end", "", 1)
    assert other.message().topic == "end"


def test_data_need_not_be_utf8(link, other):
    link.port.ok(b'AT+MQTTPUB=0,"t","\xff\xfe\x80",1,0')
    assert other.message().payload == b"\xff\xfe\x80"


def test_quotes_and_backslashes_in_topics(link, broker, witness):
    name = 'a"b\\c,d'
    second = witness(name)
    link.configure()
    link.connect(broker.port)
    link.subscribe(name, 0)
    link.port.ok("AT+MQTTSUB?", rb'+MQTTSUB:0,6,"a\"b\\c,d",0')
    link.publish(name, "x", 0)
    received = link.port.message()
    assert received.topic == name.encode()
    assert received.raw == rb'+MQTTSUBRECV:0,"a\"b\\c,d",1,x' + b"\r\n"
    assert second.message().topic == name
    link.port.ok(b"AT+MQTTUNSUB=0," + quote(name))


def test_the_longest_line(link, other):
    """256 bytes with CR LF is the longest line; its data arrives whole."""
    head, tail = b'AT+MQTTPUB=0,"t","', b'",1,0'
    data = bytes(0x41 + index % 26 for index in range(254 - len(head) - len(tail)))
    link.port.ok(head + data + tail)
    assert other.message().payload == data
