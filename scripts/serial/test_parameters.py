"""Each parameter error with its own code (at-contract §3, §7)."""

import pytest

HUGE = "99999999999999999999"


def string(length):
    return '"' + "x" * length + '"'


CONFIGURING = [
    # count
    ('AT+MQTTUSERCFG=0,1,"c","","",0,0', 0x6008),
    ('AT+MQTTUSERCFG=0,1,"c","","",0,0,"",0', 0x6008),
    ("AT+MQTTUSERCFG=0", 0x6008),
    # LinkID
    ('AT+MQTTUSERCFG=,1,"c","","",0,0,""', 0x6010),
    ('AT+MQTTUSERCFG=x,1,"c","","",0,0,""', 0x6010),
    ('AT+MQTTUSERCFG=0x,1,"c","","",0,0,""', 0x6010),
    ('AT+MQTTUSERCFG=1,1,"c","","",0,0,""', 0x6011),
    (f'AT+MQTTUSERCFG={HUGE},1,"c","","",0,0,""', 0x6011),
    # scheme
    ('AT+MQTTUSERCFG=0,x,"c","","",0,0,""', 0x6012),
    ('AT+MQTTUSERCFG=0,,"c","","",0,0,""', 0x6012),
    ('AT+MQTTUSERCFG=0,0,"c","","",0,0,""', 0x6013),
    ('AT+MQTTUSERCFG=0,11,"c","","",0,0,""', 0x6013),
    (f'AT+MQTTUSERCFG=0,{HUGE},"c","","",0,0,""', 0x6013),
    # strings
    (f'AT+MQTTUSERCFG=0,1,"c",{string(65)},"",0,0,""', 0x6019),
    (f'AT+MQTTUSERCFG=0,1,"c","",{string(65)},0,0,""', 0x601C),
    (f'AT+MQTTUSERCFG=0,1,"c","","",0,0,{string(33)}', 0x6029),
    # stored credentials
    ('AT+MQTTUSERCFG=0,1,"c","","",x,0,""', 0x601D),
    ('AT+MQTTUSERCFG=0,1,"c","","",1,0,""', 0x601E),
    ('AT+MQTTUSERCFG=0,1,"c","","",0,x,""', 0x601F),
    ('AT+MQTTUSERCFG=0,1,"c","","",0,1,""', 0x6020),
]

CONNECTING = [
    ("AT+MQTTCONNCFG=0,60", 0x6008),
    ('AT+MQTTCONNCFG=0,60,0,"","",0,0,0', 0x6008),
    ('AT+MQTTCONNCFG=x,60,0,"","",0,0', 0x6010),
    ('AT+MQTTCONNCFG=1,60,0,"","",0,0', 0x6011),
    ('AT+MQTTCONNCFG=0,x,0,"","",0,0', 0x602B),
    ('AT+MQTTCONNCFG=0,7201,0,"","",0,0', 0x602D),
    (f'AT+MQTTCONNCFG=0,{HUGE},0,"","",0,0', 0x602D),
    ('AT+MQTTCONNCFG=0,60,x,"","",0,0', 0x602E),
    ('AT+MQTTCONNCFG=0,60,2,"","",0,0', 0x602F),
    ('AT+MQTTCONNCFG=0,60,0,"","gone",0,0', 0x6031),
    (f'AT+MQTTCONNCFG=0,60,0,{string(129)},"",0,0', 0x6032),
    (f'AT+MQTTCONNCFG=0,60,0,"t",{string(129)},0,0', 0x6035),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",x,0', 0x6036),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",3,0', 0x6037),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",0,x', 0x6038),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",0,2', 0x6039),
    ('AT+MQTTCONN=0,"h"', 0x6008),
    ('AT+MQTTCONN=0,"h",1883,0,3000,0', 0x6008),
    ('AT+MQTTCONN=x,"h",1883,0', 0x6010),
    ('AT+MQTTCONN=1,"h",1883,0', 0x6011),
    ('AT+MQTTCONN=0,"",1883,0', 0x603B),
    (f"AT+MQTTCONN=0,{string(129)},1883,0", 0x603C),
    ('AT+MQTTCONN=0,"h",x,0', 0x603D),
    ('AT+MQTTCONN=0,"h",0,0', 0x603E),
    ('AT+MQTTCONN=0,"h",65536,0', 0x603E),
    (f'AT+MQTTCONN=0,"h",{HUGE},0', 0x603E),
    ('AT+MQTTCONN=0,"h",1883,x', 0x603F),
    ('AT+MQTTCONN=0,"h",1883,2', 0x6040),
    # The documents give a time-out no code of its own.
    ('AT+MQTTCONN=0,"h",1883,0,2999', None),
    ('AT+MQTTCONN=0,"h",1883,0,60001', None),
    ('AT+MQTTCONN=0,"h",1883,0,x', None),
    ("AT+MQTTCLEAN=x", 0x6010),
    ("AT+MQTTCLEAN=1", 0x6011),
    ("AT+MQTTCLEAN=0,0", 0x6008),
]

CONNECTED = [
    ('AT+MQTTPUB=0,"t"', 0x6008),
    ('AT+MQTTPUB=x,"t","x",0,0', 0x6010),
    ('AT+MQTTPUB=1,"t","x",0,0', 0x6011),
    ('AT+MQTTPUB=0,"","x",0,0', 0x6042),
    (f'AT+MQTTPUB=0,{string(129)},"x",0,0', 0x6043),
    # A wildcard in a topic name has no code of its own in the documents.
    ('AT+MQTTPUB=0,"a/#","x",0,0', None),
    ('AT+MQTTPUB=0,"+/a","x",0,0', None),
    ('AT+MQTTPUB=0,"t","x",x,0', 0x6047),
    ('AT+MQTTPUB=0,"t","x",3,0', 0x6048),
    (f'AT+MQTTPUB=0,"t","x",{HUGE},0', 0x6048),
    ('AT+MQTTPUB=0,"t","x",0,x', 0x6049),
    ('AT+MQTTPUB=0,"t","x",0,2', 0x604A),
    ('AT+MQTTPUB=0,"t","x",0,0,x', None),
    ('AT+MQTTPUBRAW=0,"t"', 0x6008),
    ('AT+MQTTPUBRAW=x,"t",1,0,0', 0x6010),
    ('AT+MQTTPUBRAW=1,"t",1,0,0', 0x6011),
    ('AT+MQTTPUBRAW=0,"",1,0,0', 0x6042),
    (f"AT+MQTTPUBRAW=0,{string(129)},1,0,0", 0x6043),
    ('AT+MQTTPUBRAW=0,"t",x,0,0', 0x604B),
    ('AT+MQTTPUBRAW=0,"t",0,0,0', 0x604C),
    (f'AT+MQTTPUBRAW=0,"t",{HUGE},0,0', 0x604C),
    ('AT+MQTTPUBRAW=0,"t",1,x,0', 0x6047),
    ('AT+MQTTPUBRAW=0,"t",1,3,0', 0x6048),
    ('AT+MQTTPUBRAW=0,"t",1,0,x', 0x6049),
    ('AT+MQTTPUBRAW=0,"t",1,0,2', 0x604A),
    ("AT+MQTTSUB=0", 0x6008),
    ('AT+MQTTSUB=x,"t",0', 0x6010),
    ('AT+MQTTSUB=1,"t",0', 0x6011),
    ('AT+MQTTSUB=0,"",0', 0x6042),
    (f"AT+MQTTSUB=0,{string(129)},0", 0x6043),
    ('AT+MQTTSUB=0,"t",x', 0x6047),
    ('AT+MQTTSUB=0,"t",3', 0x6048),
    ('AT+MQTTSUB=0,"a#",0', None),
    ('AT+MQTTSUB=0,"a/#/b",0', None),
    ('AT+MQTTSUB=0,"a+/b",0', None),
    ("AT+MQTTUNSUB=0", 0x6008),
    ('AT+MQTTUNSUB=x,"t"', 0x6010),
    ('AT+MQTTUNSUB=1,"t"', 0x6011),
    ('AT+MQTTUNSUB=0,""', 0x6042),
    (f"AT+MQTTUNSUB=0,{string(129)}", 0x6043),
]

UNQUOTED_USERCFG = [
    ('AT+MQTTUSERCFG=0,1,c,"","",0,0,""', 0x6014),
    ('AT+MQTTUSERCFG=0,1,"c",u,"",0,0,""', 0x6017),
    ('AT+MQTTUSERCFG=0,1,"c","",p,0,0,""', 0x601A),
    ('AT+MQTTUSERCFG=0,1,"c","","",0,0,/p', 0x6027),
]

UNQUOTED = [
    ('AT+MQTTCONNCFG=0,60,0,t,"m",0,0', 0x6030),
    ('AT+MQTTCONNCFG=0,60,0,"t",m,0,0', 0x6033),
    ("AT+MQTTCONN=0,h,1883,0", 0x603A),
]

UNQUOTED_CONNECTED = [
    ('AT+MQTTPUB=0,t,"x",0,0', 0x6041),
    ('AT+MQTTPUB=0,"t",x,0,0', 0x6044),
    ("AT+MQTTPUBRAW=0,t,1,0,0", 0x6041),
    ("AT+MQTTSUB=0,t,0", 0x6041),
    ("AT+MQTTUNSUB=0,t", 0x6041),
]


def check(at, table):
    """All rows in one test: each is quick, and the next proves that the port still answers."""
    wrong = []
    for command, code in table:
        answer = at.command(command)
        if answer.final != b"ERROR" or answer.code is None or code not in (None, answer.code):
            wanted = "some code" if code is None else f"0x{code:x}"
            wrong.append(f"{command}: expected {wanted}, got {answer.lines} {answer.final!r}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_usercfg(link):
    check(link.port, CONFIGURING)
    assert link.state() == 0


def test_conncfg_conn_and_clean(link):
    link.configure()
    check(link.port, CONNECTING)
    assert link.state() == 1


def test_pub_sub_and_unsub(link, broker, witness):
    other = witness("#")
    link.configure()
    link.connect(broker.port)
    check(link.port, CONNECTED)
    assert link.state() == 4
    other.quiet(0.3)


def test_strings_without_quotes(link, broker):
    """Each has its parameter's "unreadable" code, whatever the server makes of quotes."""
    link.configure()
    check(link.port, UNQUOTED)
    link.connect(broker.port)
    check(link.port, UNQUOTED_CONNECTED)


def test_usercfg_without_quotes(link):
    """Before a proper USERCFG as behind one, and without a change to it."""
    check(link.port, UNQUOTED_USERCFG)
    assert link.state() == 0
    link.configure()
    check(link.port, UNQUOTED_USERCFG)
    link.port.ok("AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,1,"w800","","",0,0,""')


@pytest.mark.parametrize("limit", ["username", "password", "path"])
def test_usercfg_limits_are_inclusive(link, limit):
    values = {"username": "", "password": "", "path": ""}
    values[limit] = "x" * (32 if limit == "path" else 64)
    user, password, path = values.values()
    link.port.ok(f'AT+MQTTUSERCFG=0,1,"c","{user}","{password}",0,0,"{path}"')
    link.port.ok("AT+MQTTUSERCFG?", f'+MQTTUSERCFG:0,1,"c","{user}","{password}",0,0,"{path}"')


@pytest.mark.parametrize("length", [128])
def test_other_limits_are_inclusive(link, broker, witness, length):
    at, name = link.port, "n" * length
    other = witness(name)
    link.configure()
    at.ok(f'AT+MQTTCONNCFG=0,60,0,"{name}","",0,0')
    at.ok(f'AT+MQTTCONNCFG=0,60,0,"t","{name}",0,0')
    at.error(f'AT+MQTTCONN=0,"{name}",1883,0', timeout=20)
    link.connect(broker.port)
    link.subscribe(name, 1)
    link.publish(name, "x", 1)
    assert at.message().topic == name.encode()
    assert other.message().payload == b"x"
    at.ok(f'AT+MQTTUNSUB=0,"{name}"')


def test_limits_count_bytes_after_unescaping(link):
    """64 commas take 128 bytes of the line and 64 of the limit."""
    link.port.ok('AT+MQTTUSERCFG=0,1,"c","' + r"\," * 64 + '","",0,0,""')
    link.port.error('AT+MQTTUSERCFG=0,1,"c","' + r"\," * 65 + '","",0,0,""', 0x6019)


def test_password_without_username(link, broker):
    link.configure(password="secret")
    link.port.error(f'AT+MQTTCONN=0,"{link.host}",{broker.port},0', 0x6018)
    assert link.state() == 1


def test_empty_client_id_needs_a_clean_session(link, broker):
    link.configure(client="", persistent=True)
    link.port.error(f'AT+MQTTCONN=0,"{link.host}",{broker.port},0', 0x6015)
    link.configure(client="")
    link.connect(broker.port)


def test_empty_data_publishes_an_empty_message(link, broker, witness):
    other = witness("empty")
    link.configure()
    link.connect(broker.port)
    link.publish("empty", "", 1)
    assert other.message().payload == b""
