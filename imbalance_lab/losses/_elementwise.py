"""Elementwise losses of multilabel targets, fused for eager input: chunks stay in the cache of a CPU."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses._focal_kernels import scale_saved_grad
from imbalance_lab.losses.checks import in_full_precision, is_batched, needs_plain_operations

CHUNK = 1 << 16
"""Logits per thread and chunk on a CPU."""

Terms = Callable[..., tuple[Tensor, Tensor]]
"""z and y, in one dtype of at least float32, and the parameters → the losses and their derivatives by z."""


def elementwise(
    logits: Tensor, y: Tensor, terms: Terms, plain: Callable[..., Tensor], **parameters: float | Tensor
) -> Tensor:
    """Compute the loss of each logit, differentiable any number of times, by ``y`` and the parameters too.

    Args:
        logits: z, of any shape.
        y: the binary targets, boolean or floating point, in the shape of ``logits``.
        terms: computes loss and derivative, and must not write over its arguments.
        plain: computes the same loss in plain operations, for compilers, `torch.func`, forward-mode AD, second
            derivatives, and gradients of ``y`` and the parameters.
        parameters: what else ``terms`` and ``plain`` take; a tensor () reaches only ``plain``.

    Returns:
        in the shape of ``logits``, at least float32.
    """
    tensors = any(isinstance(value, Tensor) for value in parameters.values())
    if tensors or torch.compiler.is_compiling() or needs_plain_operations(y):
        z = in_full_precision(logits)
        values = {name: v.reshape(()).to(z) if isinstance(v, Tensor) else v for name, v in parameters.items()}
        return plain(z, y.to(z.dtype), **values)
    forms = partial(terms, **parameters), partial(plain, **parameters)
    losses: Tensor = _Elementwise.apply(logits.contiguous(), y.contiguous(), *forms)
    return losses


def focal_term(x: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """σ(x)^γ log(1 + e^x), and its derivative σ(x)^γ (γ (1 − σ(x)) log(1 + e^x) + σ(x))."""
    miss, cross_entropy = x.sigmoid(), F.softplus(x, threshold=40)  # beyond 40, 1 + e^x is e^x in float64
    modulation = fast_pow(miss, gamma)
    slope = torch.rsub(miss, 1).mul_(cross_entropy).mul_(gamma).add_(miss).mul_(modulation)
    return modulation.mul_(cross_entropy), slope


def blend_targets(
    present: tuple[Tensor, Tensor], absent: tuple[Tensor, Tensor], share: Tensor, rest: Tensor
) -> tuple[Tensor, Tensor]:
    """Mix loss and derivative for soft labels, in place; ``present`` is a function of −z and weighs ``share``."""
    (loss, rising), (other, falling) = present, absent
    return loss.mul_(share).addcmul_(other, rest), falling.mul_(rest).addcmul_(rising, share, value=-1)


def fast_pow(base: Tensor, exponent: float) -> Tensor:
    """base^exponent, a new tensor; the fourth power by two squares, because torch would take a logarithm."""
    return base.square().square_() if exponent == 4 else base.pow(exponent)


class _Elementwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, y: Tensor, terms: Terms, plain: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        losses = torch.empty_like(logits, dtype=torch.promote_types(logits.dtype, torch.float32))
        # Derivatives in half precision would lose what a loss scale is to save: backward computes them again.
        saved = torch.empty_like(losses) if ctx.needs_input_grad[0] and logits.dtype == losses.dtype else None
        for z, label, loss, slope in _chunks(logits, y, losses, losses if saved is None else saved):
            value, derivative = terms(z.to(losses.dtype), label.to(losses.dtype))
            loss.copy_(value)
            if saved is not None:
                slope.copy_(derivative)
        ctx.terms, ctx.plain = terms, plain
        ctx.save_for_backward(logits, y, saved)
        return losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        logits, y, saved = ctx.saved_tensors
        differentiable = torch.is_grad_enabled()  # this gradient will itself be differentiated
        if differentiable or is_batched(gradient):
            with torch.enable_grad():
                z = in_full_precision(logits)
                losses = ctx.plain(z, y.to(z.dtype))
            (result,) = torch.autograd.grad(losses, logits, gradient, create_graph=differentiable)
            return result, None, None, None
        if saved is not None:
            return scale_saved_grad(saved, gradient), None, None, None
        result = torch.empty_like(logits)
        for z, label, incoming, out in _chunks(logits, y, gradient, result):
            out.copy_(ctx.terms(in_full_precision(z), label.to(gradient.dtype))[1].mul_(incoming))
        return result, None, None, None


def _chunks(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """Split tensors of one shape in the same way; on a GPU there is one chunk."""
    size = CHUNK * torch.get_num_threads()
    if tensors[0].numel() <= size or tensors[0].device.type != "cpu":
        return [tensors]
    return zip(*(torch.split(tensor.flatten(), size) for tensor in tensors), strict=True)
