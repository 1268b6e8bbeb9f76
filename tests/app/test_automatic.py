"""The values that go by the number of training examples."""

import math

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.automatic import choose_automatic, is_rate_automatic
from imbalance_lab.errors import UsageError

NET = {
    "backbone": {"_target_": "imbalance_lab.backbones.MLP"},
    "optimizer": {"_target_": "torch.optim.AdamW", "lr": 0.01},
    "allow": [],
}


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
    assert [each["early_stopping"] for each in found] == [4, 3, 3, 2]


def test_numbers_that_are_given_stay() -> None:
    given = {"batch_size": 7, "passes": 2, "early_stopping": False, "ensemble": 1}
    assert chosen(1000, **given) == given


def test_a_backbone_of_several_nets_is_trained_alone() -> None:
    assert chosen(1000, backbone={"_target_": "imbalance_lab.backbones.TabM"})["ensemble"] == 1


@pytest.mark.parametrize(
    ("n", "rate"), [(100, 0.002), (1_500, 0.002), (3_000, 0.002 * 2**0.5), (60_000, 0.002 * 8**0.5)]
)
def test_the_rate_grows_with_the_root_of_the_batch(n: int, rate: float) -> None:
    config = OmegaConf.create(NET | {"batch_size": "auto", "passes": 1, "early_stopping": False, "ensemble": 1})
    config.optimizer.lr = "auto"
    assert is_rate_automatic(config)
    choose_automatic(config, n)
    assert config.optimizer.lr == pytest.approx(rate, rel=1e-3)
    assert not is_rate_automatic(config)


def test_a_rate_of_another_kind_of_optimizer_has_to_be_given() -> None:
    sgd = {"optimizer": {"_target_": "torch.optim.SGD", "lr": "auto"}}
    with pytest.raises(UsageError, match=r"optimizer\.lr=auto is for Adam and AdamW, not for torch\.optim\.SGD: give"):
        chosen(100, **sgd)
