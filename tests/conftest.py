"""What several tests need: a composed configuration, and a finished run of the main job on real digits."""

import gc
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from imbalance_lab.app.config_cache import keep_parsed_files

ROOT = Path(__file__).parent.parent
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")

needs_fashion_mnist = pytest.mark.skipif(
    not FASHION_MNIST.is_dir(), reason="Fashion-MNIST is absent (Debian's package dataset-fashion-mnist)"
)


def pytest_configure() -> None:
    keep_parsed_files()
    # What takes longer on a busy machine is no failure.
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Spare the collector what the imports have left: a million objects, looked through again and again."""
    gc.collect()
    gc.freeze()


def composed(*overrides: str) -> DictConfig:
    """The configuration of ``python train.py OVERRIDES``, on the CPU and, unless asked for, without baselines."""
    quick = [] if any(word.startswith("baselines=") for word in overrides) else ["baselines=false"]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", ["trainer=cpu", *quick, *overrides])


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a three-epoch run on the long-tailed digits."""
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.app.train import train
    from imbalance_lab.evaluation.run_directory import RunDirectory

    directory = tmp_path_factory.mktemp("run")
    overrides = ["max_epochs=3", "loss.alpha=effective"]
    config = composed(*overrides)
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory))
    return directory


@pytest.fixture(scope="session")
def wine_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's wines as a table with two labels, strong and dark, without what they are made from."""
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).frame
    frame["strong"], frame["dark"] = (frame["alcohol"] > 13).astype(int), (frame["color_intensity"] > 6).astype(int)
    path = tmp_path_factory.mktemp("wine") / "wine.csv"
    frame.drop(columns=["target", "alcohol", "color_intensity"]).to_csv(path, index=False)
    return path


def of_labels(path: Path, *overrides: str, target: str = "[strong,dark]") -> list[str]:
    """The overrides that train on the labels of that table."""
    return ["data=table", f"data.path='{path}'", f"data.target={target}", *overrides]


LABEL_LOSSES = ("sigmoid_focal", "asymmetric", "auc_margin")
RANKING_LOSSES = ("partial_auc", "soft_partial_auc", "two_way_partial_auc", "average_precision", "recall_at_budget")


@pytest.fixture(scope="session")
def label_sweep(wine_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of three-epoch runs on the wines' labels, each by the name of its loss, as a sweep leaves them."""
    from omegaconf import OmegaConf

    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.app.train import train
    from imbalance_lab.evaluation.run_directory import RunDirectory

    sweep = tmp_path_factory.mktemp("labels")
    for loss in LABEL_LOSSES:
        overrides = of_labels(wine_labels, f"loss={loss}", "max_epochs=3", "batch_size=16")
        config = composed(*overrides)
        (sweep / loss / ".hydra").mkdir(parents=True)
        OmegaConf.save(config, sweep / loss / ".hydra" / "config.yaml")
        OmegaConf.save(overrides, sweep / loss / ".hydra" / "overrides.yaml")
        train(config, instantiate_experiment(config, overrides), RunDirectory(sweep / loss))
    return sweep


def write_purchases(path: Path, n: int = 400, seed: int = 0) -> Path:
    """Purchases as a CSV file: amounts with gaps, categories, customers with several each, rare fraud; a blank line."""
    import random

    rng, lines = random.Random(seed), ["amount,hour,shop,customer,fraud"]
    for row in range(n):
        fraud = rng.random() < 0.15
        amount = "" if rng.random() < 0.1 else f"{rng.gauss(3 if fraud else 0, 1):.3f}"
        shop = rng.choice("abbb" if fraud else "aaac")
        lines.append(f"{amount},{rng.randrange(24)},{shop},k{row // 3},{'fraud' if fraud else 'good'}")
    lines.insert(5, "")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `write_purchases`."""
    return write_purchases(tmp_path_factory.mktemp("purchases") / "purchases.csv")


@pytest.fixture(scope="session")
def purchases_run(purchases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run on these purchases, whose customers are groups."""
    from tests.helpers.runs import trained

    data = ["data=table", f"data.path='{purchases}'", "data.target=fraud", "data.group=customer"]
    return trained(
        tmp_path_factory.mktemp("purchases") / "run", *data, "max_epochs=3", "batch_size=32", "baselines=true"
    )


RunJob = Callable[..., Path]


@pytest.fixture
def run_job(tmp_path: Path) -> RunJob:
    """Run a job in this process; returns its directory."""
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.app.train import train
    from imbalance_lab.evaluation.run_directory import RunDirectory

    def run(*overrides: str, name: str = "run") -> Path:
        config = composed(*overrides)
        train(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path / name))
        return tmp_path / name

    return run
