"""What a graph takes: encoded inputs as separate, named tensors."""

import torch
from torch import Tensor

from imbalance_lab.data.schema import ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema


def input_names(schema: InputSchema) -> tuple[str, ...]:
    """What a graph takes, in order."""
    if not isinstance(schema, TableSchema):
        return ("images",) if isinstance(schema, ImageSchema) else ("inputs",)
    parts = {"numbers": bool(schema.numbers), "categories": bool(schema.cardinalities)}
    return tuple(name for name, there in parts.items() if there)


def graph_inputs(schema: InputSchema, encoded: Tensor) -> tuple[Tensor, ...]:
    """Encoded inputs (N, …) as the tensors that a `Graph` takes."""
    if isinstance(schema, TableSchema):
        numbers = len(schema.numbers)
        parts = (encoded[:, :numbers], encoded[:, numbers:].long())
        return tuple(part.contiguous() for part in parts if part.shape[1])
    if isinstance(schema, ImageSchema) and schema.is_16bit:
        return (encoded.to(torch.uint16),)
    return (encoded,)
