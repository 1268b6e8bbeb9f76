"""Resuming: exactly, with every difference refused; or with new settings, really applied, and no leak."""

import csv
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.checkpoint import inherit_overrides
from imbalance_lab.app.resume import changed_settings
from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.errors import UsageError
from tests.conftest import RunJob, composed
from tests.helpers.runs import assert_same_run

RUN = ("max_epochs=3", "loss.alpha=effective")
"""The overrides of the fixture `finished_run`."""

DIFFERENCES = {
    "optimizer.lr=0.5": "optimizer.lr was 0.003 and is now 0.5",
    "optimizer.weight_decay=0.3": "optimizer.weight_decay was 0.01 and is now 0.3",
    "optimizer=sgd": "optimizer._target_ was torch.optim.AdamW and is now torch.optim.SGD",
    "head_lr=0.1": "head_lr was null and is now 0.1",
    "seed=1": "seed was 0 and is now 1",
    "data.subset_seed=1": "data.subset_seed was 0 and is now 1",
    "data.val_fraction=0.3": "data.val_fraction was 0.2 and is now 0.3",
    "data.factor=10": "data.factor was 20 and is now 10",
    "sampler=class_balanced": "sampler._target_ was imbalance_lab.samplers.RandomSampler",
    "augment=none": "augment._target_ was imbalance_lab.data",
    "scheduler=none": "scheduler._target_ was imbalance_lab.training.schedules.Cosine",
    "scheduler.warmup=0.2": "scheduler.warmup was 0.05 and is now 0.2",
    "trainer.precision=bf16-mixed": "trainer.precision was 32-true and is now bf16-mixed",
    "trainer.accumulate_grad_batches=2": "trainer.accumulate_grad_batches was 1 and is now 2",
    "trainer.gradient_clip_val=2": "trainer.gradient_clip_val was null and is now 2",
    "batch_size=32": "batch_size was 64 and is now 32",
    "max_epochs=5": "max_epochs was 3 and is now 5",
    "max_epochs=2": "max_epochs was 3 and is now 2",
    "monitor=val/loss": "monitor was val/auroc/macro and is now val/loss",
    "early_stopping=true": "early_stopping was false and is now true",
}


def last_of(run: Path) -> str:
    return f"ckpt_path='{run}/checkpoints/last.ckpt'"


@pytest.mark.parametrize(("override", "sentence"), DIFFERENCES.items(), ids=DIFFERENCES)
def test_exact_refuses_what_would_change_the_run(
    override: str, sentence: str, finished_run: Path, run_job: RunJob, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as raised:
        run_job(*RUN, override, last_of(finished_run))
    assert sentence in str(raised.value)
    assert "resume=continue" in str(raised.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    "override",
    [
        *("num_workers=0", "eval_batch_size=100", "calibration=none", "operating_point=min_recall"),
        pytest.param("report.images=true", marks=pytest.mark.exhaustive),
    ],
)
def test_exact_takes_what_does_not(override: str, finished_run: Path, run_job: RunJob) -> None:
    resumed = run_job(*RUN, override, last_of(finished_run))
    assert (resumed / "report.html").is_file()


@pytest.mark.parametrize("override", ["data.subset_seed=1", "data.val_fraction=0.3", "data.factor=10"])
def test_continue_refuses_what_leaks(override: str, finished_run: Path, run_job: RunJob) -> None:
    with pytest.raises(UsageError, match="examples that were trained on could be validated on"):
        run_job(*RUN, "max_epochs=4", override, last_of(finished_run), "resume=continue")


def test_other_data_under_the_same_name_are_refused(wine_labels: Path, run_job: RunJob, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    shutil.copy(wine_labels, table)
    job = ("data=table", f"data.path='{table}'", "data.target=[strong,dark]", "loss=sigmoid_focal", "max_epochs=1")
    first = run_job(*job, name="first")
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *rows[::-1]]) + "\n")
    with pytest.raises(UsageError, match="the data are not those that ckpt_path="):
        run_job(*job, last_of(first), name="second")


def test_plain_training_of_an_earlier_release_is_no_difference() -> None:
    config = composed()
    earlier: Any = OmegaConf.to_container(config, resolve=True)
    named = earlier | {"strategy": {"_target_": "imbalance_lab.training.strategies.Strategy"}}
    assert changed_settings(config, named) == {}
    assert set(changed_settings(config, earlier | {"strategy": {"mine": {"start": 0.5}}})) >= {"strategy.mine.start"}


def test_a_finished_run_has_nothing_left_to_train(finished_run: Path, run_job: RunJob, tmp_path: Path) -> None:
    shutil.move(shutil.copytree(finished_run, tmp_path / "copy"), tmp_path / "moved")
    resumed = run_job(*RUN, last_of(tmp_path / "moved"), name="resumed")
    assert_same_run(finished_run, resumed)
    assert (resumed / "report.html").is_file()


def test_fewer_epochs_than_are_done_is_one_sentence(finished_run: Path, run_job: RunJob) -> None:
    with pytest.raises(UsageError, match=r"max_epochs=2, but ckpt_path=.* has 3 epochs: choose max_epochs > 3"):
        run_job("loss.alpha=effective", "max_epochs=2", last_of(finished_run), "resume=continue")


CONTINUED = {
    "optimizer.lr=0.02": ("lr", 0.02),
    "optimizer.weight_decay=0.3": ("weight_decay", 0.3),
    "optimizer.betas=[0.5,0.9]": ("betas", [0.5, 0.9]),
}


@pytest.mark.parametrize(("override", "setting"), CONTINUED.items(), ids=CONTINUED)
def test_continue_applies_new_hyperparameters(
    override: str, setting: tuple[str, object], finished_run: Path, run_job: RunJob
) -> None:
    key, value = setting
    added = f"+{override}" if "betas" in override else override
    resumed = run_job(*RUN[1:], "max_epochs=5", "scheduler=none", added, last_of(finished_run), "resume=continue")
    content = read_checkpoint_file(resumed / "checkpoints" / "last.ckpt")
    groups = content["optimizer_states"][0]["param_groups"]
    assert [list(group[key]) if key == "betas" else group[key] for group in groups] == [value] * len(groups)
    assert content["epoch"] == 4
    steps = {state["step"].item() for state in content["optimizer_states"][0]["state"].values()}
    assert steps == {content["global_step"]}, "the moments are those of the earlier run, carried on"


@pytest.mark.parametrize("size", [64, 32, 128])
def test_continue_takes_the_new_schedule_at_the_place_that_is_reached(
    size: int, finished_run: Path, run_job: RunJob
) -> None:
    job = (*RUN[1:], "max_epochs=6", "optimizer.lr=0.01", "scheduler.warmup=0", f"batch_size={size}")
    resumed = run_job(*job, last_of(finished_run), "resume=continue")
    with (resumed / "metrics.csv").open() as file:
        rates = {float(row["epoch"]): float(row["lr"]) for row in csv.DictReader(file) if row.get("lr")}
    assert sorted(rates) == [0, 1, 2, 3, 4, 5]
    steps = {32: 12, 64: 6, 128: 3}[size]
    for epoch in (3, 4, 5):  # logged before the last step of the epoch has moved the schedule on
        done = (epoch * steps + steps) / (6 * steps)
        assert rates[epoch] == pytest.approx(0.01 * 0.5 * (1 + math.cos(math.pi * done)), abs=1e-12)
    content = read_checkpoint_file(resumed / "checkpoints" / "last.ckpt")
    assert content["global_step"] == 18 + 3 * steps


def test_continue_with_another_optimizer_starts_its_state_afresh(finished_run: Path, run_job: RunJob) -> None:
    resumed = run_job(*RUN[1:], "max_epochs=4", "optimizer=sgd", last_of(finished_run), "resume=continue")
    state = read_checkpoint_file(resumed / "checkpoints" / "last.ckpt")["optimizer_states"][0]
    assert all(set(each) == {"momentum_buffer"} for each in state["state"].values())


def test_the_run_directory_records_both_configurations(finished_run: Path, run_job: RunJob) -> None:
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.app.resume import write_resume
    from imbalance_lab.evaluation.run_directory import RunDirectory

    overrides = [*RUN[1:], "max_epochs=4", "optimizer.lr=0.5", last_of(finished_run), "resume=continue"]
    config = composed(*overrides)
    experiment = instantiate_experiment(config, overrides)
    assert experiment.checkpoint is not None
    directory = RunDirectory(finished_run.parent / "second")
    write_resume(directory, config, experiment.checkpoint, experiment.changes)
    (entry,) = directory.read_resumed_from()
    assert entry["changes"] == {
        "max_epochs": {"earlier": 3, "now": 4},
        "optimizer.lr": {"earlier": 0.003, "now": 0.5},
    }
    assert (entry["epochs"], entry["step"], entry["config"]["max_epochs"]) == (3, 18, 3)


def test_the_report_shows_all_epochs_and_the_kept_one(finished_run: Path, run_job: RunJob) -> None:
    from imbalance_lab.evaluation.report_data import RunRecord
    from imbalance_lab.evaluation.run_directory import RunDirectory

    resumed = RunDirectory(
        run_job(*RUN[1:], "max_epochs=4", "optimizer.lr=1e-9", last_of(finished_run), "resume=continue")
    )
    history = RunRecord.read(resumed, resumed.read_metadata(), ()).epochs
    assert history is not None
    assert history.epoch == (1, 2, 3, 4)
    kept = read_checkpoint_file(resumed.best_checkpoint)["epoch"] + 1
    assert history.epoch[history.best] == kept == resumed.read_metadata()["epoch"]


def test_only_what_is_given_replaces_the_settings_of_the_run(finished_run: Path) -> None:
    path = f"ckpt_path={finished_run}/checkpoints/last.ckpt"
    assert inherit_overrides([path]) == [path, "max_epochs=3", "loss.alpha=effective"]
    assert inherit_overrides([path, "loss=ldam"]) == [path, "loss=ldam", "max_epochs=3"]
    assert inherit_overrides([path, "max_epochs=9"]) == [path, "max_epochs=9", "loss.alpha=effective"]
    assert inherit_overrides([path, "fit=false"]) == [path, "fit=false", "max_epochs=3", "loss.alpha=effective"]
    assert inherit_overrides(["ckpt_path=null"]) == ["ckpt_path=null"]


def test_a_damaged_checkpoint_is_named_and_the_newest_whole_one_used(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    last, best = run / "checkpoints" / "last.ckpt", run / "checkpoints" / "best.ckpt"
    damaged = bytearray(last.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    last.write_bytes(damaged)
    assert inherit_overrides([f"ckpt_path={last}"])[0] == f"ckpt_path={best}"
    assert f"{last} is damaged: resuming from the newest whole checkpoint, {best}" in capsys.readouterr().err
    assert inherit_overrides([f"ckpt_path={last}", "fit=false"])[0] == f"ckpt_path={last}", "a test takes no other"
    os.truncate(best, 100)
    assert inherit_overrides([f"ckpt_path={last}"])[0] == f"ckpt_path={last}"
    with pytest.raises(UsageError, match=r"last\.ckpt is damaged"):
        composed_experiment(last_of(run))


def composed_experiment(*overrides: str) -> None:
    from imbalance_lab.app.instantiate import instantiate_experiment

    instantiate_experiment(composed(*RUN, *overrides), [*RUN, *overrides])


@pytest.mark.parametrize("change", ["unknown", "missing", "swapped", "text", "no weights", "no loops", "no callbacks"])
def test_other_content_than_a_checkpoint_has_is_one_sentence(change: str, finished_run: Path, tmp_path: Path) -> None:
    content = read_checkpoint_file(finished_run / "checkpoints" / "last.ckpt")
    weights = content["state_dict"]
    first, second = "head.weight", "head.bias"
    if change == "unknown":
        weights["head.more"] = weights[first]
    elif change == "missing":
        del weights[first]
    elif change == "swapped":
        weights[first], weights[second] = weights[second], weights[first]
    elif change == "text":
        weights[first] = "text"
    else:
        del content[{"no weights": "state_dict", "no loops": "loops", "no callbacks": "callbacks"}[change]]
    (tmp_path / "checkpoints").mkdir()
    write_checkpoint(tmp_path / "checkpoints" / "last.ckpt", content)
    with pytest.raises(UsageError) as raised:
        composed_experiment(last_of(tmp_path))
    assert "last.ckpt" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nothing_is_trained_where_the_disk_has_no_room(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imbalance_lab.app import disk
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.evaluation.run_directory import RunDirectory

    experiment = instantiate_experiment(composed(*RUN), RUN)
    size = (finished_run / "checkpoints" / "last.ckpt").stat().st_size
    assert disk._checkpoint_size(experiment) == pytest.approx(size, rel=0.2)
    disk.check_disk(RunDirectory(finished_run), experiment)
    monkeypatch.setattr(disk, "free_space", lambda path: 2 * size)
    with pytest.raises(UsageError, match=r"need about \d+\.\d MB, and \d+\.\d MB are free: free some space"):
        disk.check_disk(RunDirectory(finished_run), experiment)
    assert json.loads((finished_run / "run.json").read_text())["epoch"] >= 1
