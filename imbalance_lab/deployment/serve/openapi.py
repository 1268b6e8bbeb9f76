"""The description of a served model: what it takes and gives, as OpenAPI 3.1, and a request that it answers."""

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image

from imbalance_lab.data.columns import Column
from imbalance_lab.data.encode_columns import source_columns
from imbalance_lab.data.preprocess import Preprocess
from imbalance_lab.data.schema import ArraySchema, ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.serve.bodies import FIELD, FORM, JSON
from imbalance_lab.deployment.serve.limits import Limits
from imbalance_lab.model import Model
from imbalance_lab.text import shell_words

Document = dict[str, Any]

OPENAPI = "3.1.0"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/bmp", "image/tiff", "image/webp")
PNG = 'echo {image} | base64 -d | curl -H "Content-Type: image/png" --data-binary @- {url}/predict'
ZEROS = (
    "python -c \"import json, numpy; print(json.dumps({{'inputs': numpy.zeros({shape}, {dtype!r}).tolist()}}))\" | "
    "curl -H 'Content-Type: application/json' -d @- {url}/predict"
)
MAX_VALUES = 100
"""Of an array that is written out in an example."""


def describe(model: Model, limits: Limits, digest: str) -> Document:
    """The OpenAPI document; ``info.version`` is the digest of the checkpoint."""
    body = {"content": _request(model, limits), "required": True}
    failures = {"408": "slow", "413": "too large", "415": "of another type", "422": "wrong", "503": "one too many"}
    responses = {"200": _json_response("a prediction for each row", _response(model))} | {
        status: _json_response(f"the request is {why}; one sentence says how", _DETAIL)
        for status, why in failures.items()
    }
    health: Document = {"type": "object", "properties": {"status": {"const": "ok"}, "model": {"const": digest}}}
    document: Document = {"type": "object"}
    get = {"health": ("whether the server answers", health), "schema": ("this document", document)}
    return {
        "openapi": OPENAPI,
        "info": {"title": f"{model.task.kind} classifier of {', '.join(model.classes)}", "version": digest},
        "paths": {"/predict": {"post": {"operationId": "predict", "requestBody": body, "responses": responses}}}
        | {
            f"/{name}": {"get": {"operationId": name, "responses": {"200": _json_response(what, schema)}}}
            for name, (what, schema) in get.items()
        },
    }


def example(model: Model, url: str) -> str:
    """A command line for a shell that sends this model a request."""
    schema = model.schema
    if isinstance(schema, ImageSchema):
        file = io.BytesIO()
        Image.new("L" if schema.channels == 1 else "RGB", (schema.size, schema.size), 128).save(file, "PNG")
        return PNG.format(image=base64.b64encode(file.getvalue()).decode(), url=url)
    if isinstance(schema, TableSchema):
        content: Document = {"rows": [example_row(schema, model.prepare)]}
    else:
        assert isinstance(schema, ArraySchema)
        shape = (1, *schema.shape)
        if np.prod(shape) > MAX_VALUES:
            return ZEROS.format(shape=shape, dtype=schema.dtype, url=url)
        content = {"inputs": np.zeros(shape, schema.dtype).tolist()}
    return shell_words("curl", "-H", f"Content-Type: {JSON}", "-d", json.dumps(content), f"{url}/predict")


def example_row(schema: TableSchema, prepare: Any) -> Document:
    """The medians of the training rows, and the first category of each column."""
    assert isinstance(prepare, Preprocess)
    medians = dict(zip(schema.numbers, prepare.median.tolist(), strict=True))
    return {
        column.source: column.date.start
        if column.date is not None
        else float(f"{medians[column.name]:.4g}")
        if column.kind == "number"
        else next(iter(column.categories), None)
        for column in schema.columns
    }


def _request(model: Model, limits: Limits) -> Document:
    schema = model.schema
    if isinstance(schema, ImageSchema):
        image = {"type": "string", "contentMediaType": "image/*"}
        files = {"type": "array", "items": image, "minItems": 1, "maxItems": limits.max_rows}
        form = {"type": "object", "properties": {FIELD: files}, "required": [FIELD], "additionalProperties": False}
        return {FORM: {"schema": form}} | {each: {"schema": {"type": "string"}} for each in IMAGE_TYPES}
    if isinstance(schema, TableSchema):
        row = {
            "type": "object",
            "properties": {column.source: _column(column) for column in schema.columns},
            "required": source_columns(schema.columns),
        }
        return {JSON: {"schema": _list("rows", row, limits), "example": {"rows": [example_row(schema, model.prepare)]}}}
    return {JSON: {"schema": _list("inputs", _nested(schema), limits)}}


def _column(column: Column) -> Document:
    if column.date is not None:
        return {
            "type": ["string", "null"],
            "description": f"a date, as ISO 8601 or {column.date.pattern} says; null: missing",
            "examples": [column.date.start],
        }
    if column.kind == "number":
        told = f"; also as text, as in training: {column.format.describe() or 'a number'}" if column.format else ""
        return {
            "type": ["number", "boolean", *(["string"] * bool(column.format)), "null"],
            "description": f"null: missing{told}",
            "maximum": _MAX,
            "minimum": -_MAX,
        }
    is_text = {isinstance(category, str) for category in column.categories}
    text, numbers = ["string"] * (True in is_text or not is_text), ["number", "boolean"] * (is_text != {True})
    return {
        "type": [*text, *numbers, "null"],
        "description": "a category; another one than those of the training data is treated as unknown",
        "examples": list(column.categories),
    }


_MAX = float(np.finfo(np.float32).max)
_DETAIL: Document = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}


def _nested(schema: InputSchema) -> Document:
    """Lists in lists of numbers, of the lengths of the shape."""
    assert isinstance(schema, ArraySchema)
    kind = np.dtype(schema.dtype)
    if kind.kind == "f":
        value: Document = {"type": "number", "minimum": float(np.finfo(kind).min), "maximum": float(np.finfo(kind).max)}
    else:
        value = {"type": "integer", "minimum": int(np.iinfo(kind).min), "maximum": int(np.iinfo(kind).max)}
    for length in reversed(schema.shape):
        value = {"type": "array", "items": value, "minItems": length, "maxItems": length}
    return value


def _list(key: str, items: Document, limits: Limits) -> Document:
    values = {"type": "array", "items": items, "minItems": 1, "maxItems": limits.max_rows}
    return {"type": "object", "properties": {key: values}, "required": [key], "additionalProperties": False}


def _response(model: Model) -> Document:
    def each_class(value: Document) -> Document:
        properties = dict.fromkeys(model.classes, value)
        return {"type": "object", "properties": properties, "required": list(model.classes)}

    parts: Document = {"probabilities": each_class({"type": "number", "minimum": 0, "maximum": 1})}
    if not model.task.is_multilabel:
        parts["predicted"] = {"enum": list(model.classes)}
    parts["flags"] = each_class({"type": "boolean"})
    required = list(parts)
    parts["set"] = {"type": "array", "items": {"enum": list(model.classes)}}
    row = {"type": "object", "properties": parts, "required": required}
    told = {"type": "array", "items": {"type": "string"}}
    content = {"results": {"type": "array", "items": row}, "warnings": told}
    return {"type": "object", "properties": content, "required": list(content)}


def _json_response(what: str, schema: Document) -> Document:
    return {"description": what, "content": {JSON: {"schema": schema}}}
