"""Links between the project's own pages: the file is there, and so is the heading."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def pages():
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(listed, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).exists() and "rules.md" not in name]


def anchors(page):
    """As the usual forges make them of headings."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(CODE.sub("", page.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text()
    assert [page.name for page in ROOT.glob("docs/*.md") if page.name != "README.md" and f"({page.name})" not in index] == []


def test_a_heading_becomes_an_anchor(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# TLS, WebSocket and `x`\n```\n# no heading\n```\n## Set the clock\n")
    assert anchors(page) == {"tls-websocket-and-x", "set-the-clock"}
