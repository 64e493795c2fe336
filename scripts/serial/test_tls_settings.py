"""AT+MQTTALPN and AT+MQTTSNI as settings; what they do on the wire is tested with TLS (at-contract §3)."""

from link import Code


def test_alpn(link):
    link.configure()
    link.port.ok("AT+MQTTALPN?")
    link.port.ok('AT+MQTTALPN=0,2,"mqtt-ca.cn","mqtt-ca.us"')
    link.port.ok("AT+MQTTALPN?", '+MQTTALPN:0,"mqtt-ca.cn"', '+MQTTALPN:0,"mqtt-ca.us"')
    link.port.ok('AT+MQTTALPN=0,5,"a","b","c","d","e"')
    link.port.ok("AT+MQTTALPN?", *(f'+MQTTALPN:0,"{name}"' for name in "abcde"))
    link.port.ok("AT+MQTTALPN=0,0")
    link.port.ok("AT+MQTTALPN?")


def test_alpn_errors(link):
    link.port.error("AT+MQTTALPN=0,0", Code.NO_CONFIGURED)
    link.configure()
    link.port.error("AT+MQTTALPN=0", Code.COUNTS)
    link.port.error('AT+MQTTALPN=0,1,"a","b"', Code.COUNTS)
    link.port.error('AT+MQTTALPN=0,2,"a"', Code.COUNTS)
    link.port.error("AT+MQTTALPN=x,0", Code.LINK_READ)
    link.port.error("AT+MQTTALPN=1,0", Code.LINK_VALUE)
    link.port.error('AT+MQTTALPN=0,6,"a","b","c","d","e","f"')
    link.port.error('AT+MQTTALPN=0,x,"a"')
    link.port.error('AT+MQTTALPN=0,1,""')


def test_sni(link):
    link.configure()
    link.port.ok('AT+MQTTSNI=0,"broker.example"')
    link.port.ok("AT+MQTTSNI?", '+MQTTSNI:0,"broker.example"')
    link.port.ok('AT+MQTTSNI=0,""')
    cleared = link.port.command("AT+MQTTSNI?")
    assert cleared.final == b"OK" and cleared.lines in ([], [b'+MQTTSNI:0,""'])


def test_sni_errors(link):
    link.port.error('AT+MQTTSNI=0,"a"', Code.NO_CONFIGURED)
    link.configure()
    link.port.error("AT+MQTTSNI=0", Code.COUNTS)
    link.port.error('AT+MQTTSNI=x,"a"', Code.LINK_READ)
    link.port.error('AT+MQTTSNI=1,"a"', Code.LINK_VALUE)


def test_usercfg_clears_both(link):
    link.configure()
    link.port.ok('AT+MQTTALPN=0,1,"mqtt"')
    link.port.ok('AT+MQTTSNI=0,"broker.example"')
    link.configure()
    link.port.ok("AT+MQTTALPN?")
    assert link.port.command("AT+MQTTSNI?").lines in ([], [b'+MQTTSNI:0,""'])


def test_states(link, relay):
    link.configure()
    link.connect(relay.port)
    for command in ('AT+MQTTALPN=0,1,"mqtt"', 'AT+MQTTSNI=0,"name"'):
        link.port.error(command, Code.ALREADY_CONNECTED)
    relay.cut()
    link.port.disconnected()
    for command in ('AT+MQTTALPN=0,1,"mqtt"', 'AT+MQTTSNI=0,"name"'):
        link.port.error(command, Code.NOT_IN_CONFIGURED_STATE)
