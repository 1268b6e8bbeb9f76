"""``recipe=auto`` as plain words of the command line, beside those that are given."""

from pathlib import Path

import pytest

from imbalance_lab.app import recipe
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.recipe_words import expand_recipe
from imbalance_lab.app.train import train
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory


def test_the_recipe_becomes_words_that_compose(capsys: pytest.CaptureFixture[str]) -> None:
    expanded = expand_recipe(["data=digits_lt", "recipe=auto"])
    assert expanded[-1] == "data=digits_lt", "what is given comes last"
    config = compose_config(expanded)
    assert (config.loss._target_.rpartition(".")[2], config.max_epochs) == ("CrossEntropyLoss", 200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "recipe=auto for images, 10 classes of 105 to 5 training examples (21 : 1)"
    assert len(lines) == 5


def test_what_is_given_stays(capsys: pytest.CaptureFixture[str]) -> None:
    expanded = expand_recipe(["data=digits_lt", "recipe=auto", "loss.gamma=1", "max_epochs=2", "seed=0,1"])
    assert not any(word.startswith(("loss=", "max_epochs=200")) for word in expanded)
    assert "seed=0,1" in expanded
    assert "loss=cross_entropy (not taken: yours is)" in capsys.readouterr().err


def test_without_a_recipe_nothing_changes() -> None:
    assert expand_recipe(["recipe=null", "seed=1"]) == ["seed=1"]


def test_what_an_experiment_sets_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = "experiment=fashion_mnist_lt_logit_adjusted"
    expanded = expand_recipe([experiment, "recipe=auto", "data=digits_lt"])
    assert expanded == ["sampler=shuffled", "prior_correction=logit_adjustment", experiment, "data=digits_lt"]
    said = capsys.readouterr().err
    assert "loss=cross_entropy (not taken: yours is)" in said
    assert "max_epochs=200 (not taken: yours is)" in said


def test_a_sweep_over_what_does_not_change_the_choices() -> None:
    swept = ["data=digits_lt", "data.subset_seed=0,1", "optimizer.lr=interval(0.001,0.1)"]
    assert expand_recipe(["recipe=auto", *swept])[-3:] == swept


def test_epochs_are_counted_in_steps_of_an_automatic_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "MOST_EPOCHS", 10_000)
    small, large = (expand_recipe(["recipe=auto", "data=digits_lt", f"batch_size={size}"]) for size in (32, 64))
    assert expand_recipe(["recipe=auto", "data=digits_lt", "batch_size=auto"])[:-1] == small[:-1] != large[:-1]


QUICK = ("data=digits_lt", "trainer=cpu", "logger=none")


@pytest.mark.parametrize(
    ("words", "head"),
    [
        (("backbone.freeze=true",), "KernelRidgeHead"),
        (("finetune=head",), "KernelRidgeHead"),
        (("finetune=head", "augment=shift_flip"), "Linear"),
        pytest.param(("finetune=head", "loss=focal", "head=cosine"), "CosineHead", marks=pytest.mark.exhaustive),
        (("finetune=head", "data.val_fraction=0"), "Linear"),
    ],
)
def test_a_run_on_a_frozen_backbone_is_trained_and_tested(words: tuple[str, ...], head: str, tmp_path: Path) -> None:
    epochs = [] if head == "KernelRidgeHead" else ["max_epochs=1"]
    overrides = expand_recipe([*QUICK, "recipe=auto", *words, *epochs])
    config = compose_config(overrides)
    train(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path))
    assert RunDirectory(tmp_path).predictions("test").exists()
    assert config.head._target_.endswith(f".{head}")


def test_nothing_is_chosen_that_needs_a_validation_split() -> None:
    words = ["recipe=auto", "data=digits_binary", "data.val_fraction=0"]
    assert not any(word.startswith("operating_point") for word in expand_recipe(words))
    assert "head=kernel_ridge" not in expand_recipe([*words, "backbone.freeze=true"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["recipe=best"], "recipe=best is not known: choose recipe=auto, or leave it out"),
        (["recipe=auto", "ckpt_path=a.ckpt"], "recipe=auto with ckpt_path: the run goes on with its own settings"),
        (
            ["recipe=auto", "data=digits_lt,digits_binary"],
            "recipe=auto chooses differently for data=digits_lt and data=digits_binary: start a job for each",
        ),
        (
            ["recipe=auto", "head=linear,kernel_ridge", "backbone.freeze=true", "seed=0,1"],
            "recipe=auto chooses differently for head=linear and head=kernel_ridge: start a job for each",
        ),
        (
            ["recipe=auto", "data.factor=interval(1,100)"],
            r"recipe=auto has to know every value of data.factor=interval\(1,100\): list them, or give one",
        ),
    ],
)
def test_mistakes_are_one_sentence(given: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="^" + sentence):
        expand_recipe(given)
