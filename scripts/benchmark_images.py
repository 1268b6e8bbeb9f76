"""Time batches of images from files, and augmentations, beside torchvision's ImageFolder, transforms and DataLoader.

    OMP_NUM_THREADS=1 python scripts/benchmark_images.py
    OMP_NUM_THREADS=1 python scripts/benchmark_images.py --only augment

JPEGs are made from scikit-learn's two photographs. Both sides decode, scale to 224 pixels, take a random crop and
mirror; ours augments the batch, here on the CPU too, theirs each image. Then 128 images in memory are augmented, as
bytes: by ours all at once, by torchvision's transforms one after the other. Rounds alternate; the median is printed.
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
from imbalance_lab.data import (
    AutoAugmentCIFAR10,
    Compose,
    Cutout,
    RandAugment,
    RandomErasing,
    RandomResizedCrop,
    ShiftFlip,
    Splits,
    TrivialAugment,
    image_folder,
)
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.training.datamodule import DataModule


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2])
    parser.add_argument("--only", choices=["files", "augment"])
    options = parser.parse_args()
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}; `python {' '.join(sys.argv)}`\n")
    if options.only != "augment":
        time_files(options)
    if options.only != "files":
        time_augmentations(options.rounds)


def time_files(options: argparse.Namespace) -> None:
    print("| images | workers | ours, images/s | from the cache | torchvision | ours ÷ torchvision |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for side in (320, 640):
            root = Path(folder, str(side))
            write(root, options.images, side)
            for workers in options.workers:
                print(row(root, side, workers, options.rounds), flush=True)


def time_augmentations(rounds: int) -> None:
    print("\n| augmentation of 128 images | side | ours, ms | torchvision, ms | torchvision ÷ ours |")
    print("| --- | --- | --- | --- | --- |")
    for side in (32, 224):
        images = crops(128, side)
        for name, (ours, theirs) in augmentations(side).items():
            own_times, their_times = [], []
            for number in range(rounds + 1):
                keys = seeding.hash_indices(number, torch.arange(128))
                own_times.append(milliseconds(ours, images, keys))
                their_times.append(milliseconds(each, theirs, images))
            own, their = median(own_times[1:]), median(their_times[1:])  # not the first, which imports and allocates
            print(f"| {name} | {side} | {own:.1f} | {their:.1f} | {their / own:.1f} |", flush=True)


def milliseconds(change: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    change(*arguments)
    return (time.perf_counter() - start) * 1000


def augmentations(side: int) -> dict[str, tuple[Any, Any]]:
    """Ours and torchvision's, with the same settings."""
    crop = v2.Compose([v2.RandomCrop(side, padding=4), v2.RandomHorizontalFlip()])
    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    square = v2.RandomErasing(1.0, (0.25, 0.25), (1.0, 1.0))
    return {
        "pad_crop_flip": (ShiftFlip(4, True), crop),
        "randaugment": (RandAugment(), v2.RandAugment()),
        "trivialaugment": (TrivialAugment(), v2.TrivialAugmentWide()),
        "autoaugment_cifar": (AutoAugmentCIFAR10(), policy),
        "random_erasing": (RandomErasing(), v2.RandomErasing()),
        "cutout": (Cutout(side // 2), square),
        "cifar_autoaugment": (
            Compose(crop=ShiftFlip(4, True), policy=AutoAugmentCIFAR10(), cutout=Cutout(side // 2)),
            v2.Compose([crop, policy, square]),
        ),
    }


def each(transform: Any, images: torch.Tensor) -> torch.Tensor:
    return torch.stack([transform(image) for image in images.unbind()])


def crops(n: int, side: int) -> torch.Tensor:
    """Parts of a photograph (n, 3, side, side)."""
    photo = torch.tensor(load_sample_images().images[0]).permute(2, 0, 1)
    places = [(7 * number % 200, 5 * number % 400) for number in range(n)]
    return torch.stack([photo[:, top : top + side, left : left + side] for top, left in places])


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
