"""A job with a frozen backbone: its features are computed once, and nothing else of the run is another."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.session import build_session
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.data.feature_source import Features
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from imbalance_lab.posthoc import probabilities
from imbalance_lab.training.strategies import Strategy
from tests.conftest import composed
from tests.helpers.runs import trained

FROZEN = ("backbone.widths=[8,16]", "backbone.freeze=true", "augment=none", "trainer.limit_train_batches=3")
FITTED = ("backbone.freeze=true", "augment=none", "logger=none")


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of two epochs, and the directory of its features."""
    folder = tmp_path_factory.mktemp("cached")
    return trained(
        folder / "run", *FROZEN, "max_epochs=2", f"features.cache={folder / 'features'}"
    ), folder / "features"


def test_the_run_is_the_one_that_computes_them_in_every_epoch(cached: tuple[Path, Path], tmp_path: Path) -> None:
    run = RunDirectory(cached[0])
    plain = RunDirectory(trained(tmp_path / "plain", *FROZEN, "max_epochs=2", "features.cache=false"))
    for split in ("val", "test"):
        a, b = (each.read_predictions(split) for each in (run, plain))
        np.testing.assert_allclose(a.logits, b.logits, rtol=1e-3, atol=1e-4)
        assert np.array_equal(a.index, b.index)
    one, two = (read_checkpoint_file(each.best_checkpoint)["state_dict"] for each in (run, plain))
    assert one.keys() == two.keys(), "a checkpoint is a whole model"
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith(("backbone.", "prepare.")))


def test_the_model_of_the_run_takes_images(cached: tuple[Path, Path]) -> None:
    model, stored = load_model(cached[0]), RunDirectory(cached[0]).read_predictions("test")
    splits = instantiate_experiment(composed(*FROZEN)).splits
    place = {int(number): at for at, number in enumerate(splits.test.index)}
    at = torch.tensor([place[int(number)] for number in stored.index])
    np.testing.assert_allclose(model.logits(splits.test.inputs[at]), stored.logits, rtol=1e-3, atol=1e-4)


def test_a_resumed_run_is_the_same_bit_for_bit(cached: tuple[Path, Path], tmp_path: Path) -> None:
    """Lightning gives a resumed net its weights only after the features: they must be those of the checkpoint's net."""
    given = [*FROZEN, "scheduler=none", "seed=3", f"features.cache={cached[1]}"]
    whole = trained(tmp_path / "whole", *given, "max_epochs=3")
    half = trained(tmp_path / "half", *given, "max_epochs=2")
    files = len(list(cached[1].iterdir()))
    last = RunDirectory(half).last_checkpoint
    config = composed(*given, "max_epochs=3", "resume=continue", f"ckpt_path={last}")
    directory = RunDirectory(tmp_path / "resumed")
    directory.config.parent.mkdir(parents=True)
    experiment = instantiate_experiment(config)
    experiment.backbone.load_state_dict({name: value + 1 for name, value in experiment.backbone.state_dict().items()})
    train(config, experiment, directory)
    assert len(list(cached[1].iterdir())) == files
    a, b = (read_checkpoint_file(RunDirectory(each).last_checkpoint) for each in (whole, directory.path))
    assert all(torch.equal(value, b["state_dict"][name]) for name, value in a["state_dict"].items())


def session_of(tmp_path: Path, *overrides: str) -> object:
    given = {word.partition("=")[0]: word for word in (*FROZEN, "max_epochs=1", "logger=none", *overrides)}
    config = composed(*given.values())
    return build_session(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path))


@pytest.mark.parametrize(
    ("overrides", "is_once", "said"),
    [
        (("features.cache=null",), True, ""),
        (("features.cache=false",), False, ""),
        (("backbone.freeze=false",), False, ""),
        (("augment=shift",), False, "augment=none computes their features once"),
        (("strategy=mixup", "loss=cross_entropy"), False, "Mixup mixes the inputs"),
        (("ensemble=3",), True, ""),
    ],
)
def test_when_they_are_computed_once(
    overrides: tuple[str, ...], is_once: bool, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = session_of(tmp_path, *overrides)
    assert isinstance(session.data.splits.train, Features) == is_once  # type: ignore[attr-defined]
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed
    assert ("goes over the images" in printed) == bool(said)


def test_members_share_the_features(tmp_path: Path) -> None:
    session = session_of(tmp_path, "ensemble=3")
    classifier, data = session.classifier, session.data  # type: ignore[attr-defined]
    batch = next(iter(data.val_dataloader()))
    plain = instantiate_experiment(composed(*FROZEN)).splits.val
    raw = plain.inputs[(plain.index[:, None] == batch.index).int().argmax(0)]
    classifier.eval()
    torch.testing.assert_close(classifier.features(batch), classifier.backbone(classifier.prepare(raw)))


def test_dropout_and_batch_normalization_of_a_frozen_backbone_evaluate(tmp_path: Path) -> None:
    classifier = session_of(tmp_path).classifier.train()  # type: ignore[attr-defined]
    assert classifier.head.training
    assert not any(module.training for module in classifier.backbone.modules())


class Unfreeze(Strategy):
    """Trains the backbone from the second epoch on."""

    def on_train_epoch_start(self, trainer: object, pl_module: object) -> None:
        pl_module.backbone.requires_grad_(trainer.current_epoch > 0)  # type: ignore[attr-defined]


def test_a_strategy_that_trains_the_backbone_is_told_from_the_features(tmp_path: Path) -> None:
    config = composed(*FROZEN, "max_epochs=2", "logger=none")
    session = build_session(config, instantiate_experiment(config), RunDirectory(tmp_path))
    session.trainer.callbacks.insert(0, Unfreeze())  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"whose features were computed once: set features\.cache=false$"):
        session.trainer.fit(session.classifier, session.data)


@pytest.mark.parametrize("head", ["lda", "logistic", "knn", "kernel_ridge"])
def test_a_head_that_is_fitted_is_a_whole_run(head: str, tmp_path: Path) -> None:
    run = RunDirectory(trained(tmp_path / "run", *FITTED, f"head={head}"))
    stored, model = run.read_predictions("test"), load_model(run.path)
    splits = digits_splits()
    place = {int(number): at for at, number in enumerate(splits.test.index)}
    inputs = splits.test.inputs[torch.tensor([place[int(number)] for number in stored.index])]
    np.testing.assert_allclose(model.logits(inputs), stored.logits, rtol=1e-3, atol=1e-3)
    p = probabilities(torch.from_numpy(stored.logits), "softmax").numpy()
    assert (p.argmax(1) == stored.target).mean() > 0.35, "of 10 classes, from random features"
    counts = splits.class_counts.double()
    assert run.read_metadata()["train_prior"] == pytest.approx((counts / counts.sum()).tolist())
    again = instantiate_experiment(composed(*FITTED, f"head={head}", f"ckpt_path={run.last_checkpoint}"))
    assert not again.changes


def digits_splits() -> object:
    return instantiate_experiment(composed()).splits


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ("head=lda", "loss=cross_entropy"),
            r"^loss=cross_entropy has no effect on head=LDAHead, which is fitted at once",
        ),
        (("head=lda", "max_epochs=3"), r"^max_epochs=3 has no effect"),
        (("head=knn", "ensemble=2"), r"would be equal nets: leave ensemble out$"),
        (("head=lda", "backbone.freeze=false"), r"choose backbone\.freeze=true augment=none$"),
        (("head=lda", "augment=shift"), r"choose backbone\.freeze=true augment=none$"),
    ],
)
def test_what_a_fitted_head_cannot_take_is_refused(overrides: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    config = composed(*{word.partition("=")[0]: word for word in (*FITTED, *overrides)}.values())
    with pytest.raises(UsageError, match=sentence):
        build_session(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path))


@pytest.mark.parametrize("given", ["features.cache=3", "features.max_gb=0", "features=no"])
def test_keys_out_of_range_are_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"^features"):
        instantiate_experiment(composed(given))
