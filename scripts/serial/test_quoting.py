"""Escapes, tolerant quoting and UTF-8 in string parameters (at-contract §1)."""

import pytest

from atport import quote
from link import Code

TOLERANT = [
    (rb'"{"a":1,"b":2}"', b'{"a":1,"b":2}'),
    (rb'"{"a":"x"}"', b'{"a":"x"}'),
    (rb'"a,b"', b"a,b"),
    (rb'"say "hi""', b'say "hi"'),
    (rb'"5" TV"', b'5" TV'),
    (rb'"[{"a":[1,2]},{"b":null}]"', b'[{"a":[1,2]},{"b":null}]'),
    (rb'"{"a":"x","b":"y"}"', b'{"a":"x","b":"y"}'),
    (rb'"["a","b"]"', b'["a","b"]'),
    (rb'""hello""', b'"hello"'),
    (rb'"{"a":1\,"b":2}"', b'{"a":1,"b":2}'),
    ('"{"größe":"☀","b":2}"'.encode(), '{"größe":"☀","b":2}'.encode()),
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

QOS_READ = 0x6047
DATA_READ = 0x6044
TOPIC_READ = 0x6041
RETAIN_READ = 0x6049

REFUSED = [
    (b'AT+MQTTPUB=0,"t","x","1",0', QOS_READ),
    (b'AT+MQTTPUB=0,"t","a","b",0,0', QOS_READ),
    (b'AT+MQTTPUB=0,"t","x",1,"0"', RETAIN_READ),
    (b'AT+MQTTPUB=0,"t","open,1,0', DATA_READ),
    (b'AT+MQTTPUB=0,"t,"x",1', TOPIC_READ),
    (b'AT+MQTTPUB=0,"t","x"y"z,1,0', DATA_READ),
    (b'AT+MQTTPUB=0,"t","ends with a backslash\\', DATA_READ),
    (b'AT+MQTTPUB=0,"t","x\\",1,0', DATA_READ),
    (b'AT+MQTTPUB=0,"t","{"a":"x\\ny"}",1,0', DATA_READ),
    (b'AT+MQTTPUB=0,"t",x,1,0', DATA_READ),
    (b'AT+MQTTPUB=0,"t","x",1,0,"5000"', Code.LENGTH_READ),
    (b'AT+MQTTPUB="0","t","x",1,0', Code.LINK_READ),
]
"""Lines that cannot be read, or not in one way only, and the code of the parameter that is at fault."""


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
    """What can be read in one way only is published as it was typed."""
    link.port.ok(b'AT+MQTTPUB=0,"t",%s,1,0' % typed)
    assert other.message().payload == meant


@pytest.mark.parametrize(("typed", "meant"), TOLERANT)
def test_wills_without_escapes(link, typed, meant):
    link.configure()
    link.port.ok(b'AT+MQTTCONNCFG=0,60,0,"will",%s,1,0' % typed)
    printed = meant.replace(b'"', b'\\"')
    link.port.ok("AT+MQTTCONNCFG?", b'+MQTTCONNCFG:0,60,0,"will","%s",1,0' % printed)


@pytest.mark.parametrize(("typed", "code"), REFUSED)
def test_what_reads_in_no_way_or_several_answers_the_parameters_code(link, other, typed, code):
    link.port.error(typed, code)
    link.publish("end", "", 1)
    assert other.message().topic == "end"


def test_a_quoted_number_is_no_number(link):
    """Integers are decimal: a data phase does not begin by a length in quotes."""
    link.configure()
    for name, code in (("CLIENTID", 0x6014), ("USERNAME", 0x6017), ("PASSWORD", 0x601A)):
        link.port.error(f'AT+MQTTLONG{name}=0,"128"', code)
    link.port.error('AT+MQTTUSERCFG=0,"1","c","u","p",0,0,""', 0x6012)


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
