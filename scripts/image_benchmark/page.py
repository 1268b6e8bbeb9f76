"""The page docs/results.md (draft)."""

from collections.abc import Sequence
from dataclasses import dataclass

from image_benchmark.results import ImageResult


@dataclass(frozen=True)
class Page:
    results: Sequence[ImageResult]

    def text(self) -> str:
        return ""
