"""The program ``imbalance-lab`` in this process."""

import pytest

from imbalance_lab.app.program import main


def imbalance_lab(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """``imbalance-lab WORDS``: its exit code, and what it prints; at code 2 the one sentence of the error."""
    code = 0
    try:
        main([*map(str, words)])
    except SystemExit as exit_:
        code = int(str(exit_.code))
    told = capsys.readouterr()
    if code != 2:
        return code, told.out
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    return code, told.err.removeprefix("error: ").rstrip()
