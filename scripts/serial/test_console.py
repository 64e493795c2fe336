"""`scripts/at.py` as people and scripts use it: keys on a terminal and what its screen shows, pipes, records replayed."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from board import HOST_LOOPBACK
from scripted import Scripted
from screen import CTRL_C, CTRL_D, ENTER, TAB, UP, Screen

pytestmark = [pytest.mark.virtual, pytest.mark.once]

AT = Path(__file__).parents[1] / "at.py"
SECRET = "geheim,7"
USERCFG = r'AT+MQTTUSERCFG=0,1,"w800","user","geheim\,7",0,0,""'


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def start(environment, tmp_path):
    """`at.py --sim` on a terminal."""
    screens = []

    def started(*options, board=("--sim",)):
        screens.append(Screen([sys.executable, str(AT), *board, *options], environment, tmp_path))
        screens[-1].see("at>", "Tab completes", timeout=30)
        return screens[-1]

    yield started
    for screen in screens:
        screen.close()


@pytest.fixture
def piped(environment):
    """`at.py --sim` in a pipe: what it says to these lines."""

    def run(lines, *options, **variables):
        command = [sys.executable, str(AT), "--sim", *options]
        text = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
        return subprocess.run(command, input=text, capture_output=True, timeout=60, env={**environment, **variables})

    return run


def conn(broker):
    return f'AT+MQTTCONN=0,"{HOST_LOOPBACK}",{broker.port},0'


def test_a_session_on_the_screen(start, broker, witness, tmp_path):
    screen = start()
    screen.type("AT+MQTTUSERC" + TAB)
    screen.see("at> AT+MQTTUSERCFG", "Chooses the transport")
    screen.type("=0," + TAB)
    screen.see("7      WebSocket over TLS, nothing verified", "scheme  1–10", "Tab shows what they mean")
    screen.type(CTRL_C + USERCFG + ENTER)
    screen.see(USERCFG + "\nOK\nat>")
    assert screen.colour("OK") == "green"

    screen.type(f'AT+MQTTCONN=0,"{HOST_LOOPBACK}",1,0' + ENTER)
    screen.see("ERR CODE:0x0000600b\n  AT_MQTT_CLIENT_START_FAILED: the first connection could not be made", "\nERROR\nat>")
    assert screen.colour("ERROR") == "red"

    screen.type(conn(broker) + ENTER)
    screen.see(f'+MQTTCONNECTED:0,1,"{HOST_LOOPBACK}",{broker.port},"",0\nOK\nat>')
    assert screen.colour("+MQTTCONNECTED") == "cyan"
    screen.type('AT+MQTTSUB=0,"room/1",1' + ENTER)
    screen.see('AT+MQTTSUB=0,"room/1",1\nOK\nat>')

    screen.type('AT+MQTTPUB=0,"half typed')
    screen.see('at> AT+MQTTPUB=0,"half typed', "topic  topic in quotes, at most 128 bytes")
    witness().publish("room/1", b"hi\r\nOK\r\n\x00\xff", 1)
    screen.see('+MQTTSUBRECV:0,"room/1",10,hi\\r\\nOK\\r\\n\\x00\\xff\nat> AT+MQTTPUB=0,"half typed')
    assert screen.colour("+MQTTSUBRECV") == "cyan"

    screen.type(CTRL_C + UP)
    screen.see('at> AT+MQTTSUB=0,"room/1",1\n')
    screen.type(CTRL_C + CTRL_D)
    assert screen.ended() == 0
    history = (tmp_path / "state/w800-mqtt-at/history").read_text()
    assert '"user","***"' in history
    assert SECRET not in history and "geheim" not in history


def test_a_history_of_before_asks_for_the_password(start, environment, tmp_path):
    first = start()
    first.type(USERCFG + ENTER)
    first.see("OK\nat>")
    first.type(CTRL_D)
    assert first.ended() == 0
    second = start()
    second.type(UP)
    second.see('"user","***",0,0')
    second.type(ENTER)
    second.see("AT+MQTTUSERCFG, secret:", "neither shown nor kept")
    second.type("pass,word" + ENTER)
    second.see("OK\nat>")
    assert "pass,word" not in second.text()
    second.type("AT+MQTTPASSWORD?" + ENTER)
    second.see('+MQTTPASSWORD:0,"pass,word"')


def test_a_data_phase_counts_hides_and_can_be_left(start, broker, witness):
    screen = start()
    screen.type(USERCFG + ENTER + "AT+MQTTLONGPASSWORD=0,9" + ENTER)
    screen.see("9 bytes>")
    screen.type("geheimnis")
    screen.see("9 of 9 bytes")
    screen.type(ENTER)
    screen.see("OK\nat>")
    assert "geheimnis" not in screen.text()

    seen = witness("topic")
    screen.type(conn(broker) + ENTER + 'AT+MQTTPUBRAW=0,"topic",11,1,0' + ENTER)
    screen.see("11 bytes>")
    screen.type("twelve bytes" + ENTER)
    screen.see("12 bytes are too many: 11 are wanted")
    screen.type("hello" + ENTER)
    screen.see("5 bytes>")
    screen.type("world" + ENTER)
    screen.see("+MQTTPUB:OK\nat>")
    assert seen.message().payload == b"hello\nworld"
    assert screen.colour("+MQTTPUB:OK") == "green"

    screen.type('AT+MQTTPUBRAW=0,"topic",13,1,0' + ENTER)
    screen.see("13 bytes>")
    screen.type(CTRL_C)
    screen.see("+MQTTPUB:FAIL\nat>", "ending the data phase")
    screen.type("AT" + ENTER)
    screen.see("at> AT\nOK\nat>")
    seen.quiet(0.2)


def test_a_file_of_200_kb_with_its_progress(start, broker, witness, tmp_path):
    data = random.Random(200).randbytes(200_000)
    (tmp_path / "picture.raw").write_bytes(data)
    seen = witness("topic")
    screen = start("--", "--heap", "600000", "--baud", "500000")
    screen.type(f"{USERCFG}{ENTER}{conn(broker)}{ENTER}")
    screen.see("+MQTTCONNECTED")
    screen.type(f'AT+MQTTPUBRAW=0,"topic",@pic{TAB}')
    screen.see("@picture.raw")
    screen.type(f",1,0{ENTER}")
    # The bar moves while the line takes the bytes: 4 s at this speed.
    screen.see("█·", "/200000 bytes", " KB/s, ", " s left")
    screen.see("+MQTTPUB:OK\nat>", timeout=20)
    assert seen.message().payload == data


def test_a_file_that_is_stopped(start, broker, tmp_path):
    (tmp_path / "picture.raw").write_bytes(bytes(200_000))
    screen = start("--", "--heap", "600000", "--baud", "230400")
    screen.type(f"{USERCFG}{ENTER}{conn(broker)}{ENTER}")
    screen.see("+MQTTCONNECTED")
    screen.type(":send picture.raw topic 1" + ENTER)
    screen.see("█·")
    screen.type(CTRL_C)
    screen.see("ending the data phase", "+MQTTPUB:FAIL\nat>")
    screen.type("AT" + ENTER)
    screen.see("at> AT\nOK\nat>")


def test_the_record_of_a_file_that_is_stopped(start, piped, broker, tmp_path):
    (tmp_path / "picture.raw").write_bytes(bytes(100_000))
    screen = start("--record", "session.txt", "--", "--heap", "300000", "--baud", "230400")
    screen.type(f"{USERCFG}{ENTER}{conn(broker)}{ENTER}")
    screen.see("+MQTTCONNECTED")
    screen.type(":send picture.raw topic 0" + ENTER)
    screen.see("█·")
    screen.type(CTRL_C)
    screen.see("+MQTTPUB:FAIL\nat>")
    screen.type("AT" + ENTER + CTRL_D)
    assert screen.ended() == 0
    again = piped([], "--replay", str(tmp_path / "session.txt"), "--", "--heap", "300000", W800_PASSWORD="any")
    assert again.returncode == 2
    ends = r"at.py: line \d+: the replay ends here, as the record has not all that was done: the data phase was ended"
    assert re.match(ends, again.stderr.decode()), again


def test_a_message_that_stops_in_the_middle(start):
    """By a wrong length, or a reset: what comes behind it is read as lines again."""
    said = {b"AT\r\n": b'\r\nOK\r\n+MQTTSUBRECV:0,"t",100000,abc\r\nready\r\n', b"AT+GMR\r\n": b"1.0\r\nOK\r\n"}
    board = Scripted(lambda line: said.get(line, b"\r\nOK\r\n"))
    screen = start(board=("--port", board.name))
    screen.type("AT" + ENTER)
    screen.see("at> AT\nOK\nat>")
    screen.type("AT+GMR" + ENTER)
    screen.see("AT+GMR … 4 s")
    screen.type(CTRL_C)
    screen.see('a message was cut off after 45 bytes: +MQTTSUBRECV:0,"t",100000,abc\\r\\nready', "stopped waiting")
    screen.type("AT+GMR" + ENTER)
    screen.see("at> AT+GMR\n1.0\nOK\nat>")
    screen.type(CTRL_D)
    assert screen.ended() == 0
    board.close()


def test_a_history_that_cannot_be_written(start, tmp_path):
    (tmp_path / "state").touch()
    screen = start()
    screen.see("What is typed is not kept for later: ")
    screen.type("AT+MQTTCONN?" + ENTER)
    screen.see("OK\nat>")
    screen.type(UP)
    screen.see("at> AT+MQTTCONN?\n")


def test_lines_typed_ahead_wait_for_their_turn(start, broker):
    screen = start()
    screen.type("AT+RST" + ENTER + "AT+MQTTCONN?" + ENTER + ":quit" + ENTER)
    assert screen.ended(20) == 0
    screen.see("ready\n", '+MQTTCONN:0,0,0,"",0,"",0')
    assert "busy" not in screen.text()
    # Shown where it was typed and before its answer, and no third time by the terminal's own echo.
    assert screen.text().count("AT+MQTTCONN?") == 2


def test_pasted_lines_go_out_one_by_one(start, tmp_path):
    screen = start()
    screen.type(f'\x1b[200~{USERCFG}\nAT+MQTTSNI=0,"name"\nAT+MQTTSNI?\n\x1b[201~' + ENTER)
    hidden = USERCFG.replace(r'"geheim\,7"', '"***"')
    screen.see(f'→ {hidden}\nOK\n→ AT+MQTTSNI=0,"name"\nOK\n→ AT+MQTTSNI?\n+MQTTSNI:0,"name"\nOK\nat>')
    assert "geheim" not in (tmp_path / "state/w800-mqtt-at/history").read_text()


def test_help(start):
    screen = start()
    screen.type(":help" + ENTER)
    screen.see("AT+MQTTSUB           Subscribes to a filter and waits for SUBACK\n", "Arrow up and Ctrl-R")
    screen.type(":help at+mqttsub" + ENTER)
    screen.see('AT+MQTTSUB=LinkID,"topic",qos,timeout_ms', "0–2; default 0; 0 at most once")
    screen.type(":help mqttcert" + ENTER)
    screen.see("AT+MQTTCERT=LinkID,kind,length", "0–2; 0 CA certificates, 1 client certificate, 2 client key\n")


def test_a_failure_is_asked_about(start):
    """What the board knows of it comes by itself, and the server's own refusals have words too."""
    screen = start()
    screen.type(f'AT+MQTTUSERCFG=0,1,"w800","","",0,0,""{ENTER}AT+MQTTCONN=0,"no.such.host",1883,0{ENTER}')
    screen.see('+MQTTERR:0,0x0000600b,1,0,"name not found"', "it failed when the host's name was looked up")
    screen.type(f"AT+MQTTNOTHING{ENTER}")
    screen.see("CMD FORMAT ERR", "the AT server knows no such command")


def test_a_binary_message_as_numbers_and_as_a_file(start, broker, witness, tmp_path):
    data = bytes(range(256)) * 5
    screen = start()
    screen.type(f":hex{ENTER}")
    screen.see("no message has come yet")
    screen.type(f"{USERCFG}{ENTER}{conn(broker)}{ENTER}")
    screen.see("+MQTTCONNECTED")
    screen.type(f'AT+MQTTSUB=0,"binary",1{ENTER}')
    screen.see('AT+MQTTSUB=0,"binary",1', "OK")
    witness().publish("binary", data, 1)
    screen.see("+MQTTSUBRECV")
    screen.type(f":hex{ENTER}")
    screen.see("000340  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO", "256 bytes more (:save FILE)")
    for shown in ("1280 bytes in got.raw", "got.raw: File exists"):
        screen.type(f":save got.raw{ENTER}")
        screen.see(shown)
    assert (tmp_path / "got.raw").read_bytes() == data


def test_a_broker_of_its_own(piped):
    """`--broker` starts one, says how it is reached, and gives the board what its transport needs."""
    lines = ["AT+MQTTUSERCFG=0,5,\"w800\",\"\",\"\",0,0,\"\"", "AT+MQTTCONN=0,\"10.0.2.2\",1,0", "AT+CIPSNTPTIME?"]
    ran = piped(lines, "--broker", "--scheme", "5")
    assert ran.returncode == 1 and b"1970" not in ran.stdout
    said = ran.stderr.decode()
    assert "A broker listens on 127.0.0.1:" in said and "What the scheme needs is in the firmware." in said


def test_a_pipe(piped, broker):
    lines = ["# a remark", USERCFG, conn(broker), 'AT+MQTTSUB=0,"t",1', 'AT+MQTTPUBRAW=0,"t",11,1,0', "hello", "world"]
    ran = piped([*lines, ":wait 0.2", "AT+MQTTCLEAN=0"])
    assert ran.returncode == 0, ran
    assert ran.stderr == b""
    said = ran.stdout.decode().splitlines()
    assert '+MQTTSUBRECV:0,"t",11,hello\\nworld' in said
    # The message may come before or behind the acknowledgement.
    rest = [line for line in said if not line.startswith(("+MQTTSUBRECV", "ready"))]
    connected = f'+MQTTCONNECTED:0,1,"{HOST_LOOPBACK}",{broker.port},"",0'
    assert rest == ["OK", connected, "OK", "OK", "OK", ">", "+MQTTPUB:OK", "OK"]


def test_a_failed_command_is_explained_and_fails_the_script(piped):
    ran = piped(['AT+MQTTPUB=0,"t","x",0,0', "AT", ":nonsense"])
    assert ran.returncode == 1
    assert [line for line in ran.stdout.decode().splitlines() if line != "ready"] == ["ERR CODE:0x00006003", "ERROR", "OK"]
    assert "AT_MQTT_UNINITIATED_OR_ALREADY_CLEAN: there is nothing to use or to clean" in ran.stderr.decode()
    assert "no such command here: :nonsense" in ran.stderr.decode()


def test_data_that_ends_too_soon(piped):
    ran = piped([USERCFG, "AT+MQTTLONGUSERNAME=0,100", "too short"])
    assert ran.returncode == 1
    assert "90 bytes of data are missing" in ran.stderr.decode()
    assert ran.stdout.decode().splitlines()[-2:] == ["ERR CODE:0x0000604d", "ERROR"]


def test_a_record_replays(piped, broker, own_broker, tmp_path):
    data = random.Random(1).randbytes(50_000)
    (tmp_path / "data.bin").write_bytes(data)
    record = tmp_path / "session.txt"
    lines = [
        USERCFG,
        "AT+MQTTUSERCFG?",
        "AT+CIPSNTPTIME?",
        "AT+SYSHEAP?",
        conn(broker),
        "AT+MQTTCONN?",
        'AT+MQTTSUB=0,"t/+",1',
    ]
    lines += [r'AT+MQTTPUB=0,"t/1","{\"a\":{\"b\":1}}",1,0', f":send {tmp_path}/data.bin t/2 1", ":wait 0.3", "AT+MQTTPUB=0"]
    recorded = piped([*lines, "AT+MQTTCLEAN=0"], "--record", str(record), "--", "--heap", "200000")
    assert recorded.returncode == 1, recorded
    text = record.read_text()
    assert "geheim" not in text
    assert f"{{{{PORT={broker.port}}}}}" in text and "{{time}}" in text and '! +MQTTSUBRECV:0,"t/1",13,' in text

    # With another broker, another heap and another password.
    elsewhere = {"W800_PORT": str(own_broker.port), "W800_PASSWORD": 'an"other'}
    again = piped([], "--replay", str(record), "--", "--heap", "210000", **elsewhere)
    assert again.returncode == 0, again.stdout.decode() + again.stderr.decode()
    assert "11 commands, every answer as recorded" in again.stdout.decode()
    assert '"user","***"' in again.stdout.decode() and "other" not in again.stdout.decode()

    without = piped([], "--replay", str(record))
    assert without.returncode == 2
    assert "PASSWORD is not in the record: set W800_PASSWORD" in without.stderr.decode()


def test_a_refused_data_phase_is_recorded_without_its_data(piped, tmp_path):
    record = tmp_path / "session.txt"
    key = ["AT+MQTTCERT=0,2,99999999", "-----BEGIN PRIVATE KEY-----", "MIIEgeheim"]
    assert piped([*key, "AT"], "--record", str(record)).returncode == 1
    text = record.read_text()
    assert "# (no command, 27 bytes)\n# < CMD FORMAT ERR\n\n# (no command, 10 bytes)\n" in text
    assert "geheim" not in text
    again = piped([], "--replay", str(record))
    assert again.returncode == 0 and b"2 commands, every answer as recorded" in again.stdout, again


def test_a_record_overwrites_nothing(piped, tmp_path):
    record = tmp_path / "session.txt"
    record.write_text("> AT\n")
    ran = piped(["AT"], "--record", str(record))
    assert ran.returncode == 2 and ran.stdout == b""
    assert ran.stderr.decode() == f"at.py: {record} is there already, and a record overwrites nothing\n"
    assert record.read_text() == "> AT\n"


def test_options_that_the_virtual_board_does_not_know(piped):
    ran = piped(["AT"], "--", "--nonsense")
    assert ran.returncode == 2 and ran.stdout == b""
    assert "--nonsense" in ran.stderr.decode() and "Traceback" not in ran.stderr.decode()


def test_a_changed_answer_fails_the_replay(piped, certificates, tmp_path):
    record = tmp_path / "session.txt"
    assert piped(["AT", "AT+MQTTCERT?", "AT+MQTTCONN?"], "--record", str(record)).returncode == 0
    assert piped([], "--replay", str(record)).returncode == 0
    # A firmware that brings a certificate along answers one row more.
    changed = piped([], "--replay", str(record), "--", "--ca", str(certificates.roots_file))
    assert changed.returncode == 1
    said = changed.stdout.decode()
    assert re.search(r"the board answered otherwise\nline \d+: > AT\+MQTTCERT\?\n\+ < \+MQTTCERT:0,0,", said)
    assert said.endswith("\n  < OK\n")


def test_a_missing_message_fails_the_replay(piped, tmp_path):
    record = tmp_path / "session.txt"
    record.write_text("> AT\n< OK\n! +MQTTDISCONNECTED:0\n")
    ran = piped([], "--replay", str(record))
    assert ran.returncode == 1
    assert "- ! +MQTTDISCONNECTED:0" in ran.stdout.decode()


def test_the_end_of_the_board_is_the_end_of_the_console(start, environment):
    screen = start()
    children = Path(f"/proc/{screen.process.pid}/task/{screen.process.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), 9)
    screen.see("The board is gone.")
    assert screen.ended() == 1


@pytest.mark.parametrize(
    "options",
    [[], ["--sim", "--port", "x"], ["--port", "x", "--", "--heap", "1"], ["--port", "x", "--broker"], ["--sim", "--scheme", "2"], ["--sim", "--record", "a", "--replay", "b"]],
)
def test_wrong_options(environment, options):
    ran = subprocess.run([sys.executable, AT, *options], capture_output=True, timeout=20, env=environment, text=True)
    assert ran.returncode == 2
    assert "usage: at.py" in ran.stderr


def test_no_such_port(environment):
    ran = subprocess.run(
        [sys.executable, AT, "--port", "/dev/nowhere"], capture_output=True, timeout=20, env=environment, text=True
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("at.py: /dev/nowhere: ")
    assert "Traceback" not in ran.stderr
