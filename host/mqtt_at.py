# SPDX-License-Identifier: Apache-2.0
"""A driver for the MQTT AT commands of w800-mqtt-at, for MicroPython and CPython; `mqtt_at.h` is the same in C.

    at = MqttAt(uart.read, uart.write, on_event)
    at.synchronise()
    at.configure(0, 1, "w800")
    at.connect(0, "192.168.1.10", 1883, reconnect=1)
    at.subscribe(0, "room/+", 1)
    at.publish(0, "room/1", b"21.5", 1)
    while True:
        at.poll(100)

`read()` gives the bytes that have arrived, or None or b"" at once; `write(data)` takes bytes and returns how many, or None
for all. What the board tells by itself goes to `on_event(event)`, while a command waits for its answer and in `poll`.
No command may be given from there: note what is to be done, and do it after the poll.

A command that fails raises AtError. Its `code` is the board's (0x6001 to 0x6052, docs/at-reference.md) or a text.
"""

import time

ANSWER_MS = 12000  # The board answers within 10 s.
SYNCHRONISE_MS = 3000
PAUSE_MS = 800  # Around `+++`.
ALREADY_CLEAN = 0x6003
TOPIC_BYTES, ROW_BYTES, LINE_BYTES = 1024, 1024, 256

# Kinds of events. A message comes in pieces, an empty one in one empty piece; the last one ends at `length`. ROW is any
# line that is none of the others, those of answers among them.
MESSAGE, CONNECTED, DISCONNECTED, INCOMPLETE, READY, ROW = range(6)

_HEADS = ((b"+MQTTCONNECTED:", CONNECTED), (b"+MQTTDISCONNECTED:", DISCONNECTED), (b"+MQTTINCOMPLETE:", INCOMPLETE))
_MESSAGE = b"+MQTTSUBRECV:"
_FINALS = {
    b"OK": "OK",
    b"+MQTTPUB:OK": "OK",
    b"+MQTTPUB:FAIL": "not sent",
    b"ERROR": "error",
    b"CMD FORMAT ERR": "error",
    b"CMD PARSE ERR": "error",
    b"busy ...": "busy",
    b"ready": "restarted",
}


class AtError(Exception):
    """A command that failed; or "timeout", "busy", "not sent", "too long", "in an event", "restarted", "error"."""

    def __init__(self, code):
        super().__init__("0x%04x" % code if isinstance(code, int) else code)
        self.code = code


class Event:
    """`data` is a message's piece, which begins at `offset` of `length` bytes; of anything else it is the line."""

    def __init__(self, kind, link, topic, length, offset, data):
        self.kind, self.link, self.topic = kind, link, topic
        self.length, self.offset, self.data = length, offset, data


class MqttAt:
    def __init__(self, read, write, on_event=None):
        self._read, self._write, self._on_event = read, write, on_event
        self._line = bytearray()
        self._left = self._offset = self._length = 0
        self._link, self._topic = 0, b""
        self._waits = self._result = None
        self._code = 0
        self._in_event = self._in_step = False

    # --- reading ---

    def _tell(self, kind, data):
        if self._on_event:
            self._in_event = True
            try:
                self._on_event(Event(kind, self._link, self._topic, self._length, self._offset, data))
            finally:
                self._in_event = False

    def _receive(self):
        """Whether anything has come."""
        data = self._read()
        if not data:
            return False
        at = 0
        while at < len(data):
            if self._left:
                piece = bytes(data[at : at + self._left])
                at += len(piece)
                self._left -= len(piece)
                self._tell(MESSAGE, piece)
                self._offset += len(piece)
            else:
                self._in_row(data[at])
                at += 1
        return True

    def _in_row(self, byte):
        line = self._line
        if byte in b"\r\n":
            self._line = bytearray()
            if line:
                self._end_of_row(bytes(line))
        elif byte == 62 and not line and self._waits == "prompt":
            self._waits = "prompted"
        elif len(line) < ROW_BYTES + TOPIC_BYTES:
            line.append(byte)
            if byte == 44 and line.startswith(_MESSAGE):
                self._head(bytes(line))

    def _head(self, line):
        """Begins a message's data once the line is `+MQTTSUBRECV:<link>,"<topic>",<length>,`."""
        link, _, rest = line[len(_MESSAGE) :].partition(b",")
        end = _closing_quote(rest)
        length = rest[end + 2 : -1]
        if end < 1 or not length.isdigit():
            return
        self._line = bytearray()
        self._link, self._topic = int(link), _unescaped(rest[1:end])
        self._left = self._length = int(length)
        self._offset = 0
        if not self._left:
            self._tell(MESSAGE, b"")

    def _end_of_row(self, line):
        if self._waits and self._result is None and line in _FINALS:
            result = _FINALS[line]
            if not (line == b"OK" and self._waits == "prompt"):
                self._result = self._code if result == "error" and self._code else result
        if line.startswith(b"ERR CODE:0x"):
            self._code = int(line[11:], 16)
        self._link = self._length = self._offset = 0
        for head, kind in _HEADS:
            if line.startswith(head):
                fields = line[len(head) :].split(b",")
                self._link = int(fields[0])
                self._length = int(fields[1]) if kind == INCOMPLETE else 0
                return self._tell(kind, line)
        self._tell(READY if line == b"ready" else ROW, line)

    def poll(self, wait_ms=0):
        """Hand on what the board tells by itself, for at least so long; 0 takes only what is there."""
        if self._in_event:
            return
        start = _now()
        while True:
            while self._receive():
                if _since(start) > wait_ms:
                    return
            if _since(start) >= wait_ms:
                return
            _pause()

    # --- sending, and waiting for an answer ---

    def _send(self, data):
        start = _now()
        while data:
            taken = self._write(data)
            if taken is None:
                return
            data = data[taken:]
            if taken:
                start = _now()
            elif not self._receive():
                if _since(start) > ANSWER_MS:
                    self._result = "timeout"
                _pause()
            if self._result is not None:
                return

    def _exchange(self, timeout_ms, data, waits):
        """One line and its result; or, where the command has data, "prompted"."""
        self._code, self._result, self._waits = 0, None, waits
        self._send(data)
        waited, last = 0, _now()
        while self._result is None and self._waits == waits:
            came = self._receive()
            now = _now()
            # A slow line may take long to print a message, and the answer stands behind it.
            if not (came and self._left):
                waited += _difference(now, last)
            last = now
            if not came:
                _pause()
            if waited > timeout_ms and self._result is None and self._waits == waits:
                self._result = "timeout"
        result = self._waits if self._result is None else self._result
        if result != "prompted":
            self._waits = None
        self._in_step = result != "timeout"
        return result

    def synchronise(self, timeout_ms=30000):
        """Find the board in whatever state it is, in a data phase or a message too, and turn its echo off."""
        if self._in_event:
            raise AtError("in an event")
        start = _now()
        while _since(start) <= timeout_ms:
            offset = self._offset
            result = self._exchange(SYNCHRONISE_MS, b"\r\nAT\r\n", "final")
            # An answer that came late must not be taken for this one.
            self._waits, self._result = "final", None
            self.poll(PAUSE_MS)
            self._waits = None
            if result == "OK" and self._result is None:
                return self._check(self._exchange(SYNCHRONISE_MS, b"ATE0\r\n", "final"))
            if result != "timeout":
                continue
            self._result = None
            self._send(b"+++")
            self.poll(PAUSE_MS)
            # A message that does not go on was none: bytes were lost, or it was in what was read first.
            if self._left and self._offset == offset:
                self._left = 0
        raise AtError("timeout")

    def _check(self, result):
        if result not in ("OK", "prompted"):
            raise AtError(result)

    def command(self, line, timeout_ms=ANSWER_MS, waits="final"):
        """Any command, without its line end."""
        data = _bytes(line) + b"\r\n"
        if len(data) > LINE_BYTES:
            raise AtError("too long")
        if self._in_event:
            raise AtError("in an event")
        if not self._in_step:
            self.synchronise()
        self._check(self._exchange(timeout_ms, data, waits))

    def data(self, line, data, timeout_ms=ANSWER_MS):
        """A command with a data phase: AT+MQTTCERT, AT+MQTTLONGPASSWORD and their kin."""
        self.command(line, waits="prompt")
        self._check(self._exchange(timeout_ms, data, "final"))

    # --- the commands ---

    def configure(self, link, scheme, client, user="", password="", path=""):
        texts = b",".join(quoted(text) for text in (client, user, password))
        self.command(b"AT+MQTTUSERCFG=%d,%d,%s,0,0,%s" % (link, scheme, texts, quoted(path)))

    def connect(self, link, host, port, reconnect=0, timeout_ms=15000):
        line = b"AT+MQTTCONN=%d,%s,%d,%d,%d" % (link, quoted(host), port, reconnect, timeout_ms)
        self.command(line, timeout_ms + ANSWER_MS)

    def publish(self, link, topic, data, qos=0, retain=0):
        """Any bytes. Returns when the broker has confirmed it: at QoS 0, when it is sent."""
        data = _bytes(data)
        if data:
            self.data(b"AT+MQTTPUBRAW=%d,%s,%d,%d,%d" % (link, quoted(topic), len(data), qos, retain), data)
        else:
            self.command(b'AT+MQTTPUB=%d,%s,"",%d,%d' % (link, quoted(topic), qos, retain))

    def subscribe(self, link, topic_filter, qos=0):
        self.command(b"AT+MQTTSUB=%d,%s,%d" % (link, quoted(topic_filter), qos))

    def unsubscribe(self, link, topic_filter):
        self.command(b"AT+MQTTUNSUB=%d,%s" % (link, quoted(topic_filter)))

    def clean(self, link):
        """End the connection and forget the configuration; a link that has none is no error."""
        try:
            self.command(b"AT+MQTTCLEAN=%d" % link)
        except AtError as error:
            if error.code != ALREADY_CLEAN:
                raise


def quoted(text):
    """A string parameter: in quotes, with what must be escaped."""
    text = _bytes(text)
    for special in (b"\\", b",", b'"'):
        text = text.replace(special, b"\\" + special)
    return b'"' + text + b'"'


def _bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def _closing_quote(text):
    """Where the quoted string that begins `text` ends; -1 where it does not."""
    at = 1 if text.startswith(b'"') else len(text)
    while at < len(text) and text[at] != 34:
        at += 2 if text[at] == 92 else 1
    return at if at < len(text) else -1


def _unescaped(text):
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] == 92:
            at += 1
        out += text[at : at + 1]
        at += 1
    return bytes(out)


# MicroPython's clock wraps; CPython has none in milliseconds.
if hasattr(time, "ticks_ms"):
    _now, _difference = time.ticks_ms, time.ticks_diff
else:

    def _now():
        return int(time.monotonic() * 1000)

    def _difference(later, earlier):
        return later - earlier


def _since(start):
    return _difference(_now(), start)


def _pause():
    time.sleep(0.001)
