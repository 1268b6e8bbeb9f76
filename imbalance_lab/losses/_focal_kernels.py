"""The kernels of the fused focal term: exponentials and gradient, in chunks on a CPU, in plain operations if traced."""

from collections.abc import Iterator

import torch
from torch import Tensor

from imbalance_lab.losses.checks import in_full_precision
from imbalance_lab.losses.targets import is_class

CHUNK = 1 << 17
"""Logits per thread and chunk on a CPU where the exponentials are not saved: as many as stay in its cache."""

WIDE = 16
"""From this number of adjacent classes on, torch's softmax is faster than its parts on a CPU."""


def scale_saved_grad(saved: Tensor, factor: Tensor) -> Tensor:
    """In a backward pass, ``saved`` times ``factor``, written over ``saved`` unless the graph is retained.

    It is not needed again then, and the first access to newly allocated memory costs as much as the pass.
    """
    result = torch.empty_like(saved) if torch._C._autograd._get_current_graph_task_keep_graph() else saved
    return torch.mul(saved, factor, out=result)


def keeps_exponentials(logits: Tensor) -> bool:
    """Whether to save the exponentials for the gradient, which is then written over them.

    In half precision they would take more memory than cross-entropy does, and a kernel compiled for a GPU computes an
    exponential faster than it reads one.
    """
    compiled_for_gpu = torch.compiler.is_compiling() and logits.device.type != "cpu"
    return logits.dtype in (torch.float32, torch.float64) and not compiled_for_gpu


def _uses_softmax(logits: Tensor) -> bool:
    """Whether torch's softmax is faster than its parts."""
    return logits.device.type == "cpu" and (logits.dim() == 3 or logits.shape[1] >= WIDE)


def target_lead(logits: Tensor, target: Tensor, peak: Tensor) -> Tensor:
    """z_y − peak, (N, …)."""
    return (logits.gather(1, target.long().unsqueeze(1)) - peak).squeeze(1)


def minus_log(p: Tensor, miss: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """−log p = log(1 + (1 − p) / p), computed from the logits where p underflows; (N, …)."""
    cross_entropy = (miss / p).log1p_()
    vanished = p < torch.finfo(p.dtype).tiny
    if vanished.any():
        z = in_full_precision(logits.movedim(1, -1)[vanished])
        cross_entropy[vanished] = z.logsumexp(1) - z.gather(1, target[vanished].unsqueeze(1)).squeeze(1)
    return cross_entropy


Exponentials = tuple[Tensor | None, Tensor, Tensor, Tensor | None]


def eager_exponentials(logits: Tensor, target: Tensor, *, keep: bool) -> Exponentials:
    """Compute exp(z_c − peak), or softmax(z) where that is faster; ``peak`` is then None.

    Returns:
        peak, (N, 1, …); the exponential of the target, and the sum of the others, both (N, …); if ``keep``, all
        exponentials, like the logits, with 0 at the target.
    """
    column = target.unsqueeze(1)
    own = torch.empty_like(column, dtype=torch.promote_types(logits.dtype, torch.float32))
    others = torch.empty_like(own)
    peak = None if _uses_softmax(logits) else torch.empty_like(own)
    saved = torch.empty_like(logits) if keep else None
    whole = logits, column, own, others, own if peak is None else peak
    for each, z, y, own_chunk, others_chunk, top in [(saved, *whole)] if saved is not None else _chunks(*whole):
        if peak is None:
            torch.softmax(z, 1, dtype=each.dtype, out=each)
        else:
            z = z if z.dtype == each.dtype else each.copy_(z)
            torch.amax(z, 1, keepdim=True, out=top)
            torch.sub(z, top, out=each).exp_()
        torch.gather(each, 1, y, out=own_chunk)
        torch.sum(each.scatter_(1, y, 0), 1, keepdim=True, out=others_chunk)
    return peak, own.squeeze(1), others.squeeze(1), saved


def eager_gradient(
    logits: Tensor,
    target: Tensor,
    peak: Tensor | None,
    saved: Tensor | None,
    scale: Tensor,
    slope: Tensor,
    gradient: Tensor,
) -> Tensor:
    """Multiply the incoming gradient by ``scale`` and the exponentials, and by −``slope`` at the target."""
    column = target.unsqueeze(1)
    if saved is not None:
        return scale_saved_grad(saved, scale * gradient).scatter_(1, column, slope * -gradient)
    result = torch.empty_like(logits)
    whole = logits, column, scale, slope, gradient, scale if peak is None else peak, result
    for each, z, y, scale_chunk, slope_chunk, incoming, top, out in _chunks(*whole):
        if peak is None:
            torch.softmax(z, 1, dtype=each.dtype, out=each)
        else:  # converted first: a subtraction of two dtypes would make one more copy
            each.copy_(z).sub_(top).exp_()
        out.copy_(each.mul_(scale_chunk * incoming).scatter_(1, y, slope_chunk * -incoming))
    return result


def traced_exponentials(logits: Tensor, target: Tensor, *, keep: bool) -> Exponentials:
    """`eager_exponentials` in plain operations without chunks, which the compiler fuses."""
    z = in_full_precision(logits)
    peak = z.amax(1, keepdim=True)
    each = (z - peak).exp()
    each = each.scatter(1, target.long().unsqueeze(1), 0) if keep else each.masked_fill(is_class(target, z), 0)
    return peak, target_lead(z, target, peak).exp(), each.sum(1), each if keep else None


def traced_gradient(
    logits: Tensor, target: Tensor, peak: Tensor, saved: Tensor | None, scale: Tensor, slope: Tensor, gradient: Tensor
) -> Tensor:
    """`eager_gradient` in plain operations, which the compiler fuses."""
    if saved is not None:
        return (saved * (scale * gradient)).scatter(1, target.long().unsqueeze(1), slope * -gradient)
    others = (in_full_precision(logits) - peak).exp() * (scale * gradient)
    return torch.where(is_class(target, logits), slope * -gradient, others).to(logits.dtype)


def _chunks(logits: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Split (R, C) by rows and (N, C, M) by examples and positions, never by class; on a GPU there is one chunk.

    ``others``, (R, 1) or (N, 1, M), are split in the same way. Each chunk is preceded by a scratch tensor in at least
    float32 and in the shape of its logits, which is reused from chunk to chunk.
    """
    precise = torch.promote_types(logits.dtype, torch.float32)
    size = CHUNK * torch.get_num_threads()
    if logits.numel() <= size or logits.device.type != "cpu":
        yield torch.empty_like(logits, dtype=precise), logits, *others
        return
    scratch = None
    rows, positions = max(1, size // logits[0].numel()), max(1, size // logits.shape[1])
    for block in _split((logits, *others), rows, 0):
        for chunk in _split(block, positions, 2) if logits.dim() == 3 else [block]:
            if scratch is None or scratch.shape != chunk[0].shape:
                scratch = torch.empty_like(chunk[0], dtype=precise)
            yield scratch, *chunk


def _split(tensors: tuple[Tensor, ...], size: int, dim: int) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(torch.split(tensor, size, dim) for tensor in tensors), strict=True)
