"""Weights in a file: what torch or safetensors wrote, read as tensors alone; nothing in it is executed."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

SAFETENSORS = ".safetensors"

LIGHTNING = "pytorch-lightning_version"
"""A key of the checkpoints of Lightning, and so of this program."""

NESTED = 2
"""How deep the tensors may lie in the dictionaries of a file, as in ``{"state_dict": {…}}``."""


class WeightsFile(NamedTuple):
    """The content of a file.

    Args:
        path: of the file.
        sha256: of its bytes, in hexadecimal.
        groups: tensors by name, for each dictionary in the file that has some, by the name of the dictionary; that of
            the outermost is "".
        is_ordered: whether the tensors are in the order of the modules of their net; safetensors sorts them.
    """

    path: Path
    sha256: str
    groups: Mapping[str, Mapping[str, Tensor]]
    is_ordered: bool


def read_weights(path: str | Path) -> WeightsFile:
    """Read a safetensors file, or one of ``torch.save`` that holds tensors and plain values only.

    Raises:
        ValueError: for a file that is missing or damaged, holds no tensors, or more than plain data.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"there is no file {path}: name one of this machine, as in backbone.weights=resnet18.pth")
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        content = _read(file)
    except PermissionError as error:
        raise ValueError(f"{file} may not be read: change its permissions") from error
    if isinstance(content, Mapping) and LIGHTNING in content:  # what is beside its model are a strategy's averages
        content = {"state_dict": content.get("state_dict")}
    groups = dict(_tensors("", content))
    if not groups:
        raise ValueError(f"{file} holds no tensors by name: choose a file with the state dict of a net")
    return WeightsFile(file, digest, groups, file.suffix != SAFETENSORS)


def _read(file: Path) -> Any:
    """Safetensors by the name of the file, everything else by ``torch.load``."""
    if file.suffix == SAFETENSORS:
        try:
            from safetensors.torch import load_file
        except ImportError as error:
            raise ImportError("safetensors is not installed: pip install 'imbalance-lab[backbones]'") from error
        try:
            return load_file(file)
        except PermissionError:
            raise
        except Exception as error:  # of whatever is not such a file
            raise ValueError(f"{file} is damaged, or not a safetensors file: download or copy it again") from error
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except PermissionError:
        raise
    except Exception as error:
        if _is_pickled(file) and "Weights only load failed" in str(error):
            raise ValueError(
                f"{file} holds more than tensors and plain values, so that reading it could run code: save the state "
                "dict alone, torch.save(net.state_dict(), FILE)"
            ) from error
        raise ValueError(f"{file} is damaged, or not a file of torch.save: download or copy it again") from error


def _is_pickled(file: Path) -> bool:
    """Whether a file begins as those of torch.save: a ZIP archive, or in the old format a pickle."""
    with file.open("rb") as stream:
        return stream.read(2) in (b"PK", b"\x80\x02")


def _tensors(name: str, content: Any, depth: int = 0) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The dictionaries of tensors in nested ones."""
    if not isinstance(content, Mapping) or depth > NESTED:
        return
    own = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if own:
        yield name, own
    for key, value in content.items():
        yield from _tensors(f"{name}.{key}" if name else str(key), value, depth + 1)
