"""``recipe=auto``: rules by the data's facts, as plain words of the command line."""

from dataclasses import replace
from pathlib import Path

import pytest

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.recipe import Facts, choose, expand_recipe
from imbalance_lab.errors import UsageError

IMAGES = Facts("images", "multiclass", (5400, 54), 13_399, False, 128)


def words(facts: Facts) -> list[str]:
    return [word for choice in choose(facts) for word in choice.words]


def test_long_tailed_images_are_trained_longer_and_corrected_for_the_priors() -> None:
    assert words(IMAGES) == [
        "loss=cross_entropy",
        "sampler=shuffled",
        "max_epochs=30",
        "prior_correction=logit_adjustment",
    ]


@pytest.mark.parametrize(("n_train", "epochs"), [(256, 200), (128 * 50, 60), (1_000_000, 30)])
def test_small_data_are_trained_for_as_many_steps(n_train: int, epochs: int) -> None:
    assert f"max_epochs={epochs}" in words(replace(IMAGES, n_train=n_train))


def test_balanced_classes_need_no_correction() -> None:
    assert "prior_correction=none" in words(replace(IMAGES, counts=(500, 400)))


def test_two_classes_are_drawn_more_and_more_alike_and_get_a_threshold() -> None:
    rare = replace(IMAGES, task="binary", counts=(5400, 540))
    chosen = ["loss=cross_entropy", "sampler=progressive", "max_epochs=30"]
    assert words(rare) == [*chosen, "prior_correction=none", "operating_point=max_f1"]
    assert "sampler=shuffled" in words(replace(rare, counts=(500, 400)))
    assert "sampler=shuffled" in words(replace(rare, kind="table"))


def test_a_class_of_few_examples_is_not_repeated_often() -> None:
    rare = replace(IMAGES, task="binary")
    assert "sampler=progressive" in words(replace(rare, counts=(27_000, 100)))
    assert "sampler=shuffled" in words(replace(rare, counts=(27_000, 99)))


def test_frozen_features_get_a_head_that_is_fitted_at_once() -> None:
    facts = replace(IMAGES, is_frozen=True, n_train=1500)
    assert words(facts) == ["head=kernel_ridge", "prior_correction=logit_adjustment"]
    assert "head=kernel_ridge" not in words(replace(facts, n_train=1_000_000)), "its matrix would have 10^12 numbers"
    assert "head=kernel_ridge" not in words(replace(facts, task="multilabel")), "which it cannot take"


def test_tables_keep_their_own_net_and_epochs() -> None:
    assert words(replace(IMAGES, kind="table", batch_size=None)) == [
        "loss=cross_entropy",
        "sampler=shuffled",
        "prior_correction=logit_adjustment",
    ]


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


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["recipe=best"], "recipe=best is not known: choose recipe=auto, or leave it out"),
        (["recipe=auto", "ckpt_path=a.ckpt"], "recipe=auto with ckpt_path: the run goes on with its own settings"),
        (["recipe=auto", "data=digits_lt,digits_binary"], "recipe=auto looks at one data set: give data=digits_lt,"),
    ],
)
def test_mistakes_are_one_sentence(given: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="^" + sentence):
        expand_recipe(given)
