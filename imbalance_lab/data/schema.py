"""What a model takes as its input, in plain values: it travels with the model, so that new data mean the same to it."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from imbalance_lab.data.columns import Unknown
from imbalance_lab.data.encode_columns import describe_unknown
from imbalance_lab.data.finite import first_non_finite
from imbalance_lab.data.image_decoder import ImageDecoder, ImageFile, check_depth, decode, header
from imbalance_lab.data.normalize import Normalize
from imbalance_lab.data.threads import in_parallel
from imbalance_lab.validation import check_choice


@dataclass(frozen=True)
class InputSchema(ABC):
    """The raw inputs of a model: how they are encoded, and which classes it predicts.

    Args:
        classes: the C classes or labels, in the order of the logits.
    """

    classes: tuple[str, ...]

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one encoded input."""

    @property
    def prepared_shape(self) -> tuple[int, ...]:
        """The shape of one input after the preparation module: what a backbone takes."""
        return self.input_shape

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Of each categorical column, the last ones of the input: its number of codes, 0 for unknown included."""
        return ()

    @property
    def n_periodic(self) -> int:
        """How many of the first prepared inputs are numbers that the backbone embeds periodically."""
        return 0

    def encode(self, raw: Any) -> Tensor:
        """Raw inputs → (N, *input_shape), as the training source encoded them; a warning tells of unknown categories.

        Raises:
            ValueError: naming what does not fit, and where.
        """
        inputs, unknown = self.encode_counting(raw)
        for sentence in describe_unknown(unknown, len(inputs)):
            warnings.warn(sentence, stacklevel=2)
        return inputs

    @abstractmethod
    def encode_counting(self, raw: Any) -> tuple[Tensor, Unknown]:
        """The same, and the categories that were coded as unknown."""

    def prepare_from(self, state_dict: Mapping[str, Tensor]) -> nn.Module:
        """The preparation module of a state dict, whose keys may start with ``prepare.``."""
        state = {name.removeprefix("prepare."): value.clone() for name, value in state_dict.items()}
        return Normalize(state["mean"], state["std"])

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint or JSON."""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "InputSchema":
        """Read what `as_dict` gave.

        Raises:
            ValueError: for an unknown kind.
        """
        from imbalance_lab.data.table_schema import TableSchema  # here: it is one of these

        kinds: dict[str, type[InputSchema]] = {"arrays": ArraySchema, "images": ImageSchema, "table": TableSchema}
        check_choice("the kind of an input schema", content.get("kind"), kinds)
        return kinds[content["kind"]]._read(content)

    @classmethod
    @abstractmethod
    def _read(cls, content: Mapping[str, Any]) -> "InputSchema":
        """From plain values."""


@dataclass(frozen=True)
class ArraySchema(InputSchema):
    """Arrays or tensors (N, *shape).

    Args:
        shape: of one input.
        dtype: NumPy's name of the type of its values.
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    def encode_counting(self, raw: Any) -> tuple[Tensor, Unknown]:
        """Any array of that shape; values that the type cannot hold are refused, not rounded."""
        given = raw.detach().cpu().numpy() if isinstance(raw, Tensor) else np.asarray(raw)
        if given.shape[1:] != self.shape or not given.ndim:
            raise ValueError(f"inputs must have the shape (N, {', '.join(map(str, self.shape))}), got {given.shape}")
        wanted = np.dtype(self.dtype)
        with np.errstate(invalid="ignore"):
            array = given.astype(wanted, copy=False)
        if wanted.kind != "f" and (given.dtype.kind not in "iub" or (array != given).any()):
            raise ValueError(f"inputs must be {self.dtype}, as in training, got other values, {given.dtype}: convert")
        inputs = torch.from_numpy(np.ascontiguousarray(array))
        if (at := first_non_finite(inputs)) is not None:
            raise ValueError(f"inputs must be finite, got {inputs[at]:g} at {list(at)}: correct it, or leave it out")
        return inputs, {}

    def as_dict(self) -> dict[str, Any]:
        return {"kind": "arrays", "classes": list(self.classes), "shape": list(self.shape), "dtype": self.dtype}

    @classmethod
    def _read(cls, content: Mapping[str, Any]) -> "ArraySchema":
        return cls(tuple(content["classes"]), tuple(content["shape"]), content["dtype"])


@dataclass(frozen=True)
class ImageSchema(InputSchema):
    """Image files.

    Args:
        size, channels, is_16bit, max_pixels: how they are decoded, see `ImageDecoder`.
    """

    size: int
    channels: int
    is_16bit: bool
    max_pixels: int
    _PARTS: ClassVar = ("size", "channels", "is_16bit", "max_pixels")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.channels, self.size, self.size

    @property
    def decoder(self) -> ImageDecoder:
        """How files become arrays."""
        return ImageDecoder(self.size, self.channels, self.is_16bit, self.max_pixels)

    def encode_counting(self, raw: Any) -> tuple[Tensor, Unknown]:
        """A path, or several; or several `ImageBytes`.

        Raises:
            UnreadableImageError: naming the file.
        """
        paths: Sequence[ImageFile] = [raw] if isinstance(raw, str | Path) else list(raw)
        return (torch.cat(list(in_parallel(self._decode, paths))) if paths else torch.empty(0, *self.input_shape)), {}

    def _decode(self, path: ImageFile) -> Tensor:
        """One image (1, channels, size, size)."""
        check_depth(path, header(path, self.decoder), self.decoder)
        return decode([path], self.decoder)

    def as_dict(self) -> dict[str, Any]:
        return {"kind": "images", "classes": list(self.classes)} | {name: getattr(self, name) for name in self._PARTS}

    @classmethod
    def _read(cls, content: Mapping[str, Any]) -> "ImageSchema":
        return cls(tuple(content["classes"]), *(content[name] for name in cls._PARTS))
