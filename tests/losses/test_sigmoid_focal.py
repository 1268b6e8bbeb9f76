"""Properties of the sigmoid focal loss, and its digits."""

import re

import kornia
import monai
import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from imbalance_lab.losses import SigmoidFocalLoss, focal_loss, sigmoid_focal_loss
from tests.losses.oracles.focal import sigmoid_focal

GAMMAS = [0.0, 0.5, 1.0, 2.0, 5.0]


def batch(*shape: int) -> tuple[Tensor, Tensor]:
    """Logits and 0/1 targets of that shape."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator, dtype=torch.float64) * 2
    return logits.requires_grad_(), torch.randint(2, shape, generator=generator)


def with_gradient(loss: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    return loss.detach(), torch.autograd.grad(loss.sum(), logits)[0]


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("alpha", [None, 0.0, 0.25, 1.0])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.float64])
def test_agrees_with_torchvision(gamma, alpha, reduction, kind):
    logits, target = batch(7, 4)
    theirs = torchvision.ops.sigmoid_focal_loss(
        logits, target.double(), alpha=-1 if alpha is None else alpha, gamma=gamma, reduction=reduction
    )
    ours = sigmoid_focal_loss(logits, target.to(kind), gamma=gamma, alpha=alpha, reduction=reduction)
    torch.testing.assert_close(with_gradient(ours, logits), with_gradient(theirs, logits))


def test_agrees_with_kornia_and_monai():
    logits, target = batch(7, 4)
    ours = sigmoid_focal_loss(logits, target, alpha=0.3, gamma=1.5, reduction="none")
    kornias = kornia.losses.binary_focal_loss_with_logits(
        logits, target.double(), alpha=0.3, gamma=1.5, reduction="none"
    )
    torch.testing.assert_close(ours, kornias)
    monais = monai.losses.FocalLoss(alpha=0.3, gamma=1.5, reduction="none")(logits, target)
    torch.testing.assert_close(ours, monais, check_dtype=False, rtol=1e-5, atol=1e-7)  # MONAI is in float32


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_gamma_zero_is_binary_cross_entropy(reduction):
    logits, target = batch(7, 4)
    for y in (target.double(), torch.rand(7, 4, generator=torch.Generator().manual_seed(0)).double()):
        theirs = F.binary_cross_entropy_with_logits(logits, y, reduction=reduction)
        ours = sigmoid_focal_loss(logits, y, gamma=0, alpha=None, reduction=reduction)
        torch.testing.assert_close(with_gradient(ours, logits), with_gradient(theirs, logits))


@pytest.mark.parametrize("gamma", [0.0, 1e-30, 0.5, 1.0, 2.0, 3.7])
@pytest.mark.parametrize("logit", [-200.0, -30.0, -5.0, -0.3, 0.0, 0.01, 5.0, 14.0, 17.0, 25.0])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_float32_keeps_its_digits_at_every_confidence(gamma, logit, positive, soft):
    """torchvision's 1 − p has lost 5 % at a logit of 14 and is 0 from 17 on, where the loss is 2e-22 for γ = 2."""
    expected = sigmoid_focal(logit, positive, gamma)
    logits = torch.tensor([logit], requires_grad=True)
    y = torch.tensor([float(positive)]) if soft else torch.tensor([int(positive)])
    loss, gradient = with_gradient(sigmoid_focal_loss(logits, y, gamma=gamma, alpha=None), logits)
    assert loss.item() == pytest.approx(expected[0], rel=2e-6, abs=1e-37)
    assert gradient.item() == pytest.approx(expected[1], rel=4e-6, abs=1e-37)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("soft", [False, True])
def test_gradient_and_its_gradient(gamma, soft):
    logits, target = batch(3, 4)
    y = torch.sigmoid(logits.detach().flip(0)) if soft else target

    def loss(z: Tensor) -> Tensor:
        return sigmoid_focal_loss(z, y, gamma=gamma, reduction="none")

    assert torch.autograd.gradcheck(loss, [logits])
    assert torch.autograd.gradgradcheck(loss, [logits])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("y", [torch.tensor([0, 1, 0, 1]), torch.tensor([0.0, 1.0, 1.0, 0.5])])
def test_extreme_logits_stay_finite(dtype, gamma, y):
    logits = torch.tensor([1e4, -1e4, -1e4, 1e4], dtype=dtype, requires_grad=True)
    loss, gradient = with_gradient(sigmoid_focal_loss(logits, y, gamma=gamma), logits)
    assert loss.dtype == gradient.dtype == dtype
    assert loss.isfinite().all()
    assert gradient.isfinite().all()


def test_soft_targets_mix_the_two_losses():
    logits, _ = batch(7, 4)
    options = {"alpha": None, "reduction": "none"}
    positive, negative = (sigmoid_focal_loss(logits, torch.full((7, 4), y), **options) for y in (1, 0))
    mixed = sigmoid_focal_loss(logits, torch.full((7, 4), 0.3), **options)
    torch.testing.assert_close(mixed, 0.3 * positive + 0.7 * negative, rtol=1e-6, atol=0)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "mean_positive"])
@pytest.mark.parametrize("shape", [(7, 4), (2, 4, 3, 5), (4, 4)])
def test_class_indices_are_one_hot(reduction, shape):
    logits, _ = batch(*shape)
    target = torch.randint(4, (shape[0], *shape[2:]), generator=torch.Generator().manual_seed(1))
    loss = SigmoidFocalLoss(reduction=reduction)
    one_hot = F.one_hot(target, 4).movedim(-1, 1)
    torch.testing.assert_close(loss(logits, target), loss(logits, one_hot))
    torch.testing.assert_close(loss(logits, target), loss(logits, one_hot.double()))


def test_one_logit_takes_labels():
    logits, target = batch(7, 1)
    torch.testing.assert_close(sigmoid_focal_loss(logits, target.squeeze(1)), sigmoid_focal_loss(logits, target))


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_positive"])
@pytest.mark.parametrize("kind", [torch.int64, torch.float64])
def test_ignored_targets_add_neither_loss_nor_gradient(reduction, kind):
    logits, target = batch(7, 4)
    ignored = target.flip(0).bool()
    marked = target.masked_fill(ignored, -100).to(kind)
    ours = with_gradient(sigmoid_focal_loss(logits, marked, reduction=reduction), logits)
    kept = with_gradient(sigmoid_focal_loss(logits[~ignored], target[~ignored], reduction=reduction), logits)
    torch.testing.assert_close(ours, kept)
    nothing = sigmoid_focal_loss(logits, torch.full((7,), -100), reduction=reduction)
    assert nothing == 0
    assert (torch.autograd.grad(nothing, logits)[0] == 0).all()


def test_ignored_class_indices_ignore_their_row():
    logits, _ = batch(4, 3)
    target = torch.tensor([0, 255, 2, 1])
    kept = sigmoid_focal_loss(logits[[0, 2, 3]], target[[0, 2, 3]])
    torch.testing.assert_close(sigmoid_focal_loss(logits, target, ignore_index=255), kept)


def test_one_number_means_the_opposite_of_the_softmax_losses():
    """Here a weighs positives; in the softmax loss it weighs the background, class 0."""
    z, target = batch(20, 1)
    softmax = focal_loss(torch.cat([torch.zeros_like(z), z], 1), target.squeeze(1), alpha=0.25)
    torch.testing.assert_close(sigmoid_focal_loss(z, target, alpha=0.75), softmax)


@pytest.mark.parametrize(
    ("name", "value"), [("gamma", 1.0), ("alpha", 0.4), ("alpha", None), ("reduction", "sum"), ("ignore_index", 1)]
)
def test_every_argument_changes_the_loss(name, value):
    logits, target = batch(20, 4)
    assert sigmoid_focal_loss(logits, target, **{name: value}) != sigmoid_focal_loss(logits, target)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"gamma": "abc"}, TypeError, "gamma must be a number, got 'abc'"),
        ({"gamma": [1, 2]}, TypeError, "gamma must be a number, got [1, 2]"),
        (
            {"alpha": "inverse"},
            TypeError,
            "alpha of the sigmoid focal loss must be one number a, which weighs positives by a",
        ),
        (
            {"alpha": [0.1, 0.9]},
            TypeError,
            "alpha of the sigmoid focal loss must be one number a, which weighs positives by a",
        ),
        ({"alpha": 1.5}, ValueError, "alpha must be a finite number in [0, 1], got 1.5"),
        ({"reduction": "weighted_mean"}, ValueError, "one of none, sum, mean, mean_positive"),
    ],
)
def test_invalid_arguments_are_refused_when_built(arguments, error, says):
    with pytest.raises(error, match=re.escape(says)):
        SigmoidFocalLoss(**arguments)


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        (torch.tensor([0, 3]), ValueError, "target 3 is none of the 3 classes"),
        (torch.tensor([0.0, 1.0]), TypeError, "class indices must be integers"),
        (torch.tensor([0, 1, 1]), ValueError, "target of shape (3,) does not fit logits of shape (2, 3)"),
        (torch.full((2, 3), 2), ValueError, "targets must lie in [0, 1], got 2 to 2"),
        (torch.full((2, 3), float("nan")), ValueError, "targets must lie in [0, 1], got nan to nan"),
    ],
)
def test_input_that_does_not_fit_is_refused_in_one_sentence(target, error, says):
    with pytest.raises(error, match=re.escape(says)):
        sigmoid_focal_loss(torch.zeros(2, 3), target)


@pytest.mark.parametrize("weight", [3.0, [0.5, 2.0, 7.0]])
def test_pos_weight_of_zeros_and_ones_is_that_of_torch(weight):
    generator = torch.Generator().manual_seed(0)
    z, y = torch.randn(6, 3, generator=generator), torch.randint(2, (6, 3), generator=generator)
    arguments = {"gamma": 0.0, "alpha": None, "reduction": "none"}
    expected = F.binary_cross_entropy_with_logits(z, y.float(), pos_weight=torch.tensor(weight), reduction="none")
    torch.testing.assert_close(SigmoidFocalLoss(pos_weight=weight, **arguments)(z, y), expected)


def test_pos_weight_from_the_counts_balances_present_and_absent_labels():
    loss = SigmoidFocalLoss(pos_weight="inverse", class_counts=[50, 20, 100], num_examples=100)
    assert loss.pos_weight.tolist() == [1, 4, 0]
    loss = SigmoidFocalLoss(pos_weight="sqrt_inverse", class_counts=[50, 20, 100], num_examples=100)
    assert loss.pos_weight.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pos_weight": "inverse"}, "^pos_weight='inverse' is computed from the training counts: give [^\\n]*$"),
        ({"pos_weight": "rare"}, "^pos_weight must be a number, one number per label, [^\\n]*'rare'$"),
        ({"pos_weight": [1.0, 2.0], "class_counts": [4, 5, 6]}, "^pos_weight has 2 numbers, but there are 3 classes$"),
        ({"pos_weight": [1.0, -2.0]}, r"^pos_weight\[1\] must be a finite number"),
    ],
)
def test_an_invalid_pos_weight_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SigmoidFocalLoss(**arguments)
