"""Properties of the softmax focal loss, and its digits."""

import itertools

import kornia
import monai
import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from imbalance_lab.losses import FocalLoss, focal_loss
from tests.losses.oracles.focal import softmax_focal

GAMMAS = [0.0, 0.5, 1.0, 2.0, 5.0]
LAYOUTS = {"rows": (7, 4), "wide": (7, 40), "dense": (2, 4, 3, 5), "many rows": (40_000, 4), "large": (2, 4, 200, 200)}


@pytest.fixture(params=["one chunk", "many chunks"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many chunks":
        monkeypatch.setattr("imbalance_lab.losses._focal_kernels.CHUNK", 12)


def batch(*shape: int, dtype: torch.dtype = torch.float64, scale: float = 2.0) -> tuple[Tensor, Tensor]:
    """Logits of that shape, (N, C, …), and class indices (N, …)."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator, dtype=torch.float64) * scale
    target = torch.randint(shape[1], (shape[0], *shape[2:]), generator=generator)
    return logits.to(dtype).requires_grad_(), target


def value_and_gradient(loss: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    return loss.detach(), gradient


# --- γ = 0 is cross-entropy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(64, 10), (2, 4, 3, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gamma_zero_is_torchs_cross_entropy_but_for_its_rounding(reduction, shape, dtype):
    logits, target = batch(*shape, dtype=dtype)
    target[1] = -100
    ours = value_and_gradient(focal_loss(logits, target, gamma=0, reduction=reduction), logits)
    theirs = value_and_gradient(F.cross_entropy(logits, target, reduction=reduction), logits)
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(ours, theirs, rtol=4 * rounding, atol=4 * rounding)


@pytest.mark.parametrize("lead", [-200.0, -20.0, 0.0, 5.0, 10.0, 17.0, 40.0, 80.0])
@pytest.mark.parametrize("classes", [3, 20])
@pytest.mark.parametrize("form", ["fused", "soft", "learned", "twice"])
def test_gamma_zero_has_the_digits_of_gamma_near_zero(lead, classes, form):
    """F.cross_entropy is 4e-4 off at a lead of 10, and 0 from 17 on, in value and gradient."""
    row = [0.25, lead + 0.25, *[-1.5] * (classes - 2)]
    expected, expected_gradient = softmax_focal(row, 1, 0)
    for gamma in (0.0, 1e-30):
        logits = torch.tensor([row], requires_grad=True)
        target = F.one_hot(torch.tensor([1]), classes).float() if form == "soft" else torch.tensor([1])
        strength = torch.tensor(gamma, requires_grad=True) if form == "learned" else gamma
        loss = focal_loss(logits, target, gamma=strength)
        (gradient,) = torch.autograd.grad(loss, logits, create_graph=form == "twice")
        assert loss.item() == pytest.approx(expected, rel=1e-6, abs=0)
        assert gradient[0].tolist() == pytest.approx(expected_gradient, rel=1e-6, abs=1e-38)


def test_an_impossible_target_at_gamma_zero_has_torchs_gradient():
    logits = torch.tensor([[0.0, -torch.inf, 1.0]], requires_grad=True)
    ours = value_and_gradient(focal_loss(logits, torch.tensor([1]), gamma=0), logits)
    theirs = value_and_gradient(F.cross_entropy(logits, torch.tensor([1])), logits)
    assert ours[0] == theirs[0] == torch.inf
    torch.testing.assert_close(ours[1][:, [0, 2]], theirs[1][:, [0, 2]])


def test_training_takes_the_fused_form_and_learning_does_not():
    logits, target = batch(7, 4)
    for gamma, alpha in ((2.0, None), (0.0, 0.3), ([0.0, 1.0, 2.0, 3.0], [0.1, 0.2, 0.3, 2.0])):
        for learned in (False, True):
            strength = torch.tensor(gamma, requires_grad=learned)
            each = focal_loss(logits, target, gamma=strength, alpha=alpha, reduction="none")
            assert (type(each.grad_fn).__name__ == "_FusedTermBackward") != learned


@pytest.mark.parametrize("gamma", [0.0, [0.0, 0.0, 0.0, 0.0]])  # torch's own, and our closed form
@pytest.mark.parametrize("shape", [(7, 4), (2, 4, 3, 5)])
def test_weighted_mean_at_gamma_zero_is_torchs_weighted_cross_entropy(gamma, shape):
    logits, target = batch(*shape)
    target[0] = -100
    alpha = torch.tensor([0.1, 0.2, 0.3, 2.0], dtype=torch.float64)
    ours = focal_loss(logits, target, gamma=gamma, alpha=alpha, reduction="weighted_mean")
    theirs = F.cross_entropy(logits, target, alpha)
    for one, other in zip(value_and_gradient(ours, logits), value_and_gradient(theirs, logits), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("gamma", [0.0, [0.0, 0.0, 0.0, 0.0]])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_soft_targets_at_gamma_zero_are_torchs(gamma, label_smoothing, reduction):
    logits, _ = batch(2, 4, 3, 5)
    target = torch.softmax(logits.detach().flip(0), 1)
    settings = {"label_smoothing": label_smoothing, "reduction": reduction}
    ours = focal_loss(logits, target, gamma=gamma, **settings)
    theirs = F.cross_entropy(logits, target, **settings)
    for one, other in zip(value_and_gradient(ours, logits), value_and_gradient(theirs, logits), strict=True):
        torch.testing.assert_close(one, other)


# --- values -------------------------------------------------------------------------------------------------------

HAND = [  # mpmath, 50 digits
    ([2.0, 0.0, -1.0], 0, 2.0, 0.0041442573099671555),
    ([2.0, 0.0, -1.0], 2, 2.0, 2.9091094267032231),
    ([2.0, 0.0, -1.0], 1, 0.5, 2.0421983951873529),
    ([20.0, 0.0], 0, 2.0, 8.7565107175752358e-27),
    ([20.0, 0.0], 0, 0.5, 9.3576229495526762e-14),
    ([-30.0, 0.0, 0.0], 0, 2.0, 30.69314718055712),
    ([0.0] * 10, 3, 2.0, 1.865093925325177),
    ([0.5, -1.25, 3.0, 2.0], 1, 1.5, 4.5638174244001449),
]


@pytest.mark.parametrize(("logits", "target", "gamma", "expected"), HAND)
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 4e-7), (torch.float64, 1e-15)])
@pytest.mark.parametrize("soft", [False, True])
def test_hand_values(logits, target, gamma, expected, dtype, digits, soft):
    y = F.one_hot(torch.tensor([target]), len(logits)).to(dtype) if soft else torch.tensor([target])
    loss = focal_loss(torch.tensor([logits], dtype=dtype), y, gamma=gamma)
    assert loss.item() == pytest.approx(expected, rel=digits, abs=0)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.7])
@pytest.mark.parametrize("gap", [-200.0, -50.0, -14.0, -1.0, 0.0, 0.01, 1.0, 14.0, 20.0, 25.0])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(("classes", "positions"), [(3, 0), (20, 0), (3, 1)], ids=["rows", "wide rows", "dense"])
def test_float32_keeps_its_digits_at_every_confidence(gamma, gap, twice, classes, positions):
    """A loss from log_softmax has lost 1 % at a gap of 14 and everything at 20."""
    row = [0.25, gap + 0.25, *[-1.5] * (classes - 2)]
    expected, expected_gradient = softmax_focal(row, 1, gamma)
    logits = torch.tensor([row]).view(1, classes, *[1] * positions).requires_grad_()
    loss = focal_loss(logits, torch.ones(1, *[1] * positions, dtype=torch.long), gamma=gamma)
    (gradient,) = torch.autograd.grad(loss, logits, create_graph=twice)  # twice: the differentiable form
    assert loss.item() == pytest.approx(expected, rel=2e-6, abs=1e-38)
    assert gradient.flatten().tolist() == pytest.approx(expected_gradient, rel=4e-6, abs=1e-38)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-40, 40), min_size=2, max_size=6), st.data(), st.floats(0.01, 5))  # at 0 it is torch's
def test_any_example_agrees_with_50_digits(row, data, gamma):
    target = data.draw(st.integers(0, len(row) - 1))
    logits = torch.tensor([row], dtype=torch.float64, requires_grad=True)
    loss, gradient = value_and_gradient(focal_loss(logits, torch.tensor([target]), gamma=gamma), logits)
    expected, expected_gradient = softmax_focal(row, target, gamma)
    assert loss.item() == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert gradient[0].tolist() == pytest.approx(expected_gradient, rel=1e-11, abs=1e-300)


# --- other implementations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.2])
def test_agrees_with_kornia(gamma, alpha):
    """kornia's one number a weighs every class but the background, which gets 1 − a: ours turned round."""
    logits, target = batch(2, 4, 3, 5)
    theirs = kornia.losses.focal_loss(logits, target, alpha=alpha, gamma=gamma, reduction="none")
    ours = focal_loss(logits, target, gamma=gamma, alpha=None if alpha is None else 1 - alpha, reduction="none")
    torch.testing.assert_close(ours, theirs.sum(1))  # kornia returns one loss a class, zero but for the target's


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_agrees_with_monai(gamma):
    logits, target = batch(2, 4, 3, 5)
    weight = [0.1, 0.2, 0.3, 2.0]
    theirs = monai.losses.FocalLoss(to_onehot_y=True, use_softmax=True, gamma=gamma, weight=weight, reduction="none")(
        logits, target.unsqueeze(1)
    )
    ours = focal_loss(logits, target, gamma=gamma, alpha=weight, reduction="none")
    # MONAI computes in float32, from 1 − exp(log p): its easy examples have no more digits than these.
    torch.testing.assert_close(ours, theirs.sum(1), rtol=1e-5, atol=1e-6, check_dtype=False)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_two_classes_agree_with_torchvisions_sigmoid_form(gamma):
    """softmax([0, z]) is σ(z); torchvision's a weighs positives, ours the background (class 0)."""
    z, _ = batch(30, 1)
    target = torch.arange(30) % 2
    theirs = torchvision.ops.sigmoid_focal_loss(z.squeeze(1), target.double(), alpha=0.3, gamma=gamma, reduction="mean")
    ours = focal_loss(torch.cat([torch.zeros_like(z), z], 1), target, alpha=0.7, gamma=gamma)
    torch.testing.assert_close(ours, theirs)


# --- gradients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [*GAMMAS, [0.0, 0.5, 1.0, 2.0]])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.usefixtures("chunks")
def test_gradient_and_its_gradient(gamma, soft):
    logits, target = batch(2, 4, 3)
    y = torch.softmax(logits.detach().flip(0), 1) if soft else target

    def loss(z: Tensor) -> Tensor:
        return focal_loss(z, y, gamma=gamma, alpha=[0.1, 0.2, 0.3, 2.0], reduction="none")

    assert torch.autograd.gradcheck(loss, [logits])
    assert torch.autograd.gradgradcheck(loss, [logits])


@pytest.mark.parametrize("shape", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.usefixtures("chunks")
def test_fused_form_is_the_composite_one(shape, monkeypatch):
    logits, target = batch(*shape)
    fused = value_and_gradient(focal_loss(logits, target, gamma=1.5, reduction="sum"), logits)
    with monkeypatch.context() as patch:
        patch.setattr("imbalance_lab.losses._focal_term.needs_plain_operations", lambda *_: True)
        plain = value_and_gradient(focal_loss(logits, target, gamma=1.5, reduction="sum"), logits)
    torch.testing.assert_close(fused, plain, rtol=1e-12, atol=1e-14)
    with torch.no_grad():  # in chunks, where nothing is kept
        torch.testing.assert_close(focal_loss(logits, target, gamma=1.5, reduction="sum"), plain[0])


@pytest.mark.parametrize("shape", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("alpha", [None, 0.2])
@pytest.mark.usefixtures("chunks")
def test_half_precision_is_single_precision_rounded(shape, dtype, alpha):
    logits, target = batch(*shape, dtype=dtype)
    precise = logits.detach().float().requires_grad_()
    target.view(-1)[1] = -100
    arguments = {"gamma": 1.5, "alpha": alpha, "reduction": "none"}
    found, expected = (value_and_gradient(focal_loss(z, target, **arguments), z) for z in (logits, precise))
    for half, single in zip(found, expected, strict=True):
        torch.testing.assert_close(half, single.to(dtype), rtol=torch.finfo(dtype).eps, atol=1e-7)


def test_memory_layout_does_not_matter():
    logits, target = batch(2, 4, 3, 5)
    expected = value_and_gradient(focal_loss(logits, target), logits)
    for other in (
        logits.contiguous(memory_format=torch.channels_last),
        logits.detach().flip(3).requires_grad_().flip(3),
    ):
        torch.testing.assert_close(value_and_gradient(focal_loss(other, target), other), expected)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:FutureWarning")  # torch.func.hessian's own
def test_functional_transforms_see_through_it():
    logits, target = batch(5, 4)

    def loss(z: Tensor, y: Tensor) -> Tensor:
        return focal_loss(z, y, gamma=0.5)

    (expected,) = torch.autograd.grad(loss(logits, target), logits)
    torch.testing.assert_close(torch.func.grad(loss)(logits.detach(), target), expected)
    each = torch.func.vmap(torch.func.grad(loss))(logits.detach().unsqueeze(1), target.unsqueeze(1))
    torch.testing.assert_close(each.squeeze(1) / 5, expected)
    hessian = torch.autograd.functional.hessian(lambda z: loss(z, target), logits.detach())
    torch.testing.assert_close(torch.func.hessian(loss)(logits.detach(), target), hessian)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("gamma", [*GAMMAS, [0.0, 0.5, 2.0]])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "weighted_mean", "mean_positive", "none"])
def test_extreme_logits_stay_finite(dtype, gamma, soft, reduction):
    rows = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4], [0.0, -1e4, -1e4]]
    for target in range(3):
        logits = torch.tensor(rows, dtype=dtype, requires_grad=True)
        y = torch.full((4,), target)
        y = F.one_hot(y, 3).to(dtype) if soft else y
        loss, gradient = value_and_gradient(focal_loss(logits, y, gamma=gamma, alpha=0.25, reduction=reduction), logits)
        assert loss.dtype == gradient.dtype == dtype
        assert loss.isfinite().all()
        assert gradient.isfinite().all()


def test_half_precision_gradients_survive_a_loss_scale():
    """The gradient of a dense mean lies below float16's range; scaled before it is rounded, it does not."""
    logits, target = batch(2, 4, 64, 64)
    (expected,) = torch.autograd.grad(focal_loss(logits, target), logits)
    half = logits.detach().half().requires_grad_()
    loss = focal_loss(half, target, reduction="none").float().mean() * 2.0**12
    (scaled,) = torch.autograd.grad(loss, half)
    torch.testing.assert_close(scaled.double() / 2**12, expected, rtol=0.02, atol=2e-9)


# --- properties --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("soft", [False, True])
def test_a_constant_on_all_logits_changes_nothing(soft):
    logits, target = batch(7, 4)
    y = torch.softmax(logits.detach().flip(0), 1) if soft else target
    shift = torch.arange(7.0).unsqueeze(1) * 100
    torch.testing.assert_close(focal_loss(logits + shift, y), focal_loss(logits, y), rtol=1e-11, atol=0)


@pytest.mark.parametrize("soft", [False, True])
def test_permuting_the_classes_changes_nothing(soft):
    logits, target = batch(7, 4)
    alpha, gamma = torch.tensor([0.1, 0.2, 0.3, 2.0]), torch.tensor([0.0, 0.5, 1.0, 3.0])
    new = torch.tensor([2, 0, 3, 1])  # class new[i] is now called i
    y = torch.softmax(logits.detach().flip(0), 1) if soft else target
    renamed = y[:, new] if soft else new.argsort()[target]
    for reduction in ("none", "mean", "weighted_mean"):
        before = focal_loss(logits, y, gamma=gamma, alpha=alpha, reduction=reduction)
        after = focal_loss(logits[:, new], renamed, gamma=gamma[new], alpha=alpha[new], reduction=reduction)
        torch.testing.assert_close(before, after)
    before = focal_loss(logits, y, alpha=0.2, background_class=2, reduction="mean_positive")
    after = focal_loss(logits[:, new], renamed, alpha=0.2, background_class=0, reduction="mean_positive")
    torch.testing.assert_close(before, after)


@pytest.mark.parametrize("reduction", ["sum", "mean", "weighted_mean", "mean_positive"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("ignore_index", [-100, 255, 1])
def test_ignored_targets_add_neither_loss_nor_gradient(reduction, label_smoothing, gamma, ignore_index):
    logits, target = batch(8, 4)
    ignored = torch.tensor([1, 0, 0, 1, 0, 1, 0, 0], dtype=torch.bool)
    target = target.masked_fill(target == 1, 2).masked_fill(ignored, ignore_index)
    arguments = {"gamma": gamma, "alpha": [0.1, 0.2, 0.3, 2.0], "label_smoothing": label_smoothing}
    loss, gradient = value_and_gradient(
        focal_loss(logits, target, ignore_index=ignore_index, reduction=reduction, **arguments), logits
    )
    kept, kept_gradient = value_and_gradient(
        focal_loss(logits[~ignored], target[~ignored], reduction=reduction, **arguments), logits
    )
    torch.testing.assert_close(loss, kept)
    torch.testing.assert_close(gradient, kept_gradient)
    assert (gradient[ignored] == 0).all()


@pytest.mark.parametrize("reduction", ["sum", "mean", "weighted_mean", "mean_positive"])
@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("count", [0, 3])
def test_a_mean_over_nothing_is_zero_with_a_zero_gradient(reduction, gamma, count):
    logits, _ = batch(3, 4)
    logits = logits[:count].detach().requires_grad_()
    loss, gradient = value_and_gradient(
        focal_loss(logits, torch.full((count,), -100), gamma=gamma, alpha=[1.0, 2, 3, 4], reduction=reduction),
        logits,
    )
    assert loss == 0
    assert (gradient == 0).all()


def test_the_divisors_of_the_means():
    logits, target = batch(9, 3)
    target = torch.tensor([0, 0, 0, 1, 2, 2, -100, 0, 1])
    alpha = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)
    total = focal_loss(logits, target, alpha=alpha, reduction="sum")
    for reduction, divisor in {"mean": 8, "weighted_mean": 4 * 0.5 + 2 * 2 + 2 * 3, "mean_positive": 4}.items():
        mean = focal_loss(logits, target, alpha=alpha, reduction=reduction)
        torch.testing.assert_close(mean, total / divisor)
    only_background = focal_loss(logits[:3], target[:3], reduction="mean_positive")
    assert only_background == focal_loss(logits[:3], target[:3], reduction="sum")


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "mean_positive"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_one_hot_targets_are_class_indices(reduction, label_smoothing):
    logits, target = batch(2, 4, 3, 5)
    arguments = {"gamma": [0.0, 1.0, 2.0, 0.5], "alpha": [0.1, 0.2, 0.3, 2.0], "label_smoothing": label_smoothing}
    hard = focal_loss(logits, target, reduction=reduction, **arguments)
    one_hot = F.one_hot(target, 4).movedim(-1, 1).double()
    soft = focal_loss(logits, one_hot, reduction=reduction, **arguments)
    torch.testing.assert_close(value_and_gradient(hard, logits), value_and_gradient(soft, logits))


def test_label_smoothing_mixes_the_target_with_all_classes():
    logits, target = batch(7, 4)
    alpha = torch.tensor([0.1, 0.2, 0.3, 2.0], dtype=torch.float64)
    arguments = {"gamma": 1.5, "reduction": "none"}
    every = torch.stack([focal_loss(logits, torch.full((7,), c), **arguments) for c in range(4)])
    expected = alpha[target] * (0.8 * focal_loss(logits, target, **arguments) + 0.2 * every.mean(0))
    torch.testing.assert_close(focal_loss(logits, target, alpha=alpha, label_smoothing=0.2, **arguments), expected)


def test_mixup_is_the_mixture_of_the_losses():
    logits, target = batch(7, 4)
    partner = target.flip(0)
    mixed = 0.3 * F.one_hot(target, 4) + 0.7 * F.one_hot(partner, 4).double()
    expected = 0.3 * focal_loss(logits, target) + 0.7 * focal_loss(logits, partner)
    torch.testing.assert_close(focal_loss(logits, mixed), expected)


def test_gamma_of_a_class_is_that_of_its_targets():
    logits, target = batch(7, 4)
    gamma = [0.0, 0.5, 1.0, 4.0]
    loss = focal_loss(logits, target, gamma=gamma, reduction="none")
    expected = [focal_loss(z[None], y[None], gamma=gamma[y]) for z, y in zip(logits, target, strict=True)]
    torch.testing.assert_close(loss, torch.stack(expected))


def test_a_rarer_target_never_costs_less():
    logits, _ = batch(50, 4)
    loss = FocalLoss(alpha="inverse", class_counts=[1000, 300, 30, 2], reduction="none").double()
    rows = logits.detach().sort(1).values[:, [0, 0, 0, 0]]  # all classes equally likely
    costs = torch.stack([loss(rows, torch.full((50,), c)) for c in range(4)])
    assert (costs.diff(dim=0) >= 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", 1.0),
        ("gamma", [2.0, 2.0, 1.0, 2.0]),
        ("alpha", 0.3),
        ("alpha", [0.1, 0.2, 0.3, 2.0]),
        ("background_class", 2),
        ("label_smoothing", 0.1),
        ("ignore_index", 1),
        ("reduction", "sum"),
        ("reduction", "weighted_mean"),
        ("reduction", "mean_positive"),
    ],
)
def test_every_argument_changes_the_loss(name, value):
    logits, target = batch(20, 4)
    arguments = {"alpha": 0.25}
    assert focal_loss(logits, target, **{**arguments, name: value}) != focal_loss(logits, target, **arguments)


def test_alpha_numbers_are_not_interchangeable():
    logits, target = batch(20, 2)
    losses = [focal_loss(logits, target, alpha=a) for a in (None, 0.1, [0.1, 0.9], [0.9, 0.1], [0.1, 0.1])]
    for (i, one), (j, other) in itertools.combinations(enumerate(losses), 2):
        assert (one == other) == ((i, j) == (1, 2))
