"""What every loss must satisfy."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.losses.soft_targets import accepts_soft_targets
from imbalance_lab.testing.modules import check_moves, check_state_dict, check_tensors_are_registered

MakeLoss = Callable[..., nn.Module]


def check_loss(
    make: MakeLoss,
    num_classes: int = 4,
    *,
    multilabel: bool = False,
    dtypes: Sequence[torch.dtype] = (torch.float32,),
) -> None:
    """Check a loss on random logits (N, C) and targets, and at extreme values.

    Args:
        make: builds the loss; is given ``class_counts`` (C,), and for labels ``num_labels``, if it takes them by name.
        num_classes: C.
        multilabel: whether targets are 0/1 labels (N, C) instead of class indices (N,).
        dtypes: of the logits for which loss and gradient at ±1e4 must be finite; add ``torch.bfloat16`` and
            ``torch.float16`` for a loss that takes half precision outside of autocast.

    Raises:
        AssertionError: saying what does not hold.
    """
    counts = torch.tensor([400 // 3**c + 2 for c in range(num_classes)])

    def build() -> nn.Module:
        labels = {"num_labels": num_classes} if multilabel else {}
        return make(**accepted_arguments(make, {"class_counts": counts, **labels}))

    loss = build()
    assert isinstance(loss, nn.Module), f"a loss is an nn.Module, got {type(loss).__name__}"
    check_tensors_are_registered(loss)
    check_moves(loss)
    logits, target = _batch(num_classes, multilabel)
    _check_value(loss, logits, target)
    _check_extreme_logits(build, logits, target, dtypes)
    _check_permutation_of_examples(build, logits, target)
    check_state_dict(loss, build())
    _check_members(build, logits, target)
    _check_soft_targets(build, logits, target)
    _check_protocol(loss, counts, multilabel)


def _batch(num_classes: int, multilabel: bool) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(24, num_classes, generator=generator)
    if multilabel:
        return logits, (torch.rand(24, num_classes, generator=generator) < 0.4).long()
    return logits, torch.arange(24) % num_classes


def _check_value(loss: nn.Module, logits: Tensor, target: Tensor) -> None:
    logits = logits.clone().requires_grad_()
    value = loss(logits, target)
    assert isinstance(value, Tensor), f"a loss returns a tensor, got {type(value).__name__}"
    assert value.ndim == 0, f"a loss returns a scalar, got shape {tuple(value.shape)}"
    assert bool(value.isfinite()), f"the loss of ordinary logits is {value.item()}"
    value.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None, "no gradient reaches the logits"
    assert bool(logits.grad.isfinite().all()), "the gradient of ordinary logits is not finite"
    assert bool(logits.grad.any()), "the gradient of ordinary logits is zero"


def _check_extreme_logits(
    build: Callable[[], nn.Module], logits: Tensor, target: Tensor, dtypes: Sequence[torch.dtype]
) -> None:
    for dtype in dtypes:
        extreme = (logits.sign() * 1e4).to(dtype).requires_grad_()
        value = build()(extreme, target)
        assert bool(value.isfinite()), f"the loss of logits of ±1e4 in {dtype} is {value.item()}"
        value.backward()
        finite = extreme.grad is not None and bool(extreme.grad.isfinite().all())
        assert finite, f"the gradient of logits of ±1e4 in {dtype} is not finite"


def _check_permutation_of_examples(build: Callable[[], nn.Module], logits: Tensor, target: Tensor) -> None:
    order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(1))
    value, permuted = build()(logits, target), build()(logits[order], target[order])
    same = torch.allclose(value, permuted, rtol=1e-5, atol=1e-6)
    assert same, f"the loss depends on the order of the examples: {value.item()} and {permuted.item()}"


def _check_members(build: Callable[[], nn.Module], logits: Tensor, target: Tensor) -> None:
    """A loss that says ``is_mean_over_examples`` gives the mean of two nets' losses in one call."""
    if not getattr(build(), "is_mean_over_examples", False):
        return
    others = logits.flip(1)
    at_once = build()(torch.cat([logits, others]), torch.cat([target, target]))
    apart = (build()(logits, target) + build()(others, target)) / 2
    same = torch.allclose(at_once, apart, rtol=1e-5, atol=1e-6)
    assert same, (
        f"the loss says is_mean_over_examples, but of two nets' logits at once it is {at_once.item()}, and the mean of "
        f"their losses {apart.item()}"
    )


def _check_soft_targets(build: Callable[[], nn.Module], logits: Tensor, target: Tensor) -> None:
    """A loss that says ``accepts_soft_targets`` costs the same for a class and for a distribution that is only it."""
    if not accepts_soft_targets(build()):
        return
    shares = (target if target.ndim == 2 else nn.functional.one_hot(target, logits.shape[1])).to(logits.dtype)
    hard, soft = build()(logits, target), build()(logits, shares)
    assert torch.allclose(hard, soft, rtol=1e-5, atol=1e-6), (
        f"the loss says accepts_soft_targets, but classes cost {hard.item()}, and the same as distributions "
        f"{soft.item()}"
    )
    shared = build()(logits, (shares + shares.flip(0)) / 2)
    assert not torch.allclose(hard, shared, rtol=1e-5, atol=1e-6), "the loss does not depend on the shares of a target"


def _check_protocol(loss: nn.Module, counts: Tensor, multilabel: bool) -> None:
    activation = getattr(loss, "activation", "softmax")
    assert activation in ("softmax", "sigmoid"), f"activation must be softmax or sigmoid, got {activation!r}"
    if multilabel and getattr(loss, "num_labels", None) is None:
        assert activation == "sigmoid", "a loss of labels has activation = 'sigmoid'"
    implied = getattr(loss, "implied_prior", None)
    if implied is None:
        return
    prior = implied(counts.double() / counts.sum())
    if prior is None:
        return
    assert isinstance(prior, Tensor), f"implied_prior returns a tensor or None, got {type(prior).__name__}"
    assert prior.shape == counts.shape, (
        f"implied_prior returns (C,), got {tuple(prior.shape)} for {len(counts)} classes"
    )
    assert bool((prior > 0).all()), f"every class needs a prior > 0, got {prior.tolist()}"
    assert abs(float(prior.sum()) - 1) < 1e-6, f"implied_prior must sum to 1, got {float(prior.sum())}"
