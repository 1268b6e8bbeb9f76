import pytest
import torch
from torch.utils.data import DataLoader

from imbalance_lab.data import Arrays, Splits
from imbalance_lab.samplers import DistributedEpochBatchSampler, RandomSampler, SampledIndices

ARRAYS = Arrays(
    inputs=torch.arange(12, dtype=torch.uint8).reshape(6, 1, 2),
    targets=torch.tensor([2, 0, 0, 2, 1, 0]),
    index=torch.tensor([10, 20, 30, 40, 50, 60]),
)


def test_a_batch_has_each_drawn_example_with_its_key_also_twice():
    batch = ARRAYS.__getitems__(SampledIndices(torch.tensor([3, 0, 3]), torch.tensor([7, 8, 9])))
    assert batch.input.tolist() == [[[6, 7]], [[0, 1]], [[6, 7]]]
    assert batch.input.dtype == torch.uint8
    assert batch.target.tolist() == [2, 2, 2]
    assert batch.index.tolist() == [40, 10, 40]
    assert batch.sample_seed.tolist() == [7, 8, 9]


def test_a_subset_keeps_the_index_and_the_order_asked_for():
    subset = ARRAYS.subset(torch.tensor([4, 1]))
    assert len(ARRAYS) == 6
    assert len(subset) == 2
    assert subset.inputs.tolist() == [[[8, 9]], [[2, 3]]]
    assert subset.targets.tolist() == [1, 0]
    assert subset.index.tolist() == [50, 20]


def test_class_counts_are_of_the_training_split_and_include_empty_classes():
    val = ARRAYS.subset(torch.tensor([4]))
    splits = Splits(("a", "b", "c", "d"), train=ARRAYS, val=val, test=val)
    assert splits.class_counts.tolist() == [3, 1, 2, 0]


def test_a_loader_hands_over_every_example_once_with_what_belongs_to_it():
    batches = DistributedEpochBatchSampler(RandomSampler(targets=ARRAYS.targets), 6, 4)
    loader = DataLoader(ARRAYS, batch_sampler=batches, collate_fn=lambda batch: batch)
    rows = {
        int(index): (pixels.flatten().tolist(), int(target))
        for batch in loader
        for pixels, target, index in zip(batch.input, batch.target, batch.index, strict=True)
    }
    assert rows == {10 * (i + 1): ([2 * i, 2 * i + 1], target) for i, target in enumerate(ARRAYS.targets.tolist())}


def test_the_positive_class_is_the_rarer_one_unless_it_is_named():
    two = Arrays(torch.zeros(4, 1), torch.tensor([0, 0, 0, 1]), torch.arange(4))
    parts = {"train": two, "val": two, "test": two}
    assert Splits(("common", "rare"), **parts).task.positive == 1
    assert Splits(("common", "rare"), **parts, positive="common").task.positive == 0
    assert Splits(("common", "rare"), **parts, positive="common").class_counts.tolist() == [3, 1]
    with pytest.raises(ValueError, match="positive=raer is not a class"):
        Splits(("common", "rare"), **parts, positive="raer")
