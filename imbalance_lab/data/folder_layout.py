"""Which folders of a tree are splits and which are classes, as people lay them out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from imbalance_lab.data.ignored_files import describe_suffixes, remedy_for
from imbalance_lab.data.image_tree import Folder
from imbalance_lab.data.split_names import FILLERS, SPLIT_WORDS, UNLABELED_WORDS, meaning, split_of, splits_of_set
from imbalance_lab.text import override, shell_words

MAX_NAMED = 5
"""Folders that a sentence names."""


@dataclass
class Layout:
    """A tree as it is read.

    Args:
        classes: of each split that has a folder, the class folders by name; only "train" if no folder is a split.
        folders: of each of these splits, the folder with the class folders.
        left_out: folders with images that are not read, which ``warnings`` tell.
        guesses, warnings: sentences about what was taken for granted, and what may be wrong.
    """

    classes: dict[str, list[Folder]]
    folders: dict[str, Folder]
    left_out: list[Folder] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def find_layout(root: Folder, known: Collection[str] = ()) -> Layout:
    """Decide which folders are splits.

    Args:
        root: the tree.
        known: the classes of a trained model; folders that are all called so are classes.

    Raises:
        ValueError: for folders that look like splits but cannot be, naming them and the remedy.
    """
    base = _unwrapped(root)
    holders = base.with_images()
    if not holders:
        raise ValueError(_no_folders(root))
    if known and all(each.name in known for each in holders):
        return _plain(root, base)
    named = [each for each in holders if split_of(each.name)]
    within = {each.name: _unwrapped_split(each) for each in named}
    deep = [each for each in named if within[each.name].with_images()]
    if deep and (any(split_of(each.name) == "train" for each in deep) or len(named) > 1 or len(named) == len(holders)):
        return _with_splits(root, base, holders, within)
    if len(named) > 1 or (named and len(named) == len(holders)):
        raise ValueError(_without_classes(base, named))
    if "train" in (splits := splits_of_set([each.name for each in holders])):
        raise ValueError(
            f"{base.path} has {_listed(holders)}, which look like splits: name them {_names(splits)}, with a folder "
            "for each class in them; or give the classes names without such words"
        )
    layout = _plain(root, base)
    if named:
        layout.guesses.append(f"the folder {named[0].name!r} is taken for a class, as are the others beside it")
    return layout


def _unwrapped(folder: Folder) -> Folder:
    """The folder inside folders that hold nothing but one other: ``archive/data/…``; a split is never entered."""
    holders = folder.with_images()
    if len(holders) != 1 or folder.images or split_of(holders[0].name) or not holders[0].with_images():
        return folder
    return folder if holders[0].images else _unwrapped(holders[0])


def _unwrapped_split(folder: Folder) -> Folder:
    """The same for a split: a folder of the same meaning, or of none, in it: ``train/train/…``, ``train/images/…``."""
    holders = folder.with_images()
    if len(holders) != 1 or folder.images:
        return folder
    inner = holders[0]
    says_nothing = inner.name.casefold() in FILLERS or split_of(inner.name) == split_of(folder.name)
    return _unwrapped_split(inner) if says_nothing else folder


def _plain(root: Folder, base: Folder) -> Layout:
    """No splits: the folders of ``base`` are the classes."""
    for each in base.with_images():
        inner = each.with_images()
        if inner and not each.images and all(split_of(one.name) for one in inner) and len(inner) > 1:
            raise ValueError(
                f"{each.path} has {_listed(inner)}, which look like splits, inside what would be a class: name one "
                f"such folder as data.root, as {each.path}, or put the splits on top, as {inner[0].name}/{each.name}"
            )
    layout = Layout({"train": list(base.folders)}, {"train": base})
    if base is not root:
        layout.guesses.append(f"the classes are the folders of {_below(root, base)} in data.root, which holds them all")
    layout.warnings += _same_folders(base)
    return layout


def _with_splits(root: Folder, base: Folder, holders: Sequence[Folder], within: dict[str, Folder]) -> Layout:
    """Splits on top, classes in them."""
    layout = Layout({}, {})
    sources: dict[str, Folder] = {}
    for split, folder in _by_split(base):
        if folder not in holders and not folder.all_ignored():
            continue
        if folder in holders and not within[folder.name].with_images():
            if split == "train":
                raise ValueError(_without_classes(base, [folder]))
            layout.left_out.append(folder)
            layout.warnings.append(
                f"{_below(root, folder)} has {len(folder.all_images()):,} images but no folder for each class: it is "
                "left out"
            )
            continue
        if split in sources:
            raise ValueError(
                f"{base.path} has two folders for {split}, {sources[split].name} and {folder.name}: rename one, or "
                f"leave it out with {_left_out(root, folder)}"
            )
        sources[split] = folder
        layout.folders[split] = within.get(folder.name, folder)
        layout.classes[split] = list(layout.folders[split].folders)
    if "train" not in layout.folders:
        names = _listed(list(sources.values()))
        raise ValueError(
            f"{base.path} has {names}, which look like splits, but no folder for training: name one train, or name "
            "another data.root"
        )
    _check_others(root, base, [each for each in holders if split_of(each.name) is None], layout)
    layout.guesses += _describe(root, layout)
    return layout


def _by_split(base: Folder) -> list[tuple[str, Folder]]:
    """The folders that are called like a split: train first, as `SPLIT_WORDS` has them."""
    return [(split, each) for split in SPLIT_WORDS for each in base.folders if split_of(each.name) == split]


def _check_others(root: Folder, base: Folder, others: Sequence[Folder], layout: Layout) -> None:
    """Folders with images beside the splits: those without labels are left out, others refused."""
    for each in others:
        if meaning(each.name).removesuffix("s") in UNLABELED_WORDS:
            layout.left_out.append(each)
            layout.warnings.append(
                f"{_below(root, each)} is left out: it has {len(each.all_images()):,} images, but is not a split"
            )
            continue
        train = _below(root, layout.folders["train"])
        raise ValueError(
            f"{base.path} has {_listed(others)} beside the split {train}, with images: put them into a split, or leave "
            f"them out with {_left_out(root, *others)}"
        )


def _describe(root: Folder, layout: Layout) -> list[str]:
    """How the splits were found; nothing if they have their own names and all are there."""
    found = {split: _below(root, folder) for split, folder in layout.folders.items()}
    missing = [split for split in ("val", "test") if split not in found]
    if not missing and all(split == where for split, where in found.items()):
        return []
    sentence = ", ".join(f"{where} is taken for {split}" for split, where in found.items() if where != split)
    if missing:
        options = " and ".join(f"data.{split}_fraction" for split in missing)
        rest = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} split from {found['train']} ({options})"
        sentence = f"{sentence}; {rest}" if sentence else rest
    return [f"in data.root {sentence}"]


def _same_folders(base: Folder) -> list[str]:
    """A warning if every would-be class holds the same folders, which may be the classes."""
    holders = base.with_images()
    inner = [frozenset(one.name for one in each.with_images()) for each in holders]
    if len(holders) < 2 or any(each.images for each in holders) or len(inner[0]) < 2 or len(set(inner)) > 1:
        return []
    return [
        f"{_listed(holders)} are taken for the classes, but each has the folders {_names(sorted(inner[0]))} in it: if "
        "those are the classes, name a single one of the outer folders as data.root, or call them train, val and test"
    ]


def _without_classes(base: Folder, splits: Sequence[Folder]) -> str:
    looks, have = ("looks like a split", "has") if len(splits) == 1 else ("look like splits", "have")
    return (
        f"{base.path} has {_listed(splits)}, which {looks} but {have} no folder for each class: put the images into "
        "such folders, or list them in a table with data=image_table"
    )


def _no_folders(root: Folder) -> str:
    if root.images:
        return (
            f"{root.path} has {len(root.images):,} images but no folders: it needs one for each class, or list the "
            "images in a table with data=image_table"
        )
    if ignored := root.all_ignored():
        return f"{root.path} has no folders with images, only {describe_suffixes(ignored)}: {remedy_for(ignored)}"
    return f"{root.path} has no folders: it needs one for each class"


def _below(root: Folder, folder: Folder) -> str:
    return folder.path.relative_to(root.path).as_posix()


def _left_out(root: Folder, *folders: Folder) -> str:
    names = (override("", _below(root, each)).removeprefix("=") for each in folders[:MAX_NAMED])
    return shell_words(f"data.ignore=[{','.join(names)}]")


def _listed(folders: Sequence[Folder]) -> str:
    plural = "the folders" if len(folders) > 1 else "the folder"
    return f"{plural} {_names([each.name for each in folders])}"


def _names(names: Sequence[str]) -> str:
    shown = list(names[:MAX_NAMED])
    if len(names) > MAX_NAMED:
        return f"{', '.join(shown)} and {len(names) - MAX_NAMED} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
