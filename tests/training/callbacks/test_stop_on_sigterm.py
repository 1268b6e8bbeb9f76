"""A run that SIGTERM stopped, resumed: as if nothing had happened."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from imbalance_lab.termination import Terminated
from imbalance_lab.training.classifier import Classifier
from tests.conftest import RunJob

JOB = ("backbone=mlp", "backbone.dropout=0.3", "max_epochs=3", "logger=none")
HOOKS = {
    "in the middle of an epoch": ("training_step", 8, 9),
    "in the last step of an epoch": ("training_step", 11, 12),
    "in a validation": ("validation_step", 12, 12),
}


@pytest.mark.parametrize(("hook", "step", "saved"), HOOKS.values(), ids=HOOKS)
def test_training_stops_where_it_can_be_resumed_bit_for_bit(
    hook: str, step: int, saved: int, run_job: RunJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    whole = run_job(*JOB, name="whole")
    genuine = getattr(Classifier, hook)

    def signalled(self: Classifier, *args: Any) -> Any:
        if self.global_step == step and self.trainer.state.fn == "fit":
            os.kill(os.getpid(), signal.SIGTERM)
        return genuine(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Classifier, hook, signalled)
        with pytest.raises(Terminated) as stopped:
            run_job(*JOB, name="stopped")
    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    assert stopped.value.code == 143
    assert stopped.value.saved == last
    assert torch.load(last, weights_only=True)["global_step"] == saved
    assert signal.getsignal(signal.SIGTERM) == before

    resumed = run_job(*JOB, f"ckpt_path='{last}'", name="resumed")
    for name in ("best.ckpt", "last.ckpt"):
        one, two = (torch.load(run / "checkpoints" / name, weights_only=True) for run in (whole, resumed))
        assert one["global_step"] == two["global_step"]
        assert all(torch.equal(weight, two["state_dict"][key]) for key, weight in one["state_dict"].items())
    assert (whole / "metrics.json").read_bytes() == (resumed / "metrics.json").read_bytes()


def test_after_the_last_step_there_is_nothing_to_resume(
    run_job: RunJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Classifier.validation_step

    def signalled(self: Classifier, *args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return genuine(self, *args)

    monkeypatch.setattr(Classifier, "validation_step", signalled)
    with pytest.raises(Terminated) as stopped:
        run_job("backbone=mlp", "max_epochs=1", "logger=none")
    assert stopped.value.saved is None
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()
