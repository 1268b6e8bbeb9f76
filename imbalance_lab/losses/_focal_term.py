"""The focal term (1 − p)^γ (−log p), without cancellation; fused for large eager input.

``1 − softmax(z)`` has no correct digit left once a class leads by 20, so it is summed from the *other*
classes, and −log p = log1p(others / own) for p > ½ likewise.
"""

import math
from collections.abc import Iterator
from types import EllipsisType
from typing import Any

import torch
from torch import Tensor

from imbalance_lab.losses.checks import in_full_precision
from imbalance_lab.losses.targets import is_class

CHUNK = 1 << 17
"""Logits that the fused form works on at a time on a CPU, a thread: they and their exponentials stay in its cache."""

WIDE = 16
"""From so many classes on torch's softmax on a CPU is faster than its parts, and worth keeping for the gradient."""


def target_term(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None = None) -> Tensor:
    """The weighted term w (1 − p_y)^γ (−log p_y), with p = softmax(z), differentiable as often as wanted.

    Args:
        logits: (N, C, …).
        target: class numbers, all of them valid, (N, …).
        gamma: γ ≥ 0, a number or one a target, (N, …).
        weight: w of each target, (N, …); None for 1.

    Returns:
        one term a target, (N, …), at least float32.
    """
    if _by_plain_operations(logits, gamma, weight):
        return _composite(logits, target, gamma, weight)
    if torch.compiler.is_compiling():
        target = target.int()  # compared with every class: half the bytes, twice the lanes
    if logits.dim() == 2:
        return _fused(logits, target, gamma, weight)
    # Where the classes lie side by side in memory, as (R, C); else as (N, C, M).
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


def _composite(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None) -> Tensor:
    """The term in plain operations, which can be differentiated again."""
    logits = in_full_precision(logits)
    peak = logits.detach().amax(1, keepdim=True)
    lead = (logits.gather(1, target.unsqueeze(1)) - peak).squeeze(1)
    own = lead.exp()
    others = (logits - peak).exp().masked_fill(is_class(target, logits), 0).sum(1)
    total = own + others
    # For p > ½ from the others, else from the own: what is small keeps its digits, in the gradient too.
    sure = others < own
    miss = torch.where(sure, others / total, 1 - own / total)
    cross_entropy = torch.where(sure, torch.log1p(others / torch.where(sure, own, 1)), total.log() - lead)
    term = power(miss, gamma) * cross_entropy
    return term if weight is None else term * weight


def _by_plain_operations(logits: Tensor, gamma: float | Tensor, weight: Tensor | None) -> bool:
    """Whether something looks through what `_FusedTerm` hides: export, `torch.func`, the gradient of a knob."""
    if torch.compiler.is_compiling():
        return torch.compiler.is_exporting()
    learnt = any(isinstance(knob, Tensor) and knob.requires_grad for knob in (gamma, weight))
    return learnt or torch._C._functorch.is_functorch_wrapped_tensor(logits)


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
        kept = peak = None
        if _is_wide(logits):
            kept, p, miss, cross_entropy = _probabilities(logits, target)
            others = miss
        else:
            peak, others = _peak_and_others(logits, target)
            others = others.squeeze(1)
            lead = (logits.gather(1, target.long().unsqueeze(1)) - peak).squeeze(1)
            own = lead.exp()
            total = own + others
            p, miss = own / total, others / total
            # log Σ exp − z_y: own is 1 for the leader, and for all else others ≥ 1, so that nothing cancels.
            cross_entropy = torch.log1p(own - 1 + others) - lead
        modulation = miss.pow(gamma) if weight is None else miss.pow(gamma) * weight
        if ctx.needs_input_grad[0]:
            slope = (p * cross_entropy * gamma + miss) * modulation
            scale = slope / others.clamp_min(torch.finfo(others.dtype).tiny)
            ctx.gamma, ctx.weight = gamma, weight
            ctx.save_for_backward(logits, target, peak, scale, slope, kept)
        return modulation * cross_entropy

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        logits, target, peak, scale, slope, kept = ctx.saved_tensors
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            # This gradient will be differentiated in its turn.
            term = _composite(logits, target, ctx.gamma, ctx.weight)
            (twice,) = torch.autograd.grad(term, logits, gradient, create_graph=True)
            return twice, None, None, None
        scale, own = (scale * gradient).unsqueeze(1), (slope * -gradient).unsqueeze(1)
        if kept is not None:
            # Without retain_graph nobody needs it again: no fresh memory, whose first touch costs as much as the pass.
            result = torch.empty_like(kept) if torch._C._autograd._get_current_graph_task_keep_graph() else kept
            torch.mul(kept, scale, out=result).scatter_(1, target.unsqueeze(1), own)
            return result, None, None, None
        return _scaled_exponentials(logits, target, peak, scale, own), None, None, None


def _is_wide(logits: Tensor) -> bool:
    """Whether to work on probabilities: in half precision they would take more memory than cross-entropy does."""
    on_cpu = logits.device.type == "cpu" and not torch.compiler.is_compiling()
    return on_cpu and logits.shape[1] >= WIDE and logits.dtype in (torch.float32, torch.float64)


def _probabilities(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Softmax with the target's zeroed, like the logits; and of each target p, 1 − p and −log p."""
    column = target.unsqueeze(1)
    kept = torch.softmax(logits, 1)
    p = kept.gather(1, column).squeeze(1)
    miss = kept.scatter_(1, column, 0).sum(1)
    # Of p and 1 − p the smaller has all its digits.
    cross_entropy = torch.where(miss < p, -torch.log1p(-miss), -p.log())
    lost = p < torch.finfo(p.dtype).tiny
    if lost.any():
        z = logits.movedim(1, -1)[lost]
        cross_entropy[lost] = z.logsumexp(1) - z.gather(1, target[lost].unsqueeze(1)).squeeze(1)
    return kept, p, miss, cross_entropy


def _peak_and_others(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """max_c z_c and Σ_{c≠y} exp(z_c − max), both (N, 1, …)."""
    if torch.compiler.is_compiling():
        logits = in_full_precision(logits)
        peak = logits.amax(1, keepdim=True)
        others = (logits - peak).exp().masked_fill(is_class(target, logits), 0).sum(1, keepdim=True)
        return peak, others
    column = target.unsqueeze(1)
    precise = torch.promote_types(logits.dtype, torch.float32)
    peak = torch.empty(column.shape, dtype=precise, device=logits.device)
    others = torch.empty_like(peak)
    scratch = peak.new_empty(0)
    for part in _parts(logits):
        chunk = logits[part].to(precise)
        torch.amax(chunk, 1, keepdim=True, out=peak[part])
        if chunk.dtype != logits.dtype:
            scratch = chunk  # already a copy
        elif scratch.shape != chunk.shape:
            scratch = torch.empty_like(chunk)
        torch.sub(chunk, peak[part], out=scratch).exp_().scatter_(1, column[part], 0)
        torch.sum(scratch, 1, keepdim=True, out=others[part])
    return peak, others


def _scaled_exponentials(logits: Tensor, target: Tensor, peak: Tensor, scale: Tensor, own: Tensor) -> Tensor:
    """The gradient, like the logits: scale · exp(z_c − peak) for the other classes, ``own`` for the target."""
    if torch.compiler.is_compiling():
        others = (in_full_precision(logits) - peak).exp() * scale
        return torch.where(is_class(target, logits), own, others).to(logits.dtype)
    column = target.unsqueeze(1)
    result = torch.empty_like(logits)
    for part in _parts(logits):
        out = result[part]
        if out.dtype == peak.dtype:
            chunk = torch.sub(logits[part], peak[part], out=out)
        else:  # converted first: a subtraction of two dtypes would make one more copy
            chunk = logits[part].to(peak.dtype).sub_(peak[part])
        chunk.exp_().mul_(scale[part]).scatter_(1, column[part], own[part])
        if chunk is not out:
            out.copy_(chunk)
    return result


def _parts(logits: Tensor) -> Iterator[tuple[slice | EllipsisType, ...]]:
    """Cut (R, C) by rows, (N, C, M) by examples and positions, never through the classes; a GPU takes all at once."""
    size = CHUNK * torch.get_num_threads()
    if logits.numel() <= size or logits.device.type != "cpu":
        yield (...,)
        return
    examples, classes = logits.shape[:2]
    positions = math.prod(logits.shape[2:])
    step = max(1, size // (classes * positions))
    width = max(1, min(positions, size // classes))
    for start in range(0, examples, step):
        for left in range(0, positions, width):
            yield (slice(start, start + step), slice(None), slice(left, left + width))[: logits.dim()]
