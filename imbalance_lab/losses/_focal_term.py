"""The focal term (1 − p)^γ (−log p), without cancellation; fused for large eager input.

``1 − softmax(z)`` has no correct digit left once a class leads by 20, so it is summed from the *other*
classes, and −log p = log1p(others / own) for p > ½ likewise.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from imbalance_lab.losses.checks import in_full_precision
from imbalance_lab.losses.targets import is_class

CHUNK = 1 << 17
"""How many logits a thread works on at a time on a CPU where they are not kept: as many as stay in its cache."""

WIDE = 16
"""From so many classes side by side on torch's softmax is faster than its parts on a CPU."""


def target_term(logits: Tensor, target: Tensor, gamma: float | Tensor, weight: Tensor | None = None) -> Tensor:
    """The weighted term w (1 − p_y)^γ (−log p_y), with p = softmax(z), differentiable as often as wanted.

    Args:
        logits: (N, C, …).
        target: class indices, all of them valid, (N, …).
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


def scale_saved_grad(kept: Tensor, factor: Tensor) -> Tensor:
    """In a backward pass, ``kept`` times ``factor``, written over ``kept`` unless the graph is retained.

    Nobody needs it again then, and the first touch of fresh memory costs as much as the pass.
    """
    result = torch.empty_like(kept) if torch._C._autograd._get_current_graph_task_keep_graph() else kept
    return torch.mul(kept, factor, out=result)


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
        exponentials = _traced_exponentials if torch.compiler.is_compiling() else _exponentials
        peak, own, others, kept = exponentials(logits, target, keep=ctx.needs_input_grad[0] and _is_kept(logits))
        # In place from here on: with few classes it is the vectors (N,) that take the time and the memory.
        if peak is None:
            p, miss = own, others
            cross_entropy = _minus_log(p, miss, logits, target)
        else:
            # log Σ exp − z_y: own is 1 for the leader, and for all else others ≥ 1, so that nothing cancels.
            cross_entropy = (own - 1).add_(others).log1p_().sub_(_lead(logits, target, peak))
            total = own + others
            p, miss = own.div_(total), others / total
        modulation = miss.pow(gamma) if weight is None else miss.pow(gamma).mul_(weight)
        if ctx.needs_input_grad[0]:
            slope = torch.addcmul(miss, p.mul_(gamma), cross_entropy).mul_(modulation)
            scale = slope / others.clamp_min_(torch.finfo(others.dtype).tiny)
            ctx.gamma, ctx.weight = gamma, weight
            ctx.save_for_backward(logits, target, peak, scale, slope, kept)
        return modulation.mul_(cross_entropy)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        logits, target, peak, scale, slope, kept = ctx.saved_tensors
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            # This gradient will be differentiated in its turn.
            term = _composite(logits, target, ctx.gamma, ctx.weight)
            (twice,) = torch.autograd.grad(term, logits, gradient, create_graph=True)
            return twice, None, None, None
        written = _traced_gradient if torch.compiler.is_compiling() else _gradient
        scale, slope, gradient = scale.unsqueeze(1), slope.unsqueeze(1), gradient.unsqueeze(1)
        return written(logits, target, peak, kept, scale, slope, gradient), None, None, None


def _is_kept(logits: Tensor) -> bool:
    """Whether the exponentials are kept for the gradient, which is then written over them.

    In half precision they would take more memory than cross-entropy does, and a kernel compiled for a GPU computes an
    exponential sooner than it reads one.
    """
    compiled_for_gpu = torch.compiler.is_compiling() and logits.device.type != "cpu"
    return logits.dtype in (torch.float32, torch.float64) and not compiled_for_gpu


def _takes_softmax(logits: Tensor) -> bool:
    """Whether torch's softmax is faster than its parts."""
    return logits.device.type == "cpu" and (logits.dim() == 3 or logits.shape[1] >= WIDE)


def _lead(logits: Tensor, target: Tensor, peak: Tensor) -> Tensor:
    """z_y − peak, (N, …)."""
    return (logits.gather(1, target.long().unsqueeze(1)) - peak).squeeze(1)


def _minus_log(p: Tensor, miss: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """−log p = log(1 + (1 − p) / p), and from the logits where p has vanished."""
    cross_entropy = (miss / p).log1p_()
    vanished = p < torch.finfo(p.dtype).tiny
    if vanished.any():
        z = in_full_precision(logits.movedim(1, -1)[vanished])
        cross_entropy[vanished] = z.logsumexp(1) - z.gather(1, target[vanished].unsqueeze(1)).squeeze(1)
    return cross_entropy


Exponentials = tuple[Tensor | None, Tensor, Tensor, Tensor | None]


def _exponentials(logits: Tensor, target: Tensor, *, keep: bool) -> Exponentials:
    """exp(z_c − peak), or softmax(z) where that is faster: ``peak`` is then None.

    Returns:
        peak, (N, 1, …); the exponential of the target, and the sum of the others, both (N, …); if ``keep``, all of
        them, like the logits, with 0 at the target.
    """
    column = target.unsqueeze(1)
    own = torch.empty_like(column, dtype=torch.promote_types(logits.dtype, torch.float32))
    others = torch.empty_like(own)
    peak = None if _takes_softmax(logits) else torch.empty_like(own)
    kept = torch.empty_like(logits) if keep else None
    whole = logits, column, own, others, own if peak is None else peak
    for each, z, y, own_part, others_part, top in [(kept, *whole)] if kept is not None else _parts(*whole):
        if peak is None:
            torch.softmax(z, 1, dtype=each.dtype, out=each)
        else:
            z = z if z.dtype == each.dtype else each.copy_(z)
            torch.amax(z, 1, keepdim=True, out=top)
            torch.sub(z, top, out=each).exp_()
        torch.gather(each, 1, y, out=own_part)
        torch.sum(each.scatter_(1, y, 0), 1, keepdim=True, out=others_part)
    return peak, own.squeeze(1), others.squeeze(1), kept


def _gradient(
    logits: Tensor,
    target: Tensor,
    peak: Tensor | None,
    kept: Tensor | None,
    scale: Tensor,
    slope: Tensor,
    gradient: Tensor,
) -> Tensor:
    """The incoming gradient times ``scale`` and the exponentials, at the target times −``slope``; like the logits."""
    column = target.unsqueeze(1)
    if kept is not None:
        return scale_saved_grad(kept, scale * gradient).scatter_(1, column, slope * -gradient)
    result = torch.empty_like(logits)
    whole = logits, column, scale, slope, gradient, scale if peak is None else peak, result
    for each, z, y, scale_part, slope_part, incoming, top, out in _parts(*whole):
        if peak is None:
            torch.softmax(z, 1, dtype=each.dtype, out=each)
        else:  # converted first: a subtraction of two dtypes would make one more copy
            each.copy_(z).sub_(top).exp_()
        out.copy_(each.mul_(scale_part * incoming).scatter_(1, y, slope_part * -incoming))
    return result


def _traced_exponentials(logits: Tensor, target: Tensor, *, keep: bool) -> Exponentials:
    """`_exponentials` as the compiler wants it: plain, in one piece."""
    z = in_full_precision(logits)
    peak = z.amax(1, keepdim=True)
    each = (z - peak).exp()
    each = each.scatter(1, target.long().unsqueeze(1), 0) if keep else each.masked_fill(is_class(target, z), 0)
    return peak, _lead(z, target, peak).exp(), each.sum(1), each if keep else None


def _traced_gradient(
    logits: Tensor, target: Tensor, peak: Tensor, kept: Tensor | None, scale: Tensor, slope: Tensor, gradient: Tensor
) -> Tensor:
    """`_gradient` as the compiler wants it."""
    if kept is not None:
        return (kept * (scale * gradient)).scatter(1, target.long().unsqueeze(1), slope * -gradient)
    others = (in_full_precision(logits) - peak).exp() * (scale * gradient)
    return torch.where(is_class(target, logits), slope * -gradient, others).to(logits.dtype)


def _parts(logits: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Cut (R, C) by rows, (N, C, M) by examples and positions, never through the classes; a GPU takes all at once.

    ``others``, (R, 1) or (N, 1, M), are cut alike. Before the parts comes memory to work in, in full precision and of
    the shape of that part of the logits, the same again and again.
    """
    precise = torch.promote_types(logits.dtype, torch.float32)
    size = CHUNK * torch.get_num_threads()
    if logits.numel() <= size or logits.device.type != "cpu":
        yield torch.empty_like(logits, dtype=precise), logits, *others
        return
    scratch = None
    rows, positions = max(1, size // logits[0].numel()), max(1, size // logits.shape[1])
    for cut in _split((logits, *others), rows, 0):
        for part in _split(cut, positions, 2) if logits.dim() == 3 else [cut]:
            if scratch is None or scratch.shape != part[0].shape:
                scratch = torch.empty_like(part[0], dtype=precise)
            yield scratch, *part


def _split(tensors: tuple[Tensor, ...], size: int, dim: int) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(torch.split(tensor, size, dim) for tensor in tensors), strict=True)
