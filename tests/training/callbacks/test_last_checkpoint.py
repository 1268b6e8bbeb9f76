"""A run that a signal stopped, resumed: as if nothing had happened."""

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import STOP, Terminated
from imbalance_lab.training import datamodule
from imbalance_lab.training.classifier import Classifier
from tests.conftest import RunJob, composed
from tests.helpers.runs import assert_same_run

JOB = ("backbone=mlp", "backbone.dropout=0.3", "max_epochs=3", "logger=csv")
HOOKS = {
    "in the first step": ("training_step", 0, 1),
    "in the middle of an epoch": ("training_step", 8, 9),
    "in the last step of an epoch": ("training_step", 11, 12),
    "in a validation": ("validation_step", 12, 12),
}


def send(signum: int, hook: str, step: int, patch: pytest.MonkeyPatch) -> None:
    """Send this process a signal when a hook of the classifier is called at a step of the training."""
    genuine = getattr(Classifier, hook)

    def signalled(self: Classifier, *args: Any) -> Any:
        if self.global_step == step and self.trainer.state.fn == "fit":
            os.kill(os.getpid(), signum)
        return genuine(self, *args)

    patch.setattr(Classifier, hook, signalled)


def stopped_run(run_job: RunJob, *job: str, hook: str, step: int, signum: int = signal.SIGTERM) -> Terminated:
    with pytest.MonkeyPatch.context() as patch, STOP.handled():
        send(signum, hook, step, patch)
        with pytest.raises(Terminated) as stopped:
            run_job(*job, name="stopped")
    return stopped.value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `JOB` that nothing has stopped."""
    config, directory = composed(*JOB), tmp_path_factory.mktemp("whole")
    train(config, instantiate_experiment(config, JOB), RunDirectory(directory))
    return directory


@pytest.mark.parametrize(("hook", "step", "saved"), HOOKS.values(), ids=HOOKS)
def test_training_stops_where_it_can_be_resumed_bit_for_bit(
    hook: str, step: int, saved: int, whole: Path, run_job: RunJob, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = stopped_run(run_job, *JOB, hook=hook, step=step)
    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    assert (stop.code, stop.state, stop.saved) == (143, "preempted", last)
    assert read_checkpoint_file(last)["global_step"] == saved
    assert signal.getsignal(signal.SIGTERM) == before
    assert_same_run(whole, run_job(*JOB, f"ckpt_path='{last}'", name="resumed"))


@pytest.mark.parametrize(
    ("signum", "code", "state"),
    [(signal.SIGTERM, 143, "preempted"), (signal.SIGUSR1, 143, "preempted"), (signal.SIGINT, 130, "interrupted")],
)
def test_every_signal_has_its_code(signum: int, code: int, state: str, run_job: RunJob) -> None:
    stop = stopped_run(run_job, *JOB, hook="training_step", step=1, signum=signum)
    assert (stop.code, stop.state) == (code, state)
    assert stop.saved is not None


def not_persistent(self: DataLoader[Any], *args: Any, **kwargs: Any) -> None:
    DataLoader.__init__(self, *args, **kwargs | {"persistent_workers": False})


SAMPLERS = ["shuffled", "class_balanced", "square_root", "effective_number", "progressive", "m_per_class"]
ALIKE = ("shuffled", "square_root", "effective_number", "progressive")
"""They draw as class_balanced does, with other weights."""


# Every pair of a step, the numbers of workers before and after, and whether they persist.
@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
@pytest.mark.parametrize("workers", [0, 2, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (1, 3))])
@pytest.mark.parametrize("step", [8, 11], ids=["within an epoch", "at its end"])
def test_no_number_of_workers_changes_a_resumed_run(
    workers: int, step: int, whole: Path, run_job: RunJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persistent = (step == 8) == (workers in (0, 2))
    if not persistent:
        monkeypatch.setattr(datamodule._LazyDataLoader, "__init__", not_persistent)
    stopped_run(run_job, *JOB, f"num_workers={workers}", hook="training_step", step=step)
    last = f"ckpt_path='{tmp_path}/stopped/checkpoints/last.ckpt'"
    assert_same_run(whole, run_job(*JOB, last, f"num_workers={3 - workers}", name="resumed"))


@pytest.mark.parametrize(
    "sampler",
    [pytest.param(each, marks=[pytest.mark.exhaustive] * (each in ALIKE)) for each in SAMPLERS],
)
def test_every_sampler_is_resumed_exactly(sampler: str, run_job: RunJob, tmp_path: Path) -> None:
    job = (*JOB, f"sampler={sampler}")
    whole = run_job(*job, name="whole")
    stopped_run(run_job, *job, hook="training_step", step=8)
    last = f"ckpt_path='{tmp_path}/stopped/checkpoints/last.ckpt'"
    assert_same_run(whole, run_job(*job, last, name="resumed"))


def test_accumulated_gradients_and_validations_within_an_epoch_are_resumed_exactly(
    run_job: RunJob, tmp_path: Path
) -> None:
    job = (*JOB, "trainer.accumulate_grad_batches=2", "trainer.val_check_interval=3", "early_stopping=2")
    whole = run_job(*job, name="whole")
    stopped_run(run_job, *job, hook="training_step", step=4)
    last = f"ckpt_path='{tmp_path}/stopped/checkpoints/last.ckpt'"
    assert_same_run(whole, run_job(*job, last, name="resumed"))


def test_a_signal_in_the_last_validation_leaves_nothing_to_train(run_job: RunJob, tmp_path: Path) -> None:
    job = ("backbone=mlp", "max_epochs=1", "logger=csv")
    whole = run_job(*job, name="whole")
    stop = stopped_run(run_job, *job, hook="validation_step", step=6)
    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    assert stop.saved == last
    assert not (tmp_path / "stopped" / "predictions" / "test.parquet").exists()
    assert_same_run(whole, run_job(*job, f"ckpt_path='{last}'", name="resumed"))


def test_a_second_ctrl_c_stops_at_once(run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(self: Classifier, *args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("went on")

    monkeypatch.setattr(Classifier, "training_step", twice)
    with STOP.handled(), pytest.raises(Terminated) as stopped:
        run_job(*JOB)
    assert stopped.value.code == 130


def test_masked_categories_are_resumed_bit_for_bit_whatever_the_workers(run_job: RunJob, tmp_path: Path) -> None:
    rng = random.Random(0)
    rows = [f"{rng.gauss(0, 1):.3f},{rng.choice('abcde')},{rng.choice(['no', 'no', 'yes'])}" for _ in range(300)]
    (tmp_path / "rows.csv").write_text("\n".join(["x,shop,fraud", *rows]) + "\n")
    job = ("data=table", f"data.path='{tmp_path}/rows.csv'", "data.target=fraud", "backbone.widths=[8]")
    job = (*job, "backbone.unknown_rate=0.2", "backbone.one_hot=0", "max_epochs=2", "batch_size=32", "logger=csv")
    whole = run_job(*job, name="whole")
    stopped_run(run_job, *job, "num_workers=1", hook="training_step", step=3)
    resumed = run_job(*job, f"ckpt_path='{tmp_path}/stopped/checkpoints/last.ckpt'", name="resumed")
    assert_same_run(whole, resumed)
    states = read_checkpoint_file(whole / "checkpoints" / "last.ckpt")["optimizer_states"][0]["state"].values()
    (moments,) = (each["exp_avg"] for each in states if each["exp_avg"].shape == (6, 3))
    assert moments[0].any(), "the unknown shop was trained"
