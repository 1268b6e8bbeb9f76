import pytest
import torch
from scipy.stats import chisquare

from imbalance_lab import seeding
from imbalance_lab.data import Cutout, RandomErasing

KEYS = seeding.hash_indices(1, torch.arange(4000))


def grays(n, side=20, width=24):
    """Images that are nowhere what they are filled with."""
    return torch.tensor([40, 200]).repeat(n, 2, side, width // 2).to(torch.uint8)


def extent(changed):
    """Of masks (N, H, W): whether each is a rectangle, its height and its width."""
    rows, columns = changed.any(2), changed.any(1)
    tall, wide = rows.sum(1), columns.sum(1)
    assert torch.equal(tall * wide, changed.sum((1, 2)))
    return tall, wide


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_cutout_is_a_square_around_any_pixel_cut_at_the_edges(dtype):
    images = grays(4000).to(dtype)
    found = Cutout(6)(images, KEYS)
    assert found.dtype == dtype
    changed = (found != images).any(1)
    assert set(found[changed.unsqueeze(1).expand_as(found)].tolist()) == {120}  # the mean of the image
    tall, wide = extent(changed)
    assert tall.max() == wide.max() == 6
    assert tall.min() == wide.min() == 3
    inside = changed[:, 6:-6, 6:-6].float().mean(0)  # each as often as the others: 36 of 20 × 24 centers
    assert abs(inside.mean() - 36 / 480) < 0.002
    assert inside.std() < 0.006


def test_random_erasing_fills_the_configured_share_and_shape_from_anywhere():
    images = grays(4000)
    found = RandomErasing(0.7, (0.1, 0.3), (0.5, 2.0), fill="mean")(images, KEYS)
    changed = (found != images).any(1)
    erased = changed.any(2).any(1)
    assert chisquare([int(erased.sum()), int((~erased).sum())], [2800, 1200]).pvalue > 0.01
    tall, wide = (side.float() for side in extent(changed[erased]))
    area, ratio = tall * wide / 480, tall / wide
    assert 0.09 < area.min() < 0.11
    assert 0.28 < area.max() < 0.32
    assert abs(area.mean() - 0.2) < 0.005
    assert 0.4 < ratio.min() < 0.6
    assert 1.7 < ratio.max() < 2.4
    assert changed[:, 0].any()
    assert changed[:, -1, -1].any()
    assert changed[:, 0, 0].any()
    assert torch.equal(RandomErasing(0.0)(images, KEYS), images)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_noise_is_of_the_range_of_its_image_and_differs_between_pixels(dtype):
    images = (grays(500) + torch.arange(500).view(-1, 1, 1, 1) % 50).to(dtype)
    found = RandomErasing(1.0, (0.2, 0.2), (1.0, 1.0))(images, KEYS[:500])
    assert found.dtype == dtype
    low, high = (end.view(-1, 1, 1, 1) for end in images.flatten(1).aminmax(dim=1))
    assert ((found >= low) & (found <= high)).all()
    changed = (found != images).any(1, keepdim=True).expand_as(found)
    level = ((found.float() - low) / (high - low)).movedim(1, 3)[changed[:, 0]]
    assert abs(level.mean() - 0.5) < 0.01
    assert abs(level.std() - 12**-0.5) < 0.01
    assert abs(torch.corrcoef(level.T)[0, 1]) < 0.03  # a value for each channel


@pytest.mark.parametrize("augment", [Cutout(4), RandomErasing(), RandomErasing(fill="mean")])
def test_an_image_and_its_key_decide(augment):
    images, state = grays(60), torch.get_rng_state()
    together = augment(images, KEYS[:60])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images, grays(60))
    chosen = torch.tensor([17, 4, 4, 59])
    assert torch.equal(augment(images[chosen], KEYS[chosen]), together[chosen])
    assert not torch.equal(augment(images, KEYS[60:120]), together)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Cutout(0), "size must be an integer ≥ 1, got 0"),
        (lambda: Cutout(8).check_input_shape((1, 8, 8)), r"size \(for images of 8 × 8 pixels\) must be .* got 8"),
        (lambda: Cutout(3).check_input_shape((8,)), "Cutout needs images"),
        (lambda: RandomErasing(1.5), r"probability must be .*\[0, 1\], got 1.5"),
        (lambda: RandomErasing(scale=(0.5, 0.2)), "scale must be two numbers, the smaller first"),
        (lambda: RandomErasing(fill="black"), "fill must be one of noise, mean, got 'black'"),
        (lambda: RandomErasing().check_input_shape((8,)), "RandomErasing needs images"),
    ],
)
def test_what_makes_no_sense_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
