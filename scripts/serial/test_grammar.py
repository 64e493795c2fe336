"""The witness itself: what the suite's parser takes and what it refuses."""

import pytest

from grammar import Grammar, Line, Message, Prompt, Violation


def feed_bytewise(data: bytes):
    grammar = Grammar()
    tokens = [token for byte in data for token in grammar.feed(bytes([byte]))]
    assert grammar.pending == b""
    return tokens


STREAM = (
    b'+MQTTCONN:0,4,1,"h",1883,"",0\r\n\r\nOK\r\n'
    b'+MQTTSUBRECV:0,"a\\"b\\\\c",9,\r\nOK\r\n>x,\r\n'
    b"\r\nOK\r\n\r\n>+MQTTPUB:OK\r\n"
)


@pytest.mark.parametrize("feed", [feed_bytewise, lambda data: Grammar().feed(data)])
def test_tokens_do_not_depend_on_how_bytes_arrive(feed):
    tokens = feed(STREAM)
    assert b"".join(token.raw for token in tokens) == STREAM
    assert tokens[3] == Message(0, b'a"b\\c', b"\r\nOK\r\n>x,", b'+MQTTSUBRECV:0,"a\\"b\\\\c",9,\r\nOK\r\n>x,\r\n')
    assert tokens[7] == Prompt()
    assert tokens[8] == Line(b"+MQTTPUB:OK")


@pytest.mark.parametrize(
    "stream",
    [
        b">",
        b"\r\nOK\r\n>",
        b"OK\n",
        b"\rOK\r\n",
        b"a\x00b\r\n",
        b"\xff\r\n",
        b'+MQTTSUBRECV:0,"t",2,abc\r\n',
        b'+MQTTSUBRECV:0,"t",5,abc\r\nOK\r\n',
        b"+MQTTSUBRECV:0,t,1,a\r\n",
        b'+MQTTSUBRECV:0,"t"x",1,a\r\n',
        b'+MQTTSUBRECV:0,"\xff",1,a\r\n',
        b"x" * 3000,
    ],
)
def test_violations(stream):
    with pytest.raises(Violation):
        feed_bytewise(stream)
