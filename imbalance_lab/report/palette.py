"""The colors of every plot, on the pages and in the figures; the only place where their values stand.

tests/report/test_palette.py measures them: contrast against the ground, and the color difference between those that
meet in a plot, as most people see them and under protanopia, deuteranopia and tritanopia.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Palette:
    """Colors as ``#rrggbb``, for lines on one ground.

    Args:
        cycle: of a few classes, runs or splits without an order.
        rarity: from the most common class, quiet, to the rarest, strong: shot groups many, medium and few.
        chosen: the one class, curve or mark that a plot is about; different from every color of ``rarity``.
    """

    cycle: tuple[str, ...]
    rarity: tuple[str, str, str]
    chosen: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the scripts of a page."""
        return {"cycle": list(self.cycle), "rarity": list(self.rarity), "chosen": self.chosen}


LIGHT = Palette(
    cycle=("#4650e2", "#de630e", "#268066", "#996492", "#582903", "#2392cc", "#501a6e", "#ac2e3b"),
    rarity=("#868d99", "#0b6a84", "#2d1a78"),
    chosen="#d9480f",
)
"""On a white page, and in the figures."""

DARK = Palette(
    cycle=("#4d77ff", "#ec861d", "#92c998", "#fd95cc", "#f5e78b", "#46dffa", "#9a7cb6", "#f4305b"),
    rarity=("#6d7584", "#3ba9bd", "#d9d0ff"),
    chosen="#ff8f3f",
)
"""On a dark page."""
