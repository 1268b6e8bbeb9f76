"""Sources of examples, and augmentation. (The DataModule is not imported here: it needs lightning)."""

from imbalance_lab.data.arrays import Arrays, Batch, Source, Splits
from imbalance_lab.data.augment import NoAugmentation, RandomAffine, RandomResizedCrop, ShiftFlip
from imbalance_lab.data.augmentation_policies import AutoAugmentCIFAR10, RandAugment, TrivialAugment
from imbalance_lab.data.compose import Compose
from imbalance_lab.data.datasets import Benchmark, cifar10, cifar100, digits, fashion_mnist
from imbalance_lab.data.erasing import Cutout, RandomErasing
from imbalance_lab.data.folds import Fold
from imbalance_lab.data.image_files import ImageFiles
from imbalance_lab.data.image_folders import image_folder
from imbalance_lab.data.image_lists import image_lists
from imbalance_lab.data.image_shards import image_shards
from imbalance_lab.data.image_tables import image_table
from imbalance_lab.data.large_table import large_table
from imbalance_lab.data.long_tailed import binary, long_tailed, long_tailed_counts
from imbalance_lab.data.mapped_rows import MappedRows
from imbalance_lab.data.medmnist import medmnist
from imbalance_lab.data.normalize import Normalize
from imbalance_lab.data.preprocess import Preprocess
from imbalance_lab.data.schema import ArraySchema, ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.data.tables import Rows, table

__all__ = [
    "ArraySchema",
    "Arrays",
    "AutoAugmentCIFAR10",
    "Batch",
    "Benchmark",
    "Compose",
    "Cutout",
    "Fold",
    "ImageFiles",
    "ImageSchema",
    "InputSchema",
    "MappedRows",
    "NoAugmentation",
    "Normalize",
    "Preprocess",
    "RandAugment",
    "RandomAffine",
    "RandomErasing",
    "RandomResizedCrop",
    "Rows",
    "ShiftFlip",
    "Source",
    "Splits",
    "TableSchema",
    "TrivialAugment",
    "binary",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "image_folder",
    "image_lists",
    "image_shards",
    "image_table",
    "large_table",
    "long_tailed",
    "long_tailed_counts",
    "medmnist",
    "table",
]
