"""Literal rows of every query in every state (at-contract §2, §3)."""

import pytest

from link import Code


def test_state_0(at):
    at.ok("AT+MQTTCONN?", '+MQTTCONN:0,0,0,"",0,"",0')
    at.ok("AT+MQTTUSERCFG?")
    at.ok("AT+MQTTSUB?")


def test_state_1(link):
    at = link.port
    at.ok('AT+MQTTUSERCFG=0,1,"w800","user","secret",0,0,"mqtt"')
    at.ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"w800","user","secret",0,0,"mqtt"')
    assert link.state() == 1
    at.ok("AT+MQTTSUB?")


def test_state_2(link):
    at = link.port
    link.configure()
    at.ok('AT+MQTTCONNCFG=0,7200,1,"lwt","gone",2,1')
    at.ok("AT+MQTTCONNCFG?", '+MQTTCONNCFG:0,7200,1,"lwt","gone",2,1')
    at.ok("AT+MQTTCONN?", '+MQTTCONN:0,2,1,"",0,"",0')


def test_keepalive_0_becomes_120(link):
    link.configure()
    link.port.ok('AT+MQTTCONNCFG=0,0,0,"","",0,0')
    link.port.ok("AT+MQTTCONNCFG?", '+MQTTCONNCFG:0,120,0,"","",0,0')


def test_omitted_parameters_take_their_defaults(link):
    link.configure()
    link.port.ok('AT+MQTTCONNCFG=0,30,0,"lwt","gone",,')
    link.port.ok("AT+MQTTCONNCFG?", '+MQTTCONNCFG:0,30,0,"lwt","gone",0,0')


def test_usercfg_again_clears_conncfg(link):
    link.configure(keepalive=30, will=("lwt", "gone", 1, 1))
    assert link.state() == 2
    link.configure()
    assert link.state() == 1
    link.port.ok('AT+MQTTCONNCFG=0,0,0,"","",0,0')
    link.port.ok("AT+MQTTCONNCFG?", '+MQTTCONNCFG:0,120,0,"","",0,0')


@pytest.mark.parametrize("reconnect", [0, 1])
def test_connected_states(link, broker, reconnect):
    at, host = link.port, link.host

    def row(state):
        return f'+MQTTCONN:0,{state},1,"{host}",{broker.port},"",{reconnect}'

    link.configure()
    link.connect(broker.port, reconnect)
    at.ok("AT+MQTTCONN?", row(4))
    at.ok("AT+MQTTSUB?")
    at.ok('AT+MQTTSUB=0,"a/+/b",0')
    at.ok('AT+MQTTSUB=0,"c/#",2')
    at.ok("AT+MQTTCONN?", row(6))
    at.ok("AT+MQTTSUB?", '+MQTTSUB:0,6,"a/+/b",0', '+MQTTSUB:0,6,"c/#",2')
    at.ok('AT+MQTTUNSUB=0,"a/+/b"')
    at.ok("AT+MQTTCONN?", row(6))
    at.ok('AT+MQTTUNSUB=0,"c/#"')
    at.ok("AT+MQTTCONN?", row(5))
    at.ok("AT+MQTTSUB?")
    at.ok('AT+MQTTUSERCFG?', '+MQTTUSERCFG:0,1,"w800","","",0,0,""')


def test_lost_state(link, relay):
    at, host = link.port, link.host
    link.configure()
    link.connect(relay.port)
    link.subscribe("t", 1)
    relay.cut()
    assert at.disconnected() == 0
    at.ok("AT+MQTTCONN?", f'+MQTTCONN:0,3,1,"{host}",{relay.port},"",0')
    at.ok("AT+MQTTSUB?", '+MQTTSUB:0,3,"t",1')


def test_strings_are_printed_with_quote_and_backslash_escaped(link):
    link.port.ok(rb'AT+MQTTUSERCFG=0,1,"a\"b","c\\d","e\,f",0,0,"\x"')
    link.port.ok("AT+MQTTUSERCFG?", rb'+MQTTUSERCFG:0,1,"a\"b","c\\d","e,f",0,0,"x"')


def test_a_failed_first_connection_keeps_the_configuration(link, broker):
    link.configure(keepalive=30)
    link.port.error(f'AT+MQTTCONN=0,"{link.host}",1,0', Code.START_FAILED, timeout=20)
    assert link.state() == 2
    link.connect(broker.port)
