"""What is compared before an export is written, and that nothing is written if it differs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from imbalance_lab.backbones import MLP
from imbalance_lab.data.arrays import Arrays
from imbalance_lab.deployment.export import rows as rows_module
from imbalance_lab.deployment.export import write
from imbalance_lab.deployment.export.parity import TOLERANCE, batches, compare
from imbalance_lab.deployment.export.rows import Rows, choose_rows, validation_rows
from imbalance_lab.deployment.export.torch_file import TorchFile
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.model import Model
from tests.helpers.untrained import untrained


@pytest.fixture(scope="module")
def small() -> tuple[Model, Rows]:
    return untrained("floats", MLP, n=60)


def outputs(rows: Rows) -> dict[str, np.ndarray]:
    return {name: values.copy() for name, values in rows.output._asdict().items() if isinstance(values, np.ndarray)}


def test_equal_outputs_pass(small: tuple[Model, Rows]) -> None:
    found = outputs(small[1])
    found["probabilities"][7, 2] += TOLERANCE / 2
    parity = compare("it", found, small[1])
    assert parity.rows == 60
    assert parity.difference == pytest.approx(TOLERANCE / 2)


@pytest.mark.parametrize("wrong", [2 * TOLERANCE, np.nan])
def test_a_probability_is_named_by_class_and_row(small: tuple[Model, Rows], wrong: float) -> None:
    found = outputs(small[1])
    found["probabilities"][7, 2] += wrong
    with pytest.raises(UsageError, match=r"probability of 'third' in row 7 by .* nothing was written"):
        compare("it", found, small[1])


@pytest.mark.parametrize(("name", "at", "where"), [("labels", (5,), "in row 5"), ("flags", (5, 1), "'second'")])
def test_every_decision_counts(small: tuple[Model, Rows], name: str, at: tuple[int, ...], where: str) -> None:
    found = outputs(small[1])
    found[name][at] = (1 + found[name][at]) % 2
    with pytest.raises(UsageError, match=rf"other {name}.*{where}.* and 0 more of 60 rows"):
        compare("it", found, small[1])


def test_batches_cover_every_row_in_several_sizes() -> None:
    parts = [part for (part,) in batches((torch.arange(2500),))]
    assert torch.cat(parts).tolist() == list(range(2500))
    assert [len(part) for part in parts] == [1, 2, 1024, 1024, 449]
    assert [len(part) for (part,) in batches((torch.arange(1),))] == [1]


def test_rows_at_the_thresholds_are_always_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MAX_ROWS", 100)
    margins = np.random.default_rng(0).random(5000).astype(np.float32)
    chosen = choose_rows(margins, row_bytes=4)
    assert set(np.argsort(margins)[:50]) <= set(chosen.tolist())
    assert len(chosen) <= 100
    assert np.diff(chosen.numpy()).max() <= 110, "the rest is spread over all rows"
    assert len(choose_rows(margins, row_bytes=rows_module.MAX_BYTES // 10)) == 10


def test_rows_of_other_data_are_refused(small: tuple[Model, Rows]) -> None:
    model, rows = small
    target = rows.output.labels
    assert target is not None
    index = np.arange(60)[::-1].copy()
    stored = Predictions(model.task, index, target, model.logits_of(rows.inputs.flip(0)))
    source = Arrays(rows.inputs, torch.from_numpy(target), torch.arange(60))
    read = validation_rows(model, source, stored)
    np.testing.assert_array_equal(read.log_odds, rows.log_odds)
    assert read.stored_difference < 1e-6
    with pytest.raises(UsageError, match=r"does not say of example \d+ what the run stored"):
        validation_rows(model, Arrays(rows.inputs.flip(0), source.targets, source.index), stored)
    with pytest.raises(UsageError, match="of other validation examples"):
        validation_rows(model, Arrays(rows.inputs, source.targets, torch.arange(1, 61)), stored)


def test_nothing_is_written_if_the_file_differs(
    small: tuple[Model, Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Inexact(TorchFile):
        def __call__(self, *inputs: Tensor) -> tuple[np.ndarray, ...]:
            first, *others = super().__call__(*inputs)
            return (first + 2e-5, *others)

    (tmp_path / "model.pt2").write_text("an earlier one")
    monkeypatch.setattr(write, "TorchFile", Inexact)
    with pytest.raises(UsageError, match="by 2e-05"):
        write.export_model(*small, "torch_export", tmp_path / "model.pt2")
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt2"]
    assert (tmp_path / "model.pt2").read_text() == "an earlier one"


class Branching(nn.Module):
    """Decides by what its inputs hold, which no graph can."""

    num_features = 12

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


def test_what_cannot_be_traced_says_so(tmp_path: Path) -> None:
    model, rows = untrained("floats", Branching, n=60)
    with pytest.raises(UsageError, match=r"Branching cannot be exported, torch.export cannot follow it"):
        write.export_model(model, rows, "torch_export", tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())
