"""What the folder of a split is called."""

import re
from collections.abc import Sequence

SPLIT_WORDS = {
    "train": ("train", "training", "trainval"),
    "val": ("val", "valid", "validation", "validate", "dev", "devel", "development"),
    "test": ("test", "testing", "holdout", "eval", "evaluation"),
    "calibration": ("calibration", "calib"),
}
"""How the folder of a split may be called, in any case, with numbers and `FILLERS` around it."""

UNLABELED_WORDS = ("pred", "predict", "prediction", "unlabeled", "unlabelled", "inference")

FILLERS = ("dataset", "data", "set", "seg", "images", "image", "imgs", "img", "pictures", "photos", "folder", "split")
"""Words that say nothing: ``seg_train``, ``TrainingSet`` and ``test_images`` are train, train and test."""


def split_of(name: str) -> str | None:
    """The split that a folder of that name is for, if any.

    >>> [split_of(name) for name in ("Training", "seg_test", "hold-out", "valid2", "dogs")]
    ['train', 'test', 'test', 'val', None]
    """
    word = meaning(name)
    return next((split for split, words in SPLIT_WORDS.items() if word in words), None)


def meaning(name: str) -> str:
    """The letters of a name in lower case, without words that say nothing."""
    parts = re.findall("[a-z]+", name.casefold())
    word = "".join(part for part in parts if part not in FILLERS)
    for filler in FILLERS:
        word = word.removesuffix(filler) or word
    return word


def splits_of_set(names: Sequence[str]) -> list[str]:
    """The splits that folders are for which differ in a word for a split alone; none if there is another difference.

    >>> splits_of_set(["pets_train", "pets_test"]), splits_of_set(["train_a", "train_b"])
    (['train', 'test'], [])
    """
    words = [re.findall("[a-z]+", name.casefold()) for name in names]
    shared = set(words[0]).intersection(*words[1:]) if len(words) > 1 else set()
    splits = [split_of(" ".join(word for word in own if word not in shared)) for own in words]
    return [] if None in splits or len(set(splits)) < len(splits) else [str(split) for split in splits]
