# SPDX-License-Identifier: Apache-2.0
"""mqtt_at.py against a board that answers from a script; runs on MicroPython as well as on CPython, and prints "passed"."""

from mqtt_at import CONNECTED, INCOMPLETE, MESSAGE, READY, AtError, MqttAt, quoted

HOSTILE = b'\r\nOK\r\n+MQTTSUBRECV:0,"x",5,\x00\xff"\\,'


class Board:
    """`answers` maps what is written to what comes back; what comes is handed out a few bytes at a time."""

    def __init__(self):
        self.out = bytearray()
        self.written = bytearray()
        self.answers = {b"\r\nAT\r\n": b"AT\r\n\r\nOK\r\n", b"ATE0\r\n": b"ATE0\r\n\r\nOK\r\n"}

    def read(self):
        piece = bytes(self.out[:5])
        self.out = self.out[5:]
        return piece or None

    def write(self, data):
        self.written += data
        answer = self.answers.get(bytes(self.written))
        if answer is not None:
            self.out += answer
            self.written = bytearray()
        return len(data)


board, events = Board(), []
at = MqttAt(board.read, board.write, events.append)


def failed(call, *arguments):
    try:
        call(*arguments)
    except AtError as error:
        return error.code
    return None


def drain():
    while board.out:
        at.poll()


def messages():
    """(link, topic, data) of each, put together; they are forgotten."""
    drain()
    found = []
    for event in events:
        if event.kind == MESSAGE:
            if event.offset == 0:
                found.append((event.link, event.topic, event.data))
            else:
                link, topic, data = found.pop()
                found.append((link, topic, data + event.data))
            assert len(found[-1][2]) <= event.length
    del events[:]
    return found


at.synchronise()

board.answers[b'AT+MQTTUSERCFG=0,1,"a\\,b","","",0,0,""\r\n'] = b"\r\nOK\r\n"
at.configure(0, 1, "a,b")

board.answers[b'AT+MQTTCONN=0,"h",1883,1,15000\r\n'] = b'+MQTTCONNECTED:0,1,"h",1883,"",1\r\n\r\nOK\r\n'
at.connect(0, "h", 1883, reconnect=1)
assert [event.kind for event in events][-2] == CONNECTED

line = b'+MQTTSUBRECV:0,"t\\"\\\\,",%d,%s\r\n' % (len(HOSTILE), HOSTILE)
board.answers[b'AT+MQTTSUB=0,"#",1\r\n'] = line + b"\r\nOK\r\n" + line
at.subscribe(0, "#", 1)
assert messages() == [(0, b't"\\,', HOSTILE)] * 2

board.answers[b'AT+MQTTPUBRAW=0,"t",%d,1,0\r\n' % len(HOSTILE)] = b"\r\nOK\r\n\r\n>"
board.answers[HOSTILE] = b"\r\n+MQTTPUB:OK\r\n" + b'+MQTTSUBRECV:0,"t",0,\r\n'
at.publish(0, "t", HOSTILE, 1)
assert messages() == [(0, b"t", b"")]
board.answers[HOSTILE] = b"\r\n+MQTTPUB:FAIL\r\n"
assert failed(at.publish, 0, "t", HOSTILE, 1) == "not sent"

board.answers[b"AT+MQTTCLEAN=0\r\n"] = b"ERR CODE:0x00006003\r\n\r\nERROR\r\n"
at.clean(0)
board.answers[b'AT+MQTTUNSUB=0,"u"\r\n'] = b"ERR CODE:0x0000600e\r\n\r\nERROR\r\n"
assert failed(at.unsubscribe, 0, "u") == 0x600E
assert failed(at.command, "AT+" + "X" * 300) == "too long"
board.answers[b"AT+X\r\n"] = b"CMD FORMAT ERR\r\n"
assert failed(at.command, "AT+X") == "error"

del events[:]
board.out += b"+MQTTINCOMPLETE:0,7\r\nready\r\n"
drain()
assert [(event.kind, event.length) for event in events] == [(INCOMPLETE, 7), (READY, 0)]
assert failed(at.command, "AT+SILENT", 50) == "timeout"
assert quoted('a"\\,') == b'"a\\"\\\\\\,"'
print("passed")
