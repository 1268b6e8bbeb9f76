"""The checks that our losses, samplers, backbones and sources pass, for those of other packages.

Each takes what builds the object, and raises AssertionError with a sentence that says what does not hold:

    from imbalance_lab.testing import check_loss

    def test_my_loss():
        check_loss(lambda class_counts: MyLoss(class_counts=class_counts))
"""

from imbalance_lab.testing.backbones import check_backbone
from imbalance_lab.testing.losses import check_loss
from imbalance_lab.testing.samplers import check_sampler
from imbalance_lab.testing.sources import check_source

__all__ = ["check_backbone", "check_loss", "check_sampler", "check_source"]
