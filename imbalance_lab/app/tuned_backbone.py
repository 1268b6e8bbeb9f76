"""``finetune``: which part of the net is trained."""

import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from omegaconf import DictConfig
from torch import nn

from imbalance_lab import backbones
from imbalance_lab.app.build import instantiate_part
from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.backbones.finetune import Finetune, Full
from imbalance_lab.errors import UsageError


class ParameterCount(NamedTuple):
    """How many parameters a net has, and how many of them are trained."""

    trained: int
    all: int

    @classmethod
    def of(cls, modules: Iterable[nn.Module]) -> "ParameterCount":
        """Count those of several modules."""
        parameters = [parameter for module in modules for parameter in module.parameters()]
        sizes = [(each.numel(), each.requires_grad) for each in parameters]
        return cls(sum(size for size, is_trained in sizes if is_trained), sum(size for size, _ in sizes))

    def __str__(self) -> str:
        if self.trained == self.all:
            return f"trains all {self.all:,} parameters of the net"
        return f"trains {self.trained:,} of the net's {self.all:,} parameters ({self.trained / self.all:.2%})"


def build_tuned(config: DictConfig, build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """A function that builds a backbone, and decides what of it is trained.

    Raises:
        UsageError: for wrong options; what is returned raises one for a backbone that they do not fit.
    """
    finetune = instantiate_part(config, "finetune")
    if not isinstance(finetune, Finetune):
        raise UsageError(
            f"finetune: {type(finetune).__name__} is not a subclass of imbalance_lab.backbones.finetune.Finetune"
        )

    def tuned(**arguments: object) -> nn.Module:
        backbone = build(**arguments)
        try:
            finetune.apply(backbone)
        except ValueError as error:
            raise UsageError(f"finetune: {error}") from error
        return backbone

    return tuned


def warn_of_random_weights(config: DictConfig) -> None:
    """Warn of a backbone of this package that is not trained in full, but starts from random weights."""
    node = config.backbone
    is_known = node._target_.startswith(f"{backbones.__name__}.")
    has_weights = node.get("pretrained") or node.get("weights") is not None
    is_full = config.finetune._target_.endswith(f".{Full.__name__}") and not node.get("freeze")
    if is_known and not has_weights and not is_full and is_first_process():
        print(
            "warning: the backbone keeps most of the random weights that it starts with: give it trained ones, by "
            "backbone.weights=FILE or backbone.pretrained=true, or choose finetune=full",
            file=sys.stderr,
        )
