"""Strategies chosen by their names, several at once, from the command line to the files of a run."""

from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.app.callbacks import build_strategies
from imbalance_lab.app.help import help_text
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.model import load_model
from imbalance_lab.training.strategies import Strategy, fold_priors
from tests.conftest import composed
from tests.helpers.runs import trained


def built(*overrides: str) -> list[Strategy]:
    config = composed("backbone=mlp", *overrides)
    return build_strategies(config, instantiate_experiment(config))


def test_several_are_built_in_their_order_with_their_keys() -> None:
    keys = ("strategy.drw.start=0.5", "strategy.ema.decay=0.9")
    drw, ema = built("strategy=[drw,ema]", "loss=cross_entropy", "max_epochs=10", *keys)
    assert (type(drw).__name__, drw.first_epoch, type(ema).__name__) == ("DeferredReweighting", 5, "EMA")
    assert built("strategy=none") == built("+strategy._target_=imbalance_lab.training.strategies.Strategy") == []


def test_the_priors_are_of_the_phase_of_the_chosen_model() -> None:
    drw, drs = built("strategy=[drw,drs]", "loss=cross_entropy", "max_epochs=10", "strategy.drs.start=0.9")
    prior = (0.9, *[0.1 / 9] * 9)
    assert fold_priors(prior, [drw, drs], 8) == prior
    assert fold_priors(prior, [drw, drs], 9) == drw.implied_prior(prior)
    assert fold_priors(prior, [drw, drs]) == drs.implied_prior(drw.implied_prior(prior))
    assert fold_priors(prior, [drs, drw]) == pytest.approx(fold_priors(prior, [drw, drs]))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["strategy=[ema,swa]"], "strategy: EMA and SWA both say which weights are evaluated: choose one of them"),
        (
            ["strategy=[max_norm,crt]"],
            "strategy: max_norm limits the head of the training, but strategy.crt trains the",
        ),
        (["strategy=[crt,lws]"], "strategy.crt and strategy.lws each have a second stage of the training: choose one"),
        (["strategy=[crt,ema]"], "strategy: EMA averages the weights of the training, but strategy.crt trains another"),
        (
            ["strategy=crt", "loss=sigmoid_focal"],
            "strategy.crt: stage 2 trains the head by a softmax cross-entropy, but",
        ),
        (
            ["prior_correction=tau_normalization", "head=cosine"],
            "prior_correction=tau_normalization needs a linear head",
        ),
        (["strategy=drw", "loss=poly"], "strategy.drw: PolyLoss has no weights of the classes that could be deferred"),
        (["strategy=drw", "loss=class_balanced"], "strategy.drw: the loss has class weights already"),
        (["strategy=drs", "sampler=class_balanced"], "strategy.drs: the sampler balances the classes from the first"),
        (["strategy=max_norm", "head=cosine"], "strategy.max_norm: in a cosine head the norms have no effect"),
        (["strategy=ema", "strategy.ema.decay=1"], "strategy.ema: decay must be a finite number in [0, 1), got 1"),
        (["strategy=swa", "strategy.swa.start=x"], "strategy.swa: start (a fraction of the epochs) must be a number"),
    ],
)
def test_a_mistake_is_one_sentence(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        built(*overrides)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_help_explains_each_of_several() -> None:
    lines = help_text(["strategy=[drw,ema]"]).splitlines()
    assert any("start: 0.8" in line and "# fraction of the epochs" in line for line in lines)
    assert any("decay: 0.999" in line and "# of the average" in line for line in lines)


def test_a_run_stores_evaluates_and_loads_the_average(tmp_path: Path) -> None:
    keys = ("strategy.drw.start=0.5", "loss=cross_entropy", "max_epochs=2", "backbone=mlp", "logger=none")
    path = trained(tmp_path / "run", "strategy=[drw,ema]", *keys)
    run, config = RunDirectory(path), composed(*keys[1:])
    splits = instantiate_experiment(config).splits
    stored = run.read_predictions("test")
    np.testing.assert_allclose(load_model(path).logits(splits.test.inputs), stored.logits, atol=1e-5)  # type: ignore[attr-defined]
    about = run.read_metadata()
    assert about["epoch"] == 2  # the second epoch is better than the first, and is in the re-weighted phase
    prior = splits.class_counts.double() / splits.class_counts.sum()
    expected = CrossEntropyLoss("effective", class_counts=splits.class_counts).implied_prior(prior)
    assert expected is not None
    assert about["train_prior"] == pytest.approx(expected.tolist(), rel=1e-6)
