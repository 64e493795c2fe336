"""The documents' session from USERCFG to CLEAN, with every answer compared byte for byte."""

import random
import subprocess

from broker import program


def test_documents_session(link, broker, witness):
    at, host = link.port, link.host
    other = witness("topic", "topic/raw")

    at.ok('AT+MQTTUSERCFG=0,1,"w800","WinnerMicro","1234567890",0,0,""')
    at.ok('AT+MQTTCONNCFG=0,60,0,"lwt","gone",1,0')
    at.ok(f'AT+MQTTCONN=0,"{host}",{broker.port},0')
    assert at.connected(0) == f'1,"{host}",{broker.port},"",0'.encode()

    at.ok('AT+MQTTSUB=0,"topic",1')
    at.ok('AT+MQTTPUB=0,"topic","hello",1,0')
    received = at.message()
    assert (received.link, received.topic, received.data) == (0, b"topic", b"hello")
    assert received.raw == b'+MQTTSUBRECV:0,"topic",5,hello\r\n'
    assert other.message().payload == b"hello"

    at.ok('AT+MQTTSUB=0,"topic/raw",1')
    payload = random.Random(4096).randbytes(4096)
    assert at.raw('AT+MQTTPUBRAW=0,"topic/raw",4096,1,0', payload) == b"OK"
    received = at.message()
    assert (received.topic, received.data) == (b"topic/raw", payload)
    assert other.message().payload == payload

    at.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"topic",1', '+MQTTSUB:0,6,"topic/raw",1')
    at.ok('AT+MQTTUNSUB=0,"topic"')
    at.ok('AT+MQTTUNSUB=0,"topic/raw"')
    other.publish("topic", b"nobody listens")
    at.quiet(0.5)
    at.ok("AT+MQTTCLEAN=0")
    at.quiet(0.5)
    assert link.state() == 0


def test_answers_are_literal(link, broker):
    """Not one byte more or less than the documents show."""
    at, host = link.port, link.host
    assert at.command('AT+MQTTUSERCFG=0,1,"w800","","",0,0,""').raw == b"\r\nOK\r\n"
    assert at.command("AT+MQTTCONN?").raw == b'+MQTTCONN:0,1,1,"",0,"",0\r\n\r\nOK\r\n'
    assert at.command("AT+MQTTCLEAN=1").raw == b"ERR CODE:0x00006011\r\n\r\nERROR\r\n"
    assert at.command(f'AT+MQTTCONN=0,"{host}",{broker.port},0').raw == b"\r\nOK\r\n"
    assert at.connected(0) == f'1,"{host}",{broker.port},"",0'.encode()
    assert at.command('AT+MQTTSUB=0,"t",0').raw == b"\r\nOK\r\n"
    assert at.command('AT+MQTTSUB=0,"t",0').raw == b"ALREADY SUBSCRIBE\r\n\r\nOK\r\n"
    assert at.command('AT+MQTTUNSUB=0,"x"').raw == b"NO UNSUBSCRIBE\r\n\r\nOK\r\n"
    at.prompt('AT+MQTTPUBRAW=0,"q",3,0,0')
    at.fill(b"abc")
    assert at.answer().raw == b"\r\nOK\r\n\r\n>\r\n+MQTTPUB:OK\r\n"
    assert at.command("AT+MQTTCLEAN=0").raw == b"\r\nOK\r\n"


def test_mosquitto_clients_agree(link, broker):
    """The same path with mosquitto's own programs at the other end."""
    link.configure()
    link.connect(broker.port)
    where = ["-h", broker.address, "-p", str(broker.port)]
    command = [program("mosquitto_sub"), *where, "-t", "from/board", "-C", "1", "-W", "10", "-q", "2", "-i", "subscriber"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as subscriber:
        broker.await_log("Sending SUBACK to subscriber")
        link.publish("from/board", "21.5 °C", 2)
        assert subscriber.stdout.read() == "21.5 °C\n".encode()
    link.subscribe("to/board", 2)
    subprocess.run([program("mosquitto_pub"), *where, "-t", "to/board", "-q", "2", "-m", "set 22"], check=True, timeout=10)
    assert link.port.message().data == b"set 22"


def test_every_command_has_usage(at):
    names = "USERCFG CONNCFG CONN PUB PUBRAW SUB UNSUB CLEAN".split()
    for name in names:
        answer = at.command(f"AT+MQTT{name}=?")
        assert answer.final == b"OK", answer
        assert answer.lines, f"no usage for {name}"
        assert f"AT+MQTT{name}=<LinkID>".encode() in b"\n".join(answer.lines), answer.lines
