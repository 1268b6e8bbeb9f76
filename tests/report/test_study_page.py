"""What a search has found, in the terminal and on the comparison page."""

from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.app.compare import compare, compare_sweep
from imbalance_lab.report.study_payload import study_payload
from imbalance_lab.report.study_texts import study_commands, study_lines
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.layout import layout_problems
from tests.helpers.studies import made_study, write_study

HOSTILE = "</script><script>window.hit=1</script>\x1b[2J"


CASES = [
    pytest.param((12, 1), marks=pytest.mark.exhaustive),
    (12, 2),
    pytest.param((200, 1), marks=pytest.mark.exhaustive),
]


@pytest.fixture(scope="module", params=CASES, ids=["two scores", "one score", "200 trials"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    """The page of a search, with the number of its trials and of its objectives."""
    n, n_objectives = request.param
    directory = tmp_path_factory.mktemp("search")
    shown = min(n, 20)  # the runs of the others are elsewhere
    study = made_study(directory, shown, n_objectives, error=HOSTILE)
    if n > shown:
        write_study(directory, n, n_objectives)
    compare_sweep(directory)
    assert study.trials
    return directory / "comparison.html", n, n_objectives


def test_the_terminal_names_the_best_its_command_and_what_it_depends_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = made_study(tmp_path)
    compare([tmp_path])
    out = capsys.readouterr().out
    best = study.front[0]
    assert (
        "Search for the highest AUROC on validation (TPESampler, MedianPruner): 8 trials, 6 complete, 1 pruned" in out
    )
    assert f"Best trial {best.number}: AUROC {best.values[0]:.4f} on validation, which as the best of 6 is opt" in out
    assert f"  python train.py max_epochs=5 {' '.join(f'{k}={v}' for k, v in best.given.items())}\n" in out
    assert "What AUROC depends on (importance): optimizer.lr 0.71, loss 0.29, loss.gamma 0.40 (in 4 trials)." in out
    assert "Pruned, and so without scores: run 3 (after epoch 2 of 5, val/auroc/macro 0.8123)." in out
    assert "run 7 has no scores: out of memory" in out
    assert "run 3 has no scores" not in out


def test_two_objectives_have_a_front_and_a_command_for_each_of_it(tmp_path: Path) -> None:
    study = made_study(tmp_path, 12, 2)
    line = study_lines(study)[1]
    assert line.startswith(f"Pareto front of {len(study.front)} of {len(study.complete)} complete trials: trial ")
    assert len(study_commands(study)) == min(5, len(study.front))
    payload = study_payload(study)
    assert payload is not None
    marked = [each["number"] for each in payload["trials"] if each["is_best"]]
    assert sorted(marked) == sorted(each.number for each in study.front)


@needs_browser
def test_the_page_shows_every_trial(page: tuple[Path, int, int], browser: Any) -> None:
    file, n, n_objectives = page
    opened = Opened(browser, file)
    assert not opened.complaints
    assert opened.page.evaluate("window.hit") is None
    assert opened.traces("history") == 4  # the best so far, complete, pruned and failed trials
    assert opened.traces("importances") == 3
    assert opened.traces("front") == (2 if n_objectives == 2 else 0)
    rows = opened.page.locator("#trials tbody tr")
    assert rows.count() == min(n, 15)
    assert ("best" if n_objectives == 1 else "Pareto front") in (rows.first.text_content() or "")
    search = opened.page.locator("#study-section input[type=search]")
    search.fill("pruned")
    assert rows.count() == min(15, sum(number % 5 == 3 for number in range(n)))
    search.fill("")
    assert not layout_problems(opened, widths=(1400, 400))
