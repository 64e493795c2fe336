"""The component in a build: found, refused where it must be, built by cargo or taken as it is, and linked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from project import ENABLED, ROOT, SDK_VERSION, Project, assembly, firmware_symbols

COMPONENT_FILE = ROOT / "CMakeLists.txt"
CARGO_DIR = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
ROW = 12
"""Bytes of a row of the AT server's table."""

TINY = """
.section .wm_at_table, "a"
.globl w800_mqtt_at_table
w800_mqtt_at_table: .word mqtt_client_tls_ca, mqtt_client_tls_key, w800_mqtt_at_no_credential
.section .rodata
.globl w800_mqtt_at_no_credential
w800_mqtt_at_no_credential: .word 0
.section .text.wrap
.globl __wrap_wm_atcmd_dev_register
__wrap_wm_atcmd_dev_register: .word 0
"""
"""An archive with one row of the table, which wants two of the firmware's certificates, and the wrapped function."""


def linked_with_tiny(project: Project) -> dict[str, int]:
    archive = project.archive_of("tiny", TINY)
    project.write_config(**ENABLED, W800_MQTT_AT_PREBUILT=f'"{archive.name}"')
    configured = project.configure()
    assert configured.returncode == 0, configured.stderr
    built = project.ninja()
    assert built.returncode == 0, built.stdout + built.stderr
    return project.symbols()


def refusal(project: Project, *arguments: str, **environment: str) -> str:
    """What cmake says, on one line, when it stops."""
    stopped = project.configure(*arguments, **environment)
    assert stopped.returncode != 0, stopped.stdout
    return " ".join(stopped.stderr.split())


def test_the_sdk_can_read_the_file_as_text() -> None:
    """Its build looks for the option before the first ADD_INCLUDE, and for quoted folders behind it."""
    text = COMPONENT_FILE.read_text()
    head, *rest = text.split("ADD_INCLUDE")
    assert re.findall(r"CONFIG_[a-zA-Z0-9_]*", head)[:1] == ["CONFIG_COMPONENT_W800_MQTT_AT_ENABLED"]
    [after] = rest
    folder = re.match(r' "([^"]+)"\n +\)\n', after)
    assert folder and (ROOT / folder[1] / "w800_mqtt_at.h").is_file()


def test_nothing_when_it_is_off(linked: Project) -> None:
    linked.write_config(COMPONENT_WM_ATCMD_ENABLED="y")
    (linked.folder / "main/main.s").write_text(assembly(["w800_mqtt_at_table"]))
    assert linked.configure().returncode == 0
    assert linked.ninja().returncode == 0
    assert "libw800_mqtt_at" not in (linked.build_folder / "build.ninja").read_text()


def test_a_prebuilt_archive_is_linked(linked: Project) -> None:
    symbols = linked_with_tiny(linked)
    assert symbols["w800_mqtt_at_table"] == symbols["wm_at_table_start"]
    assert symbols["wm_at_table_end"] - symbols["wm_at_table_start"] == ROW
    assert symbols["mqtt_client_tls_ca"] == symbols["w800_mqtt_at_no_credential"]
    assert (linked.build_folder / "includes.txt").read_text() == f"{linked.folder}/w800_mqtt_at/include"


def test_a_prebuilt_archive_that_changes_is_linked_again(linked: Project) -> None:
    linked_with_tiny(linked)
    assert "no work to do" in linked.ninja().stdout
    linked.archive_of("tiny", TINY + f".section .wm_at_table\n.space {ROW}\n")
    assert linked.ninja().returncode == 0
    symbols = linked.symbols()
    assert symbols["wm_at_table_end"] - symbols["wm_at_table_start"] == 2 * ROW


def test_a_prebuilt_archive_that_is_not_there(linked: Project) -> None:
    linked.write_config(**ENABLED, W800_MQTT_AT_PREBUILT='"vendor/missing.a"')
    said = refusal(linked)
    assert f"{linked.folder}/vendor/missing.a" in said and "CONFIG_W800_MQTT_AT_PREBUILT" in said


def test_the_firmwares_own_certificate_wins(linked: Project) -> None:
    """Whatever the order: another component wants it too, and comes before the one that has it."""
    own = ".data\n.globl mqtt_client_tls_ca\nmqtt_client_tls_ca: .word 1"
    (linked.folder / "main/main.s").write_text(assembly(firmware_symbols(), own))
    wants = linked.folder / "x_wants"
    wants.mkdir()
    shutil.copy(linked.folder / "main/CMakeLists.txt", wants)
    (wants / "main.s").write_text(".data\n.word mqtt_client_tls_ca\n")
    symbols = linked_with_tiny(linked)
    assert symbols["mqtt_client_tls_ca"] != symbols["w800_mqtt_at_no_credential"]
    assert symbols["mqtt_client_tls_key"] == symbols["w800_mqtt_at_no_credential"]


def test_the_line_passes_through_the_library(linked: Project) -> None:
    """Who registers the serial line calls the library, which stands for a function that nobody else has here."""
    wrapped = "wm_atcmd_dev_register"
    others = [name for name in firmware_symbols() if not name.endswith(wrapped)]
    (linked.folder / "main/main.s").write_text(assembly(others, f".word {wrapped}"))
    assert f"__wrap_{wrapped}" in linked_with_tiny(linked)


def test_in_a_folder_of_components(project: Project) -> None:
    """`<project>/components/w800_mqtt_at`, by the two files of cmake/components."""
    shutil.copytree(ROOT / "cmake/components", project.folder / "components")
    project.link_component("components/w800_mqtt_at")
    symbols = linked_with_tiny(project)
    assert symbols["w800_mqtt_at_table"] == symbols["wm_at_table_start"]


def test_refused_beside_the_sdks_own_commands(linked: Project) -> None:
    """What it says to type is all there is to do."""
    linked.write_config(**ENABLED, WM_ATCMD_MQTT_ENABLE="y")
    said = refusal(linked)
    assert "CONFIG_WM_ATCMD_MQTT_ENABLE=y, the SDK's own MQTT commands" in said
    typed = re.search(r"(sed -i \S+ prj\.config) wm\.py distclean wm\.py build", said)
    subprocess.run(typed[1], shell=True, cwd=linked.folder, check=True)
    shutil.rmtree(linked.build_folder)
    linked.write_files(linked.load())
    assert linked.configure().returncode == 0


@pytest.mark.parametrize("again", ("other_name", "components/w800_mqtt_at"))
def test_refused_when_it_is_there_twice(linked: Project, again: str) -> None:
    if "/" in again:
        shutil.copytree(ROOT / "cmake/components", linked.folder / "components")
    linked.link_component(again)
    linked.archive_of("tiny", TINY)
    linked.write_config(**ENABLED, W800_MQTT_AT_PREBUILT='"tiny.a"')
    said = refusal(linked)
    assert "this component is here twice" in said and "Remove one of the two" in said
    assert f"{linked.folder}/w800_mqtt_at" in said and f"{linked.folder}/{again}" in said


def release_of(project: Project, **variants: str) -> None:
    """A release in the project, whose archives are tiny; the options of each."""
    place = project.folder / "w800_mqtt_at"
    place.mkdir()
    for name in ("CMakeLists.txt", "Kconfig", "cmake", "include", "linker"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    archive = project.archive_of("tiny", TINY)
    for variant, options in variants.items():
        folder = place / "lib" / variant
        folder.mkdir(parents=True)
        shutil.copy(archive, folder / "libw800_mqtt_at.a")
        (folder / "options.txt").write_text("\n".join(options.split()) + "\n")


DEFAULT = "LINKS=1 ARENA_BYTES=6144 TASK_STACK=8192 TASK_PRIORITY=6 ARGV=line ERROR_LINES=y TLS=y WEBSOCKET=y ADDITIONS=y"
BUILT = {
    "plain": f"{DEFAULT} IPV6=n DATES=y",
    "ipv6": f"{DEFAULT} IPV6=y DATES=y",
    "two": f"{DEFAULT} IPV6=n DATES=y".replace("LINKS=1", "LINKS=2"),
}


@pytest.mark.parametrize(
    ("chosen", "options"),
    (("plain", {}), ("ipv6", {"LWIP_ENABLE_IPV6": "y"}), ("two", {"W800_MQTT_AT_LINKS": "2"})),
)
def test_a_release_has_the_archive_of_the_projects_options(project: Project, chosen: str, options: dict[str, str]) -> None:
    release_of(project, **BUILT)
    project.write_config(**ENABLED, **options)
    configured = project.configure()
    assert configured.returncode == 0, configured.stderr
    assert f"w800-mqtt-at: {chosen} of this release" in configured.stdout
    assert project.ninja().returncode == 0
    assert f"lib/{chosen}/libw800_mqtt_at.a" in (project.build_folder / "build.ninja").read_text()


def test_a_release_without_such_an_archive(project: Project) -> None:
    release_of(project, **BUILT)
    project.write_config(**ENABLED, W800_MQTT_AT_LINKS="2", W800_MQTT_AT_TLS="n")
    said = refusal(project)
    assert "no archive of this release has the project's options" in said
    assert "plain: not built with LINKS=2, TLS=n" in said and "two: not built with TLS=n" in said


def test_without_cargo(linked: Project) -> None:
    linked.write_config(**ENABLED)
    nowhere = [f"-DCMAKE_FIND_USE_{place}_PATH=OFF" for place in ("CMAKE_SYSTEM", "SYSTEM_ENVIRONMENT")]
    said = refusal(linked, *nowhere, HOME=str(linked.folder), CARGO_HOME=str(linked.folder))
    assert "no cargo. Install Rust 1.95.0 from https://rustup.rs" in said and "CONFIG_W800_MQTT_AT_PREBUILT" in said


def test_with_another_rust(linked: Project) -> None:
    linked.write_config(**ENABLED)
    tools = linked.folder / "other/bin"
    tools.mkdir(parents=True)
    for name, script in {"cargo": "exit 1", "rustc": 'test $# = 1 && echo "rustc 1.70.0 (x)"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    said = refusal(linked, CARGO_HOME=str(tools.parent))
    assert f"cargo is {tools}/cargo, but it has no Rust 1.95.0" in said


def would_run_cargo(project: Project) -> bool:
    return "w800-mqtt-at: cargo" in project.ninja("-n").stdout


def test_built_by_cargo(linked: Project) -> None:
    """With the project's options, into the firmware; again only when something that it is made from has changed."""
    linked.write_config(**ENABLED, W800_MQTT_AT_LINKS="2", W800_MQTT_AT_WEBSOCKET="n", W800_MQTT_AT_ARGV_RAW="y")
    configured = linked.configure(f"-DW800_MQTT_AT_CARGO_DIR={CARGO_DIR}")
    assert configured.returncode == 0, configured.stderr
    built = linked.ninja()
    assert built.returncode == 0, built.stdout + built.stderr

    symbols = linked.symbols()
    assert symbols["w800_mqtt_at_table"] == symbols["wm_at_table_start"]
    assert "__wrap_wm_atcmd_dev_register" not in symbols, "parameters come from the server"
    rows, rest = divmod(symbols["wm_at_table_end"] - symbols["wm_at_table_start"], ROW)
    assert rows >= 10 and rest == 0
    passed = set(re.findall(r"W800_MQTT_AT_\w+=\w+", linked.ninja("-t", "commands").stdout))
    assert passed == {
        *("W800_MQTT_AT_LINKS=2", "W800_MQTT_AT_ARENA_BYTES=6144", "W800_MQTT_AT_TASK_STACK=8192"),
        *("W800_MQTT_AT_TASK_PRIORITY=6", "W800_MQTT_AT_ARGV=raw", "W800_MQTT_AT_ERROR_LINES=y"),
        *("W800_MQTT_AT_TLS=y", "W800_MQTT_AT_WEBSOCKET=n", "W800_MQTT_AT_ADDITIONS=y"),
    }

    [archive] = linked.build_folder.glob("**/libw800_mqtt_at.a")
    assert f"WM IoT SDK {SDK_VERSION}".encode() in archive.read_bytes(), "what AT+MQTTVER? tells"

    assert "no work to do" in linked.ninja().stdout
    for changed in (ROOT / "src/lib.rs", ROOT / "src/sdk/wrapper.h", ROOT / "build.rs", ROOT / "Cargo.lock"):
        assert seen_when_newer(linked, changed), changed
    assert seen_when_newer(linked, linked.build_folder / "config/wmsdk_config.h")
    assert "no work to do" in linked.ninja("-n").stdout


def seen_when_newer(project: Project, file: Path) -> bool:
    """Whether cargo would run if the file had been written now; it gets its time back."""
    was = file.stat()
    os.utime(file)
    try:
        return would_run_cargo(project)
    finally:
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


EXAMPLE = "CONFIG_COMPONENT_WM_ATCMD_ENABLED=y\nCONFIG_WM_ATCMD_MQTT_ENABLE=y\nCONFIG_LWIP_ENABLE_IPV6=y"
"""A prj.config such as the SDK's example has, without a line end at its end."""


@pytest.mark.parametrize("way", ("The prebuilt way", "From the source"))
def test_the_recipe_as_pasted(project: Project, way: str) -> None:
    """Every line of the page's recipe but the SDK's own program, which is noted down."""
    page = (ROOT / "docs/component.md").read_text()
    recipe = page.split(f"## {way}\n")[1].split("```sh\n")[1].split("```")[0]
    tools = project.folder.parent / "tools"
    tools.mkdir()
    (tools / "wm.py").write_text(f'#!/bin/sh\necho "$@" >>{tools}/typed\n')
    (tools / "wm.py").chmod(0o755)
    my_project = project.folder.parent / "my_project"
    project.folder.rename(my_project)
    project.folder, project.build_folder = my_project, my_project / "build"
    (my_project / "prj.config").write_text(EXAMPLE)
    beside = project.folder.parent
    (beside / "w800-mqtt-at").symlink_to(ROOT)
    [package] = re.findall(r"\.\./(\S+\.tar\.gz)", recipe) or ["none"]
    release_of(project, **BUILT)
    subprocess.run(["tar", "czf", beside / package, "w800_mqtt_at"], cwd=my_project, check=True)
    shutil.rmtree(my_project / "w800_mqtt_at")

    path = f"{tools}:{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", recipe], cwd=beside, env=os.environ | {"PATH": path}, check=True)
    assert (tools / "typed").read_text().split("\n")[:2] == ["distclean", "build"]
    project.write_files(project.load())
    configured = project.configure()
    assert configured.returncode == 0, configured.stderr
    assert ("ipv6 of this release" in configured.stdout) == (way == "The prebuilt way")
