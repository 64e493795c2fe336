"""Every command in every state: the table of at-contract §2, cell by cell.

Each cell begins with a link that has just come into its state. A refusal must leave the state alone; a success must
lead where the table says. The parameters are valid, so that only the state can be at fault.
"""

import pytest

from link import Code

STATES = (0, 1, 2, 3, 4, 5, 6)
OK = None
"""A cell that is allowed; every other holds its code."""

CONFIGURING = (Code.NO_CONFIGURED, OK, OK, Code.NOT_IN_CONFIGURED_STATE, *[Code.ALREADY_CONNECTED] * 3)
USING = (Code.UNINITIATED, *[Code.DISCONNECTED] * 3, OK, OK, OK)

TABLE = {
    "USERCFG": (OK, *CONFIGURING[1:]),
    "CLIENTID": CONFIGURING,
    "USERNAME": CONFIGURING,
    "PASSWORD": CONFIGURING,
    "LONGCLIENTID": CONFIGURING,
    "LONGUSERNAME": CONFIGURING,
    "LONGPASSWORD": CONFIGURING,
    "CONNCFG": CONFIGURING,
    "ALPN": CONFIGURING,
    "SNI": CONFIGURING,
    "CONN": CONFIGURING,
    "PUB": USING,
    "PUBRAW": USING,
    "SUB": USING,
    "UNSUB": USING,
    "CLEAN": (Code.UNINITIATED, *[OK] * 6),
}

PARAMETERS = {
    "USERCFG": '0,1,"w800","","",0,0,""',
    "CLIENTID": '0,"other"',
    "USERNAME": '0,"user"',
    "PASSWORD": '0,"secret"',
    "LONGCLIENTID": "0,4",
    "LONGUSERNAME": "0,4",
    "LONGPASSWORD": "0,4",
    "CONNCFG": '0,60,0,"lwt","gone",1,0',
    "ALPN": '0,1,"mqtt"',
    "SNI": '0,"broker.example"',
    "CONN": '0,"{host}",{port},0',
    "PUB": '0,"out","x",1,0',
    "PUBRAW": '0,"out",4,1,0',
    "SUB": '0,"new",1',
    "UNSUB": '0,"t"',
    "CLEAN": "0",
}

NEXT_STATE = {"USERCFG": 1, "CONNCFG": 2, "CONN": 4, "SUB": 6, "CLEAN": 0}
"""Where a success leads; the others leave the state as it is."""

QUERIES = "USERCFG CLIENTID USERNAME PASSWORD CONNCFG ALPN SNI CONN SUB ERR".split()


def reach(link, relay, state, reconnect=0):
    """From state 0 to `state`."""
    if state >= 1:
        link.configure(keepalive=60 if state >= 2 else None)
    if state >= 3:
        link.connect(relay.port, reconnect)
    if state == 3:
        relay.cut(refuse=True)
        link.port.disconnected()
    if state >= 5:
        link.subscribe("t")
    if state == 5:
        link.port.ok('AT+MQTTUNSUB=0,"t"')
    assert link.state() == state


def succeed(port, name, command, state):
    """A command that is allowed: its whole answer."""
    if name == "PUBRAW":
        assert port.raw(command, b"1234") == b"OK"
    elif name.startswith("LONG"):
        port.prompt(command)
        port.fill(b"1234")
        answer = port.answer()
        assert answer.final == b"OK" and not answer.lines, answer
    elif name == "UNSUB" and state != 6:
        port.ok(command, "NO UNSUBSCRIBE")
    else:
        port.ok(command)


def check(link, relay, name, state):
    code = TABLE[name][state]
    command = f"AT+MQTT{name}={PARAMETERS[name]}".format(host=link.host, port=relay.port)
    if code is not OK:
        link.port.error(command, code)
        assert link.state() == state
        return
    succeed(link.port, name, command, state)
    expected = 5 if name == "UNSUB" and state == 6 else NEXT_STATE.get(name, state)
    assert link.state() == expected
    if name == "CONN":
        link.port.connected(0)


def test_the_matrix_is_whole():
    """16 commands by 7 states."""
    assert len(TABLE) == 16
    assert TABLE.keys() == PARAMETERS.keys()
    assert all(len(row) == len(STATES) for row in TABLE.values())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TABLE)
def test_cell(link, relay, name, state):
    reach(link, relay, state)
    check(link, relay, name, state)
    assert link.port.events() == []


@pytest.mark.parametrize("name", TABLE)
def test_state_3_is_the_same_while_reconnecting(link, relay, name):
    reach(link, relay, 3, reconnect=1)
    check(link, relay, name, 3)
    assert link.port.events() == []


@pytest.mark.parametrize("state", STATES)
def test_questions_are_allowed_in_every_state_and_change_none(link, relay, state):
    """Each usage text and each query."""
    reach(link, relay, state)
    for name in TABLE:
        answer = link.port.command(f"AT+MQTT{name}=?")
        assert answer.final == b"OK" and answer.lines[0].startswith(f"AT+MQTT{name}=<LinkID>".encode()), answer
    for name in QUERIES:
        answer = link.port.command(f"AT+MQTT{name}?")
        assert answer.final == b"OK", answer
        assert all(row.startswith(f"+MQTT{name}:0,".encode()) for row in answer.lines), answer
    assert link.state() == state
