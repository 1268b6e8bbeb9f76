from pathlib import Path

import pandas as pd
import pytest
import yaml
from image_benchmark import elpv
from image_benchmark.elpv import CLASSES, SPLITS, elpv_files, elpv_table
from image_benchmark.methods import PLAIN
from image_benchmark.studies import STUDIES

from imbalance_lab.app.recipe import Facts, choose
from imbalance_lab.errors import UsageError

CONFIGS = Path(__file__).parents[3] / "configs"
SETS = [image_set for sets in STUDIES.values() for image_set in sets]


def keys_of(group, choice):
    """The keys of one choice or several, as in [drw,mixup], with those of nested ones, and of what they build on."""
    found = set()
    for each in choice.strip("[]").split(","):
        content = yaml.safe_load((CONFIGS / group / f"{each}.yaml").read_text()) or {}
        below = [name for name in content.get("defaults", []) if isinstance(name, str) and name not in ("_self_", each)]
        for key, value in (content.get(group) or content).items():
            found |= {key} | ({f"{key}.{inner}" for inner in value} if isinstance(value, dict) else set())
        found |= {key for name in below if "@" not in name for key in keys_of(group, name)}
    return found


@pytest.mark.parametrize("image_set", SETS, ids=lambda image_set: image_set.name)
def test_every_line_of_overrides_names_what_there_is(image_set):
    for method in image_set.methods:
        for more in ("", *method.alternatives):
            words = dict(word.split("=", 1) for word in [*method.overrides.split(), *more.split()])
            groups = {"optimizer": "sgd", "head": "linear"} | {k: v for k, v in words.items() if "." not in k}
            if "prior_correction" in groups and method.of:
                assert method.overrides.startswith(image_set.method(method.of).overrides), "it is of the same training"
            for key in words:
                group, _, name = key.partition(".")
                if name:
                    assert name in keys_of(group, groups[group]), (method.name, key)
                elif (CONFIGS / group).is_dir():
                    for choice in words[key].strip("[]").split(","):
                        assert (CONFIGS / group / f"{choice}.yaml").is_file(), (method.name, key)


@pytest.mark.parametrize("image_set", SETS, ids=lambda image_set: image_set.name)
def test_methods_are_tuned_with_one_budget_and_processed_after_their_training(image_set):
    names = [method.name for method in image_set.methods]
    assert len(names) == len(set(names))
    for place, method in enumerate(image_set.methods):
        assert len(method.alternatives) <= 2
        assert method.of is None or method.of in names[:place]
        assert not method.name.startswith(PLAIN) or method.name.removeprefix(PLAIN) in names[:place]
    assert {baseline for _, baseline in image_set.tests} <= set(names)
    assert {gate.method for gate in image_set.gates} <= {*names, None}


FACTS = {
    "fashion_mnist_lt": Facts("images", "multiclass", (5400, 54), 13_399, 128),
    "fashion_mnist_binary_10": Facts("images", "binary", (27_000, 3000), 30_000, 128),
    "fashion_mnist_binary_5": Facts("images", "binary", (27_000, 1421), 28_421, 128),
    "fashion_mnist_binary_1": Facts("images", "binary", (27_000, 273), 27_273, 128),
    "fashion_mnist_binary_0.1": Facts("images", "binary", (27_000, 27), 27_027, 128),
    "elpv": Facts("images", "multiclass", (904, 429, 177, 64), 1574, 64, is_frozen=True),
}
"""What ``recipe=auto`` sees of each set."""


@pytest.mark.parametrize("image_set", SETS, ids=lambda image_set: image_set.name)
def test_the_method_that_stands_for_the_recipe_is_what_it_chooses(image_set):
    chosen = {word for choice in choose(FACTS[image_set.name]) for word in choice.words}
    common = {"prior_correction=none", "sampler=shuffled", "augment=none"}  # of all runs
    assert set(image_set.method(image_set.recipe).overrides.split()) == chosen - common


def test_solar_cells_are_split_by_class_another_way_for_each_seed(tmp_path, monkeypatch):
    labels = tmp_path / "labels.csv"
    levels = ["0.0", "0.3333333333333333", "0.6666666666666666", "1.0"]
    labels.write_text("".join(f"images/{i}.png {levels[i % 4]} mono\n" for i in range(80)))
    table = elpv_table(labels)
    assert table["class"].tolist() == [*CLASSES] * 20
    for seed in range(SPLITS):
        shares = pd.crosstab(table["class"], table[f"split{seed}"])
        assert (shares[["train", "val", "test"]] == [12, 4, 4]).all().all()
    assert (table["split0"] != table["split1"]).any()
    monkeypatch.setattr(elpv, "find_spec", lambda module: None)
    with pytest.raises(UsageError, match="pip install elpv-dataset"):
        elpv_files()
