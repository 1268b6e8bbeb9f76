"""What is told of the data before training, on real files, and what stops."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.validate_data import preflight, summarize
from imbalance_lab.data import Arrays, Splits, image_folder, table
from imbalance_lab.errors import UsageError
from imbalance_lab.metrics import planned_auroc_interval
from imbalance_lab.samplers import ClassBalancedSampler, RandomSampler
from tests.conftest import ROOT, composed
from tests.helpers.images import broken_in_the_middle, tree


def splits_of(train: list[int], val: list[int], test: list[int]) -> Splits:
    """Splits with so many examples of each class, no two alike."""
    parts, start = [], 0
    for counts in (train, val, test):
        targets = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        index = torch.arange(start, start + len(targets))
        parts.append(Arrays(index[:, None].float(), targets, index))
        start += len(targets)
    return Splits(tuple("abcdefgh"[: len(train)]), *parts)


def told(splits: Splits, **options: Any) -> Any:
    sampler = options.pop("sampler", RandomSampler(targets=splits.train.targets))
    return summarize(splits, sampler, options.pop("batch_size", 10), thorough=options.pop("thorough", True), **options)


def test_counts_groups_and_the_factor() -> None:
    facts = told(splits_of([200, 50, 10], [20, 5, 0], [9, 9, 9]))
    assert [(each.train, each.val, each.test, each.group) for each in facts.classes] == [
        (200, 20, 9, "many"),
        (50, 5, 9, "medium"),
        (10, 0, 9, "few"),
    ]
    assert facts.imbalance_factor == 20
    assert facts.examples == {"train": 260, "val": 25, "test": 27}
    assert any(each.startswith("there is no val example of c") for each in facts.warnings)


def test_examples_in_a_batch_are_those_that_the_sampler_draws() -> None:
    splits = splits_of([200, 50, 10], [9, 9, 9], [9, 9, 9])
    assert [each.per_batch for each in told(splits).classes] == pytest.approx([200 / 26, 50 / 26, 10 / 26])
    balanced = told(splits, sampler=ClassBalancedSampler(targets=splits.train.targets))
    assert [each.per_batch for each in balanced.classes] == pytest.approx([10 / 3] * 3, abs=1)
    assert "of c: see batch_size" in " ".join(told(splits).warnings)


def test_the_width_is_that_of_the_interval_and_the_advice_suffices() -> None:
    facts = told(splits_of([99, 99], [9, 491], [9, 9]), auroc=0.8, width=0.1)
    low, high = planned_auroc_interval(0.8, 9, 491)
    assert facts.classes[0].auroc_width == pytest.approx(high - low)
    (warning,) = facts.warnings
    needed = int(warning.split("that takes ")[1].split()[0])
    widths = [np.diff(planned_auroc_interval(0.8, n, 500 - n))[0] for n in (needed - 1, needed)]
    assert widths[0] > 0.1 >= widths[1]
    assert "more than 500 validation examples" in told(splits_of([99, 99], [9, 491], [9, 9]), width=0.001).warnings[0]


def test_a_simulated_auroc_scatters_as_planned() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = rng.normal(1.812, 1, (2000, 15, 1)), rng.normal(size=(2000, 1, 200))
    areas = (positives > negatives).mean((1, 2))
    assert areas.mean() == pytest.approx(0.9, abs=0.005)
    low, high = planned_auroc_interval(0.9, 15, 200)
    assert high - low == pytest.approx(np.subtract(*np.quantile(areas, [0.975, 0.025])), rel=0.25)


def test_copies_across_splits_are_named() -> None:
    splits = splits_of([20, 20], [9, 9], [9, 9])
    inputs = splits.test.inputs.clone()  # type: ignore[attr-defined]
    inputs[4], inputs[5] = splits.train.inputs[7], splits.val.inputs[3]  # type: ignore[attr-defined]
    facts = told(replace(splits, test=replace(splits.test, inputs=inputs)))  # type: ignore[type-var]
    warnings = " ".join(facts.warnings)
    assert "1 test examples are copies of train ones: example 7 = example 62" in warnings
    assert "1 test examples are copies of val ones: example 43 = example 63" in warnings


def test_a_target_out_of_range_is_an_error() -> None:
    splits = splits_of([9, 9], [9, 9], [9, 9])
    wrong = splits.val.targets.clone()
    wrong[3] = 2
    facts = told(replace(splits, val=replace(splits.val, targets=wrong)))  # type: ignore[type-var]
    assert facts.errors == ["example 21 of the val split has target 2: targets are 0 … 1"]


def test_broken_files_and_copies_are_found_by_path(tmp_path: Path) -> None:
    root = tree(tmp_path / "photos", "ab", 30)
    broken_in_the_middle(root / "b" / "p1_2.png")
    splits = image_folder(root=str(root), image_size=8, normalize="imagenet")
    (error,) = told(splits).errors
    assert "p1_2.png is broken" in error
    assert not told(splits, thorough=False).errors
    held_out = splits.test.names(torch.tensor([0]))[0]
    (root / splits.train.names(torch.tensor([0]))[0]).write_bytes((root / held_out).read_bytes())
    assert held_out in " ".join(told(splits).warnings)


def test_groups_on_two_sides_are_an_error(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame["part"] = np.array(["train", "train", "val", "test"])[np.arange(len(frame)) % 4]
    frame["patient"] = np.arange(len(frame)) // 4 * 4 + np.minimum(np.arange(len(frame)) % 4, 2)  # val and test share
    frame.to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target="target", split="part", group="patient")
    (error,) = told(splits).errors
    assert error.startswith("142 groups are in val and in test, as that of t.csv, line 4 and t.csv, line 5")


def test_a_column_that_is_constant_is_warned_of(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame["clinic"] = 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert "column 'clinic' is constant" in " ".join(
        told(table(path=str(tmp_path / "t.csv"), target="target")).warnings
    )


def test_it_is_written_down_and_errors_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tree(tmp_path / "photos", "ab", 30)
    config = composed("data=image_folder", f"data.root={root}", "data.image_size=32", "check=true")
    parts = instantiate_experiment(config)
    preflight(tmp_path / "run", config, parts)
    written = json.loads((tmp_path / "run" / "preflight.json").read_text())
    assert [each["name"] for each in written["classes"]] == ["a", "b"]
    assert written["errors"] == []
    shown = capsys.readouterr().out
    assert "AUROC ±" in shown
    assert max(map(len, shown.splitlines())) <= 200
    (root / "a" / "p0_0.png").write_bytes(b"no more")
    with pytest.raises(UsageError, match=r"p0_0\.png is no image"):
        preflight(tmp_path / "run", config, parts)


def test_check_ends_before_training_and_a_fit_tells_in_short(tmp_path: Path) -> None:
    def train(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "train.py"), "trainer=cpu", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    checked = train("check=true")
    assert checked.returncode == 0
    assert "353 train + 270 val + 445 test examples of 10 classes" in checked.stdout
    assert "epoch" not in checked.stdout
    (directory,) = (tmp_path / "runs").glob("*/*")
    assert {path.name for path in directory.iterdir()} == {".hydra", "preflight.json", "status.json"}
    fitted = train("max_epochs=1")
    assert fitted.stdout.startswith("353 train + 270 val + 445 test examples of 10 classes")
    tree(tmp_path / "photos", "ab", 30)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "photos" / "a" / "huge.png")
    refused = train("data=image_folder", "data.root=photos")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: data: photos/a/huge.png has 400000000 pixels")
    assert len(refused.stderr.splitlines()) == 1
