"""The narrow residual networks for 32×32 images (He et al. 2016, arXiv 1512.03385, section 4.2)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_image_shape
from imbalance_lab.validation import check_integer


class ResNetCifar(nn.Module):
    """ResNet-20, 32, 44, … of the CIFAR and long-tailed literature: three stages of 16, 32 and 64 channels.

    The shortcut where the size changes is the parameter-free one (option A), as in the paper and in LDAM-DRW.

    Args:
        input_shape: (channels, height, width) of one example.
        depth: number of weighted layers, 6n + 2: 20, 32 (0.46 M parameters), 44, 56, 110.
    """

    def __init__(self, input_shape: Sequence[int], depth: int = 32) -> None:
        super().__init__()
        channels, _, _ = check_image_shape("ResNetCifar", input_shape)
        if (check_integer("depth", depth, minimum=8) - 2) % 6:
            raise ValueError(f"depth must be 6n + 2 (20, 32, 44, 56, 110), got {depth}")
        blocks = (depth - 2) // 6
        self.stem = nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.stages = nn.Sequential(
            *(_Block(16, 16, 1) for _ in range(blocks)),
            *(_Block(32 if i else 16, 32, 1 if i else 2) for i in range(blocks)),
            *(_Block(64 if i else 32, 64, 1 if i else 2) for i in range(blocks)),
        )
        self.num_features = 64
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, 64)."""
        features: Tensor = self.stages(self.stem(images))
        return features.mean((2, 3))


class _Block(nn.Module):
    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, outward - inward
        self.residual = nn.Sequential(
            nn.Conv2d(inward, outward, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outward),
            nn.ReLU(),
            nn.Conv2d(outward, outward, 3, padding=1, bias=False),
            nn.BatchNorm2d(outward),
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x
        if self.added:
            half = self.added // 2
            shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.added - half))
        return F.relu(shortcut + self.residual(x))
