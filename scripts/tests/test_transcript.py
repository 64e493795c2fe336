"""What a transcript of the AT port shows and what it must not, however the bytes are cut."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "serial"))

from transcript import Transcript, mask  # noqa: E402

SECRET = "qu1et"


def written(path: Path, *pieces: tuple[str, bytes]) -> list[str]:
    """The lines without their times."""
    transcript = Transcript(path / "transcript.txt")
    for way, data in pieces:
        transcript.note(way, data)
    transcript.close()
    return [line.split(" ", 1)[1] for line in (path / "transcript.txt").read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('AT+MQTTUSERCFG=0,1,"c","u","qu1et",0,0,""', 'AT+MQTTUSERCFG=0,1,"c","u",***,0,0,""'),
        (r'AT+MQTTUSERCFG=0,1,"c,d","u\"","qu1et\",qu1et",0,0,""', r'AT+MQTTUSERCFG=0,1,"c,d","u\"",***,0,0,""'),
        ('+MQTTUSERCFG:0,1,"c","u","qu1et",0,0,""', '+MQTTUSERCFG:0,1,"c","u",***,0,0,""'),
        ('AT+MQTTUSERCFG=0,1,"c","u","qu1"et",0,0,""', 'AT+MQTTUSERCFG=0,1,"c","u",***'),
        ('AT+MQTTUSERCFG=0,1,"c","u",qu1et', 'AT+MQTTUSERCFG=0,1,"c","u",***'),
        ('at+mqttusercfg=0,1,"c","u","qu1et', 'at+mqttusercfg=0,1,"c","u",***'),
        ('AT+MQTTUSERCFG=0,1,"c","u","",0,0,""', 'AT+MQTTUSERCFG=0,1,"c","u","",0,0,""'),
        ('AT+MQTTPASSWORD=0,"qu1et"', "AT+MQTTPASSWORD=0,***"),
        ('AT+MQTTPASSWORD=0"qu1et"', "AT+MQTTPASSWORD=0***"),
        ('+MQTTPASSWORD:0,"qu1et"', "+MQTTPASSWORD:0,***"),
        ("AT+MQTTPASSWORD?", "AT+MQTTPASSWORD?"),
        ('AT+CWJAP="home","qu1et"', "AT+CWJAP=***"),
        ('AT+CWJAP?', "AT+CWJAP?"),
        ('+CWJAP:"home","02:00",6', '+CWJAP:"home","02:00",6'),
    ],
)  # fmt: skip
def test_masks(line, shown):
    assert mask(line.encode()).decode() == shown


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_however_it_is_cut(tmp_path, size):
    sent = b'AT+MQTTPASSWORD=0,"qu1et"\r\nAT+MQTTLONGPASSWORD=0,7\r\nqu1et\r\nAT\r\n'
    lines = written(tmp_path, *(("->", sent[at : at + size]) for at in range(0, len(sent), size)))
    assert SECRET not in "".join(lines)
    assert lines[0] == "-> AT+MQTTPASSWORD=0,***" and lines[-1] == "-> AT"


def test_a_data_phase_that_is_refused_has_no_data(tmp_path):
    refusal = b"ERR CODE:0x00006001\r\n\r\nERROR\r\n"
    lines = written(tmp_path, ("->", b"AT+MQTTCERT=0,2,500\r\n"), ("<-", refusal), ("->", b"AT\r\n"))
    assert lines == ["-> AT+MQTTCERT=0,2,500", "<- ERR CODE:0x00006001", "<- ERROR", "-> AT"]


def test_a_line_across_a_line_of_the_other_way(tmp_path):
    """Nothing is written by halves, which could not be masked."""
    pieces = [("<-", b'+MQTTPASSWORD:0,"qu'), ("->", b"AT\r\n"), ("<-", b'1et"\r\n\r\nOK\r\n')]
    assert written(tmp_path, *pieces) == ["-> AT", "<- +MQTTPASSWORD:0,***", "<- OK"]


def test_a_message_is_one_line(tmp_path):
    """Its data may hold line ends; much of it is cut."""
    lines = written(tmp_path, ("<-", b'+MQTTSUBRECV:0,"a\\"b",9,x\r\nOK\r\n\xff\0\r\n\r\nOK\r\n'))
    assert lines == [r'<- +MQTTSUBRECV:0,"a\"b",9,x\x0d\x0aOK\x0d\x0a\xff\x00', "<- OK"]
    lines = written(tmp_path, ("<-", b'+MQTTSUBRECV:0,"t",100000,' + b"\n" * 100000 + b"\r\nOK\r\n"))[2:]
    assert len(lines) == 2 and lines[0].endswith(" … 100028 bytes") and len(lines[0]) < 2000
    assert lines[1] == "<- OK"


def test_publications_are_counted(tmp_path):
    sent = [
        ("->", b'AT+MQTTPUBRAW=0,"a,b",6,1,0\r\n'),
        ("<-", b"\r\nOK\r\n\r\n>"),
        ("->", b"\r\nOK\r\n"),
        ("<-", b"\r\n+MQTTPUB:OK\r\n"),
    ]
    assert written(tmp_path, *sent) == ['-> AT+MQTTPUBRAW=0,"a,b",6,1,0', "<- OK", "<- >", "-> (6 bytes)", "<- +MQTTPUB:OK"]
