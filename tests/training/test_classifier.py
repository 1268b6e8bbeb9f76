"""The classifier in Lightning's loop: resuming bit for bit, evaluation in full precision, non-finite losses."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn

from imbalance_lab.backbones import MLP, ConvNet
from imbalance_lab.data import ShiftFlip, digits, long_tailed
from imbalance_lab.losses import AveragePrecisionLoss, CrossEntropyLoss, FocalLoss
from imbalance_lab.samplers import ClassBalancedSampler, RandomSampler, SampledIndices
from imbalance_lab.training.callbacks import NonFiniteGuard
from imbalance_lab.training.classifier import Classifier
from imbalance_lab.training.datamodule import DataModule
from imbalance_lab.training.schedules import Cosine
from imbalance_lab.training.strategies import Strategy

SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)


class StopAt(pl.Callback):
    """Interrupts a run as a crash would, before a given step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step:
            raise InterruptedError


def classifier(backbone: nn.Module | None = None, loss: nn.Module | None = None) -> Classifier:
    torch.manual_seed(0)
    backbone = backbone or MLP((1, 8, 8), [32], dropout=0.5)
    return Classifier(
        backbone,
        nn.Linear(backbone.num_features, 10),  # type: ignore[arg-type]
        loss or FocalLoss(),
        task=SPLITS.task,
        prepare=SPLITS.prepare,
        optimizer=partial(torch.optim.AdamW, lr=3e-3),
        scheduler=Cosine(),
        seed=3,
    )


def average_precision() -> nn.Module:
    facts: dict[str, Any] = {"num_indices": int(SPLITS.train.index.max()) + 1, "num_examples": len(SPLITS.train)}
    return AveragePrecisionLoss(class_counts=SPLITS.class_counts, max_epochs=4, warmup=0.2, **facts)


def data(sampler: Any = None, num_workers: int = 0) -> DataModule:
    sampler = sampler or RandomSampler(targets=SPLITS.train.targets, seed=3)
    return DataModule(
        SPLITS, sampler, batch_size=64, augment=ShiftFlip(shift=1, flip=True), num_workers=num_workers, seed=3
    )


def trainer(root: Path, *callbacks: pl.Callback, **kwargs: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=4,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        callbacks=list(callbacks),
        enable_checkpointing=any(isinstance(each, ModelCheckpoint) for each in callbacks),
        log_every_n_steps=1,
        **kwargs,
    )


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch ended")
@pytest.mark.parametrize(
    ("stop", "sampler", "loss"),
    [
        pytest.param(12, RandomSampler, FocalLoss, id="between epochs"),
        pytest.param(15, RandomSampler, FocalLoss, id="in the middle of an epoch"),
        pytest.param(12, ClassBalancedSampler, FocalLoss, id="between balanced epochs"),
        pytest.param(15, ClassBalancedSampler, average_precision, id="with a memory of each example"),
    ],
)
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, stop: int, sampler: Any, loss: Callable[[], nn.Module]
) -> None:
    def source() -> DataModule:
        return data(sampler(targets=SPLITS.train.targets, seed=3))

    whole = classifier(loss=loss())
    trainer(tmp_path).fit(whole, source())

    def every_step(run: str) -> ModelCheckpoint:
        return ModelCheckpoint(tmp_path / run, "last", every_n_train_steps=1, enable_version_counter=False)

    with pytest.raises(InterruptedError):
        trainer(tmp_path, every_step("killed"), StopAt(stop)).fit(classifier(loss=loss()), source())
    resumed = classifier(loss=loss())
    torch.manual_seed(99)  # whatever the new process drew before must not matter
    trainer(tmp_path, every_step("on")).fit(
        resumed, source(), ckpt_path=tmp_path / "killed/last.ckpt", weights_only=True
    )

    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name
    if loss is average_precision:
        assert (whole.loss.estimates != -1).any()


class Seen(pl.Callback):
    """The examples of each step, in order."""

    def __init__(self) -> None:
        self.steps: list[list[int]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, *args: Any) -> None:
        self.steps.append(batch.index.tolist())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], list[list[int]]]:
    """The last weights and the examples of each step, of a run without workers."""
    model, seen = classifier(), Seen()
    trainer(tmp_path_factory.mktemp("whole"), seen).fit(model, data())
    return model.state_dict(), seen.steps


EVERY_STEP = {"every_n_train_steps": 1}
EVERY_EPOCH = {"save_on_train_epoch_end": True}
AFTER_VALIDATION = {"save_on_train_epoch_end": False}


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch ended")
@pytest.mark.parametrize("num_workers", [0, 1, 2])
@pytest.mark.parametrize(
    ("moment", "stops"),
    [(EVERY_STEP, [14]), (EVERY_STEP, [12]), (EVERY_STEP, [12, 14]), (EVERY_EPOCH, [14]), (AFTER_VALIDATION, [14])],
    ids=["in an epoch", "after its last step", "twice", "at its end", "after its validation"],
)
def test_a_resumed_run_goes_on_with_the_examples_that_come_next(
    tmp_path: Path, uninterrupted: Any, moment: dict[str, Any], stops: list[int], num_workers: int
) -> None:
    weights, steps = uninterrupted
    checkpoint, done = None, 0
    for stop in (*stops, len(steps)):
        model, seen = classifier(), Seen()
        save = ModelCheckpoint(tmp_path, "last", enable_version_counter=False, **moment)
        run = trainer(tmp_path, StopAt(stop), seen, save)
        with pytest.raises(InterruptedError) if stop < len(steps) else nullcontext():
            run.fit(model, data(num_workers=num_workers), ckpt_path=checkpoint, weights_only=True)
        assert seen.steps == steps[done:stop]
        checkpoint = tmp_path / "last.ckpt"
        done = torch.load(checkpoint, weights_only=True)["global_step"]
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in weights.items())


@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_that_was_cut_short_is_over_when_resumed(tmp_path: Path, num_workers: int) -> None:
    whole, resumed = Seen(), Seen()
    trainer(tmp_path, whole, limit_train_batches=2).fit(classifier(), data())
    save = ModelCheckpoint(tmp_path, "last", **EVERY_EPOCH)
    with pytest.raises(InterruptedError):
        trainer(tmp_path, save, StopAt(5), limit_train_batches=2).fit(classifier(), data())
    trainer(tmp_path, resumed, limit_train_batches=2).fit(
        classifier(), data(num_workers=num_workers), ckpt_path=tmp_path / "last.ckpt", weights_only=True
    )
    assert resumed.steps == whole.steps[4:]


def test_neither_workers_nor_validation_change_the_training(tmp_path: Path) -> None:
    alone, helped = classifier(), classifier()
    trainer(tmp_path).fit(alone, data())
    trainer(tmp_path, limit_val_batches=0).fit(helped, data(num_workers=1))
    assert all(torch.equal(weight, helped.state_dict()[name]) for name, weight in alone.state_dict().items())


class Masked(Strategy):
    """Erases the inputs, and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []

    def mix(self, inputs: Tensor, target: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        self.seen.append((inputs, keys))
        return torch.zeros_like(inputs), torch.full((len(target), 10), 0.1)


def test_a_strategy_mixes_the_prepared_batches_of_training_only(tmp_path: Path) -> None:
    first, second = Masked(), Masked()
    model = classifier(loss=CrossEntropyLoss())
    model.strategies = (first, second)
    source, batch = data(), data().splits.train.__getitems__(SampledIndices(torch.arange(5), torch.arange(5) + 7))
    loss = model.training_step(batch, 0)
    assert torch.equal(first.seen[0][0], model.prepare(batch.input))
    assert not second.seen[0][0].any()
    assert torch.equal(second.seen[0][1], batch.sample_seed)
    trainer(tmp_path, limit_val_batches=1).validate(model, source, verbose=False)
    assert len(first.seen) == 1
    assert loss > 2.3  # nothing is lower than the entropy of ten equal shares


def test_half_precision_is_for_training_only(tmp_path: Path) -> None:
    model = classifier(ConvNet((1, 8, 8), [8]))
    seen: set[torch.dtype] = set()
    model.head.register_forward_hook(lambda module, args, logits: seen.add(logits.dtype))
    halved = trainer(tmp_path, precision="bf16-mixed")
    halved.fit(model, data())
    assert seen == {torch.bfloat16, torch.float32}
    seen.clear()
    halved.test(model, data(), verbose=False)
    assert seen == {torch.float32}


def test_a_non_finite_loss_stops_the_run_and_names_examples(tmp_path: Path) -> None:
    class Broken(nn.Module):
        def forward(self, logits: Tensor, target: Tensor) -> Tensor:
            return logits.sum() * torch.nan

    sentence = r"the loss or the gradient is not finite at epoch 1, step 1, .*\(examples \[\d+, .*lower optimizer.lr"
    with pytest.raises(FloatingPointError, match=sentence):
        trainer(tmp_path, NonFiniteGuard()).fit(classifier(loss=Broken()), data())


def test_what_a_loss_learns_is_optimised_without_weight_decay(tmp_path: Path) -> None:
    class Learnt(FocalLoss):
        def __init__(self) -> None:
            super().__init__()
            self.margin = nn.Parameter(torch.ones(1))

        def forward(self, logits: Tensor, target: Tensor) -> Tensor:
            return super().forward(logits, target) + self.margin.square().sum()

    model = classifier(loss=Learnt())
    fitted = trainer(tmp_path)
    fitted.fit(model, data())
    *net, learnt = fitted.optimizers[0].param_groups
    assert learnt["params"] == [model.loss.margin]
    assert ([group["weight_decay"] for group in net], learnt["weight_decay"]) == ([0.01, 0.01], 0.0)
    assert model.loss.margin.item() < 1


def test_the_head_has_a_rate_and_a_decay_of_its_own_and_what_is_frozen_is_in_no_group(tmp_path: Path) -> None:
    model = classifier()
    model.head_options = {"lr": 0.5, "weight_decay": 0.25}
    model.backbone.requires_grad_(False)
    before = [parameter.clone() for parameter in model.backbone.parameters()]
    fitted = trainer(tmp_path)
    fitted.fit(model, data())
    (head,) = fitted.optimizers[0].param_groups
    assert head["params"] == list(model.head.parameters())
    assert (head["initial_lr"], head["weight_decay"]) == (0.5, 0.25)
    assert all(torch.equal(*pair) for pair in zip(before, model.backbone.parameters(), strict=True))


def test_every_tensor_of_the_model_is_a_parameter_or_a_buffer() -> None:
    model = classifier(loss=FocalLoss(alpha=[0.1] * 10))
    known = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    for module in (model, model.loss, model.prepare):
        assert all(id(value) in known for value in vars(module).values() if isinstance(value, Tensor))
    assert "loss.alpha" in model.state_dict()
