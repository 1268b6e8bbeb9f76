"""``recipe=auto``: the rules by the data's facts."""

from dataclasses import replace

import pytest

from imbalance_lab.app.recipe import Facts, choose

IMAGES = Facts("images", "multiclass", (5400, 54), 13_399, 128)
FROZEN = replace(IMAGES, n_train=1500, is_frozen=True)


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
    assert words(rare) == [*chosen, "prior_correction=none"]
    assert "sampler=shuffled" in words(replace(rare, counts=(500, 400)))
    assert "sampler=shuffled" in words(replace(rare, kind="table"))


def test_a_class_of_few_examples_is_not_repeated_often() -> None:
    rare = replace(IMAGES, task="binary")
    assert "sampler=progressive" in words(replace(rare, counts=(27_000, 100)))
    assert "sampler=shuffled" in words(replace(rare, counts=(27_000, 99)))


def test_frozen_features_get_a_head_that_is_fitted_at_once() -> None:
    assert words(FROZEN) == ["head=kernel_ridge", "augment=none", "prior_correction=logit_adjustment"]
    assert "head=kernel_ridge" not in words(replace(FROZEN, n_train=1_000_000)), "its matrix would have 10^12 numbers"
    assert "head=kernel_ridge" not in words(replace(FROZEN, task="multilabel")), "which it cannot take"
    assert "head=kernel_ridge" not in words(replace(FROZEN, has_validation=False)), "on which its kernel is chosen"


@pytest.mark.parametrize("given", ["loss", "sampler", "max_epochs", "strategy", "optimizer"])
def test_a_head_is_trained_if_something_is_said_of_its_training(given: str) -> None:
    assert words(replace(FROZEN, given=frozenset({given}))) == [
        "augment=none",
        "loss=cross_entropy",
        "sampler=shuffled",
        "max_epochs=200",
        "prior_correction=logit_adjustment",
    ]


def test_a_head_is_trained_on_images_that_change() -> None:
    changed = replace(FROZEN, given=frozenset({"augment"}), given_augmentation=True)
    assert "loss=cross_entropy" in words(changed)
    assert "head=kernel_ridge" not in words(changed)
    assert "head=kernel_ridge" in words(replace(changed, given_augmentation=False)), "augment=none was given"


@pytest.mark.parametrize("is_fitted", [True, False])
def test_a_head_that_is_given_decides_whether_there_is_training(is_fitted: bool) -> None:
    chosen = words(replace(FROZEN, given=frozenset({"head"}), given_head_is_fitted=is_fitted))
    assert "head=kernel_ridge" not in chosen
    assert ("loss=cross_entropy" in chosen) != is_fitted
    assert any(word.startswith("max_epochs=") for word in chosen) != is_fitted


def test_tables_keep_their_own_net_and_epochs() -> None:
    assert words(replace(IMAGES, kind="table")) == [
        "loss=cross_entropy",
        "sampler=shuffled",
        "prior_correction=logit_adjustment",
    ]


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("counts", [(500, 400), (5400, 540), (27_000, 27)])
def test_a_reason_says_what_its_words_do(task: str, counts: tuple[int, int]) -> None:
    choices = list(choose(replace(IMAGES, task=task, counts=counts)))
    corrects = "prior_correction=logit_adjustment" in words(replace(IMAGES, task=task, counts=counts))
    assert any("corrected" in choice.why for choice in choices) == corrects
    balanced = task != "multilabel" and counts == (500, 400)
    assert any("equally frequent" in choice.why for choice in choices) == balanced
