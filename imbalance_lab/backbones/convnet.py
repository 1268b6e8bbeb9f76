"""A small convolutional network for small images."""

from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_image_shape, check_widths
from imbalance_lab.validation import check_integer, check_list


class ConvNet(nn.Module):
    """Blocks of 3×3 convolutions, each with batch normalization and ReLU, and 2×2 max pooling; then the global average.

    Args:
        input_shape: (channels, height, width) of one example.
        widths: channels of each block; a block pools only while the image is at least 4 pixels high and wide.
        convolutions: of each block: one number for all, or a list as long as ``widths``.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        widths: Sequence[int] = (32, 64, 128),
        convolutions: int | Sequence[int] = 1,
    ) -> None:
        super().__init__()
        channels, height, width = check_image_shape("ConvNet", input_shape)
        size = min(height, width)
        blocks: list[nn.Module] = []
        widths = check_widths("widths", widths)
        for outputs, times in zip(widths, _of_each_block(convolutions, len(widths)), strict=True):
            for _ in range(times):
                blocks += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
                channels = outputs
            if size >= 4:
                blocks.append(nn.MaxPool2d(2))
                size //= 2
        self.blocks = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.num_features = channels

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, num_features)."""
        features: Tensor = self.blocks(images)
        return features


def _of_each_block(convolutions: object, blocks: int) -> list[int]:
    if isinstance(convolutions, Sequence) and not isinstance(convolutions, str):
        check_list("convolutions", convolutions, blocks)
        return check_widths("convolutions", convolutions)
    return [check_integer("convolutions (of each block)", convolutions, minimum=1)] * blocks
