"""What several tests need: a composed configuration, and a finished run of the main job on real digits."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

ROOT = Path(__file__).parent.parent
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")

needs_fashion_mnist = pytest.mark.skipif(
    not FASHION_MNIST.is_dir(), reason="Fashion-MNIST is absent (Debian's package dataset-fashion-mnist)"
)


def composed(*overrides: str) -> DictConfig:
    """The configuration of ``python train.py OVERRIDES``, on the CPU."""
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", ["trainer=cpu", *overrides])


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a three-epoch run on the long-tailed digits."""
    from imbalance_lab.parts import build_parts
    from imbalance_lab.run import fit_and_test

    directory = tmp_path_factory.mktemp("run")
    config = composed("max_epochs=3", "loss.alpha=effective")
    fit_and_test(config, build_parts(config), directory)
    return directory


RunJob = Callable[..., Path]


@pytest.fixture
def run_job(tmp_path: Path) -> RunJob:
    """Run a job in this process; returns its directory."""
    from imbalance_lab.parts import build_parts
    from imbalance_lab.run import fit_and_test

    def run(*overrides: str, name: str = "run") -> Path:
        config = composed(*overrides)
        fit_and_test(config, build_parts(config), tmp_path / name)
        return tmp_path / name

    return run
