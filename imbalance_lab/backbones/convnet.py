"""A small convolutional net for small images."""

from collections.abc import Sequence

from torch import Tensor, nn


class ConvNet(nn.Module):
    """Blocks of 3×3 convolution, batch normalisation, ReLU and halving, then the mean over what is left of the image.

    Args:
        input_shape: (channels, height, width) of one example.
        widths: channels of each block; a block halves the image while it is at least 4 pixels wide.
    """

    def __init__(self, input_shape: Sequence[int], widths: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        if isinstance(widths, int | float | str) or not all(isinstance(w, int) and w >= 1 for w in widths):
            raise ValueError(f"widths must be a list of whole numbers ≥ 1, got {widths!r}")
        if len(input_shape) != 3:
            raise ValueError(
                f"a convnet needs images (channels, height, width), got examples of shape {tuple(input_shape)}"
            )
        channels, size = input_shape[0], min(input_shape[1:])
        blocks: list[nn.Module] = []
        for width in widths:
            blocks += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            if size >= 4:
                blocks.append(nn.MaxPool2d(2))
                size //= 2
            channels = width
        self.blocks = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.num_features = channels

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, num_features)."""
        features: Tensor = self.blocks(images)
        return features
