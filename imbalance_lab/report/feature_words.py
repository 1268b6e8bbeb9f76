"""An unusual feature of a mistake, in words."""

from imbalance_lab.evaluation.unusual_features import UnusualFeature, feature_text
from imbalance_lab.text import shorten_middle, visible

MAX_NAME, MAX_VALUE, MAX_CLASS = 28, 28, 18


def feature_words(feature: UnusualFeature, of_class: str) -> dict[str, str]:
    """The feature, its value and what the class has, shortened, and all of it at full length for hovering.

    >>> feature = UnusualFeature("amount", "1,204.5", 0.001, center=21.0, spread=30.25)
    >>> feature_words(feature, "legit")["usual"]
    'legit: 21 ± 30.2'
    >>> feature_words(UnusualFeature("country", "NG", 0.03, share=0.031), "legit")["usual"]
    '3.1 % of legit'
    """
    name, value = visible(feature.name), visible(feature.value) or "(missing or unknown)"
    usual = _usual(feature, shorten_middle(visible(of_class), MAX_CLASS))
    return {
        "name": shorten_middle(name, MAX_NAME),
        "value": shorten_middle(value, MAX_VALUE),
        "usual": usual,
        "whole": f"{name} = {value} ({_usual(feature, visible(of_class))})",
    }


def _usual(feature: UnusualFeature, of_class: str) -> str:
    if feature.center is None or feature.spread is None:
        return f"{_percent(feature.share or 0.0)} of {of_class}"
    center, spread = (feature_text(float(f"{each:.3g}")) for each in (feature.center, feature.spread))
    return f"{of_class}: {center} ± {spread}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if 100 * share < 9.95 else f"{100 * share:.0f} %"
