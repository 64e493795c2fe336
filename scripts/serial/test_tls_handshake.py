"""What the TLS handshake says: version, SNI, ALPN, resumed sessions, and the farewell (at-contract §6)."""

import ssl

import pytest

from certificates import NAME
from link import CA, Code
from peer import DISCONNECT, PUBLISH
from secure import SECURE, over_websocket
from tls import read_hello, say_goodbye, server_context, shake_hands
from waiting import until
from websocket import CLOSE, WebSocket

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

TLS_1_2 = 0x0303


@pytest.fixture
def hello(link, peer):
    """CONN to a server that takes the first flight and closes: what was in it."""

    def offer(scheme=2, host="", before=()):
        seen = []
        server = peer(lambda connection: seen.append(read_hello(connection)))
        link.configure(scheme)
        for command in before:
            link.port.ok(command)
        link.port.error(link.conn(server.port, host=host), Code.TLS_CONFIG)
        return seen[0]

    return offer


@pytest.fixture
def context(certificates):
    return server_context(certificates.files("good"))


def serve(connection):
    connection.accept()
    connection.serve()


@pytest.mark.virtual("names that are looked up in the virtual network")
@pytest.mark.parametrize("scheme", [2, 7])
def test_sni_is_the_host_name(hello, scheme):
    assert hello(scheme, NAME).server_name == NAME.encode()


def test_no_sni_for_an_address(hello):
    assert hello().server_name is None


@pytest.mark.virtual("names that are looked up in the virtual network")
def test_sni_that_was_set(hello):
    """For an address as well as for a name, and not any more once it was cleared."""
    assert hello(before=['AT+MQTTSNI=0,"other.test"']).server_name == b"other.test"
    assert hello(host=NAME, before=['AT+MQTTSNI=0,"other.test"']).server_name == b"other.test"
    assert hello(host=NAME, before=['AT+MQTTSNI=0,"other.test"', 'AT+MQTTSNI=0,""']).server_name == NAME.encode()


def test_alpn(hello):
    assert hello().alpn == ()
    assert hello(before=['AT+MQTTALPN=0,1,"mqtt"']).alpn == (b"mqtt",)
    five = ["mqtt-ca.cn", "mqtt-ca.us", "x-amzn-mqtt-ca", "mqtt", "a"]
    names = ",".join(f'"{name}"' for name in five)
    assert hello(7, before=[f"AT+MQTTALPN=0,5,{names}"]).alpn == tuple(name.encode() for name in five)
    assert hello(before=['AT+MQTTALPN=0,1,"mqtt"', "AT+MQTTALPN=0,0"]).alpn == ()


def test_no_session_is_offered_at_first(hello):
    assert hello().session == b""


def test_version(hello):
    assert hello().version == TLS_1_2


@pytest.mark.parametrize(
    ("known", "selected"), [((), None), (("mqtt",), "mqtt"), (("mqtt-ca.us", "mqtt"), "mqtt-ca.us"), (("other",), None)]
)
def test_the_protocol_that_the_server_selects(link, peer, certificates, known, selected):
    """None is fine too."""
    chosen = []

    def script(connection):
        chosen.append(shake_hands(connection, context).selected_alpn_protocol())
        serve(connection)

    context = server_context(certificates.files("good"), alpn=known)
    link.configure(2)
    link.port.ok('AT+MQTTALPN=0,2,"mqtt","mqtt-ca.us"')
    link.connect(peer(script).port)
    link.publish("t", "x", 1)
    assert chosen == [selected]


@pytest.mark.virtual("names that are looked up in the virtual network")
def test_alpn_and_sni_are_sent_again_on_reconnection(link, peer, context):
    seen = []

    def first(connection):
        shake_hands(connection, context)
        connection.accept()

    link.configure(2)
    link.port.ok('AT+MQTTALPN=0,1,"mqtt"')
    server = peer(first, lambda connection: seen.append(read_hello(connection)))
    link.connect(server.port, 1, host=NAME)
    link.port.disconnected()
    assert server.connection(1).ended.wait(5)
    assert (seen[0].server_name, seen[0].alpn) == (NAME.encode(), (b"mqtt",))


# --- resumed sessions ---


def first_life(context):
    """A connection that the server ends in due form, so that its session may be resumed."""

    def script(connection):
        shake_hands(connection, context)
        connection.accept()
        connection.expect(PUBLISH)
        say_goodbye(connection)

    return script


def second_life(context, resumed):
    def script(connection):
        resumed.append(shake_hands(connection, context).session_reused)
        serve(connection)

    return script


def reconnects(link, server):
    link.connect(server.port, 1)
    link.publish("t", "x")
    link.port.disconnected()
    link.port.connected(8)
    link.publish("t", "x", 1)


@pytest.mark.parametrize("scheme", [2, 3])
@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "identifier"])
def test_a_reconnection_resumes_the_session(link, brokers, peer, context, scheme, tickets):
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    brokers.equip(link)
    link.configure(scheme)
    resumed = []
    reconnects(link, peer(first_life(context), second_life(context, resumed)))
    assert resumed == [True]
    assert context.session_stats()["hits"] == 1


def test_a_server_that_has_forgotten_the_session(link, peer, certificates, context):
    link.configure(2)
    resumed = []
    other = server_context(certificates.files("good"))
    reconnects(link, peer(first_life(context), second_life(other, resumed)))
    assert resumed == [False]


def test_a_new_conn_verifies_anew(link, brokers, peer, certificates, context):
    """A session belongs to the link's one connection: behind CLEAN nothing of it is used."""
    brokers.equip(link)
    resumed = []
    server = peer(first_life(context), second_life(context, resumed))
    link.configure(2)
    link.connect(server.port)
    link.publish("t", "x")
    link.port.disconnected()
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure(3)
    link.connect(server.port)
    link.publish("t", "x", 1)
    assert resumed == [False]


def test_the_certificate_is_looked_at_again_on_a_reconnection(link, brokers, peer, certificates, context):
    """The server comes back with another one: that is no server to be trusted."""
    brokers.equip(link)
    expired = server_context(certificates.files("expired"))

    def second(connection):
        with pytest.raises(OSError, match="ALERT|EOF|reset"):
            shake_hands(connection, expired)

    server = peer(first_life(context), second)
    link.configure(3)
    link.connect(server.port, 1)
    link.publish("t", "x")
    link.port.disconnected()
    assert server.connection(1).ended.wait(5)
    link.port.quiet(0.2)
    assert link.state() == 3
    report = link.report()
    assert (report.code, report.stage, report.text) == (Code.TLS_CONFIG, 3, "certificate expired")


def test_a_server_that_mends_its_certificate(link, brokers, peer, certificates, context):
    """Failed attempts of a reconnection are tried again, and a good one ends them."""
    brokers.equip(link)
    expired = server_context(certificates.files("expired"))

    def second(connection):
        with pytest.raises(OSError, match="ALERT|EOF|reset"):
            shake_hands(connection, expired)

    def third(connection):
        shake_hands(connection, context)
        serve(connection)

    link.configure(3)
    link.connect(peer(first_life(context), second, third).port, 1)
    link.publish("t", "x")
    link.port.disconnected()
    link.port.connected(10)
    link.publish("t", "x", 1)


def test_another_authority_ends_resumption(link, brokers, peer, certificates, context):
    """A session whose server would not be trusted any more is not resumed."""
    brokers.equip(link)
    failed = []

    def second(connection):
        try:
            failed.append(shake_hands(connection, context).session_reused)
        except OSError as error:
            failed.append(error)

    server = peer(first_life(context), second)
    link.configure(3)
    link.connect(server.port, 1)
    link.store(CA, certificates.stranger.pem)
    link.publish("t", "x")
    link.port.disconnected()
    assert server.connection(1).ended.wait(5)
    assert isinstance(failed[0], OSError), failed
    until(lambda: link.report().text == "certificate not trusted", lambda: link.report().text)


@pytest.mark.virtual("a network that is back after a restart")
def test_a_restart_ends_the_connection(link, brokers, peer, context):
    """AT+RST, with TLS in use: nothing is left over, and what was stored serves the next one."""
    ended = []

    def script(connection):
        shake_hands(connection, context)
        connection.accept()
        ended.append(connection.receive(10))

    brokers.equip(link)
    link.configure(3)
    server = peer(script)
    link.connect(server.port, 1)
    link.port.restart()
    assert server.connection(0).ended.wait(5)
    assert ended == [None]
    link.configure(3)
    link.connect(brokers.port(3))


# --- the farewell ---


@pytest.mark.parametrize("scheme", SECURE)
def test_clean_closes_each_layer(link, brokers, peer, certificates, scheme):
    """DISCONNECT, a close frame where there are frames, close_notify, and only then the end of the connection."""
    context = server_context(certificates.files("good"), certificates.roots)
    context.verify_mode = ssl.CERT_OPTIONAL
    ended = []

    def script(connection):
        secured = shake_hands(connection, context)
        if over_websocket(scheme):
            connection.put_over(WebSocket)
            connection.socket.open()
        connection.accept()
        connection.expect(DISCONNECT)
        if over_websocket(scheme):
            assert connection.socket.expect(CLOSE).payload[:2] in (b"", (1000).to_bytes(2))
            connection.socket.send(CLOSE, (1000).to_bytes(2))
        secured.settimeout(5)
        # With ragged ends not suppressed, a missing close_notify raises.
        ended.append(secured.recv(1))

    brokers.equip(link)
    link.configure(scheme)
    server = peer(script)
    link.connect(server.port)
    answer = link.port.ok("AT+MQTTCLEAN=0")
    assert answer.seconds < 3
    assert server.connection(0).ended.wait(5)
    assert ended == [b""]
