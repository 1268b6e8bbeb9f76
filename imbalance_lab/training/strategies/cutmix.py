"""CutMix (Yun et al. 2019, arXiv 1905.04899)."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from imbalance_lab.task import Task
from imbalance_lab.training.strategies.mixing import Mixing
from imbalance_lab.validation import check_number


class CutMix(Mixing):
    """Pastes a rectangle of another image of the batch into each; the labels share as the areas do.

    As in the authors' code the rectangle is the same for the whole batch: a share 1 − λ of the area, in the shape of
    the image, around any pixel; what would lie outside is left out, and λ is what then remains.

    Args:
        alpha: α of λ ~ Beta(α, α).
        probability: share of the batches that are mixed; the authors have 0.5 on CIFAR and 1 on ImageNet.
        input_shape: of the prepared inputs.

    The other arguments are `Mixing`'s, and given by the program.

    Raises:
        ValueError: for inputs that are not images, too.
    """

    stream = 0xC07313

    def __init__(
        self,
        alpha: float = 1.0,
        probability: float = 0.5,
        *,
        task: Task,
        loss: nn.Module,
        input_shape: Sequence[int],
        cardinalities: Sequence[int] = (),
    ) -> None:
        super().__init__(alpha, task=task, loss=loss, cardinalities=cardinalities)
        self.probability = check_number("probability", probability, minimum=0, maximum=1)
        if len(input_shape) != 3:
            raise ValueError(
                f"CutMix needs images (channels, height, width), got inputs of shape {tuple(input_shape)}: "
                "choose strategy=mixup"
            )

    def mix_inputs(self, inputs: Tensor, partners: Tensor, share: float, key: int) -> tuple[Tensor, float]:
        generator = np.random.default_rng([key, 1])
        if generator.random() >= self.probability:
            return inputs, 1.0
        height, width = inputs.shape[2:]
        rows, columns = (self._side(side, share, generator) for side in (height, width))
        mixed = inputs.clone()
        mixed[:, :, rows, columns] = inputs[partners][:, :, rows, columns]
        pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
        return mixed, 1 - pasted / (height * width)

    @staticmethod
    def _side(side: int, share: float, generator: np.random.Generator) -> slice:
        """Where the rectangle lies along one side."""
        half = int(side * (1 - share) ** 0.5) // 2
        center = int(generator.integers(side))
        return slice(max(0, center - half), min(side, center + half))
