"""Several augmentations one after the other."""

from collections.abc import Callable, Sequence

from torch import Tensor

from imbalance_lab import seeding

Augmentation = Callable[[Tensor, Tensor], Tensor]
"""Inputs (N, …) and the keys of their draws (N,) → inputs of the same shape and type."""

STREAM = 0x5C0F
"""Sets the keys of the steps apart from those that an augmentation alone gets."""


class Compose:
    """Apply augmentations in the order in which they are given, each with random numbers of its own.

    Args:
        steps: the augmentations, by names that the command line may use: ``augment.cutout.size=8``.
    """

    def __init__(self, **steps: Augmentation) -> None:
        if not steps:
            raise ValueError("Compose needs one augmentation at least: choose augment=none for none")
        for name, step in steps.items():
            if not callable(step):
                raise TypeError(f"{name} must be an augmentation with a _target_, got {step!r}")
        self.steps = steps

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Let each step refuse inputs of this shape by a ValueError."""
        self._check("check_input_shape", shape)

    def check_inputs(self, inputs: Tensor) -> None:
        """Let each step refuse these inputs, some of the training split, by a ValueError."""
        self._check("check_inputs", inputs)

    def _check(self, method: str, argument: object) -> None:
        for name, step in self.steps.items():
            check = getattr(step, method, None)
            try:
                if check is not None:
                    check(argument)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error

    def __call__(self, inputs: Tensor, keys: Tensor) -> Tensor:
        """Augment ``inputs`` (N, …) by the keys of their draws (N,); same shape and dtype."""
        for place, step in enumerate(self.steps.values()):
            inputs = step(inputs, seeding.hash_indices(seeding.hash_seeds(STREAM, place), keys))
        return inputs
