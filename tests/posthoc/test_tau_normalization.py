import pytest
import torch

from imbalance_lab.posthoc import tau_normalized

WEIGHT = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)).double()


def test_tau_zero_and_one():
    assert tau_normalized(WEIGHT, 0).equal(WEIGHT)
    torch.testing.assert_close(tau_normalized(WEIGHT, 1), torch.nn.functional.normalize(WEIGHT))


@pytest.mark.parametrize("tau", [0.3, 0.7, 1.5])
def test_norms_are_raised_to_a_power_and_directions_kept(tau):
    normalized = tau_normalized(WEIGHT, tau)
    torch.testing.assert_close(normalized.norm(dim=1), WEIGHT.norm(dim=1) ** (1 - tau))
    torch.testing.assert_close(torch.cosine_similarity(normalized, WEIGHT), torch.ones(4).double())


def test_scaling_a_row_scales_the_result_by_a_power():
    scaled = WEIGHT * torch.tensor([1.0, 2, 3, 4]).double()[:, None]
    factor = torch.tensor([1.0, 2, 3, 4]).double()[:, None] ** 0.6
    torch.testing.assert_close(tau_normalized(scaled, 0.4), tau_normalized(WEIGHT, 0.4) * factor)


def test_can_be_applied_to_stored_logits():
    generator = torch.Generator().manual_seed(1)
    features, bias = (torch.randn(shape, generator=generator).double() for shape in ((5, 6), (4,)))
    logits = torch.nn.functional.linear(features, WEIGHT, bias)
    torch.testing.assert_close(
        (logits - bias) / WEIGHT.norm(dim=1) ** 0.7, torch.nn.functional.linear(features, tau_normalized(WEIGHT, 0.7))
    )


def test_zero_row_stays_zero():
    assert tau_normalized(torch.zeros(2, 3), 1.2).equal(torch.zeros(2, 3))


@pytest.mark.parametrize("tau", [-0.1, float("inf"), float("nan"), "1", True])
def test_invalid_tau_raises(tau):
    with pytest.raises((TypeError, ValueError), match=r"tau must be a (finite )?number"):
        tau_normalized(WEIGHT, tau)
