"""From the body of a request to encoded inputs, or one sentence that says why not."""

import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from imbalance_lab.data.encode_columns import describe_unknown
from imbalance_lab.data.image_bytes import ImageBytes
from imbalance_lab.data.missing_values import missing_numbers
from imbalance_lab.data.schema import ArraySchema, ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.serve.json_rows import RowEncoder, nearest, shown
from imbalance_lab.deployment.serve.limits import Limits, RequestError

MAX_NAMED = 5
"""Columns that a warning names."""

Files = list[tuple[str, bytes]]
"""Names and contents."""


class Inputs(NamedTuple):
    """The encoded inputs of one request, (N, *input_shape), and what is to be told about them."""

    inputs: Tensor
    warnings: list[str]


@dataclass(frozen=True)
class Decoder:
    """Decodes the requests for one model.

    Args:
        schema: of the model.
        limits: of a request.
    """

    schema: InputSchema
    limits: Limits

    def __post_init__(self) -> None:
        if isinstance(self.schema, TableSchema):
            object.__setattr__(
                self, "_rows", RowEncoder(self.schema.columns, missing_numbers(self.schema.dialect.missing or ()))
            )
        elif isinstance(self.schema, ImageSchema) and self.limits.max_pixels:
            most = min(self.limits.max_pixels, self.schema.max_pixels)
            object.__setattr__(self, "schema", replace(self.schema, max_pixels=most))

    @property
    def key(self) -> str:
        """Of the JSON object that is sent."""
        return "rows" if isinstance(self.schema, TableSchema) else "inputs"

    def decode(self, content: bytes | Files) -> Inputs:
        """JSON, or files of images.

        Raises:
            RequestError: for what the model cannot take.
        """
        try:
            if isinstance(content, list):
                return self._images(content)
            given = self._list_of(read_json(content))
            return self._table(given) if isinstance(self.schema, TableSchema) else self._arrays(given)
        except RequestError:
            raise
        except ValueError as error:  # of the schema: a sentence
            raise RequestError(str(error)) from error

    def _list_of(self, content: Any) -> list[Any]:
        """The list under `key`."""
        if not isinstance(content, dict):
            raise RequestError(f'the body is {shown(content)}: send an object {{"{self.key}": […]}}')
        for name in content:
            if name != self.key:
                hint = nearest(name, [self.key]) or f": send {self.key} alone"
                raise RequestError(f"the body has the unknown key {name[:80]!r}{hint}")
        given = content.get(self.key)
        if not isinstance(given, list):
            what = shown(given) if self.key in content else "missing"
            raise RequestError(f"{self.key} is {what}: send a list")
        self.limits.check_rows(len(given), self.key)
        return given

    def _table(self, rows: list[Any]) -> Inputs:
        for number, row in enumerate(rows, 1):
            if type(row) is not dict:
                raise RequestError(f'row {number} is {shown(row)}: send an object {{"column": value, …}}')
        encoder: RowEncoder = self.__dict__["_rows"]
        inputs, unknown = encoder.encode(rows)
        warnings = describe_unknown(unknown, len(rows)) if unknown else []
        if extra := encoder.extra(rows):
            named = ", ".join(repr(name[:80]) for name in extra[:MAX_NAMED])
            more = f" and {len(extra) - MAX_NAMED} more" if len(extra) > MAX_NAMED else ""
            warnings.append(f"ignored, because the model does not take them: {named}{more}")
        return Inputs(torch.from_numpy(inputs), warnings)

    def _arrays(self, given: list[Any]) -> Inputs:
        try:
            array = np.array(given)
        except ValueError:
            raise RequestError("inputs do not all have the same shape: send lists of equal lengths") from None
        if array.dtype.kind not in "iufb":
            raise RequestError("inputs must be nested lists of numbers, and some are not")
        schema = self.schema
        if isinstance(schema, ArraySchema) and np.dtype(schema.dtype).kind == "f" and array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                if np.isinf(array.astype(schema.dtype)).any():
                    raise RequestError(f"inputs must be finite {schema.dtype}, and one is too large: correct it")
        return Inputs(schema.encode(array), [])

    def _images(self, files: Files) -> Inputs:
        self.limits.check_rows(len(files), "images")
        return Inputs(self.schema.encode([ImageBytes(content, name) for name, content in files]), [])


def read_json(body: bytes) -> Any:
    """JSON in UTF-8, as its standard says: no NaN, no key twice in an object.

    Raises:
        RequestError: naming what is wrong.
    """
    if not body.strip():
        raise RequestError("the body is empty: send JSON")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 at byte {error.start + 1}: send JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"the body is not JSON ({error.msg}, {where}): correct it") from None
    except RecursionError:
        raise RequestError("the body is nested too deeply: send rows of numbers and text") from None
    except RequestError:
        raise
    except ValueError:  # an integer with more digits than Python reads
        raise RequestError("the body has an integer of thousands of digits: correct it") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise RequestError(f"the key {twice[:80]!r} is twice in one object: send it once")
    return content


def _constant(name: str) -> Any:
    raise RequestError(f"the body has {name}, which is no JSON: send a finite number, or null where it is missing")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)
