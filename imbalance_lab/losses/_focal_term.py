"""The focal term (1 − p)^γ (−log p), without cancellation; fused for large eager input.

``1 − softmax(z)`` in float32 has lost all digits once a class leads by 20, so it is summed from the *other* classes,
and so is −log p = log1p(others / own) for p > ½.
"""

from typing import Any

import torch
from torch import Tensor

from imbalance_lab.losses._focal_kernels import (
    eager_exponentials,
    eager_gradient,
    keeps_exponentials,
    minus_log,
    target_lead,
    traced_exponentials,
    traced_gradient,
)
from imbalance_lab.losses.checks import in_full_precision, is_batched, needs_plain_operations
from imbalance_lab.losses.targets import is_class


def target_term(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None = None) -> Tensor:
    """The weighted term w (1 − p_y)^γ (−log p_y), with p = softmax(z), differentiable any number of times.

    Args:
        logits: (N, C, …).
        target: valid class indices, (N, …).
        gamma: γ ≥ 0, one number or one per target, (N, …).
        weight: w of each target, (N, …); None for 1.

    Returns:
        one term per target, (N, …), at least float32.
    """
    if torch.compiler.is_exporting() or needs_plain_operations(gamma, weight):
        return _composite(logits, target, gamma, weight)
    if torch.compiler.is_compiling():
        target = target.int()  # compared with every class: half the bytes, twice the lanes
    if logits.dim() == 2:
        return _fused(logits, target, gamma, weight)
    # As (R, C) if the classes are adjacent in memory, else as (N, C, M).
    rows = logits.stride(1) == 1
    z = logits.movedim(1, -1).flatten(0, -2) if rows else logits.flatten(2)
    start = 0 if rows else 1
    gamma = gamma.flatten(start) if isinstance(gamma, Tensor) else gamma
    weight = None if weight is None else weight.flatten(start)
    return _fused(z, target.flatten(start), gamma, weight).view(target.shape)


def class_terms(logits: Tensor, gamma: float | Tensor) -> Tensor:
    """(1 − p_c)^γ (−log p_c) of *every* class: (N, C, …), at least float32, for soft targets.

    Args:
        logits: (N, C, …).
        gamma: γ ≥ 0, one number or one per class, broadcast to the logits.
    """
    logits = in_full_precision(logits)
    # Only the leader can have p > ½; measured from it, its own exponential is exactly 1.
    leading, leader = logits.max(1)
    is_leader = is_class(leader, logits)
    behind = (leading.unsqueeze(1) - logits).masked_fill(is_leader, 0)  # or its gradient, 1 − 1, would cover the rest
    exponentials = (-behind).exp()
    others = exponentials.masked_fill(is_leader, 0).sum(1, keepdim=True)
    total = 1 + others
    miss = torch.where(is_leader, others, total - exponentials) / total
    return power(miss, gamma) * (others.log1p() + behind)


def power(base: Tensor, exponent: float | Tensor) -> Tensor:
    """base^exponent for base ≥ 0, with gradient 0 instead of ∞ where the base underflows and exponent < 1."""
    vanished = base < torch.finfo(base.dtype).tiny
    base = torch.where(vanished, 1, base)
    result = base.pow(exponent)
    if isinstance(exponent, Tensor):  # at 0, torch's power has lost the mixed derivative by base and exponent
        result = torch.where(exponent == 0, (exponent * base.log()).exp(), result)
    return torch.where(vanished, 0, result)


def _composite(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None) -> Tensor:
    """The term in plain operations, which can be differentiated again."""
    logits = in_full_precision(logits)
    peak = logits.detach().amax(1, keepdim=True)
    lead = (logits.gather(1, target.unsqueeze(1)) - peak).squeeze(1)
    own = lead.exp()
    others = (logits - peak).exp().masked_fill(is_class(target, logits), 0).sum(1)
    total = own + others
    # From the others for p > ½, else from the own, so that small values keep their digits, in the gradient too.
    sure = others < own
    miss = torch.where(sure, others / total, 1 - own / total)
    cross_entropy = torch.where(sure, torch.log1p(others / torch.where(sure, own, 1)), total.log() - lead)
    term = power(miss, gamma) * cross_entropy
    return term if weight is None else term * weight


def _fused(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None) -> Tensor:
    term: Tensor = _FusedTerm.apply(logits, target, gamma, weight)
    return term


class _FusedTerm(torch.autograd.Function):
    """The term of (R, C) or (N, C, M), in fewer passes and less memory than cross-entropy takes.

    The gradient at the target is −s, with s = w (1 − p_y)^γ (1 − p_y + γ p_y (−log p_y)), and the other classes
    share +s in proportion to their exponentials. It is written in backward, from the incoming gradient: a
    loss scale applied afterwards could not bring back what half precision had flushed to zero.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None) -> Tensor:
        exponentials = traced_exponentials if torch.compiler.is_compiling() else eager_exponentials
        keep = ctx.needs_input_grad[0] and keeps_exponentials(logits)
        peak, own, others, saved = exponentials(logits, target, keep=keep)
        # In place from here on: with few classes the vectors (N,) take most of the time and memory.
        if peak is None:
            p, miss = own, others
            cross_entropy = minus_log(p, miss, logits, target)
        else:
            # log Σ exp − z_y: own is 1 for the leading class, and for any other, others ≥ 1, so nothing cancels.
            cross_entropy = (own - 1).add_(others).log1p_().sub_(target_lead(logits, target, peak))
            total = own + others
            p, miss = own.div_(total), others / total
        modulation = miss.pow(gamma) if weight is None else miss.pow(gamma).mul_(weight)
        if ctx.needs_input_grad[0]:
            unfocused = not isinstance(gamma, Tensor) and gamma == 0  # then 0 times an infinite loss is 0, not NaN
            focus = miss if unfocused else torch.addcmul(miss, p.mul_(gamma), cross_entropy)
            slope = focus * modulation  # not in place: miss may be the others
            scale = slope / others.clamp_min_(torch.finfo(others.dtype).tiny)
            ctx.gamma, ctx.weight = gamma, weight
            ctx.save_for_backward(logits, target, peak, scale, slope, saved)
        return modulation.mul_(cross_entropy)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        logits, target, peak, scale, slope, saved = ctx.saved_tensors
        # Whether this gradient will itself be differentiated.
        differentiable = torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if differentiable or (not torch.compiler.is_compiling() and is_batched(gradient)):
            with torch.enable_grad():
                term = _composite(logits, target, ctx.gamma, ctx.weight)
            (result,) = torch.autograd.grad(term, logits, gradient, create_graph=differentiable)
            return result, None, None, None
        write = traced_gradient if torch.compiler.is_compiling() else eager_gradient
        scale, slope, gradient = scale.unsqueeze(1), slope.unsqueeze(1), gradient.unsqueeze(1)
        return write(logits, target, peak, saved, scale, slope, gradient), None, None, None
