"""The kinds of image files that are read, and what other content under their names is called."""

import struct
from pathlib import Path

from PIL import Image, features

FAULTS = (OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, struct.error)
"""What Pillow raises on damaged files: its parsers index and unpack what they read before they check it."""

_SUFFIXES_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    **({"AVIF": (".avif",)} if features.check("avif") else {}),
    **({"JPEG2000": (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc")} if features.check("jpg_2000") else {}),
}
FORMATS = tuple(_SUFFIXES_OF)
"""Pillow's formats that are read, whatever the name of a file; others are not: EPS, for one, would start a program."""

SUFFIXES = tuple(suffix for suffixes in _SUFFIXES_OF.values() for suffix in suffixes)


def is_image(path: str | Path) -> bool:
    """Whether the content of a file begins as an image of `FORMATS` does, whatever its name."""
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except FAULTS:
        return False
    except Image.DecompressionBombError:
        return True  # to be refused for its size


def describe_content(first: bytes) -> str:
    """What a file that is no image holds, by its first bytes, as words behind "is not a readable image".

    >>> describe_content(b"<!DOCTYPE html><html>")
    ' but a web page'
    """
    if not first:
        return ", it is empty"
    if not first.strip(b"\0"):
        return ", it holds only zeros"
    start = first.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return " but a web page"
    if start.startswith(b"version https://git-lfs"):
        return " but a pointer of Git LFS (git lfs pull gets the file)"
    if first[128:132] == b"DICM":
        return " but DICOM (convert it to 16-bit PNG)"
    if first[4:8] == b"ftyp" and first[8:12] in (b"heic", b"heix", b"mif1", b"heim", b"hevc"):
        return " but HEIC (convert it to JPEG)"
    kinds = {b"%!ps": "PostScript", b"%pdf": "PDF", b"{": "JSON", b"<svg": "SVG", b"<?xml": "XML"}
    return next((f" but {kind}" for begin, kind in kinds.items() if start.startswith(begin)), "")
