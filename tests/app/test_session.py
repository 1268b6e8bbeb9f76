"""The Trainer of a job: callbacks that users add, early stopping, and what it monitors."""

import csv
from pathlib import Path

import pytest

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from tests.conftest import RunJob, composed

# No score changes, so that patience runs out.
STILL = ("backbone=mlp", "logger=csv", "optimizer.lr=1e-30", "max_epochs=6")
EARLY_STOPPING = "_target_: lightning.pytorch.callbacks.EarlyStopping, monitor: val/auroc/macro, mode: max, patience: 2"


def epochs_of(run: Path) -> int:
    with (run / "metrics.csv").open() as file:
        return sum(bool(row["train/loss"]) for row in csv.DictReader(file))


@pytest.mark.parametrize(
    ("overrides", "epochs"),
    [
        ((), 6),
        (("early_stopping=1",), 2),
        (("early_stopping=3", "monitor=val/recall/class/9"), 4),
        (("callbacks=early_stopping", "callbacks.early_stopping.patience=1"), 2),
        (
            ("callbacks=early_stopping", "monitor=val/loss", "monitor_mode=min", "callbacks.early_stopping.patience=1"),
            2,
        ),
        ((f"+trainer.callbacks=[{{{EARLY_STOPPING}}}]",), 3),
        ((f"+trainer.callbacks=[{{{EARLY_STOPPING.replace('auroc/macro', 'recall/class/9')}}}]",), 3),
        ((f"+trainer.callbacks=[{{{EARLY_STOPPING}}}]", "early_stopping=1", "monitor=val/auroc/class/9"), 2),
    ],
)
def test_training_stops_early(overrides: tuple[str, ...], epochs: int, run_job: RunJob) -> None:
    assert epochs_of(run_job(*STILL, *overrides)) == epochs


def test_two_callbacks_of_one_state_are_refused(run_job: RunJob) -> None:
    with pytest.raises(UsageError, match="two EarlyStopping callbacks have the same settings"):
        run_job(*STILL, "callbacks=early_stopping", "early_stopping=1")


def test_an_unknown_monitor_of_a_listed_callback_is_refused(run_job: RunJob) -> None:
    listed = EARLY_STOPPING.replace("val/auroc/macro", "val/aurok/macro")
    with pytest.raises(UsageError, match=r"callbacks\[0\]\.monitor=val/aurok/macro is not logged; did you mean"):
        run_job(*STILL, f"+trainer.callbacks=[{{{listed}}}]")


@pytest.mark.parametrize(
    ("overrides", "warning"),
    [
        (("loss=ldam",), ""),
        (("loss=ldam", "head.scale=20"), ""),
        (("loss=ldam", "head=linear"), "the head is Linear: choose head=cosine"),
        (("loss=ldam", "loss.scale=10"), "head.scale=30 and loss.scale=10: leave out loss.scale"),
        (("loss=focal", "head=cosine"), ""),
    ],
)
def test_ldam_with_another_head_is_reported(
    overrides: tuple[str, ...], warning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    instantiate_experiment(composed(*overrides))
    printed = capsys.readouterr().err
    assert warning in printed
    assert bool(printed) == bool(warning)
