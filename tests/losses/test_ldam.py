import mpmath
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from imbalance_lab.class_counts import class_weights
from imbalance_lab.losses import LDAMLoss, ldam_loss, ldam_margins

COUNTS = [1600, 625, 16]


def batch():
    generator = torch.Generator().manual_seed(2)
    cosines = 2 * torch.rand(7, 3, generator=generator, dtype=torch.float64) - 1
    return cosines, torch.tensor([0, 1, 2, 0, 0, 2, 1])


def test_margins_by_hand():
    # 1600^¼ = 6.3246, 625^¼ = 5, 16^¼ = 2: m = ½ · 2 / n^¼
    expected = torch.tensor([1 / 1600**0.25, 0.2, 0.5], dtype=torch.float64)
    torch.testing.assert_close(ldam_margins(COUNTS), expected, rtol=1e-15, atol=0)


def test_loss_by_hand():
    # s = 2, m = (0.1, 0.5), cosines (0.6, 0.2), target 1: 2 · (0.6, 0.2 − 0.5), so log(1 + e^{1.2 + 0.6})
    value = ldam_loss(2 * torch.tensor([[0.6, 0.2]]), torch.tensor([1]), torch.tensor([0.1, 0.5]), scale=2.0)
    assert value.item() == pytest.approx(np.log1p(np.exp(1.8)), rel=1e-6)


@pytest.mark.parametrize(("max_margin", "scale"), [(0.5, 30.0), (0.2, 10.0), (0.0, 1.0)])
def test_equals_the_published_formula(max_margin, scale):
    # Cao et al., sec. 3.2: −log e^{z_y − Δ_y} / (e^{z_y − Δ_y} + Σ_{j≠y} e^{z_j}), all times s as in their code
    cosines, target = batch()
    margin = 1 / np.sqrt(np.sqrt(COUNTS))
    margin = margin * max_margin / margin.max()
    expected = []
    for z, y in zip(cosines.numpy(), target.tolist(), strict=True):
        own = np.exp(scale * (z[y] - margin[y]))
        expected.append(-np.log(own / (own + sum(np.exp(scale * z[j]) for j in range(3) if j != y))))
    margins = ldam_margins(COUNTS, max_margin)
    value = ldam_loss(scale * cosines, target, margins, scale=scale, reduction="none")
    np.testing.assert_allclose(value, expected, rtol=1e-9)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_value_with_40_digits(target):
    mpmath.mp.dps = 40
    cosines = [0.75, -0.125, 0.5]
    margin = [(16 / mpmath.mpf(n)) ** mpmath.mpf("0.25") / 2 for n in COUNTS]
    z = [30 * (mpmath.mpf(c) - margin[j] * (j == target)) for j, c in enumerate(cosines)]
    expected = mpmath.log(sum(mpmath.exp(x) for x in z)) - z[target]
    logits = 30 * torch.tensor([cosines], dtype=torch.float64)
    assert ldam_loss(logits, torch.tensor([target]), ldam_margins(COUNTS)).item() == pytest.approx(float(expected))
    in_float32 = LDAMLoss(class_counts=COUNTS)(logits.float(), torch.tensor([target]))
    assert in_float32.item() == pytest.approx(float(expected), abs=30 * 1e-7)


def test_no_margin_is_cross_entropy_of_the_scaled_cosines():
    cosines, target = batch()
    value = LDAMLoss(max_margin=0, class_counts=COUNTS)(30 * cosines, target)
    torch.testing.assert_close(value, F.cross_entropy(30 * cosines, target))


def test_equal_counts_give_every_class_the_largest_margin():
    cosines, target = batch()
    value = LDAMLoss(class_counts=[9, 9, 9])(30 * cosines, target)
    torch.testing.assert_close(value, F.cross_entropy(30 * (cosines - 0.5 * F.one_hot(target, 3)), target))


@pytest.mark.parametrize("weight", [None, "inverse", "sqrt_inverse", "effective", [1.0, 5.0, 0.02]])
def test_weights_average_as_in_torch(weight):
    cosines, target = batch()
    loss = LDAMLoss(weight=weight, class_counts=COUNTS).double()
    given = class_weights(COUNTS, weight) if isinstance(weight, str) else torch.tensor(weight or [1.0] * 3)
    adjusted = 30 * (cosines - ldam_margins(COUNTS)[target][:, None] * F.one_hot(target, 3))
    expected = F.cross_entropy(adjusted, target, weight=given.double())
    torch.testing.assert_close(loss(30 * cosines, target), expected, rtol=1e-6, atol=0)


def test_the_mean_over_one_example_is_its_own_loss_however_little_its_class_weighs():
    cosines, target = batch()
    for i in range(len(target)):
        one = slice(i, i + 1)
        value = LDAMLoss(weight="inverse", class_counts=COUNTS)(30 * cosines[one], target[one])
        torch.testing.assert_close(value, LDAMLoss(class_counts=COUNTS)(30 * cosines[one], target[one]))


def test_deferred_reweighting_fills_the_buffer_and_a_checkpoint_brings_it_back():
    cosines, target = batch()
    early, late, resumed = (LDAMLoss(class_counts=COUNTS) for _ in range(3))
    late.weight.copy_(class_weights(COUNTS, "effective"))
    assert late(30 * cosines, target) != early(30 * cosines, target)
    resumed.load_state_dict(late.state_dict())
    assert late(30 * cosines, target) == resumed(30 * cosines, target)
    torch.testing.assert_close(
        late(30 * cosines, target), LDAMLoss(weight="effective", class_counts=COUNTS)(30 * cosines, target)
    )


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ("inverted", ValueError, "one of inverse, sqrt_inverse, effective, got 'inverted'"),
        ([1.0, 2.0], ValueError, "2 numbers, but there are 3 classes"),
        ([1.0, -2.0, 1.0], ValueError, "≥ 0"),
        ([1.0, float("nan"), 1.0], ValueError, "finite"),
        (0.5, TypeError, "list of one number per class"),
    ],
)
def test_an_invalid_weight_is_refused(weight, error, message):
    with pytest.raises(error, match=message):
        LDAMLoss(weight=weight, class_counts=COUNTS)


def test_a_soft_target_is_refused():
    with pytest.raises(ValueError, match=r"class indices \(N,\)"):
        LDAMLoss(class_counts=COUNTS)(torch.zeros(2, 3), torch.full((2, 3), 1 / 3))
