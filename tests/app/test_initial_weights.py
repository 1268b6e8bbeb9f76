"""backbone.weights and backbone.freeze of a job: applied once, recorded in the run, not needed again after it."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import composed
from tests.helpers.runs import trained

SMALL = ("max_epochs=1", "backbone.widths=[4,8]", "trainer.limit_train_batches=2")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best checkpoint of a run."""
    return RunDirectory(trained(tmp_path_factory.mktemp("source") / "run", *SMALL)).best_checkpoint


def test_a_run_starts_from_the_file_keeps_its_digest_and_does_not_need_it_again(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights.ckpt"
    file.write_bytes(source.read_bytes())
    given = [*SMALL, f"backbone.weights={file}", "backbone.freeze=true", "seed=5"]
    run = RunDirectory(trained(tmp_path / "run", *given))
    start, end = (read_checkpoint_file(path)["state_dict"] for path in (source, run.best_checkpoint))
    backbone = [name for name in start if name.startswith("backbone.")]
    assert all(torch.equal(start[name], end[name]) for name in backbone), "frozen, with its batch statistics"
    assert not torch.equal(start["head.weight"], end["head.weight"])
    record = json.loads(run.metadata.read_text())["initial_weights"]
    assert record["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (record["file"], record["prefix"]) == (str(file), "backbone.")
    file.unlink()
    assert load_model(run.path).backbone.num_features == 8
    resumed = instantiate_experiment(
        composed(*given, "max_epochs=2", "resume=continue", f"ckpt_path={run.last_checkpoint}")
    )
    assert resumed.initial_weights == record
    assert not any(parameter.requires_grad for parameter in resumed.backbone.parameters())


def test_the_note_says_what_was_taken(source: Path) -> None:
    experiment = instantiate_experiment(composed(*SMALL, f"backbone.weights={source}"))
    assert any("tensors of the backbone are from best.ckpt" in guess for guess in experiment.splits.guesses)
    assert all(parameter.requires_grad for parameter in experiment.backbone.parameters())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("backbone.weights=none.pth", r"^backbone: there is no file none\.pth"),
        ("backbone.weights=3", r"^backbone: weights must be text"),
        ("backbone.freeze=5", r"^backbone: freeze must be true or false"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        instantiate_experiment(composed(*SMALL, given))


def test_two_starts_are_refused(source: Path) -> None:
    given = ["backbone=timm", "backbone.pretrained=true", f"backbone.weights={source}"]
    with pytest.raises(UsageError, match=r"are two starts: leave one of them out$"):
        instantiate_experiment(composed(*given))
