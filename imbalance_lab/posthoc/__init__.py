"""After training, on stored logits: calibration and operating points. Nothing here trains again."""

from imbalance_lab.posthoc.operating_point import OperatingPoint, max_f1
from imbalance_lab.posthoc.temperature import fit_temperature

__all__ = ["OperatingPoint", "fit_temperature", "max_f1"]
