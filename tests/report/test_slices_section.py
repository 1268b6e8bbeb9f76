"""``report.slices``: from the command line to the page, again without the data, and what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.payments import payments
from tests.helpers.runs import HOSTILE, trained

LONG = "x" * 200


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on payments whose frauds in one hospital look legit, with hostile names of columns and values."""
    folder = tmp_path_factory.mktemp("slices")
    rng, frame = np.random.default_rng(4), payments(4000, seed=5, share=0.15)
    frame["hospital"] = rng.choice([*HOSTILE[:2], "", LONG, *map(str, range(20))], len(frame))
    frame["<b>a=b,{c}"] = rng.choice([1, 2, 3], len(frame))
    bad = ((frame.hospital == HOSTILE[0]) | (rng.random(len(frame)) < 0.3)) & (frame["class"] == "fraud")
    frame.loc[bad, "hospital"] = HOSTILE[0]
    legit = frame[frame["class"] == "legit"].sample(int(bad.sum()), random_state=0)
    frame.loc[bad, ["amount", "hour", "country", "account_age"]] = legit[
        ["amount", "hour", "country", "account_age"]
    ].to_numpy()
    frame.to_csv(folder / "pay.csv", index=False)
    slices = "report.slices=[hospital,account_age,'<b>a=b,{c}']"
    drop = "data.drop=[id,hospital]"
    data = ["data=table", f"data.path='{folder / 'pay.csv'}'", "data.target=class", drop, slices]
    return trained(folder / "run", *data, "max_epochs=2", "backbone=mlp", "logger=none")


def scores(run: Path) -> Any:
    return json.loads((run / "metrics.json").read_text())


def test_the_planted_hospital_is_found_in_every_output(run: Path) -> None:
    of_class = scores(run)["test_slices"]["classes"]
    assert [each["name"] for each in of_class] == ["fraud"]
    slices = of_class[0]["slices"]
    assert ("hospital", HOSTILE[0]) in {
        (each["column"], each["value"]) for each in slices if each["finding"] == "worse"
    }
    with (run / "tables" / "slices.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(slices)
    assert {"recall", "recall_low", "recall_high", "shrunken_recall", "adjusted_p", "finding"} <= set(rows[0])
    frame = pd.read_csv(run.parent / "pay.csv", keep_default_na=False)
    stored = pd.read_parquet(run / "predictions" / "slices.parquet").set_index("index")
    test = pd.read_parquet(run / "predictions" / "test.parquet")
    assert len(stored) == len(test) + len(pd.read_parquet(run / "predictions" / "val.parquet"))
    inside = test[frame.hospital[test["index"]].to_numpy() == HOSTILE[0]]
    (worst,) = [each for each in slices if each["value"] == HOSTILE[0]]
    assert (worst["n"], worst["n_positive"]) == (len(inside), int((inside.target == "fraud").sum()))


def test_evaluate_reproduces_the_section_without_data_and_takes_a_subset(run: Path) -> None:
    before, data = scores(run)["test_slices"], run.parent / "pay.csv"
    data.rename(run.parent / "gone.csv")
    try:
        evaluate_again([run], [])
        assert scores(run)["test_slices"] == before
        evaluate_again([run], ["report.slices=[account_age]"])
        assert scores(run)["test_slices"]["columns"] == ["account_age"]
        evaluate_again([run], ["report.slices=[]"])
        assert "test_slices" not in scores(run)
        with pytest.raises(UsageError, match="'country' is not among the stored columns hospital, account_age"):
            evaluate_again([run], ["report.slices=[country]"])
        assert "test_slices" not in scores(run)  # nothing was written
    finally:
        (run.parent / "gone.csv").rename(data)
        evaluate_again([run], [])


def test_a_run_without_stored_values_is_evaluated_and_slices_are_refused(run: Path, finished_run: Path) -> None:
    assert not RunDirectory(finished_run).slices.exists()
    stored = RunDirectory(run).slices
    content = stored.read_bytes()
    stored.unlink()
    try:
        with pytest.raises(UsageError, match=r"slices.parquet does not exist: test the model again"):
            evaluate_again([run], [])
        evaluate_again([run], ["report.slices=[]"])
        stored.write_bytes(content[:-40])
        with pytest.raises(UsageError, match=r"slices.parquet is damaged"):
            evaluate_again([run], [])
    finally:
        stored.write_bytes(content)
        evaluate_again([run], [])


@pytest.mark.parametrize(
    ("slices", "sentence"),
    [
        ("[hospitel]", "report.slices=hospitel is not a column of .*; did you mean 'hospital'"),
        ("[class]", "report.slices=class is the column that is predicted"),
        ("hospital", r"report.slices must be a list of columns, got 'hospital'"),
        ("[[hospital]]", "report.slices must be a list of columns"),
        ("[hospital,hospital]", "report.slices names 'hospital' twice"),
    ],
)
def test_what_cannot_be_sliced_by_is_refused_before_training(run: Path, slices: str, sentence: str) -> None:
    data = ["data=table", f"data.path='{run.parent / 'pay.csv'}'", "data.target=class", "data.drop=[id]"]
    with pytest.raises(UsageError, match=sentence):
        instantiate_experiment(composed(*data, f"report.slices={slices}"))


def test_data_without_columns_are_refused() -> None:
    with pytest.raises(UsageError, match=r"report.slices=\[age\] needs columns of a table, .* data=table"):
        instantiate_experiment(composed("report.slices=[age]"))


@pytest.fixture(scope="module")
def opened(browser: Any, run: Path) -> Opened:
    return Opened(browser, run / "report.html")


@needs_browser
def test_the_section_shows_every_slice_and_hostile_text_stays_text(opened: Opened, run: Path) -> None:
    page = opened.page
    assert opened.complaints == []
    assert page.evaluate("window.hit") is None
    assert page.locator("#slices-section script, #slices-section img, #slices-section b").count() == 0
    assert page.locator("#slices-verdict").inner_text().startswith(f"Worse than the rest: hospital = {HOSTILE[0]} (")
    slices = scores(run)["test_slices"]["classes"][0]["slices"]
    assert page.locator("#slices tbody tr:not(.group)").count() == len(slices)
    assert page.locator("#slices tr.group").all_inner_texts() == ["hospital", "account_age", "<b>a=b,{c}"]
    recalls = page.locator("#slices tbody tr:not(.group) td:nth-child(3)").all_inner_texts()
    shown = [f"{each['recall']['value']:.3f}" if each["recall"]["value"] is not None else "–" for each in slices]
    assert [cell.split("[")[0].strip() for cell in recalls] == shown
    whiskers = page.locator("#slices .worse .whisker")
    assert whiskers.count() == sum(each["finding"] == "worse" for each in slices)
    low, high = next(each for each in slices if each["finding"] == "worse")["recall"]["ci95"]
    x1, x2 = (float(whiskers.first.get_attribute(name)) for name in ("x1", "x2"))
    assert (x2 - x1) == pytest.approx((high - low) * (160 - 12), abs=1e-6)


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (400, "light"), (1024, "light")])
def test_the_sections_fit_the_screen(opened: Opened, width: int, scheme: Any) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.emulate_media(color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1400:
        box = opened.page.locator("#slices .scroll")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


@needs_browser
def test_mistakes_of_rows_are_a_table_of_unusual_values(opened: Opened) -> None:
    rows = opened.page.locator("#mistakes table.rows tbody tr")
    assert rows.count() >= 8
    assert opened.page.locator("#mistakes img, #mistakes script").count() == 0
    feature = opened.page.locator("#mistakes .feature").first
    assert " of " in feature.inner_text() or "±" in feature.inner_text()
    assert "=" in (feature.get_attribute("title") or "")


def test_the_terminal_names_what_is_worse(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_again([run], [])
    text = capsys.readouterr().out
    assert f"worse than the rest: hospital = {HOSTILE[0]} (recall 0." in text.replace("\n", "")
