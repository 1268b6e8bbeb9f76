"""What a model is applied to: a table, images or arrays, read in parts that fit in memory."""

from pathlib import Path

from imbalance_lab.data.schema import ArraySchema, ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.inputs.array_stream import ArrayStream
from imbalance_lab.deployment.inputs.image_stream import ImageStream
from imbalance_lab.deployment.inputs.stream import InputOptions, InputStream, Part, UnknownCounter
from imbalance_lab.deployment.inputs.table_stream import TableStream

__all__ = ["InputOptions", "InputStream", "Part", "UnknownCounter", "open_input"]


def open_input(path: str | Path, schema: InputSchema, options: InputOptions | None = None) -> InputStream:
    """Open what a model with this ``schema`` takes; only its beginning is read.

    Args:
        path: for a model of tables a ``.csv``, ``.tsv`` (``.gz`` too) or ``.parquet`` file; for one of images a folder,
            a table of paths, or one image; for one of arrays a ``.npy`` or ``.npz`` file.
        schema: of the model.
        options: which columns are read beside the inputs.

    Raises:
        UsageError: naming the file or column, and the remedy.
    """
    file, options = Path(path).expanduser(), options or InputOptions()
    if isinstance(schema, TableSchema):
        return TableStream(file, schema, options)
    if isinstance(schema, ImageSchema):
        return ImageStream(file, schema, options)
    if isinstance(schema, ArraySchema):
        return ArrayStream(file, schema, options)
    raise TypeError(f"no input can be read for a {type(schema).__name__}")
