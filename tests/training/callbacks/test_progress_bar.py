"""The bar on a real terminal (a pseudo one), 100 columns wide."""

import os
import pty
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers import fork_server

pytestmark = pytest.mark.skipif(not hasattr(os, "forkpty"), reason="there are no pseudo-terminals here")


@pytest.mark.parametrize("colors", [True, False])
def test_the_bar_shows_the_scores_and_leaves_only_the_tables(tmp_path: Path, colors: bool) -> None:
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {"COLUMNS": "100", "LINES": "40", "TERM": "xterm-256color"}
    process = fork_server.Popen(
        [sys.executable, str(ROOT / "train.py"), "max_epochs=3", "batch_size=8", "logger=none"],
        cwd=tmp_path,
        env=environment if colors else environment | {"NO_COLOR": "1"},
        stdout=follower,
        stderr=follower,
        close_fds=True,
    )
    os.close(follower)
    written = b""
    try:
        while part := os.read(leader, 65536):
            written += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(leader)
    assert process.wait() == 0
    text = written.decode()
    assert re.search(r"Epoch 2/3 .*train loss: 0\.\d{3}  val AUROC: 0\.\d{3}", text)
    assert ("\x1b[38;5" in text) is colors
    # What stays: the bars' lines are erased, upwards, after the last of them was drawn.
    after = text[text.rindex("Testing") :]
    assert "\x1b[2K" in after
    assert "macro AUROC" in after
