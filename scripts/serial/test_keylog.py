"""`w800-sim --keylog FILE`: the secrets of its TLS connections, which the other side of each must have as well."""

import pytest

from link import Link
from secure import hosts
from tls import over_tls, server_context

pytestmark = pytest.mark.virtual


def test_both_sides_log_the_same_secrets(new_board, peer, certificates, tmp_path):
    """Two connections, the second of a restarted board, which adds to the file."""

    def serve(connection):
        connection.accept()
        connection.serve()

    ours, theirs = tmp_path / "board.log", tmp_path / "server.log"
    context = server_context(certificates.files("good"))
    context.keylog_filename = str(theirs)
    running = peer(over_tls(context, serve), over_tls(context, serve))
    board = new_board("--keylog", str(ours), *hosts())
    link = Link(board.port, board.host)
    for _ in range(2):
        link.configure(2)
        link.connect(running.port)
        board.port.restart()

    secrets = [line for line in theirs.read_text().splitlines() if line.startswith("CLIENT_RANDOM ")]
    assert len(secrets) == 2 and ours.read_text().splitlines() == secrets
    assert ours.stat().st_mode & 0o777 == 0o600
