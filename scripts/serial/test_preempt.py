"""Tasks that are interrupted where they unlock (`w800-sim --preempt`): races that a quiet machine never shows.

The tests are those of other files, on boards whose seed chooses where tasks pause and equals take turns. One that fails
here and not there has found a race: its seed is in the test's name.
"""

import pytest

import test_interleaving
from link import Link
from test_interleaving import flood, test_reconnections_under_commands
from test_reconnect import (
    test_a_present_session_needs_no_resubscription,
    test_a_refusal_while_reconnecting_is_tried_again,
    test_a_restarted_broker_is_found_again,
    test_clean_during_an_attempt,
    test_resubscribing_asks_for_each_filter,
)

pytestmark = [pytest.mark.virtual("its kernel's seed"), pytest.mark.once]

SEEDS = (1, 2, 3)

__all__ = [
    "flood",
    "test_a_present_session_needs_no_resubscription",
    "test_a_refusal_while_reconnecting_is_tried_again",
    "test_a_restarted_broker_is_found_again",
    "test_clean_during_an_attempt",
    "test_reconnections_under_commands",
    "test_resubscribing_asks_for_each_filter",
]


@pytest.fixture(params=SEEDS, ids=lambda seed: f"seed {seed}")
def link(new_board, request):
    """Link 0 of a board of its own that must be sound after the test."""
    board = new_board("--preempt", str(request.param))
    link = Link(board.port, board.host)
    yield link
    assert board.alive, "the board died"
    link.clean()


@pytest.mark.timeout(150)
def test_commands_under_a_flood(link, broker, witness, flood):
    test_interleaving.test_commands_under_a_flood(link, broker, witness, flood, 2)
