from collections import Counter

import pytest
import torch
from scipy.stats import chisquare

from imbalance_lab import seeding
from imbalance_lab.data import NoAugmentation, RandomAffine, RandomResizedCrop, ShiftFlip, augment

KEYS = seeding.hash_indices(1, torch.arange(4000))


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
    assert NoAugmentation()(batch, KEYS[:3]) is batch


@pytest.mark.parametrize(("shift", "flip"), [(1, False), (2, True), (0, True), (3, False)])
def test_every_output_is_a_shifted_or_mirrored_copy_of_its_own_image(shift, flip):
    batch = images(40)
    out = ShiftFlip(shift, flip)(batch, KEYS[:40])
    assert out.dtype == torch.uint8
    assert out.shape == batch.shape
    for image, augmented in zip(batch, out, strict=True):
        assert any(torch.equal(augmented, copy) for copy in copies(image, shift, flip).values())


@pytest.mark.parametrize(("shift", "flip"), [(1, False), (2, True), (0, True)])
def test_large_images_are_moved_as_small_ones_are(shift, flip, monkeypatch):
    batch, augment_images = images(40), ShiftFlip(shift, flip)
    small = augment_images(batch, KEYS[:40])
    monkeypatch.setattr(augment, "LARGE", 1)
    assert torch.equal(augment_images(batch, KEYS[:40]), small)
    strided = batch.to(memory_format=torch.channels_last)
    assert torch.equal(augment_images(strided, KEYS[:40]), small)


def test_all_moves_come_alike():
    times = Counter(moves(shift=2, flip=True))
    assert len(times) == 5 * 5 * 2
    assert chisquare(list(times.values())).pvalue > 0.01


def test_half_are_mirrored():
    mirrored = sum(mirrored for _, _, mirrored in moves(shift=0, flip=True))
    assert chisquare([mirrored, 4000 - mirrored]).pvalue > 0.01


def test_an_image_and_its_key_decide_whatever_else_is_in_the_batch():
    batch, moved = images(30), ShiftFlip(2, True)
    together = moved(batch, KEYS[:30])
    chosen = torch.tensor([17, 4, 4, 29])
    assert torch.equal(moved(batch[chosen], KEYS[chosen]), together[chosen])
    other_keys = moved(batch, KEYS[30:60])
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
def test_a_shift_that_is_not_an_integer_is_refused(shift):
    with pytest.raises((ValueError, TypeError), match="shift must be an integer ≥ 0"):
        ShiftFlip(shift)


@pytest.mark.parametrize("flip", [1, "true", None])
def test_a_flip_that_is_not_a_bool_is_refused(flip):
    with pytest.raises(TypeError, match="flip must be true or false"):
        ShiftFlip(1, flip)


def test_the_whole_image_is_itself_and_a_mirror_is_one():
    batch = images(50)
    whole = RandomResizedCrop(scale=(1, 1), ratio=(1, 1), flip=False)(batch, KEYS[:50])
    assert torch.equal(whole, batch)
    torch.testing.assert_close(
        RandomResizedCrop(flip=False)(batch.float(), KEYS[:50]).round().byte(),
        RandomResizedCrop(flip=False)(batch, KEYS[:50]),
    )
    mirrored = RandomResizedCrop(scale=(1, 1), ratio=(1, 1), flip=True)(batch, KEYS[:50])
    is_mirror = [torch.equal(out, image.flip(-1)) for out, image in zip(mirrored, batch, strict=True)]
    is_same = [torch.equal(out, image) for out, image in zip(mirrored, batch, strict=True)]
    assert all(one != other for one, other in zip(is_mirror, is_same, strict=True))
    assert 10 < sum(is_mirror) < 40


def test_a_crop_shows_the_configured_share_from_anywhere_inside():
    """On an image of coordinates a crop shows where it was taken."""
    size, n = 64, 2000
    rows, columns = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    out = RandomResizedCrop(scale=(0.25, 0.5), ratio=(0.5, 2.0), flip=False)(
        torch.stack([rows, columns]).expand(n, -1, -1, -1), KEYS[:n]
    )
    along, across = out[:, 0, :, size // 2], out[:, 1, size // 2]
    height = (along[:, -1] - along[:, 0]) * size / (size - 1)
    width = (across[:, -1] - across[:, 0]) * size / (size - 1)
    area, ratio = height * width / size**2, width / height
    assert area.min() >= 0.25 * 0.99
    assert area.max() <= 0.5 * 1.01
    assert ratio.min() < 0.6
    assert ratio.max() > 1.7
    assert abs(area.mean() - 0.375) < 0.01
    assert along[:, 0].min() < 1
    assert along[:, -1].max() > size - 1


def test_a_crop_depends_on_its_key_alone():
    batch, crop = images(20, 9, 9), RandomResizedCrop()
    together = crop(batch, KEYS[:20])
    torch.testing.assert_close(together[7:9], crop(batch[7:9], KEYS[7:9]))
    assert not torch.equal(together, crop(batch, KEYS[20:40]))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scale": (0, 1)}, r"scale must be a finite number in \(0, 1\], got 0"),
        ({"scale": (0.5, 1.2)}, r"scale must be .* got 1\.2"),
        ({"scale": 0.5}, r"scale must be a list, got 0\.5"),
        ({"scale": (0.1, 0.2, 0.3)}, "scale must have 2 entries, got 3"),
        ({"ratio": (2, 1)}, r"ratio must be two numbers, the smaller first, got \[2, 1\]"),
    ],
)
def test_a_crop_out_of_range_is_refused(options, says):
    with pytest.raises((ValueError, TypeError), match=says):
        RandomResizedCrop(**options)


def test_an_affine_map_of_nothing_is_the_identity_and_a_mirror_a_mirror():
    batch = images(50)
    assert torch.equal(RandomAffine(zoom=0, shift=0)(batch, KEYS[:50]), batch)
    mirrored = RandomAffine(zoom=0, shift=0, flip=True)(batch, KEYS[:50])
    is_mirror = [torch.equal(out, image.flip(-1)) for out, image in zip(mirrored, batch, strict=True)]
    is_same = [torch.equal(out, image) for out, image in zip(mirrored, batch, strict=True)]
    assert all(one != other for one, other in zip(is_mirror, is_same, strict=True))
    assert 10 < sum(is_mirror) < 40


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 80)])
def test_an_affine_map_zooms_shifts_and_turns_as_far_as_it_says(height, width):
    """On an image of coordinates an output shows where it was taken."""
    n, middle = 2000, (height // 2, width // 2)
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    coordinates = torch.stack([rows, columns]).expand(n, -1, -1, -1)

    def steps(**options):
        """Of a step down and a step right in the output: how far it goes in the image, and where the center lies."""
        out = RandomAffine(**{"zoom": 0, "shift": 0} | options)(coordinates, KEYS[:n])
        at = out[:, :, middle[0], middle[1]]
        down, right = (out[:, :, middle[0] + i, middle[1] + j] - at for i, j in ((4, 0), (0, 4)))
        return down / 4, right / 4, at - torch.tensor(middle) - 0.5

    down, right, _ = steps(zoom=0.2)
    for along, other in ((down[:, 0], right[:, 1]), (right[:, 1], down[:, 0])):
        assert 0.8 <= along.min() < 0.82
        assert 1.18 < along.max() <= 1.2 + 1e-5
        assert abs(torch.corrcoef(torch.stack([along, other]))[0, 1]) < 0.1
    _, _, center = steps(shift=0.1)
    for side, moved in zip((height, width), center.unbind(1), strict=True):
        assert 0.095 * side < moved.max() <= 0.1 * side + 1e-3
        assert -0.1 * side - 1e-3 <= moved.min() < -0.095 * side
    down, right, center = steps(rotate=30)
    angle = torch.rad2deg(torch.atan2(right[:, 0], right[:, 1]))
    assert 29 < angle.abs().max() <= 30 + 1e-2
    torch.testing.assert_close(right.norm(dim=1), torch.ones(n), rtol=1e-3, atol=1e-3)  # pixels stay square
    torch.testing.assert_close(down.norm(dim=1), torch.ones(n), rtol=1e-3, atol=1e-3)
    assert (down * right).sum(1).abs().max() < 1e-3
    assert center.abs().max() < 1


def test_an_affine_map_depends_on_its_key_alone_and_continues_the_edges():
    batch, change = images(20, 9, 9), RandomAffine(rotate=8, flip=True)
    together = change(batch, KEYS[:20])
    assert torch.equal(together[7:9], change(batch[7:9], KEYS[7:9]))
    assert not torch.equal(together, change(batch, KEYS[20:40]))
    assert torch.equal(change(torch.full_like(batch, 77), KEYS[:20]), torch.full_like(batch, 77))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"zoom": 1}, r"zoom must be a finite number in \[0, 1\), got 1"),
        ({"shift": -0.1}, r"shift must be a finite number in \[0, 1\), got -0\.1"),
        ({"rotate": 200}, r"rotate must be a finite number in \[0, 180\], got 200"),
        ({"flip": "yes"}, "flip must be true or false"),
    ],
)
def test_an_affine_map_out_of_range_is_refused(options, says):
    with pytest.raises((ValueError, TypeError), match=says):
        RandomAffine(**options)
