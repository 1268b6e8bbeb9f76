"""Every parameter is trained."""

from torch import nn

from imbalance_lab.backbones.finetune.base import Finetune


class Full(Finetune):
    """Train the whole backbone, as it was built."""

    def apply(self, backbone: nn.Module) -> None:
        """Leave the backbone as it is."""
