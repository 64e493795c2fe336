"""Lines that were run, room by room, from what `llvm-cov export` prints; exit code 1 where they are too few in all."""

import json
import sys
from collections import defaultdict
from pathlib import Path


def main() -> int:
    least = float(sys.argv[1])
    rooms: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file in json.load(sys.stdin)["data"][0]["files"]:
        parts = Path(file["filename"]).parts
        room = Path(parts[parts.index("src") + 1]).stem
        lines = file["summary"]["lines"]
        for name in (room, "in all"):
            rooms[name][0] += lines["covered"]
            rooms[name][1] += lines["count"]
    for name, (covered, count) in sorted(rooms.items(), key=lambda row: (row[0] == "in all", row[0])):
        print(f"{name:8} {100 * covered / count:6.1f} %  {covered} of {count} lines")
    covered, count = rooms["in all"]
    return 0 if 100 * covered >= least * count else 1


if __name__ == "__main__":
    sys.exit(main())
