"""Which command is allowed in which state, by the table of at-contract §2."""

import pytest

from link import Code

CONFIGURE = 'AT+MQTTUSERCFG=0,1,"w800","","",0,0,""'
CONNECTION = 'AT+MQTTCONNCFG=0,60,0,"","",0,0'
TRAFFIC = [
    'AT+MQTTPUB=0,"t","x",0,0',
    'AT+MQTTPUBRAW=0,"t",1,0,0',
    'AT+MQTTSUB=0,"t",0',
    'AT+MQTTUNSUB=0,"t"',
]


def connect_command(link, broker):
    return f'AT+MQTTCONN=0,"{link.host}",{broker.port},0'


def refuse(link, state, table):
    """Each command answers its code and leaves the state alone."""
    assert link.state() == state
    for command, code in table.items():
        link.port.error(command, code)
        assert link.state() == state, command


def test_not_initialised(link, broker):
    refuse(
        link,
        0,
        {
            CONNECTION: Code.NO_CONFIGURED,
            connect_command(link, broker): Code.NO_CONFIGURED,
            **dict.fromkeys(TRAFFIC, Code.UNINITIATED),
            "AT+MQTTCLEAN=0": Code.UNINITIATED,
        },
    )
    link.port.ok(CONFIGURE)
    assert link.state() == 1


@pytest.mark.parametrize("state", [1, 2])
def test_configured(link, broker, state):
    link.port.ok(CONFIGURE)
    if state == 2:
        link.port.ok(CONNECTION)
    refuse(link, state, dict.fromkeys(TRAFFIC, Code.DISCONNECTED))
    link.port.ok("AT+MQTTCLEAN=0")
    assert link.state() == 0


@pytest.mark.parametrize("state", [1, 2])
def test_configured_may_be_configured_again_and_connect(link, broker, state):
    link.port.ok(CONFIGURE)
    if state == 2:
        link.port.ok(CONNECTION)
        link.port.ok(CONNECTION)
        assert link.state() == 2
    else:
        link.port.ok(CONFIGURE)
        assert link.state() == 1
    link.connect(broker.port)
    assert link.state() == 4


@pytest.mark.parametrize("reconnect", [0, 1])
def test_lost(link, relay, reconnect):
    link.configure()
    link.connect(relay.port, reconnect)
    relay.cut(refuse=True)
    assert link.port.disconnected() == 0
    refuse(
        link,
        3,
        {
            CONFIGURE: Code.NOT_IN_CONFIGURED_STATE,
            CONNECTION: Code.NOT_IN_CONFIGURED_STATE,
            connect_command(link, relay): Code.NOT_IN_CONFIGURED_STATE,
            **dict.fromkeys(TRAFFIC, Code.DISCONNECTED),
        },
    )
    link.port.ok("AT+MQTTCLEAN=0")
    assert link.state() == 0


@pytest.mark.parametrize("state", [4, 5, 6])
def test_connected(link, broker, state):
    link.configure()
    link.connect(broker.port)
    if state > 4:
        link.subscribe("s")
    if state == 5:
        link.port.ok('AT+MQTTUNSUB=0,"s"')
    refuse(
        link,
        state,
        {
            CONFIGURE: Code.ALREADY_CONNECTED,
            CONNECTION: Code.ALREADY_CONNECTED,
            connect_command(link, broker): Code.ALREADY_CONNECTED,
        },
    )
    link.publish("t", "x")
    link.publish_raw("t", b"x")
    assert link.state() == state
    link.port.ok("AT+MQTTCLEAN=0")
    assert link.state() == 0
    link.port.quiet(0.3)


def test_clean_says_goodbye(link, own_broker):
    """CLEAN sends DISCONNECT: no will, and no DISCONNECTED line."""
    link.configure(client="polite", will=("lwt", "gone", 0, 0))
    link.connect(own_broker.port)
    link.port.ok("AT+MQTTCLEAN=0")
    own_broker.await_log("Received DISCONNECT from polite")
    link.port.quiet(0.3)


def test_subscriptions_are_forgotten_by_clean(link, broker, witness):
    link.configure()
    link.connect(broker.port)
    link.subscribe("forgotten")
    link.port.ok("AT+MQTTCLEAN=0")
    link.configure()
    link.connect(broker.port)
    link.port.ok("AT+MQTTSUB?")
    assert link.state() == 4
    witness().publish("forgotten", b"x")
    link.port.quiet(0.5)
