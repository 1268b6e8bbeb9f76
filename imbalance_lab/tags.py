"""The tags that scores are logged under. All are made here, so that no class name collides with a summary.

=================================  =======================================================
``val/loss``                       SPLIT/SCORE, a score of the whole split
``val/auroc/macro``                SPLIT/SCORE/AVERAGE, a mean over the classes
``val/auroc/class/Ankle boot``     SPLIT/SCORE/class/NAME, the score of one class
=================================  =======================================================
"""

import re
from urllib.parse import quote

EVENTS = "events.out.tfevents.*"
"""The files of TensorBoard."""

_UNSAFE = re.compile(r'[%/,"]|^ | \Z')


def score_tag(split: str, score: str, *, average: str | None = None, of_class: str | None = None) -> str:
    """The tag of a score of a split: of one class, of an average over the classes, or of all its examples.

    A class may have any name: characters that separate tags or CSV fields (``/``, ``,``, ``"``, line ends and other
    non-printable ones, spaces at the ends) and ``%`` itself are percent-encoded, as in %2F; an empty name is ``%``.
    Two names never share a tag.

    >>> score_tag("val", "loss"), score_tag("val", "auroc", average="macro")
    ('val/loss', 'val/auroc/macro')
    >>> score_tag("val", "auroc", of_class="macro"), score_tag("val", "auroc", of_class="T-shirt/top")
    ('val/auroc/class/macro', 'val/auroc/class/T-shirt%2Ftop')
    """
    if of_class is not None:
        return f"{split}/{score}/class/{_escaped(of_class) or '%'}"
    return f"{split}/{score}" if average is None else f"{split}/{score}/{average}"


MONITOR = score_tag("val", "auroc", average="macro")
"""The score that selects the best epoch by default."""


def is_class_tag(tag: str) -> bool:
    """Whether `score_tag` made it for a class."""
    return tag.split("/")[2:3] == ["class"]


def _escaped(name: str) -> str:
    visible = _UNSAFE.sub(lambda found: _percent_encoded(found[0]), name)
    return "".join(char if char.isprintable() else _percent_encoded(char) for char in visible)


def _percent_encoded(char: str) -> str:
    # Names of folders that are not UTF-8 contain lone surrogates.
    return quote(char, safe="", errors="surrogatepass")
