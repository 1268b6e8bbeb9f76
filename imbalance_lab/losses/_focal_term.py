"""The focal term (1 − p)^γ (−log p), without cancellation; fused for large eager input.

``1 − softmax(z)`` has no correct digit left once a class leads by 20, so it is summed from the *other* classes, and
−log p = log1p(others / own) for p > ½ likewise.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from imbalance_lab.losses.checks import in_full_precision
from imbalance_lab.losses.targets import is_class

FUSED_FROM = 10_000
"""Logits from which the fused form is the faster one; below it, launching the operations is all that costs."""

CHUNK = 1 << 17
"""Logits that the fused form works on at a time on a CPU, a thread: they and their exponentials stay in its cache."""


def target_term(logits: Tensor, target: Tensor, gamma: float | Tensor) -> Tensor:
    """(1 − p_y)^γ (−log p_y), with p = softmax(z), differentiable as often as wanted.

    Args:
        logits: (N, C, …).
        target: class numbers, all of them valid, (N, …).
        gamma: γ ≥ 0, a number or one a target, (N, …).

    Returns:
        one term a target, (N, …), at least float32.
    """
    if _worth_fusing(logits, gamma):
        return _fused(logits, target, gamma)
    return _composite(logits, target, gamma)


def class_terms(logits: Tensor, gamma: float | Tensor) -> Tensor:
    """(1 − p_c)^γ (−log p_c) of *every* class: (N, C, …), at least float32, for soft targets.

    Args:
        logits: (N, C, …).
        gamma: γ ≥ 0, a number or one a class, broadcast to the logits.
    """
    logits = in_full_precision(logits)
    # Only the leader can have p > ½; measured from it, its own exponential is exactly 1.
    leading, leader = logits.max(1)
    behind = leading.unsqueeze(1) - logits
    exponentials = (-behind).exp()
    is_leader = is_class(leader, logits)
    others = exponentials.masked_fill(is_leader, 0).sum(1, keepdim=True)
    total = 1 + others
    miss = torch.where(is_leader, others, total - exponentials) / total
    return power(miss, gamma) * (others.log1p() + behind)


def power(base: Tensor, exponent: float | Tensor) -> Tensor:
    """base^exponent for base ≥ 0, with gradient 0 instead of ∞ where the base has vanished and exponent < 1."""
    vanished = base < torch.finfo(base.dtype).tiny
    return torch.where(vanished, 0, torch.where(vanished, 1, base).pow(exponent))


def _composite(logits: Tensor, target: Tensor, gamma: float | Tensor) -> Tensor:
    """The closed form in plain operations: for small input, for the compiler, and to differentiate twice."""
    logits = in_full_precision(logits)
    column = target.unsqueeze(1)
    peak = logits.detach().amax(1, keepdim=True)
    exponentials = (logits - peak).exp()
    others = exponentials.masked_fill(is_class(target, logits), 0).sum(1)
    lead = (logits.gather(1, column) - peak).squeeze(1)
    miss, cross_entropy, _ = _miss_and_cross_entropy(others, lead)
    return power(miss, gamma) * cross_entropy


def _miss_and_cross_entropy(others: Tensor, lead: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """1 − p, −log p and Σ exp, from Σ exp of the other classes and the own logit, both measured from the peak."""
    own = lead.exp()
    total = others + own
    sure = others < own
    cross_entropy = torch.where(sure, torch.log1p(others / torch.where(sure, own, 1)), total.log() - lead)
    return others / total, cross_entropy, total


def _worth_fusing(logits: Tensor, gamma: float | Tensor) -> bool:
    return (
        logits.numel() >= FUSED_FROM
        and not torch.compiler.is_compiling()  # the compiler fuses the closed form better itself
        and not (isinstance(gamma, Tensor) and gamma.requires_grad)
        and not torch._C._functorch.is_functorch_wrapped_tensor(logits)
    )


def _fused(logits: Tensor, target: Tensor, gamma: float | Tensor) -> Tensor:
    """`_composite` by `_FusedTerm`, on rows (R, C) where the classes lie side by side in memory, else on (N, C, M)."""
    shape = target.shape
    if logits.dim() == 2 or logits.stride(1) == 1:
        logits, target = logits.movedim(1, -1).flatten(0, -2), target.flatten()
        gamma = gamma.flatten() if isinstance(gamma, Tensor) else gamma
    else:
        logits, target = logits.flatten(2), target.flatten(1)
        gamma = gamma.flatten(1) if isinstance(gamma, Tensor) else gamma
    term: Tensor = _FusedTerm.apply(logits, target, gamma)  # type: ignore[no-untyped-call]
    return term.view(shape)


class _FusedTerm(torch.autograd.Function):
    """Reads the logits twice, forward and backward, a cache-sized chunk at a time, and keeps nothing of their size.

    With w = (1 − p_y)^γ (1 + γ p_y · ce / (1 − p_y)) the gradient is w · p_c for the other classes and
    −w (1 − p_y) for the target; ce / (1 − p_y) → 1 where both vanish. It is computed in backward, from the incoming
    gradient, because a loss scale applied afterwards could not recover what half precision had flushed to zero.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, gamma: float | Tensor) -> Tensor:
        column = target.unsqueeze(1)
        precise = torch.promote_types(logits.dtype, torch.float32)
        peak = torch.empty(column.shape, dtype=precise, device=logits.device)
        others = torch.empty_like(peak)
        for part in _chunks(logits):
            chunk = logits[part].to(precise)
            torch.amax(chunk, 1, keepdim=True, out=peak[part])
            exponentials = torch.sub(chunk, peak[part]).exp_().scatter_(1, column[part], 0)
            torch.sum(exponentials, 1, keepdim=True, out=others[part])
        lead = logits.gather(1, column).to(precise) - peak
        miss, cross_entropy, total = (x.squeeze(1) for x in _miss_and_cross_entropy(others, lead))
        modulation = miss.pow(gamma)
        if ctx.needs_input_grad[0]:
            ratio = torch.where(miss > 0, cross_entropy / miss, 1)
            slope = modulation * (1 + gamma * lead.squeeze(1).exp() / total * ratio)
            ctx.gamma = gamma
            ctx.save_for_backward(logits, target, peak, slope / total, -slope * miss)
        return modulation * cross_entropy

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        logits, target, peak, scale, own = ctx.saved_tensors
        if torch.is_grad_enabled():  # this gradient will be differentiated in its turn
            term = _composite(logits, target, ctx.gamma)
            (twice,) = torch.autograd.grad(term, logits, gradient, create_graph=True)
            return twice, None, None
        column = target.unsqueeze(1)
        scale = (scale * gradient).unsqueeze(1)
        own = (own * gradient).unsqueeze(1)
        result = torch.empty_like(logits)
        same = logits.dtype == peak.dtype
        for part in _chunks(logits):
            chunk = torch.sub(logits[part], peak[part], out=result[part] if same else None)
            chunk.exp_().mul_(scale[part]).scatter_(1, column[part], own[part])
            if not same:
                result[part].copy_(chunk)
        return result, None, None


def _chunks(logits: Tensor) -> Iterator[tuple[slice, ...]]:
    """Cut (R, C) by rows and (N, C, M) by examples and positions, never through the classes."""
    size = CHUNK * torch.get_num_threads() if logits.device.type == "cpu" else logits.numel()
    examples, classes = logits.shape[:2]
    positions = math.prod(logits.shape[2:])
    step = max(1, size // (classes * positions))
    width = min(positions, max(256, size // classes))
    everything = slice(None)
    for start in range(0, examples, step):
        rows = slice(start, start + step)
        if logits.dim() == 2:
            yield (rows,)
        else:
            for left in range(0, positions, width):
                yield rows, everything, slice(left, left + width)
