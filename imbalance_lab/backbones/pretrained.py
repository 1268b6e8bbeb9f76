"""Image models of torchvision and timm as backbones: by name, without their head, pretrained or not."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_image_shape
from imbalance_lab.validation import check_bool, check_integer, did_you_mean


class _Pretrained(nn.Module):
    """A network that gives features (N, num_features), frozen or not."""

    def __init__(
        self,
        net: nn.Module,
        input_shape: Sequence[int],
        name: str,
        freeze: bool,
        resize: int | None,
        removed_head: Iterable[str],
    ) -> None:
        super().__init__()
        self.net = net
        self.frozen = freeze
        self.resize = _check_resize(resize, input_shape)
        self.architecture = name
        self.removed_head = tuple(f"net.{each}" for each in removed_head)  # a file of weights may have these layers
        if freeze:
            self.requires_grad_(False)
        with torch.no_grad():
            try:
                features = self.eval()(torch.zeros(1, *input_shape))
            except (RuntimeError, AssertionError, ValueError) as error:
                raise ValueError(f"{name} does not take images of shape {tuple(input_shape)}: {error}") from error
        if features.ndim != 2:
            raise ValueError(f"{name} gives features of shape {tuple(features.shape[1:])}, not one vector per image")
        self.num_features = int(features.shape[1])
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a frozen network stays in evaluation mode, so that its batch norms keep their statistics."""
        return super().train(mode and not self.frozen)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, num_features)."""
        if self.resize is not None:
            images = F.interpolate(images, (self.resize, self.resize), mode="bilinear")
        features: Tensor = self.net(images)
        return features


class Torchvision(_Pretrained):
    """Any image classifier of ``torchvision.models``, without its head.

    Args:
        input_shape: (1 or 3, height, width); gray images are repeated to 3 channels.
        name: as in ``torchvision.models.get_model``.
        pretrained: whether to start from torchvision's newest ImageNet weights.
        freeze: whether to train the head only; batch norms keep their statistics.
        resize: pixels of a side that square images are enlarged to first, as 224 for a ViT; None leaves them.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        name: str = "resnet18",
        pretrained: bool = False,
        freeze: bool = False,
        resize: int | None = None,
    ) -> None:
        channels, _, _ = _check_arguments(type(self).__name__, input_shape, pretrained, freeze)
        if channels not in (1, 3):
            raise ValueError(f"torchvision's models take 1 or 3 channels, got {channels}: use backbone=timm")
        from torchvision import models

        _check_name(name, models.list_models(module=models), "torchvision")
        # Without an explicit value these two warn that the default will change.
        init = {"init_weights": True} if name in ("googlenet", "inception_v3") and not pretrained else {}
        net = _build(
            name, pretrained, lambda: models.get_model(name, weights="DEFAULT" if pretrained else None, **init)
        )
        headless, removed = _headless(net)
        super().__init__(headless, input_shape, name, freeze, resize, removed)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.expand(-1, 3, -1, -1))


class Timm(_Pretrained):
    """Any model of timm (``pip install 'imbalance-lab[backbones]'``), without its head.

    Args:
        input_shape: (channels, height, width); timm adapts the first layer to the channels.
        name: as in ``timm.create_model``, with or without the tag of the weights, as in ``resnet18.a1_in1k``.
        pretrained: whether to start from timm's weights for this name.
        freeze: whether to train the head only; batch norms keep their statistics.
        resize: pixels of a side that square images are enlarged to first, as 224 for a ViT; None leaves them.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        name: str = "resnet18",
        pretrained: bool = False,
        freeze: bool = False,
        resize: int | None = None,
    ) -> None:
        channels, _, _ = _check_arguments(type(self).__name__, input_shape, pretrained, freeze)
        try:
            import timm
        except ImportError as error:
            raise ImportError("timm is not installed: pip install 'imbalance-lab[backbones]'") from error
        _check_name(name.split(".")[0], timm.list_models(), "timm")
        net = _build(name, pretrained, lambda: timm.create_model(name, pretrained, num_classes=0, in_chans=channels))
        described: Any = net
        heads = described.pretrained_cfg.get("classifier") or ()
        super().__init__(net, input_shape, name, freeze, resize, (heads,) if isinstance(heads, str) else heads)


def _headless(net: Any) -> tuple[nn.Module, set[str]]:
    """Remove the layers after the features, which each family of torchvision names differently; also their names."""
    removed = set[str]()
    if hasattr(net, "aux_logits"):  # GoogLeNet and Inception have auxiliary heads, in training only
        net.aux_logits = False
        removed = {"aux1", "aux2", "AuxLogits"}
        for head in removed & dict(net.named_children()).keys():
            setattr(net, head, None)
    linear = [path for path, module in net.named_modules() if isinstance(module, nn.Linear)]
    if linear:
        net.set_submodule(linear[-1], nn.Identity())
    else:  # SqueezeNet ends in a convolution
        net.classifier = nn.AdaptiveAvgPool2d(1)
    return net, removed | {linear[-1] if linear else "classifier"}


def _check_arguments(
    backbone: str, input_shape: Sequence[int], pretrained: object, freeze: object
) -> tuple[int, int, int]:
    check_bool("pretrained", pretrained)
    check_bool("freeze", freeze)
    return check_image_shape(backbone, input_shape)


def _check_resize(resize: object, input_shape: Sequence[int]) -> int | None:
    if resize is None:
        return None
    _, height, width = input_shape
    if height != width:
        raise ValueError(f"resize={resize} takes square images, got {height} × {width}: choose data.image_size")
    try:
        return check_integer("resize", resize, minimum=height)
    except ValueError as error:
        raise ValueError(f"{error}: it only enlarges, and these images are {height} × {width}") from error


def _check_name(name: str, names: Iterable[str], library: str) -> None:
    names = list(names)
    if name not in names:
        raise ValueError(f"{library} has no model {name!r}{did_you_mean(name, names)}")


def _build(name: str, pretrained: bool, build: Callable[[], nn.Module]) -> nn.Module:
    try:
        return build()
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise OSError(
            f"the weights of {name} are not on this machine and cannot be downloaded ({error}): "
            "choose backbone.pretrained=false"
        ) from error
