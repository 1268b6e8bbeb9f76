"""Which parameters of a backbone are trained, and what is added to it; the head is always trained.

`Full` trains all of them, `HeadOnly` none, `BiasOnly` its biases, `LoRA` low-rank updates of its attention, and
`AdaptFormer` small nets beside its MLPs. Each changes a backbone in place, once its weights are loaded.
"""

from imbalance_lab.backbones.finetune.adaptformer import AdaptFormer
from imbalance_lab.backbones.finetune.base import Finetune, finetuned, fold
from imbalance_lab.backbones.finetune.bias import BiasOnly
from imbalance_lab.backbones.finetune.full import Full
from imbalance_lab.backbones.finetune.head import HeadOnly
from imbalance_lab.backbones.finetune.lora import LoRA

__all__ = ["AdaptFormer", "BiasOnly", "Finetune", "Full", "HeadOnly", "LoRA", "finetuned", "fold"]
