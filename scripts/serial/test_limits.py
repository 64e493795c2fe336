"""Each limit at its bound, one below and one above (at-contract §1, §3).

Codes of a refused value are those of the command table; what passes is compared with what a scripted broker was sent.
"""

import random

import pytest

from atport import quote
from link import Code, Link
from peer import PUBLISH, SUBSCRIBE, UNSUBSCRIBE

PREPARE = 0x600A
LONGEST_LINE = 256
"""With its CR LF."""

# --- numbers: the command with a gap, its lowest and highest value, the code below and the one above ---

CONFIGURING = [
    ('AT+MQTTUSERCFG={},1,"c","","",0,0,""', 0, 0, 0x6010, 0x6011),
    ('AT+MQTTUSERCFG=0,{},"c","","",0,0,""', 1, 10, 0x6013, 0x6013),
    ('AT+MQTTUSERCFG=0,1,"c","","",{},0,""', 0, 0, 0x601D, 0x601E),
    ('AT+MQTTUSERCFG=0,1,"c","","",0,{},""', 0, 0, 0x601F, 0x6020),
    ('AT+MQTTCONNCFG=0,{},0,"t","m",0,0', 0, 7200, 0x602B, 0x602D),
    ('AT+MQTTCONNCFG=0,60,{},"t","m",0,0', 0, 1, 0x602E, 0x602F),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",{},0', 0, 2, 0x6036, 0x6037),
    ('AT+MQTTCONNCFG=0,60,0,"t","m",0,{}', 0, 1, 0x6038, 0x6039),
]
USING = [
    ('AT+MQTTPUB=0,"t","x",{},0', 0, 2, 0x6047, 0x6048),
    ('AT+MQTTPUB=0,"t","x",0,{}', 0, 1, 0x6049, 0x604A),
    ('AT+MQTTPUB=0,"t","x",0,0,{}', 3000, 60000, PREPARE, PREPARE),
    ('AT+MQTTSUB=0,"t",{}', 0, 2, 0x6047, 0x6048),
    ('AT+MQTTSUB=0,"t/{{}}",0,{}', 3000, 60000, PREPARE, PREPARE),
    ('AT+MQTTUNSUB=0,"t",{}', 3000, 60000, PREPARE, PREPARE),
]
PROMPTING = [
    ('AT+MQTTPUBRAW=0,"t",{},0,0', 1, None, 0x604C, None),
    ('AT+MQTTPUBRAW=0,"t",1,{},0', 0, 2, 0x6047, 0x6048),
    ('AT+MQTTPUBRAW=0,"t",1,0,{}', 0, 1, 0x6049, 0x604A),
    ('AT+MQTTPUBRAW=0,"t",1,0,0,{}', 3000, 60000, PREPARE, PREPARE),
]


def inside(low, high):
    """The bounds and their neighbours within."""
    return sorted({low, low + 1, high - 1, high} & set(range(low, high + 1)))


@pytest.fixture
def served(link, peer):
    """Connected to a decent scripted broker: the packets of one kind that it was sent."""

    def script(connection):
        connection.accept()
        connection.serve()

    running = peer(script)
    link.configure()
    link.connect(running.port)
    return lambda kind: [packet for packet in running.connection(0).packets if packet.kind == kind]


def field(text):
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(2, "big") + data


@pytest.mark.parametrize(("command", "low", "high", "below", "above"), CONFIGURING)
def test_numbers_of_a_configuration(link, command, low, high, below, above):
    link.configure()
    for value in inside(low, high):
        link.port.ok(command.format(value))
    link.port.error(command.format(low - 1), below)
    link.port.error(command.format(high + 1), above)


@pytest.mark.parametrize(("command", "low", "high", "below", "above"), USING)
def test_numbers_of_a_connected_link(link, served, command, low, high, below, above):
    for value in inside(low, high):
        answer = link.port.command(command.format(value))
        assert answer.final == b"OK", answer
    link.port.error(command.format(low - 1), below)
    link.port.error(command.format(high + 1), above)


@pytest.mark.parametrize(("command", "low", "high", "below", "above"), PROMPTING)
def test_numbers_before_a_prompt(link, served, command, low, high, below, above):
    for value in inside(low, high or low):
        assert link.port.raw(command.format(value), b"x") == b"OK"
    link.port.error(command.format(low - 1), below)
    if high:
        link.port.error(command.format(high + 1), above)


def test_a_publication_is_bounded_by_memory_alone(link, served):
    """The refusal comes instead of the prompt, for a length that is a little too much and for the largest number."""
    for length in (4294967295, 200_000):
        link.port.error(f'AT+MQTTPUBRAW=0,"t",{length},1,0', Code.MALLOC_FAILED)
    link.port.error('AT+MQTTPUBRAW=0,"t",4294967296,1,0', 0x604C)
    link.publish_raw("t", b"x" * 20_000, 1)


@pytest.mark.parametrize("keepalive", [0, 1, 7199, 7200])
def test_keepalive_in_connect(link, connect_packet, keepalive):
    link.configure()
    link.port.ok(f'AT+MQTTCONNCFG=0,{keepalive},0,"","",0,0')
    assert connect_packet()[8:10] == (keepalive or 120).to_bytes(2, "big")


def test_port_of_conn(link):
    """Both ends of the range are tried, beyond them nothing is."""
    link.configure()
    for port in (1, 65535):
        answer = link.port.command(f'AT+MQTTCONN=0,"{link.host}",{port},0,3000', 8)
        assert answer.code == Code.START_FAILED, answer
        link.port.ok("AT+MQTTCONN?", f'+MQTTCONN:0,1,1,"{link.host}",{port},"",0')
    for port in (0, 65536):
        link.port.error(f'AT+MQTTCONN=0,"{link.host}",{port},0', 0x603E)
    assert link.state() == 1


@pytest.mark.parametrize("timeout_ms", [3000, 3001, 59999, 60000])
def test_time_out_of_conn(link, broker, timeout_ms):
    link.configure()
    link.port.ok(f'AT+MQTTCONN=0,"{link.host}",{broker.port},0,{timeout_ms}')
    link.port.connected(0)


@pytest.mark.parametrize("timeout_ms", [0, 2999, 60001])
def test_time_out_of_conn_beyond_its_range(link, broker, timeout_ms):
    link.configure()
    link.port.error(f'AT+MQTTCONN=0,"{link.host}",{broker.port},0,{timeout_ms}', PREPARE)
    assert link.state() == 1


# --- strings of a configuration ---


@pytest.mark.parametrize(("position", "most", "code"), [(1, 64, 0x6019), (2, 64, 0x601C), (3, 32, 0x6029)])
@pytest.mark.parametrize("letter", ["x", "é", '"'], ids=["ascii", "two bytes", "escaped"])
def test_strings_of_usercfg(link, connect_packet, position, most, code, letter):
    """Counted in bytes after unescaping."""

    def usercfg(length):
        values = ["c", "u", "", ""]
        count, rest = divmod(length, len(letter.encode()))
        values[position] = letter * count + "y" * rest
        client, user, password, path = map(quote, values)
        return values, b"AT+MQTTUSERCFG=0,1,%s,%s,%s,0,0,%s" % (client, user, password, path)

    for length in (most + 1, most - 1, most):
        values, command = usercfg(length)
        if length > most:
            link.port.error(command, code)
        else:
            link.port.ok(command)
    expected = field("c") + b"".join(field(value) for value in values[1:3] if value)
    assert connect_packet()[10:] == expected


@pytest.mark.parametrize("letter", ["x", "é", "\\"], ids=["ascii", "two bytes", "escaped"])
@pytest.mark.parametrize(("which", "code"), [("topic", 0x6032), ("message", 0x6035)])
def test_strings_of_the_will(link, connect_packet, which, code, letter):
    link.configure(client="c")
    # Escaped letters take two bytes of the line each.
    mixed = 40 if letter == "\\" else 128 // len(letter.encode())

    def conncfg(length):
        text = (letter * mixed).encode()[:length]
        text += b"y" * (length - len(text))
        topic, message = (text, b"m") if which == "topic" else (b"t", text)
        command = b"AT+MQTTCONNCFG=0,60,0,%s,%s,0,0" % (quote(topic), quote(message))
        return field("c") + field(topic) + field(message), command

    link.port.error(conncfg(129)[1], code)
    for length in (126, 128):
        link.port.ok(conncfg(length)[1])
    assert connect_packet()[10:] == conncfg(128)[0]
    assert len(conncfg(128)[1]) <= LONGEST_LINE - 2


@pytest.mark.virtual("names that are looked up in the virtual network")
@pytest.mark.parametrize("length", [127, 128])
def test_host_that_is_just_short_enough(new_board, broker, length):
    """It is really looked up and connected to."""
    name = ".".join(["h" * 31] * 4)[:127].ljust(length, "h")
    board = new_board("--hosts", f"{name}=10.0.2.2")
    link = Link(board.port, board.host)
    link.configure()
    link.port.ok(f'AT+MQTTCONN=0,"{name}",{broker.port},0')
    assert link.port.connected(0) == f'1,"{name}",{broker.port},"",0'.encode()
    link.port.ok("AT+MQTTCONN?", f'+MQTTCONN:0,4,1,"{name}",{broker.port},"",0')


def test_host_that_is_too_long(link):
    link.configure()
    link.port.error(f'AT+MQTTCONN=0,"{"h" * 129}",1883,0', 0x603C)
    link.port.error('AT+MQTTCONN=0,"",1883,0', 0x603B)


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_alpn_names(link, count):
    link.configure()
    names = [f"name-{number}" for number in range(count)]
    link.port.ok('AT+MQTTALPN=0,1,"before"')
    link.port.ok(",".join([f"AT+MQTTALPN=0,{count}", *(f'"{name}"' for name in names)]))
    link.port.ok("AT+MQTTALPN?", *(f'+MQTTALPN:0,"{name}"' for name in names))


def test_six_alpn_names(link):
    link.configure()
    link.port.ok('AT+MQTTALPN=0,1,"before"')
    link.port.error('AT+MQTTALPN=0,6,"a","b","c","d","e","f"', Code.COUNTS)
    link.port.error('AT+MQTTALPN=0,5,"a","b","c","d","e","f"', Code.COUNTS)
    link.port.error('AT+MQTTALPN=0,6,"a","b","c","d","e"', Code.COUNTS)
    link.port.ok("AT+MQTTALPN?", '+MQTTALPN:0,"before"')


# --- the long fields ---


def fill(link, name, value):
    link.port.prompt(f"AT+MQTT{name}=0,{len(value)}")
    link.port.fill(value)
    answer = link.port.answer()
    assert answer.final == b"OK" and not answer.lines, answer


def utf8(dice, length):
    """A text of so many bytes, of characters of all lengths and of those that a parser trips over."""
    text = ""
    while len(text.encode()) < length:
        text += dice.choice(["a", "é", "☀", "😀", '"', "\\", ",", ">", "+++", "\r\n", "AT+RST\r\n", "\x01", " "])
    data = text.encode()
    while len(data) > length:
        text = text[:-1]
        data = text.encode()
    return data.ljust(length, b"z")


@pytest.mark.parametrize("length", [1, 2, 256, 257, 1023, 1024])
def test_long_fields_reach_the_broker_byte_for_byte(link, connect_packet, length):
    dice = random.Random(length)
    client, user = utf8(dice, length), utf8(dice, length)
    password = (bytes(range(256)) + dice.randbytes(length))[:length]
    assert len(client) == len(user) == len(password) == length
    link.configure()
    for name, value in (("LONGCLIENTID", client), ("LONGUSERNAME", user), ("LONGPASSWORD", password)):
        fill(link, name, value)
    assert connect_packet()[10:] == field(client) + field(user) + field(password)


@pytest.mark.parametrize(
    ("name", "empty", "too_long"),
    [("LONGCLIENTID", 0x6015, 0x6016), ("LONGUSERNAME", 0x6018, 0x6019), ("LONGPASSWORD", 0x601B, 0x601C)],
)
def test_long_fields_beyond_their_range(link, name, empty, too_long):
    link.configure()
    link.port.error(f"AT+MQTT{name}=0,0", empty)
    link.port.error(f"AT+MQTT{name}=0,1025", too_long)
    link.port.error(f"AT+MQTT{name}=0,4294967297", too_long)


# --- the line ---


def padded(head, tail, size, letter="p"):
    """A line of exactly `size` bytes with its CR LF, and the text that fills it up."""
    text = letter * (size - 2 - len(head) - len(tail))
    return head + text + tail, text


@pytest.mark.parametrize("size", [LONGEST_LINE - 1, LONGEST_LINE])
def test_lines_that_fit(link, served, size):
    line, text = padded('AT+MQTTPUB=0,"t","', '",1,0', size)
    link.port.ok(line)
    assert served(PUBLISH)[-1].payload == text.encode()


@pytest.mark.parametrize("size", [LONGEST_LINE + 1, LONGEST_LINE + 2, 512])
def test_lines_that_do_not_fit(link, served, size):
    line, _ = padded('AT+MQTTPUB=0,"t","', '",1,0', size)
    link.port.refused(line)
    link.publish("t", "after", 1)
    assert [packet.payload for packet in served(PUBLISH)] == [b"after"]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('AT+MQTTCLIENTID=0,"', "CLIENTID"),
        ('AT+MQTTUSERNAME=0,"', "USERNAME"),
        ('AT+MQTTPASSWORD=0,"', "PASSWORD"),
        ('AT+MQTTSNI=0,"', "SNI"),
        ('AT+MQTTALPN=0,1,"', "ALPN"),
    ],
)
def test_strings_that_only_the_line_bounds(link, head, name):
    link.configure()
    for size in (LONGEST_LINE - 1, LONGEST_LINE):
        line, text = padded(head, '"', size)
        link.port.ok(line)
        link.port.ok(f"AT+MQTT{name}?", f'+MQTT{name}:0,"{text}"')
    link.port.refused(padded(head, '"', LONGEST_LINE + 1)[0])
    link.port.ok(f"AT+MQTT{name}?", f'+MQTT{name}:0,"{text}"')


# --- topics ---


@pytest.mark.parametrize("letter", ["t", "é", '"'], ids=["ascii", "two bytes", "escaped"])
@pytest.mark.parametrize("length", [1, 127, 128])
def test_topics_that_fit(link, served, length, letter):
    """To the broker and back to the port."""
    # Escaped letters take two bytes of the line each.
    most = 90 if letter == '"' else 128
    topic = (letter * most)[: max(1, min(length, most) // len(letter.encode()))]
    topic = topic.ljust(length - len(topic.encode()) + len(topic), "x") if length > 1 else "t"
    name = topic.encode()
    assert len(name) == length
    link.subscribe(topic, 1)
    link.publish(topic, "x", 1)
    link.publish_raw(topic, b"y", 1)
    link.port.ok(b"AT+MQTTUNSUB=0," + quote(topic))
    assert [packet.topic for packet in served(PUBLISH)] == [name, name]
    assert served(SUBSCRIBE)[0].body[2:] == field(name) + b"\x01"
    assert served(UNSUBSCRIBE)[0].body[2:] == field(name)


@pytest.mark.parametrize(
    "topic", ["t" * 129, "é" * 64 + "x", '"' * 90 + "x" * 39], ids=["ascii", "two bytes", "escaped"]
)
def test_topics_that_do_not_fit(link, served, topic):
    name = quote(topic)
    for command in (b'PUB=0,%s,"x",0,0', b"PUBRAW=0,%s,1,0,0", b"SUB=0,%s,0", b"UNSUB=0,%s"):
        link.port.error(b"AT+MQTT" + command % name, 0x6043)
    for kind in (PUBLISH, SUBSCRIBE, UNSUBSCRIBE):
        assert not served(kind)


def test_longest_filters_with_wildcards(link, served):
    for name in ("+/" * 63 + "#", "+/" * 63 + "ab", "x" * 126 + "/#"):
        assert len(name) in (127, 128)
        link.subscribe(name, 2)
        link.port.ok(b"AT+MQTTUNSUB=0," + quote(name))
    link.port.error(b"AT+MQTTSUB=0," + quote("x" * 127 + "/#") + b",0", 0x6043)
    assert len(served(SUBSCRIBE)) == 3


def test_ten_subscriptions_and_the_eleventh(link, broker, witness):
    at = link.port
    link.configure()
    link.connect(broker.port)
    names = [f"limit/{number}/" + "n" * (118 - number) for number in range(10)]
    for name in names:
        link.subscribe(name, 1)
    full = at.command('AT+MQTTSUB=0,"limit/eleventh",1')
    assert (full.lines, full.final) == ([b"ALREADY FULL SUBSCRIBE"], b"ERROR")
    at.ok("AT+MQTTSUB?", *(f'+MQTTSUB:0,6,"{name}",1' for name in names))
    # Full concerns new filters only.
    at.ok(f'AT+MQTTSUB=0,"{names[3]}",1', "ALREADY SUBSCRIBE")
    at.ok(f'AT+MQTTSUB=0,"{names[3]}",2')
    other = witness()
    for name in (*names, "limit/eleventh"):
        other.publish(name, name.encode(), 1)
    assert [at.message().data for _ in names] == [name.encode() for name in names]
    at.quiet(0.2)
    # One goes, one comes.
    at.ok(f'AT+MQTTUNSUB=0,"{names[0]}"')
    link.subscribe("limit/eleventh", 1)
    other.publish("limit/eleventh", b"now", 1)
    assert at.message().data == b"now"
    full = at.command(f'AT+MQTTSUB=0,"{names[0]}",1')
    assert full.final == b"ERROR"


# --- characters ---

TOPICS = [
    'a"b',
    "a\\b",
    "a,b",
    '"',
    "\\",
    ",",
    '"quoted"',
    '","',
    '",0,0',
    '\\"',
    "\\\\",
    "ends with \\",
    'ends with "',
    "ends with ,",
    '{"a":[1,2],"b":"x\\ny"}',
    "straße/☀/温度/😀",
    'ü"é\\ö,ß',
    " spaced / out ",
    "%s%n/%00",
    "'single'/`back`",
    "/",
    "//",
    "/leading/and/trailing/",
    "a=?;b:c|d>e<f",
    "OK",
]


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_in_both_directions(link, broker, witness, topic):
    """The witness sees the topic that was meant, the port prints the one that the witness used."""
    text = f"data of {topic}"
    other = witness(topic)
    link.configure()
    link.connect(broker.port)
    link.publish(topic, text, 1)
    message = other.message()
    assert (message.topic, message.payload) == (topic, text.encode())
    link.publish_raw(topic, text.encode(), 1)
    assert other.message().topic == topic
    link.subscribe(topic, 1)
    printed = topic.replace("\\", "\\\\").replace('"', '\\"')
    link.port.ok("AT+MQTTSUB?", f'+MQTTSUB:0,6,"{printed}",1')
    other.publish(topic, text.encode(), 1)
    size = len(text.encode())
    assert link.port.message().raw == f'+MQTTSUBRECV:0,"{printed}",{size},{text}\r\n'.encode()
    link.port.ok(b"AT+MQTTUNSUB=0," + quote(topic))
    other.publish(topic, b"nobody listens", 1)
    link.publish(topic, "end", 1)
    link.port.quiet(0.1)
