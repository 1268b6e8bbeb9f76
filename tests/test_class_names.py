"""A class may be called anything: its scores stay apart from the summaries, and its name is read back as it was."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import RunJob, composed

HOSTILE = ("macro", "loss", "a/b", "x,y", '"q"', "=1+1", " ", "", "a\r\nb", "class/macro")
SCORES = ("auroc", "average_precision", "recall")


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the digits by other names."""
    directory = tmp_path_factory.mktemp("hostile")
    config = composed("max_epochs=2")
    parts = instantiate_experiment(config)
    splits = replace(parts.splits, classes=HOSTILE)
    train(config, replace(parts, splits=splits, task=splits.task), RunDirectory(directory))
    return directory


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_class(row: dict[str, str], split: str, score: str) -> dict[str, float]:
    """The scores of classes in a row of `metrics.csv`, by the names that their tags stand for."""
    start = f"{split}/{score}/class/"
    tags = [tag for tag in row if tag.startswith(start) and row[tag]]
    return {unquote(tag.removeprefix(start)).removesuffix("%"): float(row[tag]) for tag in tags}


def check_epochs(directory: Path, classes: Sequence[str]) -> None:
    """What was logged of the epoch that was kept, and of the test, is what `metrics.json` says."""
    *epochs, test = rows_of(directory / "metrics.csv")
    reported = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    best = max(epochs, key=lambda row: float(row["val/auroc/macro"]))
    for split, row in (("val", best), ("test", test)):
        assert [each["name"] for each in reported[split]["classes"]] == list(classes)
        for score in ("auroc", "average_precision"):
            assert float(row[f"{split}/{score}/macro"]) == pytest.approx(reported[split][score]["value"])
        for score in SCORES:
            expected = {each["name"]: each[score]["value"] for each in reported[split]["classes"]}
            assert by_class(row, split, score) == pytest.approx(expected)
    assert len({reported["val"]["auroc"]["value"], *by_class(best, "val", "auroc").values()}) > 2, "the scores differ"


def test_no_name_replaces_a_score(hostile_run: Path) -> None:
    check_epochs(hostile_run, HOSTILE)


def test_tags_are_one_line_without_a_comma(hostile_run: Path) -> None:
    header = (hostile_run / "metrics.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert sum("/class/" in tag for tag in header) == 2 * len(SCORES) * len(HOSTILE)
    assert all(tag.count("/") == 3 for tag in header if "/class/" in tag)


def test_tensorboard_has_every_class_beside_the_macro(hostile_run: Path) -> None:
    points: dict[str, int] = {}
    for file in hostile_run.glob("events.out.tfevents.*"):
        events = EventAccumulator(str(file), size_guidance={"scalars": 0}).Reload()
        for tag in events.Tags()["scalars"]:
            points[tag] = points.get(tag, 0) + len(events.Scalars(tag))
    assert points["val/auroc/macro"] == points["val/auroc/class/macro"] == points["val/loss"] == 2
    assert sum(tag.startswith("val/auroc/class/") for tag in points) == len(HOSTILE)


def test_tables_read_back_every_name(hostile_run: Path) -> None:
    tables = hostile_run / "tables"
    tested = [row for row in rows_of(tables / "classes.csv") if row["split"] == "test"]
    assert tuple(row["name"] for row in tested) == HOSTILE
    assert tuple(row["class"] for row in rows_of(tables / "operating_point.csv")) == HOSTILE
    assert {row["class"] for row in rows_of(hostile_run / "curves.csv")} == set(HOSTILE)
    reliability = rows_of(tables / "reliability.csv")
    assert {row["class"] for row in reliability if row["curve"] == "class"} == set(HOSTILE)
    assert {row["class"] for row in reliability if row["curve"] == "predicted class"} == {""}


def test_a_table_with_a_class_named_macro(tmp_path: Path, run_job: RunJob) -> None:
    rng, sizes = np.random.default_rng(0), {"macro": 200, "other": 80, "third": 40}
    lines = [
        ",".join([*(f"{x:.6f}" for x in rng.normal(size=4) + np.eye(4)[c] * 1.2), name])
        for c, (name, n) in enumerate(sizes.items())
        for _ in range(n)
    ]
    (tmp_path / "named.csv").write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    run = run_job("data=table", f"data.path='{tmp_path}/named.csv'", "data.target=y", "max_epochs=3", "batch_size=32")
    check_epochs(run, tuple(sizes))


def test_names_never_share_a_tag() -> None:
    names = (
        *HOSTILE,
        "%",
        "%25",
        "a%2Fb",
        "%20",
        "\u200b",
        "\u00a0",
        "Größe",
        "Grüße",
        "\udcff",
        "  ",
        "a b",
        "accuracy",
        "n",
    )
    logits = np.eye(len(names), dtype=np.float32)
    predictions = Predictions.of(names, np.arange(len(names)), np.arange(len(names)), logits)
    scores = Evaluation(predictions, [1] * len(names)).scalars("test")
    assert len(scores) == 3 + len(SCORES) * len(names)
    assert all(tag.isprintable() and tag == tag.strip() for tag in scores)
