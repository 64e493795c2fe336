"""Each crate that a Cargo.lock of this repository names: its licence is one of those we take, and it has not been withdrawn.

Authors withdraw (yank) a version that turned out unsound or unsafe. The registry says so in the index of which cargo keeps
a part: cargo refreshes that part first, and where it cannot reach the registry the last known state is looked at.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKSPACES = (".", "fuzz/libfuzzer", "xt804", "xt804/probe", "xt804/units")
"""Folders with a Cargo.lock."""

ALLOWED = {"Apache-2.0", "BSD-3-Clause", "ISC", "MIT", "NCSA", "Unicode-3.0", "Unlicense", "Zlib"}
"""Those that ask for no more than their text to be passed on. What is linked into a firmware has fewer: docs/third-party.md."""

REGISTRY = "registry+"
"""How the source of a crate begins that a registry gave."""

SECONDS = 240
"""For cargo to bring what it lacks."""

each = pytest.mark.parametrize("folder", WORKSPACES)


def test_no_lock_is_left_out():
    listed = subprocess.run(["git", "ls-files", "*Cargo.lock"], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    assert {str(Path(lock).parent) for lock in listed.stdout.split()} == set(WORKSPACES)


@each
def test_licences(folder):
    described = json.loads(cargo(folder, "metadata", "--format-version", "1", "--locked"))["packages"]
    assert {(one["name"], one["version"]) for one in described} >= locked(folder), "cargo describes each crate"
    others = {f"{one['name']} {one['version']}": one["license"] for one in described if not is_allowed(one["license"])}
    assert not others, "none of ALLOWED"


@each
def test_nothing_was_withdrawn(folder):
    try:
        cargo(folder, "update", "--dry-run")
    except subprocess.SubprocessError as error:
        warnings.warn(f"the index is as old as it is kept: {error.stderr}", stacklevel=1)
    known = {one: withdrawn(*one) for one in sorted(locked(folder))}
    assert known and not [one for one, is_withdrawn in known.items() if is_withdrawn], "cargo update finds others"


def cargo(folder: str, *arguments: str) -> str:
    ran = subprocess.run(["cargo", *arguments], cwd=ROOT / folder, capture_output=True, check=True, text=True, timeout=SECONDS)
    return ran.stdout


def locked(folder: str) -> set[tuple[str, str]]:
    """(name, version) of what comes from a registry."""
    packages = tomllib.loads(Path(ROOT, folder, "Cargo.lock").read_text())["package"]
    return {(one["name"], one["version"]) for one in packages if one.get("source", "").startswith(REGISTRY)}


def is_allowed(expression: str | None) -> bool:
    """Whether an SPDX expression can be met by ALLOWED alone; old manifests have `/` for OR."""
    text = (expression or "none").replace("/", " OR ")
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda inner: "MIT" if is_allowed(inner[1]) else "none", text)
    return any(all(one.strip() in ALLOWED for one in choice.split(" AND ")) for choice in text.split(" OR "))


def withdrawn(name: str, version: str) -> bool:
    """What cargo's part of the index says of one version. There each version's record stands between bytes of zero."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    files = list(home.glob(f"registry/index/*/.cache/{shelf(name)}/{name}"))
    records = (json.loads(piece) for file in files for piece in file.read_bytes().split(b"\0") if piece.startswith(b"{"))
    [verdict] = {record["yanked"] for record in records if record["vers"] == version}
    return verdict


def shelf(name: str) -> str:
    """The folder of a crate in an index."""
    return {1: "1", 2: "2", 3: f"3/{name[0]}"}.get(len(name), f"{name[:2]}/{name[2:4]}")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        (None, False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only/MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("(MIT AND GPL-3.0-only) OR GPL-2.0-only", False),
    ],
)
def test_expressions(expression, allowed):
    assert is_allowed(expression) is allowed
