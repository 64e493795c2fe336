"""AT+MQTTLONGCLIENTID, AT+MQTTLONGUSERNAME and AT+MQTTLONGPASSWORD: fields of up to 1024 bytes (at-contract §3)."""

import time

import pytest

from link import Code

each = pytest.mark.parametrize("name", ["LONGCLIENTID", "LONGUSERNAME", "LONGPASSWORD"])


def fill(link, name, value):
    link.port.prompt(f"AT+MQTT{name}=0,{len(value)}")
    link.port.fill(value)
    answer = link.port.answer()
    assert answer.final == b"OK" and not answer.lines, answer


@pytest.mark.parametrize("length", [1, 256, 257, 1024])
def test_in_connect(link, peer, length):
    client, user, password = (bytes([letter]) * length for letter in b"cup")

    def script(connection):
        connection.accept()
        connection.serve()

    accepting = peer(script)
    link.configure()
    for name, value in (("LONGCLIENTID", client), ("LONGUSERNAME", user), ("LONGPASSWORD", password)):
        fill(link, name, value)
    link.connect(accepting.port)
    body = accepting.connection(0).packets[0].body
    size = length.to_bytes(2, "big")
    assert body[10:] == size + client + size + user + size + password


@each
def test_errors(link, name):
    link.configure()
    link.port.error(f"AT+MQTT{name}=0", Code.COUNTS)
    link.port.error(f"AT+MQTT{name}=0,1,1", Code.COUNTS)
    link.port.error(f"AT+MQTT{name}=x,1", Code.LINK_READ)
    link.port.error(f"AT+MQTT{name}=1,1", Code.LINK_VALUE)
    # The documents give the length no code of its own.
    for length in ("0", "1025", "x", "-1", "99999999999"):
        link.port.error(f"AT+MQTT{name}=0,{length}")
    assert link.state() == 1


@each
def test_states(link, relay, name):
    link.port.error(f"AT+MQTT{name}=0,5", Code.NO_CONFIGURED)
    link.configure(user="user")
    link.connect(relay.port)
    link.port.error(f"AT+MQTT{name}=0,5", Code.ALREADY_CONNECTED)
    relay.cut()
    link.port.disconnected()
    link.port.error(f"AT+MQTT{name}=0,5", Code.NOT_IN_CONFIGURED_STATE)


@each
def test_bytes_beyond_the_length_begin_the_next_command(link, name):
    link.configure()
    link.port.prompt(f"AT+MQTT{name}=0,5")
    link.port.fill(b"12345", b"AT+MQTTCONN?\r\n")
    assert link.port.answer().final == b"OK"
    assert link.port.answer().final in (b"OK", b"busy ...")


@each
def test_the_exit_code(link, name):
    link.configure(client="before")
    link.port.prompt(f"AT+MQTT{name}=0,50")
    link.port.write(b"part")
    time.sleep(1.2)
    link.port.fill(b"+++")
    answer = link.port.answer()
    assert (answer.final, answer.code) == (b"ERROR", 0x604D)
    link.port.ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"before","","",0,0,""')


@each
def test_a_stall_of_20_seconds(link, name):
    link.configure()
    link.port.prompt(f"AT+MQTT{name}=0,50")
    start = time.monotonic()
    link.port.fill(b"part")
    answer = link.port.answer(30)
    assert (answer.final, answer.code) == (b"ERROR", 0x604D)
    assert 19 <= time.monotonic() - start <= 22.5
    assert link.state() == 1


def test_a_client_id_that_is_no_utf8(link):
    link.configure()
    link.port.prompt("AT+MQTTLONGCLIENTID=0,2")
    link.port.fill(b"\xff\xfe")
    answer = link.port.answer()
    assert answer.final == b"ERROR" and answer.code is not None


def test_usercfg_clears_them(link):
    link.configure()
    fill(link, "LONGCLIENTID", b"x" * 300)
    link.configure(client="short")
    link.port.ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"short","","",0,0,""')
