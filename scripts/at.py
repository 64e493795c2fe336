#!/usr/bin/env python3
"""A console for an AT port: `./scripts/at.py --sim`, or `--port /dev/ttyUSB0`. See docs/console.md."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent


def prepare() -> None:
    """Install what is missing, and go on in the Python that has the packages."""
    place = subprocess.run([SCRIPTS / "setup/python.sh"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    if Path(sys.prefix) != Path(place):
        python = f"{place}/bin/python"
        os.execv(python, [python, "-B", __file__, *sys.argv[1:]])
    if "--sim" in sys.argv and not os.environ.get("W800_SIM"):
        subprocess.run([SCRIPTS / "setup.sh", "host"], check=True)


if __name__ == "__main__":
    try:
        prepare()
    except subprocess.CalledProcessError as error:
        sys.exit(f"at.py: {error.cmd[0].name} failed")
    sys.path[:0] = [str(SCRIPTS), str(SCRIPTS / "serial")]
    from console.main import main

    sys.exit(main(sys.argv[1:]))
