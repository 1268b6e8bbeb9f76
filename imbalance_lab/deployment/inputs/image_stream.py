"""Images of a folder or of a table of paths, decoded part by part as in training."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.ignored_files import describe_ignored, describe_suffixes, remedy_for
from imbalance_lab.data.image_formats import FORMATS
from imbalance_lab.data.image_paths import ImagePaths
from imbalance_lab.data.image_tree import Folder, is_image_file, scan
from imbalance_lab.data.labels import read_targets
from imbalance_lab.data.read_table import Files, read_file, require_column
from imbalance_lab.data.schema import ImageSchema
from imbalance_lab.data.table_source import describe_guesses, one_table, open_table
from imbalance_lab.deployment.inputs.stream import InputOptions, InputStream, Part, told_in_a_sentence
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import did_you_mean

PART_IMAGES = 256


class ImageStream(InputStream):
    """The images below a folder, in the order of their paths; or those that a table lists; or one image.

    Raises:
        UsageError: if there are none, or a listed one does not exist.
    """

    def __init__(self, file: Path, schema: ImageSchema, options: InputOptions) -> None:
        super().__init__(file)
        self.schema = schema
        self.options = options
        self.done = 0
        with told_in_a_sentence():
            if file.is_dir() or is_image_file(file):
                self.files, self.keys, self.targets = self._folder()
            else:
                self.files, self.keys, self.targets = self._table()

    def __iter__(self) -> Iterator[Part]:
        for first in range(0, len(self.files), PART_IMAGES):
            part = slice(first, first + PART_IMAGES)
            with told_in_a_sentence():
                inputs = self.schema.encode(self.files[part])
            targets = None if self.targets is None else self.targets[part]
            yield Part(first, self.keys.slice(first, len(inputs)), inputs, {}, targets)
            self.done = first + len(inputs)

    @property
    def position(self) -> tuple[int, int]:
        return self.done, len(self.files)

    def _folder(self) -> tuple[Sequence[str], pa.Table, Tensor | None]:
        if self.options.ids:
            raise UsageError(f"--id {self.options.ids[0]} is a column of a table, but {self.file} holds images")
        if not self.file.exists():
            raise UsageError(f"{self.file} does not exist: name a folder of images, a table of paths, or an image")
        root = self.file if self.file.is_dir() else self.file.parent
        tree = scan(root) if self.file.is_dir() else Folder(root, images=[str(self.file)])
        files = tree.all_images()
        if not files:
            if ignored := tree.all_ignored():
                raise UsageError(f"{self.file} has no image, only {describe_suffixes(ignored)}: {remedy_for(ignored)}")
            raise UsageError(f"{self.file} has no image ({', '.join(FORMATS)}): name another folder")
        self.notes += describe_ignored(tree)
        names = [os.path.relpath(file, root) for file in files]
        targets = None if self.options.labels is None else self._folder_targets(names)
        return files, pa.table({"path": names}), targets

    def _folder_targets(self, names: Sequence[str]) -> Tensor:
        """The classes that the first folders of the paths name."""
        classes, targets = self.schema.classes, []
        for name in names:
            folder = Path(name).parts[0]
            if folder not in classes:
                raise UsageError(
                    f"{self.file / name} is not in a folder of a class{did_you_mean(folder, classes)}: "
                    "leave out --score, or put it into one"
                )
            targets.append(classes.index(folder))
        return torch.tensor(targets)

    def _table(self) -> tuple[Sequence[str], pa.Table, Tensor | None]:
        name, labels = self.options.path_column, self.options.labels
        text = {name, *self.options.ids, *([labels] if isinstance(labels, str) else labels or ())}
        file = open_table(one_table(self.file, "INPUT"), "INPUT", self.options.dialect, self.options.fallback)
        table = read_file(file, text)
        self.notes += describe_guesses([file])
        source: Files = [(self.file, 0)]
        keys = self.options.ids or (require_column(name, table.column_names, self.file, "--path-column"),)
        for each in self.options.ids:
            require_column(each, table.column_names, self.file, "--id")
        paths = ImagePaths(self.file.parent, root_option="")
        files = paths.read(table[name], name, source)
        self.notes += paths.describe(name)
        if labels is None:
            return files, table.select(keys), None
        for each in [labels] if isinstance(labels, str) else labels:
            require_column(each, table.column_names, self.file, "the label column")
        return files, table.select(keys), read_targets(table, labels, source, self.schema.classes)[1]
