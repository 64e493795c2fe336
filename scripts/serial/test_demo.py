"""`scripts/demo.sh --scheme N` shows each of the ten schemes, every answer as the documents have it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.virtual("the demonstration's own board")

DEMO = Path(__file__).with_name("demo.py")


def run(argv, *options):
    """Without `demo.sh`, which only installs and builds before it."""
    command = [sys.executable, str(DEMO), "--sim", os.environ["W800_SIM"], "--argv", argv, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("scheme", range(1, 11))
def test_a_scheme(argv, scheme):
    shown = run(argv, "--scheme", str(scheme))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Every answer was right." in shown.stdout
    assert f"AT+MQTTUSERCFG=0,{scheme}," in shown.stdout
    assert f"+MQTTCONNECTED:0,{scheme}," in shown.stdout
    assert "PRIVATE KEY" not in shown.stdout + shown.stderr


def test_scheme_1_is_shown_without_options(argv):
    shown = run(argv)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "AT+MQTTUSERCFG=0,1," in shown.stdout


def test_no_such_scheme(argv):
    assert run(argv, "--scheme", "11").returncode == 2
