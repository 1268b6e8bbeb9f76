"""Every plot as PNG and SVG, drawn from what the page shows."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.evaluation.distributions import ReliabilityBin, ReliabilityCurve, ScoreHistogram
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.report.figures import draw_confusion, draw_counts, draw_epochs, draw_reliability, draw_scores
from tests.conftest import composed
from tests.helpers.runs import HOSTILE, PLOTS, rewritten

EPOCHS = EpochHistory((1, 2, 3), auroc=(0.7, 0.9, None), val_loss=(2, 1, 1), train_loss=(3, None, 1), best=1)


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_images_are_written_when_asked_for_and_are_the_same_each_time(
    times: int, finished_run: Path, tmp_path: Path
) -> None:
    rewritten(finished_run, tmp_path, tuple("abc"))
    assert not (tmp_path / "images").exists()
    written = []
    for _ in range(times):
        evaluate_run(RunDirectory(tmp_path), composed("report.images=true"))
        written.append({path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()})
    assert written[0] == written[-1]
    assert set(written[0]) == {f"{name}.{kind}" for name in PLOTS if name != "epochs" for kind in ("png", "svg")}
    for name in written[0]:
        if name.endswith("png"):
            with Image.open(tmp_path / "images" / name) as image:
                assert [round(dots) for dots in image.info["dpi"]] == [300, 300]


@pytest.mark.exhaustive
def test_hostile_names_are_text_in_the_svg(finished_run: Path, tmp_path: Path) -> None:
    rewritten(finished_run, tmp_path, HOSTILE)
    evaluate_run(RunDirectory(tmp_path), composed("report.images=true"))
    for name in ("confusion", "counts", "scores"):  # roc names the rarest of many only
        root = ElementTree.fromstring((tmp_path / "images" / f"{name}.svg").read_text(encoding="utf-8"))
        words = " ".join(filter(None, (element.text for element in root.iter("{http://www.w3.org/2000/svg}text"))))
        assert "$5$" in words
        assert "</script>" in words


def test_confusion_shows_shares_of_the_true_class() -> None:
    (axes,) = draw_confusion(["a", "b"], [[3, 1], [0, 0]]).axes
    assert axes.images[0].get_array().tolist() == [[0.75, 0.25], [0, 0]]
    assert [text.get_text() for text in axes.texts] == [".75", ".25"]
    (axes,) = draw_confusion(["a"], [[3]], [12]).axes
    assert axes.images[0].get_array().tolist() == [[0.25]]


def test_panels_are_titled_by_class() -> None:
    curves = [ReliabilityCurve(c, (ReliabilityBin(9, 0.5, 0.4, (0.3, 0.5)),)) for c in (None, 0, 2)]
    assert [axes.get_title() for axes in draw_reliability("xyz", curves).axes] == ["predicted class", "x", "z"]
    histograms = [ScoreHistogram(c, (0, 1, 2), positive=(1, 3), negative=(0, 0), threshold=1.5) for c in (0, 2)]
    figure = draw_scores("xyz", histograms)
    assert [axes.get_title() for axes in figure.axes] == ["x", "z"]
    assert figure.axes[0].patches[1].get_data().values.tolist() == [0.25, 0.75]


def test_the_best_epoch_is_marked() -> None:
    above, below = draw_epochs(EPOCHS).axes
    assert above.lines[0].get_ydata()[:2].tolist() == [0.7, 0.9]
    assert np.isnan(above.lines[0].get_ydata()[2])
    assert above.lines[1].get_xdata() == [2, 2]
    assert [line.get_label() for line in below.lines] == ["validation", "training", "best"]


def test_counts_are_bars_of_every_split() -> None:
    (axes,) = draw_counts("ab", {"train": [9, 1], "val": [2, 2]}).axes
    assert [[bar.get_height() for bar in bars] for bars in axes.containers] == [[9, 1], [2, 2]]
    assert axes.get_yscale() == "log"


def test_tables_hold_what_the_json_holds(finished_run: Path) -> None:
    import csv

    scores = json.loads((finished_run / "metrics.json").read_text())
    rows = {
        path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for path in (finished_run / "tables").iterdir()
    }
    (macro,) = [row for row in rows["scores"] if (row["split"], row["score"]) == ("test", "auroc")]
    assert [float(macro[key]) for key in ("value", "low", "high")] == [
        scores["test"]["auroc"]["value"],
        *scores["test"]["auroc"]["ci95"],
    ]
    nine = next(row for row in rows["classes"] if (row["split"], row["name"]) == ("test", "9"))
    assert float(nine["auroc_low"]) == scores["test"]["classes"][9]["auroc"]["ci95"][0]
    assert sum(int(row["n"]) for row in rows["confusion"]) == scores["test"]["n"]
    assert sum(int(row["positives"]) for row in rows["histograms"]) == scores["test"]["n"]
    assert [row["class"] for row in rows["operating_point"]] == [str(c) for c in range(10)]


@pytest.mark.parametrize("value", ["yes", "1", "null"])
def test_images_is_true_or_false(value: str) -> None:
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.errors import UsageError

    with pytest.raises(UsageError, match=r"report\.images must be true or false"):
        instantiate_experiment(composed(f"report.images={value}"))
