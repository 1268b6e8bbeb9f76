"""K nets of one architecture, computed at once: stacked weights, and each net's own inputs and random numbers."""

import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.overrides import TorchFunctionMode

DRAWS = (torch.rand, torch.randint)
"""The functions of the default generator that layers may call."""


class StackedNet:
    """K nets whose weights lie in one tensor (K, …) for each parameter, of which those of a net are views.

    The nets remain as they are: an optimizer, a state dict or a forward pass of one of them uses its slice.

    Args:
        nets: of one architecture, in training mode; the forward pass of the first one is that of all.
    """

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        self.nets = nets
        self.own_parameters: list[dict[str, Tensor]] = [dict(net.named_parameters()) for net in nets]
        self.own_buffers: list[dict[str, Tensor]] = [dict(net.named_buffers()) for net in nets]
        self.parameters = {name: each.requires_grad_() for name, each in _stack(self.own_parameters).items()}
        self.buffers = _stack(self.own_buffers)

    def __call__(self, inputs: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Inputs (K, N, …) → logits (K, N, C), or (K, N, m, C) of nets of m members.

        Args:
            inputs: of each net.
            generators: what each net draws from, in the order in which it would draw alone, as for dropout.
        """

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], rows: Tensor, token: Tensor) -> Any:
            with _StackedCalls(token, generators):
                return functional_call(self.nets[0], (parameters, buffers), (rows,))

        token = torch.empty(len(self.nets), device=inputs.device)
        logits: Tensor = vmap(one)(self.parameters, self.buffers, inputs, token)
        return logits

    def hand_out_gradients(self) -> Tensor:
        """Give each net its slices of the gradients; return the norm of each net's gradient, (K,)."""
        norms = []
        for name, stacked in self.parameters.items():
            if stacked.grad is None:
                continue
            for own, gradient in zip(self.own_parameters, stacked.grad.unbind(0), strict=True):
                own[name].grad = gradient
            norms.append(torch.linalg.vector_norm(stacked.grad.flatten(1), dim=1))
            stacked.grad = None
        total: Tensor = torch.linalg.vector_norm(torch.stack(norms), dim=0)
        return total

    def release(self) -> None:
        """Let every net have weights of its own again; a checkpoint of a view would store all of the stack."""
        for own in (*self.own_parameters, *self.own_buffers):
            for tensor in own.values():
                tensor.data = tensor.data.clone()
                tensor.grad = None


@torch.no_grad()
def _stack(own: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of all nets by name, (K, …), of which the nets' own become views."""
    stacked = {name: torch.stack([each[name] for each in own]) for name in own[0]}
    for name, tensor in stacked.items():
        for each, view in zip(own, tensor.unbind(0), strict=True):
            each[name].data = view
    return stacked


class _StackedCalls(TorchFunctionMode):
    """Inside `vmap`: each net draws from its own generator, and linear layers are one batched product."""

    def __init__(self, token: Tensor, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.token = token
        self.generators = generators

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called by torch in place of ``func``."""
        options = kwargs or {}
        if func is F.linear:
            return _Linear.apply(*args, **options)
        if func in DRAWS:
            return _Draw.apply(self.token, partial(_draw_each, self.generators, func, args, options))
        if func is F.dropout and args[0].device.type != "cpu":
            return _device_dropout(self.token, self.generators, *args, **options)
        return func(*args, **options)


def _device_dropout(
    token: Tensor, generators: Sequence[torch.Generator], features: Tensor, p: float, training: bool = True
) -> Tensor:
    """Dropout with a generator for each net; on a GPU, torch draws other numbers for a net alone."""
    if not training:
        return features
    draw = partial(_draw_each, generators, torch.rand, (features.shape,), {"device": features.device})
    kept: Tensor = _Draw.apply(token, draw) >= p
    return features * kept / (1 - p)


def _draw_each(generators: Sequence[torch.Generator], func: Any, args: Any, options: Any) -> Tensor:
    """Draw for one net after the other: (K, …)."""
    return torch.stack([func(*args, generator=generator, **options) for generator in generators])


def _signature_once(function: type[torch.autograd.Function]) -> type[torch.autograd.Function]:
    """Store the signature of ``forward``, which torch would look up at every call: .3 of .5 ms."""
    function.forward.__signature__ = inspect.signature(function.forward)  # type: ignore[attr-defined]
    return function


@_signature_once
class _Draw(torch.autograd.Function):
    """Random numbers for each net under `vmap`; ``token`` (K,) only marks the dimension of the nets."""

    @staticmethod
    def forward(token: Tensor, draw: Any) -> Tensor:
        raise NotImplementedError("only under vmap")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is differentiated."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, token: Tensor, draw: Any) -> Any:
        """What ``draw`` returns, (K, …); a list of generators as an argument would cost more than the numbers."""
        return draw(), 0


@_signature_once
class _Linear(torch.autograd.Function):
    """`torch.nn.functional.linear` whose rule under `vmap` is one batched product, in the layout of the weights."""

    @staticmethod
    def forward(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        raise NotImplementedError("only under vmap")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is differentiated here, but in `_BatchedLinear`."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
        """(K, …, in), (K, out, in), (K, out) → (K, …, out)."""
        rows = inputs.movedim(in_dims[0], 0)
        output: Tensor = _BatchedLinear.apply(rows.flatten(1, -2), weight, bias)
        return output.view(*rows.shape[:-1], -1), 0


class _BatchedLinear(torch.autograd.Function):
    """Inputs (K, N, in), weights (K, out, in), biases (K, out) or None → (K, N, out).

    Autograd would compute the gradient of the transposed weights, and copy it into their layout at every step.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        if bias is None:
            return torch.bmm(inputs, weight.transpose(1, 2))
        return torch.baddbmm(bias[:, None], inputs, weight.transpose(1, 2))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        inputs, weight = ctx.saved_tensors
        of_inputs = torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None
        of_weight = torch.bmm(gradient.transpose(1, 2), inputs)
        return of_inputs, of_weight, gradient.sum(1) if ctx.has_bias else None
