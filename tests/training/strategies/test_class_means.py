"""The start of a cosine head from class means, in Lightning's loop."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from imbalance_lab.backbones import MLP, CosineHead
from imbalance_lab.backbones.members import MemberHeads, Members
from imbalance_lab.data import ShiftFlip, digits, long_tailed
from imbalance_lab.errors import UsageError
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.task import Task
from imbalance_lab.training.classifier import Classifier
from imbalance_lab.training.datamodule import DataModule
from imbalance_lab.training.strategies import ClassMeans

SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)


def mlp() -> MLP:
    return MLP((1, 8, 8), [32], dropout=0.5)


def fitted(root: Path, backbone: nn.Module, head: nn.Module, ckpt_path: Path | None = None, epochs: int = 1) -> Any:
    """A classifier after some steps, with a rate at which nothing moves; its data are augmented in training."""
    classifier = Classifier(
        backbone,
        head,
        CrossEntropyLoss(),
        task=SPLITS.task,
        prepare=SPLITS.prepare,
        optimizer=partial(torch.optim.SGD, lr=1e-30),
    )
    sampler: Any = RandomSampler(targets=SPLITS.train.targets, seed=3)
    data = DataModule(SPLITS, sampler, batch_size=64, eval_batch_size=100, augment=ShiftFlip(shift=1, flip=True))
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        limit_train_batches=2,
        limit_val_batches=1,
        callbacks=[ClassMeans(task=SPLITS.task)],
        default_root_dir=root,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(classifier, data, ckpt_path=ckpt_path, weights_only=True)
    trainer.save_checkpoint(root / "end.ckpt")
    return classifier


@torch.no_grad()
def class_means(backbone: nn.Module) -> torch.Tensor:
    train: Any = SPLITS.train
    features = backbone.eval()(SPLITS.prepare(train.inputs))
    means = [features[train.targets == each].mean(0) for each in range(10)]
    return torch.stack([mean / mean.norm() for mean in means])


def test_each_class_starts_at_the_mean_of_its_features(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = mlp()
    classifier = fitted(tmp_path, backbone, CosineHead(32, 10))
    assert backbone.training  # the dropout is on again
    torch.testing.assert_close(classifier.head.weight.detach(), class_means(backbone), rtol=0, atol=1e-6)


def test_each_member_has_the_means_of_its_own_features(tmp_path: Path) -> None:
    torch.manual_seed(0)
    nets: list[Any] = [mlp(), mlp()]
    classifier = fitted(tmp_path, Members(nets, 2), MemberHeads([CosineHead(32, 10), CosineHead(32, 10)]))
    for net, head in zip(nets, classifier.head.heads, strict=True):
        torch.testing.assert_close(head.weight.detach(), class_means(net), rtol=0, atol=1e-6)


def test_a_resumed_run_keeps_the_weights_that_it_has(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone, trained = mlp(), CosineHead(32, 10)
    fitted(tmp_path, backbone, trained)
    checkpoint = torch.load(tmp_path / "end.ckpt", weights_only=True)
    checkpoint["state_dict"]["head.weight"] = torch.eye(10, 32)
    torch.save(checkpoint, tmp_path / "half.ckpt")
    classifier = fitted(tmp_path, backbone, CosineHead(32, 10), tmp_path / "half.ckpt", epochs=2)
    torch.testing.assert_close(classifier.head.weight.detach(), torch.eye(10, 32), rtol=0, atol=1e-20)


def test_another_head_and_several_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^strategy\.class_means sets .* the head is Linear: choose head=cosine"):
        fitted(tmp_path, mlp(), nn.Linear(32, 10))
    with pytest.raises(ValueError, match=r"^class_means needs examples of one class each"):
        ClassMeans(task=Task("multilabel", ("a", "b"), "sigmoid"))
