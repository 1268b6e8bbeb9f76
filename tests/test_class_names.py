"""A class may be called anything: its scores stay apart from the summaries, and its name is read back as it was."""

import csv
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from imbalance_lab.app.compare import compare
from imbalance_lab.app.evaluate import RunResults
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.app.print_results import print_results
from imbalance_lab.app.train import train
from imbalance_lab.backbones import MLP
from imbalance_lab.data import Arrays, Splits
from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.report_data import RunRecord, compute_report_data
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.sweep import read_run
from imbalance_lab.report.comparison_page import build_comparison_payload
from imbalance_lab.samplers import RandomSampler
from tests.conftest import RunJob, composed

HOSTILE = (
    *("macro", "loss", "val/loss", "class/macro", "val/auroc/macro", "auroc", "epoch", "step", "lr", "lr-AdamW"),
    *(
        "index",
        "target",
        "logits",
        "task",
        "sha256",
        "class",
        "split",
        "name",
        "n",
        "total",
        "__proto__",
        "constructor",
    ),
    *("a/b", "a%2Fb", "a b", "a_b", "%", "%25", "%20", "x,y", "x_2Cy", '"q"', " ", "  ", "", "a\r\nb", "\x1b[31mred"),
    *("=1+1", "'=1+1", "+x", "-x", "-1", "@x", "\t=x", "Cat", "cat", "CAT", "Größe", "GRÖSSE", "\u202egod", "[red]"),
)
SCORES = ("auroc", "average_precision", "recall")


def blobs(classes: Sequence[str]) -> Splits:
    """A cloud of points for each class, 12 to train on and 8 in each other split."""
    generator = torch.Generator().manual_seed(0)
    C, n = len(classes), 28
    target = torch.arange(C).repeat_interleave(n)
    points = torch.randn(C, 6, generator=generator)[target] + 0.7 * torch.randn(C * n, 6, generator=generator)
    everything = Arrays(points, target, torch.arange(C * n))
    train, val, test = (everything.subset(torch.arange(C * n).view(C, n)[:, part].flatten()) for part in
                        (slice(0, 12), slice(12, 20), slice(20, 28)))  # fmt: skip
    return Splits(tuple(classes), train, val, test)


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on classes with hostile names, which selects its epoch by one of them."""
    directory = tmp_path_factory.mktemp("hostile")
    config = composed(
        "max_epochs=2", "augment=none", "backbone=mlp", "monitor=val/auroc/class/macro", "loss=cross_entropy"
    )
    splits = blobs(HOSTILE)
    backbone = MLP(splits.prepared_shape)
    head = nn.Linear(backbone.num_features, len(HOSTILE))
    parts = instantiate_experiment(config)
    sampler = RandomSampler(targets=splits.train.targets)
    parts = replace(
        parts, splits=splits, task=splits.task, backbone=backbone, head=head, sampler=sampler, train_prior=None
    )
    train(config, parts, RunDirectory(directory))
    (directory / ".hydra").mkdir()
    (directory / ".hydra" / "overrides.yaml").write_text("[]\n")
    return directory


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_class(row: dict[str, str], split: str, score: str) -> dict[str, float]:
    """The scores of classes in a row of `metrics.csv`, by the names that their tags stand for."""
    start = f"{split}/{score}/class/"
    tags = [tag for tag in row if tag.startswith(start) and row[tag]]
    names = {tag: tag.removeprefix(start) for tag in tags}
    return {"" if name == "%" else unquote(name): float(row[tag]) for tag, name in names.items()}


def check_epochs(directory: Path, classes: Sequence[str], monitor: str = "val/auroc/macro", mode: Any = max) -> None:
    """What was logged of the epoch that was kept, and of the test, is what `metrics.json` says."""
    *epochs, test = rows_of(directory / "metrics.csv")
    reported = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    best = mode(epochs, key=lambda row: float(row[monitor]))
    for split, row in (("val", best), ("test", test)):
        assert [each["name"] for each in reported[split]["classes"]] == list(classes)
        for score in ("auroc", "average_precision"):
            assert float(row[f"{split}/{score}/macro"]) == pytest.approx(reported[split][score]["value"])
        for score in SCORES:
            expected = {each["name"]: each[score]["value"] for each in reported[split]["classes"]}
            assert by_class(row, split, score) == pytest.approx(expected)
    assert len({reported["val"]["auroc"]["value"], *by_class(best, "val", "auroc").values()}) > 2, "the scores differ"


def test_no_name_replaces_a_score(hostile_run: Path) -> None:
    check_epochs(hostile_run, HOSTILE, "val/auroc/class/macro")


def test_the_best_epoch_is_that_of_the_class(hostile_run: Path) -> None:
    *epochs, test = rows_of(hostile_run / "metrics.csv")
    assert len(epochs) == 2
    assert {"epoch", "step"} <= set(test), "Lightning's own columns"
    assert [float(row["epoch"]) for row in epochs] == [0, 1]
    header = list(test)
    assert len(header) == len(set(header)), "no column is there twice"
    monitored = [float(row["val/auroc/class/macro"]) for row in epochs]
    reported = json.loads((hostile_run / "metrics.json").read_text(encoding="utf-8"))
    (macro,) = (each for each in reported["val"]["classes"] if each["name"] == "macro")
    assert macro["auroc"]["value"] == pytest.approx(max(monitored))


def test_predictions_hold_every_class(hostile_run: Path) -> None:
    stored = RunDirectory(hostile_run).read_predictions("test")
    assert stored.classes == HOSTILE
    assert stored.logits.shape == (8 * len(HOSTILE), len(HOSTILE))


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
    assert points["val/auroc/macro"] == points["val_classes/auroc/macro"] == points["val/loss"] == 2
    assert sum(tag.startswith("val_classes/auroc/") for tag in points) == len(HOSTILE)


def test_tables_read_back_every_name(hostile_run: Path) -> None:
    tables = hostile_run / "tables"
    tested = [row for row in rows_of(tables / "classes.csv") if row["split"] == "test"]
    assert tuple(name_of(row["name"]) for row in tested) == HOSTILE
    assert tuple(name_of(row["class"]) for row in rows_of(tables / "operating_point.csv")) == HOSTILE
    assert {name_of(row["class"]) for row in rows_of(hostile_run / "curves.csv")} == set(HOSTILE)
    reliability = rows_of(tables / "reliability.csv")
    assert {name_of(row["class"]) for row in reliability if row["curve"] == "class"} == set(HOSTILE)
    assert {row["class"] for row in reliability if row["curve"] == "predicted class"} == {""}


def name_of(cell: str) -> str:
    """The name in a cell of a table: an apostrophe keeps spreadsheets from calculating it."""
    return cell.removeprefix("'")


def test_no_cell_is_a_formula(hostile_run: Path) -> None:
    for path in [*(hostile_run / "tables").glob("*.csv"), hostile_run / "curves.csv", hostile_run / "metrics.csv"]:
        with path.open(newline="", encoding="utf-8") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                is_number = re.fullmatch(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)", cell)
                assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), (
                    f"{path.name}: {cell!r}"
                )


def test_the_screen_shows_no_control_character(hostile_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare([hostile_run], output=hostile_run / "comparison.html")
    evaluate_again_with_names(hostile_run)
    shown = capsys.readouterr().out
    assert "\\x1b[31mred" in shown
    assert "\\u202egod" in shown
    assert "[red]" in shown
    assert "a\\r\\nb" in shown
    assert all(char.isprintable() or char == "\n" for char in shown)


def evaluate_again_with_names(run: Path) -> None:
    directory = RunDirectory(run)
    val, test = directory.read_predictions("val"), directory.read_predictions("test")
    counts = [9 if name.isprintable() and name != "[red]" else 1 for name in val.task.classes]  # the rarest are listed
    postprocessor = fit_postprocessing(composed(), val, None)
    run = RunRecord("run", {})
    data = compute_report_data(run, Evaluation(val, counts), Evaluation(test, counts), postprocessor)
    print_results(RunResults(data, postprocessor), "\x07T")


def test_report_and_comparison_keep_every_class_apart(hostile_run: Path, tmp_path: Path) -> None:
    directory = RunDirectory(hostile_run)
    page = directory.report.read_text(encoding="utf-8")
    data = json.loads(re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[0])
    assert tuple(each["name"] for each in data["classes"]) == HOSTILE
    twin = Path(shutil.copytree(hostile_run, tmp_path / "twin"))
    compared = compute_comparison_data([read_run(hostile_run), read_run(twin)])
    (comparison,) = compared.comparisons
    assert tuple(comparison.classes) == HOSTILE
    assert set(comparison.scores) == {"auroc", "average_precision", "balanced_accuracy", "accuracy"}
    (differences,) = build_comparison_payload(compared)["differences"]
    assert sorted(each["name"] for each in differences["classes"]) == sorted(HOSTILE)


def test_a_table_with_a_class_named_macro(tmp_path: Path, run_job: RunJob) -> None:
    rng, sizes = np.random.default_rng(0), {"macro": 200, "other": 80, "third": 40}
    lines = [
        ",".join([*(f"{x:.6f}" for x in rng.normal(size=4) + np.eye(4)[c] * 1.2), name])
        for c, (name, n) in enumerate(sizes.items())
        for _ in range(n)
    ]
    (tmp_path / "named.csv").write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    run = run_job("data=table", f"data.path='{tmp_path}/named.csv'", "data.target=y", "max_epochs=3", "batch_size=32")
    check_epochs(run, tuple(sizes), "val/loss", min)


def test_names_never_share_a_tag() -> None:
    names = (
        *HOSTILE,
        "\u200b",
        "\u00a0",
        "Grüße",
        "\udcff",
        "accuracy",
    )
    logits = np.eye(len(names), dtype=np.float32)
    predictions = Predictions.of(names, np.arange(len(names)), np.arange(len(names)), logits)
    scores = Evaluation(predictions, [1] * len(names)).scalars("test")
    assert len(scores) == 3 + len(SCORES) * len(names) + 1  # all of them are of one shot group
    assert all(tag.isprintable() and tag == tag.strip() for tag in scores)
