"""Backbone and head of a job: built from the seed, then given the initial weights that ``backbone.weights`` names."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import nn

from imbalance_lab import seeding
from imbalance_lab.app.build import allowed_packages, instantiate_node, instantiate_part
from imbalance_lab.app.memory import check_memory
from imbalance_lab.app.tuned_backbone import build_tuned
from imbalance_lab.backbones.initial_weights import InitialWeights, applied_afterwards, load_weights
from imbalance_lab.backbones.members import build_backbone, build_head, num_members
from imbalance_lab.data import Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from imbalance_lab.trusted import locate
from imbalance_lab.validation import check_bool, check_text


class Net(NamedTuple):
    """The parts of a net.

    Args:
        backbone: inputs → features.
        head: features → logits.
        weights: what the backbone has from a file; None if its weights are random, or will come from a checkpoint.
    """

    backbone: nn.Module
    head: nn.Module
    weights: InitialWeights | None


def build_net(config: DictConfig, splits: Splits, task: Task) -> Net:
    """Build backbone and head; their initial weights are a function of the seed and of the file that is named.

    With ``ckpt_path`` the file is not needed: the weights are those of the checkpoint.

    Raises:
        UsageError: for what a constructor refuses, and for a file that is not of this backbone.
    """
    facts = {"cardinalities": splits.schema.cardinalities, "n_periodic": splits.schema.n_periodic}
    node, own = _own_options(config)
    available = {"input_shape": splits.prepared_shape, **facts}
    plain = partial(instantiate_node, "backbone", node, allowed_packages(config), **available)
    file = None if config.ckpt_path is not None else own.get("weights")
    loaded: list[InitialWeights] = []
    build = build_tuned(config, partial(_start, plain, file, own.get("freeze", False), loaded))
    with torch.random.fork_rng(devices=[]):  # drawn on the CPU, so that they are the same on every device
        if config.ensemble > 1:
            check_memory(config.ensemble, build())
        torch.default_generator.manual_seed(seeding.hash_seeds(config.seed) >> 1)
        try:
            backbone = build_backbone(build, config.ensemble)
            members = num_members(backbone)
        except (ValueError, TypeError, ImportError) as error:
            raise UsageError(f"backbone: {error}") from error
        features = getattr(backbone, "num_features", None)
        if isinstance(features, bool) or not isinstance(features, int):
            raise UsageError(
                f"backbone: {type(backbone).__name__} has no integer attribute num_features: "
                "set it to the number of features that forward returns, as in self.num_features = 128"
            )
        sizes = {"in_features": features, "out_features": task.num_classes}
        head = build_head(partial(instantiate_part, config, "head", **sizes), members)
    return Net(backbone, head, loaded[0] if loaded else None)


def _own_options(config: DictConfig) -> tuple[DictConfig, dict[str, Any]]:
    """The backbone's configuration without the keys of `applied_afterwards`; and these."""
    try:
        factory = locate(config.backbone.get("_target_"), allowed_packages(config), "allow {package}")
    except UsageError:
        return config.backbone, {}  # reported when it is built
    ours = [key for key in applied_afterwards(factory) if key in config.backbone]
    node = copy(config.backbone)  # it keeps its parent, for interpolations
    with open_dict(node):
        own = {key: node.pop(key) for key in ours}
    if own.get("weights") is not None and OmegaConf.select(node, "pretrained"):
        raise UsageError("backbone.pretrained=true and backbone.weights are two starts: leave one of them out")
    return node, own


def _start(
    build: Callable[..., nn.Module], file: Any, freeze: Any, loaded: list[InitialWeights], **arguments: Any
) -> nn.Module:
    """A backbone with the weights of a file, added to ``loaded``; frozen or not."""
    backbone = build(**arguments)
    if file is not None:
        loaded.append(load_weights(backbone, check_text("weights", file)))
    if check_bool("freeze", freeze):
        backbone.requires_grad_(False).eval()
    return backbone
