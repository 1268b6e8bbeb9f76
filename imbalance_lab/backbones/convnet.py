"""A small convolutional network for small images."""

from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_image_shape, check_widths


class ConvNet(nn.Module):
    """Blocks of 3×3 convolution, batch normalization, ReLU and 2×2 max pooling, then global average pooling.

    Args:
        input_shape: (channels, height, width) of one example.
        widths: channels of each block; a block pools only while the image is at least 4 pixels high and wide.
    """

    def __init__(self, input_shape: Sequence[int], widths: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        channels, height, width = check_image_shape("ConvNet", input_shape)
        size = min(height, width)
        blocks: list[nn.Module] = []
        for outputs in check_widths("widths", widths):
            blocks += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            if size >= 4:
                blocks.append(nn.MaxPool2d(2))
                size //= 2
            channels = outputs
        self.blocks = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.num_features = channels

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, num_features)."""
        features: Tensor = self.blocks(images)
        return features
