"""Only biases are trained (BitFit: Ben Zaken et al. 2022, arXiv 2106.10199)."""

from torch import nn

from imbalance_lab.backbones.finetune.base import Finetune, freeze


class BiasOnly(Finetune):
    """Train the biases of all layers, those of normalizations included; every weight stays.

    Properties: after training, the parameters whose name does not end in ``bias`` are bit for bit what they were.
    """

    def apply(self, backbone: nn.Module) -> None:
        """Freeze the backbone but for its biases.

        Raises:
            ValueError: for one without a bias.
        """
        freeze(backbone)
        # Attention layers have in_proj_bias, q_bias and v_bias.
        biases = [parameter for name, parameter in backbone.named_parameters() if name.endswith("bias")]
        if not biases:
            raise ValueError(f"{type(backbone).__name__} has no bias to train: choose finetune=full or finetune=head")
        for bias in biases:
            bias.requires_grad_(True)
