"""What all ways of fine-tuning have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from imbalance_lab.backbones.members import is_frozen


class Finetune(ABC):
    """Decides which parameters of a backbone are trained. The constructor takes and checks the options."""

    @abstractmethod
    def apply(self, backbone: nn.Module) -> None:
        """Change a backbone in place: add parameters, set which ones are trained.

        Raises:
            ValueError: for a backbone without the layers that this is made for.
        """


def finetuned(build: Callable[..., nn.Module], finetune: Finetune) -> Callable[..., nn.Module]:
    """A function that builds a backbone and applies ``finetune`` to it."""

    def built(**arguments: object) -> nn.Module:
        backbone = build(**arguments)
        finetune.apply(backbone)
        return backbone

    return built


def freeze(backbone: nn.Module) -> None:
    """Train no parameter of a backbone; its batch norms keep their statistics.

    Raises:
        ValueError: for one that is frozen already, by an option of its own that this would contradict.
    """
    if is_frozen(backbone):
        raise ValueError("only finetune=head goes with backbone.freeze=true: leave out backbone.freeze")
    backbone.requires_grad_(False)
    for module in backbone.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def fold(module: nn.Module) -> nn.Module:
    """A copy in which each weight that is computed from several parameters (`LoRA`) is one; without any, the module.

    Properties: in evaluation mode the outputs are the same, but for rounding; nothing but plain layers remains of LoRA.
    """
    if not any(map(parametrize.is_parametrized, module.modules())):
        return module
    folded = deepcopy(module)
    for each in list(folded.modules()):
        if parametrize.is_parametrized(each):
            # Not `remove_parametrizations`, which takes the property from the class that copies have in common.
            parametrizations: Any = each.parametrizations
            values = {name: getattr(each, name).detach().clone() for name in parametrizations}
            each.__class__ = parametrize.type_before_parametrizations(each)
            del each.parametrizations
            for name, value in values.items():
                each.register_parameter(name, nn.Parameter(value, requires_grad=False))
    return folded
