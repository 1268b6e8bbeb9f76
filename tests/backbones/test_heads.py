import torch
from torch.nn import functional as F

from imbalance_lab.backbones.heads import CosineHead


def test_logits_are_the_scaled_cosines():
    head = CosineHead(5, 3)
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    expected = 30 * torch.stack([F.cosine_similarity(features, row[None]) for row in head.weight], 1)
    torch.testing.assert_close(head(features), expected)


def test_lengths_do_not_count():
    head = CosineHead(5, 3)
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    before = head(features)
    head.weight.data *= torch.tensor([[0.1], [7.0], [100.0]])
    torch.testing.assert_close(head(features * torch.tensor([[3.0], [0.5], [1e-3], [1e3]])), before)


def test_features_of_nothing_give_zeros_and_no_nan():
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
