"""The loaders: every example once, whole batches, the last one no smaller than the others."""

import pytest
import torch

from imbalance_lab.data import digits, long_tailed
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.training.datamodule import DataModule

SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)


def module(**kwargs: object) -> DataModule:
    return DataModule(SPLITS, RandomSampler(targets=SPLITS.train.targets), **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_epoch_holds_every_example_once_in_batches_of_even_size(num_workers: int) -> None:
    batches = list(module(batch_size=64, num_workers=num_workers).train_dataloader())
    sizes = [len(batch.target) for batch in batches]
    assert sum(sizes) == len(SPLITS.train)
    assert max(sizes) - min(sizes) <= 1
    assert torch.cat([batch.index for batch in batches]).sort().values.equal(SPLITS.train.index.sort().values)


def test_a_batch_holds_the_inputs_and_targets_of_its_index() -> None:
    batch = next(iter(module(batch_size=50).train_dataloader()))
    where = {int(index): position for position, index in enumerate(SPLITS.train.index)}
    at = torch.tensor([where[int(index)] for index in batch.index])
    assert torch.equal(batch.input, SPLITS.train.inputs[at])
    assert torch.equal(batch.target, SPLITS.train.targets[at])


def test_evaluation_goes_through_a_split_in_its_stored_order() -> None:
    for loader, split in ((module().val_dataloader(), SPLITS.val), (module().test_dataloader(), SPLITS.test)):
        assert torch.cat([batch.index for batch in loader]).equal(split.index)


def test_the_test_loop_goes_through_the_calibration_split_when_asked_to() -> None:
    splits = long_tailed(digits, factor=20, val_fraction=0.2, calibration_fraction=0.1)
    data = DataModule(splits, RandomSampler(targets=splits.train.targets))
    assert splits.calibration is not None
    for tested, split in (("calibration", splits.calibration), ("test", splits.test)):
        data.tested = tested  # type: ignore[assignment]
        assert torch.cat([batch.index for batch in data.test_dataloader()]).equal(split.index)
