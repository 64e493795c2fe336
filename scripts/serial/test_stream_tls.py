"""PUBRAW at QoS 0 over TLS in constant memory. TLS itself needs more of the heap than `test_stream.py` gives: record buffers
of 21 KB, the handshake, a larger stack."""

import pytest

from test_stream import stream

pytestmark = [pytest.mark.clock, pytest.mark.virtual("figures of the heap")]
BOARD = ("--rtc", "host")
HEAP = 80 * 1024


@pytest.mark.bulk
@pytest.mark.parametrize("scheme", [3, 8], ids=["TLS", "WebSocket over TLS"])
def test_16_mebibytes_over_tls(link, brokers, scheme):
    stream(link, brokers, scheme)
