"""The palette, measured: contrast on both grounds, and whether colors that meet can be told apart."""

import re
from pathlib import Path

import pytest

from imbalance_lab import report
from imbalance_lab.report.palette import DARK, LIGHT, Palette
from tests.helpers.color_difference import VISION, ciede2000, contrast, lab, least_difference

CSS = (Path(report.__file__).parent / "assets" / "page.css").read_text(encoding="utf-8")
GROUNDS = list(zip(*(re.findall(rf"--{name}: (#\w{{6}})", CSS) for name in ("sheet", "ground")), strict=True))
both = pytest.mark.parametrize(("palette", "grounds"), [(LIGHT, GROUNDS[0]), (DARK, GROUNDS[1])], ids=["light", "dark"])


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # of the test data of Sharma, Wu & Dalal 2005, table 1
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((50, 0, 0), (50, -1, 2), 2.3669),
    ],
)
def test_the_color_difference_is_the_published_one(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(difference, abs=1e-4)


def test_red_and_green_look_alike_to_the_red_green_blind_only() -> None:
    red, green = "#b05030", "#7a6a10"
    seen = {vision: ciede2000(lab(red, vision), lab(green, vision)) for vision in VISION}
    assert seen["deuteranopia"] < seen["normal"] / 2
    assert seen["tritanopia"] > seen["deuteranopia"] * 1.2
    for vision, matrix in VISION.items():
        assert matrix.sum(1) == pytest.approx(1, abs=1e-5), f"gray is gray under {vision}"
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@both
def test_every_line_stands_out_from_its_ground(palette: Palette, grounds: tuple[str, str]) -> None:
    for color in (*palette.cycle, *palette.rarity, palette.chosen):
        assert min(contrast(color, ground) for ground in grounds) >= 3, color


@both
@pytest.mark.parametrize("vision", VISION)
def test_no_two_colors_of_the_cycle_look_alike(palette: Palette, grounds: tuple[str, str], vision: str) -> None:
    assert least_difference(palette.cycle, vision) >= (19 if vision == "normal" else 11)
    assert least_difference(palette.cycle, vision, neighbors_only=True) >= 15


@both
@pytest.mark.parametrize("vision", VISION)
def test_shot_groups_and_the_chosen_class_can_be_told_apart(
    palette: Palette, grounds: tuple[str, str], vision: str
) -> None:
    assert least_difference((*palette.rarity, palette.chosen), vision) >= 12


@both
def test_the_rarer_the_stronger(palette: Palette, grounds: tuple[str, str]) -> None:
    strength = [contrast(color, grounds[0]) for color in palette.rarity]
    assert strength == sorted(strength)
