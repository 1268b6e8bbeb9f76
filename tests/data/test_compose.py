import pytest
import torch

from imbalance_lab import seeding
from imbalance_lab.app.build import instantiate_part
from imbalance_lab.data import AutoAugmentCIFAR10, Compose, Cutout, RandAugment, ShiftFlip
from tests.conftest import composed

KEYS = seeding.hash_indices(1, torch.arange(500))


def test_steps_follow_each_other_and_draw_apart():
    """Two shifts of one pixel draw their directions apart: of an even and an odd sum, each comes as often."""
    places = torch.zeros(500, 1, 9, 9, dtype=torch.uint8)
    places[:, :, 4, 4] = 1
    shift = ShiftFlip(1)
    found = Compose(one=shift, other=shift)(places, KEYS)
    rows = found.sum(3)[:, 0].argmax(1) - 4
    assert set(rows.tolist()) == {-2, -1, 0, 1, 2}  # with equal draws only −2, 0 and 2
    assert abs((rows == 0).float().mean() - 1 / 3) < 0.07
    assert torch.equal(Compose(one=shift, other=shift)(places[7:9], KEYS[7:9]), found[7:9])


def test_a_later_step_does_not_change_what_an_earlier_one_draws():
    images = (torch.arange(500 * 64).view(500, 1, 8, 8) % 251).to(torch.uint8)
    invert = Compose(crop=ShiftFlip(2, True), invert=lambda images, keys: 255 - images)
    assert torch.equal(255 - invert(images, KEYS), Compose(crop=ShiftFlip(2, True))(images, KEYS))


def test_each_step_may_refuse_the_inputs():
    steps = Compose(crop=ShiftFlip(2), policy=RandAugment(), plain=lambda images, keys: images)
    with pytest.raises(ValueError, match=r"crop: shift \(for images of 2 × 8 pixels\) must be an integer ≤ 1, got 2"):
        steps.check_input_shape((1, 2, 8))
    with pytest.raises(ValueError, match="policy: RandAugment needs bytes, or numbers from 0 to white=1"):
        steps.check_inputs(torch.full((1, 1, 8, 8), 7.0))
    with pytest.raises(ValueError, match="Compose needs one augmentation at least: choose augment=none"):
        Compose()
    with pytest.raises(TypeError, match="cut must be an augmentation with a _target_, got 16"):
        Compose(cut=16)


def test_the_sequence_of_cifar_is_what_autoaugment_was_published_with_and_can_be_changed_by_name():
    augment = instantiate_part(composed("augment=cifar_autoaugment", "augment.cutout.size=8"), "augment")
    assert [type(step) for step in augment.steps.values()] == [ShiftFlip, AutoAugmentCIFAR10, Cutout]
    assert (augment.steps["crop"].shift, augment.steps["crop"].flip, augment.steps["cutout"].size) == (4, True, 8)
    config = composed("augment=cifar_autoaugment", "augment@augment.policy=randaugment", "augment.policy.magnitude=5")
    exchanged = instantiate_part(config, "augment").steps
    assert [type(step) for step in exchanged.values()] == [ShiftFlip, RandAugment, Cutout]
