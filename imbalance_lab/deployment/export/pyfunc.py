"""What MLflow runs: raw inputs → a table of decisions. Loading it needs neither MLflow, Hydra nor Lightning."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab.data.schema import ImageSchema, InputSchema
from imbalance_lab.deployment.export.inputs import graph_inputs
from imbalance_lab.deployment.export.torch_file import TorchFile

if TYPE_CHECKING:
    import pandas as pd

BATCH_SIZE = 1024
GRAPH, DESCRIPTION = "graph.pt2", "schema.json"
"""The files of a model, in one folder."""

PATH_COLUMN = "path"
"""The column with the paths of image files."""


class Classifier:
    """A model in MLflow's form.

    Args:
        folder: with `GRAPH` and `DESCRIPTION`.
    """

    def __init__(self, folder: Path) -> None:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        self.schema = InputSchema.from_dict(description["input_schema"])
        self.classes: list[str] = description["classes"]
        self.output_names = [each["name"] for each in description["outputs"]]
        self.flag_columns = [f"flag_{each['class']}" for each in description["thresholds"] if "refused" not in each]
        self.graph = TorchFile(folder / GRAPH)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> "pd.DataFrame":
        """A DataFrame, paths of images (also as a column "path"), or arrays → one row for each.

        The columns are ``p_<class>``, ``predicted`` (not for multilabel), ``flag_<class>`` for each class that has a
        threshold, and ``set_<class>`` where the model has prediction sets: those that ``imbalance-lab predict`` writes.

        Raises:
            ValueError: naming what does not fit, and where.
        """
        import pandas as pd

        encoded = self.schema.encode(self._raw(model_input))
        parts = [self.graph(*graph_inputs(self.schema, part)) for part in torch.split(encoded, BATCH_SIZE)]
        outputs: dict[str, NDArray[Any]] = {
            name: np.concatenate([part[at] for part in parts]) for at, name in enumerate(self.output_names)
        }
        columns: dict[str, NDArray[Any]] = self._by_class("p", outputs["probabilities"])
        if "labels" in outputs:
            columns["predicted"] = np.array(self.classes)[outputs["labels"]]
        flags = self._by_class("flag", outputs["flags"])
        columns |= {name: flags[name] for name in self.flag_columns}
        if "sets" in outputs:
            columns |= self._by_class("set", outputs["sets"])
        return pd.DataFrame(columns)

    def _by_class(self, prefix: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {f"{prefix}_{name}": values[:, c] for c, name in enumerate(self.classes)}

    def _raw(self, given: Any) -> Any:
        """Image paths as a list, whatever they come in; anything else as it is."""
        if not isinstance(self.schema, ImageSchema):
            return given
        column = given[PATH_COLUMN] if hasattr(given, "columns") else given
        return [str(path) for path in ([column] if isinstance(column, str | Path) else column)]


def _load_pyfunc(path: str) -> Classifier:
    """Called by MLflow, by this name."""
    return Classifier(Path(path))
