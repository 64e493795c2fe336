"""WebSocket as RFC 6455 has it, at a server made by hand: handshake, frames, and what a server must not do
(at-contract §6)."""

import base64
import contextlib
import random
import struct
import threading
import time

import pytest

from link import Code, Link, Report
from peer import CONNECT, DISCONNECT, PUBACK, PUBLISH, connack, packet, publish
from tls import open_websocket, over_websocket, read_hello
from websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, accept_key, frame, switching

WEBSOCKET_STAGE, CONNACK_STAGE, SESSION = 4, 5, 6
SCHEME = 6
NORMAL, GOING_AWAY, PROTOCOL_ERROR = 1000, 1001, 1002


def status(code):
    return struct.pack(">H", code)


def serve(connection):
    connection.accept()
    connection.serve()


@pytest.fixture
def websocket(link, peer):
    """CONN to a server with a WebSocket, where `script` runs after CONN's OK; the peer."""

    def start(script, **configuration):
        connected = threading.Event()

        def whole(connection):
            open_websocket(connection)
            connection.accept()
            connected.wait(20)
            script(connection)

        server = peer(whole)
        link.configure(SCHEME, **configuration)
        link.connect(server.port)
        connected.set()
        return server

    return start


# --- the opening handshake ---


@pytest.fixture
def request_of(link, peer):
    """The opening handshake of a CONN."""

    def ask(path="", host=""):
        server = peer(over_websocket(serve))
        link.configure(SCHEME, path=path)
        link.connect(server.port, host=host)
        request = server.connection(0).socket.request
        link.port.ok("AT+MQTTCLEAN=0")
        return request, server.port

    return ask


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("/", "/"),
        ("mqtt", "/mqtt"),
        ("/mqtt", "/mqtt"),
        ("a/b?c=d&e=%20", "/a/b?c=d&e=%20"),
        ("x" * 32, "/" + "x" * 32),
    ],
)
def test_path(request_of, path, asked):
    request, _ = request_of(path)
    assert request.line == f"GET {asked} HTTP/1.1"


def test_headers(request_of, link):
    """All that RFC 6455 §4.1 and MQTT 3.1.1 §6 ask for, and no extension."""
    request, port = request_of()
    headers = request.headers
    assert headers["host"] == f"{link.host}:{port}"
    assert headers["upgrade"].lower() == "websocket"
    assert "upgrade" in headers["connection"].lower()
    assert headers["sec-websocket-version"] == "13"
    assert headers["sec-websocket-protocol"] == "mqtt"
    assert "sec-websocket-extensions" not in headers
    assert len(base64.b64decode(headers["sec-websocket-key"], validate=True)) == 16


@pytest.mark.virtual("names that are looked up in the virtual network")
def test_host_is_the_name_typed(request_of):
    request, port = request_of(host="broker.test")
    assert request.headers["host"] == f"broker.test:{port}"


def test_keys_differ(request_of):
    assert len({request_of()[0].headers["sec-websocket-key"] for _ in range(4)}) == 4


def test_connected_shows_the_path_as_typed(link, peer):
    link.configure(SCHEME, path="mqtt")
    server = peer(over_websocket(serve))
    link.connect(server.port)
    link.port.ok("AT+MQTTCONN?", f'+MQTTCONN:0,4,6,"{link.host}",{server.port},"mqtt",0')


RIGHT = "right"


def plain(*headers, code="101 Switching Protocols"):
    """A whole answer; `RIGHT` stands for the key that fits."""

    def answer(key):
        lines = [f"HTTP/1.1 {code}", *(header.replace(RIGHT, accept_key(key)) for header in headers)]
        return "\r\n".join([*lines, "", ""]).encode()

    return answer


UPGRADE, CONNECTION, ACCEPT, PROTOCOL = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    f"Sec-WebSocket-Accept: {RIGHT}",
    "Sec-WebSocket-Protocol: mqtt",
)


def answers(answer, then=serve):
    """A server whose opening handshake is `answer(key)`, and goes on if the board does."""

    def script(connection):
        connection.put_over(WebSocket)
        websocket = connection.socket
        websocket.send_raw(answer(websocket.request.headers["sec-websocket-key"]))
        then(connection)

    return script


def leaves(connection):
    """The board sends nothing more but perhaps a close, and goes."""
    assert connection.receive(5) is None


@pytest.mark.parametrize(
    "answer",
    [
        plain("upgrade: WebSocket", "connection: keep-alive, upgrade", ACCEPT, PROTOCOL),
        plain("Server: x", "Date: now", UPGRADE, CONNECTION, ACCEPT, PROTOCOL, "X-Long: " + "y" * 300),
        plain("UPGRADE:websocket", "CONNECTION:Upgrade", f"SEC-WEBSOCKET-ACCEPT:  {RIGHT}  ", "sec-websocket-protocol:mqtt"),
    ],
    ids=["case", "more headers", "blanks"],
)
def test_forms_of_a_right_answer(link, peer, answer):
    link.configure(SCHEME)
    link.connect(peer(answers(answer)).port)
    link.publish("t", "x", 1)


def test_an_answer_byte_by_byte_with_connack_behind(link, peer):
    def script(connection):
        connection.put_over(WebSocket)
        websocket = connection.socket
        answer = switching(accept_key(websocket.request.headers["sec-websocket-key"]), PROTOCOL)
        for byte in answer:
            websocket.send_raw(bytes([byte]))
            time.sleep(0.001)
        serve(connection)

    link.configure(SCHEME)
    link.connect(peer(script).port)
    link.publish("t", "x", 1)


def test_frames_in_the_segment_of_the_answer(link, peer):
    """A ping, before anything was asked."""

    def script(connection):
        connection.put_over(WebSocket)
        websocket = connection.socket
        answer = switching(accept_key(websocket.request.headers["sec-websocket-key"]), PROTOCOL)
        websocket.send_raw(answer + frame(PING, b"early"))
        got = {websocket.next_frame().opcode for _ in range(2)}
        assert got == {PONG, BINARY}
        websocket.send(BINARY, connack())
        connection.serve()

    link.configure(SCHEME)
    link.connect(peer(script).port)
    link.publish("t", "x", 1)


WRONG_ANSWERS = {
    "wrong key": plain(UPGRADE, CONNECTION, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", PROTOCOL),
    "no key": plain(UPGRADE, CONNECTION, PROTOCOL),
    "no protocol": plain(UPGRADE, CONNECTION, ACCEPT),
    "another protocol": plain(UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Protocol: mqttv3.1"),
    "no upgrade": plain(CONNECTION, ACCEPT, PROTOCOL),
    "another upgrade": plain("Upgrade: h2c", CONNECTION, ACCEPT, PROTOCOL),
    "no connection": plain(UPGRADE, ACCEPT, PROTOCOL),
    "an extension": plain(UPGRADE, CONNECTION, ACCEPT, PROTOCOL, "Sec-WebSocket-Extensions: permessage-deflate"),
    "rubbish": lambda _: b"\x16\x03\x01 what?\r\n\r\n",
    "endless": lambda _: b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"y" * 65536,
    "an MQTT broker": lambda _: connack(),
    "half an answer": lambda _: b"HTTP/1.1 101 Switching Proto",
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("title", WRONG_ANSWERS)
def test_a_broken_handshake(link, peer, title):
    """No MQTT packet follows it."""

    def then(connection):
        if title in ("half an answer", "nothing"):
            return
        leaves(connection)

    server = peer(answers(WRONG_ANSWERS[title], then))
    link.configure(SCHEME)
    answer = link.port.error(link.conn(server.port), Code.START_FAILED)
    assert answer.seconds < 5
    report = link.report()
    assert (report.code, report.stage, report.detail) == (Code.START_FAILED, WEBSOCKET_STAGE, 0)
    assert report.text
    assert server.connection(0).ended.wait(3)
    assert link.state() == 1


@pytest.mark.parametrize(
    "line", ["401 Unauthorized", "404 Not Found", "302 Found", "200 OK", "426 Upgrade Required", "503 Service Unavailable"]
)
def test_a_refusal(link, peer, line):
    """The status is the detail, and nothing is followed or tried again."""
    server = peer(answers(plain("Location: /elsewhere", "Content-Length: 0", code=line), leaves))
    link.configure(SCHEME)
    answer = link.port.error(link.conn(server.port), Code.START_FAILED)
    assert answer.seconds < 5
    report = link.report()
    assert (report.code, report.stage, report.detail) == (Code.START_FAILED, WEBSOCKET_STAGE, int(line[:3]))
    link.port.quiet(0.3)
    assert len(server.connections) == 1


def test_silence(link, peer):
    def script(connection):
        connection.put_over(WebSocket)
        leaves(connection)

    link.configure(SCHEME)
    answer = link.port.error(link.conn(peer(script).port, timeout_ms=3000), Code.START_FAILED, timeout=8)
    assert 2.8 <= answer.seconds <= 4.5
    assert link.report() == Report(Code.START_FAILED, WEBSOCKET_STAGE, 0, "no answer")


def test_a_refusal_while_reconnecting_is_tried_again(link, peer):
    def first(connection):
        open_websocket(connection)
        connection.accept()

    refusal = answers(plain("Content-Length: 0", code="503 Service Unavailable"), leaves)
    link.configure(SCHEME)
    link.connect(peer(first, refusal, over_websocket(serve)).port, 1)
    link.port.disconnected()
    link.port.connected(8)
    assert link.report().detail == 503


def test_tls_comes_first_where_there_is_tls(link, peer):
    """Scheme 7 speaks no HTTP before its handshake."""
    seen = []
    link.configure(7)
    link.port.error(link.conn(peer(lambda connection: seen.append(read_hello(connection))).port), Code.TLS_CONFIG)
    assert seen


# --- frames of the board ---


def test_every_frame_is_masked_and_each_differently(link, websocket):
    """The peer refuses unmasked ones; masks must not repeat."""
    server = websocket(lambda connection: connection.serve())
    for number in range(30):
        link.publish("t", "x" * number, 1)
    link.port.ok("AT+MQTTCLEAN=0")
    assert server.connection(0).ended.wait(5)
    frames = server.connection(0).socket.frames
    masks = [got.mask for got in frames if got.payload]
    assert len(masks) >= 32
    assert len(set(masks)) == len(masks)
    assert bytes(4) not in masks
    assert {got.opcode for got in frames} <= {BINARY, CONTINUATION, CLOSE}


@pytest.mark.parametrize("size", [119, 120, 121, 1000, 30000])
def test_lengths_of_frames(link, websocket, size):
    """Around the border of the 7-bit length, and beyond it."""
    payload = random.Random(size).randbytes(size)
    server = websocket(lambda connection: connection.serve())
    link.publish_raw("t", payload, 1)
    got = next(got for got in server.connection(0).packets if got.kind == PUBLISH)
    assert got.payload == payload


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_large_message_to_the_server(new_board, peer, qos):
    """Over 64 KiB, whose frames may need a 64-bit length."""
    board = new_board("--heap", str(400 * 1024))
    link = Link(board.port, board.host)
    payload = random.Random(qos).randbytes(150_000)
    received = []

    def script(connection):
        open_websocket(connection)
        connection.accept()
        received.append(connection.expect(PUBLISH).payload)
        connection.reply(connection.packets[-1])
        connection.serve()

    link.configure(SCHEME)
    server = peer(script)
    link.connect(server.port)
    link.publish_raw("t", payload, qos)
    link.port.ok("AT+MQTTCLEAN=0")
    assert server.connection(0).ended.wait(5)
    assert received == [payload]


def test_clean_says_goodbye(link, peer):
    """DISCONNECT, then a close frame, then the end of the connection."""
    last = []

    def script(connection):
        open_websocket(connection)
        connection.accept()
        connection.expect(DISCONNECT)
        last.append(connection.socket.expect(CLOSE).payload)
        connection.socket.send(CLOSE, last[0])
        last.append(connection.socket.next_frame(5))

    link.configure(SCHEME)
    server = peer(script)
    link.connect(server.port)
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 3
    assert server.connection(0).ended.wait(5)
    assert last in ([status(NORMAL), None], [b"", None])


def test_clean_at_a_server_that_does_not_say_goodbye(link, peer):
    def script(connection):
        open_websocket(connection)
        connection.accept()
        connection.swallow()

    link.configure(SCHEME)
    link.connect(peer(script).port)
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 10


# --- frames of the server ---


def test_packets_in_frames_of_one_byte(link, websocket):
    """A whole message of them, some empty, all of them one fragmented message."""
    data = publish(b"t", b"one by one", 1, 5)

    def script(connection):
        server = connection.socket
        server.send(BINARY, data[:1], final=False)
        for byte in data[1:]:
            server.send(CONTINUATION, bytes([byte]), final=False)
            server.send(CONTINUATION, b"", final=False)
        server.send(CONTINUATION, b"")
        assert connection.expect(PUBACK).identifier == 5
        for byte in publish(b"t", b"and again", 1, 6):
            server.send(BINARY, bytes([byte]))
        assert connection.expect(PUBACK).identifier == 6
        connection.serve()

    websocket(script)
    assert link.port.message().data == b"one by one"
    assert link.port.message().data == b"and again"


def test_headers_of_frames_byte_by_byte(link, websocket):
    """In segments of one byte, with each form of the length."""
    messages = [b"x" * size for size in (1, 200)]

    def script(connection):
        for message in messages:
            for byte in frame(BINARY, publish(b"t", message)):
                connection.socket.send_raw(bytes([byte]))
                time.sleep(0.001)
        connection.serve()

    websocket(script)
    assert [link.port.message().data for _ in messages] == messages


def test_many_packets_in_one_frame(link, websocket):
    def script(connection):
        connection.send(b"".join(publish(b"t", b"%d" % number, 1, number + 1) for number in range(100)))
        assert [connection.expect(PUBACK).identifier for _ in range(100)] == list(range(1, 101))
        connection.serve()

    websocket(script)
    assert [link.port.message().data for _ in range(100)] == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("size", [0, 1, 125])
def test_a_ping_is_answered(link, websocket, size):
    payload = random.Random(size).randbytes(size)

    def script(connection):
        connection.socket.send(PING, payload)
        connection.socket.await_pong(payload)
        connection.serve()

    websocket(script)
    link.publish("t", "x", 1)


def test_many_pings(link, websocket):
    """RFC 6455 §5.5.3: of several the last must be answered; the session goes on."""

    def script(connection):
        connection.socket.send_raw(b"".join(frame(PING, b"%d" % number) for number in range(50)))
        connection.socket.await_pong(b"49")
        connection.serve()

    websocket(script)
    link.publish("t", "x", 1)


def test_a_ping_in_the_middle_of_a_message(link, websocket):
    """Between fragments, and between the bytes of an MQTT packet."""
    data = publish(b"t", b"torn apart" * 200, 1, 9)

    def script(connection):
        server = connection.socket
        server.send(BINARY, data[:700], final=False)
        server.send(PING, b"now?")
        server.send(CONTINUATION, data[700:701], final=False)
        server.send(PONG, b"unasked")
        server.send(CONTINUATION, data[701:])
        server.await_pong(b"now?")
        assert connection.expect(PUBACK).identifier == 9
        connection.serve()

    websocket(script)
    assert link.port.message().data == b"torn apart" * 200
    link.publish("t", "x", 1)


def test_a_pong_that_nobody_asked_for(link, websocket):
    def script(connection):
        connection.socket.send(PONG)
        connection.socket.send(PONG, b"x" * 125)
        connection.serve()

    websocket(script)
    link.publish("t", "x", 1)


@pytest.mark.bulk
@pytest.mark.parametrize("size", [65535, 65536, 300_000])
def test_a_large_message_from_the_server(link, websocket, size):
    """In one frame with a 16-bit or a 64-bit length, through a small heap."""
    payload = random.Random(size).randbytes(size)

    def script(connection):
        connection.send(publish(b"large", payload))
        connection.serve()

    websocket(script)
    assert link.port.message(30).data == payload


def test_a_frame_without_end(link, websocket):
    """Its length says 2^40 bytes: packets are taken from it as they come."""
    acknowledged = threading.Event()

    def script(connection):
        connection.socket.send_raw(b"\x82\x7f" + (1 << 40).to_bytes(8))
        for number in range(20):
            connection.socket.send_raw(publish(b"t", b"%d" % number, 1, number + 1))
            assert connection.expect(PUBACK).identifier == number + 1
        acknowledged.set()
        connection.swallow()

    websocket(script)
    assert [link.port.message().data for _ in range(20)] == [b"%d" % number for number in range(20)]
    assert acknowledged.wait(5)
    link.publish("t", "x")


@pytest.mark.parametrize("then", ["publish", "clean"])
def test_pings_without_number(link, websocket, then):
    """From a server that reads no pongs: they may be dropped, and commands answer in time."""

    def script(connection):
        pings = frame(PING, b"p" * 125) * 64
        with contextlib.suppress(OSError):
            for _ in range(200):
                connection.socket.send_raw(pings)
        if then == "publish":
            connection.serve()
        else:
            connection.ended.wait(20)

    websocket(script)
    if then == "publish":
        link.publish("t", "x", 1)
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 10


def test_a_close_in_place_of_connack(link, peer):
    def script(connection):
        open_websocket(connection)
        connection.expect(CONNECT)
        connection.socket.send(CLOSE, status(GOING_AWAY))
        connection.swallow(3)

    link.configure(SCHEME)
    assert link.port.error(link.conn(peer(script).port), Code.START_FAILED).seconds < 3
    assert link.report().code == Code.START_FAILED


@pytest.mark.parametrize("code", [NORMAL, GOING_AWAY, 4000, None])
def test_the_server_closes(link, websocket, code):
    """The close is answered with a masked one of the same code (the peer refuses unmasked frames), then all ends."""
    answered = []
    payload = b"" if code is None else status(code) + b"bye"

    def script(connection):
        connection.socket.send(CLOSE, payload)
        answered.append(connection.socket.expect(CLOSE).payload[:2])
        connection.close()

    server = websocket(script)
    assert link.port.disconnected() == 0
    assert server.connection(0).ended.wait(5)
    assert answered in ([payload[:2]], [b""])
    assert link.state() == 3


VIOLATIONS = {
    "masked": frame(BINARY, publish(b"t", b"x"), mask=b"abcd"),
    "a reserved bit": frame(BINARY, publish(b"t", b"x"), reserved=4),
    "a reserved opcode": frame(3, b"x"),
    "a reserved control opcode": frame(11),
    "text": frame(TEXT, b"hello"),
    "a continuation of nothing": frame(CONTINUATION, publish(b"t", b"x")),
    "a message inside a message": frame(BINARY, publish(b"t", b"x")[:4], final=False) + frame(BINARY, b"x"),
    "a long ping": frame(PING, b"x" * 126),
    "a ping in pieces": frame(PING, b"x", final=False),
    "a 64-bit length with its first bit set": b"\x82\x7f\xff" + bytes(7) + b"xxxx",
    "a close of one byte": frame(CLOSE, b"\x03"),
}


@pytest.mark.parametrize("title", VIOLATIONS)
def test_a_violation_ends_the_connection(link, websocket, title):
    """Nothing is printed of it; a close frame may say why."""

    def script(connection):
        connection.socket.send_raw(VIOLATIONS[title])
        got = connection.socket.next_frame(5)
        assert got is None or (got.opcode == CLOSE and got.payload[:2] == status(PROTOCOL_ERROR)), got
        connection.swallow(5)

    server = websocket(script)
    start = time.monotonic()
    assert link.port.disconnected() == 0
    assert time.monotonic() - start < 3
    assert server.connection(0).ended.wait(6)
    report = link.report()
    assert (report.code, report.stage) == (Code.DISCONNECTED, SESSION)
    assert report.text
    assert link.port.events() == []


def test_a_violation_of_mqtt_inside_sound_frames(link, websocket):
    websocket(lambda connection: (connection.send(packet(12, 0)), connection.swallow(5)))
    assert link.port.disconnected() == 0
    assert link.report().text == "packet type or flags"


def test_the_end_without_a_close_frame(link, websocket):
    websocket(lambda connection: connection.close())
    assert link.port.disconnected() == 0
    assert link.state() == 3


def test_nothing_but_mqtt_decides_about_life(link, websocket):
    """Pings of the WebSocket are no PINGRESP: a broker that answers none is gone."""

    def script(connection):
        end = time.monotonic() + 16
        while time.monotonic() < end and not connection.ended.is_set():
            connection.socket.send(PING)
            connection.swallow(0.5)

    websocket(script, keepalive=1)
    start = time.monotonic()
    assert link.port.disconnected(16) == 0
    assert 10 <= time.monotonic() - start <= 14
    assert link.report().text == "no PINGRESP"
