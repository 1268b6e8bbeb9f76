"""EXIF of every kind, healthy, odd and damaged: images are turned by their orientation, and nothing else matters."""

import io
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.helpers.images import PHOTO, digit, read, tree


def tiff_of_tags(entries: list[tuple[int, int, int, bytes]], outside: bytes = b"") -> bytes:
    """EXIF by hand: (tag, type, count, 4 bytes of value or offset) each, then ``outside``, at offset 14 + 12 n."""
    directory = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + outside


def turned(orientation: int) -> tuple[int, int, int, bytes]:
    return 0x0112, 3, 1, struct.pack("<HH", orientation, 0)


TURNED = turned(6)  # a quarter
AT = struct.pack("<I", 14 + 12 * 2)
ODD_EXIF = {
    "a signed rational where an unsigned one belongs": tiff_of_tags(
        [TURNED, (0x011A, 10, 1, AT)], struct.pack("<ii", -1, 0)
    ),
    "a number where text belongs": tiff_of_tags([TURNED, (0x0131, 5, 1, AT)], struct.pack("<II", 1, 2)),
    "text where a number belongs": tiff_of_tags([TURNED, (0x0128, 2, 4, b"abc\0")]),
    "a value beyond the end": tiff_of_tags([TURNED, (0x010F, 2, 999, AT)]),
    "cut off behind the orientation": tiff_of_tags([TURNED, (0x0131, 5, 1, AT)])[:-14],
    "two orientations, of which the first counts": tiff_of_tags([(0x0112, 3, 2, struct.pack("<HH", 6, 8))]),
    "a negative resolution": tiff_of_tags([TURNED, (0x011A, 5, 1, AT)], struct.pack("<Ii", 1, -1)),
    "a resolution of nothing by nothing": tiff_of_tags([TURNED, (0x011A, 10, 1, AT)], bytes(8)),
    "a directory that is none": tiff_of_tags([TURNED, (0x8769, 4, 1, b"\xff\xff\xff\x7f")]),
}
NO_EXIF = {
    "garbage": b"Exif\0\0" + bytes(range(7, 250)),
    "nothing": b"Exif\0\0",
    "cut off in its head": b"Exif\0\0II*\0\x08",
    "cut off before the orientation": tiff_of_tags([TURNED])[:20],
    "a directory far away": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "an orientation that is none": tiff_of_tags([turned(77)]),
    "an orientation in words": tiff_of_tags([(0x0112, 2, 4, b"six\0")]),
    "an orientation divided by zero": tiff_of_tags([(0x0112, 5, 1, AT), (0x0128, 3, 1, bytes(4))], bytes(8)),
}


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_healthy_exif_turns_as_pillow_does(kind: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a maker"
    options: dict[str, Any] = {"lossless": True} if kind == "webp" else {}
    Image.fromarray(PHOTO[:40, :40]).save(tmp_path / f"x.{kind}", exif=exif, **options)
    with Image.open(tmp_path / f"x.{kind}") as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(read(tmp_path / f"x.{kind}", size=40, channels=3), wanted)


def test_eight_orientations_are_eight_images(tmp_path: Path) -> None:
    images = set()
    for orientation in range(1, 9):
        Image.fromarray(PHOTO[:40, :40]).save(tmp_path / "x.png", exif=tiff_of_tags([turned(orientation)]))
        images.add(read(tmp_path / "x.png", size=40).tobytes())
    assert len(images) == 8


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("case", [*ODD_EXIF, *NO_EXIF])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")  # as a run has it, which tells nothing of it
def test_odd_exif_stops_nothing(case: str, kind: str, tmp_path: Path) -> None:
    photo, exif = Image.fromarray(PHOTO[:40, :40]), (ODD_EXIF | NO_EXIF)[case]
    for name, options in {"plain": {}, "odd": {"exif": exif}}.items():
        photo.save(tmp_path / f"{name}.{kind}", **options)
    plain = read(tmp_path / f"plain.{kind}", size=40)
    wanted = np.rot90(plain, -1, (1, 2)) if case in ODD_EXIF else plain
    np.testing.assert_array_equal(read(tmp_path / f"odd.{kind}", size=40), wanted)


@pytest.mark.slow
def test_a_folder_with_odd_exif_is_read_in_silence(tmp_path: Path) -> None:
    """In a process of its own: pytest would set the filters of warnings."""
    root = tree(tmp_path, "ab", 8, "jpg")
    for number, exif in enumerate([*ODD_EXIF.values(), *NO_EXIF.values()]):
        jpeg = io.BytesIO()
        digit(number).save(jpeg, "jpeg", exif=exif)
        without_density = re.sub(rb"\xff\xe0\0\x10JFIF.{10}", b"", jpeg.getvalue(), count=1, flags=re.DOTALL)
        (root / "a" / f"odd_{number}.jpg").write_bytes(without_density)  # then Pillow looks for it in the EXIF
    program = (
        "from imbalance_lab.data import image_folder\n"
        f"splits = image_folder(root={str(root)!r}, image_size=8)\n"
        "for part in (splits.train, splits.val, splits.test):\n"
        "    assert part.verify() == []\n"
        "    print(len(part))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert sum(map(int, done.stdout.split())) == 16 + len(ODD_EXIF) + len(NO_EXIF)
