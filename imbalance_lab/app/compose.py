"""Composes configurations as ``train.py`` does, importing only Hydra and the standard library."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from imbalance_lab.text import hydra_quoted


def config_directory() -> Path:
    """The directory of our configurations: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).absolute().parent.parent
    return package / "configs" if (package / "configs").is_dir() else package.parent / "configs"


def extra_config_directories(arguments: Iterable[str]) -> list[Path]:
    """The values of ``--config-dir`` in a command line."""
    words, found = list(arguments), []
    for place, word in enumerate(words):
        if word in ("--config-dir", "-cd") and place + 1 < len(words):
            found.append(Path(words[place + 1]))
        elif word.startswith("--config-dir="):
            found.append(Path(word.partition("=")[2]))
    return found


def compose_config(
    overrides: Sequence[str], config_dirs: Iterable[Path] = (), *, with_hydra: bool = False
) -> DictConfig:
    """The configuration of ``train.py --config-dir … OVERRIDES``, optionally with Hydra's own."""
    search = ",".join(hydra_quoted(f"file://{each.absolute()}") for each in config_dirs)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return compose(
            "train", [*([f"hydra.searchpath=[{search}]"] if search else []), *overrides], return_hydra_config=with_hydra
        )
