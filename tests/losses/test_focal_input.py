"""What the focal loss takes, as people bring it from older code, and what it refuses."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses import FocalLoss, focal_loss


def by_hand(logits: Tensor, target: Tensor, gamma: float, alpha: Tensor | None) -> Tensor:
    """One loss a target from the textbook formula, for rows (R, C): plain enough to be seen right."""
    log_p = F.log_softmax(logits, 1)[torch.arange(len(target)), target]
    loss = -((1 - log_p.exp()) ** gamma) * log_p
    return loss if alpha is None else alpha[target] * loss


def rows(*shape: int, classes: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(*shape, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, shape, generator=generator)


ALPHA = torch.tensor([0.1, 0.2, 0.3, 0.4, 2.0], dtype=torch.float64)


@pytest.mark.parametrize("alpha", [None, ALPHA, ALPHA.unsqueeze(1)], ids=["none", "(C,)", "(C, 1)"])
@pytest.mark.parametrize("channel", [False, True], ids=["(N, H, W)", "(N, 1, H, W)"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("module", [False, True])
def test_dense_targets(alpha, channel, reduction, module):
    last, target = rows(2, 3, 4)
    each = by_hand(last.flatten(0, 2), target.flatten(), 2.0, None if alpha is None else ALPHA)
    logits = last.movedim(-1, 1)
    target = target.unsqueeze(1) if channel else target
    options = {"gamma": 2.0, "alpha": alpha, "reduction": reduction}
    loss = FocalLoss(**options).double() if module else focal_loss
    loss = loss(logits, target) if module else loss(logits, target, **options)
    torch.testing.assert_close(loss, each.mean() if reduction == "mean" else each.sum(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("anchors", [3, 5])  # 5 anchors and 5 classes: the shape is ambiguous
@pytest.mark.parametrize("alpha", [None, ALPHA.tolist(), 0.25], ids=["none", "list", "number"])
def test_detection_heads_keep_their_classes_last(anchors, alpha):
    logits, target = rows(2, anchors)
    meant = {None: None, 0.25: torch.tensor([0.25, 0.75, 0.75, 0.75, 0.75], dtype=torch.float64)}
    weights = ALPHA if isinstance(alpha, list) else meant[alpha]
    expected = by_hand(logits.flatten(0, 1), target.flatten(), 2.0, weights)
    loss = focal_loss(logits, target, alpha=alpha, class_dim=-1, reduction="none")
    torch.testing.assert_close(loss.flatten(), expected)
    assert loss.shape == target.shape
    for class_dim in (2, -1):
        module = FocalLoss(alpha=alpha, class_dim=class_dim).double()
        torch.testing.assert_close(module(logits, target), expected.mean(), rtol=1e-6, atol=0)
        torch.testing.assert_close(module(logits, target.unsqueeze(-1)), expected.mean(), rtol=1e-6, atol=0)
    if anchors == 5:
        assert focal_loss(logits, target) != focal_loss(logits, target, class_dim=-1)
    rows_only = focal_loss(logits[:, 0], target[:, 0], alpha=alpha, reduction="none")
    torch.testing.assert_close(rows_only, expected.view(2, -1)[:, 0])


def test_a_square_picture_is_not_mistaken_for_classes_last():
    last, target = rows(2, 5, 5)  # H = W = C
    expected = by_hand(last.flatten(0, 2), target.flatten(), 2.0, None).mean()
    torch.testing.assert_close(focal_loss(last.movedim(-1, 1), target), expected)
    assert focal_loss(last, target) != expected


@pytest.mark.parametrize("class_dim", [0, 1, 2, 3, -1, -4])
def test_classes_along_any_dimension(class_dim):
    last, target = rows(2, 3, 4)
    expected = focal_loss(last, target, class_dim=-1, reduction="none")
    logits = last.movedim(-1, class_dim)
    torch.testing.assert_close(focal_loss(logits, target, class_dim=class_dim, reduction="none"), expected)
    soft = F.one_hot(target, 5).double().movedim(-1, class_dim)
    torch.testing.assert_close(focal_loss(logits, soft, class_dim=class_dim, reduction="none"), expected)


def test_calling_twice_gives_the_same_value():
    logits, target = rows(6)
    loss = FocalLoss(alpha=0.25)
    assert loss(logits, target) == loss(logits, target)
    assert focal_loss(logits, target, alpha=ALPHA) == focal_loss(logits, target, alpha=ALPHA)
    assert ALPHA.tolist() == [0.1, 0.2, 0.3, 0.4, 2.0]


@pytest.mark.parametrize("alpha", [0, 1, 0.0, 1.0, torch.tensor(1.0), torch.tensor(0.0), np.float32(1)])
def test_alpha_at_its_bounds(alpha):
    logits, target = rows(20)
    loss = FocalLoss(alpha=alpha, reduction="none")(logits, target)
    silent = target == 0 if float(alpha) == 0 else target != 0
    assert torch.equal(loss == 0, silent)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_integer_targets_of_any_dtype(dtype):
    logits, target = rows(6)
    target[2] = 255
    expected = focal_loss(logits, target, ignore_index=255)
    if dtype == torch.int64:
        assert expected == focal_loss(logits, target.masked_fill(target == 255, -100))
    assert focal_loss(logits, target.to(dtype), ignore_index=255) == expected


@pytest.mark.parametrize(
    "values", [[0.1, 0.2, 0.3, 0.4, 2], np.array([0.1, 0.2, 0.3, 0.4, 2.0]), tuple(ALPHA.tolist())]
)
def test_numbers_per_class_in_any_container(values):
    logits, target = rows(6)
    expected = focal_loss(logits, target, alpha=ALPHA, gamma=ALPHA)
    torch.testing.assert_close(focal_loss(logits, target, alpha=values, gamma=values), expected)


def test_tensors_are_buffers():
    loss = FocalLoss(gamma=[1, 2, 3], alpha=[0.1, 0.2, 0.3])
    assert dict(loss.named_buffers()).keys() == {"gamma", "alpha"}
    other = FocalLoss(gamma=[0, 0, 0], alpha=[0, 0, 0])
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other.alpha, loss.alpha)
    given = torch.ones(3)
    kept = FocalLoss(alpha=given).alpha
    given.zero_()
    assert kept.tolist() == [1, 1, 1]
    assert not [v for v in vars(FocalLoss(alpha=0.25)).values() if isinstance(v, Tensor)]
    meta = loss.to("meta")
    assert meta(torch.randn(4, 3, device="meta"), torch.zeros(4, dtype=torch.long, device="meta")).device.type == "meta"


def test_weights_from_counts():
    counts = torch.tensor([90, 10])
    assert FocalLoss(alpha="inverse", class_counts=counts).alpha.tolist() == pytest.approx([0.2, 1.8])
    assert FocalLoss(alpha="effective", class_counts=[50, 50]).alpha.tolist() == pytest.approx([1, 1])
    assert FocalLoss(alpha="sqrt_inverse", class_counts=[9, 1]).alpha.tolist() == pytest.approx([0.5, 1.5])
    with pytest.raises(ValueError, match="class 1 has none"):
        FocalLoss(alpha="inverse", class_counts=[5, 0])
    assert FocalLoss(class_counts=[5, 0]).alpha is None  # counts that are not needed are not judged


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"gamma": "abc"}, TypeError, "gamma must be a number, got 'abc'"),
        ({"gamma": True}, TypeError, "gamma must be a number, got True"),
        ({"gamma": None}, TypeError, "gamma must be a number, got None"),
        ({"gamma": -1}, ValueError, "gamma must be a finite number ≥ 0, got -1"),
        ({"gamma": float("nan")}, ValueError, "gamma must be a finite number ≥ 0, got nan"),
        ({"gamma": [1, -2]}, ValueError, "gamma[1] must be a finite number ≥ 0, got -2"),
        ({"gamma": [1, 2], "class_counts": [5, 5, 5]}, ValueError, "gamma has 2 numbers, but there are 3 classes"),
        ({"alpha": [0.1, "x"]}, TypeError, "alpha[1] must be a number, got 'x'"),
        ({"alpha": [0.1, None]}, TypeError, "alpha[1] must be a number, got None"),
        ({"alpha": []}, ValueError, "alpha must be one number or one number per class, got an empty list"),
        ({"alpha": [0.1, -0.2]}, ValueError, "alpha[1] must be a finite number ≥ 0, got -0.2"),
        ({"alpha": -0.1}, ValueError, "alpha must be a finite number ≥ 0, got -0.1"),
        ({"alpha": 1.5}, ValueError, "alpha as one number must be a finite number in [0, 1], got 1.5"),
        ({"alpha": torch.tensor([0.1, float("nan")])}, ValueError, "alpha must be a finite number ≥ 0, got nan"),
        ({"alpha": torch.ones(2, 2)}, ValueError, "got shape (2, 2)"),
        ({"alpha": [1, 2], "class_counts": [5, 5, 5]}, ValueError, "alpha has 2 numbers, but there are 3 classes"),
        ({"alpha": "rare"}, ValueError, "one of inverse, sqrt_inverse, effective, got 'rare'"),
        ({"alpha": "inverse"}, ValueError, "give class_counts"),
        ({"alpha": 0.2, "background_class": 3, "class_counts": [5, 5, 5]}, ValueError, "none of the 3 classes"),
        ({"background_class": 0.5}, TypeError, "background_class must be an integer, got 0.5"),
        ({"class_dim": "1"}, TypeError, "class_dim must be an integer, got '1'"),
        ({"ignore_index": None}, TypeError, "ignore_index must be an integer, got None"),
        ({"label_smoothing": 1.5}, ValueError, "label_smoothing must be a finite number in [0, 1], got 1.5"),
        ({"reduction": "average"}, ValueError, "one of none, sum, mean, weighted_mean, mean_positive, got 'average'"),
    ],
)
def test_invalid_arguments_are_refused_when_built(arguments, error, says):
    with pytest.raises(error, match=re.escape(says)):
        FocalLoss(**arguments)
    if "class_counts" not in arguments and not isinstance(arguments.get("alpha"), str):
        with pytest.raises(error, match=re.escape(says)):
            focal_loss(*rows(3), **arguments)


LOGITS = torch.zeros(2, 3)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize(
    ("logits", "target", "error", "says"),
    [
        (
            LOGITS,
            torch.tensor([0, 255]),
            ValueError,
            "target 255 is none of the 3 classes (0 to 2) nor ignore_index=-100",
        ),
        (LOGITS, torch.tensor([-1, 0]), ValueError, "target -1 is none of the 3 classes"),
        (LOGITS, torch.tensor([-100, 3]), ValueError, "target 3 is none of the 3 classes"),
        (LOGITS, torch.tensor([0, 1, 2]), ValueError, "target of shape (3,) does not fit logits of shape (2, 3)"),
        (LOGITS, torch.eye(3)[:2].long(), ValueError, "floating point, in the shape of the logits"),
        (LOGITS, torch.tensor([0.0, 1.0]), TypeError, "class indices must be integers, got torch.float32"),
        (LOGITS.long(), torch.tensor([0, 1]), ValueError, "logits must be floating point (N, C, …)"),
        (LOGITS[0], torch.tensor(0), ValueError, "logits must be floating point (N, C, …)"),
    ],
)
def test_input_that_does_not_fit_is_refused_in_one_sentence(gamma, logits, target, error, says):
    with pytest.raises(error, match=re.escape(says)):
        FocalLoss(gamma)(logits, target)


def test_lengths_and_dimensions_are_checked_against_the_logits():
    for name in ("gamma", "alpha"):
        with pytest.raises(ValueError, match=f"{name} has 2 numbers, but there are 3 classes"):
            FocalLoss(**{name: [1, 2]})(LOGITS, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="no dimension class_dim=2"):
        focal_loss(LOGITS, torch.tensor([0, 1]), class_dim=2)
    with pytest.raises(ValueError, match="background_class=7 is none of the 3 classes"):
        focal_loss(LOGITS, torch.tensor([0, 1]), alpha=0.2, background_class=7)
