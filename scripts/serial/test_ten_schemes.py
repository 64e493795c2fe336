"""The life of a link, the same on each of the ten schemes, against mosquitto (TCP, TLS) and a Node.js broker (WebSocket,
alone and over TLS); paho-mqtt sees what arrives (at-contract §2–§6)."""

import random
import threading

import paho.mqtt.client as paho
import pytest

from link import Code, Link
from peer import Relay
from secure import MUTUAL, PRESENTING, SECURE, NodeBroker, TlsBroker, over_websocket
from tls import server_context, shake_hands

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

SCHEMES = range(1, 11)
MEBIBYTE = 1 << 20

each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@pytest.fixture
def place(link, brokers, address):
    """A configured link, a path to the scheme's broker that can be cut, and second clients of that broker."""
    opened = []

    class Place:
        def __init__(self, scheme, **configuration):
            self.scheme = scheme
            self.broker = brokers.broker(scheme)
            self.relay = Relay(brokers.port(scheme, MUTUAL if scheme in PRESENTING else "good"), address)
            opened.append(self.relay)
            brokers.equip(link)
            link.configure(scheme, path="mqtt" if over_websocket(scheme) else "", **configuration)

        def connect(self, reconnect=0):
            link.connect(self.relay.port, reconnect)

        def witness(self, *filters, qos=2):
            opened.append(brokers.witness(self.scheme, *filters, qos=qos))
            return opened[-1]

    yield Place
    for one in reversed(opened):
        one.close()


@each_scheme
def test_a_life(link, place, scheme):
    """CONN, SUB, PUB, PUBRAW, UNSUB and CLEAN at each QoS."""
    here = place(scheme, client=f"life-{scheme}", keepalive=30, will=("will", "gone", 1, 0))
    topic = f"life/{scheme}"
    other = here.witness(f"{topic}/out/#", "will")
    here.connect()
    assert link.state() == 4
    for qos in range(3):
        link.subscribe(f"{topic}/in/{qos}", qos)
        payload = random.Random(qos).randbytes(300)
        other.publish(f"{topic}/in/{qos}", payload, qos)
        received = link.port.message()
        assert (received.topic, received.data) == (f"{topic}/in/{qos}".encode(), payload)
        link.publish(f"{topic}/out/pub", f"grüße {qos}", qos)
        arrived = other.message()
        assert (arrived.payload, arrived.qos) == (f"grüße {qos}".encode(), qos)
        link.publish_raw(f"{topic}/out/raw", payload * 10, qos)
        arrived = other.message()
        assert (arrived.payload, arrived.qos) == (payload * 10, qos)
    assert link.state() == 6
    for qos in range(3):
        link.port.ok(f'AT+MQTTUNSUB=0,"{topic}/in/{qos}"')
    assert link.state() == 5
    other.publish(f"{topic}/in/1", b"nobody listens", 1)
    answer = link.port.ok("AT+MQTTCLEAN=0")
    assert answer.seconds < 3
    # No will: the broker saw DISCONNECT.
    other.quiet(0.3)
    link.port.quiet(0.1)
    assert link.state() == 0


@each_scheme
def test_a_reconnection(link, place, scheme):
    """Found again, subscribed again; what could not be delivered meanwhile comes with a kept session."""
    client = f"again-{scheme}"
    here = place(scheme, client=client, persistent=True)
    topic = f"again/{scheme}"
    other = here.witness(f"{topic}/out")
    here.connect(reconnect=1)
    link.subscribe(topic, 1)
    here.relay.cut()
    assert link.port.disconnected() == 0
    link.port.error(f'AT+MQTTPUB=0,"{topic}/out","x",1,0', Code.DISCONNECTED)
    other.publish(topic, b"while away", 1)
    assert link.port.connected(8) == link.target(here.relay.port, 1)
    assert link.port.message().data == b"while away"
    link.publish(f"{topic}/out", "back", 2)
    assert other.message().payload == b"back"
    assert link.state() == 6
    link.clean()
    # Leave no session behind at the broker.
    link.configure(scheme, client=client)
    here.connect()


@each_scheme
def test_the_link_stays_lost_without_reconnection(link, place, scheme):
    here = place(scheme)
    here.connect()
    here.relay.cut()
    assert link.port.disconnected() == 0
    link.port.quiet(1.5)
    assert link.state() == 3
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 3


@each_scheme
def test_clean_at_a_broker_that_has_gone_silent(link, place, scheme):
    """Not a byte comes back: neither an answer nor the end of the connection."""
    here = place(scheme)
    here.connect()
    here.relay.silence()
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 10
    assert link.state() == 0


@each_scheme
def test_clean_while_a_reconnection_gets_no_answer(link, place, scheme):
    """The second connection is accepted, and its first handshake, of whatever layer, is never answered."""
    here = place(scheme)
    here.connect(reconnect=1)
    here.relay.silence()
    here.relay.cut()
    assert link.port.disconnected() == 0
    here.relay.await_connections(2)
    link.port.quiet(0.2)
    assert link.port.ok("AT+MQTTCLEAN=0").seconds < 3
    assert link.state() == 0


@each_scheme
def test_conn_at_a_silent_server(link, brokers, peer, certificates, scheme):
    """Silent above TLS: where WebSocket or MQTT should begin. CONN's time bounds it."""
    context = server_context(certificates.files("good"))

    def script(connection):
        if scheme in SECURE:
            shake_hands(connection, context)
        connection.socket.settimeout(20)
        try:
            while connection.socket.recv(4096):
                pass
        except OSError:
            pass

    brokers.equip(link)
    link.configure(scheme)
    silent = peer(script)
    answer = link.port.error(link.conn(silent.port, timeout_ms=3000), Code.START_FAILED, timeout=8)
    assert 2.8 <= answer.seconds <= 4.5
    assert link.report().stage == (4 if over_websocket(scheme) else 5)
    assert silent.connection(0).ended.wait(3)
    assert link.state() == 1


@pytest.mark.parametrize("scheme", [3, 6, 8])
def test_keep_alive(link, place, scheme):
    """The broker sees pings and closes nothing."""
    here = place(scheme, client=f"pinging-{scheme}", keepalive=2)
    here.connect()
    link.port.quiet(5)
    assert link.state() == 4
    ping = "ping pinging-" if over_websocket(scheme) else "Received PINGREQ from pinging-"
    assert here.broker.log().count(f"{ping}{scheme}") >= 2


@pytest.mark.parametrize("scheme", [2, 5, 6, 10])
def test_a_broker_that_is_killed_and_comes_back(link, brokers, certificates, tmp_path, address, scheme):
    server = "good" if scheme in SECURE else None
    kind = NodeBroker if over_websocket(scheme) else TlsBroker
    brokers.equip(link)
    link.configure(scheme, client="survivor")
    with kind(tmp_path, certificates, address, "good") as broker:
        port = broker.ports[server] if server else broker.port
        link.connect(port, 1)
        link.subscribe("after", 1)
        broker.stop()
        assert link.port.disconnected() == 0
        broker.start()
        assert link.port.connected(10) == link.target(port, 1)
        # Its subscription was made anew, for the broker has forgotten it.
        link.publish("after", "the fall", 1)
        assert link.port.message().data == b"the fall"
        link.port.ok("AT+MQTTCLEAN=0")


@pytest.mark.bulk
@pytest.mark.parametrize("scheme", [3, 10])
def test_publishing_while_a_mebibyte_comes_in(link, place, scheme):
    """Two tasks at one TLS connection: neither disturbs the other."""
    here = place(scheme)
    other = here.witness(f"out/{scheme}")
    here.connect()
    topic = f"flood/{scheme}"
    link.subscribe(topic, 1)
    lines = [b"%04d:" % number + bytes([number % 251]) * 4091 for number in range(MEBIBYTE // 4096)]

    def flood():
        for line in lines:
            other.publish(topic, line, 1)

    pouring = threading.Thread(target=flood, daemon=True)
    pouring.start()
    sent = 0
    while pouring.is_alive() or sent < 20:
        link.publish(f"out/{scheme}", f"{sent}", sent % 3)
        link.publish_raw(f"out/{scheme}", b"%d" % (sent + 1) + b"." * 700, 1)
        sent += 2
    pouring.join(30)
    assert [link.port.message(20).data for _ in lines] == lines
    arrived = [other.message().payload.rstrip(b".") for _ in range(sent)]
    # Of different QoS, so that a later one may overtake.
    assert sorted(arrived) == sorted(b"%d" % number for number in range(sent))


@pytest.mark.bulk
@pytest.mark.timeout(150)
@pytest.mark.parametrize("scheme", [3, 8])
def test_large_messages_in(link, place, scheme):
    """1 MiB at each QoS, in one line each."""
    here = place(scheme)
    other = here.witness()
    here.connect()
    for qos in range(3):
        link.subscribe(f"large/{scheme}/{qos}", qos)
        payload = random.Random(qos).randbytes(MEBIBYTE)
        other.publish(f"large/{scheme}/{qos}", payload, qos)
        assert link.port.message(60).data == payload
    link.publish("t", "still here", 1)


@pytest.mark.virtual("a board of its own, started for it")
@pytest.mark.parametrize("scheme", [3, 6, 8])
def test_large_messages_out(new_board, brokers, scheme):
    """PUBRAW of more than 64 KiB, on a board that has the memory for it."""
    board = new_board(*BOARD, "--heap", str(600 * 1024))
    link = Link(board.port, board.host)
    payload = random.Random(scheme).randbytes(200_000)
    brokers.equip(link)
    link.configure(scheme)
    link.connect(brokers.port(scheme))
    with brokers.witness(scheme, f"bulk/{scheme}") as other:
        for qos in range(3):
            link.publish_raw(f"bulk/{scheme}", payload, qos)
            assert other.message(20).payload == payload


@pytest.mark.parametrize("scheme", [4, 9])
def test_connecting_again_and_again(link, place, scheme):
    """Sockets and sessions are given back: there are only a few."""
    here = place(scheme)
    for _ in range(15):
        here.connect()
        link.port.ok("AT+MQTTCLEAN=0")
        link.configure(scheme)


@pytest.mark.parametrize("scheme", [3, 6, 8])
def test_a_session_taken_over(link, place, brokers, scheme):
    """The same client identifier elsewhere: the broker ends this connection."""
    here = place(scheme, client=f"contested-{scheme}")
    here.connect()
    transport = "websockets" if over_websocket(scheme) else "tcp"
    thief = paho.Client(paho.CallbackAPIVersion.VERSION2, f"contested-{scheme}", transport=transport)
    thief.connect(here.broker.address, here.broker.port)
    thief.loop_start()
    try:
        assert link.port.disconnected() == 0
    finally:
        thief.disconnect()
        thief.loop_stop()
    assert link.state() == 3


@each_scheme
def test_twenty_messages_of_every_size(link, place, scheme):
    """Back to back, from nothing to some records' length."""
    here = place(scheme)
    other = here.witness()
    here.connect()
    link.subscribe(f"size/{scheme}", 1)
    sizes = [0, 1, 2, 125, 126, 127, 128, 1023, 1024, 1025, 1459, 1460, 1461, 4095, 4096, 4097, 16383, 16384, 16385, 65536]
    payloads = [random.Random(size).randbytes(size) for size in sizes]
    for payload in payloads:
        other.publish(f"size/{scheme}", payload, 1)
    assert [link.port.message(20).data for _ in payloads] == payloads
