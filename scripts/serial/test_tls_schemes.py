"""Each scheme accepts and refuses exactly what its row says (at-contract §6), with the code and the reason documented."""

import contextlib
import ssl
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates import LARGE, NAME, TOO_LARGE, WILD, Identity, issue
from link import Code, Report
from peer import Connection
from secure import MUTUAL, PRESENTING, SECURE, VERIFYING, equip, over_websocket
from tls import server_context, shake_hands

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

TLS_STAGE = 3
NO_TRUST, NO_NAME = "certificate not trusted", "host name not in certificate"
BY_ALERT = "refused by an alert"


@dataclass(frozen=True)
class Case:
    """A server's certificate, the host typed (nothing: its address), and how a scheme that verifies refuses it."""

    server: str
    host: str = ""
    code: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.server} as {self.host or 'address'}"


CASES = (
    Case("good"),
    Case("good", NAME),
    Case("rsa"),
    Case("chain"),
    Case("good", NAME.upper()),
    Case("wildcard", f"a.{WILD}"),
    Case("name only", NAME),
    Case("address only"),
    Case(f"{LARGE} bytes"),
    Case("wrong name", NAME, Code.WRONG_NAME, NO_NAME),
    Case("wildcard", f"a.b.{WILD}", Code.WRONG_NAME, NO_NAME),
    Case("wildcard", WILD, Code.WRONG_NAME, NO_NAME),
    Case("name only", "", Code.WRONG_NAME, NO_NAME),
    Case("address only", NAME, Code.WRONG_NAME, NO_NAME),
    Case("wrong address", "", Code.WRONG_NAME, NO_NAME),
    Case("expired", "", Code.TLS_CONFIG, "certificate expired"),
    Case("future", "", Code.TLS_CONFIG, "certificate not yet valid"),
    Case("self-signed", "", Code.TLS_CONFIG, NO_TRUST),
    Case("stranger", "", Code.TLS_CONFIG, NO_TRUST),
    Case("impostor", "", Code.TLS_CONFIG, NO_TRUST),
    Case("no intermediate", "", Code.TLS_CONFIG, NO_TRUST),
)

LOOKED_UP = pytest.mark.virtual("names that are looked up in the virtual network")
each_scheme = pytest.mark.parametrize("scheme", SECURE)
each_case = pytest.mark.parametrize("case", [pytest.param(case, marks=[LOOKED_UP] * bool(case.host)) for case in CASES], ids=str)


def accepted(link, port, host=""):
    """CONN, and a publication that the broker acknowledges."""
    link.connect(port, host=host)
    link.publish("accepted", "x", 1)


def refused(link, port, code, text, host=""):
    """CONN fails in TLS; the link is as it was before."""
    answer = link.port.error(link.conn(port, host=host), code)
    assert answer.seconds < 8
    report = link.report()
    assert (report.code, report.stage, report.text) == (code, TLS_STAGE, text)
    assert report.detail != 0
    assert link.state() == 1


@each_scheme
@each_case
def test_a_servers_certificate(link, brokers, scheme, case):
    brokers.equip(link, case.server)
    link.configure(scheme)
    port = brokers.port(scheme, case.server)
    if scheme in VERIFYING and case.code:
        refused(link, port, case.code, case.text, case.host)
    else:
        accepted(link, port, case.host)


@pytest.mark.parametrize("scheme", VERIFYING)
def test_a_wrong_name_is_not_the_only_fault(link, brokers, scheme):
    """0x6052 says that all else is right."""
    brokers.equip(link)
    link.configure(scheme)
    link.port.error(link.conn(brokers.port(scheme, "expired, wrong name")), Code.TLS_CONFIG)


def for_clients_only(name: str, issuer: Identity) -> Identity:
    """A certificate of which a server may make no use."""
    plain = issue("clients only", issuer)
    right = plain.certificate
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(right.subject)
        .issuer_name(right.issuer)
        .public_key(right.public_key())
        .serial_number(right.serial_number)
        .not_valid_before(right.not_valid_before_utc)
        .not_valid_after(right.not_valid_after_utc)
        .add_extension(purposes, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return Identity(builder.sign(issuer.private, hashes.SHA256()), plain.private)


@LOOKED_UP
@pytest.mark.parametrize("name", [NAME, "other.test"])
@pytest.mark.parametrize("scheme", [3, 8])
def test_a_servers_certificate_for_clients_only(link, peer, certificates, scheme, name):
    """Refused for that, whether its name is right or wrong."""
    files = certificates.write(f"clients-only-{name}", for_clients_only(name, certificates.root))

    def script(connection: Connection) -> None:
        with contextlib.suppress(OSError):
            shake_hands(connection, server_context(files))

    equip(link, certificates.root.pem)
    link.configure(scheme)
    answer = link.port.error(link.conn(peer(script).port, host=NAME), Code.TLS_CONFIG)
    assert answer.seconds < 8
    report = link.report()
    assert (report.code, report.stage, report.text) == (Code.TLS_CONFIG, TLS_STAGE, "certificate not acceptable")
    assert report.detail != 0


@pytest.mark.parametrize("scheme", [scheme for scheme in SECURE if scheme not in PRESENTING])
def test_a_server_wants_a_certificate_that_is_not_sent(link, brokers, scheme):
    """A stored one is not sent by a scheme that sends none."""
    brokers.equip(link)
    link.configure(scheme)
    refused(link, brokers.port(scheme, MUTUAL), Code.TLS_CONFIG, BY_ALERT)


@pytest.mark.parametrize("scheme", PRESENTING)
@pytest.mark.parametrize("client", ["client", "rsa_client", "chained_client"])
def test_a_right_client_certificate(link, brokers, scheme, client):
    """The last one's intermediate is not known to the broker: it has to be sent."""
    identity = getattr(brokers.certificates, client)
    equip(link, brokers.certificates.root.pem, identity.pem, identity.key)
    link.configure(scheme)
    accepted(link, brokers.port(scheme, MUTUAL))


@pytest.mark.parametrize("scheme", PRESENTING)
@pytest.mark.parametrize("client", ["strange_client", "chained_client"])
def test_a_wrong_client_certificate(link, brokers, peer, scheme, client):
    """Of an authority that the server does not know, or without its intermediate."""
    certificates = brokers.certificates
    identity = getattr(certificates, client).alone()
    equip(link, certificates.root.pem, identity.pem, identity.key)
    link.configure(scheme)
    port = peer(refusing(certificates)).port if over_websocket(scheme) else brokers.port(scheme, MUTUAL)
    refused(link, port, Code.TLS_CONFIG, BY_ALERT)


def refusing(certificates):
    """OpenSSL's alert; Node.js would end the connection without a word."""
    context = server_context(certificates.files("good"), certificates.roots)

    def script(connection: Connection) -> None:
        connection.socket.settimeout(10)
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            context.wrap_socket(connection.socket, server_side=True)

    return script


@pytest.mark.parametrize("scheme", VERIFYING)
def test_any_of_several_authorities(link, brokers, scheme):
    """Two of them have the same name."""
    made = brokers.certificates
    equip(link, made.impostor.pem + made.stranger.pem + made.roots, made.client.pem, made.client.key)
    for server in ("good", "rsa", "stranger"):
        link.configure(scheme)
        accepted(link, brokers.port(scheme, server))
        link.port.ok("AT+MQTTCLEAN=0")


@each_scheme
def test_a_server_without_tls(link, brokers, scheme):
    """Whatever it says is no ServerHello."""
    brokers.equip(link)
    link.configure(scheme)
    link.port.error(link.conn(brokers.port(6)), Code.TLS_CONFIG, timeout=20)
    assert link.report().stage == TLS_STAGE


@pytest.mark.parametrize("scheme", [1, 6])
def test_plain_schemes_at_a_server_with_tls(link, brokers, scheme):
    link.configure(scheme)
    link.port.error(link.conn(brokers.port(scheme + 1)), Code.START_FAILED, timeout=20)


@pytest.mark.parametrize("scheme", VERIFYING)
def test_sni_is_the_name_that_is_verified(link, brokers, scheme):
    """AT+MQTTSNI's in place of the one typed, for better or worse."""
    brokers.equip(link)
    link.configure(scheme)
    link.port.ok(f'AT+MQTTSNI=0,"{NAME}"')
    accepted(link, brokers.port(scheme, "name only"))
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure(scheme)
    link.port.ok('AT+MQTTSNI=0,"another.test"')
    refused(link, brokers.port(scheme, "good"), Code.WRONG_NAME, NO_NAME)


def test_a_certificate_that_no_record_holds(link, brokers):
    """Split by the server over several, which this side may refuse, not trip over."""
    brokers.equip(link)
    link.configure(3)
    port = brokers.port(3, f"{TOO_LARGE} bytes")
    answer = link.port.command(link.conn(port))
    link.port.events()
    assert answer.final == b"OK" or answer.code in (Code.TLS_CONFIG, Code.MALLOC_FAILED)
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure(3)
    accepted(link, brokers.port(3))


def test_a_server_of_tls_1_3_alone(link, peer, certificates):
    context = server_context(certificates.files("good"))
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_3

    def script(connection):
        connection.socket.settimeout(10)
        with pytest.raises(OSError, match="UNSUPPORTED_PROTOCOL"):
            context.wrap_socket(connection.socket, server_side=True)

    link.configure(2)
    refused(link, peer(script).port, Code.TLS_CONFIG, BY_ALERT)


def test_a_refused_link_connects_elsewhere(link, brokers):
    """Without CLEAN; the reason stays until the next failure."""
    brokers.equip(link)
    link.configure(3)
    refused(link, brokers.port(3, "wrong name"), Code.WRONG_NAME, NO_NAME)
    accepted(link, brokers.port(3))
    assert link.report() == Report(Code.WRONG_NAME, TLS_STAGE, link.report().detail, NO_NAME)
