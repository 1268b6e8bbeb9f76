"""The tags that scores are logged by, all made here, so that no class can be taken for a summary.

=================================  =======================================================
``val/loss``                       SPLIT/SCORE, a score of the whole split
``val/auroc/macro``                SPLIT/SCORE/AVERAGE, a mean over the classes
``val/auroc/class/Ankle boot``     SPLIT/SCORE/class/NAME, the score of one class
=================================  =======================================================
"""

import re
from urllib.parse import quote

_UNSAFE = re.compile(r'[%/,"]|^ | \Z')


def score_tag(split: str, score: str, *, average: str | None = None, of_class: str | None = None) -> str:
    """The tag of a score of a split: of one class, of an average over the classes, or of all its examples.

    A class may be called anything: what would part a tag or a line of CSV (``/``, ``,``, ``"``, line ends and all else
    that is not printed, spaces at the ends) and ``%`` itself is written as in a URL, %2F say; a class without a name
    is ``%``. Other characters stay, and two names never share a tag.

    >>> score_tag("val", "loss"), score_tag("val", "auroc", average="macro")
    ('val/loss', 'val/auroc/macro')
    >>> score_tag("val", "auroc", of_class="macro"), score_tag("val", "auroc", of_class="T-shirt/top")
    ('val/auroc/class/macro', 'val/auroc/class/T-shirt%2Ftop')
    """
    if of_class is not None:
        return f"{split}/{score}/class/{_escaped(of_class) or '%'}"
    return f"{split}/{score}" if average is None else f"{split}/{score}/{average}"


MONITOR = score_tag("val", "auroc", average="macro")
"""By which the best epoch is kept."""


def is_class_tag(tag: str) -> bool:
    """Whether `score_tag` made it for a class."""
    return tag.split("/")[2:3] == ["class"]


def _escaped(name: str) -> str:
    visible = _UNSAFE.sub(lambda found: _as_in_url(found[0]), name)
    return "".join(char if char.isprintable() else _as_in_url(char) for char in visible)


def _as_in_url(char: str) -> str:
    # Folders' names that are not UTF-8 hold lone surrogates.
    return quote(char, safe="", errors="surrogatepass")
