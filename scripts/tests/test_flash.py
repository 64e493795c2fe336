"""`scripts/flash.sh` with a stand-in for the vendor's download tool: what it refuses, what it hands on, how it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS / "serial"))

from firmware import make_image  # noqa: E402

REFUSED, NO_TOOL = 64, 69
STAND_IN = """\
import os, sys, time
print("arguments", *sys.argv[1:])
image = sys.argv[sys.argv.index("-i") + 1]
with open(image, "rb+") as file, open(sys.argv[sys.argv.index("-p") + 1], "wb") as port:
    data = file.read()
    for percent in range(0, 101, 25):
        print(f"{percent} %")
        port.write(data[:10])
        time.sleep(0.1)
print(os.environ.get("LAST_WORDS", "flash device complete"))
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK's tool imports and the stand-in does not: nothing has to be installed."""
    folder = tmp_path / "modules"
    folder.mkdir()
    for name in ("serial", "xmodem", "pyprind", "colorama"):
        (folder / f"{name}.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def port():
    """The name of a pseudo-terminal, and its other end."""
    other, ours = pty.openpty()
    os.set_blocking(other, False)
    name = os.ttyname(ours)
    yield name, other, ours
    os.close(other)
    os.close(ours)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Two images in a row, as a .fls is made; nobody may write to it."""
    path = tmp_path / "firmware.fls"
    path.write_bytes(make_image(b"boot loader " * 100, 0x08002400) + make_image(b"firmware" * 1000, 0x080D0400, "1.2.3"))
    path.chmod(0o444)
    return path


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """A checkout of nothing but a stand-in for its tool."""
    script = tmp_path / "sdk/tools/wm/flash.py"
    script.parent.mkdir(parents=True)
    script.write_text(STAND_IN)
    return tmp_path / "sdk"


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name != "WM_IOT_SDK_PATH"}
    return plain | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"} | more


def flash(*arguments: object, **more: str) -> subprocess.CompletedProcess:
    command = [SCRIPTS / "flash.sh", *map(str, arguments)]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=60)


def refused(run: subprocess.CompletedProcess, *words: str) -> None:
    """One clear line, and nothing was sent."""
    assert run.returncode == REFUSED, run
    assert run.stderr.startswith("error: ") and run.stderr.count("\n") == 1, run.stderr
    for word in words:
        assert word in run.stderr


def test_progress_comes_while_the_tool_runs(port, image, sdk):
    name, other, _ = port
    command = [SCRIPTS / "flash.sh", "--port", name, "--baud", "921600", image]
    with subprocess.Popen(command, env=environment(WM_IOT_SDK_PATH=str(sdk)), stdout=subprocess.PIPE) as process:
        times = {line.decode().strip(): time.monotonic() for line in process.stdout}
    assert process.returncode == 0
    shown = list(times)
    assert shown[0] == "firmware.fls: 1200 bytes for 0x08002400"
    assert shown[1] == "firmware.fls: 8000 bytes for 0x080d0400, version 1.2.3"
    assert any(line.startswith(f"arguments -p {name} -b 921600 -i ") and line.endswith("/firmware.fls") for line in shown)
    assert times["100 %"] - times["0 %"] > 0.2
    assert os.read(other, 4) == b"\x9f\xff\xff\xa0"


@pytest.mark.parametrize(("code", "words", "expected"), [(2, "flash device failed", 2), (0, "terminate flash", 1)])
def test_the_tool_fails(port, image, sdk, code, words, expected):
    """By its exit code, or by what it says while its code is 0, as the SDK's own does."""
    run = flash("--port", port[0], image, WM_IOT_SDK_PATH=str(sdk), LAST_WORDS=words, EXIT_CODE=str(code))
    assert run.returncode == expected
    assert words in run.stdout and "error: the download tool failed" in run.stderr


def test_the_tool_beside_wm_py(port, image, sdk, tmp_path):
    (sdk / "tools/wm/wm.py").write_text("")
    (sdk / "tools/wm/wm.py").chmod(0o755)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "wm.py").symlink_to(sdk / "tools/wm/wm.py")
    run = flash("--port", port[0], image, PATH=f"{programs}:{environment()['PATH']}")
    assert run.returncode == 0 and "arguments -p" in run.stdout


def test_the_stand_alone_tool(port, image, tmp_path):
    tool = tmp_path / "wm_tool"
    tool.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    tool.chmod(0o755)
    run = flash("--port", port[0], image, PATH=f"{tmp_path}:{environment()['PATH']}")
    assert run.returncode == 7
    assert f"-c {port[0]} -ds 2M -rs rts -dl " in run.stdout


def test_no_tool(port, image, tmp_path):
    run = flash("--port", port[0], image)
    assert run.returncode == NO_TOOL and "WM_IOT_SDK_PATH" in run.stderr
    run = flash("--port", port[0], image, WM_IOT_SDK_PATH=str(tmp_path))
    assert run.returncode == NO_TOOL and "has no tools/wm/flash.py" in run.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: b"", "no image header"),
        (lambda data: b"\x7fELF" + data[4:], "no image header"),
        (lambda data: data[:40], "ends inside an image header"),
        (lambda data: data[:30] + b"x" + data[31:], "checksum of the image header"),
        (lambda data: data[:500], "of which the file has 436"),
        (lambda data: data[:100] + b"x" + data[101:], "checksum of the image is wrong"),
        (lambda data: data + b"rest", "no image header"),
    ],
    ids=["empty", "ELF", "short header", "header changed", "cut off", "changed", "rubbish behind"],
)
def test_a_file_that_is_no_image(port, image, sdk, tmp_path, change, words):
    bad = tmp_path / "bad.img"
    bad.write_bytes(change(image.read_bytes()))
    refused(flash("--port", port[0], bad, WM_IOT_SDK_PATH=str(sdk)), "bad.img", words)
    with pytest.raises(BlockingIOError):
        os.read(port[1], 1)


def test_a_file_that_is_not_there(port, sdk, tmp_path):
    refused(flash("--port", port[0], tmp_path / "none.fls", WM_IOT_SDK_PATH=str(sdk)), "none.fls", "No such file")
    refused(flash("--port", port[0], tmp_path, WM_IOT_SDK_PATH=str(sdk)), "directory")


def test_a_port_that_cannot_be_used(port, image, sdk, tmp_path):
    more = {"WM_IOT_SDK_PATH": str(sdk)}
    refused(flash("--port", "/dev/ttyNONE", image, **more), "/dev/ttyNONE does not exist")
    refused(flash("--port", image, image, **more), "is no serial port")
    refused(flash("--port", "/dev/null", image, **more), "is no serial port")
    fcntl.flock(port[2], fcntl.LOCK_EX)
    refused(flash("--port", port[0], image, **more), "in use")


def test_arguments(port, image):
    refused(flash(image), "--port")
    refused(flash("--port", port[0]), "image")
    refused(flash("--port", port[0], "--baud", "9600", image), "--baud", "9600")
