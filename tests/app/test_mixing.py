"""Mixing and augmentation as the command line chooses them: what does not fit is refused before training."""

from pathlib import Path

import pytest

from imbalance_lab.app.callbacks import build_strategies
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.training.strategies import Strategy
from tests.conftest import composed


def built(*overrides: str) -> list[Strategy]:
    config = composed("backbone=mlp", *overrides)
    return build_strategies(config, instantiate_experiment(config))


@pytest.fixture
def table(tmp_path: Path) -> tuple[str, ...]:
    """A table with a column of categories."""
    rows = [f"{n % 7 / 3:.2f},{'abc'[n % 3]},{'yes' if n % 5 else 'no'}" for n in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,kind,y", *rows, ""]))
    return "data=table", f"data.path={tmp_path / 't.csv'}", "data.target=y", "baselines=false"


def test_remix_is_given_the_training_counts_and_its_keys() -> None:
    (remix,) = built("strategy=remix", "strategy.remix.kappa=2", "loss=logit_adjusted")
    assert (remix.kappa, remix.tau, remix.alpha) == (2, 0.5, 1)  # type: ignore[attr-defined]
    assert remix.class_counts[0] > remix.class_counts[9]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["strategy=[mixup,cutmix]"],
            "strategy.mixup and strategy.cutmix both mix the examples of a batch",
        ),
        (
            ["strategy=cutmix", "loss=ldam"],
            "strategy.cutmix: CutMix makes targets between classes, which LDAMLoss",
        ),
        (["augment=cutout"], "augment: size (for images of 8 × 8 pixels) must be an integer ≤ 7, got 16"),
        (
            ["augment=cifar_autoaugment", "augment@augment.policy=randaugment", "augment.policy.magnitude=40"],
            "augment: magnitude must be a finite number in [0, 30], got 40",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        built(*overrides)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_categories_are_not_mixed(table: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"strategy\.mixup: Mixup mixes numbers, and the table has columns of cat"):
        built(*table, "strategy=mixup")
    with pytest.raises(UsageError, match=r"strategy\.cutmix: CutMix needs images .* got inputs of shape"):
        built(*table, "strategy=cutmix", "data.drop=[kind]")
    assert len(built(*table, "strategy=mixup", "data.drop=[kind]")) == 1
