"""`scripts/check-sdk.sh` explains itself, and ends with one sentence that says how it went."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "check-sdk.sh"


def run(*arguments, **environment):
    env = {name: value for name, value in os.environ.items() if not name.startswith("WM_IOT_SDK")} | environment
    return subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True, timeout=1200)


def test_help():
    shown = run("--help")
    assert shown.returncode == 0
    assert "--record [ORIGIN]" in shown.stdout and "The first run" in shown.stdout and "set -euo" not in shown.stdout


def test_a_wrong_option():
    refused = run("--verbose")
    assert refused.returncode == 1 and "--help says more" in refused.stderr


def test_the_verdict_comes_last():
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("wm_sdk/include agrees with the record of the SDK.")


def test_a_folder_that_is_no_sdk(tmp_path):
    done = run(WM_IOT_SDK_PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("This SDK differs in what the library needs")
