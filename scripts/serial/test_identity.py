"""AT+MQTTCLIENTID, AT+MQTTUSERNAME and AT+MQTTPASSWORD (at-contract §3)."""

import pytest

from atport import quote
from link import Code

FIELDS = [("CLIENTID", 0x6014, 0x6015, 0x6016), ("USERNAME", 0x6017, 0x6018, 0x6019), ("PASSWORD", 0x601A, 0x601B, 0x601C)]
each = pytest.mark.parametrize(("name", "unreadable", "empty", "too_long"), FIELDS)


@each
def test_set_and_query(link, name, unreadable, empty, too_long):
    link.configure()
    link.port.ok(f'AT+MQTT{name}=0,"value"')
    link.port.ok(f"AT+MQTT{name}?", f'+MQTT{name}:0,"value"')
    assert link.state() == 1


@each
def test_the_older_documents_form_without_comma(link, name, unreadable, empty, too_long):
    link.configure()
    link.port.ok(f'AT+MQTT{name}=0"value"')
    link.port.ok(f"AT+MQTT{name}?", f'+MQTT{name}:0,"value"')


@each
def test_errors(link, name, unreadable, empty, too_long):
    link.configure()
    link.port.error(f'AT+MQTT{name}=0,""', empty)
    link.port.error(f"AT+MQTT{name}=0", Code.COUNTS)
    link.port.error(f'AT+MQTT{name}=0,"a",1', Code.COUNTS)
    link.port.error(f'AT+MQTT{name}=x,"a"', Code.LINK_READ)
    link.port.error(f'AT+MQTT{name}=1,"a"', Code.LINK_VALUE)
    link.port.error(f"AT+MQTT{name}=0,a", unreadable)


@each
def test_more_than_usercfg_takes(link, name, unreadable, empty, too_long):
    """Up to what fits a line; 256 bytes do not."""
    value = "v" * 220
    link.configure()
    link.port.ok(f'AT+MQTT{name}=0,"{value}"')
    link.port.ok(f"AT+MQTT{name}?", f'+MQTT{name}:0,"{value}"')


@each
def test_states(link, broker, relay, name, unreadable, empty, too_long):
    command = f'AT+MQTT{name}=0,"value"'
    link.port.error(command, Code.NO_CONFIGURED)
    link.configure(keepalive=60, user="user")
    link.port.ok(command)
    assert link.state() == 2
    link.connect(relay.port)
    link.port.error(command, Code.ALREADY_CONNECTED)
    relay.cut()
    link.port.disconnected()
    link.port.error(command, Code.NOT_IN_CONFIGURED_STATE)


def test_they_replace_what_usercfg_set(link, peer):

    def script(connection):
        connection.accept()
        connection.serve()

    accepting = peer(script)
    link.configure(client="a", user="b", password="c")
    for name, value in (("CLIENTID", 'id"1'), ("USERNAME", "user,2"), ("PASSWORD", "pass\\3")):
        link.port.ok(b"AT+MQTT%s=0,%s" % (name.encode(), quote(value)))
    link.port.ok("AT+MQTTUSERCFG?", rb'+MQTTUSERCFG:0,1,"id\"1","user,2","pass\\3",0,0,""')
    link.connect(accepting.port)
    body = accepting.connection(0).packets[0].body
    assert body[10:] == b'\x00\x04id"1\x00\x06user,2\x00\x06pass\\3'


def test_usercfg_again_replaces_them(link):
    link.configure()
    link.port.ok('AT+MQTTCLIENTID=0,"other"')
    link.configure(client="w800")
    link.port.ok("AT+MQTTCLIENTID?", '+MQTTCLIENTID:0,"w800"')
