"""Train, test and review one classifier: ``python train.py loss.gamma=2`` (``--help`` lists the choices)."""

import hydra
from omegaconf import DictConfig

from imbalance_lab.app.cli import run_cli


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(config: DictConfig) -> float:
    """Run the job that ``config`` describes; return the score that a sweeper maximises."""
    from imbalance_lab.app.job import run  # imported late: --help and a misspelt key must not wait for torch

    return run(config)


if __name__ == "__main__":
    run_cli(main)
