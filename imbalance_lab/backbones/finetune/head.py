"""Only the head is trained."""

from torch import nn

from imbalance_lab.backbones.finetune.base import Finetune


class HeadOnly(Finetune):
    """Train no parameter of the backbone: linear probing, with a linear head.

    The backbone is in evaluation mode in training too: no dropout, and batch norms keep their statistics.
    """

    def apply(self, backbone: nn.Module) -> None:
        """Freeze the backbone."""
        backbone.requires_grad_(False)
        backbone.eval()
