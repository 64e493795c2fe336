"""`scripts/release.sh`: what is in a release, and that it is the same byte for byte wherever it is built."""

import hashlib
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ("default", "default-ipv6", "no-tls", "no-tls-ipv6", "two-links", "two-links-ipv6")
CHOSEN = VARIANTS if os.environ.get("W800_RELEASE_ALL") else ("default",)
"""One build more takes a minute; the nightly run compares them all."""

pytestmark = pytest.mark.timeout(3600)


def release(tree, folder, **environment):
    command = [tree / "scripts/release.sh", *(part for name in CHOSEN for part in ("--only", name)), folder]
    made = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True, text=True)
    return Path(made.stdout.splitlines()[-1])


def copied(folder):
    """This tree somewhere else, without what was built in it."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    packed = subprocess.run(["tar", "--null", "-T", "-", "-cf", "-"], cwd=ROOT, input=names, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "xf", "-", "-C", folder], input=packed.stdout, check=True)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """With what this tree has built already, and with options in the shell that must not count."""
    return release(ROOT, tmp_path_factory.mktemp("dist"), SOURCE_DATE_EPOCH="1700000000", W800_MQTT_AT_LINKS="4")


def test_the_same_bytes_in_another_folder(made, tmp_path):
    other = release(copied(tmp_path), tmp_path / "dist", SOURCE_DATE_EPOCH="1700000000", LC_ALL="C", TZ="Asia/Shanghai",
                    CARGO_TARGET_DIR=str(tmp_path / "elsewhere"))  # fmt: skip
    sums = [(path.parent / "w800_mqtt_at/SHA256SUMS").read_text() for path in (made, other)]
    assert sums[0].splitlines() == sums[1].splitlines()
    assert made.read_bytes() == other.read_bytes()


def test_check_sums(made):
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=made.parent / "w800_mqtt_at", check=True)
    line = Path(f"{made}.sha256").read_text()
    assert line == f"{hashlib.sha256(made.read_bytes()).hexdigest()}  {made.name}\n"
    with tarfile.open(made) as packed:
        files = {member.name: member for member in packed if member.isfile()}
    listed = (made.parent / "w800_mqtt_at/SHA256SUMS").read_text().splitlines()
    assert {f"w800_mqtt_at/{line.split('  ')[1]}" for line in listed} | {"w800_mqtt_at/SHA256SUMS"} == set(files)
    assert {(member.mtime, member.uid, member.gid) for member in files.values()} == {(1700000000, 0, 0)}


def test_each_archive_tells_its_options(made):
    expected = {"default": ("LINKS=1", "TLS=y"), "no-tls": ("LINKS=1", "TLS=n"), "two-links": ("LINKS=2", "TLS=y")}
    for variant in CHOSEN:
        options = (made.parent / f"w800_mqtt_at/lib/{variant}/options.txt").read_text().split()
        assert set(expected[variant.removesuffix("-ipv6")]) <= set(options)
        assert f"IPV6={'y' if variant.endswith('-ipv6') else 'n'}" in options


def test_nothing_of_this_machine(made):
    for path in (made.parent / "w800_mqtt_at").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert str(ROOT).encode() not in data and str(Path.home()).encode() + b"/." not in data, path


def test_what_release_sh_refuses():
    def said(*arguments):
        return subprocess.run([ROOT / "scripts/release.sh", *arguments], capture_output=True, text=True, timeout=60)

    refused = said("--only", "everything")
    assert refused.returncode == 1 and re.search(r"no variant everything; there are default .*two-links-ipv6", refused.stderr)
    assert said("--unheard-of").returncode == 1
    # A variant without --only would else be taken for the folder.
    refused = said("no-tls", "two-links")
    assert refused.returncode == 1 and "a variant is named by --only" in refused.stderr
    shown = said("--help")
    assert shown.returncode == 0 and "scripts/release.sh [--only VARIANT]" in shown.stdout
