"""Image models of torchvision and timm as backbones: by name, without their head, trained before or not."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Self

import torch
from torch import Tensor, nn


class _Pretrained(nn.Module):
    """A net that gives features (N, num_features), frozen or not."""

    def __init__(self, net: nn.Module, input_shape: Sequence[int], name: str, freeze: bool) -> None:
        super().__init__()
        self.net = net
        self.frozen = freeze
        if freeze:
            self.requires_grad_(False)
        with torch.no_grad():
            try:
                features = self.eval()(torch.zeros(1, *input_shape))
            except (RuntimeError, AssertionError, ValueError) as error:
                raise ValueError(f"{name} does not take images of shape {tuple(input_shape)}: {error}") from error
        if features.ndim != 2:
            raise ValueError(f"{name} gives features of shape {tuple(features.shape[1:])}, not one vector an image")
        self.num_features = int(features.shape[1])
        self.train()

    def train(self, mode: bool = True) -> Self:
        """A frozen net stays in evaluation: its batch norms must not follow other data."""
        return super().train(mode and not self.frozen)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, num_features)."""
        features: Tensor = self.net(images)
        return features


class Torchvision(_Pretrained):
    """Any image classifier of ``torchvision.models``, without its head.

    Args:
        input_shape: (1 or 3, height, width); grey images are repeated.
        name: as in ``torchvision.models.get_model``.
        pretrained: whether to begin with torchvision's newest weights from ImageNet.
        freeze: whether its weights, and the statistics of its batch norms, stay as they are.
    """

    def __init__(
        self, input_shape: Sequence[int], name: str = "resnet18", pretrained: bool = False, freeze: bool = False
    ) -> None:
        _check(input_shape, pretrained, freeze)
        if input_shape[0] not in (1, 3):
            raise ValueError(f"torchvision's models take 1 or 3 channels, got {input_shape[0]}: see backbone=timm")
        from torchvision import models

        _known(name, models.list_models(module=models), "torchvision")
        # These two warn that another default may come.
        init = {"init_weights": True} if name in ("googlenet", "inception_v3") and not pretrained else {}
        net = _built(name, lambda: models.get_model(name, weights="DEFAULT" if pretrained else None, **init))
        super().__init__(_headless(net), input_shape, name, freeze)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.expand(-1, 3, -1, -1))


class Timm(_Pretrained):
    """Any model of timm (``pip install 'imbalance-lab[backbones]'``), without its head.

    Args:
        input_shape: (channels, height, width); timm adapts the first layer to the channels.
        name: as in ``timm.create_model``, with or without the tag of its weights.
        pretrained: whether to begin with the weights that timm has for it.
        freeze: whether its weights, and the statistics of its batch norms, stay as they are.
    """

    def __init__(
        self, input_shape: Sequence[int], name: str = "resnet18", pretrained: bool = False, freeze: bool = False
    ) -> None:
        _check(input_shape, pretrained, freeze)
        try:
            import timm
        except ImportError as error:
            raise ImportError("timm is not installed: pip install 'imbalance-lab[backbones]'") from error
        _known(name.split(".")[0], timm.list_models(), "timm")
        net = _built(name, lambda: timm.create_model(name, pretrained, num_classes=0, in_chans=input_shape[0]))
        super().__init__(net, input_shape, name, freeze)


def _headless(net: Any) -> nn.Module:
    """Without what comes after the features; torchvision calls it differently in every family."""
    if hasattr(net, "aux_logits"):  # GoogLeNet and Inception have further heads, in training only
        net.aux_logits = False
        for head in {"aux1", "aux2", "AuxLogits"} & dict(net.named_children()).keys():
            setattr(net, head, None)
    linear = [path for path, module in net.named_modules() if isinstance(module, nn.Linear)]
    if linear:
        net.set_submodule(linear[-1], nn.Identity())
    else:  # SqueezeNet ends in a convolution
        net.classifier = nn.AdaptiveAvgPool2d(1)
    headless: nn.Module = net
    return headless


def _check(input_shape: Sequence[int], pretrained: object, freeze: object) -> None:
    if len(input_shape) != 3:
        raise ValueError(f"it takes images (channels, height, width), got examples of shape {tuple(input_shape)}")
    for name, value in {"pretrained": pretrained, "freeze": freeze}.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be true or false, got {value!r}")


def _known(name: str, names: Iterable[str], of: str) -> None:
    names = list(names)
    if name not in names:
        near = get_close_matches(str(name), names, n=3)
        raise ValueError(f"{of} has no model {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))


def _built(name: str, build: Any) -> nn.Module:
    try:
        net: nn.Module = build()
    except (OSError, RuntimeError) as error:
        raise OSError(
            f"the weights of {name} are neither on this machine nor can they be downloaded ({error}): "
            "say backbone.pretrained=false"
        ) from error
    return net
