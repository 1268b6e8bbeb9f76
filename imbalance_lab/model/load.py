"""A trained model from its checkpoint alone: no Hydra, no training data."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.backbones.finetune import Finetune, Full, finetuned
from imbalance_lab.backbones.initial_weights import applied_afterwards
from imbalance_lab.backbones.members import MAX_MEMBERS, build_backbone, build_head, num_members
from imbalance_lab.checkpoint_file import part_of, read_checkpoint_file
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.stored_files import reading
from imbalance_lab.model.model import Model
from imbalance_lab.posthoc import PostProcessor
from imbalance_lab.task import Task
from imbalance_lab.trusted import locate
from imbalance_lab.validation import check_integer


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
    content = read_checkpoint(RunDirectory(path).find_model() if path.is_dir() else path)
    hparams, weights = content["hyper_parameters"], content["state_dict"]
    task, schema = Task.from_dict(hparams["task"]), InputSchema.from_dict(hparams["input_schema"])
    config = hparams["config"]
    with torch.random.fork_rng(devices=[]):
        facts = {"cardinalities": schema.cardinalities, "n_periodic": schema.n_periodic}
        plain = partial(build, config["backbone"], allow, input_shape=schema.prepared_shape, **facts)
        make = finetuned(plain, _finetune(config, allow))
        backbone: Any = build_backbone(make, config.get("ensemble", 1))
        sizes = {"in_features": backbone.num_features, "out_features": task.num_classes}
        head = build_head(partial(build, config["head"], allow, **sizes), num_members(backbone))
    prepare = schema.prepare_from(part_of(weights, "prepare"))
    modules = {"prepare": prepare, "backbone": backbone, "head": head}
    check_state_dict(f"{path}", weights, modules)
    for name, module in modules.items():
        module.load_state_dict(part_of(weights, name))
    point = content.get("operating_point")
    with reading(path, "write its operating point again with imbalance-lab evaluate RUN"):
        postprocessor = None if point is None else PostProcessor.from_json(point)
    data = {key: value for key, value in config.get("data", {}).items() if not key.startswith("_")}
    model = Model(
        task, schema, prepare, backbone, head, postprocessor, class_counts=hparams["class_counts"], data_options=data
    )
    return model.eval().requires_grad_(False)


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
        check_integer("ensemble", hparams["config"].get("ensemble", 1), minimum=1, maximum=MAX_MEMBERS)
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


def build(node: Mapping[str, Any], allow: Sequence[str] = (), kind: type = nn.Module, /, **available: Any) -> Any:
    """Instantiate a class by its ``_target_`` and keys, and with those of the ``available`` arguments that it takes.

    Raises:
        UsageError: if the target is not a subclass of ``kind`` in a trusted or allowed package.
    """
    target = node.get("_target_")
    try:
        factory = locate(target, allow, "allow its package with load_model(…, allow=['{package}'])")
    except UsageError as error:
        raise UsageError(f"the checkpoint names {error}") from error
    if not (isinstance(factory, type) and issubclass(factory, kind)):
        named = "a class of modules" if kind is nn.Module else f"a subclass of {kind.__name__}"
        raise UsageError(f"the checkpoint names {target}, which is not {named}")
    given = {key: value for key, value in node.items() if not key.startswith("_")}
    given |= {"pretrained": False} if given.get("pretrained") else {}  # its weights are in the checkpoint
    of_training = applied_afterwards(factory)
    given = {key: value for key, value in given.items() if key not in of_training}
    return factory(**given, **accepted_arguments(factory, {k: v for k, v in available.items() if given.get(k) is None}))


def _finetune(config: Mapping[str, Any], allow: Sequence[str]) -> Finetune:
    """What was trained of the backbone; checkpoints of earlier releases do not say."""
    finetune: Finetune = build(config["finetune"], allow, Finetune) if "finetune" in config else Full()
    return finetune


def _first_line(error: Exception) -> str:
    """What is wrong, with the kind of error where its text is only a key."""
    return f"{type(error).__name__} {error}".splitlines()[0]
