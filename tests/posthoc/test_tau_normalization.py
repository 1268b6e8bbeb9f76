import pytest
import torch

from imbalance_lab.posthoc import tau_normalized

WEIGHT = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)).double()


def test_the_ends():
    assert tau_normalized(WEIGHT, 0).equal(WEIGHT)
    torch.testing.assert_close(tau_normalized(WEIGHT, 1), torch.nn.functional.normalize(WEIGHT))


@pytest.mark.parametrize("tau", [0.3, 0.7, 1.5])
def test_lengths_become_their_power_and_directions_stay(tau):
    normalised = tau_normalized(WEIGHT, tau)
    torch.testing.assert_close(normalised.norm(dim=1), WEIGHT.norm(dim=1) ** (1 - tau))
    torch.testing.assert_close(torch.cosine_similarity(normalised, WEIGHT), torch.ones(4).double())


def test_scaling_a_row_scales_it_by_the_power_that_is_left():
    scaled = WEIGHT * torch.tensor([1.0, 2, 3, 4]).double()[:, None]
    factor = torch.tensor([1.0, 2, 3, 4]).double()[:, None] ** 0.6
    torch.testing.assert_close(tau_normalized(scaled, 0.4), tau_normalized(WEIGHT, 0.4) * factor)


def test_stored_logits_need_no_net():
    generator = torch.Generator().manual_seed(1)
    features, bias = (torch.randn(shape, generator=generator).double() for shape in ((5, 6), (4,)))
    logits = torch.nn.functional.linear(features, WEIGHT, bias)
    torch.testing.assert_close(
        (logits - bias) / WEIGHT.norm(dim=1) ** 0.7, torch.nn.functional.linear(features, tau_normalized(WEIGHT, 0.7))
    )


def test_a_row_of_zeros_stays_one():
    assert tau_normalized(torch.zeros(2, 3), 1.2).equal(torch.zeros(2, 3))


@pytest.mark.parametrize("tau", [-0.1, float("inf"), float("nan"), "1", True])
def test_tau_is_checked(tau):
    with pytest.raises(ValueError, match="tau must be a number ≥ 0"):
        tau_normalized(WEIGHT, tau)
