from collections import Counter

import pytest
import torch
from scipy.stats import chisquare

from imbalance_lab import keyed
from imbalance_lab.data import ShiftFlip

KEYS = keyed.spread(1, torch.arange(4000))


def images(n, height=5, width=4, channels=2):
    """Images in which no two pixels are alike and none is black."""
    pixels = torch.arange(1, channels * height * width + 1).reshape(channels, height, width)
    return (pixels + torch.arange(n).view(-1, 1, 1, 1)).to(torch.uint8)


def copies(image, shift, flip):
    """Every shifted and mirrored copy by slow slicing: (down, right, mirrored) → image."""
    height, width = image.shape[1:]
    found = {}
    for mirrored in (False, True) if flip else (False,):
        for down in range(-shift, shift + 1):
            for right in range(-shift, shift + 1):
                moved = torch.zeros_like(image)
                for row in range(max(0, down), min(height, height + down)):
                    for column in range(max(0, right), min(width, width + right)):
                        moved[:, row, column] = image[:, row - down, column - right]
                found[down, right, mirrored] = moved.flip(-1) if mirrored else moved
    assert len({tuple(copy.flatten().tolist()) for copy in found.values()}) == len(found)
    return found


def moves(shift, flip, n=4000):
    """Which copy of one image each of ``n`` keys makes; every output must be one."""
    image = images(1)
    names = {tuple(copy.flatten().tolist()): name for name, copy in copies(image[0], shift, flip).items()}
    out = ShiftFlip(shift, flip)(image.expand(n, -1, -1, -1), KEYS[:n])
    return [names[tuple(pixels.flatten().tolist())] for pixels in out]


def test_off_is_the_identity():
    batch = images(3)
    assert torch.equal(ShiftFlip()(batch, KEYS[:3]), batch)


@pytest.mark.parametrize(("shift", "flip"), [(1, False), (2, True), (0, True), (3, False)])
def test_every_output_is_a_shifted_or_mirrored_copy_of_its_own_image(shift, flip):
    batch = images(40)
    out = ShiftFlip(shift, flip)(batch, KEYS[:40])
    assert out.dtype == torch.uint8
    assert out.shape == batch.shape
    for image, augmented in zip(batch, out, strict=True):
        assert any(torch.equal(augmented, copy) for copy in copies(image, shift, flip).values())


def test_all_moves_come_alike():
    times = Counter(moves(shift=2, flip=True))
    assert len(times) == 5 * 5 * 2
    assert chisquare(list(times.values())).pvalue > 0.01


def test_half_are_mirrored():
    mirrored = sum(mirrored for _, _, mirrored in moves(shift=0, flip=True))
    assert chisquare([mirrored, 4000 - mirrored]).pvalue > 0.01


def test_an_image_and_its_key_decide_whatever_else_is_in_the_batch():
    batch, augment = images(30), ShiftFlip(2, True)
    together = augment(batch, KEYS[:30])
    chosen = torch.tensor([17, 4, 4, 29])
    assert torch.equal(augment(batch[chosen], KEYS[chosen]), together[chosen])
    other_keys = augment(batch, KEYS[30:60])
    assert (other_keys != together).flatten(1).any(1).float().mean() > 0.8


def test_floats_keep_type_and_values_and_the_input_is_not_changed():
    batch = images(6).double() / 7
    before = batch.clone()
    out = ShiftFlip(1, True)(batch, KEYS[:6])
    assert out.dtype == torch.float64
    assert torch.equal(out * 7, ShiftFlip(1, True)(images(6), KEYS[:6]).double() / 7 * 7)
    assert torch.equal(batch, before)


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    ShiftFlip(1, True)(images(6), KEYS[:6])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("shift", [-1, 1.5, "2", True])
def test_a_shift_that_is_no_number_of_pixels_is_refused(shift):
    with pytest.raises(ValueError, match="shift must be a whole number of pixels ≥ 0"):
        ShiftFlip(shift)


@pytest.mark.parametrize("flip", [1, "true", None])
def test_a_flip_that_is_neither_true_nor_false_is_refused(flip):
    with pytest.raises(TypeError, match="flip must be true or false"):
        ShiftFlip(1, flip)
