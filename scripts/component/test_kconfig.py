"""The options as the SDK's menu has them: defaults, ranges, what they ask for, and when they are to be seen."""

from __future__ import annotations

import kconfiglib
import pytest

from project import COMPONENT, ENABLED, Project

NUMBERS = {
    "W800_MQTT_AT_LINKS": (1, 4, 1),
    "W800_MQTT_AT_ARENA_BYTES": (1024, 65536, 6144),
    "W800_MQTT_AT_TASK_STACK": (6144, 32768, 8192),
    "W800_MQTT_AT_TASK_PRIORITY": (1, 6, 6),
}
"""Least, most, default."""

SWITCHES = ("ERROR_LINES", "TLS", "WEBSOCKET", "ADDITIONS")
STYLES = ("LINE", "RAW", "DECODED")
NEEDED = ("LWIP_TCP", *(f"COMPONENT_{name}_ENABLED" for name in ("WIFI", "LWIP", "MBEDTLS", "NVS")))


def values(project: Project, **options: str) -> dict[str, str]:
    config = project.kconfig(**options)
    return {name: symbol.str_value for name, symbol in config.syms.items()}


def test_defaults(linked: Project) -> None:
    found = values(linked, **ENABLED)
    assert {name: int(found[name]) for name in NUMBERS} == {name: default for name, (_, _, default) in NUMBERS.items()}
    assert [found[f"W800_MQTT_AT_{name}"] for name in SWITCHES] == ["y"] * len(SWITCHES)
    assert [found[f"W800_MQTT_AT_ARGV_{name}"] for name in STYLES] == ["y", "n", "n"]
    assert found["W800_MQTT_AT_PREBUILT"] == ""


@pytest.mark.parametrize("name", NUMBERS)
def test_ranges(linked: Project, name: str) -> None:
    """The ends are taken; what is outside is not."""
    least, most, _ = NUMBERS[name]

    def taken(value: int) -> int:
        return int(values(linked, **ENABLED, **{name: str(value)})[name])

    assert (taken(least), taken(most)) == (least, most)
    assert all(least <= taken(outside) <= most for outside in (least - 1, most + 1))


@pytest.mark.parametrize("style", STYLES)
def test_one_style(linked: Project, style: str) -> None:
    found = values(linked, **ENABLED, **{f"W800_MQTT_AT_ARGV_{style}": "y"})
    assert [name for name in STYLES if found[f"W800_MQTT_AT_ARGV_{name}"] == "y"] == [style]


def test_what_is_needed_comes_with_it(linked: Project) -> None:
    before, after = values(linked, COMPONENT_WM_ATCMD_ENABLED="y"), values(linked, **ENABLED)
    assert {before[name] for name in NEEDED} == {"n"}
    assert {after[name] for name in NEEDED} == {"y"}


def test_nothing_without_the_at_server(linked: Project) -> None:
    config = linked.kconfig(**{COMPONENT: "y"})
    written = [symbol.name for symbol in config.unique_defined_syms if symbol.config_string]
    assert not [name for name in written if "W800_MQTT_AT" in name]


def test_beside_the_sdks_commands_the_menu_warns(linked: Project) -> None:
    def comments(**options: str) -> list[str]:
        nodes = linked.kconfig(**ENABLED, **options).comments
        return [node.prompt[0] for node in nodes if kconfiglib.expr_value(node.dep)]

    assert comments() == []
    [warning] = comments(WM_ATCMD_MQTT_ENABLE="y")
    assert "WM_ATCMD_MQTT_ENABLE" in warning


def test_every_option_has_help(linked: Project) -> None:
    symbols = linked.kconfig(**ENABLED).unique_defined_syms
    ours = [symbol for symbol in symbols if "W800_MQTT_AT" in symbol.name]
    assert len(ours) == 1 + len(NUMBERS) + len(STYLES) + len(SWITCHES) + 1
    assert [symbol.name for symbol in ours if not symbol.nodes[0].help] == []
