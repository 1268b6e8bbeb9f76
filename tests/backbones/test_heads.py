import pytest
import torch
from torch.nn import functional as F

from imbalance_lab.backbones.heads import CosineHead


def test_logits_are_the_scaled_cosines():
    head = CosineHead(5, 3)
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    expected = 30 * torch.stack([F.cosine_similarity(features, row[None]) for row in head.weight], 1)
    torch.testing.assert_close(head(features), expected)


def test_norms_do_not_matter():
    head = CosineHead(5, 3)
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    before = head(features)
    head.weight.data *= torch.tensor([[0.1], [7.0], [100.0]])
    torch.testing.assert_close(head(features * torch.tensor([[3.0], [0.5], [1e-3], [1e3]])), before)


def test_zero_features_give_zeros_and_a_finite_gradient():
    features = torch.zeros(2, 5, requires_grad=True)
    outputs = CosineHead(5, 3)(features)
    assert (outputs == 0).all()
    (gradient,) = torch.autograd.grad(outputs.sum(), features)
    assert torch.isfinite(gradient).all()


def test_half_precision_keeps_the_cosines_in_float32():
    head = CosineHead(64, 3)
    features = torch.randn(4, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(head(features), head(features.float()))
    assert head(features).dtype == torch.float32
    assert head.double()(features.double()).dtype == torch.float64


def test_the_gradient_is_the_derivative():
    head = CosineHead(5, 3).double()
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, (features,))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scale": 0}, r"scale must be a finite number in .*, got 0"),
        ({"scale": True}, "scale must be a number, got True"),
        ({"out_features": 0}, "out_features must be an integer ≥ 1, got 0"),
        ({"in_features": 2.0}, "in_features must be an integer ≥ 1, got 2.0"),
    ],
)
def test_invalid_arguments_are_refused(arguments, says):
    with pytest.raises((TypeError, ValueError), match=says):
        CosineHead(**{"in_features": 5, "out_features": 3, **arguments})


def test_it_prints_as_a_linear_layer_does():
    assert repr(CosineHead(5, 3)) == "CosineHead(in_features=5, out_features=3, scale=30)"
