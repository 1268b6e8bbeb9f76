"""The section of the report with sample images."""

import base64
from collections.abc import Sequence
from typing import Any

from imbalance_lab.evaluation.sample_images import ClassSamples
from imbalance_lab.text import visible


def sample_rows(samples: Sequence[ClassSamples], classes: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each class: its name, the pictures as ``data:`` addresses, and the names of the images in them."""
    return [
        {
            "name": visible(classes[each.of_class]) or "(no name)",
            "images": visible(", ".join(each.names)),
            "plain": _address(each.plain),
            "augmented": each.augmented and _address(each.augmented),
        }
        for each in samples
    ]


def _address(content: bytes) -> str:
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
