"""Training in two stages: what stage 2 leaves as it is, what it learns, and that an interrupted run does not differ."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor, nn

from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.members import Members, build_head
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.class_counts import class_weights
from imbalance_lab.data import digits, long_tailed
from imbalance_lab.errors import UsageError
from imbalance_lab.losses import CrossEntropyLoss, FocalLoss, LDAMLoss
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.tags import MONITOR
from imbalance_lab.task import Task
from imbalance_lab.termination import StopRequest
from imbalance_lab.training.callbacks import BestCheckpoint, LastCheckpoint
from imbalance_lab.training.checkpoint_io import VerifiedCheckpointIO
from imbalance_lab.training.classifier import Classifier
from imbalance_lab.training.datamodule import DataModule
from imbalance_lab.training.schedules import Cosine
from imbalance_lab.training.strategies import (
    ClassifierRetraining,
    DeferredResampling,
    LabelOverSmoothing,
    LearnableWeightScaling,
    Strategy,
    WeightBalancing,
    fold_priors,
)
from imbalance_lab.training.strategies.head_retraining import HeadRetraining

pytestmark = [
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch ended"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
    pytest.mark.filterwarnings("ignore:Found .* in eval mode at the start of training"),
]

SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)
STEPS, FIRST = 6, 3
"""Steps of an epoch, and epochs of stage 1."""

SAMPLER = RandomSampler(targets=SPLITS.train.targets, seed=3)
LIMIT = 0.4
Make = Callable[..., HeadRetraining]


def balancing(**options: Any) -> WeightBalancing:
    return WeightBalancing(class_counts=SPLITS.class_counts, sampler=SAMPLER, **({"limit": LIMIT} | options))


STRATEGIES = (ClassifierRetraining, LearnableWeightScaling, LabelOverSmoothing, balancing)


class Normed(nn.Module):
    """Features of a net with batch normalization and dropout."""

    num_features = 16

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 16)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.layers(inputs)
        return features


class StopAt(pl.Callback):
    """Interrupts a run as a crash would, before a given step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step:
            raise InterruptedError


class SaveEveryStep(pl.Callback):
    """Saves the state within an epoch, as ``checkpoint.every_minutes`` does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if not trainer.is_last_batch:
            trainer.save_checkpoint(self.path)


class Record(pl.Callback):
    """What is trained, with which rate and on which classes, at every step."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.rates: list[float] = []
        self.classes: list[Tensor] = []
        self.training: list[bool] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, *args: Any) -> None:
        groups = trainer.optimizers[0].param_groups
        self.numbers.append(sum(parameter.numel() for group in groups for parameter in group["params"]))
        self.rates.append(groups[-1]["lr"])
        self.classes.append(batch.target)
        self.training.append(any(module.training for module in pl_module.backbone.modules()))


def strategy(kind: Make = ClassifierRetraining, **options: Any) -> HeadRetraining:
    return kind(task=SPLITS.task, max_epochs=FIRST, seed=3, **({"epochs": 2} | options))


def classifier(head: nn.Module | None = None, loss: nn.Module | None = None, **options: Any) -> Classifier:
    torch.manual_seed(0)
    backbone = Normed()
    return Classifier(
        backbone,
        head or nn.Linear(16, 10),
        loss or LDAMLoss(class_counts=SPLITS.class_counts),
        task=SPLITS.task,
        prepare=SPLITS.prepare,
        optimizer=partial(torch.optim.AdamW, lr=3e-3),
        scheduler=Cosine(warmup=0),
        seed=3,
        **options,
    )


def fit(
    folder: Path,
    stages: HeadRetraining,
    *callbacks: pl.Callback,
    module: Classifier | None = None,
    resume: Path | None = None,
    **options: Any,
) -> Classifier:
    """Train in a directory, from a checkpoint if one is given."""
    module = module or classifier()
    best = BestCheckpoint(folder / "best.ckpt", MONITOR, resumed_from=resume)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=FIRST + stages.extra_epochs,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        plugins=[VerifiedCheckpointIO()],
        callbacks=[*callbacks, stages, best, LastCheckpoint(folder / "last.ckpt", StopRequest())],
        log_every_n_steps=1,
        **options,
    )
    if resume is not None:
        best.adopt(read_checkpoint_file(resume).get("stage", 1))
    source = DataModule(SPLITS, RandomSampler(targets=SPLITS.train.targets, seed=3), batch_size=64, seed=3)
    trainer.fit(module, source, ckpt_path=resume, weights_only=True)
    return module


def weights(folder: Path, name: str, part: str) -> dict[str, Tensor]:
    content = read_checkpoint_file(folder / name)["state_dict"]
    return {key: tensor for key, tensor in content.items() if key.startswith(f"{part}.")}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(tensor, two[key]) for key, tensor in one.items())


@pytest.mark.parametrize("kind", STRATEGIES)
def test_stage_2_leaves_the_backbone_as_it_is_and_the_checkpoint_one_of_the_plain_net(
    kind: Make, tmp_path: Path
) -> None:
    seen = Record()
    module = fit(tmp_path, strategy(kind), seen)
    assert same(weights(tmp_path, "stage_1.ckpt", "backbone"), weights(tmp_path, "last.ckpt", "backbone"))
    assert not same(weights(tmp_path, "stage_1.ckpt", "head"), weights(tmp_path, "last.ckpt", "head"))
    batches = weights(tmp_path, "last.ckpt", "backbone")["backbone.layers.2.num_batches_tracked"]
    assert 0 < batches <= FIRST * STEPS, "batch normalization has counted those of stage 1 only"
    plain = classifier()
    assert read_checkpoint_file(tmp_path / "last.ckpt")["state_dict"].keys() == plain.state_dict().keys()
    for name in ("last.ckpt", "best.ckpt", "stage_1.ckpt"):
        module.load_state_dict(read_checkpoint_file(tmp_path / name)["state_dict"])
    assert seen.training == [True] * FIRST * STEPS + [False] * 2 * STEPS


def test_the_schedule_of_each_stage_ends_with_it_and_the_head_has_its_own_rate(tmp_path: Path) -> None:
    seen = Record()
    fit(tmp_path, strategy(lr=0.5), seen)
    first, second = seen.rates[: FIRST * STEPS], seen.rates[FIRST * STEPS :]
    assert first[0] == pytest.approx(3e-3)
    assert second[0] == pytest.approx(0.5)
    for rates in (first, second):
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] < rates[0] / 20


@pytest.mark.parametrize(("kind", "n"), [(ClassifierRetraining, 170), (LearnableWeightScaling, 10)])
def test_stage_2_trains_the_head_or_a_number_a_class_on_balanced_draws(kind: Make, n: int, tmp_path: Path) -> None:
    seen = Record()
    fit(tmp_path, strategy(kind, epochs=4), seen)
    assert set(seen.numbers[: FIRST * STEPS]) == {sum(p.numel() for p in classifier().parameters())}
    assert set(seen.numbers[FIRST * STEPS :]) == {n}
    before, after = (torch.cat(part).bincount(minlength=10) for part in (seen.classes[:18], seen.classes[18:]))
    assert before[0] > 10 * before[9]
    assert after.float().std() < 0.2 * after.float().mean()


def test_lws_changes_the_size_of_each_class_s_logit_and_nothing_else(tmp_path: Path) -> None:
    fit(tmp_path, strategy(LearnableWeightScaling, lr=0.1))
    (before, bias), (after, new_bias) = (weights(tmp_path, n, "head").values() for n in ("stage_1.ckpt", "last.ckpt"))
    factor = after / before
    assert torch.allclose(factor, factor[:, :1].expand_as(factor), rtol=1e-5)
    assert torch.allclose(new_bias / bias, factor[:, 0], rtol=1e-5)
    assert factor[:, 0].std() > 0.01


def test_label_over_smoothing_draws_as_it_is_told_to_and_has_small_logits(tmp_path: Path) -> None:
    seen = Record()
    module = fit(tmp_path, strategy(LabelOverSmoothing, lr=0.01, epochs=6, class_balanced=False), seen)
    assert torch.equal(torch.cat(seen.classes[18:24]).bincount(), torch.cat(seen.classes[:6]).bincount())
    probability = module.eval()(SPLITS.val.inputs).softmax(1)
    assert probability.max() < 0.3


def test_weight_balancing_goes_on_with_the_head_by_class_balanced_weights_under_a_limit(tmp_path: Path) -> None:
    class Heads(pl.Callback):
        def __init__(self) -> None:
            self.heads: list[Tensor] = []

        def on_train_batch_start(self, trainer: Any, pl_module: Any, *args: Any) -> None:
            self.heads.append(pl_module.head.weight.detach().clone())
            self.loss = pl_module.loss

    seen, draws = Heads(), Record()
    fit(tmp_path, balancing(task=SPLITS.task, max_epochs=FIRST, seed=3, epochs=2, weights="last"), seen, draws)
    assert torch.equal(seen.heads[FIRST * STEPS], weights(tmp_path, "stage_1.ckpt", "head")["head.weight"])
    norms = torch.stack(seen.heads).norm(dim=2)
    assert norms[: FIRST * STEPS].max() > LIMIT
    assert norms[FIRST * STEPS + 1 :].max() == pytest.approx(LIMIT, rel=1e-6)
    for name in ("last.ckpt", "best.ckpt"):
        assert weights(tmp_path, name, "head")["head.weight"].norm(dim=1).max() <= LIMIT * (1 + 1e-6)
    assert isinstance(seen.loss, CrossEntropyLoss)
    torch.testing.assert_close(seen.loss.weight, class_weights(SPLITS.class_counts, "effective").float())
    assert torch.equal(torch.cat(draws.classes[18:24]).bincount(), torch.cat(draws.classes[:6]).bincount())


def test_deferred_draws_are_those_of_stage_1_alone(tmp_path: Path) -> None:
    seen = Record()
    deferred = DeferredResampling(
        SPLITS.task, SAMPLER, SPLITS.train.targets, SPLITS.class_counts, nn.CrossEntropyLoss(), FIRST, start=0.4
    )
    fit(tmp_path, strategy(LabelOverSmoothing, class_balanced=False), deferred, seen)
    epochs = [torch.cat(seen.classes[at : at + STEPS]).bincount(minlength=10) for at in range(0, 5 * STEPS, STEPS)]
    assert epochs[1].float().std() < 0.5 * epochs[0].float().std()
    for later in epochs[FIRST:]:
        assert torch.equal(later, epochs[0])


def test_stage_2_begins_with_the_best_epoch_of_stage_1_or_with_the_last(tmp_path: Path) -> None:
    """The net of the last epoch is destroyed, so that an earlier one is the best."""

    class Destroy(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
            if trainer.current_epoch == FIRST - 1:
                nn.init.zeros_(pl_module.head.weight)
                pl_module.backbone.layers[-1].weight.data.mul_(-1)

    for start in ("best", "last"):
        fit(tmp_path / start, strategy(weights=start), Destroy())
    kept = {start: weights(tmp_path / start, "stage_1.ckpt", "backbone") for start in ("best", "last")}
    assert same(kept["best"], kept["last"])
    assert same(kept["best"], weights(tmp_path / "best", "last.ckpt", "backbone"))
    assert not same(kept["last"], weights(tmp_path / "last", "last.ckpt", "backbone"))


def equal(one: Path, two: Path) -> None:
    for name in ("last.ckpt", "best.ckpt", "stage_1.ckpt"):
        a, b = (read_checkpoint_file(folder / name) for folder in (one, two))
        assert same(a["state_dict"], b["state_dict"]), name
        for key in ("epoch", "global_step", "history"):
            assert a[key] == b[key], (name, key)
        assert a.get("stage") == b.get("stage")
        for key in ("optimizer_states", "lr_schedulers"):
            assert repr(a[key]) == repr(b[key]), (name, key)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Make], Path]:
    """The directory of a run with two epochs of stage 2, of each strategy that is asked for once."""
    done: dict[Make, Path] = {}

    def of(kind: Make) -> Path:
        if kind not in done:
            done[kind] = tmp_path_factory.mktemp("whole")
            fit(done[kind], strategy(kind))
        return done[kind]

    return of


BOUNDARY, WITHIN, LATER = 18, 20, 25
"""Optimizer steps: at the end of stage 1, in the first epoch of stage 2, and in its second one."""
KILLED = [
    *((ClassifierRetraining, at) for at in (BOUNDARY, LATER)),
    *((LearnableWeightScaling, at) for at in (WITHIN, LATER)),
    *((kind, WITHIN) for kind in (LabelOverSmoothing, balancing)),
]


@pytest.mark.parametrize(("kind", "stop"), KILLED)
def test_a_run_that_was_killed_in_stage_2_ends_as_one_that_was_not(
    kind: Make, stop: int, whole: Callable[[Make], Path], tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    with pytest.raises(InterruptedError):
        fit(killed, strategy(kind), SaveEveryStep(killed / "last.ckpt"), StopAt(stop))
    torch.manual_seed(99)  # whatever the new process drew before must not matter
    assert read_checkpoint_file(killed / "last.ckpt")["global_step"] == stop
    fit(tmp_path / "resumed", strategy(kind), resume=killed / "last.ckpt")
    equal(whole(kind), tmp_path / "resumed")


def test_a_best_model_of_stage_2_does_not_pass_for_that_of_stage_1(
    whole: Callable[[Make], Path], tmp_path: Path
) -> None:
    """The run was killed when the first epoch of stage 2 had saved best.ckpt, and not yet last.ckpt."""
    done, killed = whole(ClassifierRetraining), tmp_path / "killed"
    with pytest.raises(InterruptedError):
        fit(killed, strategy(), StopAt(BOUNDARY))
    assert read_checkpoint_file(done / "best.ckpt")["stage"] == 2
    shutil.copy(done / "best.ckpt", killed)
    fit(tmp_path / "resumed", strategy(), resume=killed / "last.ckpt")
    equal(done, tmp_path / "resumed")


class Worse(EarlyStopping):
    """Stops at the second epoch, in stage 2 with its own count."""

    def __init__(self) -> None:
        super().__init__("train/loss", min_delta=100, patience=1, mode="min")


@pytest.mark.parametrize("stop", [12, 14])
def test_early_stopping_ends_stage_1_and_begins_anew_in_stage_2(stop: int, tmp_path: Path) -> None:
    seen = Record()
    fit(tmp_path / "whole", strategy(epochs=4), Worse(), seen)
    assert len(seen.numbers) == (2 + 2) * STEPS, "two epochs in stage 1, and two of the four of stage 2"
    assert read_checkpoint_file(tmp_path / "whole" / "last.ckpt")["callbacks"]["LastCheckpoint"]["is_finished"]
    killed = tmp_path / "killed"
    with pytest.raises(InterruptedError):
        fit(killed, strategy(epochs=4), Worse(), SaveEveryStep(killed / "last.ckpt"), StopAt(stop))
    fit(tmp_path / "resumed", strategy(epochs=4), Worse(), resume=killed / "last.ckpt")
    equal(tmp_path / "whole", tmp_path / "resumed")


def test_early_stopping_in_stage_1_leaves_stage_2_all_its_epochs(tmp_path: Path) -> None:
    class OnlyFirst(EarlyStopping):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch < 2:
                super().on_train_epoch_end(trainer, pl_module)

    fit(tmp_path, strategy(epochs=5), OnlyFirst("train/loss", min_delta=100, patience=1, mode="min"))
    last = read_checkpoint_file(tmp_path / "last.ckpt")
    assert (last["epoch"] + 1, last["stage"]) == (2 + 5, 2)


def test_a_limit_of_steps_ends_the_run_in_stage_1(tmp_path: Path) -> None:
    fit(tmp_path, strategy(), max_steps=9)
    assert not (tmp_path / "stage_1.ckpt").exists()
    assert read_checkpoint_file(tmp_path / "last.ckpt")["global_step"] == 9


class Probe(Strategy):
    """Counts the steps and batches in which it could act."""

    def __init__(self) -> None:
        self.steps = self.mixed = 0

    def on_train_batch_start(self, *args: Any) -> None:
        self.steps += 1

    def mix(self, inputs: Tensor, target: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        self.mixed += 1
        return inputs, target


def test_no_other_strategy_acts_in_stage_2(tmp_path: Path) -> None:
    probe, killed = Probe(), tmp_path / "killed"
    callbacks, module = (probe, SaveEveryStep(killed / "last.ckpt"), StopAt(LATER)), classifier(strategies=(probe,))
    with pytest.raises(InterruptedError):
        fit(killed, strategy(), *callbacks, module=module)
    assert (probe.steps, probe.mixed) == (FIRST * STEPS, FIRST * STEPS)
    resumed = Probe()
    module = classifier(strategies=(resumed,))
    fit(tmp_path / "resumed", strategy(), resumed, module=module, resume=killed / "last.ckpt")
    assert (resumed.steps, resumed.mixed) == (0, 0)


def test_members_are_scaled_each_on_its_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = build_head(lambda: nn.Linear(16, 10), 2)
    module = Classifier(
        Members([Normed(), Normed()], 2),
        head,
        FocalLoss(),
        task=SPLITS.task,
        prepare=SPLITS.prepare,
        optimizer=partial(torch.optim.AdamW, lr=3e-3),
        seed=3,
    )
    seen = Record()
    fit(tmp_path, strategy(LearnableWeightScaling), seen, module=module)
    assert seen.numbers[-1] == 2 * 10


def test_the_priors_are_those_of_the_stage_that_the_model_is_of() -> None:
    crt, drawn = strategy(), (0.5, 0.5)
    assert fold_priors(drawn, [crt], FIRST) == drawn
    assert fold_priors(drawn, [crt], FIRST + 1) == pytest.approx([0.1] * 10)
    crt.load_state_dict({"stopped_after": 2, "began": 2, "first_step": 12})
    assert fold_priors(drawn, [crt], FIRST) == pytest.approx([0.1] * 10), "stage 1 was stopped early"


def test_the_priors_after_stage_2() -> None:
    assert strategy().implied_prior((0.9, 0.1)) == pytest.approx([0.1] * 10)
    assert strategy(LearnableWeightScaling).implied_prior((0.9, 0.1)) is None
    assert strategy(LabelOverSmoothing).implied_prior((0.9, 0.1)) is None
    weighted = SPLITS.class_counts * class_weights(SPLITS.class_counts, "effective")
    assert strategy(balancing).implied_prior(None) == pytest.approx((weighted / weighted.sum()).tolist())
    assert strategy(balancing, beta=0).implied_prior(None) == pytest.approx(
        (SPLITS.class_counts / SPLITS.class_counts.sum()).tolist()
    )


def test_what_cannot_be_trained_in_two_stages_is_refused(tmp_path: Path) -> None:
    labels, sigmoid = Task("multilabel", ("a", "b"), "sigmoid"), Task("multiclass", ("a", "b", "c"), "sigmoid")
    with pytest.raises(ValueError, match="labels have no class of an example: leave this strategy out"):
        ClassifierRetraining(task=labels, max_epochs=2)
    with pytest.raises(ValueError, match="the loss goes with a sigmoid"):
        LearnableWeightScaling(task=sigmoid, max_epochs=2)
    with pytest.raises(UsageError, match="LWS needs a linear head, but the head is CosineHead: choose head=linear"):
        fit(tmp_path, strategy(LearnableWeightScaling), module=classifier(CosineHead(16, 10)))
    with pytest.raises(UsageError, match="Identity has no weights"):
        fit(tmp_path, strategy(), module=classifier(nn.Identity()))
    assert not list(tmp_path.glob("*.ckpt"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"epochs": 0}, "epochs must be an integer ≥ 1"),
        ({"weights": "first"}, "weights must be one of best, last"),
        ({"lr": 0}, "lr must be a finite number > 0"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        strategy(**options)
