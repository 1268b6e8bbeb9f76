"""A whole model as one graph: encoded inputs → probabilities and decisions."""

from typing import Any

import torch
from torch import Tensor, nn

from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.export.inputs import input_names
from imbalance_lab.model import Model
from imbalance_lab.posthoc import PostProcessor, log_odds, probabilities
from imbalance_lab.posthoc.threshold import is_flagged


class Graph(nn.Module):
    """Preparation, net, calibration, prior correction and thresholds of a model, from tensors to tensors.

    Tables come in two parts, each left out where it has no columns: numbers (N, K) float32, NaN where missing, and
    categories (N, M) int64 codes; a code that no category has counts as 0, unknown. Other inputs come whole, (N, …);
    those of 16-bit images are uint16.

    Args:
        model: evaluated, in evaluation mode.
        thresholds: (C,) float32 log-odds in place of the model's own, see `robust_thresholds`.

    Shapes: returns probabilities (N, C) float64; the most probable class (N,) int64, left out for multilabel; flags
    (N, C) bool; the classes of each prediction set (N, C) bool, left out without such sets.

    Raises:
        UsageError: for a model that was not evaluated.
    """

    cardinalities: Tensor
    thresholds: Tensor

    def __init__(self, model: Model, thresholds: Tensor) -> None:
        super().__init__()
        self.model = model
        self.postprocessor: PostProcessor = model.evaluated_postprocessor
        self.is_table = isinstance(model.schema, TableSchema)
        self.input_names = input_names(model.schema)
        self.output_names = output_names(model)
        self.register_buffer("cardinalities", torch.tensor(model.schema.cardinalities, dtype=torch.long))
        self.register_buffer("thresholds", thresholds)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Inputs in the order of `input_names` → outputs in the order of `output_names`."""
        logits: Tensor = self.model(self._rows(inputs) if self.is_table else self._whole(*inputs)).float()
        adjusted: Tensor = self.postprocessor(logits)
        activation = self.postprocessor.activation
        outputs = {
            "probabilities": probabilities(adjusted, activation),
            "labels": adjusted.argmax(1),
            "flags": is_flagged(log_odds(adjusted, activation), self.thresholds),
        }
        if "sets" in self.output_names:
            postprocessor: Any = self.postprocessor
            outputs["sets"] = postprocessor.sets(logits)
        return tuple(outputs[name] for name in self.output_names)

    def _rows(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The two parts of a table as `TableSchema.encode` joins them."""
        parts = dict(zip(self.input_names, inputs, strict=True))
        if "categories" in parts:
            codes = parts["categories"]
            is_known = (codes >= 0) & (codes < self.cardinalities)
            parts["categories"] = torch.where(is_known, codes, 0).float()
        return torch.cat(list(parts.values()), 1)

    def _whole(self, inputs: Tensor) -> Tensor:
        return inputs.float() if inputs.dtype == torch.uint16 else inputs


def output_names(model: Model) -> tuple[str, ...]:
    """What a graph returns, in order."""
    sets = getattr(model.postprocessor, "prediction_sets", None) is not None
    given = {"probabilities": True, "labels": not model.task.is_multilabel, "flags": True, "sets": sets}
    return tuple(name for name, there in given.items() if there)
