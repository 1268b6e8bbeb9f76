"""Time batches of images from files, beside torchvision's ImageFolder, transforms and DataLoader.

    OMP_NUM_THREADS=1 python scripts/benchmark_images.py

JPEGs are made from scikit-learn's two photographs. Both sides decode, scale to 224 pixels, take a random crop and
mirror; ours augments the batch, here on the CPU too, theirs each image. Rounds alternate; the median is printed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torchvision
from PIL import Image
from sklearn.datasets import load_sample_images
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from imbalance_lab import seeding
from imbalance_lab.data import RandomResizedCrop, Splits, image_folder
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.training.datamodule import DataModule


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2])
    options = parser.parse_args()
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}; `python {' '.join(sys.argv)}`\n")
    print("| images | workers | ours, images/s | from the cache | torchvision | ours ÷ torchvision |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for side in (320, 640):
            root = Path(folder, str(side))
            write(root, options.images, side)
            for workers in options.workers:
                print(row(root, side, workers, options.rounds), flush=True)


def row(root: Path, side: int, workers: int, rounds: int) -> str:
    plain = image_folder(root=str(root), normalize="imagenet")
    cached = image_folder(root=str(root), normalize="imagenet", cache=str(root.parent / "cache"))
    theirs = ImageFolder(
        root, v2.Compose([v2.RandomResizedCrop(224, (0.35, 1)), v2.RandomHorizontalFlip(), v2.PILToTensor()])
    )
    ways: list[Callable[[], Iterable[Any]]] = [
        lambda: batches(plain, workers),
        lambda: batches(cached, workers),
        lambda: DataLoader(theirs, 64, shuffle=True, num_workers=workers),
    ]
    times: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        for way, found in zip(ways, times, strict=True):
            start = time.perf_counter()
            n = sum(len(inputs) for inputs, *_ in way())
            found.append(n / (time.perf_counter() - start))
    ours, from_cache, their = map(median, times)
    return f"| {side} × {side} | {workers} | {ours:.0f} | {from_cache:.0f} | {their:.0f} | {ours / their:.2f} |"


def batches(splits: Splits, workers: int) -> Iterator[tuple[torch.Tensor]]:
    augment = RandomResizedCrop()
    data = DataModule(splits, RandomSampler(targets=splits.train.targets), batch_size=64, num_workers=workers)
    for batch in data.train_dataloader():
        yield (augment(batch.input, seeding.hash_indices(0, batch.index)),)


def write(root: Path, images: int, side: int) -> None:
    """Two classes, one from a photograph: scaled crops."""
    for name, photo in zip(("china", "flower"), load_sample_images().images, strict=True):
        (root / name).mkdir(parents=True)
        whole = Image.fromarray(photo)
        for number in range(images // 2):
            left, top = 7 * number % 200, 5 * number % 100
            crop = whole.crop((left, top, left + 320, top + 320)).resize((side, side))
            crop.save(root / name / f"{number}.jpg", quality=90)


if __name__ == "__main__":
    main()
