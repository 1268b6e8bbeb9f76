"""A trained net with what its raw inputs are, and what it decides."""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imbalance_lab.backbones.finetune import fold
from imbalance_lab.backbones.members import average_members
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.posthoc import PostProcessor, log_odds, probabilities
from imbalance_lab.posthoc.threshold import is_flagged
from imbalance_lab.task import Task

BATCH_SIZE = 1024


class ModelOutput(NamedTuple):
    """What a model says about N examples.

    Args:
        classes: the names of the C classes.
        probabilities: (N, C) float64, calibrated, for the class priors of the post-processing.
        labels: (N,) int64, the most probable class; None for multilabel, where each label is decided by its flag.
        flags: (N, C) bool, whether a class reaches its threshold; one without a threshold never does.
        sets: (N, C) bool, the classes of each prediction set; None without such sets.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    flags: NDArray[np.bool_]
    sets: NDArray[np.bool_] | None = None

    @property
    def predicted(self) -> NDArray[np.str_] | None:
        """The name of the most probable class, (N,); None for multilabel."""
        return None if self.labels is None else np.array(self.classes)[self.labels]


class Model(nn.Module):
    """A trained net with what its raw inputs are, what it predicts, and its post-processing.

    Args:
        task: its classes, and how logits become probabilities.
        schema: what raw inputs look like.
        prepare: raw inputs as the schema encodes them → inputs of the backbone.
        backbone: → features (N, F); or of k members (N, k, F), see `imbalance_lab.backbones.members`.
        head: → logits (N, C); of members (N, k, C).
        postprocessor: calibration, prior correction and thresholds; None for a run that was not evaluated.
        class_counts: (C,) training examples of each class; empty if unknown.
        data_options: how the training data were read: the arguments of their source, such as ``path_column``.

    Shapes: ``model(inputs)`` takes encoded inputs (N, …) and returns logits (N, C), as the run stored them.
    """

    def __init__(
        self,
        task: Task,
        schema: InputSchema,
        prepare: nn.Module,
        backbone: nn.Module,
        head: nn.Module,
        postprocessor: PostProcessor | None,
        *,
        class_counts: Sequence[int] = (),
        data_options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.task = task
        self.schema = schema
        self.prepare = prepare
        self.backbone = backbone.to(memory_format=torch.channels_last)  # as in training: sums in the same order
        self.head = head
        self.postprocessor = postprocessor
        self.class_counts = tuple(class_counts)
        self.data_options = dict(data_options)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the C classes."""
        return self.task.classes

    def forward(self, inputs: Tensor) -> Tensor:
        """Encoded inputs (N, …) → logits (N, C), before post-processing; of members those of their average."""
        logits: Tensor = self.head(self.backbone(self.prepare(inputs)))
        return average_members(logits, self.task.activation)

    def logits(self, raw: Any) -> NDArray[np.float32]:
        """Raw inputs, as `InputSchema.encode` takes them → logits (N, C)."""
        return self.logits_of(self.schema.encode(raw))

    @torch.inference_mode()
    def logits_of(self, inputs: Tensor) -> NDArray[np.float32]:
        """Encoded inputs (N, …) → logits (N, C), batch by batch, on the device of the net."""
        tensors = chain(self.parameters(), self.buffers())  # a state dict takes as long as a small net
        device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        parts = [self(part.to(device)).float().cpu() for part in torch.split(inputs, BATCH_SIZE)]
        logits: NDArray[np.float32] = torch.cat(parts).numpy()
        return logits

    def predict(self, raw: Any) -> ModelOutput:
        """Raw inputs, as `InputSchema.encode` takes them → probabilities and decisions."""
        return self.output(self.logits(raw))

    def output(self, logits: NDArray[np.float32]) -> ModelOutput:
        """Logits (N, C) of this model → probabilities and decisions.

        Raises:
            UsageError: for a model that was not evaluated.
        """
        postprocessor = self.evaluated_postprocessor
        adjusted = torch.from_numpy(postprocessor.adjusted(logits))
        activation = postprocessor.activation
        flags: Tensor = is_flagged(log_odds(adjusted, activation), postprocessor.log_odds_thresholds.cpu())
        return ModelOutput(
            self.classes,
            probabilities(adjusted, activation).numpy(),
            None if self.task.is_multilabel else adjusted.argmax(1).numpy(),
            flags.numpy(),
            None if postprocessor.prediction_sets is None else postprocessor.sets(logits),
        )

    def probabilities(self, raw: Any) -> NDArray[np.float64]:
        """Raw inputs → calibrated probabilities (N, C), for the class priors that the run chose."""
        return self.predict(raw).probabilities

    def flags(self, raw: Any) -> NDArray[np.bool_]:
        """Raw inputs → whether each class reaches its threshold, (N, C); a class without a threshold never does."""
        return self.predict(raw).flags

    def with_postprocessor(self, postprocessor: PostProcessor) -> "Model":
        """The same net, not a copy of it, with other decisions."""
        parts = self.task, self.schema, self.prepare, self.backbone, self.head, postprocessor
        return Model(*parts, class_counts=self.class_counts, data_options=self.data_options).eval()

    def folded(self) -> "Model":
        """The same model, its net without what only training needs; see `imbalance_lab.backbones.finetune.fold`."""
        parts = self.task, self.schema, self.prepare, fold(self.backbone), self.head, self.postprocessor
        return Model(*parts, class_counts=self.class_counts, data_options=self.data_options).eval()

    @property
    def evaluated_postprocessor(self) -> PostProcessor:
        """The post-processing.

        Raises:
            UsageError: for a model that was not evaluated.
        """
        if self.postprocessor is None:
            raise UsageError("this checkpoint has no post-processing: run imbalance-lab evaluate RUN first")
        return self.postprocessor
