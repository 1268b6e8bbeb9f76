import torch

from imbalance_lab.data import Normalize


def test_normalize_gives_mean_0_and_deviation_1_a_channel() -> None:
    images = torch.randint(0, 256, (50, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, 2] = 7  # a constant channel has no deviation to divide by
    normalized = Normalize.fitted(images)(images)
    assert torch.allclose(normalized.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(normalized[:, :2].std((0, 2, 3)), torch.ones(2), atol=1e-3)
    assert torch.isfinite(normalized).all()
