# SPDX-License-Identifier: Apache-2.0
"""example.c in Python: connects, subscribes to commands, publishes readings. On a PC, with pyserial:

    python3 host/example.py /dev/ttyUSB0 192.168.1.10 1883 [COMMANDS]

On MicroPython give MqttAt the `read` and `write` of a `machine.UART(..., timeout=0)`.
"""

import sys

import serial

from mqtt_at import CONNECTED, DISCONNECTED, MESSAGE, READY, AtError, MqttAt

READING_MS = 1000


class Device:
    def __init__(self, port, host, broker_port):
        self.at = MqttAt(lambda: port.read(port.in_waiting), port.write, self.on_event)
        self.host, self.port = host, broker_port
        self.ready, self.commands, self.message = False, 0, b""

    def on_event(self, event):
        if event.kind == MESSAGE:
            self.message = event.data if event.offset == 0 else self.message + event.data
            if len(self.message) == event.length:
                self.commands += 1
                print("%s: %s" % (event.topic.decode(), self.message.decode()), flush=True)
        elif event.kind == READY:
            self.ready = False
        elif event.kind == CONNECTED:
            print("connected", flush=True)
        elif event.kind == DISCONNECTED:
            print("the connection is lost; the board makes it again", flush=True)

    def set_up(self):
        """From a board in any state to a subscribed link."""
        self.at.synchronise()
        self.at.clean(0)
        self.at.configure(0, 1, "example")
        self.at.connect(0, self.host, self.port, reconnect=1)
        self.at.subscribe(0, "example/command", 1)
        self.ready = True

    def run(self, enough):
        reading = 0
        while not enough or self.commands < enough:
            try:
                if not self.ready:
                    self.set_up()
                reading += 1
                self.at.publish(0, "example/reading", '{"reading":%d}' % reading, 1)
            except AtError as error:
                # 0x6051 while the board reconnects: this reading is left out, the next one comes soon.
                print("reading %d not published: %s" % (reading, error), flush=True)
            self.at.poll(READING_MS)
        self.at.clean(0)


if __name__ == "__main__":
    uart = serial.Serial(sys.argv[1], 115200, timeout=0)
    Device(uart, sys.argv[2], int(sys.argv[3])).run(int(sys.argv[4]) if len(sys.argv) > 4 else 0)
