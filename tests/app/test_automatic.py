"""The values that go by the number of training examples."""

import math

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.automatic import choose_automatic

NET = {"backbone": {"_target_": "imbalance_lab.backbones.MLP"}, "allow": []}


def chosen(n: int, **given: object) -> dict[str, int]:
    config = OmegaConf.create(
        {"batch_size": "auto", "passes": "auto", "early_stopping": "auto", "ensemble": "auto"} | NET | given
    )
    choose_automatic(config, n)
    return {key: value for key, value in config.items() if key not in NET}  # type: ignore[misc]


@pytest.mark.parametrize("n", [1, 40, 275, 2_000, 60_000, 5_000_000])
def test_an_epoch_has_25_steps_at_least_and_no_pass_too_many(n: int) -> None:
    found = chosen(n)
    steps = math.ceil(n * found["passes"] / found["batch_size"])
    assert steps >= 25
    assert found["passes"] == 1 or math.ceil((n * (found["passes"] - 1)) / found["batch_size"]) <= 25
    assert 32 <= found["batch_size"] <= 1024
    assert 1 <= found["ensemble"] <= 8


def test_larger_data_have_larger_batches_and_smaller_ensembles() -> None:
    found = [chosen(n) for n in (100, 3_000, 20_000, 200_000)]
    assert [each["batch_size"] for each in found] == [32, 256, 1024, 1024]
    assert [each["ensemble"] for each in found] == [8, 8, 4, 1]
    assert [each["early_stopping"] for each in found] == [8, 6, 5, 3]


def test_numbers_that_are_given_stay() -> None:
    given = {"batch_size": 7, "passes": 2, "early_stopping": False, "ensemble": 1}
    assert chosen(1000, **given) == given


def test_a_backbone_of_several_nets_is_trained_alone() -> None:
    assert chosen(1000, backbone={"_target_": "imbalance_lab.backbones.TabM"})["ensemble"] == 1
