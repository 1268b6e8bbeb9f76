import pytest
import torch

from imbalance_lab.data import Arrays, Benchmark, binary, digits, long_tailed, long_tailed_counts

NAMES = ("ant", "bee", "cat", "dog")
EACH = 50


def animals():
    """50 examples of each of four classes, mixed, and 3 of each in the test set; an example's input is its index."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(4).repeat_interleave(EACH)[torch.randperm(4 * EACH, generator=generator)]
    index = torch.arange(4 * EACH + 12)
    pool = Arrays(index[: 4 * EACH, None].float(), targets, index[: 4 * EACH])
    return Benchmark(NAMES, pool, Arrays(index[4 * EACH :, None].float(), torch.arange(4).repeat(3), index[4 * EACH :]))


def test_exponential_counts_are_ldam_drws():
    assert long_tailed_counts(5000, 10, 100) == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]


@pytest.mark.parametrize(("factor", "smallest"), [(10, 50), (50, 10), (100, 5), (200, 2)])
def test_exponential_counts_of_cifar100_run_from_500_to_500_over_the_factor(factor, smallest):
    counts = long_tailed_counts(500, 100, factor)
    assert len(counts) == 100
    assert (counts[0], counts[-1]) == (500, smallest)
    assert counts == sorted(counts, reverse=True)


def test_step_counts_keep_the_first_half():
    assert long_tailed_counts(5000, 10, 100, "step") == [5000] * 5 + [50] * 5
    assert long_tailed_counts(90, 5, 4, "step") == [90] * 3 + [22] * 2


@pytest.mark.parametrize("profile", ["exp", "step"])
def test_factor_one_is_balanced(profile):
    assert long_tailed_counts(123, 7, 1, profile) == [123] * 7


@pytest.mark.parametrize(("make", "arguments"), [(long_tailed, {"factor": 9}), (binary, {"positive_ratio": 0.2})])
def test_splits_are_disjoint_and_whole_examples(make, arguments):
    splits = make(animals, **arguments)
    parts = [splits.train, splits.val, splits.test]
    everything = torch.cat([part.index for part in parts])
    assert len(everything.unique()) == len(everything)
    for part in parts:
        assert part.inputs[:, 0].tolist() == part.index.tolist()
    assert set(splits.test.index.tolist()) == set(range(200, 212))
    truth = torch.cat([animals().pool.targets, animals().test.targets])
    for part in parts:
        labels = truth[part.index]
        assert part.targets.tolist() == (labels if make is long_tailed else (labels >= 2).long()).tolist()


def test_long_tailed_keeps_the_counts_of_what_validation_leaves():
    splits = long_tailed(animals, factor=9, val_fraction=0.1)
    assert splits.classes == NAMES
    assert splits.class_counts.tolist() == long_tailed_counts(45, 4, 9) == [45, 21, 10, 5]
    assert splits.val.targets.bincount().tolist() == [5, 5, 5, 5]
    assert long_tailed(animals, factor=9, profile="step").class_counts.tolist() == [45, 45, 5, 5]


def test_validation_and_test_do_not_change_with_the_imbalance():
    splits = [
        long_tailed(animals, factor=1, subset_seed=3),
        long_tailed(animals, factor=40, subset_seed=3),
        long_tailed(animals, factor=5, profile="step", subset_seed=3),
    ]
    assert len({tuple(split.val.index.tolist()) for split in splits}) == 1
    assert len({tuple(split.test.index.tolist()) for split in splits}) == 1


@pytest.mark.parametrize(("make", "arguments"), [(long_tailed, {"factor": 9}), (binary, {"positive_ratio": 0.2})])
def test_calibration_is_a_share_of_each_class_and_changes_neither_validation_nor_test(make, arguments):
    plain, splits = make(animals, **arguments), make(animals, calibration_fraction=0.2, **arguments)
    assert plain.calibration is None
    assert list(splits.parts) == ["train", "val", "test", "calibration"]
    assert torch.equal(splits.val.index, plain.val.index)
    assert torch.equal(splits.test.index, plain.test.index)
    assert set(splits.train.index.tolist()) < set(plain.train.index.tolist())
    everything = torch.cat([part.index for part in splits.parts.values()])
    assert len(everything.unique()) == len(everything)
    classes = len(splits.classes)
    assert splits.calibration.targets.bincount().tolist() == [40 // classes] * classes
    assert splits.fingerprint != plain.fingerprint
    with pytest.raises(ValueError, match=r"calibration_fraction=0.9 leaves a class without a training example"):
        make(animals, calibration_fraction=0.9, **arguments)


def test_a_heavier_tail_keeps_a_subset():
    light, heavy = (set(long_tailed(animals, factor=f).train.index.tolist()) for f in (3, 30))
    assert heavy < light


def test_the_subset_seed_changes_the_members_and_not_the_counts():
    splits = [long_tailed(animals, factor=9, subset_seed=seed) for seed in (0, 1, 0)]
    train = [set(split.train.index.tolist()) for split in splits]
    assert train[0] == train[2]
    assert train[0] != train[1]
    assert splits[0].class_counts.tolist() == splits[1].class_counts.tolist()
    assert splits[0].test.index.tolist() == splits[1].test.index.tolist()
    before = torch.get_rng_state()
    long_tailed(animals, factor=9)
    assert torch.equal(torch.get_rng_state(), before)


SMALL = {long_tailed: {"factor": 5}, binary: {"positive_ratio": 0.2}}


@pytest.mark.parametrize("make", SMALL)
def test_without_validation_the_whole_pool_is_for_training(make):
    whole, part = make(animals, val_fraction=0, **SMALL[make]), make(animals, val_fraction=0.2, **SMALL[make])
    assert whole.val is None
    assert list(whole.parts) == ["train", "test"]
    assert whole.class_counts.max() * 4 == part.class_counts.max() * 5
    assert torch.equal(whole.test.index, part.test.index)
    assert whole.fingerprint != part.fingerprint


def test_the_validation_fraction_is_a_share_of_each_class():
    splits = long_tailed(animals, factor=2, val_fraction=0.3)
    assert splits.val.targets.bincount().tolist() == [15] * 4
    assert splits.class_counts[0] == 35
    assert long_tailed(animals, factor=2, val_fraction=0.001).val.targets.bincount().tolist() == [1] * 4


@pytest.mark.parametrize(("ratio", "n_positive"), [(0.1, 10), (0.25, 30), (0.5, 90), (0.011, 1)])
def test_binary_keeps_all_negatives_and_as_many_positives_as_the_ratio_says(ratio, n_positive):
    splits = binary(animals, positive_ratio=ratio)
    assert splits.classes == ("ant|bee", "cat|dog")
    assert splits.class_counts.tolist() == [90, n_positive]
    assert splits.val.targets.bincount().tolist() == [10, 10]
    assert splits.test.targets.bincount().tolist() == [6, 6]


def test_binary_validation_does_not_change_with_the_ratio_and_fewer_positives_are_a_subset():
    light, heavy = binary(animals, positive_ratio=0.4), binary(animals, positive_ratio=0.1)
    assert torch.equal(light.val.index, heavy.val.index)
    assert set(heavy.train.index.tolist()) < set(light.train.index.tolist())
    other = binary(animals, positive_ratio=0.1, subset_seed=1)
    assert set(other.train.index.tolist()) != set(heavy.train.index.tolist())


def test_names_of_many_classes_are_shortened():
    def many():
        _, pool, test = animals()
        return Benchmark(tuple(f"c{number}" for number in range(12)), pool, test)

    with pytest.raises(ValueError, match="asks for"):
        binary(many)  # the classes of its second half have no example
    assert binary(digits).classes == ("0|1|2|3|4", "5|6|7|8|9")


def test_a_root_is_handed_to_the_dataset():
    asked = []

    def dataset(root="default"):
        asked.append(root)
        return animals()

    long_tailed(dataset, factor=5)
    long_tailed(dataset, factor=5, root="elsewhere")
    binary(dataset, root="there")
    assert asked == ["default", "elsewhere", "there"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"factor": 0.5}, "factor must be a finite number ≥ 1, got 0.5"),
        ({"factor": 46}, "factor=46 leaves no training example of class 'dog' .* choose factor ≤ 45"),
        ({"factor": float("inf")}, "factor must be a finite number ≥ 1, got inf"),
        ({"factor": "100"}, "factor must be a number, got '100'"),
        ({"factor": True}, "factor must be a number, got True"),
        ({"profile": "linear"}, "profile must be one of exp, step, got 'linear'"),
        ({"subset_seed": -1}, "subset_seed must be an integer in .0, 9223372036854775807., got -1"),
        ({"subset_seed": 1.0}, "subset_seed must be an integer in .0, 9223372036854775807., got 1.0"),
        ({"subset_seed": True}, "subset_seed must be an integer in .0, 9223372036854775807., got True"),
        ({"val_fraction": -0.1}, "val_fraction must be a finite number in .0, 1., got -0.1"),
        ({"val_fraction": 1.0}, "val_fraction must be a finite number in .0, 1., got 1"),
        ({"val_fraction": "a"}, "val_fraction must be a number, got 'a'"),
    ],
)
def test_long_tailed_refuses_by_naming_the_value(arguments, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence) as refusal:
        long_tailed(animals, **arguments)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"positive_ratio": 0}, "positive_ratio must be a finite number in .0, 1., got 0"),
        ({"positive_ratio": 1}, "positive_ratio must be a finite number in .0, 1., got 1"),
        ({"positive_ratio": float("nan")}, "positive_ratio must be a finite number in .0, 1., got nan"),
        ({"positive_ratio": None}, "positive_ratio must be a number, got None"),
        (
            {"positive_ratio": 0.6},
            r"0.6 asks for 135 positives beside 90 negatives, but there are 90: .* 0.011 and 0.5",
        ),
        ({"positive_ratio": 0.001}, r"0.001 asks for 0 positives beside 90 negatives"),
        ({"val_fraction": 2}, "val_fraction must be a finite number in .0, 1., got 2"),
        ({"subset_seed": "x"}, "subset_seed must be an integer in .0, 9223372036854775807., got 'x'"),
    ],
)
def test_binary_refuses_by_naming_the_value(arguments, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence) as refusal:
        binary(animals, **arguments)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("n_max", [45, 49, 98, 103, 450, 4500])
def test_the_largest_factor_that_a_refusal_recommends_leaves_one_example(n_max):
    assert long_tailed_counts(n_max, 4, factor=n_max)[-1] == 1


def test_a_factor_that_is_not_a_number_is_named():
    with pytest.raises(ValueError, match="factor"):
        long_tailed(animals, factor=float("nan"))


@pytest.mark.parametrize("make", [long_tailed, binary])
def test_a_validation_fraction_that_leaves_nothing_to_train_on_is_named(make):
    with pytest.raises(ValueError, match="val_fraction"):
        make(animals, val_fraction=0.999)
