import pytest
import torch

from imbalance_lab.backbones.dropout import Dropout


def test_drops_a_share_and_keeps_the_mean():
    torch.manual_seed(0)
    kept = Dropout(0.1)(torch.ones(1000, 1001))
    assert (kept == 0).float().mean() == pytest.approx(0.1, abs=0.001)
    assert kept.mean() == pytest.approx(1, abs=0.001)
    assert kept.unique().tolist() == pytest.approx([0, 65536 / (65536 - 6553)])
    # Neighbors share an integer, not a fate.
    neighbors = torch.stack([(kept == 0).flatten()[place::4][:250_000].float() for place in range(4)])
    assert torch.corrcoef(neighbors).fill_diagonal_(0).abs().max() < 0.01


def test_gradient_passes_where_features_are_kept():
    features = torch.ones(5, 7, 3, requires_grad=True)
    kept = Dropout(0.5)(features)
    kept.sum().backward()
    assert torch.equal(features.grad, kept.detach())


def test_is_a_function_of_the_generator_and_nothing_in_evaluation():
    features, dropout = torch.randn(3, 5), Dropout(0.3)
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(dropout(features))
    assert torch.equal(*drawn)
    assert dropout.eval()(features) is features
    assert torch.equal(Dropout(0.0)(features), features)
    with pytest.raises(ValueError, match="p must be"):
        Dropout(1.0)
