"""The data summary: counts, widths, leaks and unreadable files, on real files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer

from imbalance_lab.data import Arrays, Splits, image_folder, table
from imbalance_lab.data.summary import summarize
from imbalance_lab.metrics import planned_auroc_interval
from imbalance_lab.samplers import ClassBalancedSampler, RandomSampler
from tests.helpers.images import broken_in_the_middle, tree


def splits_of(train: list[int], val: list[int], test: list[int]) -> Splits:
    """Splits with these numbers of examples of each class, all different."""
    parts, start = [], 0
    for counts in (train, val, test):
        targets = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        index = torch.arange(start, start + len(targets))
        parts.append(Arrays(index[:, None].float(), targets, index))
        start += len(targets)
    return Splits(tuple("abcdefgh"[: len(train)]), *parts)


def summary_of(splits: Splits, **options: Any) -> Any:
    sampler = options.pop("sampler", RandomSampler(targets=splits.train.targets))
    return summarize(splits, sampler, options.pop("batch_size", 10), thorough=options.pop("thorough", True), **options)


def test_counts_groups_and_the_imbalance_factor() -> None:
    summary = summary_of(splits_of([200, 50, 10], [20, 5, 0], [9, 9, 9]))
    assert [(each.train, each.val, each.test, each.group) for each in summary.classes] == [
        (200, 20, 9, "many"),
        (50, 5, 9, "medium"),
        (10, 0, 9, "few"),
    ]
    assert summary.imbalance_factor == 20
    assert summary.examples == {"train": 260, "val": 25, "test": 27}
    assert any(each.startswith("there is no val example of c") for each in summary.warnings)


def test_examples_in_a_batch_are_those_that_the_sampler_draws() -> None:
    splits = splits_of([200, 50, 10], [9, 9, 9], [9, 9, 9])
    assert [each.per_batch for each in summary_of(splits).classes] == pytest.approx([200 / 26, 50 / 26, 10 / 26])
    balanced = summary_of(splits, sampler=ClassBalancedSampler(targets=splits.train.targets))
    assert [each.per_batch for each in balanced.classes] == pytest.approx([10 / 3] * 3, abs=1)
    assert "of c: see batch_size" in " ".join(summary_of(splits).warnings)


def test_the_width_is_that_of_the_interval_and_the_advice_suffices() -> None:
    summary = summary_of(splits_of([99, 99], [9, 491], [9, 9]), auroc=0.8, width=0.1)
    low, high = planned_auroc_interval(0.8, 9, 491)
    assert summary.classes[0].auroc_width == pytest.approx(high - low)
    (warning,) = summary.warnings
    needed = int(warning.split("0.1 takes ")[1].split()[0])
    widths = [np.diff(planned_auroc_interval(0.8, n, 500 - n))[0] for n in (needed - 1, needed)]
    assert widths[0] > 0.1 >= widths[1]
    assert (
        "more than 500 validation examples"
        in summary_of(splits_of([99, 99], [9, 491], [9, 9]), width=0.001).warnings[0]
    )


def test_a_simulated_auroc_varies_as_planned() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = rng.normal(1.812, 1, (2000, 15, 1)), rng.normal(size=(2000, 1, 200))
    areas = (positives > negatives).mean((1, 2))
    assert areas.mean() == pytest.approx(0.9, abs=0.005)
    low, high = planned_auroc_interval(0.9, 15, 200)
    assert high - low == pytest.approx(np.subtract(*np.quantile(areas, [0.975, 0.025])), rel=0.25)


def test_duplicates_across_splits_are_named() -> None:
    splits = splits_of([20, 20], [9, 9], [9, 9])
    inputs = splits.test.inputs.clone()  # type: ignore[attr-defined]
    inputs[4], inputs[5] = splits.train.inputs[7], splits.val.inputs[3]  # type: ignore[attr-defined]
    summary = summary_of(replace(splits, test=replace(splits.test, inputs=inputs)))  # type: ignore[type-var]
    warnings = " ".join(summary.warnings)
    assert "1 test examples are copies of train ones: example 7 = example 62" in warnings
    assert "1 test examples are copies of val ones: example 43 = example 63" in warnings


def test_a_target_out_of_range_is_an_error() -> None:
    splits = splits_of([9, 9], [9, 9], [9, 9])
    wrong = splits.val.targets.clone()
    wrong[3] = 2
    with pytest.raises(ValueError, match=r"^example 21 of the val split has target 2: targets are 0 … 1$"):
        replace(splits, val=replace(splits.val, targets=wrong))  # type: ignore[type-var]


def test_unreadable_files_and_duplicates_are_found_by_path(tmp_path: Path) -> None:
    root = tree(tmp_path / "photos", "ab", 30)
    broken_in_the_middle(root / "b" / "p1_2.png")
    splits = image_folder(root=str(root), image_size=8, normalize="imagenet")
    (error,) = summary_of(splits).errors
    assert "p1_2.png is broken" in error
    assert not summary_of(splits, thorough=False).errors
    held_out = splits.test.names(torch.tensor([0]))[0]
    (root / splits.train.names(torch.tensor([0]))[0]).write_bytes((root / held_out).read_bytes())
    assert held_out in " ".join(summary_of(splits).warnings)


def test_the_calibration_split_is_counted_and_compared(tmp_path: Path) -> None:
    plain = splits_of([40, 4], [20, 2], [20, 2])
    held_out = replace(plain.test, index=plain.test.index + 1000)
    summary = summary_of(replace(plain, calibration=held_out))
    assert summary.examples["calibration"] == 22
    assert [each.calibration for each in summary.classes] == [20, 2]
    assert any("22 calibration examples are copies of test ones" in each for each in summary.warnings)
    rare = held_out.subset((held_out.targets == 0).nonzero().flatten())
    assert any(
        "there is no calibration example of" in each and "no prediction set can be promised to hold it" in each
        for each in summary_of(replace(plain, calibration=rare)).warnings
    )
    assert "calibration" not in summary_of(plain).examples


def test_groups_in_two_splits_are_an_error(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame["part"] = np.array(["train", "train", "val", "test"])[np.arange(len(frame)) % 4]
    frame["patient"] = np.arange(len(frame)) // 4 * 4 + np.minimum(np.arange(len(frame)) % 4, 2)  # val and test share
    frame["patient"] = frame["patient"].astype("Int64").mask(frame["part"] == "train")  # each unknown one is its own
    frame.to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target="target", split="part", group="patient")
    (error,) = summary_of(splits).errors
    assert error.startswith("142 groups are in val and in test, such as that of t.csv, line 4 and t.csv, line 5")


def test_groups_that_two_files_share_are_an_error(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame["patient"] = np.arange(len(frame)) // 3
    frame[:400].to_csv(tmp_path / "train.csv", index=False)
    frame[400:].to_csv(tmp_path / "test.csv", index=False)
    paths = {"path": str(tmp_path / "train.csv"), "test_path": str(tmp_path / "test.csv")}
    (error,) = summary_of(table(**paths, target="target", group="patient")).errors
    assert error.startswith(
        "1 groups are in train and in test, such as that of train.csv, line 401 and test.csv, line 2"
    )


def test_a_constant_column_is_a_warning(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame["clinic"] = 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert "column 'clinic' is constant" in " ".join(
        summary_of(table(path=str(tmp_path / "t.csv"), target="target")).warnings
    )
