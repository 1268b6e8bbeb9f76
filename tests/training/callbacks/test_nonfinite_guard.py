"""What is not finite stops the run, or its step is left out; it never reaches the weights or a checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch

from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.data import Batch
from imbalance_lab.termination import STOP
from imbalance_lab.training.classifier import Classifier
from tests.conftest import RunJob

JOB = ("backbone=resnet_cifar", "backbone.depth=8", "max_epochs=2", "logger=csv", "batch_size=128")
"""Three steps an epoch; with batch normalization, whose buffers a batch changes before its loss is known."""


def spoil(monkeypatch: pytest.MonkeyPatch, step: int, value: float, *, inputs: bool) -> list[int]:
    """Make two inputs, or the loss, of one training step not finite; returns the index of these inputs once it has."""
    genuine, spoilt = Classifier.training_step, []

    def broken(self: Classifier, batch: Batch, batch_idx: int) -> torch.Tensor:
        if self.global_step == step and not spoilt:
            spoilt.extend(batch.index[[3, 7]].tolist())
            if inputs:
                broken_inputs = batch.input.float()
                broken_inputs[[3, 7]] = value
                batch = batch._replace(input=broken_inputs)
                self.trainer.callbacks[0].batches[-1] = batch  # type: ignore[attr-defined]
            else:
                return genuine(self, batch, batch_idx) * value
        return genuine(self, batch, batch_idx)

    monkeypatch.setattr(Classifier, "training_step", broken)
    return spoilt


def is_finite(checkpoint: Path) -> bool:
    weights = read_checkpoint_file(checkpoint)["state_dict"].values()
    return all(bool(weight.isfinite().all()) for weight in weights if weight.is_floating_point())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_examples_that_are_not_finite_are_named(
    value: float, run_job: RunJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = spoil(monkeypatch, 4, value, inputs=True)
    with pytest.raises(FloatingPointError) as raised:
        run_job(*JOB)
    assert f"the inputs of the training examples with index {spoilt} are not finite at epoch 2, step 5" in str(
        raised.value
    )
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert is_finite(last)
    assert read_checkpoint_file(last)["global_step"] == 3, "the last good checkpoint is there"


def test_a_loss_that_is_not_finite_stops_the_run(run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 1, float("nan"), inputs=False)
    with pytest.raises(FloatingPointError, match=r"the loss or the gradient is not finite at epoch 1, step 2, .*skip"):
        run_job(*JOB)


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(self: Classifier, loss: torch.Tensor, *args: Any) -> None:
        loss.backward()
        if self.global_step == 2:
            next(self.head.parameters()).grad.fill_(float("inf"))  # type: ignore[union-attr]

    monkeypatch.setattr(Classifier, "backward", explode)
    broken: list[Classifier] = []
    monkeypatch.setattr(Classifier, "on_train_start", lambda self: broken.append(self))
    with pytest.raises(FloatingPointError, match="step 3"):
        run_job(*JOB)
    assert all(bool(parameter.isfinite().all()) for parameter in broken[0].parameters())


@pytest.mark.parametrize("inputs", [True, False], ids=["inputs", "loss"])
def test_skip_leaves_the_step_out_and_counts_it(
    inputs: bool, run_job: RunJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before: dict[str, torch.Tensor] = {}
    after: dict[str, torch.Tensor] = {}
    spoil(monkeypatch, 4, float("nan"), inputs=inputs)
    start, end = Classifier.on_train_batch_start, Classifier.on_train_batch_end

    def copy(self: Classifier) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in self.state_dict().items()}

    def starting(self: Classifier, *args: Any) -> None:
        if self.global_step == 4:
            before.update(copy(self))
        start(self, *args)

    def ending(self: Classifier, *args: Any) -> None:
        if self.global_step == 5:
            after.update(copy(self))
        end(self, *args)

    monkeypatch.setattr(Classifier, "on_train_batch_start", starting)
    monkeypatch.setattr(Classifier, "on_train_batch_end", ending)
    run = run_job(*JOB, "guard=skip")
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert is_finite(run / "checkpoints" / "last.ckpt")
    assert capsys.readouterr().err.startswith("warning: step left out (1 so far): the ")
    states = read_checkpoint_file(run / "checkpoints" / "last.ckpt")["callbacks"]
    assert states["NonFiniteGuard"] == {"skipped": 1}
    assert "nan" not in (run / "metrics.csv").read_text()


def test_a_run_without_such_values_is_the_same_with_either_choice(run_job: RunJob) -> None:
    runs = [run_job(*JOB, f"guard={guard}", name=guard) for guard in ("stop", "skip")]
    one, two = (read_checkpoint_file(run / "checkpoints" / "last.ckpt")["state_dict"] for run in runs)
    assert all(torch.equal(weight, two[name]) for name, weight in one.items())


def test_validation_that_is_not_finite_stops_at_once(run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = Classifier.features

    def broken(self: Classifier, *arguments: Any) -> torch.Tensor:
        features = genuine(self, *arguments)
        if not self.training:
            features[5] = float("nan")
        return features

    monkeypatch.setattr(Classifier, "features", broken)
    with pytest.raises(FloatingPointError, match=r"the logits of 1 validation examples are not finite: index \[\d+\]"):
        run_job(*JOB)
    assert STOP.signum is None
