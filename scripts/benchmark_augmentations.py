"""Time every augmentation of a batch beside torchvision's transform of each image, on one core.

OMP_NUM_THREADS=1 python scripts/benchmark_augmentations.py
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from imbalance_lab import seeding
from imbalance_lab.data import (
    AutoAugmentCIFAR10,
    RandAugment,
    RandomErasing,
    RandomResizedCrop,
    ShiftFlip,
    TrivialAugment,
)

BATCHES = ((128, 32), (32, 224))
"""Images of a batch, and their height and width."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="of all, one after the other; the medians are printed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}; `python {' '.join(sys.argv)}`\n")
    print("| images | augmentation | batch, ms | each image by torchvision, ms | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for n, size in BATCHES:
        images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8)
        keys = seeding.hash_indices(0, torch.arange(n))
        for name, (ours, theirs) in contenders(size).items():
            pairs = [(seconds(ours, images, keys), seconds(each_image, theirs, images)) for _ in range(options.rounds)]
            batch, single = (1e3 * statistics.median(times) for times in zip(*pairs, strict=True))
            ratio = statistics.median(b / a for a, b in pairs)
            print(f"| {n} of 3 × {size} × {size} | {name} | {batch:.1f} | {single:.1f} | {ratio:.1f} |", flush=True)


def contenders(size: int) -> dict[str, tuple[Callable[..., Tensor], Callable[..., Any]]]:
    """Ours, and torchvision's with the same meaning."""
    crop_and_flip = v2.Compose([v2.RandomCrop(size, padding=4), v2.RandomHorizontalFlip()])
    resized = v2.Compose([v2.RandomResizedCrop(size, scale=(0.35, 1), antialias=True), v2.RandomHorizontalFlip()])
    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    return {
        "pad_crop_flip": (ShiftFlip(4, True), crop_and_flip),
        "strong": (RandomResizedCrop((0.35, 1.0), (0.75, 1.3333), True), resized),
        "randaugment": (RandAugment(), v2.RandAugment()),
        "trivialaugment": (TrivialAugment(), v2.TrivialAugmentWide()),
        "autoaugment_cifar": (AutoAugmentCIFAR10(), policy),
        "random_erasing": (RandomErasing(0.5, (0.02, 0.4)), v2.RandomErasing(0.5, (0.02, 0.4), value="random")),
    }


def each_image(transform: Callable[..., Any], images: Tensor) -> Tensor:
    """What a data loader does: one image after the other, then a batch of them."""
    return torch.stack([transform(image) for image in images])


def seconds(work: Callable[..., Any], *arguments: Any) -> float:
    """Of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
