"""Licences: what is copied into other projects names its own, what is linked in is listed, and the list of parts is sound."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "scripts/release/parts.py"
COPIED = sorted([
    *ROOT.glob("include/*.h"),
    *ROOT.glob("linker/*.ld"),
    *(path for path in ROOT.glob("host/**/*") if path.suffix in (".c", ".h", ".py")),
    *(path for path in ROOT.glob("cmake/**/*") if path.suffix in (".cmake", ".txt")),
    ROOT / "CMakeLists.txt",
    ROOT / "Kconfig",
])


def parts(what):
    made = subprocess.run([sys.executable, PARTS, what], stdout=subprocess.PIPE, check=True, text=True, timeout=120)
    return made.stdout


@pytest.mark.parametrize("path", COPIED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_copied_names_its_licence(path):
    assert "SPDX-License-Identifier: Apache-2.0" in "".join(path.read_text().splitlines(True)[:3])


def test_the_page_of_licences_is_as_generated():
    assert (ROOT / "docs/third-party.md").read_text() == parts("licences"), "see the page's first line"


def test_the_list_of_parts():
    """Each part of Cargo.lock's archive with version and check sum, and the project depends on all of them."""
    made = json.loads(parts("sbom"))
    assert made["bomFormat"] == "CycloneDX" and made["specVersion"] == "1.5"
    components = made["components"]
    assert {"core", "heapless", "mqttrs", "spin", "embedded-alloc"} <= {one["name"] for one in components}
    assert all(len(one["hashes"][0]["content"]) == 64 for one in components if "purl" in one)
    [own] = [one for one in made["dependencies"] if one["ref"] == made["metadata"]["component"]["bom-ref"]]
    assert own["dependsOn"] == [one["bom-ref"] for one in components]
    assert parts("sbom") == json.dumps(made, indent=2) + "\n", "the same each time"


def test_a_wrong_command_line():
    assert subprocess.run([sys.executable, PARTS, "nothing"], capture_output=True, timeout=60).returncode == 2
