"""`w800-sim --trace FILE.html`: a session that is known, on a page that a browser opens without a server."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from board import REPOSITORY, VirtualBoard
from broker import Broker, Witness
from link import Code, Link
from peer import Relay
from secure import NodeBroker, hosts

pytestmark = pytest.mark.virtual

PASSWORD, LONG_PASSWORD = "pa55word-Quietly", b"l0ng-password-Quietly" * 9
BYE = "+MQTTDISCONNECTED:0"
LANES = ("serial in", "serial out", "mqtt out", "mqtt in", "websocket", "tls", "tcp")


def records(path: Path) -> list[dict]:
    """The lines behind the page; the last of a killed board may be cut."""
    lines = path.read_text().rpartition('id="events">\n')[2].splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def events(path: Path) -> list[dict]:
    found = [record for record in records(path) if "at" in record]
    return sorted(found, key=lambda event: event["at"])


def labels(path: Path, lane: str, way: str = "") -> list[str]:
    chosen = [event for event in events(path) if event["lane"] == lane and way in ("", event["way"])]
    return [event["label"] for event in chosen]


def in_order(wanted: list[str], found: list[str]) -> bool:
    rest = iter(found)
    return all(any(label.startswith(want) for label in rest) for want in wanted)


class Session:
    """What was done on a board, and its trace."""

    def __init__(self, folder: Path, argv: str, certificates) -> None:
        self.path = folder / "session.html"
        self.secrets = [PASSWORD.encode(), LONG_PASSWORD[:24], b"PRIVATE KEY", *certificates.client.key.splitlines()[1:-1]]
        options = ["--rtc", "host", "--trace", str(self.path), *hosts()]
        self.board = VirtualBoard(os.environ["W800_SIM"], folder, argv, *options)
        self.link = Link(self.board.open(), self.board.host)

    def over_tcp(self, broker: Broker) -> None:
        """Ends with the broker's death."""
        self.link.configure(1, user="user", password=PASSWORD, keepalive=60)
        self.link.port.prompt(f"AT+MQTTLONGPASSWORD=0,{len(LONG_PASSWORD)}")
        self.link.port.fill(LONG_PASSWORD)
        self.link.port.answer()
        self.link.connect(broker.port)
        self.link.subscribe("in/+", 1)
        self.link.publish("out", "sent", 2)
        self.link.publish_raw("out", b"r" * 5000, 1)
        with Witness(broker) as witness:
            witness.publish("in/1", b"line\r\nOK\r\n</script>", 1)
        self.link.port.message()
        broker.stop()
        self.link.port.disconnected()
        self.link.port.error('AT+MQTTSUB=0,"x",0', Code.DISCONNECTED)
        self.link.clean()

    def over_wss(self, broker: NodeBroker, certificates) -> None:
        """With a connection that breaks and is made again."""
        client = certificates.client
        for kind, data in enumerate((certificates.authority_of("good"), client.pem, client.key)):
            self.link.store(kind, data)
        self.link.configure(10, client="secure", path="/mqtt")
        with Relay(broker.ports["good"]) as relay:
            self.link.connect(relay.port, reconnect=1)
            relay.cut()
            self.link.port.disconnected()
            self.link.port.connected()
            self.link.port.ok("AT+MQTTCLEAN=0")


@pytest.fixture(scope="module")
def session(tmp_path_factory, argv, certificates, brokers):
    """A whole one, ended by SIGTERM."""
    folder = tmp_path_factory.mktemp("trace")
    session = Session(folder, argv, certificates)
    try:
        with Broker(folder) as broker:
            session.over_tcp(broker)
        session.over_wss(brokers.node, certificates)
    finally:
        session.board.stop()
    return session


@pytest.fixture(scope="module")
def chromium():
    found = subprocess.run([REPOSITORY / "scripts/setup/chromium.sh"], capture_output=True, text=True, check=True)
    with sync_playwright() as playwright:
        # A container has neither a sandbox for root nor much shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=found.stdout.strip(), args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a trace; what the page complains of, or asks the network for, fails the test at its end."""
    complaints, contexts = [], []

    def start(path: Path, scheme: str = "light", width: int = 1280):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else complaints.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#chart .mark")
        return page

    yield start
    for context in contexts:
        context.close()
    assert not complaints


def test_the_lanes_hold_the_session(session):
    path = session.path
    sent, received = labels(path, "mqtt", "out"), labels(path, "mqtt", "in")
    assert in_order(["CONNECT w800", "SUBSCRIBE #", "PUBLISH out QoS 2 #", "PUBREL #", "PUBLISH out QoS 1 #", "PUBACK #"], sent)
    assert in_order(["CONNACK accepted", "SUBACK #", "PUBREC #", "PUBCOMP #", "PUBACK #", "PUBLISH in/1 QoS 1 #"], received)
    assert in_order(["CONNECT secure", "CONNECT secure", "DISCONNECT"], sent)
    typed = ["AT+MQTTUSERCFG=0,1,", "data, 189 bytes", "AT+MQTTCONN=", "AT+MQTTSUB=", "data, 5000 bytes"]
    assert in_order(typed, labels(path, "serial", "in"))
    message = '+MQTTSUBRECV:0,"in/1",19,line\\r\\nOK\\r\\n</scri…'
    printed = ["ready", "+MQTTCONNECTED:0,1,", "+MQTTPUB:OK", message, BYE, "+MQTTCONNECTED:0,10,"]
    assert in_order(printed, labels(path, "serial", "out"))
    assert in_order(["SYN (connect)", "FIN", "SYN (connect)"], labels(path, "tcp", "out"))
    assert in_order(["SYN ACK (connected)", "FIN"], labels(path, "tcp", "in"))
    assert in_order(["GET /mqtt HTTP/1.1", "Close 1000"], labels(path, "websocket", "out"))
    assert in_order(["HTTP/1.1 101"], labels(path, "websocket", "in"))


def test_a_handshake_and_its_resumption(session):
    tls = [event for event in events(session.path) if event["lane"] == "tls"]
    agreed = [dict(event["facts"]) for event in tls if event["label"].startswith("TLS 1.2")]
    assert [facts["Session resumed"] for facts in agreed] == ["no", "yes"]
    assert all(facts["Cipher suite"].startswith("TLS-ECDHE-ECDSA-WITH-") for facts in agreed)
    full = ["ClientHello", "ServerHello", "Certificate", "ServerHelloDone", "ChangeCipherSpec", "TLS 1.2 full"]
    assert in_order([*full, "ClientHello", "ServerHello", "TLS 1.2 resumed", "Alert close_notify"], labels(session.path, "tls"))


def test_the_heap(session):
    (heap,) = [record for record in records(session.path) if "heap" in record]
    assert heap["limit"] == 100 * 1024
    peak, last = max(most for _, _, most, _ in heap["heap"]), heap["heap"][-1][3]
    assert 20 * 1024 < peak < heap["limit"] and last < peak / 2


def test_no_password_and_no_key_is_in_the_file(session):
    page = session.path.read_bytes()
    assert not [secret for secret in session.secrets if secret in page]
    assert '"user","•••"' in next(label for label in labels(session.path, "serial", "in") if "USERCFG" in label)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_legible(session, open_page, scheme, tmp_path):
    page = open_page(session.path, scheme)
    shown = page.evaluate("[...new Set([...document.querySelectorAll('.mark')].map((mark) => mark.dataset.lane))]")
    assert sorted(shown) == sorted(LANES)
    assert not overlaps(page)
    for _ in range(6):
        page.keyboard.press("+")
    assert not overlaps(page)
    page.keyboard.press("0")
    screenshot = tmp_path / f"{scheme}.png"
    page.screenshot(path=screenshot)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(244, 246, 249)" if scheme == "light" else "rgb(16, 21, 28)")
    assert screenshot.stat().st_size > 40_000


def test_on_a_phone(session, open_page, tmp_path):
    """Nothing is wider than the screen, and no label is cut off by the edge."""
    page = open_page(session.path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not overlaps(page)
    names = "[...document.querySelectorAll('.lane-name, .lane-way')].map((text) => text.getBBox())"
    assert page.evaluate(f"Math.max(...{names}.map((box) => box.x + box.width)) <= view.gutter")
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    page.locator("#chart .mark[data-label^='CONNECT w800'] line").first.dispatch_event("pointerdown")
    page.locator("#chart .mark[data-label^='CONNECT w800'] line").first.dispatch_event("pointerup")
    assert page.locator("#details .related li").count() > 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_command_leads_to_its_packets_and_its_answer(session, open_page):
    page = open_page(session.path)
    command = "events.find((event) => event.label.startsWith('AT+MQTTCONN='))"
    page.evaluate(f"choose({command}, true)")
    related = page.locator("#details .related button").all_inner_texts()
    assert in_order(["AT+MQTTCONN=", "↑ SYN (connect)", "CONNECT w800", "CONNACK accepted", "OK"], related)
    assert "Answer after" in page.locator("#details dl").inner_text()
    page.locator("#details .related button", has_text="CONNACK accepted").click()
    assert page.locator("#details h2").inner_text() == "CONNACK accepted"
    page.locator("#details .related button").first.click()
    assert page.locator("#details h2").inner_text().startswith("AT+MQTTCONN=")
    raw = "events.find((event) => event.label.startsWith('AT+MQTTPUBRAW=')).answer.label"
    assert page.evaluate(raw) == "+MQTTPUB:OK"


def test_an_error_has_its_meaning_and_an_orderly_end_is_no_trouble(session, open_page):
    page = open_page(session.path)
    error = page.evaluate("events.find((event) => event.label === 'ERR CODE:0x00006051').facts.map((fact) => fact.join(': '))")
    assert error[0].startswith("Means: AT_MQTT_")
    ends = [event for event in events(session.path) if event["label"].startswith(("DISCONNECT", "Close 1000"))]
    assert ends and {event["tone"] for event in ends} == {"plain"}
    # The broker's death is another thing.
    assert "notable" in {event["tone"] for event in events(session.path) if event["label"] == "FIN"}


def overlaps(page) -> list[str]:
    """Texts of the chart that touch one another, or leave it."""
    return page.evaluate("""() => {
        const chart = document.getElementById("chart").getBoundingClientRect();
        const boxes = [...document.querySelectorAll("#chart text")]
            .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
        const touch = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
        return boxes.flatMap(({ text, box }, index) => [
            ...(box.left < chart.left || box.right > chart.right ? [`${text} leaves the chart`] : []),
            ...boxes.slice(index + 1).filter((other) => touch(box, other.box)).map((other) => `${text} / ${other.text}`)]);
    }""")


def test_reading_it(session, open_page):
    page = open_page(session.path)
    width = "document.querySelector('#overview .window').getBBox().width"
    whole = page.evaluate(width)
    page.mouse.move(700, 400)
    page.mouse.wheel(0, -800)
    page.wait_for_function(f"{width} < {whole / 2}")
    left = page.evaluate("view.from")
    page.mouse.down()
    page.mouse.move(500, 400, steps=4)
    page.mouse.up()
    assert page.evaluate("view.from") > left
    page.keyboard.press("0")
    page.locator("#chart .mark[data-label^='CONNECT w800'] rect").click()
    assert "Client identifier" in page.locator("#details dl").inner_text()
    assert PASSWORD not in page.locator("#details").inner_text()
    page.keyboard.press("n")
    assert page.locator("#chart .mark.chosen").count() == 1
    page.keyboard.press("f")
    assert page.get_attribute("#fold", "aria-pressed") == "false" and not overlaps(page)
    page.fill("#filter", "PUBREC")
    page.click("#show-table")
    assert "PUBREC #" in page.locator("#rows").inner_text() and page.locator("#rows tr").count() == 1
    page.fill("#filter", "")
    assert page.locator("#rows tr").count() == len(events(session.path))
    assert "--rtc host --trace" in page.locator("#options").inner_text() and "--rtc host" in page.title()


def test_a_killed_board_leaves_a_page(new_board, broker, open_page, tmp_path):
    path = tmp_path / "killed.html"
    board = new_board("--trace", str(path))
    link = Link(board.port, board.host)
    link.configure()
    link.connect(broker.port)
    board.kill()
    page = open_page(path)
    assert page.locator("#chart .mark[data-label^='CONNACK']").count() == 1
    assert "not stopped in order" in page.locator("#note").inner_text()


def test_a_restarted_board_goes_on_in_the_same_file(new_board, tmp_path):
    path = tmp_path / "restarted.html"
    board = new_board("--trace", str(path))
    board.port.restart()
    board.port.command("AT+GMR")
    board.process.send_signal(signal.SIGINT)
    board.process.wait(5)
    assert in_order(["AT+RST", "AT+GMR"], labels(path, "serial", "in"))
    assert labels(path, "serial", "out").count("ready") == 2
    assert [record for record in records(path) if "heap" in record] == records(path)[-1:]


def test_the_end_of_the_input_completes_the_file(tmp_path):
    path = tmp_path / "ended.html"
    command = [os.environ["W800_SIM"], "--uart", "stdio", "--wifi", "off", "--trace", str(path)]
    lines = b'ATE1\r\nAT+CWJAP="net","hidden-Quietly"\r\nAT+NONE="hidden-Quietly"\r\n'
    lines += b'AT+MQTTCLIENTID=0,"x" AT+MQTTPASSWORD=0,"hidden-Quietly"\r\n'
    subprocess.run(command, input=lines, capture_output=True, timeout=20, check=True)
    unclear = ["AT+NONE=••• (unknown command, 24 bytes)", "AT+MQTTCLIENTID=••• (perhaps two commands, 56 bytes)"]
    assert labels(path, "serial", "in") == ["ATE1", 'AT+CWJAP="net","•••"', *unclear]
    assert "hidden-Q" not in path.read_text() and "heap" in records(path)[-1]
