"""AT+MQTTCERT: certificates and keys that the host stores, and those that the firmware brings (an addition to the AT
contract; its codes are at-contract §7's)."""

import hashlib
import struct
import time
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from certificates import elliptic, issue
from link import CA, CERTIFICATE, KEY, Code, Link, Report
from peer import Relay
from secure import MUTUAL, equip

pytestmark = pytest.mark.clock
BOARD = ("--rtc", "host")

KINDS = (CA, CERTIFICATE, KEY)
NONE = {CA: Code.CA_NONE, CERTIFICATE: Code.CERTIFICATE_NONE, KEY: Code.KEY_NONE}
UNREADABLE = {CA: Code.CA_UNREADABLE, CERTIFICATE: Code.CERTIFICATE_UNREADABLE, KEY: Code.KEY_UNREADABLE}
MOST = 16384

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def nothing_stored(link):
    equip(link)


@dataclass(frozen=True)
class Set:
    """One of each kind, as bytes."""

    authority: bytes
    certificate: bytes
    key: bytes

    def __getitem__(self, kind: int) -> bytes:
        return (self.authority, self.certificate, self.key)[kind]

    def rows(self) -> list[str]:
        return [row(kind, self[kind]) for kind in KINDS]


def row(kind, data):
    return f'+MQTTCERT:0,{kind},{len(data)},"{hashlib.sha256(data).hexdigest()[:16]}"'


@pytest.fixture
def ours(certificates):
    """What fits the brokers, as PEM."""
    return Set(certificates.root.pem, certificates.client.pem, certificates.client.key)


def store(link, credentials):
    equip(link, credentials.authority, credentials.certificate, credentials.key)


def link_of(board):
    return Link(board.port, board.host)


def connects(link, brokers, scheme=5, server=MUTUAL):
    link.configure(scheme)
    link.connect(brokers.port(scheme, server))
    link.publish("t", "x", 1)
    link.port.ok("AT+MQTTCLEAN=0")


def fails(link, brokers, code, scheme=5, server=MUTUAL):
    link.configure(scheme)
    link.port.error(link.conn(brokers.port(scheme, server)), code)
    link.port.ok("AT+MQTTCLEAN=0")


# --- storing, showing, erasing ---


def test_nothing_is_shown_for_nothing(link):
    link.port.ok("AT+MQTTCERT?")


def test_rows(link, ours):
    """Each as it was given, the key too; only lengths and digests are shown."""
    store(link, ours)
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    link.port.ok("AT+MQTTCERT=0,1,0")
    link.port.ok("AT+MQTTCERT?", row(CA, ours.authority), row(KEY, ours.key))


@each_kind
def test_erasing(link, ours, kind):
    """No prompt; of nothing it is no error."""
    link.port.ok(f"AT+MQTTCERT=0,{kind},0")
    link.store(kind, ours[kind])
    link.port.ok(f"AT+MQTTCERT=0,{kind},0")
    link.port.ok("AT+MQTTCERT?")
    link.port.ok(f"AT+MQTTCERT=0,{kind},0")


@each_kind
def test_the_answer_byte_by_byte(link, ours, kind):
    link.port.prompt(f"AT+MQTTCERT=0,{kind},{len(ours[kind])}")
    link.port.fill(ours[kind])
    assert link.port.answer().raw == b"\r\nOK\r\n\r\n>\r\nOK\r\n"


def test_der(link, brokers, certificates):
    """What a PEM holds, bare."""
    client = certificates.client
    der = Set(certificates.root.der, client.der, client.key_der)
    store(link, der)
    link.port.ok("AT+MQTTCERT?", *der.rows())
    connects(link, brokers)


def test_a_key_in_pkcs_8(link, brokers, certificates, ours):
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        key = certificates.client.private.private_bytes(encoding, *form)
        equip(link, ours.authority, ours.certificate, key)
        connects(link, brokers)


def test_lines_that_end_with_cr_lf(link, brokers, ours):
    crlf = Set(*(ours[kind].replace(b"\n", b"\r\n") for kind in KINDS))
    store(link, crlf)
    link.port.ok("AT+MQTTCERT?", *crlf.rows())
    connects(link, brokers)


@each_kind
def test_a_pem_without_its_last_line_end(link, ours, kind):
    text = ours[kind].rstrip(b"\n")
    link.store(kind, text)
    link.port.ok("AT+MQTTCERT?", row(kind, text))


def test_bytes_behind_the_length_are_the_next_line(link, ours):
    link.port.prompt(f"AT+MQTTCERT=0,0,{len(ours.authority)}")
    link.port.fill(ours.authority, b"AT+MQTTCERT?\r\n")
    assert link.port.answer().final == b"OK"
    assert link.port.answer().lines == [row(CA, ours.authority).encode()]


def test_the_longest(link, brokers, ours):
    """Text around a PEM counts, and does no harm."""
    longest = b"# " + b"x" * (MOST - len(ours.authority) - 3) + b"\n" + ours.authority
    link.store(CA, longest)
    link.port.ok("AT+MQTTCERT?", row(CA, longest))
    connects(link, brokers, 3, "good")


LONGEST_MESSAGE = 4096
"""`MBEDTLS_SSL_OUT_CONTENT_LEN` of the virtual board's Mbed TLS."""

UNSENDABLE = "client certificate chain too long to be sent"


def message(identity):
    """The length of the Certificate message (RFC 5246 §7.4.2)."""
    chain = (identity.certificate, *identity.chain)
    return 7 + sum(3 + len(one.public_bytes(serialization.Encoding.DER)) for one in chain)


def chain_of(certificates, length):
    """A client below two authorities below the root, all of whose certificates make a message of `length` bytes; a signature's
    length depends on chance."""
    upper = issue("Upper", certificates.root, authority=True, padding=1000)
    lower = issue("Lower", upper, authority=True, padding=1000)
    padding = length - message(issue("w800", lower, padding=1000)) + 1000
    while message(identity := issue("w800", lower, padding=padding)) != length:
        pass
    assert len(identity.chain) == 2
    return identity


def test_a_chain_that_just_fits_a_message(link, brokers, certificates):
    client = chain_of(certificates, LONGEST_MESSAGE)
    equip(link, certificates.root.pem, client.pem, client.key)
    connects(link, brokers)


@pytest.mark.parametrize("length", [LONGEST_MESSAGE + 1, 5500])
def test_a_chain_that_is_longer_is_not_stored(link, brokers, certificates, ours, length):
    """What was there stays."""
    store(link, ours)
    answer = link.offer(CERTIFICATE, chain_of(certificates, length).pem)
    assert (answer.final, answer.code) == (b"ERROR", Code.CERTIFICATE_NONE)
    assert link.report() == Report(Code.CERTIFICATE_NONE, 0, length, UNSENDABLE)
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    connects(link, brokers)


@pytest.mark.virtual("a board of its own, started for it")
def test_a_longer_chain_of_the_firmwares(new_board, brokers, certificates, firmware):
    """Known at CONN, before anything is sent."""
    client = chain_of(certificates, 5500)
    link = link_of(new_board(*firmware(Set(certificates.root.pem, client.pem, client.key))))
    for scheme in (4, 5, 10):
        fails(link, brokers, Code.CERTIFICATE_NONE, scheme)
        assert link.report() == Report(Code.CERTIFICATE_NONE, 3, 5500, UNSENDABLE)
    connects(link, brokers, 3, "good")


@pytest.mark.virtual("a storage of known size")
def test_the_storage_is_full(new_board, ours):
    """A refusal with a code, and what was stored stays as it was."""
    link = link_of(new_board())
    stored = {}
    for turn in range(4):
        for kind in KINDS:
            text = b"#" * (15000 + 100 * turn) + b"\n" + ours[kind]
            link.port.send(f"AT+MQTTCERT=0,{kind},{len(text)}")
            link.port.await_prompt()
            link.port.fill(text)
            answer = link.port.answer()
            assert answer.final == b"OK" or answer.code == Code.MALLOC_FAILED, answer
            if answer.final == b"OK":
                stored[kind] = text
            link.port.ok("AT+MQTTCERT?", *(row(kind, stored[kind]) for kind in sorted(stored)))
    store(link, ours)
    link.port.ok("AT+MQTTCERT?", *ours.rows())


# --- refusals ---


@each_kind
def test_lengths(link, kind):
    for length in (MOST + 1, 99999999):
        link.port.error(f"AT+MQTTCERT=0,{kind},{length}", NONE[kind])
    for length in ("x", "-1", "1.5"):
        link.port.error(f"AT+MQTTCERT=0,{kind},{length}", Code.LENGTH_READ)


def test_other_parameters(link):
    link.port.error("AT+MQTTCERT=0", Code.COUNTS)
    link.port.error("AT+MQTTCERT=0,0", Code.COUNTS)
    link.port.error("AT+MQTTCERT=0,0,0,0", Code.COUNTS)
    link.port.error("AT+MQTTCERT=x,0,0", Code.LINK_READ)
    link.port.error("AT+MQTTCERT=1,0,0", Code.LINK_VALUE)
    link.port.error("AT+MQTTCERT=0,3,0", Code.KIND_VALUE)
    link.port.error("AT+MQTTCERT=0,x,0", Code.KIND_READ)
    assert link.port.command("AT+MQTTCERT=?").final == b"OK"


def request(certificates):
    """A certificate signing request: right syntax, wrong thing."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "w800")])
    built = x509.CertificateSigningRequestBuilder().subject_name(name).sign(elliptic(), hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM)


def encrypted(certificates):
    form = (serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret"))
    return certificates.client.private.private_bytes(serialization.Encoding.PEM, *form)


def public(certificates):
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return certificates.client.private.public_key().public_bytes(*form)


WRONG_FOR_ALL = {
    "rubbish": lambda certificates: b"rubbish",
    "one byte": lambda certificates: b"\x30",
    "zeros": lambda certificates: bytes(600),
    "an empty PEM": lambda certificates: b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "a request": request,
    "an encrypted key": encrypted,
    "a public key": public,
}
WRONG_FOR_CERTIFICATES = {
    "half a PEM": lambda certificates: certificates.root.pem[:300],
    "half a DER": lambda certificates: certificates.root.der[:200],
    "a key": lambda certificates: certificates.client.key,
    "a PEM with a hole": lambda certificates: certificates.root.pem.replace(b"\nMII", b"\n???", 1),
}
WRONG_FOR_KEYS = {
    "half a PEM": lambda certificates: certificates.client.key[:100],
    "half a DER": lambda certificates: certificates.client.key_der[:60],
    "a certificate": lambda certificates: certificates.client.pem,
}


@each_kind
def test_unreadable_ones(link, certificates, ours, kind):
    """Refused when they are given, and what was stored stays."""
    store(link, ours)
    wrong = WRONG_FOR_ALL | (WRONG_FOR_KEYS if kind == KEY else WRONG_FOR_CERTIFICATES)
    for title, make in wrong.items():
        answer = link.offer(kind, make(certificates))
        assert (answer.final, answer.code) == (b"ERROR", UNREADABLE[kind]), title
        link.port.ok("AT+MQTTCERT?", *ours.rows())


@each_kind
def test_unreadable_and_nothing_was_stored(link, kind):
    assert link.offer(kind, b"rubbish").code == UNREADABLE[kind]
    link.port.ok("AT+MQTTCERT?")


def test_a_phase_that_is_given_up(link, ours):
    store(link, ours)
    link.port.prompt("AT+MQTTCERT=0,2,500")
    time.sleep(0.1)
    link.port.fill(b"+++")
    answer = link.port.answer()
    assert (answer.final, answer.code) == (b"ERROR", Code.DATA_PHASE)
    link.port.ok("AT+MQTTCERT?", *ours.rows())


def test_a_phase_that_stalls(link, ours):
    store(link, ours)
    link.port.prompt("AT+MQTTCERT=0,0,500")
    link.port.fill(ours.authority[:100])
    answer = link.port.answer(26)
    assert (answer.final, answer.code) == (b"ERROR", Code.DATA_PHASE)
    assert 19 <= answer.seconds <= 24
    link.port.ok("AT+MQTTCERT?", *ours.rows())


@pytest.mark.virtual("a heap of known size")
def test_what_does_not_fit_memory(new_board):
    link = link_of(new_board())
    assert link.port.command("AT+SYSHEAP=8000").final == b"OK"
    link.port.error(f"AT+MQTTCERT=0,0,{MOST}", Code.MALLOC_FAILED)
    link.port.ok("AT+MQTTCERT?")


# --- when it is allowed and what it changes ---


def test_in_every_state(link, relay, ours):
    def works():
        store(link, ours)
        link.port.ok("AT+MQTTCERT?", *ours.rows())

    works()
    link.configure()
    works()
    link.configure(keepalive=30)
    works()
    link.connect(relay.port)
    works()
    link.subscribe("t", 1)
    works()
    relay.cut()
    link.port.disconnected()
    works()
    link.port.ok("AT+MQTTCLEAN=0")
    link.port.ok("AT+MQTTCERT?", *ours.rows())


def test_a_connection_does_not_notice(link, brokers, ours):
    """What is stored counts for the next handshake."""
    store(link, ours)
    link.configure(5)
    link.connect(brokers.port(5, MUTUAL))
    equip(link)
    link.publish("t", "x", 1)
    link.port.ok("AT+MQTTCLEAN=0")
    fails(link, brokers, Code.CA_NONE)


@pytest.mark.parametrize(("kind", "code"), [(CA, Code.CA_NONE), (CERTIFICATE, Code.CERTIFICATE_NONE), (KEY, Code.KEY_NONE)])
def test_a_reconnection_uses_what_is_stored_then(link, brokers, address, ours, kind, code):
    """Also in place of a session that the server would resume."""
    store(link, ours)
    link.configure(5)
    with Relay(brokers.port(5, MUTUAL), address) as relay:
        link.connect(relay.port, 1)
        link.store(kind, b"")
        relay.cut()
        link.port.disconnected()
        deadline = time.monotonic() + 5
        while link.report().code != code:
            assert time.monotonic() < deadline, link.report()
            link.port.quiet(0.1)
        assert link.state() == 3
        link.store(kind, ours[kind])
        link.port.connected(8)
        link.publish("t", "x", 1)


def test_nothing_comes_between_the_prompt_and_the_answer(link, brokers, ours):
    """Messages wait behind the data phase."""
    store(link, ours)
    link.configure(5)
    link.connect(brokers.port(5, MUTUAL))
    link.subscribe("meanwhile", 1)
    with brokers.witness(5) as other:
        link.port.prompt(f"AT+MQTTCERT=0,0,{len(ours.authority)}")
        other.publish("meanwhile", b"held back", 1)
        link.port.quiet(0.3)
        link.port.fill(ours.authority)
        assert link.port.answer().final == b"OK"
        assert link.port.message().data == b"held back"


def test_a_certificate_and_a_key_that_do_not_belong_together(link, brokers, certificates, ours):
    """Each is readable; CONN refuses the pair, before any traffic."""
    equip(link, ours.authority, ours.certificate, certificates.strange_client.key)
    for scheme in (4, 5, 9, 10):
        fails(link, brokers, Code.KEY_UNREADABLE, scheme)
    link.store(KEY, certificates.rsa_client.key)
    fails(link, brokers, Code.KEY_UNREADABLE)
    link.store(KEY, ours.key)
    connects(link, brokers)


def test_what_is_missing_in_its_order(link, brokers, ours):
    for scheme in (5, 10):
        equip(link)
        fails(link, brokers, Code.CA_NONE, scheme)
        link.store(CA, ours.authority)
        fails(link, brokers, Code.CERTIFICATE_NONE, scheme)
        link.store(CERTIFICATE, ours.certificate)
        fails(link, brokers, Code.KEY_NONE, scheme)
        link.store(KEY, ours.key)
        connects(link, brokers, scheme)


def test_what_a_scheme_does_not_need_may_be_missing(link, brokers, ours):
    for scheme in (2, 7):
        connects(link, brokers, scheme, "good")
    equip(link, authority=ours.authority)
    for scheme in (3, 8):
        connects(link, brokers, scheme, "good")
    equip(link, certificate=ours.certificate, key=ours.key)
    for scheme in (4, 9):
        connects(link, brokers, scheme)


# --- how long they last, and the firmware's own ---


@pytest.mark.virtual("a board of its own, started for it")
def test_they_survive_a_restart(new_board, brokers, ours):
    link = link_of(new_board("--rtc", "host"))
    store(link, ours)
    link.port.restart()
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    connects(link, brokers)


@pytest.mark.virtual("a board of its own, started for it")
def test_they_survive_a_power_cycle(new_board, tmp_path, brokers, ours):
    """And so does their erasure."""
    options = ("--rtc", "host", "--nvs", str(tmp_path / "nvs"))
    board = new_board(*options)
    store(link_of(board), ours)
    board.kill()
    board = new_board(*options)
    link = link_of(board)
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    connects(link, brokers)
    link.store(KEY, b"")
    board.kill()
    link_of(new_board(*options)).port.ok("AT+MQTTCERT?", *ours.rows()[:2])


def stored(credentials):
    """A file of the virtual board's storage (wm_sdk/host/nvs.c) that is sound, whatever the texts in it are."""
    texts = enumerate(credentials[kind] for kind in KINDS)
    records = b"".join(struct.pack("<16s16sI", b"w800_mqtt", b"c%d0" % kind, len(text)) + text for kind, text in texts)
    checksum = 2166136261
    for byte in records:
        checksum = (checksum ^ byte) * 16777619 % (1 << 32)
    return b"W800NVS1" + struct.pack("<II", len(records), checksum) + records


@pytest.mark.virtual("a storage that is written by hand")
@each_kind
def test_a_damaged_one_in_the_storage(new_board, tmp_path, brokers, ours, kind):
    """Reported, not used; stored anew, all is well."""
    texts = [ours[each] for each in KINDS]
    texts[kind] = texts[kind][: len(texts[kind]) // 2]
    (tmp_path / "nvs").write_bytes(stored(Set(*texts)))
    link = link_of(new_board("--rtc", "host", "--nvs", str(tmp_path / "nvs")))
    link.port.ok("AT+MQTTCERT?", *Set(*texts).rows())
    fails(link, brokers, UNREADABLE[kind])
    assert link.report().text.startswith("unusable")
    link.store(kind, ours[kind])
    connects(link, brokers)


@pytest.mark.virtual("a storage that is written by hand")
def test_a_longer_chain_in_the_storage(new_board, tmp_path, brokers, certificates):
    """As an older firmware may have stored it."""
    client = chain_of(certificates, LONGEST_MESSAGE + 1)
    (tmp_path / "nvs").write_bytes(stored(Set(certificates.root.pem, client.pem, client.key)))
    link = link_of(new_board("--rtc", "host", "--nvs", str(tmp_path / "nvs")))
    fails(link, brokers, Code.CERTIFICATE_NONE)
    assert link.report() == Report(Code.CERTIFICATE_NONE, 3, LONGEST_MESSAGE + 1, UNSENDABLE)


@pytest.mark.virtual("a board of its own, started for it")
def test_a_board_without_a_file_forgets(new_board, ours):
    board = new_board()
    store(link_of(board), ours)
    board.kill()
    new_board().port.ok("AT+MQTTCERT?")


@pytest.fixture
def firmware(tmp_path, certificates):
    """Options of a board whose firmware brings these: linked in, or set by its C code."""

    def options(credentials, prefix="--"):
        parts = ["--rtc", "host"] if prefix == "--" else []
        for kind, name in enumerate(prefix + kind for kind in ("ca", "cert", "key")):
            if credentials[kind]:
                place = tmp_path / name.strip("-")
                place.write_bytes(credentials[kind])
                parts += [name, str(place)]
        return parts

    return options


@pytest.mark.virtual("a board of its own, started for it")
def test_the_firmwares_own(new_board, brokers, firmware, ours):
    """Shown and used; there is nothing to erase."""
    link = link_of(new_board(*firmware(ours)))
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    for scheme in (5, 10):
        connects(link, brokers, scheme)
    equip(link)
    link.port.ok("AT+MQTTCERT?", *ours.rows())


@pytest.mark.virtual("a board of its own, started for it")
def test_stored_ones_come_first(new_board, brokers, certificates, firmware, ours):
    """One by one, over the firmware's own, which are back when they are erased."""
    strange = certificates.strange_client
    theirs = Set(certificates.stranger.pem, strange.pem, strange.key)
    link = link_of(new_board(*firmware(theirs)))
    fails(link, brokers, Code.TLS_CONFIG, 3, "good")
    link.store(CA, ours.authority)
    link.port.ok("AT+MQTTCERT?", *ours.rows()[:1], *theirs.rows()[1:])
    connects(link, brokers, 3, "good")
    store(link, ours)
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    connects(link, brokers)
    equip(link)
    link.port.ok("AT+MQTTCERT?", *theirs.rows())
    fails(link, brokers, Code.TLS_CONFIG, 3, "good")


@pytest.mark.virtual("a board of its own, started for it")
def test_those_that_c_code_sets(new_board, brokers, certificates, firmware, ours):
    """`w800_mqtt_at_set_credential` comes before what is linked in and behind what the host stores; PEM or DER."""
    strange = certificates.strange_client
    theirs = Set(certificates.stranger.pem, strange.pem, strange.key)
    link = link_of(new_board(*firmware(theirs), *firmware(ours, "--set-")))
    link.port.ok("AT+MQTTCERT?", *ours.rows())
    connects(link, brokers)
    link.store(CA, theirs.authority)
    fails(link, brokers, Code.TLS_CONFIG, 3, "good")
    link.store(CA, b"")
    binary = Set(der(certificates.root.pem), b"", b"")
    link = link_of(new_board("--rtc", "host", *firmware(binary, "--set-")))
    link.port.ok("AT+MQTTCERT?", row(CA, binary.authority))
    connects(link, brokers, 3, "good")


@pytest.mark.virtual("a board of its own, started for it")
@each_kind
def test_c_code_cannot_set_rubbish(new_board, firmware, ours, kind):
    """It is refused, and what was linked in stays."""
    rubbish = [b"rubbish" if other == kind else b"" for other in KINDS]
    link = link_of(new_board(*firmware(ours), *firmware(rubbish, "--set-")))
    link.port.ok("AT+MQTTCERT?", *ours.rows())


def der(pem):
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


@pytest.mark.virtual("a board of its own, started for it")
@each_kind
def test_an_unreadable_one_of_the_firmwares(new_board, brokers, firmware, ours, kind):
    """CONN tells of it where the scheme needs it; the others do not care."""
    rubbish = [ours[other] if other != kind else b"rubbish" for other in KINDS]
    link = link_of(new_board(*firmware(rubbish)))
    fails(link, brokers, UNREADABLE[kind], 5)
    fails(link, brokers, UNREADABLE[kind], 10)
    for scheme in (2, 7):
        connects(link, brokers, scheme, "good")
    if kind == CA:
        connects(link, brokers, 4)
    else:
        connects(link, brokers, 3, "good")
    link.store(kind, ours[kind])
    connects(link, brokers)
