"""The console without a port: reading, completing, hiding, recording."""

import asyncio
import hashlib
import io
from pathlib import Path

import pytest

from atport import PUBLISH_RESULTS
from console import session
from console.completion import Memory, choices, hint
from console.conversation import Conversation, Item, Kind, pending
from console.line import HIDDEN, hide, is_inside_string, split
from console.marks import decode, encode, mark_numbers, mark_times, pattern
from console.prompt import SafeHistory
from console.record import Recorder
from console.reference import Reference
from console.replay import Malformed, parse, variables
from console.script import ask
from console.session import Payload
from console.view import View
from console.wire import Wire
from scripted import Scripted

pytestmark = pytest.mark.once

REFERENCE = Reference()
USERCFG = 'AT+MQTTUSERCFG=0,1,"w800","user","gehe\\"im",0,0,""'


# --- reading the port ---


def conversation(command=None):
    found = Conversation(REFERENCE)
    if command:
        found.begin(pending(command, REFERENCE))
    return found


def received(found, data):
    return [(item.kind, item.text) for item in found.receive(data)]


def test_a_message_is_read_by_its_length_piece_by_piece():
    data = b"\r\nOK\r\n+MQTTDISCONNECTED:0\r\n>\x00\xff"
    line = b'+MQTTSUBRECV:0,"a\\"b",%d,%b' % (len(data), data)
    found = conversation("AT")
    items = [item for byte in line + b"\r\n\r\nOK\r\n" for item in found.receive(bytes([byte]))]
    assert [(item.kind, item.text) for item in items] == [(Kind.EVENT, line), (Kind.FINAL, b"OK")]
    assert items[0].message.data == data
    assert items[0].message.topic == b'a"b'


def test_an_answer_and_what_comes_unasked():
    found = conversation('AT+MQTTCONN=0,"h",1,0')
    port = b'ready\r\n+MQTTCONNECTED:0,1,"h",1,"",0\r\n\r\nOK\r\n+MQTTDISCONNECTED:0\r\nready\r\n'
    kinds = [kind for kind, _ in received(found, port)]
    assert kinds == [Kind.OTHER, Kind.EVENT, Kind.FINAL, Kind.EVENT, Kind.OTHER]


def test_a_data_phase_ends_with_its_own_words():
    found = conversation('AT+MQTTPUBRAW=0,"t",4,0,0')
    assert received(found, b"\r\nOK\r\n\r\n>") == [(Kind.INFO, b"OK"), (Kind.PROMPT, b">")]
    assert received(found, b"\r\n+MQTTPUB:FAIL\r\n") == [(Kind.FINAL, PUBLISH_RESULTS[1])]
    assert found.pending is None


def test_a_certificate_of_no_length_asks_for_no_data():
    assert received(conversation("AT+MQTTCERT=0,2,0"), b"\r\nOK\r\n") == [(Kind.FINAL, b"OK")]


def test_the_echo_of_a_command_is_no_answer():
    assert received(conversation("AT"), b"AT\r\n\r\nOK\r\n") == [(Kind.FINAL, b"OK")]


def test_noise_costs_one_line():
    found = conversation()
    assert received(found, b"\x00\xfe boot\n> \r\nready\r\n") == [
        (Kind.OTHER, b"\x00\xfe boot"),
        (Kind.OTHER, b"> "),
        (Kind.OTHER, b"ready"),
    ]


def test_no_control_byte_reaches_the_screen():
    written = []
    view = View(REFERENCE, written.append)
    for item in conversation().receive(b'+MQTTSUBRECV:0,"t",9,\x1b[2J\r\n\xff\xc2\x9b\r\n\x1b[31mred\r\n'):
        view.came(item)
    assert written == ['+MQTTSUBRECV:0,"t",9,\\x1b[2J\\r\\n\\xff\\xc2\\x9b', "\\x1b[31mred"]


def test_a_message_whose_bytes_stop_coming_is_cut_off():
    found = conversation("AT")
    assert found.cut() is None
    assert received(found, b'+MQTTSUBRECV:0,"t",100000,abc\r\nready\r\n') == []
    assert found.cut() == Item(Kind.CUT, b'+MQTTSUBRECV:0,"t",100000,abc\r\nready')
    assert received(found, b"\r\nOK\r\nhalf") == [(Kind.FINAL, b"OK")]
    assert found.cut() is None
    assert received(found, b" a line\r\n") == [(Kind.OTHER, b"half a line")]


def test_a_command_behind_a_message_that_stops_fails_and_the_next_does_not(monkeypatch):
    monkeypatch.setattr(session, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(session, "CUT_SECONDS", 0.2)
    said = iter([b'OK\r\n+MQTTSUBRECV:0,"t",9999,', b"OK\r\n", b"OK\r\n"])
    board = Scripted(lambda line: next(said))
    wire = Wire(board.name, 115200)

    async def talk() -> None:
        port = session.Session(wire, REFERENCE, ask)
        assert not (await port.run("AT")).failed
        with pytest.raises(session.Refused, match="no answer within"):
            await port.run("AT")
        assert (await port.run("AT")).final == Item(Kind.FINAL, b"OK")
        wire.close()

    asyncio.run(talk())
    board.close()


# --- splitting and hiding ---


@pytest.mark.parametrize(
    "line, parts",
    [
        ('AT+MQTTPUB=0,"t","a\\,b",1,0', ["0", '"t"', '"a\\,b"', "1", "0"]),
        ('AT+MQTTPUB=0,"t","a,b",1,0', ["0", '"t"', '"a,b"', "1", "0"]),
        ('AT+MQTTPUB=0,"t","{"a":1}"', ["0", '"t"', '"{"a":1}"']),
        ('AT+MQTTPUB=0,"t","half, ', ["0", '"t"', '"half, ']),
        ("AT+MQTTPUB=", [""]),
        ("at+mqttsub=0,,", ["0", "", ""]),
    ],
)
def test_parameters(line, parts):
    typed = split(line)
    assert typed.name == line.partition("=")[0].upper()
    assert [part.text for part in typed.parts] == parts
    assert all(line[part.start : part.end] == part.text for part in typed.parts)


def test_a_string_ends_at_an_unescaped_quote():
    assert [is_inside_string(text) for text in ('"', '"a', '"a\\"', '"a"', "1")] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "line, hidden",
    [
        (USERCFG, f'AT+MQTTUSERCFG=0,1,"w800","user",{HIDDEN},0,0,""'),
        (USERCFG.lower(), f'at+mqttusercfg=0,1,"w800","user",{HIDDEN},0,0,""'),
        ('+MQTTUSERCFG:0,1,"w800","user","geheim",0,0,""', f'+MQTTUSERCFG:0,1,"w800","user",{HIDDEN},0,0,""'),
        ('AT+MQTTUSERCGF=0,1,"w800","user","geheim",0,0,""', f'AT+MQTTUSERCGF=0,1,"w800","user",{HIDDEN},0,0,""'),
        ('AT+MQTTPASSWORD=0"geheim"', f"AT+MQTTPASSWORD=0{HIDDEN}"),
        ('AT+MQTTPASSWORD=0,<geheim', f"AT+MQTTPASSWORD=0,{HIDDEN}"),
        ('AT+MQTTPASSWORD=0,"geheim', f"AT+MQTTPASSWORD=0,{HIDDEN}"),
        ('AT+CWJAP="home","geheim"', f'AT+CWJAP="home",{HIDDEN}'),
        ('log: +MQTTPASSWORD:0,"geheim"', f"log: +MQTTPASSWORD:0,{HIDDEN}"),
        # Where the parameters leave a doubt, all of them.
        ('at+mqttusercfg :0,1,"w800","user","geheim",0,0,""', f"at+mqttusercfg :{HIDDEN}"),
        ('AT+MQTTUSERCFG=0,1,"w800","user","ge",heim",0,0,""', f"AT+MQTTUSERCFG={HIDDEN}"),
        ('AT+MQTTUSERCFG=0,1,"w800","ge","he",im",0,""', f"AT+MQTTUSERCFG={HIDDEN}"),
        ('AT+MQTTUSERCFG=0,1,"w800","user","geheim', f"AT+MQTTUSERCFG={HIDDEN}"),
        ('AT+MQTTUSERCFG=0,1,"id","geheim",0,0,""', f"AT+MQTTUSERCFG={HIDDEN}"),
        ('AT+MQTTPASSWORD="geheim"', f"AT+MQTTPASSWORD={HIDDEN}"),
        ('AT+MQTTPASSWORD 0,"geheim"', f"AT+MQTTPASSWORD {HIDDEN}"),
        ('AT+MQTTPASSWORD=0."geheim"', f"AT+MQTTPASSWORD={HIDDEN}"),
        ('AT+CWJAP="home" "geheim"', f"AT+CWJAP={HIDDEN}"),
        ('AT+CWSAP="home","geheim",5,3', f"AT+CWSAP={HIDDEN}"),
        ('+MQTTPASSWORD=0,"geheim"', f"+MQTTPASSWORD={HIDDEN}"),
        ("+MQTTUSERCFG:0,1,geheim", f"+MQTTUSERCFG:{HIDDEN}"),
        ('at> AT+MQTTPASSWORD=0,"geheim"', f"at> AT+MQTTPASSWORD={HIDDEN}"),
        # What is published is no secret.
        ('AT+MQTTPUB=0,"t","+MQTTPASSWORD:0"', None),
        ('AT+MQTTUSERCFG=0,1,"w800","","",0,0,""', None),
        ("AT+MQTTUSERCFG?", None),
        ('AT+MQTTUSERCFG=<LinkID>,<scheme>,<"client_id">,<"username">,<"password">,<cert_key_ID>,<CA_ID>,<"path">', None),
    ],
)
def test_secrets_are_hidden(line, hidden):
    assert hide(line, REFERENCE) == (hidden or line)


def test_the_history_keeps_no_secret_and_no_data(tmp_path):
    commands = True
    history = SafeHistory(tmp_path / "state" / "history", REFERENCE, lambda: commands, pytest.fail)
    for line in (
        USERCFG,
        "AT+MQTTCONN?",
        'AT+UNKNOWN="geheim"',
        'AT+UNKNOWN:"geheim',
        'AT+MQTTPASSW:0,"geheim',
        'AT+CWJAP="home","geheim"',
        ":send file topic",
        ':AT+MQTTPASSWORD=0,"geheim"',
        ":geheim",
        'geheim AT+MQTTPASSWORD=0,"x"',
        'AT+UNKNOWN="geheim" +MQTTPASSWORD:0,"x"',
        'AT+UNKNOWN="***","geheim"',
        'AT+MQTTUSERCFG=0,1,"id","geheim",0,0,""',
    ):
        history.append_string(line)
    pasted = f"AT\n{USERCFG}\nAT+MQTTLONGPASSWORD=0,6\ngeheim"
    history.append_string(pasted)
    history.append_string("geheim")
    commands = False
    history.append_string("AT+geheim")
    user = f'AT+MQTTUSERCFG=0,1,"w800","user",{HIDDEN},0,0,""'
    typed = [user, "AT+MQTTCONN?", f"AT+MQTTPASSW:{HIDDEN}", f'AT+CWJAP="home",{HIDDEN}', ":send file topic"]
    typed += [f"AT+MQTTUSERCFG={HIDDEN}"]
    assert history.get_strings() == [*typed, "AT", user, "AT+MQTTLONGPASSWORD=0,6"]
    file = tmp_path / "state" / "history"
    assert "geheim" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_written(tmp_path):
    (tmp_path / "state").touch()
    said = []
    history = SafeHistory(tmp_path / "state" / "history", REFERENCE, lambda: True, said.append)
    history.append_string("AT")
    history.append_string("AT+GMR")
    assert history.get_strings() == ["AT", "AT+GMR"]
    assert len(said) == 1 and said[0].startswith("What is typed is not kept for later: ")


# --- completion ---


def offered(text, *before):
    memory = Memory(REFERENCE)
    for line in before:
        memory.learn(line)
    return {choice.text: choice.means for choice in choices(text, REFERENCE, memory)}


def shown(text):
    return "".join(part for _, part in hint(text, REFERENCE))


def test_names():
    assert set(offered("at+mqttuser")) == {"AT+MQTTUSERCFG", "AT+MQTTUSERNAME"}
    assert {"AT+RST", "AT+MQTTERR"} <= set(offered("AT+"))
    assert set(offered("AT+MQTTSUB")) == {"=", "?", "=?"}
    assert offered("AT+MQTTERR")["?"]
    assert "=" not in offered("AT+MQTTERR")


def test_values_have_their_meanings():
    assert offered("AT+MQTTUSERCFG=0,1") == {"10": "WebSocket over TLS, verified both ways", ",": "client_id"}
    assert list(offered("AT+MQTTUSERCFG=0,")) == [str(scheme) for scheme in range(1, 11)]
    assert offered('AT+MQTTSUB=0,"a,b",') == {"0": "at most once", "1": "at least once", "2": "exactly once"}
    assert offered('AT+MQTTCONN=0,"h",1883,0,') == {"15000": "default"}
    assert offered('AT+MQTTPUB=0,"t","2,') == {}


def test_texts_typed_before_come_again_but_no_secrets():
    assert '"room/1"' in offered("AT+MQTTSUB=0,", 'AT+MQTTPUB=0,"room/1","x",0,0')
    assert '"gehe\\"im"' not in offered('AT+MQTTUSERCFG=0,1,"","",', USERCFG)
    assert '"geheim"' not in offered('AT+MQTTUSERCFG=0,1,"",', 'AT+MQTTUSERCFG=0,1,"id","geheim",0,0,""')


def test_files(tmp_path):
    (tmp_path / "picture.raw").write_bytes(bytes(12))
    assert offered(f'AT+MQTTPUBRAW=0,"t",@{tmp_path}/pic') == {"picture.raw": "12 bytes"}
    assert offered(f":send {tmp_path}/") == {"picture.raw": "12 bytes"}
    assert "@" in offered('AT+MQTTPUBRAW=0,"t",')


def test_the_hint_follows_the_cursor():
    assert "qos  0–2; default 0; 0 at most once, 1 at least once, 2 exactly once" in shown('AT+MQTTPUB=0,"t","a,b",')
    assert "timeout_ms  3000–60000 ms; default 10000" in shown('AT+MQTTPUB=0,"t","",0,0,')
    assert "scheme  1–10; 8 WebSocket over TLS, the server's certificate verified" in shown("AT+MQTTUSERCFG=0,8")
    assert "too many parameters" in shown("AT+MQTTCLEAN=0,1")
    assert ("reverse", '"topic"') in hint("AT+MQTTSUB=0,", REFERENCE)
    assert shown("hello") == ""


def test_every_parameter_has_a_hint():
    for command in REFERENCE.commands.values():
        for position, param in enumerate(command.params):
            assert f"{param.name}  {param.hint()}" in shown(f"{command.name}={',' * position}")


def test_every_code_is_explained():
    assert REFERENCE.explain("ERR CODE:0x0000600b").startswith("AT_MQTT_CLIENT_START_FAILED: the first connection")
    assert all(REFERENCE.explain(f"ERR CODE:0x{code:08x}") for code in range(0x6001, 0x6053))
    assert REFERENCE.explain("ERR CODE:0x00007000") is None


# --- records ---


@pytest.mark.parametrize(
    "data",
    [b"", b"plain", '°C {"a":{"b":1}}'.encode(), b"{{0x41}}", b"{{{PORT}}}", bytes(range(256)), b"\xc2\x85\xe2\x80\xa8"],
)
def test_bytes_survive_the_record(data):
    text = encode(data)
    assert text.isprintable() or not text
    assert decode(text, {}) == data
    assert pattern(text, {}).fullmatch(text)


def test_what_varies():
    assert mark_times("+CIPSNTPTIME:Thu Jan  1 00:00:00 1970") == "+CIPSNTPTIME:{{time}}"
    assert mark_times("compiled 2026-11-22 at 10:11:12") == "compiled {{time}} at {{time}}"
    assert mark_numbers("+SYSHEAP:81512,77576") == "+SYSHEAP:{{number}},{{number}}"
    assert pattern("a{{number}}b{{any}}", {}).fullmatch("a-1.5b…")
    assert not pattern("a{{number}}", {}).fullmatch("ax")
    assert pattern("p:{{PORT=1}}", {"PORT": b"2"}).fullmatch("p:2")


def record(*happened):
    """`>`: typed, `=`: data, bytes: what the port sends."""
    file, found = io.StringIO(), Conversation(REFERENCE)
    recorder = Recorder(file, REFERENCE, Path("/"), pytest.fail)
    for what in happened:
        if isinstance(what, bytes):
            for item in found.receive(what):
                recorder.came(item)
        elif isinstance(what, Payload):
            recorder.filled(what)
        else:
            recorder.typed(what)
            found.begin(pending(what, REFERENCE))
    return [line for line in file.getvalue().splitlines()[2:] if line]


def test_a_record_names_what_varies_and_hides_secrets():
    lines = record(
        USERCFG,
        b"\r\nOK\r\n",
        "AT+MQTTUSERCFG?",
        b'+MQTTUSERCFG:0,1,"w800","user","gehe\\"im",0,0,""\r\n\r\nOK\r\n',
        'AT+MQTTCONN=0,"10.0.2.2",5001,0',
        b'+MQTTCONNECTED:0,1,"10.0.2.2",5001,"",0\r\n\r\nOK\r\n',
        'AT+MQTTCONN=0,"10.0.2.2",5002,0',
        b"AT+MQTTLONGPASSWORD\r\n",
        "AT+MQTTLONGPASSWORD=0,6",
        b"\r\nOK\r\n\r\n>",
        Payload(b"secret", secret=True),
    )
    assert lines == [
        '> AT+MQTTUSERCFG=0,1,"w800","user","{{PASSWORD}}",0,0,""',
        "< OK",
        "> AT+MQTTUSERCFG?",
        '< +MQTTUSERCFG:0,1,"w800","user","{{PASSWORD}}",0,0,""',
        "< OK",
        '> AT+MQTTCONN=0,"{{HOST=10.0.2.2}}",{{PORT=5001}},0',
        '! +MQTTCONNECTED:0,1,"{{HOST}}",{{PORT}},"",0',
        "< OK",
        '> AT+MQTTCONN=0,"{{HOST=10.0.2.2}}",{{PORT_2=5002}},0',
        "< AT+MQTTLONGPASSWORD",
        "> AT+MQTTLONGPASSWORD=0,6",
        "< OK",
        "< >",
        "= {{PASSWORD_2}}",
    ]


def test_a_record_has_only_the_length_of_what_may_be_a_secret():
    """A data phase that was refused, its data typed as a line; parameters that are not as they should be."""
    lines = record(
        "AT+MQTTLONGPASSWORD=0,6",
        b"ERROR\r\n",
        "geheim",
        b"\r\nCMD FORMAT ERR\r\n",
        "> AT+MQTTPASSWORD=0,geheim",
        b"CMD FORMAT ERR\r\n",
        'AT+MQTTPASSWORD="geheim"',
        b"ERR CODE:0x00006008\r\n\r\nERROR\r\n",
        'AT+UNKNOWN="geheim"',
        b"\r\nOK\r\n",
        "AT+UNKNOWN?",
        b'log: +MQTTPASSWORD:0,"geheim"\r\n+MQTTUSERCFG:0,geheim\r\nOK\r\n',
        b'+MQTTSUBRECV:0,"t",0,\r\nx +MQTTPASSWORD:0,geheim\r\n',
    )
    assert lines == [
        "> AT+MQTTLONGPASSWORD=0,6",
        "< ERROR",
        "# (no command, 6 bytes)",
        "# < CMD FORMAT ERR",
        "# (no command, 26 bytes)",
        "# < CMD FORMAT ERR",
        "# (AT+MQTTPASSWORD, its parameters hidden, 24 bytes)",
        "# < ERROR",
        "# (no command, 19 bytes)",
        "~ the line that is not written was carried out",
        "> AT+UNKNOWN?",
        '< log: +MQTTPASSWORD:0,"{{PASSWORD}}"',
        "< +MQTTUSERCFG:{{any}}",
        "< OK",
        '! +MQTTSUBRECV:0,"t",0,',
        '# x +MQTTPASSWORD:0,"***"',
    ]


def test_a_record_on_a_full_disk_ends_with_one_word_about_it():
    said = []
    with open("/dev/full", "w", encoding="utf-8") as full:
        recorder = Recorder(full, REFERENCE, Path("/"), said.append)
        recorder.typed("AT")
        recorder.typed("AT+GMR")
        with pytest.raises(OSError):
            full.close()
    assert said == ["The record ends here, as it cannot be written: No space left on device"]


def test_long_data_is_a_digest():
    data = bytes(5000)
    digest = hashlib.sha256(data).hexdigest()
    message = b'+MQTTSUBRECV:0,"t",5000,' + data + b"\r\n"
    assert record(message, Payload(data, "/some/file"), Payload(data, "/a/key", secret=True)) == [
        f'! +MQTTSUBRECV:0,"t",5000,{{{{sha256:{digest}}}}}',
        f"@ 5000 {digest} some/file",
        "@ 5000 - a/key",
    ]


def test_variables_come_from_the_environment_the_record_or_a_person(monkeypatch):
    steps = parse('> AT+MQTTCONN=0,"{{HOST=h}}",{{PORT=1}},0\n< {{any}}\n= {{PASSWORD}}\n')
    monkeypatch.setenv("W800_PORT", "2")
    assert variables(steps, lambda name: name.lower()) == {"HOST": b"h", "PORT": b"2", "PASSWORD": b"password"}
    with pytest.raises(Malformed, match="W800_PASSWORD"):
        variables(steps, lambda _: None)


def test_data_that_did_not_go_out_whole_is_not_typed_again():
    steps = parse('> AT+MQTTPUBRAW=0,"t",9,0,0\n< OK\n< >\n= half\n~ ended\n< +MQTTPUB:FAIL\n> AT\n')
    assert [(step.kind, step.text) for step in steps[2:]] == [("~", "ended"), (">", "AT")]


@pytest.mark.parametrize("text", ["", "# only a remark\n", "AT+MQTTCONN?\n", ">AT\n"])
def test_no_record(text):
    with pytest.raises(Malformed):
        parse(text)
