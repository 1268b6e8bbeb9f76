"""A trained model from its checkpoint alone: no Hydra, no training data.

model = load_model("runs/DATE/TIME")
output = model.predict(frame)
output.probabilities, output.labels, output.flags
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.stored_files import reading
from imbalance_lab.posthoc import PostProcessor, log_odds, probabilities
from imbalance_lab.posthoc.threshold import is_flagged
from imbalance_lab.task import Task
from imbalance_lab.trusted import locate

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
        backbone: → features (N, F).
        head: → logits (N, C).
        postprocessor: calibration, prior correction and thresholds; None for a run that was not evaluated.

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
    ) -> None:
        super().__init__()
        self.task = task
        self.schema = schema
        self.prepare = prepare
        self.backbone = backbone.to(memory_format=torch.channels_last)  # as in training: sums in the same order
        self.head = head
        self.postprocessor = postprocessor

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the C classes."""
        return self.task.classes

    def forward(self, inputs: Tensor) -> Tensor:
        """Encoded inputs (N, …) → logits (N, C), before post-processing."""
        logits: Tensor = self.head(self.backbone(self.prepare(inputs)))
        return logits

    @torch.inference_mode()
    def logits(self, raw: Any) -> NDArray[np.float32]:
        """Raw inputs, as `InputSchema.encode` takes them → logits (N, C), batch by batch."""
        device = next((tensor.device for tensor in self.state_dict().values()), torch.device("cpu"))
        inputs: Tensor = self.schema.encode(raw)
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
        postprocessor = self._evaluated()
        adjusted = torch.from_numpy(postprocessor.adjusted(logits))
        activation = postprocessor.activation
        flags: Tensor = is_flagged(log_odds(adjusted, activation), postprocessor.log_odds_thresholds.cpu())
        return ModelOutput(
            self.classes,
            probabilities(adjusted, activation).numpy(),
            None if self.task.is_multilabel else adjusted.argmax(1).numpy(),
            flags.numpy(),
        )

    def probabilities(self, raw: Any) -> NDArray[np.float64]:
        """Raw inputs → calibrated probabilities (N, C), for the class priors that the run chose."""
        return self.predict(raw).probabilities

    def flags(self, raw: Any) -> NDArray[np.bool_]:
        """Raw inputs → whether each class reaches its threshold, (N, C); a class without a threshold never does."""
        return self.predict(raw).flags

    def with_postprocessor(self, postprocessor: PostProcessor) -> "Model":
        """The same net, not a copy of it, with other decisions."""
        return Model(self.task, self.schema, self.prepare, self.backbone, self.head, postprocessor).eval()

    def _evaluated(self) -> PostProcessor:
        if self.postprocessor is None:
            raise UsageError("this checkpoint has no post-processing: run imbalance-lab evaluate RUN first")
        return self.postprocessor


def load_model(run_or_checkpoint: str | Path, *, allow: Sequence[str] = ()) -> Model:
    """Load a run's best model, or a checkpoint, on the CPU and in evaluation mode.

    Args:
        run_or_checkpoint: a run directory, or a checkpoint file of one.
        allow: further packages whose classes the checkpoint may name, as those of a backbone of your own; they are
            imported.

    Raises:
        UsageError: for what is not a checkpoint of this program, or names a class of another package.
    """
    path = Path(run_or_checkpoint)
    content = read_checkpoint(RunDirectory(path).best_checkpoint if path.is_dir() else path)
    hparams, weights = content["hyper_parameters"], content["state_dict"]
    task, schema = Task.from_dict(hparams["task"]), InputSchema.from_dict(hparams["input_schema"])
    config = hparams["config"]
    with torch.random.fork_rng(devices=[]):
        backbone = build(
            config["backbone"], allow, input_shape=schema.prepared_shape, cardinalities=schema.cardinalities
        )
        head = build(config["head"], allow, in_features=backbone.num_features, out_features=task.num_classes)
    prepare = schema.prepare_from(dict(_below("prepare", weights)))
    modules = {"prepare": prepare, "backbone": backbone, "head": head}
    check_state_dict(f"{path}", weights, modules)
    for name, module in modules.items():
        module.load_state_dict(dict(_below(name, weights)))
    point = content.get("operating_point")
    with reading(path, "write its operating point again with imbalance-lab evaluate RUN"):
        postprocessor = None if point is None else PostProcessor.from_json(point)
    return Model(task, schema, prepare, backbone, head, postprocessor).eval().requires_grad_(False)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; plain data only, nothing in it is executed.

    Raises:
        UsageError: for a file that is damaged, or not a checkpoint of this program.
    """
    content = read_checkpoint_file(Path(path))
    try:
        hparams = content["hyper_parameters"]
        Task.from_dict(hparams["task"])
        InputSchema.from_dict(hparams["input_schema"])
        if not isinstance(content["state_dict"], dict) or not isinstance(hparams["config"], dict):
            raise TypeError("state_dict and config must be dictionaries")
    except Exception as error:  # whatever content that is not ours may raise
        raise UsageError(f"{path} is not a checkpoint of this program: {_first_line(error)}") from error
    return content


def check_state_dict(source: str, weights: Mapping[str, Any], modules: Mapping[str, nn.Module]) -> None:
    """Raise an error if the ``weights`` of a checkpoint are not those of the ``modules``, in name, shape or type.

    Raises:
        UsageError: naming a tensor and what is wrong with it.
    """
    for part, module in modules.items():
        expected = module.state_dict(prefix=f"{part}.")
        stored = {name: tensor for name, tensor in weights.items() if name.startswith(f"{part}.")}
        for name in sorted(expected.keys() ^ stored.keys()):
            how = "lacks" if name in expected else "has an unknown"
            raise UsageError(f"{source} {how} tensor {name}: it is not a checkpoint of this model; choose another")
        for name, tensor in expected.items():
            trained = stored[name]
            if not isinstance(trained, Tensor) or trained.shape != tensor.shape:
                there = tuple(trained.shape) if isinstance(trained, Tensor) else type(trained).__name__
                raise UsageError(
                    f"{source} was trained on other inputs, {name} is {there} there "
                    f"and {tuple(tensor.shape)} here: choose its data, with the same columns or image_size"
                )


def build(node: Mapping[str, Any], allow: Sequence[str] = (), **available: Any) -> Any:
    """Instantiate a module by its ``_target_`` and keys, and with those of the ``available`` arguments that it takes.

    Raises:
        UsageError: if the target is not an ``nn.Module`` of a trusted or allowed package.
    """
    target = node.get("_target_")
    try:
        factory = locate(target, allow, "allow its package with load_model(…, allow=['{package}'])")
    except UsageError as error:
        raise UsageError(f"the checkpoint names {error}") from error
    if not (isinstance(factory, type) and issubclass(factory, nn.Module)):
        raise UsageError(f"the checkpoint names {target}, which is not a class of modules")
    given = {key: value for key, value in node.items() if not key.startswith("_")}
    if given.get("pretrained"):
        given["pretrained"] = False  # its weights are in the checkpoint
    return factory(**given, **accepted_arguments(factory, {k: v for k, v in available.items() if given.get(k) is None}))


def _first_line(error: Exception) -> str:
    """What is wrong, with the kind of error where its text is only a key."""
    return f"{type(error).__name__} {error}".splitlines()[0]


def _below(prefix: str, weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The entries of one submodule, without its prefix."""
    for name, tensor in weights.items():
        if name.startswith(f"{prefix}."):
            yield name.removeprefix(f"{prefix}."), tensor
