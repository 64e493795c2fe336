# SPDX-License-Identifier: Apache-2.0
"""tests/driver.c in Python."""

import os
import pathlib
import select
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import mqtt_at
from mqtt_at import AtError, MqttAt

NAMES = {"error": -1, "timeout": -2, "busy": -3, "not sent": -4, "too long": -5, "in an event": -6, "restarted": -7}
"""What mqtt_at.h has for the texts of AtError."""


def result_of(call, *arguments):
    try:
        call(*arguments)
    except AtError as error:
        return NAMES.get(error.code, error.code)
    return 0


class Driver:
    def __init__(self, read, write):
        self.at = MqttAt(read, write, self.on_event)
        self.in_event = 0

    def on_event(self, event):
        self.in_event = result_of(self.at.command, "AT")
        topic = event.topic.hex() if event.kind == mqtt_at.MESSAGE else ""
        print(event.kind, event.link, event.length, event.offset, topic, event.data.hex())

    def run(self, name, first="", second="", third=""):
        at = self.at
        if name == "nested":
            return self.in_event
        call, *arguments = {
            "synchronise": lambda: (at.synchronise, 60000),
            "configure": lambda: (at.configure, 0, 1, first),
            "connect": lambda: (at.connect, 0, first, int(second), int(third)),
            "subscribe": lambda: (at.subscribe, 0, first, int(second)),
            "unsubscribe": lambda: (at.unsubscribe, 0, first),
            "publish": lambda: (at.publish, 0, first, bytes.fromhex(third), int(second)),
            "data": lambda: (at.data, first, bytes.fromhex(second)),
            "command": lambda: (at.command, first, int(second)),
            "clean": lambda: (at.clean, 0),
            "poll": lambda: (at.poll, int(first)),
        }[name]()
        return result_of(call, *arguments)


def parse(piece):
    ended = False

    def read():
        nonlocal ended
        data = sys.stdin.buffer.read(piece)
        ended = not data
        return data

    driver = Driver(read, len)
    while not ended:
        driver.at.poll(0)


def main():
    if sys.argv[1] == "--parse":
        parse(int(sys.argv[2]))
        return
    device = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def read():
        return os.read(device, 4096) if select.select([device], [], [], 0)[0] else b""

    def write(data):
        return os.write(device, data[:1024]) if select.select([], [device], [], 0)[1] else 0

    driver = Driver(read, write)
    for line in sys.stdin:
        print("=", driver.run(*line.split()), flush=True)


if __name__ == "__main__":
    main()
