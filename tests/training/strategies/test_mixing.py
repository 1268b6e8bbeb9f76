"""Mixup, CutMix and Remix beside the formulas of their papers, whatever they draw."""

from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from scipy.stats import chisquare, kstest
from torch import Tensor, nn

from imbalance_lab import losses, seeding
from imbalance_lab.backbones import MLP
from imbalance_lab.data import digits, long_tailed
from imbalance_lab.losses.soft_targets import accepts_soft_targets
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.task import Task
from imbalance_lab.training.classifier import Classifier
from imbalance_lab.training.datamodule import DataModule
from imbalance_lab.training.strategies import CutMix, Mixup, Remix

N = 12
TASK = Task.from_targets([f"c{n}" for n in range(N)], torch.arange(N))
LABELS = Task.from_targets(["a", "b", "c"], torch.tensor([[0, 1, 1], [1, 0, 0]]))
LOSS = losses.CrossEntropyLoss()
COUNTS = torch.tensor([1000, 500, 333, 200, 100, 80, 50, 30, 20, 10, 5, 1])
SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)
IMAGES = torch.rand(N, 2, 9, 14, generator=torch.Generator().manual_seed(0))


def keys(batch: int) -> Tensor:
    return seeding.hash_indices(batch, torch.arange(N))


def mixup(**arguments: float) -> Mixup:
    return Mixup(**arguments, task=TASK, loss=LOSS)


def cutmix(**arguments: float) -> CutMix:
    return CutMix(**arguments, task=TASK, loss=LOSS, input_shape=(2, 9, 14))


def remix(**arguments: float) -> Remix:
    return Remix(**arguments, task=TASK, loss=LOSS, class_counts=COUNTS)


def partners_and_share(target: Tensor) -> tuple[Tensor, float]:
    """Read from the targets of a batch with one example of each class, in order."""
    own = target.diagonal()
    index = (target - torch.diag(own)).argmax(1)
    return torch.where(own == 1, torch.arange(N), index), float(own.min())


@pytest.mark.parametrize("batch", range(5))
def test_mixup_is_its_formula(batch: int) -> None:
    mixed, target = mixup().mix(IMAGES, torch.arange(N), keys(batch))
    index, share = partners_and_share(target)
    assert sorted(index.tolist()) == list(range(N))
    assert 0 < share < 1
    torch.testing.assert_close(mixed, share * IMAGES + (1 - share) * IMAGES[index])
    y = torch.eye(N)
    torch.testing.assert_close(target, share * y + (1 - share) * y[index])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_share_is_drawn_from_a_beta_distribution_once_for_a_batch(alpha: float) -> None:
    strategy = mixup(alpha=alpha)
    inputs, drawn = torch.arange(2.0).view(2, 1), []
    for batch in range(400):
        mixed, target = strategy.mix(inputs, torch.tensor([0, 1]), keys(batch)[:2])
        if target.ndim == 2 and target[0, 1] > 0:  # else each is its own partner
            drawn.append(float(target[0, 0]))
            assert mixed.flatten().tolist() == pytest.approx([1 - drawn[-1], drawn[-1]], abs=1e-6)
    assert 150 < len(drawn) < 250
    assert kstest(drawn, "beta", (alpha, alpha)).pvalue > 0.01


@pytest.mark.parametrize("batch", range(12))
def test_cutmix_pastes_a_rectangle_and_labels_share_as_the_areas(batch: int) -> None:
    strategy = cutmix(probability=1.0)
    mixed, target = strategy.mix(IMAGES, torch.arange(N), keys(batch))
    if target.ndim == 1:  # the rectangle is empty
        assert torch.equal(mixed, IMAGES)
        return
    index, share = partners_and_share(target)
    pasted = (mixed != IMAGES).any(1)
    moved = index != torch.arange(N)
    rows, columns = pasted.any(2).sum(1), pasted.any(1).sum(1)
    assert torch.equal(pasted.sum((1, 2)), rows * columns)
    assert torch.equal(pasted[moved], pasted[moved][:1].expand(int(moved.sum()), -1, -1))
    assert torch.equal(mixed, torch.where(pasted.unsqueeze(1), IMAGES[index], IMAGES))
    assert share == pytest.approx(1 - pasted[moved][0].float().mean().item(), abs=1e-6)


def test_cutmix_mixes_a_share_of_the_batches_anywhere() -> None:
    strategy, image = cutmix(probability=0.4), torch.arange(2.0).view(2, 1, 1, 1).expand(2, 1, 9, 14)
    covered, mixed = torch.zeros(9, 14), 0
    for batch in range(500):
        inputs, target = strategy.mix(image, torch.tensor([0, 1]), keys(batch)[:2])
        covered += inputs[0, 0]
        mixed += target.ndim == 2
    assert chisquare([mixed, 500 - mixed], [190, 310]).pvalue > 0.001  # a few rectangles are empty
    assert covered.min() > 0


@pytest.mark.parametrize(("kappa", "tau"), [(3.0, 0.5), (1.5, 0.9), (3.0, 0.0), (50.0, 1.0)])
def test_remix_is_its_formula(kappa: float, tau: float) -> None:
    for batch in range(20):
        mixed, target = remix(kappa=kappa, tau=tau).mix(IMAGES, torch.arange(N), keys(batch))
        plain, shared = Remix(tau=0.0, task=TASK, loss=LOSS, class_counts=COUNTS).mix(
            IMAGES, torch.arange(N), keys(batch)
        )
        assert torch.equal(mixed, plain)
        index, share = partners_and_share(shared)
        for i, j in enumerate(index.tolist()):
            ratio = COUNTS[i].item() / COUNTS[j].item()
            own = 0.0 if ratio >= kappa and share < tau else 1.0 if ratio <= 1 / kappa and 1 - share < tau else share
            expected = own * torch.eye(N)[i] + (1 - own) * torch.eye(N)[j]
            torch.testing.assert_close(target[i], expected)


def test_labels_mix_as_they_are() -> None:
    labels = torch.tensor([[0, 1, 1], [1, 0, 0]])
    inputs = torch.arange(2.0).view(2, 1)
    strategy = Mixup(task=LABELS, loss=losses.SigmoidFocalLoss())
    for batch in range(5):
        mixed, target = strategy.mix(inputs, labels, keys(batch)[:2])
        share = 1 - mixed[0, 0]
        torch.testing.assert_close(target[0], share * labels[0] + (1 - share) * labels[1])


def test_a_batch_is_decided_by_its_keys_alone() -> None:
    state = torch.get_rng_state()
    for strategy in (mixup(), cutmix(probability=1.0), remix()):
        one, other = (strategy.mix(IMAGES, torch.arange(N), keys(batch)) for batch in (0, 0))
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
        assert not torch.equal(one[0], strategy.mix(IMAGES, torch.arange(N), keys(1))[0])
    assert torch.equal(torch.get_rng_state(), state)
    alone = mixup().mix(IMAGES[:1], torch.arange(1), keys(0)[:1])
    assert torch.equal(alone[0], IMAGES[:1])
    assert alone[1].tolist() == [0]


def fitted(root: Path, strategies: tuple[Mixup, ...], loss: nn.Module | None = None) -> dict[str, Tensor]:
    """The weights of two epochs on the digits."""
    torch.manual_seed(0)
    backbone = MLP((1, 8, 8), [16], dropout=0.0)
    model = Classifier(
        backbone,
        nn.Linear(16, 10),
        loss or losses.LogitAdjustedLoss(class_counts=SPLITS.class_counts),
        task=SPLITS.task,
        prepare=SPLITS.prepare,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        strategies=strategies,
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=2,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        callbacks=list(strategies),
    )
    trainer.fit(model, DataModule(SPLITS, RandomSampler(targets=SPLITS.train.targets), batch_size=64))
    return dict(model.state_dict())


@pytest.mark.parametrize("loss", [None, losses.CrossEntropyLoss("inverse", class_counts=SPLITS.class_counts)])
def test_a_share_of_one_is_plain_training_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss) -> None:
    plain = fitted(tmp_path, (), loss)
    strategy = Mixup(task=SPLITS.task, loss=LOSS)
    mixed = fitted(tmp_path, (strategy,), loss)
    assert not torch.equal(plain["head.weight"], mixed["head.weight"])
    monkeypatch.setattr(Mixup, "mix_inputs", lambda self, inputs, partners, share, key: (inputs, 1.0))
    whole = fitted(tmp_path, (strategy,), loss)
    assert all(torch.equal(weight, whole[name]) for name, weight in plain.items())


def test_a_loss_says_whether_it_takes_soft_targets() -> None:
    given = {"class_counts": COUNTS[:3]}
    assert accepts_soft_targets(nn.CrossEntropyLoss())
    assert accepts_soft_targets(losses.LogitAdjustedLoss(**given))
    assert not accepts_soft_targets(nn.Linear(1, 1))
    for refusing in (losses.LDAMLoss(**given), losses.SeesawLoss(**given)):
        with pytest.raises(ValueError, match=f"Mixup makes targets .*, which {type(refusing).__name__} does not take"):
            Mixup(task=TASK, loss=refusing)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mixup(alpha=0), "alpha must be a finite number > 0, got 0"),
        (lambda: remix(kappa=0.5), "kappa must be a finite number ≥ 1, got 0.5"),
        (lambda: remix(tau=2), r"tau must be a finite number in \[0, 1\], got 2"),
        (lambda: cutmix(probability=-1), r"probability must be a finite number in \[0, 1\], got -1"),
        (lambda: CutMix(task=TASK, loss=LOSS, input_shape=(5,)), r"CutMix needs images .* got inputs of shape \(5,\)"),
        (
            lambda: Mixup(task=TASK, loss=LOSS, cardinalities=(3, 4)),
            "Mixup mixes numbers, and the table has columns of categories \\(2\\)",
        ),
        (
            lambda: Remix(task=LABELS, loss=losses.SigmoidFocalLoss(), class_counts=COUNTS[:3]),
            "Remix compares the one class of each example, but the data are multilabel: choose mixup",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_remix_leaves_the_prior_unknown() -> None:
    assert mixup().implied_prior((0.5, 0.5)) == (0.5, 0.5)
    assert remix().implied_prior((0.5, 0.5)) is None
