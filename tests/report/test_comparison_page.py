"""comparison.html in a real browser, of runs with made-up predictions; each page is opened once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.evaluation.comparison_data import ComparisonData, compute_comparison_data
from imbalance_lab.evaluation.sweep import group_by_test_set, rank_runs, read_run
from imbalance_lab.report.comparison_page import build_comparison_payload, build_comparison_texts, write_comparison
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.layout import layout_problems, resize
from tests.helpers.sweeps import HOSTILE, made_run, with_baselines

CASES = ("two runs", "18 runs", "60 runs", "hostile", "binary", "multilabel")


def write_runs(case: str, folder: Path) -> None:
    """The runs of a case, as a sweep leaves them."""
    if case == "two runs":
        for number, loss in enumerate(("focal", "cross_entropy")):
            made_run(folder / str(number), [f"loss={loss}"], skill=1 + number, seed=number)
    elif case == "18 runs":
        for number, (gamma, lr, seed) in enumerate(np.ndindex(2, 3, 3)):
            overrides = [f"loss.gamma={5 * gamma}", f"optimizer.lr={0.001 * 10**lr:g}", f"seed={seed}", "max_epochs=3"]
            made_run(folder / str(number), overrides, skill=0.3 + 0.6 * gamma + 0.5 * lr, seed=seed)
    elif case == "60 runs":
        samplers = ("shuffled", "class_balanced", "square_root", "effective_number", "m_per_class")
        for number, (optimizer, lr, decay, sampler) in enumerate(np.ndindex(2, 3, 2, 5)):
            overrides = [f"optimizer={('adamw', 'sgd')[optimizer]}", f"optimizer.lr={10.0**-lr:g}"]
            overrides += [f"optimizer.weight_decay={0.01 * decay:g}", f"sampler={samplers[sampler]}"]
            made_run(folder / str(number), overrides, skill=0.5 + number / 60, seed=number, n=90)
    elif case == "hostile":
        classes = [f"{name}{number}" for number, name in enumerate(HOSTILE)]
        for number, (value, seed) in enumerate(np.ndindex(len(HOSTILE), 2)):
            overrides = [f"loss.note={HOSTILE[value]}", f"seed={seed}"]
            counts = [10 * 2**c for c in range(len(classes))]
            made_run(folder / str(number), overrides, skill=value / 4, seed=number, classes=classes, counts=counts)
    else:
        for number, (loss, seed) in enumerate(np.ndindex(2, 2)):
            kind: dict[str, Any] = {"labels": True}
            if case == "binary":
                kind = {"classes": ("legit", "fraud"), "counts": (900, 30)}
            overrides = [f"loss={('focal', 'ldam')[loss]}", f"seed={seed}"]
            run = made_run(folder / str(number), overrides, skill=1 + loss, seed=seed, **kind)
            if case == "binary":
                with_baselines(run)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ComparisonData]:
    """The data of a case, computed once."""

    @cache
    def compute(case: str) -> ComparisonData:
        sweep = tmp_path_factory.mktemp("sweep")
        write_runs(case, sweep)
        return compute_comparison_data(rank_runs([read_run(folder) for folder in sweep.iterdir()]))

    return compute


@pytest.fixture(scope="module")
def opened(
    browser: Any, compared: Callable[[str], ComparisonData], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Opened]:
    """The page of a case, opened once."""

    @cache
    def open_case(case: str) -> Opened:
        page = tmp_path_factory.mktemp("page") / "comparison.html"
        return Opened(browser, write_comparison(page, compared(case)))

    return open_case


@needs_browser
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.exhaustive] * (case in ("18 runs", "60 runs", "multilabel", "binary")))
        for case in CASES
    ],
)
def test_nothing_is_clipped_or_asked_for(opened: Callable[[str], Opened], case: str) -> None:
    page = opened(case)
    assert Path(page.page.url.removeprefix("file://")).stat().st_size < 6e6
    # Where the room is short the widths matter, whatever the case; dark differs by its colors, which the cases share.
    widths = (1400, 1024, 400) if case == "18 runs" else (1400, 400)
    assert layout_problems(page, widths, schemes=("light",)) == []
    if case in ("18 runs", "hostile"):
        assert layout_problems(page, widths=(1400,), schemes=("dark",)) == []
    resize(page, 1400)


@needs_browser
def test_settings_come_first_and_runs_below(opened: Callable[[str], Opened]) -> None:
    page = opened("18 runs").page
    first = page.locator("#settings tbody tr").first.locator("td")
    assert page.locator("#settings tbody tr").count() == 6
    assert first.nth(0).inner_text() == "5"
    assert first.nth(1).inner_text() == "0.1"
    assert first.nth(2).inner_text() == "3"
    assert page.locator("#settings .whisker circle").count() == 6 * (1 + 3), "a mean and three runs each"
    assert page.locator("#runs tbody tr").count() == 18
    assert not page.locator("#runs").is_visible()
    page.locator("summary").click()
    assert page.locator("#runs").is_visible()
    page.locator("summary").click()


@needs_browser
def test_legends_name_settings_and_switch_their_curves(opened: Callable[[str], Opened]) -> None:
    page = opened("18 runs").page
    names = page.locator("#curves-legend button").all_inner_texts()
    assert names[0].split("\n")[0] == "loss.gamma=5 optimizer.lr=0.1"
    count = "document.getElementById('roc').data.length"
    before = page.evaluate(count)
    page.locator("#curves-legend button").first.click()
    assert page.evaluate(count) < before
    page.locator("#curves-legend button").first.click()
    assert page.evaluate(count) == before
    curve = "JSON.stringify(document.getElementById('pr').data.at(-1).y)"
    rarest = page.evaluate(curve)
    page.locator("#curves-choices select").select_option("0:0")
    assert page.evaluate(curve) != rarest


@needs_browser
def test_axes_of_swept_values(opened: Callable[[str], Opened]) -> None:
    page = opened("18 runs").page
    axis = "document.getElementById('swept').layout.xaxis"
    page.locator("#swept-choices select").first.select_option("1")
    assert page.evaluate(f"{axis}.type") == "log"
    assert page.evaluate(f"{axis}.ticktext") == ["0.001", "0.01", "0.1"]
    titles = page.evaluate("document.getElementById('parallel').layout.xaxis.ticktext")
    assert titles == ["loss.gamma", "optimizer.lr", "val AUROC"], "replicates are averaged"
    assert page.evaluate("document.getElementById('parallel').data.length") == 6
    ticks = "[...document.querySelectorAll('#epochs .xtick')].map((tick) => tick.textContent)"
    assert page.evaluate(ticks) == ["1", "2", "3"]


@needs_browser
def test_hostile_texts_stay_texts(opened: Callable[[str], Opened]) -> None:
    page = opened("hostile").page
    assert page.evaluate("window.hit") is None
    assert page.locator("#settings i, #settings script").count() == 0
    cells = page.locator("#settings tbody td:first-child").all_inner_texts()
    assert "<i>2</i>" in cells
    assert "(empty)" in cells
    assert sum("…" in cell for cell in cells) >= 1
    assert page.locator("#settings [title='" + "x" * 200 + "']").count() == 1


@pytest.mark.exhaustive
@needs_browser
def test_many_settings_are_folded(opened: Callable[[str], Opened]) -> None:
    page = opened("60 runs").page
    assert page.locator("#settings tbody tr").count() == 15
    assert page.locator("#settings th").first.inner_text() == "optimizer · lr · weight_decay · sampler"
    assert page.locator("#runs tbody tr").count() == 50
    page.locator("#settings button", has_text="Show all").click()
    assert page.locator("#settings tbody tr").count() == 60


@needs_browser
def test_a_binary_task_has_one_class(opened: Callable[[str], Opened]) -> None:
    page = opened("binary").page
    assert page.locator("#curves-choices option").all_inner_texts() == ["fraud"]
    assert page.locator("#classes tbody tr").count() == 1


def test_title_and_verdict_name_the_settings(compared: Callable[[str], ComparisonData]) -> None:
    texts = build_comparison_texts(compared("18 runs"))
    assert texts["title"] == "loss.gamma × optimizer.lr × seed: 6 settings, 18 runs"
    assert texts["verdict"].startswith("loss.gamma=5 optimizer.lr=0.1: AUROC 0.")
    assert "over 3 seeds, the best of 6 settings on validation" in texts["verdict"]
    assert "run " not in texts["verdict"]
    assert build_comparison_texts(compared("two runs"))["title"] == "loss: 2 runs"


def test_the_payload_averages_over_replicates(compared: Callable[[str], ComparisonData]) -> None:
    data = compared("18 runs")
    payload = build_comparison_payload(data)
    best = payload["settings"][0]
    values = [run["value"] for run in best["runs"]]
    assert len(values) == 3
    assert best["test"]["value"] == pytest.approx(np.mean(values))
    assert sorted(each["label"] for each in best["runs"]) == ["seed=0", "seed=1", "seed=2"]
    assert best["is_reference"]
    assert best["difference"] is None
    other = payload["settings"][1]
    assert other["difference"]["difference"] == pytest.approx(other["test"]["value"] - best["test"]["value"])
    curve = payload["curves"][0]["curves"][0]
    assert curve["n"] == 3
    assert curve["auroc"] == pytest.approx(np.trapezoid(curve["roc"]["mean"], curve["roc"]["x"]), abs=2e-3)
    assert [each["name"] for each in payload["differences"][0]["classes"]] == ["$x$", "<b>rare</b>", "common"]


def test_runs_on_other_examples_are_never_paired(tmp_path: Path) -> None:
    for number, seed in np.ndindex(2, 2):
        made_run(tmp_path / f"{number}{seed}", [f"loss.gamma={number}", f"seed={seed}"], skill=1 + number, seed=seed)
    made_run(tmp_path / "other", ["loss.gamma=9"], skill=1.5, first_index=10_000)
    runs = rank_runs([read_run(folder) for folder in tmp_path.iterdir()])
    assert sorted(len(group) for group in group_by_test_set(runs)) == [1, 4]
    data = compute_comparison_data(runs)
    assert "2 different sets of examples" in build_comparison_texts(data)["verdict"]
    assert [len(each["classes"]) for each in build_comparison_payload(data)["curves"]] == [3, 3]


@needs_browser
def test_baselines_are_rows_below_the_settings(opened: Callable[[str], Opened]) -> None:
    rows = opened("binary").page.locator("#settings tbody tr").all_inner_texts()
    assert len(rows) == 2 + 3
    for row, name in zip(rows[2:], ("class prior", "logistic regression", "gradient boosting"), strict=True):
        assert row.startswith(name)
        assert "baseline" in row
    assert "Below the settings are the baselines" in opened("binary").page.locator("#settings-note").inner_text()
    assert "baseline" not in opened("two runs").page.locator("#settings").inner_text()
