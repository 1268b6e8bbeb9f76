"""What is said of files that are not read: how many of which kind, where, and what to do with them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from imbalance_lab.data.image_tree import Folder

MAX_NAMED = 5
"""Kinds of files, or classes, that a sentence names."""

CONVERT = {
    (".dcm", ".dicom", ".ima"): "DICOM is not read: convert it to 16-bit PNG",
    (".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"): "volumes are not read: save their slices as 16-bit PNG",
    (".heic", ".heif"): "HEIC is not read: convert it to JPEG",
    (".avif",): "this Pillow reads no AVIF: install a newer one, or convert it to JPEG",
    (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg"): "videos are not read: save their frames as JPEG",
    (".npy", ".npz", ".mat", ".h5", ".hdf5", ".pt"): "arrays are not read: save each image as PNG",
    (".svg", ".pdf", ".eps", ".ps", ".ai"): "drawings are not read: save them as PNG",
    (".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf"): "raw photos are not read: convert them to TIFF or JPEG",
    (".tga", ".ico", ".psd", ".pcx", ".exr", ".hdr", ".pfm"): "this kind of image is not read: convert it to PNG",
    (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".gz"): "unpack it first",
}
"""What to do with files that are no images here, by suffix."""


def remedy_for(ignored: Mapping[str, int]) -> str:
    """What to do with the most frequent of ignored files, as the end of a sentence."""
    most = max(ignored, key=lambda suffix: ignored[suffix])
    words = next((remedy for suffixes, remedy in CONVERT.items() if most in suffixes), "")
    return words or "put images there, as PNG or JPEG, or leave the folder out with data.ignore"


def describe_suffixes(ignored: Mapping[str, int]) -> str:
    """Numbers of files by suffix, the most frequent first.

    >>> describe_suffixes({".mp4": 5, ".txt": 7})
    '7 .txt, 5 .mp4'
    """
    return _counted(ignored, "{n} {name}")


def describe_ignored(root: Folder, classes: Sequence[tuple[str, Folder]] = ()) -> list[str]:
    """A sentence each on files that are no images, and on those of systems.

    Args:
        root: the tree.
        classes: the class folders, of every split, with the names of their classes; none if there are no classes.
    """
    sentences = []
    if ignored := root.all_ignored():
        what = (
            "1 file that is not an image" if ignored.total() == 1 else f"{ignored.total():,} files that are not images"
        )
        where = f" ({_places(ignored.total(), classes)})" if classes else ""
        sentences.append(f"ignored {what}: {describe_suffixes(ignored)}{where}")
    if skipped := root.all_skipped():
        what = "1 hidden or system file" if skipped.total() == 1 else f"{skipped.total():,} hidden or system files"
        sentences.append(f"skipped {what}: {_counted(skipped, '{n} {name}')}")
    return sentences


def _places(total: int, classes: Sequence[tuple[str, Folder]]) -> str:
    """How many ignored files are in which class."""
    counts: Counter[str] = Counter()
    for name, folder in classes:
        counts[name] += folder.all_ignored().total()
    inside = +counts
    outside = f"{total - inside.total():,} outside the class folders" if total > inside.total() else ""
    within = f"in {_counted(inside, '{name}: {n}')}" if inside else ""
    return "; ".join(filter(None, (within, outside)))


def describe_loose(root: Folder, classes: Sequence[tuple[str, Folder]], left_out: Sequence[Folder]) -> list[str]:
    """A sentence on images that lie in no class folder, nor in one that was left out."""
    inside = {path for folder in [*(folder for _, folder in classes), *left_out] for path in folder.all_images()}
    loose = [path for path in root.all_images() if path not in inside]
    if not loose:
        return []
    them, lie = ("it is", "image lies") if len(loose) == 1 else ("they are", "images lie")
    first = loose[0].removeprefix(f"{root.path}/")
    return [f"{len(loose):,} {lie} in no class folder, such as {first}: {them} left out"]


def _counted(counts: Mapping[str, int], form: str) -> str:
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(form.format(n=f"{n:,}", name=name) for name, n in order[:MAX_NAMED])
    return f"{shown} and {sum(n for _, n in order[MAX_NAMED:]):,} more" if len(order) > MAX_NAMED else shown
