"""Whether an ensemble fits into the memory of this machine."""

import os

from torch import nn

from imbalance_lab.errors import UsageError
from imbalance_lab.files import readable_size

TRAINED = 4
"""Numbers for each trained weight: itself, its gradient, and the optimizer's two moments."""


def check_memory(ensemble: int, backbone: nn.Module) -> None:
    """Raise an error, before the others are built, if ``ensemble`` nets like ``backbone`` need more than there is.

    Raises:
        UsageError: with what is needed and what the machine has.
    """
    trained = sum(each.numel() * each.element_size() for each in backbone.parameters() if each.requires_grad)
    needed = TRAINED * ensemble * trained
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise UsageError(
            f"ensemble={ensemble} nets of {readable_size(trained)} need about {readable_size(needed)} of memory in "
            f"training, and this machine has {readable_size(memory)}: choose a smaller ensemble or backbone"
        )
