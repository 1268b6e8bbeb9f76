"""Which jobs of a sweep are composed before the first one starts."""

from types import SimpleNamespace
from typing import Any

from omegaconf import OmegaConf

from hydra_plugins.imbalance_lab_sweeps.grid_sweeper import GridSweeper


def test_jobs_that_differ_in_plain_values_are_composed_once() -> None:
    composed: list[list[str]] = []

    def compose(*, master_config: Any, sweep_overrides: list[str]) -> None:
        composed.append(sweep_overrides)

    sweeper: Any = GridSweeper.__new__(GridSweeper)  # Hydra makes it, and its base class anew at each scan
    sweeper.config = OmegaConf.create()
    sweeper.hydra_context = SimpleNamespace(config_loader=SimpleNamespace(load_sweep_config=compose))
    jobs = [
        [f"loss={loss}", f"loss.gamma={gamma}", *more]
        for loss in ("focal", "poly")
        for gamma in (0, 1, 2)
        for more in ([], ["+loss.power=1"], ["hydra.job.chdir=true"], ["augment@augment.policy=none"])
    ]
    sweeper.validate_batch_is_legal(jobs)
    kinds = [(loss, more) for loss, *more in ([word for word in job if "gamma" not in word] for job in composed)]
    assert len(kinds) == len({str(kind) for kind in kinds}) == 8
    sweeper.validate_batch_is_legal([[f"augment@augment.policy={name}"] for name in ("mild", "nosuch")])
    assert composed[-2:] == [["augment@augment.policy=mild"], ["augment@augment.policy=nosuch"]]
