"""What is linked into the archive: every crate, its version, its licence, its check sum; from Cargo.lock and cargo's metadata.

    parts.py licences [FILE]     docs/third-party.md
    parts.py sbom [FILE]         a CycloneDX list; SOURCE_DATE_EPOCH dates it

Both come out the same wherever they are made: nothing of the machine and nothing random is in them.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "linker/csky-w800-none-elfabiv2.json"
PREFERRED = ("Apache-2.0", "Unlicense", "MIT")
"""Where a crate offers several licences, the first of these is taken."""

_TEXTS = re.compile(r"(?i)^(licen[cs]e|notice|copying|unlicense)")


@dataclass(frozen=True, order=True)
class Part:
    name: str
    version: str
    licence: str
    """What is offered, as an SPDX expression."""
    source: str
    checksum: str
    texts: tuple[tuple[str, str], ...]
    """What must be passed on: (file name, text)."""

    @property
    def taken(self) -> str:
        offered = re.split(r"\s+OR\s+|/", self.licence)
        return next((licence for licence in PREFERRED if licence in offered), self.licence)


def cargo(*arguments: str) -> str:
    command = ["cargo", *arguments]
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout


def linked() -> set[tuple[str, str]]:
    """(name, version) of every crate in the archive, this project's own left out."""
    tree = cargo("tree", "-p", "w800-mqtt-at", "-e", "normal", "--prefix", "none", "--format", "{p}", "--locked", "--offline",
                 "-Z", "json-target-spec", "--target", str(TARGET))  # fmt: skip
    rows = [line.split()[:2] for line in tree.splitlines() if "(/" not in line]
    return {(name, version.removeprefix("v")) for name, version, *_ in rows}


def parts() -> list[Part]:
    packages = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--offline"))["packages"]
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    sums = {(one["name"], one["version"]): one.get("checksum", "") for one in locked}
    wanted = linked()
    found = [one for one in packages if (one["name"], one["version"]) in wanted]
    assert len(found) == len(wanted), wanted
    return sorted(_part(one, sums[one["name"], one["version"]]) for one in found)


def _part(package: dict, checksum: str) -> Part:
    part = Part(package["name"], package["version"], package["license"], package["repository"] or "", checksum, ())
    return replace(part, texts=_texts(package, part.taken))


def _texts(package: dict, taken: str) -> tuple[tuple[str, str], ...]:
    """The Apache licence's own text is in LICENSE; a NOTICE must go along, and so must an MIT licence with its names."""
    folder = Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and _TEXTS.match(path.name))
    notices = [path for path in files if path.name.upper().startswith("NOTICE")]
    if taken == "MIT":
        notices += [path for path in files if "MIT" in path.name.upper() or path.name.upper() in ("LICENSE", "LICENSE.TXT")]
        assert notices, f"{package['name']} has no licence text"
    return tuple((path.name, path.read_text().strip()) for path in notices)


def rust_version() -> str:
    common = (ROOT / "scripts/setup/common.sh").read_text()
    return re.search(r"^RUST_VERSION=(\S+)$", common, re.MULTILINE)[1]


def licences() -> str:
    found = parts()
    rows = [f"| [{one.name}]({one.source}) | {one.version} | {one.licence} | {one.taken} |" for one in found]
    texts = [
        f"## {one.name} {one.version}: {name}\n\n```\n{text}\n```\n" for one in found for name, text in one.texts
    ]
    return "\n".join([
        "<!-- Generated: python3 scripts/release/parts.py licences docs/third-party.md -->",
        "",
        "# Third-party licences",
        "",
        "What is linked into `libw800_mqtt_at.a` beside this project's own code. Its licences ask whoever passes on a firmware with",
        "it to pass on the texts below too. The text of the Apache licence is in [LICENSE](../LICENSE).",
        "",
        "| crate | version | offered under | taken under |",
        "|---|---|---|---|",
        f"| [core](https://github.com/rust-lang/rust), Rust's | {rust_version()} | MIT OR Apache-2.0 | Apache-2.0 |",
        *rows,
        "",
        "Nothing of the SDK, of lwIP or of Mbed TLS is in the archive: the firmware brings them. The virtual board on a PC is no part",
        "of a firmware.",
        "",
        *texts,
    ]).rstrip("\n") + "\n"  # fmt: skip


def sbom() -> str:
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    found = parts()
    date = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.UTC)
    own = {"type": "library", "bom-ref": "w800-mqtt-at", "name": "w800-mqtt-at", "version": version,
           "licenses": [{"license": {"id": "Apache-2.0"}}]}  # fmt: skip
    rust = {"type": "library", "bom-ref": "rust-core", "name": "core", "version": rust_version(),
            "licenses": [{"expression": "MIT OR Apache-2.0"}]}  # fmt: skip
    components = [rust, *map(_component, found)]
    identity = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    references = [component["bom-ref"] for component in components]
    return json.dumps({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{identity}",
        "version": 1,
        "metadata": {"timestamp": date.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": own},
        "components": components,
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": references}],
    }, indent=2) + "\n"  # fmt: skip


def _component(part: Part) -> dict:
    purl = f"pkg:cargo/{part.name}@{part.version}"
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": part.name,
        "version": part.version,
        "purl": purl,
        "licenses": [{"expression": part.licence.replace("/", " OR ")}],
        "hashes": [{"alg": "SHA-256", "content": part.checksum}],
    }
    if part.source:
        component["externalReferences"] = [{"type": "vcs", "url": part.source}]
    return component


def main(arguments: list[str]) -> int:
    made = {"licences": licences, "sbom": sbom}
    if not 1 <= len(arguments) <= 2 or arguments[0] not in made:
        print(__doc__, file=sys.stderr)
        return 2
    text = made[arguments[0]]()
    if len(arguments) == 2:
        Path(arguments[1]).write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
