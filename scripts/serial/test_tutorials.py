"""Every tutorial of docs/tutorials, played word for word; and that the player sees what differs."""

import os

import pytest

from board import REPOSITORY
from tutorial import FOLDER, Differs, blocks, play

pytestmark = [pytest.mark.virtual("boards of its own"), pytest.mark.once, pytest.mark.timeout(180)]

TUTORIALS = [REPOSITORY / "README.md", *sorted(path for path in FOLDER.glob("*.md") if blocks(path))]


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_word_for_word(tutorial, tmp_path):
    assert play(tutorial, os.environ["W800_SIM"], tmp_path) > 5


def test_each_is_in_the_index():
    index = (REPOSITORY / "docs/README.md").read_text()
    assert [path.name for path in FOLDER.glob("*.md") if f"tutorials/{path.name}" not in index] == []


@pytest.mark.parametrize(
    "wrong",
    (
        "-> AT\n<- ERROR",
        "-> AT+MQTTCONN?\n<- +MQTTCONN:0,1,…\n<- OK",
        "-> AT+MQTTCONN?\n<- +MQTTCONN:0,0,0,\"\",0,\"\",0",
        "(something unheard of)",
    ),
    ids=("another line", "another state", "a line more", "no action"),
)
def test_what_differs_is_seen(wrong, tmp_path):
    tutorial = tmp_path / "wrong.md"
    tutorial.write_text(f"```console\n{wrong}\n```\n")
    with pytest.raises(Differs):
        play(tutorial, os.environ["W800_SIM"], tmp_path)
