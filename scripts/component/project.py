"""A project on the stand-in for the SDK: configured by its Kconfig, built by cmake and ninja."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import kconfiglib

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STANDIN = HERE / "standin"
COMPONENT = "COMPONENT_W800_MQTT_AT_ENABLED"
SDK_VERSION = "9.9-standin"
ENABLED = {"COMPONENT_WM_ATCMD_ENABLED": "y", COMPONENT: "y"}


def shell(script: str) -> str:
    """The last line that a script prints; it has the functions of scripts/setup."""
    common = ROOT / "scripts/setup/common.sh"
    command = ["bash", "-c", f'set -e; source "{common}"; {script}']
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()[-1]


def make_sdk(folder: Path) -> None:
    """The stand-in's build system, and the headers that cargo's build reads, where the SDK has them."""
    (folder / "components/wm_atcmd").mkdir(parents=True)
    (folder / "components/mbedtls/src").mkdir(parents=True)
    for file in STANDIN.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "version").write_text(f'config BUILD_VERSION\n    string\n    default "{SDK_VERSION}"\n')
    mbedtls = Path(shell(f'"{ROOT}/scripts/setup/mbedtls.sh"'))
    (folder / "components/wm_atcmd/include").symlink_to(ROOT / "wm_sdk/include")
    (folder / "components/mbedtls/src/include").symlink_to(mbedtls / "include")


def firmware_symbols() -> list[str]:
    """What the archive wants of the firmware, but for its certificates."""
    text = (ROOT / "linker/sdk-symbols.txt").read_text()
    rows = (line.strip() for line in text.splitlines())
    names = (name for row in rows if row and not row.startswith("#") for name in row.split("|"))
    return [name for name in names if name and not name.startswith("mqtt_client_tls_")]


def assembly(defined: list[str], body: str = "") -> str:
    symbols = "".join(f".globl {name}\n.set {name}, 0\n" for name in defined)
    return f'{symbols}\n.text\n.globl reset_handler\nreset_handler:\n.word w800_mqtt_at_table\n{body}\n'


class Project:
    """`folder` is made anew with one component, `main`; where ours goes is up to the test."""

    def __init__(self, folder: Path, sdk: Path) -> None:
        self.folder, self.sdk, self.build_folder = folder, sdk, folder / "build"
        self.tools = shell("csky_prefix")
        (folder / "main").mkdir(parents=True)
        for name in ("CMakeLists.txt", "main/CMakeLists.txt"):
            (folder / name).write_bytes((STANDIN / "project" / name).read_bytes())
        (folder / "main/main.s").write_text(assembly(firmware_symbols()))

    def link_component(self, at: str = "w800_mqtt_at") -> None:
        (self.folder / at).symlink_to(ROOT)

    def kconfig(self, **options: str) -> kconfiglib.Kconfig:
        """The configuration that a prj.config of these options gives."""
        (self.folder / "prj.config").write_text("".join(f"CONFIG_{name}={value}\n" for name, value in options.items()))
        return self.load()

    def load(self) -> kconfiglib.Kconfig:
        """The configuration that the project's prj.config gives."""
        os.environ["PROJECT_PATH"] = str(self.folder)
        config = kconfiglib.Kconfig(str(self.sdk / "Kconfig"), warn=False)
        config.load_config(str(self.folder / "prj.config"))
        return config

    def write_config(self, **options: str) -> None:
        self.write_files(self.kconfig(**options))

    def write_files(self, config: kconfiglib.Kconfig) -> None:
        """The files that the SDK's build makes of a configuration."""
        folder = self.build_folder / "config"
        folder.mkdir(parents=True, exist_ok=True)
        config.write_config(str(folder / "wmsdk.config"))
        config.write_autoconf(str(folder / "wmsdk_config.h"))
        written = [symbol for symbol in config.unique_defined_syms if symbol.config_string]
        values = [(symbol.name, "" if symbol.str_value == "n" else symbol.str_value) for symbol in written]
        text = "".join(f'set(CONFIG_{name} "{value}")\n' for name, value in values)
        (folder / "wmsdk_config.cmake").write_text(text)

    def configure(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        tools = {"ASM_COMPILER": "as", "AR": "ar", "LINKER": "ld", "OBJCOPY": "objcopy"}
        named = [f"-DCMAKE_{name}={self.tools}{tool}" for name, tool in tools.items()]
        named.append(f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}")
        places = ["-S", str(self.folder), "-B", str(self.build_folder), f"-DSTANDIN_SDK={self.sdk}"]
        return self._run("cmake", "-G", "Ninja", *places, *named, *arguments, **environment)

    def ninja(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("ninja", "-C", str(self.build_folder), *arguments)

    def symbols(self) -> dict[str, int]:
        """Addresses in the firmware's ELF."""
        lines = self._run(f"{self.tools}nm", str(self.build_folder / "firmware.elf")).stdout.splitlines()
        return {name: int(address, 16) for address, _, name in (line.split(maxsplit=2) for line in lines)}

    def archive_of(self, name: str, source: str) -> Path:
        """An archive of one assembled file."""
        text, member, archive = (self.folder / f"{name}{suffix}" for suffix in (".s", ".o", ".a"))
        text.write_text(source)
        for command in (
            [f"{self.tools}as", "-mcpu=ck804ef", "-mhard-float", "-o", str(member), str(text)],
            [f"{self.tools}objcopy", "--remove-section=.csky.attributes", str(member)],
            [f"{self.tools}ar", "rc", str(archive), str(member)],
        ):
            subprocess.run(command, check=True, timeout=60)
        return archive

    @staticmethod
    def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | environment
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
